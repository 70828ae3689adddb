"""The judge: `temporalio`'s own workflow instance, spoken to in our activations and answering in comparable tuples."""

from __future__ import annotations

import asyncio
import base64
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import temporalio.common
import temporalio.converter
import temporalio.worker._workflow as worker_workflow
from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.child_workflow import StartChildWorkflowExecutionFailedCause
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead_engine import activation as a
from playhead_engine.activation import payload_list

_EXECUTOR = ThreadPoolExecutor(1)


class TemporalInstance:
    """One run of a `temporalio` workflow class, without Temporal's core."""

    def __init__(self, workflow: type) -> None:
        options: dict[str, Any] = {
            "bridge_worker": lambda: None,
            "namespace": "default",
            "task_queue": "queue",
            "workflows": [workflow],
            "workflow_task_executor": _EXECUTOR,
            "max_concurrent_workflow_tasks": 5,
            "workflow_runner": UnsandboxedWorkflowRunner(),
            "unsandboxed_workflow_runner": UnsandboxedWorkflowRunner(),
            "data_converter": temporalio.converter.DataConverter.default,
            "interceptors": [],
            "workflow_failure_exception_types": [],
            "patch_activation_callback": None,
            "debug_mode": False,
            "metric_meter": temporalio.common.MetricMeter.noop,
            "on_eviction_hook": None,
            "disable_eager_activity_execution": False,
            "disable_safe_eviction": False,
            "should_enforce_versioning_behavior": False,
            "assert_local_activity_valid": lambda _: None,
            "encode_headers": False,
            "max_workflow_task_external_storage_concurrency": 1,
            "default_workflow_logic_flags": None,
        }
        known = inspect.signature(worker_workflow._WorkflowWorker.__init__).parameters
        self._worker = worker_workflow._WorkflowWorker(**{k: v for k, v in options.items() if k in known})
        self._instance: Any = None

    def activate(self, activation: a.Activation) -> tuple[list[tuple[Any, ...]] | None, set[int]]:
        """Activate.

        Returns:
            The commands, comparable; None if the workflow task failed. And the flags that were relied on.
        """
        message = activation_proto(activation)
        if self._instance is None:
            start = next(job.initialize_workflow for job in message.jobs if job.HasField("initialize_workflow"))
            loop = asyncio.new_event_loop()

            async def make() -> Any:
                return self._worker._create_workflow_instance(message, start)

            self._instance = loop.run_until_complete(make())
            loop.close()
        completion = self._instance.activate(message)
        if completion.HasField("failed"):
            return None, set()
        commands = [comparable_proto(command) for command in completion.successful.commands]
        return commands, set(completion.successful.used_internal_flags)

    def close(self) -> None:
        """Evict the run."""
        message = WorkflowActivation(run_id="r1")
        message.jobs.add().remove_from_cache.SetInParent()
        self._instance.activate(message)


def payload_proto(payload: Any) -> Payload:
    return ParseDict(payload, Payload())


def activation_proto(activation: a.Activation) -> WorkflowActivation:
    message = WorkflowActivation(
        run_id=activation.run_id,
        is_replaying=activation.is_replaying,
        history_length=activation.history_length,
        history_size_bytes=activation.history_size_bytes,
        continue_as_new_suggested=activation.continue_as_new_suggested,
        available_internal_flags=activation.internal_flags,
    )
    message.timestamp.FromNanoseconds(activation.timestamp_ns)
    for job in activation.jobs:
        _job_proto(job, message.jobs.add())
    return message


