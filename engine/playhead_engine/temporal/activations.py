"""Our activations as the messages by which Temporal's core activates its SDKs.

Nothing is decided or repaired here: what an activation lacks must be missing from its message, too. The tests hold
these messages against those of Temporal's own core.
"""

from __future__ import annotations

from typing import Any, Final, assert_never

from temporalio.api.enums.v1 import StartChildWorkflowExecutionFailedCause

from playhead_engine import activation as jobs
from playhead_engine.convert import NS_PER_SECOND, time_json
from playhead_engine.messages import Failure, Json, part
from playhead_engine.temporal.payloads import fill_payload, parsed
from playhead_engine.temporal.sdk.workflows import WorkflowActivation

# What an activation's InitializeWorkflow job copies from the started event: ours -> core's.
_STARTED_FIELDS: Final = {
    "identity": "identity",
    "workflowExecutionTimeout": "workflowExecutionTimeout",
    "workflowRunTimeout": "workflowRunTimeout",
    "workflowTaskTimeout": "workflowTaskTimeout",
    "continuedExecutionRunId": "continuedFromExecutionRunId",
    "initiator": "continuedInitiator",
    "continuedFailure": "continuedFailure",
    "lastCompletionResult": "lastCompletionResult",
    "firstExecutionRunId": "firstExecutionRunId",
    "retryPolicy": "retryPolicy",
    "attempt": "attempt",
    "cronSchedule": "cronSchedule",
    "workflowExecutionExpirationTime": "workflowExecutionExpirationTime",
    "firstWorkflowTaskBackoff": "cronScheduleToScheduleInterval",
    "memo": "memo",
    "searchAttributes": "searchAttributes",
    "rootWorkflowExecution": "rootWorkflow",
    "priority": "priority",
    "originalExecutionRunId": "originalExecutionRunId",
}
# The type of the failure says the cause; core says it a second time, as an enum.
_CAUSES: Final = {
    "ExternalWorkflowExecutionNotFound": "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND",
    "NamespaceNotFound": "NAMESPACE_NOT_FOUND",
    "SignalCountLimitExceeded": "SIGNAL_COUNT_LIMIT_EXCEEDED",
}


def activation_proto(activation: jobs.Activation) -> WorkflowActivation:
    """An activation as core sends it."""
    message = WorkflowActivation(
        run_id=activation.run_id,
        is_replaying=activation.is_replaying,
        history_length=activation.history_length,
        available_internal_flags=activation.internal_flags,
        history_size_bytes=activation.history_size_bytes,
        continue_as_new_suggested=activation.continue_as_new_suggested,
        last_sdk_version=activation.last_sdk_version,
    )
    if activation.timestamp_ns:
        timestamp = message.timestamp
        timestamp.seconds, timestamp.nanos = divmod(activation.timestamp_ns, NS_PER_SECOND)
    rest: Json = {}
    if activation.continue_as_new_reasons:
        rest["suggestContinueAsNewReasons"] = list(activation.continue_as_new_reasons)
    if activation.target_deployment_changed:
        rest["targetWorkerDeploymentVersionChanged"] = True
    if activation.deployment is not None:
        rest["deploymentVersionForCurrentTask"] = {
            "deploymentName": activation.deployment.name,
            "buildId": activation.deployment.build_id,
        }
    if rest:
        parsed(rest, message)
    for job in activation.jobs:
        _add_job(job, message.jobs.add())
    return message


def _add_job(job: jobs.Job, to: Any) -> None:
    """Jobs that come by the thousand are written field by field, the others as JSON."""
    match job:
        case jobs.ResolveActivity(seq, jobs.Succeeded(value), is_local):
            resolved = to.resolve_activity
            resolved.seq = seq
            resolved.is_local = is_local
            completed = resolved.result.completed
            if value is not None:
                fill_payload(value, completed.result)
            else:
                completed.SetInParent()
        case jobs.FireTimer(seq):
            to.fire_timer.seq = seq
        case jobs.NotifyHasPatch(patch_id):
            to.notify_has_patch.patch_id = patch_id
        case jobs.SignalWorkflow():
            signal = to.signal_workflow
            signal.signal_name = job.name
            signal.identity = job.identity
            for value in job.input:
                fill_payload(value, signal.input.add())
            if hasattr(signal, "originating_event_id"):
                signal.originating_event_id = job.event_id
            for name, header in job.headers.items():
                fill_payload(header, signal.headers[name])
        case jobs.ResolveChild(seq, jobs.Succeeded(value)):
            child = to.resolve_child_workflow_execution
            child.seq = seq
            completed = child.result.completed
            if value is not None:
                fill_payload(value, completed.result)
            else:
                completed.SetInParent()
        case _:
            parsed(_job_json(job), to)


