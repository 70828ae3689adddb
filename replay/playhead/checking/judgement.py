"""What came of one history, as plain data that may leave its process: through a pipe, into the cache, into a report.

A verdict holds live objects of the replay; a judgement holds what any report says of it. Files of the user's are named
as seen from the project's folder, so that a judgement means the same in another checkout.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any

from playhead_engine.record import record


class Kind(StrEnum):
    """The outcomes there are; the first six are verdicts, by the names that reports give them."""

    AGREES = "agrees"
    DIVERGES = "diverges"
    CODE_RAISED = "code raised"
    CODE_UNFINISHED = "code unfinished"
    NEEDS_VALUE = "needs a value"
    NOT_REPLAYABLE = "not replayable"
    UNREADABLE = "unreadable"
    TIMED_OUT = "timed out"
    PROCESS_ENDED = "process ended"

    @property
    def is_verdict(self) -> bool:
        """Whether the replay came to its end; otherwise nothing is known of the history."""
        return self not in (Kind.UNREADABLE, Kind.TIMED_OUT, Kind.PROCESS_ENDED)


@record
class Site:
    """A line of code.

    Attributes:
        file: As seen from the project's folder, with slashes; absolute if it is not the user's.
        line: Counted from 1.
        function: Its qualified name; empty for a line of no function.
    """

    file: str
    line: int
    function: str = ""


@record
class Explanation:
    """What a diagnosis found, in the forms that reports need.

    Attributes:
        text: For a terminal.
        markdown: Without its heading.
        causes: Why, in a sentence each.
        document: As `diagnosis.schema.json` describes it.
    """

    text: str
    markdown: str
    causes: tuple[str, ...]
    document: dict[str, Any]


@record
class Judgement:
    """What came of one history.

    Attributes:
        kind: What it came to.
        headline: The same with the place, in a few words: `diverges at event 11`.
        lines: What there is to say of it, as `playhead replay` does below its headline.
        event_id: Where in the history; 0 if nowhere in particular.
        site: The line of code that is to blame, if one is known.
        workflow_type: The type of the workflow; empty if the history could not be read.
        workflow_id: Its id.
        run_id: The id of the run.
        events: How many events there are.
        temporal: What Temporal's own Replayer makes of it.
        warnings: What is worth knowing besides, a sentence each.
        document: The verdict as `playhead replay --json` gives it, without the name of the history.
        explanation: What a diagnosis found, if there was one.
    """

    kind: Kind
    headline: str
    lines: tuple[str, ...] = ()
    event_id: int = 0
    site: Site | None = None
    workflow_type: str = ""
    workflow_id: str = ""
    run_id: str = ""
    events: int = 0
    temporal: str = ""
    warnings: tuple[str, ...] = ()
    document: dict[str, Any] | None = None
    explanation: Explanation | None = None

    @property
    def summary(self) -> str:
        """The most telling sentence there is."""
        if self.explanation is not None and self.explanation.causes:
            return self.explanation.causes[0]
        first = next((line.strip() for line in self.lines), self.headline)
        causes = [" ".join(cause.split()) for cause in (self.document or {}).get("causes", ())]
        return ", from ".join([first, *causes])


def judgement_from_json(values: dict[str, Any]) -> Judgement:
    """The judgement behind the values of its JSON."""
    site, explanation = values["site"], values["explanation"]
    parts: dict[str, Any] = {
        **values,
        "kind": Kind(values["kind"]),
        "lines": tuple(values["lines"]),
        "warnings": tuple(values["warnings"]),
        "site": None if site is None else Site(**site),
        "explanation": None if explanation is None else explanation_from_json(explanation),
    }
    return Judgement(**parts)


def explanation_from_json(values: dict[str, Any]) -> Explanation:
    """The explanation behind the values of its JSON."""
    return Explanation(values["text"], values["markdown"], tuple(values["causes"]), values["document"])


def seen_from(folder: str, file: str) -> str:
    """A file as seen from a folder, with slashes."""
    try:
        return os.path.relpath(file, folder).replace(os.sep, "/")
    except ValueError:  # on another drive
        return file.replace(os.sep, "/")
