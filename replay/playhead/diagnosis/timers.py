"""Timers that the code takes back now, though the run let them fire: what comes behind is asked for too early."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.diagnosis.alignment import Alignment, Change
from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.facts import line_of
from playhead_engine.commands import CancelTimer, StartTimer
from playhead_engine.history import HistoryEvent
from playhead_engine.history.events import TimerFired


def cancelled_timers(case: Case) -> Iterator[Cause]:
    """One for each timer that fired in the recorded run, and that the code of today cancels before it does."""
    for number in case.alignment.differences():
        row = case.alignment.rows[number]
        command = row.now.command if row.now is not None else None
        if row.change is not Change.ADDED or not isinstance(command, CancelTimer):
            continue
        fired = _fired(case, command.seq)
        if fired is None:
            continue
        text = (
            f"The timer of {line_of(row.site)} is cancelled now before it fires; in the recorded run it fired "
            f"(event {fired.event_id})."
        )
        evidence = "the code goes on sooner than the run did, and so asks for what comes next too early"
        file, line = (row.site.file, row.site.line) if row.site is not None else ("", 0)
        yield Cause(text, Confidence.CERTAIN, (evidence,), _around(case.alignment, number), file, line)


def _fired(case: Case, seq: int) -> HistoryEvent | None:
    """The end of the recorded timer that the code's timer of this number met."""
    for row in case.alignment.rows:
        command = row.now.command if row.now is not None else None
        if isinstance(command, StartTimer) and command.seq == seq:
            return next(
                (e for e in case.history.events if isinstance(e, TimerFired) and e.started_event_id == row.event_id),
                None,
            )
    return None


def _around(alignment: Alignment, number: int) -> tuple[int, ...]:
    """The differing rows that a row stands among: what could not be met since the code was too early."""
    first = last = number
    while first > 0 and alignment.rows[first - 1].change is not None:
        first -= 1
    while last + 1 < len(alignment.rows) and alignment.rows[last + 1].change is not None:
        last += 1
    return tuple(range(first, last + 1))
