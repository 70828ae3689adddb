"""Resetting a run: a new run with the same past, up to a workflow task that is then done again.

The new run begins with the events of the old one before the chosen task ended; that task is recorded as failed, signals
that came later are taken over, and a new task is scheduled. The run that was reset is not touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from playhead_engine.history import Event, HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json
from playhead_engine.server import tasks
from playhead_engine.server.adoption import taken_over
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

_ENDS_OF_TASKS: Final = (kinds.WorkflowTaskCompleted, kinds.WorkflowTaskFailed, kinds.WorkflowTaskTimedOut)


class CannotReset(ValueError):
    """A run cannot be reset to where it was asked to be.

    Attributes:
        event_id: Where to.
        problem: Why not, and what to do.
    """

    def __init__(self, event_id: int, problem: str) -> None:
        super().__init__(event_id, problem)
        self.event_id = event_id
        self.problem = problem

    def __str__(self) -> str:
        return f"cannot reset to event {self.event_id}: {self.problem}"


def reset(
    state: RunState,
    history: Sequence[HistoryEvent],
    event_id: int,
    new_run_id: str,
    reason: str,
    identity: str,
    now: Moment,
) -> RunState:
    """The run that begins again.

    Args:
        state: The run to reset.
        history: Its whole history.
        event_id: Id of the event that ended the workflow task to do again, or that started it.
        new_run_id: Id of the new run.
        reason: Why.
        identity: Who asks.
        now: When.

    Raises:
        CannotReset: There is no workflow task at that event, or a child workflow was under way.
    """
    kept = _before_end_of_task(history, event_id)
    new = taken_over(kept, state.workflow_id, new_run_id)
    if new.children:
        child = next(iter(new.children.values()))
        raise CannotReset(
            event_id,
            f"child workflow {child.workflow_id!r} (event {child.initiated_event_id}) was under way there; choose a "
            "task before it was started or after it ended",
        )
    failed: Json = {
        "scheduledEventId": str(new.task_scheduled_id),
        "startedEventId": str(new.task_started_id),
        "cause": "WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW",
        "failure": {"message": reason or "reset", "resetWorkflowFailureInfo": {}},
        "identity": identity,
        "baseRunId": state.run_id,
        "newRunId": new_run_id,
    }
    new.append(kinds.WorkflowTaskFailed, failed, now)
    for event in history[len(kept) :]:
        _take_over(new, event, now)
    tasks.schedule(new, now)
    return new


def _before_end_of_task(history: Sequence[HistoryEvent], event_id: int) -> Sequence[HistoryEvent]:
    if not 0 < event_id <= len(history):
        raise CannotReset(event_id, f"the history has events 1 to {len(history)}")
    event = history[event_id - 1]
    if isinstance(event, kinds.WorkflowTaskStarted):
        return history[:event_id]
    if isinstance(event, _ENDS_OF_TASKS):
        return history[: event_id - 1]
    choices = [str(e.event_id) for e in history if isinstance(e, kinds.WorkflowTaskCompleted)]
    listed = ", ".join(choices[-8:])
    raise CannotReset(
        event_id,
        f"it is {event.type_name}, which is no workflow task; the last completed ones are at {listed or 'none'}",
    )


def _take_over(new: RunState, event: Event, now: Moment) -> None:
    if isinstance(event, kinds.WorkflowExecutionSignaled):
        new.append(kinds.WorkflowExecutionSignaled, event.attributes, now)
    elif isinstance(event, kinds.WorkflowExecutionUpdateAccepted) and event.attributes.get("acceptedRequest"):
        admitted: Json = {
            "request": event.attributes["acceptedRequest"],
            "origin": "UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY",
        }
        new.append(kinds.WorkflowExecutionUpdateAdmitted, admitted, now)
