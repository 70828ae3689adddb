"""How one run follows another: continue-as-new and workflow retries.

All runs of one workflow id that follow each other form a chain. A new run inherits from the one before what its own
start does not say. This module only writes the first event of such a run; who starts it is not its business.
"""

from __future__ import annotations

from typing import Any, Final

from playhead_engine.convert import duration_json_ns, duration_ns, time_json, time_ns
from playhead_engine.messages import Failure, Json
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

WORKFLOW_TASK_TIMEOUT: Final = "10s"

# What belongs to the chain, and therefore goes from run to run.
_OF_THE_CHAIN: Final = (
    "parentWorkflowNamespace",
    "parentWorkflowExecution",
    "parentInitiatedEventId",
    "rootWorkflowExecution",
    "workflowExecutionTimeout",
    "workflowExecutionExpirationTime",
    "workflowRunTimeout",
    "workflowTaskTimeout",
    "retryPolicy",
    "workflowId",
    "identity",
    "firstExecutionRunId",
    "priority",
)


def continued_as_new(state: RunState, run_id: str, asked: Json) -> Json:
    """Attributes of the WorkflowExecutionStarted event of the run that continues this one.

    Args:
        state: The run that ends.
        run_id: Id of the new run.
        asked: Attributes of the WorkflowExecutionContinuedAsNew event.
    """
    attributes = _inherited(state, run_id)
    for name in ("workflowType", "taskQueue", "input", "workflowRunTimeout", "workflowTaskTimeout", "retryPolicy"):
        if name in asked:
            attributes[name] = asked[name]
    attributes["initiator"] = asked.get("initiator", "CONTINUE_AS_NEW_INITIATOR_WORKFLOW")
    attributes["firstWorkflowTaskBackoff"] = asked.get("backoffStartInterval", "0s")
    _put(attributes, "input", asked.get("input"))
    _put(attributes, "header", asked.get("header"))
    _put(attributes, "memo", asked.get("memo") or ({"fields": state.memo} if state.memo else None))
    search_attributes = asked.get("searchAttributes")
    if search_attributes is None and state.search_attributes:
        search_attributes = {"indexedFields": state.search_attributes}
    _put(attributes, "searchAttributes", search_attributes)
    _put(attributes, "lastCompletionResult", asked.get("lastCompletionResult"))
    return attributes


def retried(state: RunState, run_id: str, failure: Failure | None, delay_ns: int) -> Json:
    """Attributes of the WorkflowExecutionStarted event of the run that tries again what this one failed to do.

    Args:
        state: The run that failed.
        run_id: Id of the new run.
        failure: How it failed.
        delay_ns: How long to wait before its first workflow task.
    """
    attributes = _inherited(state, run_id)
    for name in ("workflowType", "taskQueue", "input", "header", "memo", "searchAttributes", "lastCompletionResult"):
        _put(attributes, name, state.started.get(name))
    attributes["attempt"] = int(state.started.get("attempt", 1)) + 1
    attributes["initiator"] = "CONTINUE_AS_NEW_INITIATOR_RETRY"
    attributes["firstWorkflowTaskBackoff"] = duration_json_ns(delay_ns)
    _put(attributes, "continuedFailure", failure)
    return attributes


def expiration(start: Moment, execution_timeout: str | None, delay: str | None) -> str | None:
    """When a chain that starts now must have ended; None for never."""
    timeout = duration_ns(execution_timeout)
    return time_json(start.ns + duration_ns(delay) + timeout) if timeout else None


def deadline_ns(state: RunState) -> int:
    """When this run times out; 0 for never."""
    expires = state.started.get("workflowExecutionExpirationTime")
    deadlines = [time_ns(expires)] if expires else []
    run_timeout = duration_ns(state.started.get("workflowRunTimeout"))
    if run_timeout:
        deadlines.append(state.start_ns + duration_ns(state.started.get("firstWorkflowTaskBackoff")) + run_timeout)
    return min(deadlines, default=0)


def _inherited(state: RunState, run_id: str) -> Json:
    started = state.started
    attributes: Json = {"workflowType": started["workflowType"], "taskQueue": started["taskQueue"]}
    for name in _OF_THE_CHAIN:
        if name in started:
            attributes[name] = started[name]
    attributes["continuedExecutionRunId"] = state.run_id
    attributes["originalExecutionRunId"] = run_id
    attributes["attempt"] = 1
    return attributes


def _put(attributes: Json, name: str, value: Any) -> None:
    if value:
        attributes[name] = value
