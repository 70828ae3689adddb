"""Makes the histories that the benchmarks measure on: Temporal's JSON as the Python SDK writes it, of any length.

They are made, not recorded, so that their length can be chosen; Temporal's own Replayer accepts them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

_START = datetime(2026, 1, 1, tzinfo=UTC)
_STEP = timedelta(milliseconds=5)
_TASK_QUEUE: Json = {"name": "q", "kind": "TASK_QUEUE_KIND_NORMAL"}


def sequential_activities(count: int, *, core_flags: tuple[int, ...] = ()) -> bytes:
    """A completed run of workflow `Loop` that executed so many activities `echo`, one after the other.

    Args:
        count: How many activities; the history has six events for each, and five more.
        core_flags: Flags of the SDK that the first workflow task recorded: (1, 2, 3) for a present Python SDK.

    Returns:
        The JSON document; 8,000 activities make 48,005 events and 16.5 MB.
    """
    history = _History()
    history.add(
        "WORKFLOW_EXECUTION_STARTED",
        "workflowExecutionStarted",
        workflowType={"name": "Loop"},
        taskQueue=_TASK_QUEUE,
        input=_payloads(count),
        workflowExecutionTimeout="0s",
        workflowRunTimeout="0s",
        workflowTaskTimeout="10s",
        originalExecutionRunId="r1",
        identity="x",
        firstExecutionRunId="r1",
        attempt=1,
        firstWorkflowTaskBackoff="0s",
        workflowId="wid",
    )
    completed = history.add_task({"coreUsedFlags": list(core_flags)} if core_flags else {})
    for number in range(count):
        scheduled = history.add(
            "ACTIVITY_TASK_SCHEDULED",
            "activityTaskScheduled",
            activityId=str(number + 1),
            activityType={"name": "echo"},
            taskQueue=_TASK_QUEUE,
            header={},
            input=_payloads(number),
            scheduleToCloseTimeout="0s",
            scheduleToStartTimeout="0s",
            startToCloseTimeout="60s",
            heartbeatTimeout="0s",
            workflowTaskCompletedEventId=completed,
            retryPolicy={"initialInterval": "1s", "backoffCoefficient": 2, "maximumInterval": "100s"},
        )
        started = history.add(
            "ACTIVITY_TASK_STARTED",
            "activityTaskStarted",
            scheduledEventId=scheduled,
            identity="w",
            requestId="q",
            attempt=1,
        )
        history.add(
            "ACTIVITY_TASK_COMPLETED",
            "activityTaskCompleted",
            result=_payloads(number),
            scheduledEventId=scheduled,
            startedEventId=started,
            identity="w",
        )
        completed = history.add_task({})
    history.add(
        "WORKFLOW_EXECUTION_COMPLETED",
        "workflowExecutionCompleted",
        result=_payloads(count),
        workflowTaskCompletedEventId=completed,
    )
    return json.dumps({"events": history.events}).encode()


class _History:
    """A history in the making; event N happens N steps after its start."""

    def __init__(self) -> None:
        self.events: list[Json] = []

    def add(self, kind: str, key: str, **attributes: Any) -> str:
        """Append an event; returns its id."""
        event_id = len(self.events) + 1
        time = (_START + event_id * _STEP).isoformat(timespec="microseconds")
        self.events.append(
            {
                "eventId": str(event_id),
                "eventTime": time.replace("+00:00", "Z"),
                "eventType": f"EVENT_TYPE_{kind}",
                "taskId": str(999 + event_id),
                f"{key}EventAttributes": attributes,
            }
        )
        return str(event_id)

    def add_task(self, sdk_metadata: Json) -> str:
        """Append a workflow task that was completed; returns the id of its last event."""
        scheduled = self.add(
            "WORKFLOW_TASK_SCHEDULED",
            "workflowTaskScheduled",
            taskQueue=_TASK_QUEUE,
            startToCloseTimeout="10s",
            attempt=1,
        )
        started = self.add(
            "WORKFLOW_TASK_STARTED", "workflowTaskStarted", scheduledEventId=scheduled, identity="w", requestId="r"
        )
        return self.add(
            "WORKFLOW_TASK_COMPLETED",
            "workflowTaskCompleted",
            scheduledEventId=scheduled,
            startedEventId=started,
            identity="w",
            sdkMetadata=sdk_metadata,
            meteringMetadata={},
        )


def _payloads(value: Any) -> Json:
    data = b64encode(json.dumps(value).encode()).decode()
    return {"payloads": [{"metadata": {"encoding": b64encode(b"json/plain").decode()}, "data": data}]}
