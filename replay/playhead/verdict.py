"""What a replay comes to: data, one class for each outcome.

A verdict never decides how it is shown or what a program exits with; `cli` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from playhead.divergence import Divergence
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command

TemporalVerdict: TypeAlias = Literal["ok", "nondeterminism", "error", "hangs"]
"""What Temporal's own Replayer says: it returns, raises NondeterminismError, raises RuntimeError, or never returns."""


@dataclass(frozen=True, slots=True)
class ReplayWarning:
    """Something that does not break the run, but that its owner will want to know.

    Attributes:
        text: One sentence.
        event_id: Where in the history.
        site: The line of code it is about, if it is about one.
    """

    text: str
    event_id: int
    site: CallSite | None = None


@dataclass(frozen=True, slots=True)
class Agrees:
    """The code does what was recorded.

    Attributes:
        events: How many events were replayed.
        next_commands: What the code asks for where the history ends; empty if it waits, or if the run is closed.
        warnings: What is worth knowing all the same.
        temporal: What Temporal's Replayer says.
    """

    events: int
    next_commands: tuple[Command, ...] = ()
    warnings: tuple[ReplayWarning, ...] = ()
    temporal: TemporalVerdict = "ok"


@dataclass(frozen=True, slots=True)
class Diverges:
    """The code does something else than was recorded.

    Attributes:
        divergence: The first difference.
        temporal: What Temporal's Replayer says; it overlooks some differences.
        warnings: What may have led to it: values that could not be read.
    """

    divergence: Divergence
    temporal: TemporalVerdict = "nondeterminism"
    warnings: tuple[ReplayWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeRaised:
    """The code raised an error that fails the workflow task, and so keeps the run from going on.

    Attributes:
        error_type: Name of the exception's class.
        message: Its text.
        event_id: The last event that the code was told of.
        site: The user's line that raised it; or the one that waits for a value which cannot be converted.
        traceback: The user's frames, as Python prints them.
        causes: What the code says that the error came from, each with its class; the nearest first.
        is_recorded: The history ends with a workflow task that failed: the run was stuck already.
        temporal: What Temporal's Replayer says; it overlooks errors at the end of an open run.
        warnings: What may have led to it: values that could not be read.
    """

    error_type: str
    message: str
    event_id: int
    site: CallSite | None
    traceback: str
    causes: tuple[str, ...] = ()
    is_recorded: bool = False
    temporal: TemporalVerdict = "error"
    warnings: tuple[ReplayWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeUnfinished:
    """The code did not come to rest within a workflow task, and was stopped.

    Attributes:
        message: What was stopped, and where.
        event_id: The last event that the code was told of.
        site: Where it was.
        temporal: What Temporal's Replayer says.
    """

    message: str
    event_id: int
    site: CallSite | None
    temporal: TemporalVerdict = "error"


@dataclass(frozen=True, slots=True)
class NeedsValue:
    """The code looked into a value that cannot be read here; up to there everything agreed.

    Attributes:
        value: What it is: `argument 1 of the workflow`, `the result of activity 'charge'`.
        path: The part of it that was taken: `.items[0]`; empty for the value itself.
        use: What the code does with it; `{}` stands for it: `compares {}`.
        encoding: How it is encoded: `binary/encrypted`.
        reason: Why the codec could not decode it; empty if there is none, or if it left the value as it was.
        value_event_id: The event that holds it, 0 if unknown.
        event_id: The last event that the code was told of.
        site: The user's line that looks.
        temporal: What Temporal's Replayer says; it fails when it meets the value, not when the code looks.
    """

    value: str
    path: str
    use: str
    encoding: str
    reason: str
    value_event_id: int
    event_id: int
    site: CallSite | None
    temporal: TemporalVerdict = "error"

    def __str__(self) -> str:
        where = f" (event {self.value_event_id})" if self.value_event_id else ""
        return "the code " + self.use.replace("{}", f"{self.path and f'{self.path} of '}{self.value}{where}")


@dataclass(frozen=True, slots=True)
class NotReplayable:
    """There is nothing to compare: the history is not one, or there is no code for it.

    Attributes:
        reason: One or two sentences: what is wrong, and what to do.
        event_id: Where in the history, 0 if nowhere in particular.
        temporal: What Temporal's Replayer does with it.
    """

    reason: str
    event_id: int = 0
    temporal: TemporalVerdict = "error"


Verdict: TypeAlias = Agrees | Diverges | CodeRaised | CodeUnfinished | NeedsValue | NotReplayable


def no_code_for(workflow_type: str, known: list[str]) -> NotReplayable:
    """The verdict on a history whose workflow type no given class has.

    Args:
        workflow_type: The type.
        known: The types there is code for.
    """
    types = ", ".join(known) or "none"
    return NotReplayable(
        f"There is no code for workflow type {workflow_type!r}. The workflow types there are: {types}. A class with a "
        f"new name keeps its type by @workflow.defn(name={workflow_type!r})."
    )


class ReplayFailed(AssertionError):
    """Raised where somebody asked for an exception instead of a verdict.

    Attributes:
        name: The history.
        verdict: What the replay came to.
        report: The verdict in words.
    """

    def __init__(self, name: str, verdict: Verdict, report: str) -> None:
        super().__init__(name, verdict, report)
        self.name = name
        self.verdict = verdict
        self.report = report

    def __str__(self) -> str:
        return self.report