def _job_proto(job: a.Job, to: WorkflowActivationJob) -> None:
    match job:
        case a.InitializeWorkflow(workflow_id, attributes, seed, start_time_ns):
            start = to.initialize_workflow
            start.workflow_type = attributes["workflowType"]["name"]
            start.workflow_id = workflow_id
            start.randomness_seed = seed
            start.attempt = attributes["attempt"]
            start.first_execution_run_id = attributes["firstExecutionRunId"]
            start.start_time.FromNanoseconds(start_time_ns)
            start.workflow_task_timeout.FromSeconds(10)
            start.arguments.extend(payload_proto(p) for p in payload_list(attributes.get("input")))
        case a.NotifyHasPatch(patch_id):
            to.notify_has_patch.patch_id = patch_id
        case a.UpdateRandomSeed(seed):
            to.update_random_seed.randomness_seed = seed
        case a.SignalWorkflow(name, values, identity, _, event_id):
            to.signal_workflow.signal_name = name
            to.signal_workflow.identity = identity
            to.signal_workflow.originating_event_id = event_id
            to.signal_workflow.input.extend(payload_proto(p) for p in values)
        case a.DoUpdate(update_id, protocol_id, name, values, _, _, run_validator):
            to.do_update.id = update_id
            to.do_update.protocol_instance_id = protocol_id
            to.do_update.name = name
            to.do_update.run_validator = run_validator
            to.do_update.input.extend(payload_proto(p) for p in values)
        case a.FireTimer(seq):
            to.fire_timer.seq = seq
        case a.CancelWorkflow(reason):
            to.cancel_workflow.reason = reason
        case a.QueryWorkflow(query_id, name, values):
            to.query_workflow.query_id = query_id
            to.query_workflow.query_type = name
            to.query_workflow.arguments.extend(payload_proto(p) for p in values)
        case a.ResolveActivity(seq, result):
            to.resolve_activity.seq = seq
            if isinstance(result, a.Backoff):
                backoff = to.resolve_activity.result.backoff
                backoff.attempt = result.attempt
                backoff.backoff_duration.FromNanoseconds(result.duration_ns)
                backoff.original_schedule_time.seconds = (result.original_schedule_time or {})["seconds"]
                backoff.original_schedule_time.nanos = (result.original_schedule_time or {})["nanos"]
            else:
                _result_proto(result, to.resolve_activity.result)
        case a.ResolveChildStart(seq, result):
            child_start = to.resolve_child_workflow_execution_start
            child_start.seq = seq
            if isinstance(result, a.ChildStarted):
                child_start.succeeded.run_id = result.run_id
            elif isinstance(result, a.Cancelled):
                ParseDict(dict(result.failure), child_start.cancelled.failure)
            else:
                child_start.failed.workflow_id = result.workflow_id
                child_start.failed.workflow_type = result.workflow_type
                child_start.failed.cause = StartChildWorkflowExecutionFailedCause.Value(result.cause)
        case a.ResolveChild(seq, result):
            to.resolve_child_workflow_execution.seq = seq
            _result_proto(result, to.resolve_child_workflow_execution.result)
        case a.ResolveSignalExternal(seq, failure):
            to.resolve_signal_external_workflow.seq = seq
            if failure is not None:
                ParseDict(dict(failure), to.resolve_signal_external_workflow.failure)
        case a.ResolveCancelExternal(seq, failure):
            to.resolve_request_cancel_external_workflow.seq = seq
            if failure is not None:
                ParseDict(dict(failure), to.resolve_request_cancel_external_workflow.failure)
        case a.ResolveNexusStart(seq, result):
            to.resolve_nexus_operation_start.seq = seq
            if isinstance(result, a.Failed):
                ParseDict(dict(result.failure), to.resolve_nexus_operation_start.failed)
            elif result.operation_token is None:
                to.resolve_nexus_operation_start.started_sync = True
            else:
                to.resolve_nexus_operation_start.operation_token = result.operation_token
        case a.ResolveNexus(seq, result):
            to.resolve_nexus_operation.seq = seq
            end = to.resolve_nexus_operation.result
            if isinstance(result, a.Succeeded):
                end.completed.CopyFrom(payload_proto(result.result))
            elif isinstance(result, a.Failed):
                ParseDict(dict(result.failure), end.failed)
            elif isinstance(result, a.Cancelled):
                ParseDict(dict(result.failure), end.cancelled)
            else:
                ParseDict(dict(result.failure), end.timed_out)


