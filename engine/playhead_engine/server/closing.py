"""How a run comes to its end, whoever brings it about.

Each function writes the closing event. Where the run is to be tried again it writes down the run that follows too, as a
`Successor`; the caller must make that run in the same transaction. This module must not touch other runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playhead_engine.convert import enum_json, time_ns
from playhead_engine.exceptions import RetryState
from playhead_engine.history import events as kinds
from playhead_engine.messages import Failure, Json, Payloads
from playhead_engine.record import record
from playhead_engine.retry import next_delay_ns
from playhead_engine.server import chains
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

TOO_MANY_EVENTS: Final = "Workflow history count exceeds limit."
TOO_MANY_BYTES: Final = "Workflow history size exceeds limit."


@record
class Successor:
    """The run that follows one that ended.

    Attributes:
        run_id: Its id.
        started: Attributes of its WorkflowExecutionStarted event.
    """

    run_id: str
    started: Json


def complete(state: RunState, attributes: Json, now: Moment) -> None:
    """The workflow returned."""
    state.append(kinds.WorkflowExecutionCompleted, attributes, now)


def fail(state: RunState, attributes: Json, new_run_id: Callable[[], str], now: Moment) -> Successor | None:
    """The workflow raised a failure.

    Args:
        state: The run.
        attributes: Attributes of the WorkflowExecutionFailed event, without the retry state.
        new_run_id: Makes the id of the run that follows, should one follow.
        now: When it happened.
    """
    failure: Failure = attributes.get("failure") or {}
    retry_state, successor = _retried(state, failure, new_run_id, now)
    attributes = {**attributes, "retryState": retry_state}
    if successor is not None:
        attributes["newExecutionRunId"] = successor.run_id
    state.append(kinds.WorkflowExecutionFailed, attributes, now)
    return successor


def cancel(state: RunState, attributes: Json, now: Moment) -> None:
    """The workflow let itself be cancelled."""
    state.append(kinds.WorkflowExecutionCanceled, attributes, now)


def continue_as_new(state: RunState, attributes: Json, new_run_id: str, now: Moment) -> Successor:
    """The workflow goes on in a new run.

    Args:
        state: The run that ends.
        attributes: Attributes of the WorkflowExecutionContinuedAsNew event, without the id of the new run.
        new_run_id: Id of the new run.
        now: When it happened.
    """
    attributes = {"initiator": "CONTINUE_AS_NEW_INITIATOR_WORKFLOW", **attributes, "newExecutionRunId": new_run_id}
    for name in ("workflowType", "taskQueue"):
        attributes.setdefault(name, state.started[name])
    successor = Successor(new_run_id, chains.continued_as_new(state, new_run_id, attributes))
    state.append(kinds.WorkflowExecutionContinuedAsNew, attributes, now)
    return successor


def time_out(state: RunState, new_run_id: Callable[[], str], now: Moment) -> Successor | None:
    """The time that the run, or its whole chain, was given is over."""
    failure: Failure = {
        "message": "workflow timeout",
        "source": "Server",
        "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"},
    }
    retry_state, successor = _retried(state, failure, new_run_id, now)
    attributes: Json = {"retryState": retry_state}
    if successor is not None:
        attributes["newExecutionRunId"] = successor.run_id
    state.append(kinds.WorkflowExecutionTimedOut, attributes, now)
    return successor


def terminate(state: RunState, reason: str, details: Payloads | None, identity: str, now: Moment) -> None:
    """Somebody, or a limit, ends the run without asking it."""
    attributes: Json = {"identity": identity}
    if reason:
        attributes["reason"] = reason
    if details:
        attributes["details"] = details
    state.append(kinds.WorkflowExecutionTerminated, attributes, now)


def _retried(
    state: RunState, failure: Failure, new_run_id: Callable[[], str], now: Moment
) -> tuple[str, Successor | None]:
    expires = state.started.get("workflowExecutionExpirationTime")
    delay = next_delay_ns(
        state.started.get("retryPolicy"),
        int(state.started.get("attempt", 1)),
        failure,
        expiration_ns=max(time_ns(expires) - now.ns, 1) if expires else None,
    )
    if isinstance(delay, RetryState):
        return enum_json(delay), None
    run_id = new_run_id()
    return enum_json(RetryState.IN_PROGRESS), Successor(run_id, chains.retried(state, run_id, failure, delay))
