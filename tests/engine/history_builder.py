"""Writes a history event by event, as the server would have written it, for tests that need exactly that history.

Nearly every method appends one event and returns its id. What a later event must repeat of an earlier one is looked up,
so a test says only what it is about:

    history = HistoryBuilder()
    history.task()
    timer = history.timer_started("1")
    history.timer_fired(timer)

Event N happens N seconds after `START`. The builder does not judge: it writes illegal histories as readily as legal
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from playhead_engine.history import History, HistoryEvent, event_from_json
from playhead_engine.messages import Failure, Json
from tests.engine.json_values import (
    application_failure,
    attributes_key,
    attributes_of,
    cancellation,
    payload,
    payloads,
    raw_payload,
    update_request,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKFLOW_ID = "greeting-1"
RUN_ID = "8a2d5cbd-3b4c-4d4f-9a7b-0f2f6e3f9d11"
ALL_CORE_FLAGS = (1, 2, 3, 4)


def ns_of_event(event_id: int) -> int:
    """When an event of a built history happened, in nanoseconds since the epoch."""
    return (int(START.timestamp()) + event_id) * 1_000_000_000


def seconds_of_event(event_id: int) -> Json:
    """The same as core writes a time into its own data."""
    return {"seconds": int(START.timestamp()) + event_id, "nanos": 0}


class HistoryBuilder:
    """A history in the making, in canonical JSON.

    Attributes:
        events: What was written so far.
    """

    def __init__(
        self,
        workflow_type: str = "Greeting",
        *,
        run_id: str = RUN_ID,
        core_flags: Sequence[int] | None = ALL_CORE_FLAGS,
        **attributes: Any,
    ) -> None:
        """Start the run.

        Args:
            workflow_type: Name of the workflow.
            run_id: Id of the run.
            core_flags: What the first completed task records; None for no metadata at all.
            attributes: Further attributes of the WorkflowExecutionStarted event.
        """
        self.events: list[Json] = []
        self._core_flags = core_flags
        self._has_completed_task = False
        self._task_scheduled = self._task_started = self._task_completed = 0
        self._begun: dict[int, int] = {}
        started = {
            "workflowType": {"name": workflow_type},
            "taskQueue": {"name": "main", "kind": "TASK_QUEUE_KIND_NORMAL"},
            "workflowTaskTimeout": "10s",
            "originalExecutionRunId": run_id,
            "firstExecutionRunId": run_id,
            "attempt": 1,
            "workflowId": WORKFLOW_ID,
        }
        self.add("WORKFLOW_EXECUTION_STARTED", started | attributes)

    @property
    def last_id(self) -> int:
        """Id of the last event."""
        return len(self.events)

    @property
    def parsed(self) -> list[HistoryEvent]:
        """The events as the rules read them."""
        return [event_from_json(event) for event in self.events]

    def history(self) -> History:
        """The whole."""
        return History.from_events(self.events, WORKFLOW_ID)

    def add(self, kind: str, attributes: Json | None = None, **fields: Any) -> int:
        """Append an event of any kind.

        Args:
            kind: Its type without `EVENT_TYPE_`.
            attributes: What is special to the type; None to leave even the empty object out.
            fields: Further fields of the event, by their JSON names.
        """
        event_id = len(self.events) + 1
        event: Json = {
            "eventId": str(event_id),
            "eventTime": (START + timedelta(seconds=event_id)).isoformat().replace("+00:00", "Z"),
            "eventType": f"EVENT_TYPE_{kind}",
            "taskId": str(1_000_000 + event_id),
            **fields,
        }
        if attributes is not None:
            event[attributes_key(kind)] = attributes
        self.events.append(event)
        return event_id

    def attributes_of(self, event_id: int) -> Json:
        """The attributes of an event written before."""
        return attributes_of(self.events[event_id - 1])

    # Workflow tasks

    def task_scheduled(self) -> int:
        self._task_scheduled = self.add("WORKFLOW_TASK_SCHEDULED", {"startToCloseTimeout": "10s", "attempt": 1})
        return self._task_scheduled

    def task_started(self, **attributes: Any) -> int:
        given = {"scheduledEventId": str(self._task_scheduled), "identity": "worker", "requestId": "request"}
        self._task_started = self.add("WORKFLOW_TASK_STARTED", given | attributes)
        return self._task_started

    def task_completed(self, **attributes: Any) -> int:
        given: Json = {
            "scheduledEventId": str(self._task_scheduled),
            "startedEventId": str(self._task_started),
            "identity": "worker",
        }
        if not self._has_completed_task and self._core_flags is not None:
            given["sdkMetadata"] = {"coreUsedFlags": list(self._core_flags)}
        self._has_completed_task = True
        self._task_completed = self.add("WORKFLOW_TASK_COMPLETED", given | attributes)
        return self._task_completed

    def task_failed(self, cause: str = "WORKFLOW_WORKER_UNHANDLED_FAILURE", **attributes: Any) -> int:
        given = {
            "scheduledEventId": str(self._task_scheduled),
            "startedEventId": str(self._task_started),
            "cause": f"WORKFLOW_TASK_FAILED_CAUSE_{cause}",
        }
        return self.add("WORKFLOW_TASK_FAILED", given | attributes)

    def task_timed_out(self, timeout: str = "START_TO_CLOSE") -> int:
        given = {"scheduledEventId": str(self._task_scheduled), "timeoutType": f"TIMEOUT_TYPE_{timeout}"}
        if timeout == "START_TO_CLOSE":
            given["startedEventId"] = str(self._task_started)
        return self.add("WORKFLOW_TASK_TIMED_OUT", given)

    def task_open(self, **attributes: Any) -> int:
        """A task that was scheduled and started, and nothing more."""
        self.task_scheduled()
        return self.task_started(**attributes)

    def task(self, **attributes: Any) -> int:
        """A task that was scheduled, started and completed."""
        self.task_open()
        return self.task_completed(**attributes)

    # What the outside does to the run

    def signaled(self, name: str = "wave", *values: Any, **attributes: Any) -> int:
        given = {"signalName": name, "input": payloads(*values), "identity": "client"}
        return self.add("WORKFLOW_EXECUTION_SIGNALED", given | attributes)

    def cancel_requested(self, cause: str = "enough") -> int:
        return self.add("WORKFLOW_EXECUTION_CANCEL_REQUESTED", {"cause": cause, "identity": "client"})

    def terminated(self) -> int:
        return self.add("WORKFLOW_EXECUTION_TERMINATED", {"reason": "enough"})

    def timed_out(self) -> int:
        return self.add("WORKFLOW_EXECUTION_TIMED_OUT", {"retryState": "RETRY_STATE_TIMEOUT"})

    # Activities

    def activity_scheduled(self, activity_id: str = "1", activity_type: str = "greet") -> int:
        return self._asked(
            "ACTIVITY_TASK_SCHEDULED",
            activityId=activity_id,
            activityType={"name": activity_type},
            startToCloseTimeout="60s",
        )

    def activity_started(self, scheduled: int) -> int:
        self._begun[scheduled] = self.add("ACTIVITY_TASK_STARTED", {"scheduledEventId": str(scheduled), "attempt": 1})
        return self._begun[scheduled]

    def activity_completed(self, scheduled: int, *values: Any) -> int:
        return self._activity_ended("COMPLETED", scheduled, result=payloads(*values))

    def activity_failed(self, scheduled: int, failure: Failure | None = None) -> int:
        return self._activity_ended(
            "FAILED",
            scheduled,
            failure=failure or application_failure("no luck"),
            retryState="RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED",
            identity="worker",
        )

    def activity_timed_out(self, scheduled: int, timeout: str = "START_TO_CLOSE") -> int:
        failure: Failure = {
            "message": "activity timeout",
            "timeoutFailureInfo": {"timeoutType": f"TIMEOUT_TYPE_{timeout}"},
        }
        return self._activity_ended("TIMED_OUT", scheduled, failure=failure, retryState="RETRY_STATE_TIMEOUT")

    def activity_cancel_requested(self, scheduled: int) -> int:
        return self._asked("ACTIVITY_TASK_CANCEL_REQUESTED", scheduledEventId=str(scheduled))

    def activity_canceled(self, scheduled: int, *details: Any) -> int:
        return self._activity_ended("CANCELED", scheduled, details=payloads(*details), identity="worker")

    def activity_ran(self, scheduled: int, value: Any = None) -> int:
        """It was started and completed."""
        self.activity_started(scheduled)
        return self.activity_completed(scheduled, value)

    # Timers

    def timer_started(self, timer_id: str = "1") -> int:
        return self._asked("TIMER_STARTED", timerId=timer_id, startToFireTimeout="1s")

    def timer_fired(self, started: int) -> int:
        timer_id = self.attributes_of(started)["timerId"]
        return self.add("TIMER_FIRED", {"timerId": timer_id, "startedEventId": str(started)})

    def timer_canceled(self, started: int) -> int:
        timer_id = self.attributes_of(started)["timerId"]
        return self._asked("TIMER_CANCELED", timerId=timer_id, startedEventId=str(started))

    # Child workflows

    def child_initiated(self, workflow_id: str = "child-1", workflow_type: str = "Child") -> int:
        return self._asked(
            "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
            namespace="default",
            workflowId=workflow_id,
            workflowType={"name": workflow_type},
        )

    def child_not_started(self, initiated: int, cause: str = "WORKFLOW_ALREADY_EXISTS") -> int:
        given = {
            "initiatedEventId": str(initiated),
            "workflowId": self.attributes_of(initiated)["workflowId"],
            "cause": f"START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_{cause}",
        }
        return self.add("START_CHILD_WORKFLOW_EXECUTION_FAILED", given)

    def child_started(self, initiated: int, run_id: str = "child-run") -> int:
        self._begun[initiated] = self._child("STARTED", initiated, run_id)
        return self._begun[initiated]

    def child_completed(self, initiated: int, *values: Any) -> int:
        return self._child("COMPLETED", initiated, result=payloads(*values))

    def child_failed(self, initiated: int, failure: Failure | None = None) -> int:
        failure = failure or application_failure("no luck")
        return self._child("FAILED", initiated, failure=failure, retryState="RETRY_STATE_RETRY_POLICY_NOT_SET")

    def child_canceled(self, initiated: int) -> int:
        return self._child("CANCELED", initiated)

    def child_timed_out(self, initiated: int) -> int:
        return self._child("TIMED_OUT", initiated, retryState="RETRY_STATE_TIMEOUT")

    def child_terminated(self, initiated: int) -> int:
        return self._child("TERMINATED", initiated)

    # Other workflows

    def signal_external_initiated(self, workflow_id: str = "other", name: str = "wave") -> int:
        execution = {"workflowId": workflow_id}
        return self._asked("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED", workflowExecution=execution, signalName=name)

    def external_signaled(self, initiated: int) -> int:
        return self.add("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", {"initiatedEventId": str(initiated)})

    def signal_external_failed(self, initiated: int, cause: str = "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND") -> int:
        cause = f"SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_{cause}"
        given = {"initiatedEventId": str(initiated), "cause": cause}
        return self.add("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED", given)

    def cancel_external_initiated(self, workflow_id: str = "other") -> int:
        return self._asked(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED", workflowExecution={"workflowId": workflow_id}
        )

    def external_cancel_requested(self, initiated: int) -> int:
        return self.add("EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED", {"initiatedEventId": str(initiated)})

    def cancel_external_failed(self, initiated: int, cause: str = "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND") -> int:
        cause = f"CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_{cause}"
        given = {"initiatedEventId": str(initiated), "cause": cause}
        return self.add("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED", given)

    # Nexus operations

    def nexus_scheduled(self, service: str = "bank", operation: str = "pay", endpoint: str = "endpoint") -> int:
        return self._asked("NEXUS_OPERATION_SCHEDULED", endpoint=endpoint, service=service, operation=operation)

    def nexus_started(self, scheduled: int, token: str = "token") -> int:
        return self._nexus("STARTED", scheduled, operationToken=token)

    def nexus_completed(self, scheduled: int, value: Any = None) -> int:
        return self._nexus("COMPLETED", scheduled, result=payload(value))

    def nexus_failed(self, scheduled: int, failure: Failure | None = None) -> int:
        return self._nexus("FAILED", scheduled, failure=failure or application_failure("no luck"))

    def nexus_canceled(self, scheduled: int) -> int:
        return self._nexus("CANCELED", scheduled, failure=cancellation())

    def nexus_timed_out(self, scheduled: int) -> int:
        return self._nexus("TIMED_OUT", scheduled, failure={"message": "late", "timeoutFailureInfo": {}})

    def nexus_cancel_requested(self, scheduled: int) -> int:
        return self._asked("NEXUS_OPERATION_CANCEL_REQUESTED", scheduledEventId=str(scheduled))

    def nexus_cancel_answered(self, requested: int, *, well: bool = True) -> int:
        scheduled = int(self.attributes_of(requested)["scheduledEventId"])
        answer = {} if well else {"failure": application_failure("it will not stop")}
        kind = "CANCEL_REQUEST_COMPLETED" if well else "CANCEL_REQUEST_FAILED"
        return self._nexus(kind, scheduled, requestedEventId=str(requested), **answer)

    # Markers, search attributes, memo

    def marker(self, name: str, details: Json, failure: Failure | None = None) -> int:
        extra: Json = {} if failure is None else {"failure": failure}
        return self._asked("MARKER_RECORDED", markerName=name, details=details, **extra)

    def patch_marker(self, patch_id: str, *, deprecated: bool = False) -> int:
        data = payloads({"id": patch_id, "deprecated": deprecated})
        return self.marker("core_patch", {"patch-data": data})

    def old_patch_marker(self, patch_id: str, *, deprecated: bool = False) -> int:
        """As core wrote patches before it wrote them in JSON."""
        details = {"patch_id": patch_id.encode(), "deprecated": bytes([deprecated])}
        return self.marker("core_patch", {key: {"payloads": [raw_payload(data)]} for key, data in details.items()})

    def local_activity_marker(
        self,
        seq: int = 1,
        value: Any = None,
        *,
        activity_id: str | None = None,
        activity_type: str = "lookup",
        failure: Failure | None = None,
        **data: Any,
    ) -> int:
        """The end of a local activity; `data` takes `complete_time`, `backoff`, `activation_index` and so on."""
        known = {
            "seq": seq,
            "attempt": 1,
            "activity_id": str(seq) if activity_id is None else activity_id,
            "activity_type": activity_type,
            "complete_time": None,
            "backoff": None,
            "original_schedule_time": None,
        }
        details = {"data": payloads(known | data)}
        if failure is None:
            details["result"] = payloads(value)
        return self.marker("core_local_activity", details, failure)

    def search_attributes_upserted(self, **attributes: Any) -> int:
        fields = {key: payload(value) for key, value in attributes.items()}
        return self._asked("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", searchAttributes={"indexedFields": fields})

    def change_version_upserted(self, *patch_ids: str) -> int:
        """What core adds to the marker of a patch."""
        return self.search_attributes_upserted(TemporalChangeVersion=sorted(patch_ids))

    def properties_modified(self, **memo: Any) -> int:
        fields = {key: payload(value) for key, value in memo.items()}
        return self._asked("WORKFLOW_PROPERTIES_MODIFIED", upsertedMemo={"fields": fields})

    # Updates

    def update_admitted(self, update_id: str = "update-1", name: str = "rename", *values: Any) -> int:
        return self.add("WORKFLOW_EXECUTION_UPDATE_ADMITTED", {"request": update_request(update_id, name, *values)})

    def update_accepted(
        self, update_id: str = "update-1", name: str = "rename", *values: Any, sequencing_id: int | None = None
    ) -> int:
        """It was accepted; unless told otherwise it came with the last workflow task."""
        request = update_request(update_id, name, *values)
        return self.add(
            "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
            {
                "protocolInstanceId": update_id,
                "acceptedRequestMessageId": f"{update_id}/request",
                "acceptedRequestSequencingEventId": str(
                    self._task_started - 1 if sequencing_id is None else sequencing_id
                ),
                "acceptedRequest": request,
            },
        )

    def update_completed(self, accepted: int, value: Any = None) -> int:
        return self.add(
            "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
            {
                "meta": {"updateId": self.attributes_of(accepted)["protocolInstanceId"], "identity": "client"},
                "acceptedEventId": str(accepted),
                "outcome": {"success": payloads(value)},
            },
        )

    # The ends of a run

    def completed(self, *values: Any) -> int:
        return self._asked("WORKFLOW_EXECUTION_COMPLETED", result=payloads(*values))

    def failed(self, failure: Failure | None = None) -> int:
        return self._asked("WORKFLOW_EXECUTION_FAILED", failure=failure or application_failure("no luck"))

    def canceled(self) -> int:
        return self._asked("WORKFLOW_EXECUTION_CANCELED")

    def continued_as_new(self) -> int:
        return self._asked("WORKFLOW_EXECUTION_CONTINUED_AS_NEW", newExecutionRunId="next-run")

    def _asked(self, kind: str, **attributes: Any) -> int:
        """An event that exists because the code asked for it in the last completed task."""
        return self.add(kind, attributes | {"workflowTaskCompletedEventId": str(self._task_completed)})

    def _activity_ended(self, end: str, scheduled: int, **attributes: Any) -> int:
        started = str(self._begun.get(scheduled, 0))
        given = {"scheduledEventId": str(scheduled), "startedEventId": started}
        return self.add(f"ACTIVITY_TASK_{end}", given | attributes)

    def _child(self, what: str, initiated: int, run_id: str = "child-run", **attributes: Any) -> int:
        child = self.attributes_of(initiated)
        given: Json = {
            "initiatedEventId": str(initiated),
            "workflowExecution": {"workflowId": child["workflowId"], "runId": run_id},
            "workflowType": child["workflowType"],
        }
        if what != "STARTED":
            given["startedEventId"] = str(self._begun.get(initiated, 0))
        return self.add(f"CHILD_WORKFLOW_EXECUTION_{what}", given | attributes)

    def _nexus(self, what: str, scheduled: int, **attributes: Any) -> int:
        return self.add(f"NEXUS_OPERATION_{what}", {"scheduledEventId": str(scheduled), **attributes})
