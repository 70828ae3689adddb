"""Accepting commands: each becomes the event it asks for.

A command's attributes are the event's already; what is added is what only a server knows: ids, the time, and defaults
that the event spells out. A command that makes no sense fails the whole workflow task, so all of them are looked at
before the first becomes an event. Commands arrive in the order in which they must become events (`matching` put them
there).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from playhead_engine.commands import (
    AcceptUpdate,
    CancelTimer,
    CancelWorkflowExecution,
    Command,
    CompleteUpdate,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    RecordMarker,
    RejectUpdate,
    RequestCancelActivity,
    RequestCancelExternal,
    ScheduleActivity,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
    UpsertSearchAttributes,
)
from playhead_engine.history import Event
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, RetryPolicy
from playhead_engine.retry import with_defaults
from playhead_engine.server import activities, closing, tasks
from playhead_engine.server.chains import WORKFLOW_TASK_TIMEOUT
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState


class BadCommand(Exception):
    """A command that no server accepts.

    Attributes:
        cause: Full name of the cause with which the workflow task fails.
        problem: What is wrong with it.
    """

    def __init__(self, cause: str, problem: str) -> None:
        super().__init__(cause, problem)
        self.cause = "WORKFLOW_TASK_FAILED_CAUSE_" + cause
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Task:
    """A workflow task that is being completed.

    Attributes:
        state: The run.
        now: When.
        identity: Who ran it.
        new_run_id: Makes the id of a run that follows this one.
        activity_id_of: The activity id that the code's number stands for.
        update_requests: Requests of updates that are not accepted yet, by protocol instance id.
        completed_id: Id of the WorkflowTaskCompleted event, as events write it.
        started_id: Id of the task's WorkflowTaskStarted event.
        successor: The run that follows, once a command asked for one.
        unstarted: Activities that were asked to stop while nobody worked on them, so that nobody will answer.
    """

    completed_id = ""
    started_id = 0
    successor: closing.Successor | None = None
    unstarted: tuple[int, ...] = ()

    def __init__(
        self,
        state: RunState,
        now: Moment,
        identity: str,
        new_run_id: Callable[[], str],
        activity_id_of: Callable[[int], str],
        update_requests: Mapping[str, Json],
    ) -> None:
        self.state = state
        self.now = now
        self.identity = identity
        self.new_run_id = new_run_id
        self.activity_id_of = activity_id_of
        self.update_requests = update_requests

    def complete(self, commands: Sequence[Command], lang_flags: Sequence[int]) -> None:
        """Complete the task and turn what the code asked for into events.

        Args:
            commands: In the order in which they must become events.
            lang_flags: Flags of the SDK that the task relied on.

        Raises:
            BadCommand: A command makes no sense. Nothing was written.
        """
        for command in commands:
            check = _CHECKS.get(type(command))
            if check is not None:
                check(self, command)
        state = self.state
        self.started_id = state.task_started_id
        self.completed_id = tasks.complete(state, lang_flags, self.identity, self.now)
        for command in commands:
            _ACCEPT[type(command)](self, command)
        if self.unstarted and state.closing is None:
            for scheduled_event_id in self.unstarted:
                activities.cancel_unstarted(state, scheduled_event_id, self.identity, self.now)

    def write(self, kind: type[Event], attributes: Json) -> Event:
        """Write the event of a command that asked for these attributes."""
        return self.state.append(kind, {**attributes, "workflowTaskCompletedEventId": self.completed_id}, self.now)


# What is wrong with a command, if something is.


def _check_activity(task: Task, command: ScheduleActivity) -> None:
    attributes = command.attributes
    activity_id = attributes.get("activityId", "")
    if activity_id in task.state.activity_ids:
        raise BadCommand(
            "SCHEDULE_ACTIVITY_DUPLICATE_ID",
            f"there is an activity with the id {activity_id!r} under way already; give this one another activity_id",
        )
    if not attributes.get("startToCloseTimeout") and not attributes.get("scheduleToCloseTimeout"):
        raise BadCommand(
            "BAD_SCHEDULE_ACTIVITY_ATTRIBUTES",
            f"activity {activity_id!r} has no start_to_close_timeout and no schedule_to_close_timeout; it needs one",
        )


def _check_cancel_activity(task: Task, command: RequestCancelActivity) -> None:
    activity_id = task.activity_id_of(command.seq)
    if activity_id not in task.state.activity_ids:
        raise BadCommand(
            "BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES", f"there is no activity with the id {activity_id!r} under way"
        )


def _check_cancel_timer(task: Task, command: CancelTimer) -> None:
    if str(command.seq) not in task.state.timers:
        raise BadCommand("BAD_CANCEL_TIMER_ATTRIBUTES", f"there is no timer {command.seq} under way")


_CHECKS: Final[Mapping[type[Any], Callable[[Task, Any], None]]] = {
    ScheduleActivity: _check_activity,
    RequestCancelActivity: _check_cancel_activity,
    CancelTimer: _check_cancel_timer,
}


# What each command becomes.


def _timer(task: Task, command: StartTimer) -> None:
    task.write(kinds.TimerStarted, command.attributes)


def _cancel_timer(task: Task, command: CancelTimer) -> None:
    timer_id = str(command.seq)
    started_event_id = task.state.timers[timer_id].started_event_id
    attributes: Json = {
        "timerId": timer_id,
        "startedEventId": str(started_event_id),
        "workflowTaskCompletedEventId": task.completed_id,
        "identity": task.identity,
    }
    task.state.append(kinds.TimerCanceled, attributes, task.now)


def _activity(task: Task, command: ScheduleActivity) -> None:
    asked = command.attributes
    attributes: Json = {
        **asked,
        "workflowTaskCompletedEventId": task.completed_id,
        "retryPolicy": _filled(asked.get("retryPolicy") or {}),
    }
    if not asked.get("taskQueue"):
        attributes["taskQueue"] = task.state.started["taskQueue"]
    task.state.append(kinds.ActivityTaskScheduled, attributes, task.now)


def _filled(policy: RetryPolicy) -> RetryPolicy:
    if policy.get("initialInterval") and policy.get("backoffCoefficient") and policy.get("maximumInterval"):
        return policy
    return with_defaults(policy)


def _cancel_activity(task: Task, command: RequestCancelActivity) -> None:
    scheduled_event_id = task.state.activity_ids[task.activity_id_of(command.seq)]
    task.write(kinds.ActivityTaskCancelRequested, {"scheduledEventId": str(scheduled_event_id)})
    if not task.state.activities[scheduled_event_id].started_ns:
        task.unstarted += (scheduled_event_id,)


def _child(task: Task, command: StartChildWorkflow) -> None:
    attributes = dict(command.attributes)
    if not attributes.get("taskQueue"):
        attributes["taskQueue"] = task.state.started["taskQueue"]
    attributes.setdefault("workflowTaskTimeout", WORKFLOW_TASK_TIMEOUT)
    if attributes.get("retryPolicy") is not None:
        attributes["retryPolicy"] = with_defaults(attributes["retryPolicy"])
    task.write(kinds.StartChildWorkflowExecutionInitiated, attributes)


def _signal(task: Task, command: SignalExternal) -> None:
    task.write(kinds.SignalExternalWorkflowExecutionInitiated, command.attributes)


def _cancel_external(task: Task, command: RequestCancelExternal) -> None:
    task.write(kinds.RequestCancelExternalWorkflowExecutionInitiated, command.attributes)


def _marker(task: Task, command: RecordMarker) -> None:
    task.write(kinds.MarkerRecorded, command.attributes)


def _search_attributes(task: Task, command: UpsertSearchAttributes) -> None:
    task.write(kinds.UpsertWorkflowSearchAttributes, command.attributes)


def _memo(task: Task, command: ModifyProperties) -> None:
    task.write(kinds.WorkflowPropertiesModified, command.attributes)


def _accept_update(task: Task, command: AcceptUpdate) -> None:
    update_id = command.protocol_instance_id
    attributes: Json = {
        "protocolInstanceId": update_id,
        "acceptedRequestMessageId": f"{update_id}/request",
        "acceptedRequestSequencingEventId": str(task.started_id - 1),
    }
    request = task.update_requests.get(update_id)
    if request is not None:
        attributes["acceptedRequest"] = request
    task.state.append(kinds.WorkflowExecutionUpdateAccepted, attributes, task.now)


def _reject_update(task: Task, command: RejectUpdate) -> None:
    # It was accepted before: `matching` keeps a rejection at the door to itself.
    _update_ended(task, command.protocol_instance_id, {"failure": command.failure})


def _complete_update(task: Task, command: CompleteUpdate) -> None:
    result = command.result
    _update_ended(task, command.protocol_instance_id, {"success": {"payloads": [result]} if result is not None else {}})


def _update_ended(task: Task, update_id: str, outcome: Json) -> None:
    update = task.state.updates[update_id]
    attributes: Json = {
        "meta": update.meta or {"updateId": update_id},
        "acceptedEventId": str(update.accepted_event_id),
        "outcome": outcome,
    }
    task.state.append(kinds.WorkflowExecutionUpdateCompleted, attributes, task.now)


def _complete(task: Task, command: CompleteWorkflow) -> None:
    attributes = {**command.attributes, "workflowTaskCompletedEventId": task.completed_id}
    closing.complete(task.state, attributes, task.now)


def _fail(task: Task, command: FailWorkflow) -> None:
    attributes = {**command.attributes, "workflowTaskCompletedEventId": task.completed_id}
    task.successor = closing.fail(task.state, attributes, task.new_run_id, task.now)


def _cancel(task: Task, command: CancelWorkflowExecution) -> None:
    closing.cancel(task.state, {"workflowTaskCompletedEventId": task.completed_id}, task.now)


def _continue_as_new(task: Task, command: ContinueAsNew) -> None:
    attributes = {**command.attributes, "workflowTaskCompletedEventId": task.completed_id}
    task.successor = closing.continue_as_new(task.state, attributes, task.new_run_id(), task.now)


_ACCEPT: Final[Mapping[type[Any], Callable[[Task, Any], None]]] = {
    StartTimer: _timer,
    CancelTimer: _cancel_timer,
    ScheduleActivity: _activity,
    RequestCancelActivity: _cancel_activity,
    StartChildWorkflow: _child,
    SignalExternal: _signal,
    RequestCancelExternal: _cancel_external,
    RecordMarker: _marker,
    UpsertSearchAttributes: _search_attributes,
    ModifyProperties: _memo,
    AcceptUpdate: _accept_update,
    RejectUpdate: _reject_update,
    CompleteUpdate: _complete_update,
    CompleteWorkflow: _complete,
    FailWorkflow: _fail,
    CancelWorkflowExecution: _cancel,
    ContinueAsNew: _continue_as_new,
}
