"""What each event does to the state of its run. Events that are not here do nothing to it.

This module must not decide anything: that an event was written is all there is to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from playhead_engine.convert import duration_ns
from playhead_engine.history import Event
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, part
from playhead_engine.server.pending import PendingActivity, PendingChild, PendingTimer, Update

if TYPE_CHECKING:
    from playhead_engine.server.state import RunState

STATUS_AFTER: Final[Mapping[type[Event], str]] = {
    kinds.WorkflowExecutionCompleted: "WORKFLOW_EXECUTION_STATUS_COMPLETED",
    kinds.WorkflowExecutionFailed: "WORKFLOW_EXECUTION_STATUS_FAILED",
    kinds.WorkflowExecutionCanceled: "WORKFLOW_EXECUTION_STATUS_CANCELED",
    kinds.WorkflowExecutionTerminated: "WORKFLOW_EXECUTION_STATUS_TERMINATED",
    kinds.WorkflowExecutionContinuedAsNew: "WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW",
    kinds.WorkflowExecutionTimedOut: "WORKFLOW_EXECUTION_STATUS_TIMED_OUT",
}
"""The events that close a run, and the status it then has."""


def _on_started(state: RunState, event: Event) -> None:
    state.summary_changed = True
    attributes = state.started = event.attributes
    state.start_ns = state.latest_ns
    state.memo = dict(part(attributes, "memo").get("fields") or {})
    state.search_attributes = dict(part(attributes, "searchAttributes").get("indexedFields") or {})


def _on_task_scheduled(state: RunState, event: Event) -> None:
    state.task_scheduled_id = event.event_id
    state.task_started_id = 0
    state.task_attempt = int(event.attributes.get("attempt", 1))


def _on_task_started(state: RunState, event: Event) -> None:
    state.task_started_id = event.event_id


def _on_task_completed(state: RunState, event: Event) -> None:
    state.task_scheduled_id = state.task_started_id = 0
    state.task_attempt = 1
    state.task_failure = None
    metadata = event.attributes.get("sdkMetadata")
    if metadata is not None:
        state.core_flags.update(metadata.get("coreUsedFlags", ()))
        state.lang_flags.update(metadata.get("langUsedFlags", ()))


def _on_task_failed(state: RunState, event: Event) -> None:
    state.task_scheduled_id = state.task_started_id = 0
    state.task_attempt = 2
    state.task_failure = event.attributes.get("failure")


def _on_activity_scheduled(state: RunState, event: Event) -> None:
    scheduled = PendingActivity(event.event_id, event.attributes, state.latest_ns)
    state.activities[event.event_id] = scheduled
    state.activity_ids[event.attributes.get("activityId", "")] = event.event_id


def _on_activity_started(state: RunState, event: Event) -> None:
    activity = state.activities.get(int(event.attributes["scheduledEventId"]))
    if activity is not None:
        activity.started_event_id = event.event_id
        activity.attempt = int(event.attributes.get("attempt", 1))


def _on_activity_cancel_requested(state: RunState, event: Event) -> None:
    activity = state.activities.get(int(event.attributes["scheduledEventId"]))
    if activity is not None:
        activity.cancel_requested_id = event.event_id


def _on_activity_ended(state: RunState, event: Event) -> None:
    scheduled_event_id = int(event.attributes["scheduledEventId"])
    activity = state.activities.pop(scheduled_event_id, None)
    if activity is None:
        return
    activity_id = activity.attributes.get("activityId", "")
    if state.activity_ids.get(activity_id) == scheduled_event_id:
        del state.activity_ids[activity_id]
    if activity.attempt > 1 or activity.heartbeat_details is not None:
        state.pending_changed = True


def _on_timer_started(state: RunState, event: Event) -> None:
    attributes = event.attributes
    fire_ns = state.latest_ns + duration_ns(attributes.get("startToFireTimeout"))
    state.timers[attributes.get("timerId", "")] = PendingTimer(event.event_id, fire_ns)


def _on_timer_ended(state: RunState, event: Event) -> None:
    state.timers.pop(event.attributes.get("timerId", ""), None)


def _on_child_initiated(state: RunState, event: Event) -> None:
    state.children[event.event_id] = PendingChild(event.event_id, event.attributes)


def _on_child_started(state: RunState, event: Event) -> None:
    child = state.children.get(int(event.attributes["initiatedEventId"]))
    if child is not None:
        child.started_event_id = event.event_id
        child.run_id = event.attributes["workflowExecution"]["runId"]


def _on_child_ended(state: RunState, event: Event) -> None:
    state.children.pop(int(event.attributes["initiatedEventId"]), None)


def _on_signal_initiated(state: RunState, event: Event) -> None:
    state.signals[event.event_id] = event.attributes


def _on_signal_ended(state: RunState, event: Event) -> None:
    state.signals.pop(int(event.attributes["initiatedEventId"]), None)


def _on_cancel_initiated(state: RunState, event: Event) -> None:
    state.cancels[event.event_id] = event.attributes


def _on_cancel_ended(state: RunState, event: Event) -> None:
    state.cancels.pop(int(event.attributes["initiatedEventId"]), None)


def _on_cancel_requested(state: RunState, event: Event) -> None:
    state.cancel_requested = True


def _on_update_accepted(state: RunState, event: Event) -> None:
    request = part(event.attributes, "acceptedRequest")
    meta = part(request, "meta")
    update_id = meta.get("updateId") or event.attributes.get("protocolInstanceId", "")
    name = part(request, "input").get("name", "")
    state.updates[update_id] = Update(update_id, event.event_id, name, meta)


def _on_update_completed(state: RunState, event: Event) -> None:
    update = state.updates.get(part(event.attributes, "meta").get("updateId", ""))
    if update is not None:
        update.outcome = part(event.attributes, "outcome")


def _on_search_attributes(state: RunState, event: Event) -> None:
    fields = part(event.attributes, "searchAttributes").get("indexedFields") or {}
    _merge(state, state.search_attributes, fields)


def _on_memo(state: RunState, event: Event) -> None:
    _merge(state, state.memo, part(event.attributes, "upsertedMemo").get("fields") or {})


def _merge(state: RunState, kept: Json, changes: Json) -> None:
    state.summary_changed = True
    for name, payload in changes.items():
        # A payload without data is how a value is taken away.
        if payload.get("data"):
            kept[name] = payload
        else:
            kept.pop(name, None)


def _on_closed(state: RunState, event: Any) -> None:
    state.status = STATUS_AFTER[type(event)]
    state.closing = event
    state.summary_changed = True
    state.task_scheduled_id = state.task_started_id = 0
    state.task_attempt = 1
    state.pending_changed = bool(state.pending_record)
    for waiting in (state.activities, state.activity_ids, state.timers, state.signals, state.cancels):
        waiting.clear()


APPLY: Final[Mapping[type[Event], Callable[[RunState, Event], None]]] = {
    kinds.WorkflowExecutionStarted: _on_started,
    kinds.WorkflowTaskScheduled: _on_task_scheduled,
    kinds.WorkflowTaskStarted: _on_task_started,
    kinds.WorkflowTaskCompleted: _on_task_completed,
    kinds.WorkflowTaskFailed: _on_task_failed,
    kinds.WorkflowTaskTimedOut: _on_task_failed,
    kinds.ActivityTaskScheduled: _on_activity_scheduled,
    kinds.ActivityTaskStarted: _on_activity_started,
    kinds.ActivityTaskCancelRequested: _on_activity_cancel_requested,
    kinds.ActivityTaskCompleted: _on_activity_ended,
    kinds.ActivityTaskFailed: _on_activity_ended,
    kinds.ActivityTaskTimedOut: _on_activity_ended,
    kinds.ActivityTaskCanceled: _on_activity_ended,
    kinds.TimerStarted: _on_timer_started,
    kinds.TimerFired: _on_timer_ended,
    kinds.TimerCanceled: _on_timer_ended,
    kinds.StartChildWorkflowExecutionInitiated: _on_child_initiated,
    kinds.StartChildWorkflowExecutionFailed: _on_child_ended,
    kinds.ChildWorkflowExecutionStarted: _on_child_started,
    kinds.ChildWorkflowExecutionCompleted: _on_child_ended,
    kinds.ChildWorkflowExecutionFailed: _on_child_ended,
    kinds.ChildWorkflowExecutionTimedOut: _on_child_ended,
    kinds.ChildWorkflowExecutionTerminated: _on_child_ended,
    kinds.ChildWorkflowExecutionCanceled: _on_child_ended,
    kinds.SignalExternalWorkflowExecutionInitiated: _on_signal_initiated,
    kinds.SignalExternalWorkflowExecutionFailed: _on_signal_ended,
    kinds.ExternalWorkflowExecutionSignaled: _on_signal_ended,
    kinds.RequestCancelExternalWorkflowExecutionInitiated: _on_cancel_initiated,
    kinds.RequestCancelExternalWorkflowExecutionFailed: _on_cancel_ended,
    kinds.ExternalWorkflowExecutionCancelRequested: _on_cancel_ended,
    kinds.WorkflowExecutionCancelRequested: _on_cancel_requested,
    kinds.WorkflowExecutionUpdateAccepted: _on_update_accepted,
    kinds.WorkflowExecutionUpdateCompleted: _on_update_completed,
    kinds.UpsertWorkflowSearchAttributes: _on_search_attributes,
    kinds.WorkflowPropertiesModified: _on_memo,
    **dict.fromkeys(STATUS_AFTER, _on_closed),
}

# What `append` needs to know of each kind, in one place.
KINDS: Final[Mapping[type[Event], tuple[str, str, Callable[[RunState, Event], None] | None]]] = {
    kind: (f"EVENT_TYPE_{kind.KIND}", kind.ATTRIBUTES_KEY, APPLY.get(kind)) for kind in kinds.EVENT_CLASSES.values()
}
