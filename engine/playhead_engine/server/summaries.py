"""The summary of a run: what listing and describing runs shows, and what the store keeps beside each history.

It is Temporal's WorkflowExecutionInfo in canonical JSON, worked out from the state.
"""

from __future__ import annotations

from playhead_engine.convert import duration_ns, time_json
from playhead_engine.messages import Json
from playhead_engine.server.state import RunState


def summary(state: RunState) -> Json:
    """What there is to say of a run without telling its history."""
    started = state.started
    info: Json = {
        "execution": {"workflowId": state.workflow_id, "runId": state.run_id},
        "type": started["workflowType"],
        "startTime": time_json(state.start_ns),
        "executionTime": time_json(state.start_ns + duration_ns(started.get("firstWorkflowTaskBackoff"))),
        "status": state.status,
        "taskQueue": started["taskQueue"]["name"],
        "firstRunId": started.get("firstExecutionRunId", state.run_id),
    }
    if state.closing is not None:
        info["closeTime"] = state.closing.canonical["eventTime"]
        info["historyLength"] = str(state.next_event_id - 1)
        info["historySizeBytes"] = str(state.size_bytes)
    parent = started.get("parentWorkflowExecution")
    if parent is not None:
        info["parentExecution"] = parent
        info["rootExecution"] = started.get("rootWorkflowExecution", parent)
    if state.memo:
        info["memo"] = {"fields": state.memo}
    if state.search_attributes:
        info["searchAttributes"] = {"indexedFields": state.search_attributes}
    return info
