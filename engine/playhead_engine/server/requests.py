"""What clients and other workflows ask of a run: to start, to take a signal, to stop.

Each function writes the events of one accepted request. Whether a start is legal in view of the run that has the id
already is worked out here too, as a pure decision; acting on it is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from playhead_engine.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from playhead_engine.convert import duration_ns
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, Payload, Payloads
from playhead_engine.retry import with_defaults
from playhead_engine.server import chains, tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.pending import PendingChild
from playhead_engine.server.state import RUNNING, RunState

NAMESPACE: Final = "default"
"""The namespace that every run of an engine is in."""

StartDecision = Literal["start", "use existing", "terminate existing", "already started"]

_COMPLETED: Final = "WORKFLOW_EXECUTION_STATUS_COMPLETED"

# What a start may ask for by the name that the started event gives it.
_AS_ASKED: Final = (
    "input",
    "workflowExecutionTimeout",
    "workflowRunTimeout",
    "memo",
    "searchAttributes",
    "header",
    "priority",
    "parentWorkflowNamespace",
    "parentWorkflowExecution",
    "parentInitiatedEventId",
    "rootWorkflowExecution",
)


def decide_start(
    status: str | None,
    reuse: WorkflowIDReusePolicy,
    conflict: WorkflowIDConflictPolicy,
    *,
    with_signal: bool = False,
) -> StartDecision:
    """What starting a workflow under an id comes to.

    Args:
        status: Full name of the status of the newest run under the id; None if the id is new.
        reuse: Whether the id of a closed run may be used again.
        conflict: What to do about an open one.
        with_signal: Whether the start is only meant for the case that nobody is there to take a signal.
    """
    if status is None:
        return "start"
    if status == RUNNING:
        if reuse == WorkflowIDReusePolicy.TERMINATE_IF_RUNNING:
            return "terminate existing"
        if conflict == WorkflowIDConflictPolicy.TERMINATE_EXISTING:
            return "terminate existing"
        if conflict == WorkflowIDConflictPolicy.USE_EXISTING:
            return "use existing"
        if conflict == WorkflowIDConflictPolicy.UNSPECIFIED and with_signal:
            return "use existing"
        return "already started"
    if reuse == WorkflowIDReusePolicy.REJECT_DUPLICATE:
        return "already started"
    if reuse == WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY and status == _COMPLETED:
        return "already started"
    return "start"


def start(workflow_id: str, run_id: str, attributes: Json, now: Moment) -> RunState:
    """Begin a run.

    Args:
        workflow_id: The id its owner chose.
        run_id: The id of the run.
        attributes: Attributes of its WorkflowExecutionStarted event: those of `first_of_chain`, of `child`, or of a run
            that follows another.
        now: When.
    """
    state = RunState(workflow_id, run_id)
    state.append(kinds.WorkflowExecutionStarted, {**attributes, "workflowId": workflow_id}, now)
    if not duration_ns(attributes.get("firstWorkflowTaskBackoff")):
        tasks.schedule(state, now)
    return state


def first_of_chain(run_id: str, request: Mapping[str, Any], now: Moment) -> Json:
    """Attributes of the started event of the first run of a chain.

    Args:
        run_id: Its id.
        request: What was asked for, by the names of the event's attributes; unset ones may be None.
            `workflowStartDelay` is how long to wait before the first workflow task.
        now: When it starts.
    """
    attributes: Json = {
        "workflowType": request["workflowType"],
        "taskQueue": request["taskQueue"],
        "workflowTaskTimeout": request.get("workflowTaskTimeout") or chains.WORKFLOW_TASK_TIMEOUT,
        "originalExecutionRunId": run_id,
        "firstExecutionRunId": run_id,
        "identity": request["identity"],
        "attempt": 1,
        "firstWorkflowTaskBackoff": request.get("workflowStartDelay") or "0s",
    }
    for name in _AS_ASKED:
        value = request.get(name)
        if value:
            attributes[name] = value
    policy = request.get("retryPolicy")
    if policy is not None:
        attributes["retryPolicy"] = with_defaults(policy)
    expires = chains.expiration(now, request.get("workflowExecutionTimeout"), request.get("workflowStartDelay"))
    if expires is not None:
        attributes["workflowExecutionExpirationTime"] = expires
    return attributes


def child(parent: RunState, pending: PendingChild, run_id: str, identity: str, now: Moment) -> Json:
    """Attributes of the started event of a child workflow's first run.

    Args:
        parent: Who asked for it.
        pending: What was asked for.
        run_id: Id of the child's run.
        identity: Who starts it.
        now: When.
    """
    parent_execution = {"workflowId": parent.workflow_id, "runId": parent.run_id}
    request = {
        **pending.attributes,
        "identity": identity,
        "parentWorkflowNamespace": NAMESPACE,
        "parentWorkflowExecution": parent_execution,
        "parentInitiatedEventId": str(pending.initiated_event_id),
        "rootWorkflowExecution": parent.started.get("rootWorkflowExecution", parent_execution),
    }
    return first_of_chain(run_id, request, now)


def is_delayed(state: RunState) -> bool:
    """Whether the run's first workflow task is yet to be scheduled, when a delay is over."""
    return (
        state.is_running
        and not state.wants_task
        and not state.core_flags  # recorded when the first task is completed
        and bool(duration_ns(state.started.get("firstWorkflowTaskBackoff")))
    )


