"""`Diagnosis`: all that is known about how a history and the code of today differ, and how it is found out.

Data only; renderings are in `text`, `markdown` and `document`, the fix is made by `fix` when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from playhead.diagnosis.alignment import Alignment, Change, align
from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.cautions import cautions
from playhead.diagnosis.code import Code
from playhead.diagnosis.draws import drawn_ids
from playhead.diagnosis.facts import plain_facts
from playhead.diagnosis.hidden import hidden_causes
from playhead.diagnosis.outcomes import Outcomes
from playhead.diagnosis.timers import cancelled_timers
from playhead.diagnosis.versions import patch_causes, with_patch_changes
from playhead.verdict import Agrees, Diverges, ReplayWarning, Verdict
from playhead_engine.call_site import CallSite
from playhead_engine.history import History
from playhead_engine.randomness import seed_of_run


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How a history and the code differ, from the first event to the last.

    Attributes:
        verdict: What the replay came to.
        alignment: Both sides, row by row.
        causes: Why, as far as it is known, in the order of the rows.
        cautions: What a replay does not mind, and what its owner may: other inputs, timeouts, results.
        waits: What the code waited for where the replay stopped: in words, and the line that waits.
    """

    verdict: Verdict
    alignment: Alignment
    causes: tuple[Cause, ...]
    cautions: tuple[ReplayWarning, ...]
    waits: tuple[tuple[str, CallSite | None], ...] = ()

    def cause_of(self, number: int) -> Cause | None:
        """The first cause that explains a row."""
        return next((cause for cause in self.causes if number in cause.rows), None)


def diagnose(history: History, workflow_id: str, verdict: Verdict, code: Code, *, seconds: float = 5.0) -> Diagnosis:
    """Find out how a history and the code differ.

    Args:
        history: What was recorded.
        workflow_id: Id of the workflow.
        verdict: What the replay came to.
        code: The code of today.
        seconds: How long to look for the simplest explanation.
    """
    outcomes = Outcomes(history.events, code.cls, code.wire)
    alignment = align(history.events, workflow_id, history.run_id, code, outcomes, seconds=seconds)
    source = code.source
    if isinstance(verdict, Agrees):
        alignment = _without_what_is_not_checked(alignment)
    alignment = with_patch_changes(alignment, history, source)
    waits = verdict.divergence.waits if isinstance(verdict, Diverges) else ()
    case = Case(history, alignment, source, waits, seed_of_run(history.run_id))
    return Diagnosis(verdict, alignment, _causes(case), cautions(alignment, code.wire), waits)


def _without_what_is_not_checked(alignment: Alignment) -> Alignment:
    """Names and ids are no difference in runs of SDKs so old that nobody compared them, and still nobody does."""
    unchecked = (Change.RENAMED, Change.OTHER_ID)
    rows = (replace(row, change=None) if row.change in unchecked else row for row in alignment.rows)
    return replace(alignment, rows=tuple(rows))


def _causes(case: Case) -> tuple[Cause, ...]:
    finders: tuple[Callable[[Case], Iterable[Cause]], ...] = (drawn_ids, patch_causes, hidden_causes)
    found = list(cancelled_timers(case))
    shifted = {n for cause in found for n in cause.rows}
    found += [cause for finder in finders for cause in finder(case) if not shifted.issuperset(cause.rows)]
    explained = {n for cause in found if cause.confidence is not Confidence.POSSIBLE for n in cause.rows}
    found += plain_facts(case, [number for number in case.alignment.differences() if number not in explained])
    return tuple(
        sorted(found, key=lambda cause: (cause.rows[0], cause.confidence is Confidence.POSSIBLE, -len(cause.rows)))
    )
