"""Our commands as the protobuf messages of Temporal's core, so that the two can be held together.

They are written as protobuf JSON first: most of what they carry is the history's own JSON, which needs no conversion.
This module must not repair anything: what a command lacks must be missing from its message, too.
"""

from __future__ import annotations

from typing import assert_never

from google.protobuf import json_format
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from playhead_engine import commands
from playhead_engine.messages import Json, part


def activation_json(activation: WorkflowActivation) -> Json:
    """An activation as JSON that does not depend on the release: names of enum values come and go, numbers stay."""
    told: Json = json_format.MessageToDict(activation, use_integers_for_enums=True)
    return told


def command_proto(command: commands.Command) -> WorkflowCommand:
    """A command as an SDK sends it to core; of its content only what core looks at."""
    return json_format.ParseDict(_command_json(command), WorkflowCommand())


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
