"""Marks: where a recording is left and something else may happen.

A mark is an event; what came before it stays, it and what came after are open again. What one workflow task asked for
stays or goes together, so a mark in the middle of that moves to where the task began.
"""

from __future__ import annotations

from collections.abc import Sequence

from playhead.hotfix.recorded import ENDED_BY_CODE
from playhead_engine.history import History, HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.record import record
from playhead_engine.tasks import COMMAND_EVENTS


class BadMark(ValueError):
    """There is no such place in the history; the text says which there are."""


@record
class Mark:
    """Where the recording is left.

    Attributes:
        kept: The events that stay.
        time_ns: What time it is there, in nanoseconds since the epoch.
        note: A sentence, where the mark is not where it was asked for.
        asked: The event that was named; None where none was.
    """

    kept: tuple[HistoryEvent, ...]
    time_ns: int
    note: str = ""
    asked: int | None = None

    @property
    def event_id(self) -> int:
        """Id of the first event that is open again."""
        return self.kept[-1].event_id + 1


def mark_at(history: History, event_id: int | None = None) -> Mark:
    """Find the mark.

    Args:
        history: The recording.
        event_id: The first event that is open again. By default an open run is left at its end; one that ended at the
            start of the workflow task in which its code ended it; one that was ended from outside right before that.

    Raises:
        BadMark: There is no such event, or nothing comes before it.
    """
    events = history.events
    if event_id is None:
        return _default(events)
    if not 2 <= event_id <= len(events):
        raise BadMark(f"there is no event {event_id} to leave the recording at: give one of 2 to {len(events)}")
    position = event_id - 1
    note = ""
    if events[position].KIND in COMMAND_EVENTS or isinstance(events[position], kinds.WorkflowTaskCompleted):
        position = _start_of_task(events, position)
        note = (
            f"Event {event_id} belongs to what one workflow task did, so the recording is left where that task began, "
            f"at event {events[position].event_id}."
        )
    elif isinstance(events[position - 1], kinds.WorkflowTaskStarted):
        position -= 1  # what ended an attempt at the task: it is begun again
    if isinstance(events[position], kinds.WorkflowTaskScheduled) and position + 1 < len(events):
        position += 1  # the task is due either way
    return _before(events, position, note, event_id)


def _default(events: Sequence[HistoryEvent]) -> Mark:
    last = events[-1]
    if isinstance(last, ENDED_BY_CODE):
        return _before(events, _start_of_task(events, len(events) - 1))
    if isinstance(
        last, (kinds.WorkflowExecutionTerminated, kinds.WorkflowExecutionTimedOut, kinds.WorkflowTaskStarted)
    ):
        return _before(events, len(events) - 1)
    return _before(events, len(events))


def _start_of_task(events: Sequence[HistoryEvent], position: int) -> int:
    """Where the workflow task began that an event is part of."""
    while position > 1 and not isinstance(events[position], kinds.WorkflowTaskStarted):
        position -= 1
    return position


def _before(events: Sequence[HistoryEvent], position: int, note: str = "", asked: int | None = None) -> Mark:
    # A server that buffers events writes them behind younger ones; time does not go back for all that.
    time_ns = max(event.time_ns for event in events[: position + 1])
    return Mark(tuple(events[:position]), time_ns, note, asked)