def _result_proto(result: Any, to: Any) -> None:
    if isinstance(result, a.Succeeded):
        to.completed.SetInParent()
        if result.result is not None:
            to.completed.result.CopyFrom(payload_proto(result.result))
    elif isinstance(result, a.Failed):
        ParseDict(dict(result.failure), to.failed.failure)
    else:
        ParseDict(dict(result.failure), to.cancelled.failure)


def _value(payload: Any) -> tuple[str, str]:
    encoding = base64.b64encode(payload.metadata["encoding"]).decode()
    return encoding, base64.b64encode(payload.data).decode()


def _failure(failure: Any) -> tuple[Any, ...]:
    kind = failure.WhichOneof("failure_info") or ""
    name = failure.application_failure_info.type if kind == "application_failure_info" else ""
    cause = _failure(failure.cause) if failure.HasField("cause") else ()
    return kind.replace("_", ""), failure.message, name, cause


def comparable_proto(command: Any) -> tuple[Any, ...]:
    """A command of the SDK, down to what tells it from others."""
    kind = command.WhichOneof("variant")
    c = getattr(command, kind)
    match kind:
        case "start_timer":
            return kind, c.seq, c.start_to_fire_timeout.ToNanoseconds()
        case "schedule_activity" | "schedule_local_activity":
            extra = (
                (c.attempt, c.original_schedule_time.nanos) if kind == "schedule_local_activity" else (c.task_queue,)
            )
            values = [_value(p) for p in c.arguments]
            return kind, c.seq, c.activity_id, c.activity_type, int(c.cancellation_type), values, *extra
        case "cancel_timer" | "request_cancel_activity" | "request_cancel_local_activity" | "cancel_signal_workflow":
            return kind, c.seq
        case "request_cancel_nexus_operation":
            return kind, c.seq
        case "start_child_workflow_execution":
            values = [_value(p) for p in c.input]
            kinds = int(c.cancellation_type), int(c.parent_close_policy)
            return kind, c.seq, c.workflow_id, c.workflow_type, c.task_queue, *kinds, values
        case "cancel_child_workflow_execution":
            return kind, c.child_workflow_seq, c.reason
        case "signal_external_workflow_execution":
            target = c.child_workflow_id or c.workflow_execution.workflow_id
            values = [_value(p) for p in c.args]
            return kind, c.seq, target, c.workflow_execution.run_id, bool(c.child_workflow_id), c.signal_name, values
        case "request_cancel_external_workflow_execution":
            return kind, c.seq, c.workflow_execution.workflow_id, c.workflow_execution.run_id
        case "schedule_nexus_operation":
            return kind, c.seq, c.endpoint, c.service, c.operation, _value(c.input), int(c.cancellation_type)
        case "set_patch_marker":
            return kind, c.patch_id, c.deprecated
        case "upsert_workflow_search_attributes":
            return kind, sorted((k, *_value(p)) for k, p in c.search_attributes.indexed_fields.items())
        case "modify_workflow_properties":
            return kind, sorted((k, *_value(p)) for k, p in c.upserted_memo.fields.items())
        case "update_response":
            answer = c.WhichOneof("response")
            detail: Any = _value(c.completed) if answer == "completed" else None
            return kind, c.protocol_instance_id, answer, detail
        case "complete_workflow_execution":
            return kind, _value(c.result)
        case "fail_workflow_execution":
            return kind, _failure(c.failure)
        case "continue_as_new_workflow_execution":
            return kind, [_value(p) for p in c.arguments], c.task_queue or "queue", sorted(c.memo)
        case "respond_to_query":
            return kind, c.query_id, _value(c.succeeded.response) if c.HasField("succeeded") else "failed"
        case _:
            return (kind,)
