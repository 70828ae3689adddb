"""What `temporalio` workflow code asks for, as our commands.

The SDK speaks to core in commands of its own; ours carry what the attributes of the resulting event would hold. What
core fills in on the way to the server (timeouts, the queue of the run, what a new run inherits) is filled in here, so
that a command of either runtime lies beside a recorded event field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from temporalio.api.enums.v1 import ParentClosePolicy, WorkflowIdReusePolicy

from playhead_engine import commands as c
from playhead_engine.call_site import CallSite
from playhead_engine.common import RetryPolicy
from playhead_engine.convert import NS_PER_SECOND, duration_json, duration_json_ns
from playhead_engine.messages import Json
from playhead_engine.temporal.payloads import as_json, fields_json, payload_json, payloads_json
from playhead_engine.timeouts import activity_timeouts

_DEFAULT_RETRY_POLICY: Final = RetryPolicy().to_json()
_TASK_TIMEOUT: Final = timedelta(seconds=10)
_TERMINATE: Final = ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE
_ALLOW_DUPLICATE: Final = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE


class CommandReader:
    """Reads the commands of one run.

    Attributes:
        run_id: Id of the run.
        start: Attributes of the event that started it.
        namespace: What the code is told as its namespace.
        task_queue: The queue that the run is on. Code that is replayed is told another name, as Temporal's Replayer
            does; what it asks for on that queue is asked for on its own.
    """

    def __init__(self, run_id: str, start: Json, namespace: str, task_queue: str) -> None:
        self.run_id = run_id
        self.start = start
        self.namespace = namespace
        self.task_queue = (start.get("taskQueue") or {}).get("name") or task_queue
        self._told_queue = task_queue
        self._run_timeout: str | None = start.get("workflowRunTimeout")

    def read(self, messages: Sequence[Any], sites: Sequence[CallSite | None]) -> tuple[c.Command, ...]:
        """Commands, in their order.

        Args:
            messages: `WorkflowCommand` messages.
            sites: The line that asked for each.
        """
        return tuple(self._read(message, site) for message, site in zip(messages, sites, strict=True))

    def _read(self, message: Any, site: CallSite | None) -> c.Command:
        kind = message.WhichOneof("variant")
        reader = _READERS.get(kind)
        if reader is None:
            raise TypeError(f"this version of temporalio asks for {kind!r}, which is not known here")
        return reader(self, getattr(message, kind), site)

    def _queue(self, asked: str) -> str:
        return self.task_queue if asked in ("", self._told_queue) else asked

    # Activities

    def _activity(self, asked: Any, site: CallSite | None) -> c.Command:
        attributes = _activity_attributes(
            asked.activity_type,
            self._queue(asked.task_queue),
            self.task_queue,
            _given(asked, "schedule_to_close_timeout"),
            _given(asked, "schedule_to_start_timeout"),
            _given(asked, "start_to_close_timeout"),
            _given(asked, "heartbeat_timeout"),
            self._run_timeout,
        ).copy()
        attributes["activityId"] = asked.activity_id
        if asked.arguments:
            attributes["input"] = {"payloads": payloads_json(asked.arguments)}
        else:
            del attributes["input"]
        if asked.headers:
            attributes["header"] = {"fields": fields_json(asked.headers)}
        if asked.HasField("retry_policy"):
            attributes["retryPolicy"] = as_json(asked.retry_policy)
        if asked.priority.ByteSize():
            attributes["priority"] = as_json(asked.priority)
        return c.ScheduleActivity(
            asked.seq, attributes, _ACTIVITY_CANCELLATION.get(asked.cancellation_type, _TRY_CANCEL), site
        )

    def _local_activity(self, asked: Any, site: CallSite | None) -> c.Command:
        attributes: Json = {
            "activityId": asked.activity_id,
            "activityType": {"name": asked.activity_type},
            **activity_timeouts(
                _timedelta(_given(asked, "schedule_to_close_timeout")),
                _timedelta(_given(asked, "schedule_to_start_timeout")),
                _timedelta(_given(asked, "start_to_close_timeout")),
                None,
                self._run_timeout,
            ),
        }
        if asked.arguments:
            attributes["input"] = {"payloads": payloads_json(asked.arguments)}
        if asked.headers:
            attributes["header"] = {"fields": fields_json(asked.headers)}
        attributes["retryPolicy"] = (
            as_json(asked.retry_policy) if asked.HasField("retry_policy") else _DEFAULT_RETRY_POLICY
        )
        scheduled = asked.original_schedule_time if asked.HasField("original_schedule_time") else None
        command = c.ScheduleLocalActivity(
            asked.seq,
            attributes,
            _ACTIVITY_CANCELLATION.get(asked.cancellation_type, _TRY_CANCEL),
            asked.attempt or 1,
            {"seconds": scheduled.seconds, "nanos": scheduled.nanos} if scheduled is not None else None,
            site=site,
        )
        if not asked.HasField("local_retry_threshold"):
            return command
        return c.ScheduleLocalActivity(
            command.seq,
            command.attributes,
            command.cancellation_type,
            command.attempt,
            command.original_schedule_time,
            asked.local_retry_threshold.ToNanoseconds(),
            site,
        )

    # Other workflows

    def _child(self, asked: Any, site: CallSite | None) -> c.Command:
        execution_timeout = _json_duration(asked, "workflow_execution_timeout")
        attributes: Json = {
            "namespace": asked.namespace,
            "workflowId": asked.workflow_id,
            "workflowType": {"name": asked.workflow_type},
            "taskQueue": _queue(self._queue(asked.task_queue)),
        }
        if asked.input:
            attributes["input"] = {"payloads": payloads_json(asked.input)}
        if execution_timeout is not None:
            attributes["workflowExecutionTimeout"] = execution_timeout
        attributes |= {
            "workflowRunTimeout": _json_duration(asked, "workflow_run_timeout") or execution_timeout or "0s",
            "workflowTaskTimeout": _json_duration(asked, "workflow_task_timeout") or duration_json(_TASK_TIMEOUT),
            "parentClosePolicy": ParentClosePolicy.Name(asked.parent_close_policy or _TERMINATE),
            "workflowIdReusePolicy": WorkflowIdReusePolicy.Name(asked.workflow_id_reuse_policy or _ALLOW_DUPLICATE),
        }
        if asked.HasField("retry_policy"):
            attributes["retryPolicy"] = as_json(asked.retry_policy)
        if asked.cron_schedule:
            attributes["cronSchedule"] = asked.cron_schedule
        attributes |= {
            "header": {"fields": fields_json(asked.headers)} if asked.headers else {},
            "memo": {"fields": fields_json(asked.memo)} if asked.memo else {},
        }
        if asked.search_attributes.indexed_fields:
            fields = fields_json(asked.search_attributes.indexed_fields)
            attributes["searchAttributes"] = {"indexedFields": fields}
        if self._queue(asked.task_queue) == self.task_queue:
            attributes["inheritBuildId"] = True
        attributes["priority"] = as_json(asked.priority)
        # Releases before 1.35 have no such field.
        if hasattr(asked, "versioning_override") and asked.HasField("versioning_override"):
            attributes["versioningOverride"] = as_json(asked.versioning_override)
        return c.StartChildWorkflow(
            asked.seq, attributes, c.ChildWorkflowCancellationType(int(asked.cancellation_type)), site
        )

    def _signal(self, asked: Any, site: CallSite | None) -> c.Command:
        is_child = bool(asked.child_workflow_id)
        execution = {"workflowId": asked.child_workflow_id} if is_child else _execution(asked.workflow_execution)
        attributes: Json = {
            "namespace": asked.workflow_execution.namespace or self.namespace,
            "workflowExecution": execution,
            "signalName": asked.signal_name,
        }
        if asked.args:
            attributes["input"] = {"payloads": payloads_json(asked.args)}
        if is_child:
            attributes["childWorkflowOnly"] = True
        if asked.headers:
            attributes["header"] = {"fields": fields_json(asked.headers)}
        return c.SignalExternal(asked.seq, attributes, site)

    def _cancel_external(self, asked: Any, site: CallSite | None) -> c.Command:
        attributes: Json = {
            "namespace": asked.workflow_execution.namespace,
            "workflowExecution": _execution(asked.workflow_execution),
            # The words are core's; recorded histories have them.
            "reason": f"Cancel requested by workflow with run id {self.run_id} with reason: {asked.reason}",
        }
        return c.RequestCancelExternal(asked.seq, attributes, site)

    # The rest

    def _timer(self, asked: Any, site: CallSite | None) -> c.Command:
        duration = duration_json_ns(asked.start_to_fire_timeout.ToNanoseconds())
        return c.StartTimer(asked.seq, {"timerId": str(asked.seq), "startToFireTimeout": duration}, site)

    def _nexus(self, asked: Any, site: CallSite | None) -> c.Command:
        attributes: Json = {
            "endpoint": asked.endpoint,
            "service": asked.service,
            "operation": asked.operation,
            "input": payload_json(asked.input),
            "scheduleToCloseTimeout": _json_duration(asked, "schedule_to_close_timeout") or "0s",
        }
        for ours, theirs in _NEXUS_TIMEOUTS:
            duration = _json_duration(asked, theirs)
            if duration is not None:
                attributes[ours] = duration
        if asked.nexus_header:
            attributes["nexusHeader"] = dict(asked.nexus_header)
        return c.ScheduleNexusOperation(
            asked.seq, attributes, c.NexusCancellationType(int(asked.cancellation_type)), site
        )

    def _update(self, answer: Any, site: CallSite | None) -> c.Command:
        said, instance_id = answer.WhichOneof("response"), answer.protocol_instance_id
        if said == "completed":
            return c.CompleteUpdate(instance_id, payload_json(answer.completed), site)
        if said == "rejected":
            return c.RejectUpdate(instance_id, as_json(answer.rejected), site)  # type: ignore[arg-type]
        return c.AcceptUpdate(instance_id, site)

    def _query(self, answer: Any, site: CallSite | None) -> c.Command:
        if answer.HasField("succeeded"):
            return c.RespondToQuery(answer.query_id, payload_json(answer.succeeded.response), None, site)
        return c.RespondToQuery(answer.query_id, None, as_json(answer.failed), site)  # type: ignore[arg-type]

    def _continue(self, asked: Any, site: CallSite | None) -> c.Command:
        start = self.start
        attributes: Json = {
            "workflowType": {"name": asked.workflow_type} if asked.workflow_type else start.get("workflowType", {}),
            "taskQueue": _queue(self._queue(asked.task_queue)),
        }
        if asked.arguments:
            attributes["input"] = {"payloads": payloads_json(asked.arguments)}
        attributes |= {
            "workflowRunTimeout": _json_duration(asked, "workflow_run_timeout")
            or start.get("workflowRunTimeout", "0s"),
            "workflowTaskTimeout": _json_duration(asked, "workflow_task_timeout")
            or start.get("workflowTaskTimeout", "10s"),
        }
        backoff = _json_duration(asked, "backoff_start_interval")
        if backoff is not None:
            attributes["backoffStartInterval"] = backoff
        if asked.HasField("retry_policy"):
            attributes["retryPolicy"] = as_json(asked.retry_policy)
        if asked.memo:
            attributes["memo"] = {"fields": fields_json(asked.memo)}
        if asked.headers:
            attributes["header"] = {"fields": fields_json(asked.headers)}
        if asked.search_attributes.indexed_fields:
            fields = fields_json(asked.search_attributes.indexed_fields)
            attributes["searchAttributes"] = {"indexedFields": fields}
        if self._queue(asked.task_queue) == self.task_queue:
            attributes["inheritBuildId"] = True
        return c.ContinueAsNew(attributes, site)


_TRY_CANCEL: Final = c.ActivityCancellationType.TRY_CANCEL
_ACTIVITY_CANCELLATION: Final = {int(member): member for member in c.ActivityCancellationType}
_NEXUS_TIMEOUTS: Final = (
    ("scheduleToStartTimeout", "schedule_to_start_timeout"),
    ("startToCloseTimeout", "start_to_close_timeout"),
)

_READERS: Final[Mapping[str, Callable[[CommandReader, Any, CallSite | None], c.Command]]] = {
    "start_timer": CommandReader._timer,
    "cancel_timer": lambda _, asked, site: c.CancelTimer(asked.seq, site),
    "schedule_activity": CommandReader._activity,
    "request_cancel_activity": lambda _, asked, site: c.RequestCancelActivity(asked.seq, site),
    "schedule_local_activity": CommandReader._local_activity,
    "request_cancel_local_activity": lambda _, asked, site: c.RequestCancelLocalActivity(asked.seq, site),
    "start_child_workflow_execution": CommandReader._child,
    "cancel_child_workflow_execution": lambda _, asked, site: c.CancelChildWorkflow(
        asked.child_workflow_seq, asked.reason, site
    ),
    "signal_external_workflow_execution": CommandReader._signal,
    "cancel_signal_workflow": lambda _, asked, site: c.CancelSignalExternal(asked.seq, site),
    "request_cancel_external_workflow_execution": CommandReader._cancel_external,
    "schedule_nexus_operation": CommandReader._nexus,
    "request_cancel_nexus_operation": lambda _, asked, site: c.RequestCancelNexusOperation(asked.seq, site),
    "set_patch_marker": lambda _, asked, site: c.SetPatchMarker(asked.patch_id, asked.deprecated, site),
    "upsert_workflow_search_attributes": lambda _, asked, site: c.UpsertSearchAttributes(
        {"searchAttributes": {"indexedFields": fields_json(asked.search_attributes.indexed_fields)}}, site
    ),
    "modify_workflow_properties": lambda _, asked, site: c.ModifyProperties(
        {"upsertedMemo": {"fields": fields_json(asked.upserted_memo.fields)}}, site
    ),
    "update_response": CommandReader._update,
    "complete_workflow_execution": lambda _, asked, site: c.CompleteWorkflow(
        {"result": {"payloads": [payload_json(asked.result)]}}, site
    ),
    "fail_workflow_execution": lambda _, asked, site: c.FailWorkflow({"failure": as_json(asked.failure)}, site),
    "cancel_workflow_execution": lambda _, asked, site: c.CancelWorkflowExecution(site),
    "continue_as_new_workflow_execution": CommandReader._continue,
    "respond_to_query": CommandReader._query,
}


def _given(asked: Any, name: str) -> int | None:
    """A duration in nanoseconds; None where the code gave none."""
    if not asked.HasField(name):
        return None
    duration = getattr(asked, name)
    nanoseconds: int = duration.seconds * NS_PER_SECOND + duration.nanos
    return nanoseconds


def _json_duration(asked: Any, name: str) -> str | None:
    ns = _given(asked, name)
    return None if ns is None else duration_json_ns(ns)


def _timedelta(ns: int | None) -> timedelta | None:
    return None if ns is None else timedelta(microseconds=ns / 1000)


@lru_cache(maxsize=1024)
def _activity_attributes(
    activity_type: str,
    task_queue: str,
    task_queue_of_run: str,
    schedule_to_close: int | None,
    schedule_to_start: int | None,
    start_to_close: int | None,
    heartbeat: int | None,
    run_timeout: str | None,
) -> Json:
    """What is the same in all calls from one line of code. Copied for each; what it holds is shared."""
    attributes: Json = {
        "activityId": "",
        "activityType": {"name": activity_type},
        "taskQueue": _queue(task_queue),
        "header": {},
        "input": {},
        **activity_timeouts(
            _timedelta(schedule_to_close),
            _timedelta(schedule_to_start),
            _timedelta(start_to_close),
            _timedelta(heartbeat),
            run_timeout,
        ),
        "retryPolicy": _DEFAULT_RETRY_POLICY,
        "priority": {},
    }
    if task_queue == task_queue_of_run:
        attributes["useWorkflowBuildId"] = True
    return attributes


def _queue(name: str) -> Json:
    return {"name": name, "kind": "TASK_QUEUE_KIND_NORMAL"}


def _execution(execution: Any) -> Json:
    found: Json = {"workflowId": execution.workflow_id}
    if execution.run_id:
        found["runId"] = execution.run_id
    return found
