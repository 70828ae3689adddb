"""Our activations and commands as the protobuf messages of Temporal's core, so that the two can be held together.

Both are written as protobuf JSON first: most of what they carry is the history's own JSON, which needs no conversion.
This module must not repair anything: what an activation lacks must be missing from its message, too.
"""

from __future__ import annotations

from typing import assert_never

from google.protobuf import json_format
from temporalio.api.enums.v1 import StartChildWorkflowExecutionFailedCause
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from playhead_engine import activation as jobs
from playhead_engine import commands
from playhead_engine.convert import time_json
from playhead_engine.messages import Failure, Json, part

# What an activation's InitializeWorkflow job copies from the started event: ours -> core's.
_STARTED_FIELDS = {
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


def activation_proto(activation: jobs.Activation) -> WorkflowActivation:
    """An activation as core sends it."""
    fields: Json = {
        "runId": activation.run_id,
        "isReplaying": activation.is_replaying,
        "historyLength": activation.history_length,
        "jobs": [_job_json(job) for job in activation.jobs],
        "availableInternalFlags": list(activation.internal_flags),
        "historySizeBytes": str(activation.history_size_bytes),
        "continueAsNewSuggested": activation.continue_as_new_suggested,
        "lastSdkVersion": activation.last_sdk_version,
        "suggestContinueAsNewReasons": list(activation.continue_as_new_reasons),
        "targetWorkerDeploymentVersionChanged": activation.target_deployment_changed,
    }
    if activation.timestamp_ns:
        fields["timestamp"] = time_json(activation.timestamp_ns)
    if activation.deployment is not None:
        fields["deploymentVersionForCurrentTask"] = {
            "deploymentName": activation.deployment.name,
            "buildId": activation.deployment.build_id,
        }
    return json_format.ParseDict(fields, WorkflowActivation())


def activation_json(activation: WorkflowActivation) -> Json:
    """An activation as JSON that does not depend on the release: names of enum values come and go, numbers stay."""
    told: Json = json_format.MessageToDict(activation, use_integers_for_enums=True)
    return told


def command_proto(command: commands.Command) -> WorkflowCommand:
    """A command as an SDK sends it to core; of its content only what core looks at."""
    return json_format.ParseDict(_command_json(command), WorkflowCommand())


def _job_json(job: jobs.Job) -> Json:
    match job:
        case jobs.InitializeWorkflow():
            return {"initializeWorkflow": _initialize_json(job)}
        case jobs.NotifyHasPatch(patch_id):
            return {"notifyHasPatch": {"patchId": patch_id}}
        case jobs.UpdateRandomSeed(seed):
            return {"updateRandomSeed": {"randomnessSeed": str(seed)}}
        case jobs.SignalWorkflow():
            return {
                "signalWorkflow": {
                    "signalName": job.name,
                    "input": job.input,
                    "identity": job.identity,
                    "headers": job.headers,
                    "originatingEventId": str(job.event_id),
                }
            }
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
        case jobs.FireTimer(seq):
            return {"fireTimer": {"seq": seq}}
        case jobs.CancelWorkflow(reason):
            return {"cancelWorkflow": {"reason": reason}}
        case jobs.ResolveActivity(seq, result, is_local):
            return {"resolveActivity": {"seq": seq, "isLocal": is_local, "result": _result_json(result)}}
        case jobs.ResolveChildStart(seq, start):
            return {"resolveChildWorkflowExecutionStart": {"seq": seq, **_child_start_json(start)}}
        case jobs.ResolveChild(seq, end):
            return {"resolveChildWorkflowExecution": {"seq": seq, "result": _result_json(end)}}
        case jobs.ResolveSignalExternal(seq, failure):
            return {"resolveSignalExternalWorkflow": _external_json(seq, failure)}
        case jobs.ResolveCancelExternal(seq, failure):
            return {"resolveRequestCancelExternalWorkflow": _external_json(seq, failure)}
        case jobs.ResolveNexusStart(seq, jobs.Failed(failure)):
            return {"resolveNexusOperationStart": {"seq": seq, "failed": failure}}
        case jobs.ResolveNexusStart(seq, jobs.NexusStarted(token)):
            started: Json = {"startedSync": True} if token is None else {"operationToken": token}
            return {"resolveNexusOperationStart": {"seq": seq, **started}}
        case jobs.ResolveNexus(seq, jobs.Succeeded(value)):
            return {"resolveNexusOperation": {"seq": seq, "result": {"completed": value or {}}}}
        case jobs.ResolveNexus(seq, jobs.Failed(failure)):
            return {"resolveNexusOperation": {"seq": seq, "result": {"failed": failure}}}
        case jobs.ResolveNexus(seq, jobs.Cancelled(failure)):
            return {"resolveNexusOperation": {"seq": seq, "result": {"cancelled": failure}}}
        case jobs.ResolveNexus(seq, jobs.TimedOut(failure)):
            return {"resolveNexusOperation": {"seq": seq, "result": {"timedOut": failure}}}
        case jobs.QueryWorkflow():
            asked = {"queryId": job.id, "queryType": job.name, "arguments": job.input, "headers": job.headers}
            return {"queryWorkflow": asked}
        case _:
            raise AssertionError(f"a job that core does not know: {job}")


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
            seconds, nanos = divmod(duration_ns, 1_000_000_000)
            backoff: Json = {"attempt": attempt, "backoffDuration": f"{seconds}.{nanos:09}s"}
            if time is not None:
                backoff["originalScheduleTime"] = time_json(time["seconds"] * 1_000_000_000 + time["nanos"])
            return {"backoff": backoff}
        case _:
            assert_never(result)


def _child_start_json(start: jobs.ChildStarted | jobs.ChildStartFailed | jobs.Cancelled) -> Json:
    match start:
        case jobs.ChildStarted(run_id):
            return {"succeeded": {"runId": run_id}}
        case jobs.ChildStartFailed(workflow_id, workflow_type, cause):
            # Core hands on the server's number, whether its own messages have a name for it or not.
            number = StartChildWorkflowExecutionFailedCause.Value(cause)
            return {"failed": {"workflowId": workflow_id, "workflowType": workflow_type, "cause": number}}
        case jobs.Cancelled(failure):
            return {"cancelled": {"failure": failure}}
        case _:
            assert_never(start)


def _external_json(seq: int, failure: Failure | None) -> Json:
    return {"seq": seq} if failure is None else {"seq": seq, "failure": failure}


def _command_json(command: commands.Command) -> Json:
    match command:
        case commands.StartTimer(seq):
            return {"startTimer": {"seq": seq, "startToFireTimeout": "1s"}}
        case commands.CancelTimer(seq):
            return {"cancelTimer": {"seq": seq}}
        case commands.ScheduleActivity(seq, attributes, cancellation_type):
            return {"scheduleActivity": _activity_json(seq, attributes, cancellation_type)}
        case commands.RequestCancelActivity(seq):
            return {"requestCancelActivity": {"seq": seq}}
        case commands.ScheduleLocalActivity(seq, attributes, cancellation_type, attempt):
            asked = _activity_json(seq, attributes, cancellation_type)
            return {"scheduleLocalActivity": {**asked, "attempt": attempt, "startToCloseTimeout": "10s"}}
        case commands.RequestCancelLocalActivity(seq):
            return {"requestCancelLocalActivity": {"seq": seq}}
        case commands.StartChildWorkflow(seq, attributes, child_cancellation_type):
            child = {
                "seq": seq,
                "namespace": attributes.get("namespace", ""),
                "workflowId": attributes.get("workflowId", ""),
                "workflowType": part(attributes, "workflowType").get("name", ""),
                "cancellationType": int(child_cancellation_type),
            }
            return {"startChildWorkflowExecution": child}
        case commands.CancelChildWorkflow(seq, reason):
            return {"cancelChildWorkflowExecution": {"childWorkflowSeq": seq, "reason": reason}}
        case commands.SignalExternal(seq, attributes):
            target = {"workflowExecution": part(attributes, "workflowExecution")}
            return {"signalExternalWorkflowExecution": {"seq": seq, **target, "signalName": attributes["signalName"]}}
        case commands.CancelSignalExternal(seq):
            return {"cancelSignalWorkflow": {"seq": seq}}
        case commands.RequestCancelExternal(seq, attributes):
            target = {"workflowExecution": part(attributes, "workflowExecution")}
            return {"requestCancelExternalWorkflowExecution": {"seq": seq, **target}}
        case commands.ScheduleNexusOperation(seq, attributes, nexus_cancellation_type):
            operation = {key: attributes.get(key, "") for key in ("endpoint", "service", "operation")}
            asked = {"seq": seq, **operation, "cancellationType": int(nexus_cancellation_type)}
            return {"scheduleNexusOperation": asked}
        case commands.RequestCancelNexusOperation(seq):
            return {"requestCancelNexusOperation": {"seq": seq}}
        case commands.SetPatchMarker(patch_id, deprecated):
            return {"setPatchMarker": {"patchId": patch_id, "deprecated": deprecated}}
        case commands.UpsertSearchAttributes(attributes):
            return {"upsertWorkflowSearchAttributes": attributes}
        case commands.ModifyProperties(attributes):
            return {"modifyWorkflowProperties": attributes}
        case commands.AcceptUpdate(update):
            return {"updateResponse": {"protocolInstanceId": update, "accepted": {}}}
        case commands.RejectUpdate(update, failure):
            return {"updateResponse": {"protocolInstanceId": update, "rejected": failure}}
        case commands.CompleteUpdate(update, result):
            return {"updateResponse": {"protocolInstanceId": update, "completed": result or {}}}
        case commands.CompleteWorkflow():
            return {"completeWorkflowExecution": {}}
        case commands.FailWorkflow(attributes):
            return {"failWorkflowExecution": attributes}
        case commands.CancelWorkflowExecution():
            return {"cancelWorkflowExecution": {}}
        case commands.ContinueAsNew():
            return {"continueAsNewWorkflowExecution": {}}
        case commands.RespondToQuery(query_id):
            return {"respondToQuery": {"queryId": query_id, "succeeded": {}}}
        case commands.RecordMarker():
            raise AssertionError("an SDK never asks core for a marker")
        case _:
            assert_never(command)


def _activity_json(seq: int, attributes: Json, cancellation_type: commands.ActivityCancellationType) -> Json:
    return {
        "seq": seq,
        "activityId": attributes.get("activityId", ""),
        "activityType": part(attributes, "activityType").get("name", ""),
        "cancellationType": int(cancellation_type),
    }