def delay_ends_ns(state: RunState) -> int:
    """When the delay before the first workflow task is over, in nanoseconds since the epoch."""
    return state.start_ns + duration_ns(state.started.get("firstWorkflowTaskBackoff"))


def end_delay(state: RunState, now: Moment) -> None:
    """The delay before the run's first workflow task is over."""
    tasks.schedule(state, now)


def signal(
    state: RunState,
    name: str,
    input: Payloads | None,
    now: Moment,
    *,
    identity: str = "",
    headers: Mapping[str, Payload] | None = None,
    sender: Json | None = None,
    begins: bool = True,
) -> None:
    """A signal comes.

    Args:
        state: The run.
        name: Name of the signal.
        input: Its arguments.
        now: When.
        identity: Who sends it.
        headers: Headers, by name.
        sender: The workflow execution that sends it, where it was one.
        begins: Whether it ends a delay of the run's start; the signal that comes with the start does not.
    """
    attributes: Json = {"signalName": name}
    if input:
        attributes["input"] = input
    if identity:
        attributes["identity"] = identity
    if headers:
        attributes["header"] = {"fields": dict(headers)}
    if sender is not None:
        attributes["externalWorkflowExecution"] = sender
    state.append(kinds.WorkflowExecutionSignaled, attributes, now)
    # The wait before another attempt at a failed workflow is no delay that anybody but time can end.
    is_retry = state.started.get("initiator") == "CONTINUE_AS_NEW_INITIATOR_RETRY"
    if not is_delayed(state) or (begins and not is_retry):
        tasks.schedule(state, now)


def request_cancel(
    state: RunState,
    now: Moment,
    *,
    reason: str = "",
    identity: str = "",
    requested_by: tuple[Json, int] | None = None,
) -> None:
    """Somebody asks the run to cancel itself. Asking again does nothing.

    Args:
        state: The run.
        now: When.
        reason: Why.
        identity: Who asks.
        requested_by: Where a workflow asks: its execution, and the id of the event with which it asked.
    """
    if state.cancel_requested:
        return
    attributes: Json = {}
    if reason:
        attributes["cause"] = reason
    if requested_by is not None:
        attributes["externalWorkflowExecution"], initiated_event_id = requested_by
        attributes["externalInitiatedEventId"] = str(initiated_event_id)
    if identity:
        attributes["identity"] = identity
    state.append(kinds.WorkflowExecutionCancelRequested, attributes, now)
    tasks.schedule(state, now)


def fire_timer(state: RunState, timer_id: str, now: Moment) -> None:
    """A timer is due."""
    timer = state.timers[timer_id]
    attributes: Json = {"timerId": timer_id, "startedEventId": str(timer.started_event_id)}
    state.append(kinds.TimerFired, attributes, now)
    tasks.schedule(state, now)
