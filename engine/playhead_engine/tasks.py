"""Cuts a history into the pieces that workflow code is told at once.

A worker never sees single events: it sees what had happened since the workflow task before, and only for tasks that
were completed or that are still open. So failed and timed-out attempts at a task, and tasks that were mere heartbeats,
melt into the next one that counts. The rules are those of Temporal's core.

    started scheduled STARTED | completed activity-scheduled ... scheduled STARTED | completed ... execution-completed
    '------ sequence 1 -----'   '------------------ sequence 2 -----------------'    '--------- sequence 3 ---------'

This module must not interpret events beyond what cutting needs; what they mean is for `matching`.
"""

from __future__ import annotations

import typing

from playhead_engine.history import CLOSING_KINDS, HistoryEvent
from playhead_engine.machines.errors import InvalidHistory
from playhead_engine.record import record

COMMAND_EVENTS = frozenset(
    {
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "MARKER_RECORDED",
        "NEXUS_OPERATION_CANCEL_REQUESTED",
        "NEXUS_OPERATION_SCHEDULED",
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        "TIMER_CANCELED",
        "TIMER_STARTED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "WORKFLOW_EXECUTION_CANCELED",
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        "WORKFLOW_EXECUTION_UPDATE_REJECTED",
        "WORKFLOW_PROPERTIES_MODIFIED",
    }
)
"""Events that exist because workflow code asked for them; each must meet a command."""

_TOLD_AHEAD = frozenset({"MARKER_RECORDED", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"})

# What may follow a WorkflowTaskStarted without making the attempt count: it came to nothing.
_ATTEMPT_LOST = frozenset({"WORKFLOW_TASK_FAILED", "WORKFLOW_TASK_TIMED_OUT"})
_RUN_CLOSED_MEANWHILE = frozenset({"WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT"})
_NOT_COUNTED = _ATTEMPT_LOST | _RUN_CLOSED_MEANWHILE | {"WORKFLOW_EXECUTION_CANCELED"}


@record
class Outline:
    """How far the recording had come.

    Attributes:
        previous_started: Id of the last WorkflowTaskStarted whose task the code is known to have seen; 0 for none.
            Beyond it the code is live.
        started: Id of the last WorkflowTaskStarted that counts; 0 for none.
    """

    previous_started: int
    started: int


def outline(events: typing.Sequence[HistoryEvent]) -> Outline:
    """Looks a whole history over once.

    Raises:
        InvalidHistory: No server writes such a history. Temporal's own Replayer hangs on these.
    """
    if not events:
        raise InvalidHistory("The history has no events")
    if events[0].KIND != "WORKFLOW_EXECUTION_STARTED":
        raise InvalidHistory(
            f"The first event of a run must be WorkflowExecutionStarted, not {events[0].type_name}", events[0]
        )
    for needed in ("workflowType", "taskQueue"):
        if events[0].attributes.get(needed) is None:
            raise InvalidHistory(f"The first event, WorkflowExecutionStarted, has no {needed}", events[0])
    started = 0
    count = len(events)
    for index, event in enumerate(events):
        kind = event.KIND
        if kind == "WORKFLOW_TASK_STARTED":
            following = events[index + 1] if index + 1 < count else None
            if following is None:
                return Outline(started, event.event_id)
            if following.KIND == "WORKFLOW_TASK_COMPLETED":
                started = event.event_id
            elif following.KIND not in _ATTEMPT_LOST and following.KIND not in _RUN_CLOSED_MEANWHILE:
                raise InvalidHistory(
                    f"A started workflow task (event {event.event_id}) must be completed, fail or time out before "
                    f"anything else happens, but {following.type_name} follows it",
                    following,
                )
        elif kind in CLOSING_KINDS and index + 1 < count:
            raise InvalidHistory(
                f"Event {events[index + 1].event_id} ({events[index + 1].type_name}) comes after the run ended with "
                f"event {event.event_id} ({event.type_name})",
                events[index + 1],
            )
    if count == 1:
        raise InvalidHistory("The history holds only its first event: no workflow task was ever scheduled")
    return Outline(started, started)


@record
class Sequence:
    """The events between one workflow task that counts and the next.

    Attributes:
        start: Index of its first event.
        end: Index of its last event.
        is_complete: False where the history ends before the next task that counts.
        told_ahead: Indices of the markers and accepted updates in it, which the code must know of before.
    """

    start: int
    end: int
    is_complete: bool
    told_ahead: tuple[int, ...]


def next_sequence(events: typing.Sequence[HistoryEvent], start: int) -> Sequence:
    """Finds the sequence that begins at an index.

    Args:
        events: The whole history as far as it is known.
        start: Index of the first event of the sequence.
    """
    saw_command = saw_command_or_start = False
    started: list[int] = []
    ahead: list[int] = []
    count = len(events)
    for index in range(start, count):
        kind = events[index].KIND
        if kind != "WORKFLOW_TASK_STARTED":
            if kind in COMMAND_EVENTS:
                saw_command = saw_command_or_start = True
                if kind in _TOLD_AHEAD:
                    ahead.append(index)
            elif kind == "WORKFLOW_EXECUTION_STARTED":
                saw_command_or_start = True
            if kind in CLOSING_KINDS:
                return Sequence(start, index, True, tuple(ahead))
            continue
        if index + 1 < count:
            following = events[index + 1].KIND
            if following in _NOT_COUNTED:
                continue
            if following == "WORKFLOW_TASK_COMPLETED" and index + 2 < count:
                after = events[index + 2]
                if not saw_command and after.KIND == "WORKFLOW_TASK_SCHEDULED":
                    started.append(index)  # a heartbeat: nothing was asked for, and the next task follows at once
                    continue
                if after.KIND == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
                    # The update may have come with an earlier, empty task; then the code met it there.
                    sequencing = int(after.attributes.get("acceptedRequestSequencingEventId", 0))
                    for earlier in (index, *reversed(started)):
                        if events[earlier].event_id < sequencing:
                            return Sequence(start, earlier, True, tuple(i for i in ahead if i <= earlier))
                return Sequence(start, index, True, tuple(ahead))
        started.append(index)
        if saw_command_or_start:
            return Sequence(start, index, True, tuple(ahead))
    return Sequence(start, count - 1, False, tuple(ahead))
