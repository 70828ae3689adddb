"""What a check comes to: data, of which every report is a rendering.

Nothing here replays, prints or decides what a program exits with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from playhead.allowances import Allowance
from playhead.checking.inventory import WorkflowClass
from playhead.checking.judgement import Judgement, Kind, Site
from playhead_engine.record import record


class Standing(StrEnum):
    """What a history means for the gate."""

    AGREES = "agrees"
    BREAKS = "breaks"
    OLD = "broke before"
    ALLOWED = "allowed"
    UNCHECKED = "not checked"


@record
class Outcome:
    """One history of a check.

    Attributes:
        history: The file, as it was given.
        standing: What it means for the gate.
        judgement: What came of it.
        allowance: The allowance that covers it, which may be over.
        before: What came of it with the code of the base, if that was asked.
        is_known: Whether it was known from an earlier check.
        seconds: How long its replay took, now or then.
    """

    history: str
    standing: Standing
    judgement: Judgement
    allowance: Allowance | None = None
    before: Judgement | None = None
    is_known: bool = False
    seconds: float = 0.0


@record
class Base:
    """What the code was compared with.

    Attributes:
        name: As it was given: `origin/main`.
        commit: Its hash, or that of the commit where the branch left it; empty if it was not needed.
        problem: Why it could not be compared with; empty if it could.
    """

    name: str
    commit: str = ""
    problem: str = ""


@record
class Check:
    """What a check comes to.

    Attributes:
        outcomes: Every history that was looked at, in the order in which they were given.
        folder: The project's folder, which files of code are named as seen from.
        classes: The workflow classes that there are.
        uncovered: Those that no history was recorded of.
        idle: Allowances that allow nothing any more.
        base: What the code was compared with, if with anything.
        skipped: How many histories were not looked at, since a break had been found by then.
        notes: What is worth knowing besides, a sentence each.
        is_strict: Whether classes without a history and idle allowances fail it as well.
        seconds: How long it took.
    """

    outcomes: tuple[Outcome, ...]
    folder: str = "."
    classes: tuple[WorkflowClass, ...] = ()
    uncovered: tuple[WorkflowClass, ...] = ()
    idle: tuple[Allowance, ...] = ()
    base: Base | None = None
    skipped: int = 0
    notes: tuple[str, ...] = ()
    is_strict: bool = False
    seconds: float = 0.0

    def of(self, standing: Standing) -> list[Outcome]:
        """The histories of one standing."""
        return [outcome for outcome in self.outcomes if outcome.standing is standing]

    @property
    def passes(self) -> bool:
        """Whether every history was checked, and nothing broke that did not before or may."""
        if self.of(Standing.BREAKS) or self.of(Standing.UNCHECKED) or self.skipped:
            return False
        return not self.is_strict or not (self.uncovered or self.idle)

    def counted(self) -> dict[Standing, int]:
        """How many histories have each standing, those of none left out."""
        counter = Counter(outcome.standing for outcome in self.outcomes)
        return {standing: counter[standing] for standing in Standing if counter[standing]}


@record
class Place:
    """Histories that break in the same way at the same line.

    Attributes:
        outcomes: The histories; the first one that was explained comes first.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def first(self) -> Outcome:
        """The one that stands for all."""
        return self.outcomes[0]

    @property
    def site(self) -> Site | None:
        """The line."""
        return self.first.judgement.site


def places(outcomes: Iterable[Outcome]) -> list[Place]:
    """Put those together that break in the same way at the same line, in the order of their first."""
    found: dict[object, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(_place(outcome), []).append(outcome)
    return [Place(tuple(sorted(each, key=lambda one: one.judgement.explanation is None))) for each in found.values()]


def _place(outcome: Outcome) -> object:
    judgement = outcome.judgement
    if judgement.kind.is_verdict:
        line = (judgement.site.file, judgement.site.line) if judgement.site is not None else judgement.summary
        return judgement.kind, judgement.workflow_type, line, outcome.allowance
    return outcome.history


def is_old(now: Judgement, before: Judgement) -> bool:
    """Whether a break was there with the code of the base: there already, or earlier in the history.

    One that comes earlier now is new: runs that had not come as far as the old one went on until today.
    """
    if before.kind is Kind.AGREES:
        return False
    if Kind.NOT_REPLAYABLE in (now.kind, before.kind) or not now.kind.is_verdict or not before.kind.is_verdict:
        return now.kind is before.kind
    return before.event_id <= now.event_id
