"""What a replay is expected to come to, and whether it does.

An expectation is data: the arguments of `@pytest.mark.playhead(...)`, or nothing but that the code agrees. A break that
a project allows for a while is no success and no failure; it says why, and until when.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import date
from typing import Any, Final, TypeAlias

from playhead.allowances import Allowance, Allowances, BadAllowance, Break, allowances
from playhead.explanation import Explanation
from playhead.rendering import label
from playhead.terminal import PLAIN, Style
from playhead.verdict import (
    Agrees,
    CodeRaised,
    CodeUnfinished,
    Diverges,
    NeedsValue,
    NotReplayable,
    Verdict,
)
from playhead_engine.record import record

_KINDS: Final = (Agrees, Diverges, CodeRaised, CodeUnfinished, NeedsValue, NotReplayable)
LABELS: Final = ("agrees", "diverges", "code raised", "code unfinished", "needs a value", "not replayable")


class BadExpectation(ValueError):
    """A marker says something that cannot be meant; the text says what was expected."""


@record
class Expectation:
    """What a replay is to come to.

    Attributes:
        verdict: The verdict's name, as in reports.
        event: Where it is to break; None for anywhere.
        error: The type of the error that the code is to raise; None for any.
        allow: Why it may break all the same.
        until: The last day on which it may.
        at: By mark, what queries and expressions are to be worth there.
        queries: Queries to be answered after every workflow task of a recording.
        strict: Whether other arguments, timeouts and results count as breaks, too.
        always_replay: Whether runs that the test makes are replayed, where all are.
    """

    verdict: str = "agrees"
    event: int | None = None
    error: str | None = None
    allow: str | None = None
    until: date | None = None
    at: Mapping[int | str, Mapping[str, Any]] = field(default_factory=dict[int | str, Mapping[str, Any]])
    queries: Sequence[str] = ()
    strict: bool = False
    always_replay: bool = True

    def is_met_by(self, verdict: Verdict) -> bool:
        """Whether a verdict is the one that is expected; of states it says nothing."""
        return (
            label(verdict) == self.verdict
            and self.event in (None, event_of(verdict))
            and (self.error is None or (isinstance(verdict, CodeRaised) and verdict.error_type == self.error))
        )

    def __str__(self) -> str:
        at = f" at event {self.event}" if self.event is not None else ""
        return f"{self.verdict}{at}" + (f" with {self.error}" if self.error is not None else "")


def expectation_of(arguments: Mapping[str, Any]) -> Expectation:
    """An expectation from the keywords of a marker.

    Raises:
        BadExpectation: One of them is not known, or is something else than expected.
    """
    known = Expectation.__dataclass_fields__
    for key in arguments:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
            raise BadExpectation(f"@pytest.mark.playhead has no {key!r}; {hint}")
    values = dict(arguments)
    if "verdict" in values:
        values["verdict"] = _label(values["verdict"])
    if ("allow" in values) != ("until" in values):
        raise BadExpectation("@pytest.mark.playhead allows a break with allow=, the reason, and until=, the last day.")
    if "allow" in values:
        entry = _allowance("*", values["allow"], values["until"])
        values["allow"], values["until"] = entry.reason, entry.until
    for key, kind in (("event", int), ("error", str), ("at", Mapping), ("strict", bool), ("always_replay", bool)):
        if key in values and not isinstance(values[key], kind):
            raise BadExpectation(f"@pytest.mark.playhead: {key}= is to be a {kind.__name__}, got {values[key]!r}.")
    if isinstance(values.get("queries"), str):
        values["queries"] = (values["queries"],)
    for mark, values_there in values.get("at", {}).items():
        if not isinstance(values_there, Mapping):
            raise BadExpectation(
                f"@pytest.mark.playhead: at={{{mark!r}: ...}} is to say what queries and expressions are worth there, "
                f'as in {{"status()": "charging", "self.stage": "charging"}}, got {values_there!r}.'
            )
    return Expectation(**values)


def _label(verdict: Any) -> str:
    if isinstance(verdict, type) and verdict in _KINDS:
        return LABELS[_KINDS.index(verdict)]
    text = str(verdict).replace("_", " ").replace("-", " ")
    if not isinstance(verdict, str) or text not in LABELS:
        raise BadExpectation(f"@pytest.mark.playhead: verdict= is to be one of {', '.join(LABELS)}, got {verdict!r}.")
    return text


def _allowance(history: str, reason: Any, until: Any) -> Allowance:
    try:
        return allowances([{"history": history, "reason": reason, "until": until}], _NOWHERE).entries[0]
    except BadAllowance as error:
        raise BadExpectation(f"@pytest.mark.playhead: {str(error).removeprefix('entry 1: ')}.") from None


_NOWHERE: Final = Allowances().folder


def event_of(verdict: Verdict) -> int:
    """The event at which a replay breaks; 0 if nowhere in particular."""
    match verdict:
        case Agrees():
            return 0
        case Diverges():
            return verdict.divergence.event_id
        case _:
            return verdict.event_id


@record
class Met:
    """It is as expected."""


@record
class Allowed:
    """It is not as expected, and may be so for a while.

    Attributes:
        reason: What happened, why it may, and until when.
        entry: The project's allowance; None if a marker allows it.
        explanation: What happened, in full.
    """

    reason: str
    entry: Allowance | None
    explanation: Explanation


@record
class Unmet:
    """It is not as expected.

    Attributes:
        headline: What it is, in a few words.
        explanation: The same in full.
        remark: What is to be said besides; may be empty.
    """

    headline: str
    explanation: Explanation
    remark: str = ""

    def text(self, *, style: Style = PLAIN, width: int = 120) -> str:
        """In full, without a closing line break."""
        text = self.explanation.text(style=style, width=width)
        return f"{text}\n  {self.remark}" if self.remark else text


Outcome: TypeAlias = Met | Allowed | Unmet


def outcome_of(
    expectation: Expectation,
    explanation: Explanation,
    allowed: Allowances,
    path: str | os.PathLike[str],
    today: date,
) -> Outcome:
    """Whether a replay came to what was expected.

    Args:
        expectation: What was.
        explanation: What it came to.
        allowed: The breaks that the project allows.
        path: The history's file.
        today: What day it is.
    """
    verdict, history = explanation.verdict, explanation.history
    if expectation.is_met_by(verdict):
        if expectation.strict and explanation.has_warnings:
            return Unmet(f"{label(verdict)}, with warnings", explanation, "Warnings count: this is strict.")
        return Met()
    if expectation.verdict != "agrees" or isinstance(verdict, Agrees):
        return Unmet(f"{explanation.headline()}, expected {expectation}", explanation, f"expected: {expectation}")
    if expectation.allow is not None and expectation.until is not None:
        entry: Allowance | None = Allowance(os.fspath(path), expectation.allow, expectation.until)
    else:
        workflow_type = history.workflow_type if history is not None else ""
        entry = allowed.covering(Break(path, workflow_type, event_of(verdict)), today)
    if entry is None:
        return Unmet(explanation.headline(), explanation)
    if entry.holds(today):
        reason = f"{explanation.headline()}, allowed until {entry.until}: {entry.reason}"
        return Allowed(reason, None if expectation.allow is not None else entry, explanation)
    return Unmet(
        f"{explanation.headline()}, allowed only until {entry.until}",
        explanation,
        f"It was allowed until {entry.until}: {entry.reason}",
    )
