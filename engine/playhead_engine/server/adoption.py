"""Taking over a run that somebody else recorded: what its history leaves behind, ready to be gone on with.

A state follows from events, whoever wrote them. All there is to see to is where a recording was cut: a workflow task
that had only been started is begun again, and what the code was not told yet calls for a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from playhead_engine.history import HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.server import requests, tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState
from playhead_engine.tasks import COMMAND_EVENTS

# Events that tell the code nothing: a run that ends in them need not be woken.
_SILENT: Final = (
    kinds.WorkflowTaskScheduled,
    kinds.WorkflowTaskStarted,
    kinds.WorkflowTaskFailed,
    kinds.WorkflowTaskTimedOut,
    kinds.ActivityTaskStarted,
)


class CannotAdopt(ValueError):
    """A history is nothing that one could go on with; the text says why."""


def taken_over(events: Sequence[HistoryEvent], workflow_id: str, run_id: str) -> RunState:
    """The state that events leave, with all of them yet to be stored and to be told.

    Args:
        events: From the first one on.
        workflow_id: The id its owner chose.
        run_id: The id of the run.
    """
    state = RunState(workflow_id, run_id)
    for event in events:
        state.next_event_id = event.event_id + 1
        state.fresh.append(event)
        state.untold.append(event)
        state.apply(event)
    return state


def adopt(events: Sequence[HistoryEvent], workflow_id: str, run_id: str, now: Moment) -> RunState:
    """A recorded run that is to go on.

    Args:
        events: Its history so far, in canonical JSON. A workflow task that was started and has no end is begun again.
        workflow_id: The id its owner chose.
        run_id: The id of the run.
        now: When it is taken over.

    Raises:
        CannotAdopt: It has closed, it does not begin at the beginning, or something is missing in it.
    """
    if not events or not isinstance(events[0], kinds.WorkflowExecutionStarted):
        raise CannotAdopt("a run begins with WorkflowExecutionStarted, and this history does not")
    gap = next((event for number, event in enumerate(events, start=1) if event.event_id != number), None)
    if gap is not None:
        raise CannotAdopt(f"event {gap.event_id} does not come after the one before it: something is missing there")
    if isinstance(events[-1], kinds.WorkflowTaskStarted):
        events = events[:-1]
    try:
        state = taken_over(events, workflow_id, run_id)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotAdopt(f"an event lacks what events of its type have: {error}") from error
    if state.closing is not None:
        raise CannotAdopt(f"the run closed with event {state.closing.event_id} ({state.closing.type_name})")
    if _is_to_be_woken(state):
        tasks.schedule(state, now)
    return state


def _is_to_be_woken(state: RunState) -> bool:
    """Whether the code was not told something yet, and no workflow task is under way that would tell it."""
    if state.wants_task or requests.is_delayed(state):
        return False
    for event in reversed(state.untold):
        if isinstance(event, kinds.WorkflowTaskCompleted):
            return False
        if event.KIND not in COMMAND_EVENTS and not isinstance(event, _SILENT):
            return True
    return False
