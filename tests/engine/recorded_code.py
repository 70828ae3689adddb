"""Guesses the code behind a history: the commands that its command events record, task by task.

Good enough to replay a real recording without the workflow that made it. Where the guess is wrong (a marker of another
SDK, a local activity asked for in a later activation), history and code do not agree; who asks must judge that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from playhead_engine.commands import (
    AcceptUpdate,
    ActivityCancellationType,
    CancelChildWorkflow,
    CancelTimer,
    CancelWorkflowExecution,
    Command,
    CompleteUpdate,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    RequestCancelActivity,
    RequestCancelNexusOperation,
    SetPatchMarker,
    UpsertSearchAttributes,
)
from playhead_engine.history import HistoryEvent
from playhead_engine.history import events as e
from playhead_engine.machines.markers import (
    is_local_activity_marker,
    local_activity_marker,
    patch_marker,
    upserts_change_version,
)
from tests.engine import asking


def answers_behind(events: Iterable[HistoryEvent]) -> dict[int, list[list[Command]]]:
    """By the id of the event that completed a task, what code must have answered to the task's first activation."""
    guesser = _Guesser()
    answers: dict[int, list[list[Command]]] = {}
    commands: list[Command] = []
    for event in events:
        if isinstance(event, e.WorkflowTaskCompleted):
            commands = []
            answers[event.event_id] = [commands]
        else:
            commands.extend(guesser.commands(event))
    return answers


class _Guesser:
    def __init__(self) -> None:
        self._numbers: dict[str, int] = defaultdict(int)
        self._begun: dict[int, int] = {}
        self._children: dict[str, int] = {}
        self._updates: dict[int, str] = {}

    def _number(self, kind: str, event: HistoryEvent) -> int:
        self._numbers[kind] += 1
        self._begun[event.event_id] = self._numbers[kind]
        return self._numbers[kind]

    def commands(self, event: HistoryEvent) -> list[Command]:
        match event:
            case e.TimerStarted():
                self._begun[event.event_id] = int(event.timer_id) if event.timer_id.isdigit() else 1_000_000
                return [asking.timer(self._begun[event.event_id])]
            case e.TimerCanceled():
                return [CancelTimer(self._begun[event.started_event_id])]
            case e.ActivityTaskScheduled():
                seq, how = self._number("activity", event), ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
                return [asking.activity(seq, event.activity_id, (event.activity_type or {}).get("name", ""), how)]
            case e.ActivityTaskCancelRequested():
                return [RequestCancelActivity(self._begun[event.scheduled_event_id])]
            case e.StartChildWorkflowExecutionInitiated():
                seq = self._children[event.workflow_id] = self._number("child", event)
                return [asking.child(seq, event.workflow_id, (event.workflow_type or {}).get("name", ""))]
            case e.RequestCancelExternalWorkflowExecutionInitiated():
                target = (event.workflow_execution or {}).get("workflowId", "")
                if event.child_workflow_only and target in self._children:
                    return [CancelChildWorkflow(self._children[target], event.reason)]
                return [asking.external_cancel(self._number("external cancel", event), target)]
            case e.SignalExternalWorkflowExecutionInitiated():
                target = (event.workflow_execution or {}).get("workflowId", "")
                return [asking.external_signal(self._number("external signal", event), target, event.signal_name)]
            case e.NexusOperationScheduled():
                seq = self._number("nexus", event)
                return [asking.nexus(seq, event.service, event.operation, event.endpoint)]
            case e.NexusOperationCancelRequested():
                return [RequestCancelNexusOperation(self._begun[event.scheduled_event_id])]
            case e.WorkflowExecutionUpdateAccepted():
                self._updates[event.event_id] = event.protocol_instance_id
                return [AcceptUpdate(event.protocol_instance_id)]
            case e.WorkflowExecutionUpdateCompleted():
                update_id = str((event.meta or {}).get("updateId", ""))  # old servers do not say what accepted it
                return [CompleteUpdate(self._updates.get(event.accepted_event_id, update_id), None)]
            case e.MarkerRecorded():
                return self._marker(event)
            case e.UpsertWorkflowSearchAttributes():
                return [] if upserts_change_version(event) else [UpsertSearchAttributes({})]
            case e.WorkflowPropertiesModified():
                return [ModifyProperties({})]
            case e.WorkflowExecutionCompleted():
                return [CompleteWorkflow({})]
            case e.WorkflowExecutionFailed():
                return [FailWorkflow({})]
            case e.WorkflowExecutionCanceled():
                return [CancelWorkflowExecution()]
            case e.WorkflowExecutionContinuedAsNew():
                return [ContinueAsNew({})]
            case _:
                return []

    def _marker(self, event: HistoryEvent) -> list[Command]:
        patch = patch_marker(event)
        if patch is not None:
            return [SetPatchMarker(patch.patch_id, patch.deprecated)]
        local = local_activity_marker(event) if is_local_activity_marker(event) else None
        if local is not None:
            return [asking.local_activity(local.seq, local.data["activity_id"], local.data["activity_type"])]
        return []
