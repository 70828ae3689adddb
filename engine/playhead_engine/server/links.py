"""What one run is told of another: of its child, of the target of its signal.

Each function writes the event in the history of the run that asked. What happens to the other run is decided elsewhere;
both must be written in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from playhead_engine.history import Event
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json
from playhead_engine.server import tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.pending import PendingChild
from playhead_engine.server.requests import NAMESPACE
from playhead_engine.server.state import RunState

# How a run closed, what its parent is told, and what of the closing event is told with it.
_TOLD: Final[Mapping[type[Event], tuple[type[Event], tuple[str, ...]]]] = {
    kinds.WorkflowExecutionCompleted: (kinds.ChildWorkflowExecutionCompleted, ("result",)),
    kinds.WorkflowExecutionFailed: (kinds.ChildWorkflowExecutionFailed, ("failure", "retryState")),
    kinds.WorkflowExecutionTimedOut: (kinds.ChildWorkflowExecutionTimedOut, ("retryState",)),
    kinds.WorkflowExecutionCanceled: (kinds.ChildWorkflowExecutionCanceled, ("details",)),
    kinds.WorkflowExecutionTerminated: (kinds.ChildWorkflowExecutionTerminated, ()),
}


def child_started(parent: RunState, pending: PendingChild, run_id: str, now: Moment) -> None:
    """The child runs."""
    attributes: Json = {
        "namespace": NAMESPACE,
        "initiatedEventId": str(pending.initiated_event_id),
        "workflowExecution": {"workflowId": pending.workflow_id, "runId": run_id},
        "workflowType": pending.attributes["workflowType"],
    }
    if pending.attributes.get("header"):
        attributes["header"] = pending.attributes["header"]
    parent.append(kinds.ChildWorkflowExecutionStarted, attributes, now)
    tasks.schedule(parent, now)


def child_not_started(parent: RunState, pending: PendingChild, now: Moment) -> None:
    """The child could not be started: its id is taken."""
    attributes: Json = {
        "namespace": NAMESPACE,
        "workflowId": pending.workflow_id,
        "workflowType": pending.attributes["workflowType"],
        "cause": "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS",
        "initiatedEventId": str(pending.initiated_event_id),
        "workflowTaskCompletedEventId": pending.attributes["workflowTaskCompletedEventId"],
    }
    parent.append(kinds.StartChildWorkflowExecutionFailed, attributes, now)
    tasks.schedule(parent, now)


def child_closed(parent: RunState, pending: PendingChild, child_run_id: str, closing: Event, now: Moment) -> None:
    """The child came to its end.

    Args:
        parent: Who asked for it.
        pending: The child.
        child_run_id: Its run that ended; the last one of its chain.
        closing: The event that closed it.
        now: When.
    """
    kind, told = _TOLD[type(closing)]
    attributes: Json = {name: closing.attributes[name] for name in told if name in closing.attributes}
    attributes |= {
        "namespace": NAMESPACE,
        "workflowExecution": {"workflowId": pending.workflow_id, "runId": child_run_id},
        "workflowType": pending.attributes["workflowType"],
        "initiatedEventId": str(pending.initiated_event_id),
        "startedEventId": str(pending.started_event_id),
    }
    parent.append(kind, attributes, now)
    tasks.schedule(parent, now)


def signal_delivered(state: RunState, initiated_event_id: int, found: bool, now: Moment) -> None:
    """A signal to another workflow was delivered, or its target was not there."""
    asked = state.signals[initiated_event_id]
    if found:
        _delivered(state, kinds.ExternalWorkflowExecutionSignaled, initiated_event_id, asked, now)
    else:
        cause = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"
        _failed(state, kinds.SignalExternalWorkflowExecutionFailed, initiated_event_id, asked, cause, now)


def cancel_delivered(state: RunState, initiated_event_id: int, found: bool, now: Moment) -> None:
    """A request to cancel another workflow was delivered, or its target was not there."""
    asked = state.cancels[initiated_event_id]
    if found:
        _delivered(state, kinds.ExternalWorkflowExecutionCancelRequested, initiated_event_id, asked, now)
    else:
        cause = "CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"
        _failed(state, kinds.RequestCancelExternalWorkflowExecutionFailed, initiated_event_id, asked, cause, now)


def _delivered(state: RunState, kind: type[Event], initiated_event_id: int, asked: Json, now: Moment) -> None:
    attributes: Any = {
        "initiatedEventId": str(initiated_event_id),
        "namespace": NAMESPACE,
        "workflowExecution": asked["workflowExecution"],
    }
    state.append(kind, attributes, now)
    tasks.schedule(state, now)


def _failed(state: RunState, kind: type[Event], initiated_event_id: int, asked: Json, cause: str, now: Moment) -> None:
    attributes: Json = {
        "cause": cause,
        "workflowTaskCompletedEventId": asked["workflowTaskCompletedEventId"],
        "namespace": NAMESPACE,
        "workflowExecution": asked["workflowExecution"],
        "initiatedEventId": str(initiated_event_id),
    }
    state.append(kind, attributes, now)
    tasks.schedule(state, now)