def _job_json(job: jobs.Job) -> Json:
    match job:
        case jobs.InitializeWorkflow():
            return {"initializeWorkflow": _initialize_json(job)}
        case jobs.UpdateRandomSeed(seed):
            return {"updateRandomSeed": {"randomnessSeed": str(seed)}}
        case jobs.DoUpdate():
            return {
                "doUpdate": {
                    "id": job.id,
                    "protocolInstanceId": job.protocol_instance_id,
                    "name": job.name,
                    "input": job.input,
                    "headers": job.headers,
                    "meta": {"updateId": job.id, "identity": job.identity},
                    "runValidator": job.run_validator,
                }
            }
        case jobs.CancelWorkflow(reason):
            return {"cancelWorkflow": {"reason": reason}}
        case jobs.ResolveActivity(seq, result, is_local):
            return {"resolveActivity": {"seq": seq, "isLocal": is_local, "result": _result_json(result)}}
        case jobs.ResolveChildStart(seq, start):
            return {"resolveChildWorkflowExecutionStart": {"seq": seq, **_child_start_json(start)}}
        case jobs.ResolveChild(seq, end):
            return {"resolveChildWorkflowExecution": {"seq": seq, "result": _result_json(end)}}
        case jobs.ResolveSignalExternal(seq, failure):
            return {"resolveSignalExternalWorkflow": _external_json(seq, failure, "SIGNAL")}
        case jobs.ResolveCancelExternal(seq, failure):
            return {"resolveRequestCancelExternalWorkflow": _external_json(seq, failure, "CANCEL")}
        case jobs.ResolveNexusStart(seq, started):
            return {"resolveNexusOperationStart": {"seq": seq, **_nexus_start_json(started)}}
        case jobs.ResolveNexus(seq, outcome):
            return {"resolveNexusOperation": {"seq": seq, "result": _nexus_json(outcome)}}
        case jobs.QueryWorkflow():
            asked = {"queryId": job.id, "queryType": job.name, "arguments": job.input, "headers": job.headers}
            return {"queryWorkflow": asked}
        case jobs.NotifyHasPatch() | jobs.SignalWorkflow() | jobs.FireTimer():
            raise AssertionError("written field by field")
        case _:
            assert_never(job)


def _initialize_json(job: jobs.InitializeWorkflow) -> Json:
    given = job.attributes
    fields: Json = {
        "workflowType": part(given, "workflowType").get("name", ""),
        "workflowId": job.workflow_id,
        "arguments": part(given, "input").get("payloads", []),
        "randomnessSeed": str(job.randomness_seed),
        "headers": part(part(given, "header"), "fields"),
        "startTime": time_json(job.start_time_ns),
    }
    parent = given.get("parentWorkflowExecution")
    if parent is not None:
        fields["parentWorkflowInfo"] = {"namespace": given.get("parentWorkflowNamespace", ""), **parent}
    return fields | {core: given[ours] for ours, core in _STARTED_FIELDS.items() if given.get(ours) is not None}


def _result_json(result: jobs.Succeeded | jobs.Failed | jobs.Cancelled | jobs.Backoff) -> Json:
    match result:
        case jobs.Succeeded(value):
            return {"completed": {} if value is None else {"result": value}}
        case jobs.Failed(failure):
            return {"failed": {"failure": failure}}
        case jobs.Cancelled(failure):
            return {"cancelled": {"failure": failure}}
        case jobs.Backoff(attempt, duration_ns, time):
            seconds, nanos = divmod(duration_ns, NS_PER_SECOND)
            backoff: Json = {"attempt": attempt, "backoffDuration": f"{seconds}.{nanos:09}s"}
            if time is not None:
                backoff["originalScheduleTime"] = time_json(time["seconds"] * NS_PER_SECOND + time["nanos"])
            return {"backoff": backoff}
        case _:
            assert_never(result)


def _child_start_json(start: jobs.ChildStarted | jobs.ChildStartFailed | jobs.Cancelled) -> Json:
    match start:
        case jobs.ChildStarted(run_id):
            return {"succeeded": {"runId": run_id}}
        case jobs.ChildStartFailed(workflow_id, workflow_type, cause):
            # The SDK's own enum knew only half of the causes up to 1.34; core sends the server's number all the same.
            number = dict(StartChildWorkflowExecutionFailedCause.items()).get(cause, 0)
            return {"failed": {"workflowId": workflow_id, "workflowType": workflow_type, "cause": number}}
        case jobs.Cancelled(failure):
            return {"cancelled": {"failure": failure}}
        case _:
            assert_never(start)


def _nexus_start_json(started: jobs.NexusStarted | jobs.Failed) -> Json:
    match started:
        case jobs.Failed(failure):
            return {"failed": failure}
        case jobs.NexusStarted(token):
            return {"startedSync": True} if token is None else {"operationToken": token}
        case _:
            assert_never(started)


def _nexus_json(outcome: jobs.Succeeded | jobs.Failed | jobs.Cancelled | jobs.TimedOut) -> Json:
    match outcome:
        case jobs.Succeeded(value):
            return {"completed": value or {}}
        case jobs.Failed(failure):
            return {"failed": failure}
        case jobs.Cancelled(failure):
            return {"cancelled": failure}
        case jobs.TimedOut(failure):
            return {"timedOut": failure}
        case _:
            assert_never(outcome)


def _external_json(seq: int, failure: Failure | None, verb: str) -> Json:
    if failure is None:
        return {"seq": seq}
    cause = _CAUSES.get(failure.get("applicationFailureInfo", {}).get("type", ""), "UNSPECIFIED")
    return {"seq": seq, "failure": failure, "cause": f"{verb}_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_{cause}"}
