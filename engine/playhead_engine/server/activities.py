"""What becomes of an activity: it is tried, perhaps again and again, and ends in one event.

Attempts leave no events while there are more to come. When the last one has ended, its ActivityTaskStarted is written
together with the end, and says when the attempt began, its number, and why the one before failed.
"""

from __future__ import annotations

from typing import Final

from playhead_engine.convert import duration_ns, enum_json
from playhead_engine.exceptions import RetryState
from playhead_engine.history import events as kinds
from playhead_engine.machines.markers import json_payload
from playhead_engine.messages import Failure, Json, Payloads
from playhead_engine.retry import next_delay_ns
from playhead_engine.server import tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.pending import PendingActivity
from playhead_engine.server.state import RunState

SCHEDULE_TO_START: Final = "TIMEOUT_TYPE_SCHEDULE_TO_START"
SCHEDULE_TO_CLOSE: Final = "TIMEOUT_TYPE_SCHEDULE_TO_CLOSE"
START_TO_CLOSE: Final = "TIMEOUT_TYPE_START_TO_CLOSE"
HEARTBEAT: Final = "TIMEOUT_TYPE_HEARTBEAT"

_TIMEOUT_NAMES: Final = {
    SCHEDULE_TO_START: "ScheduleToStart",
    SCHEDULE_TO_CLOSE: "ScheduleToClose",
    START_TO_CLOSE: "StartToClose",
    HEARTBEAT: "Heartbeat",
}


def complete(state: RunState, scheduled_event_id: int, result: Payloads | None, identity: str, now: Moment) -> None:
    """The activity returned."""
    attributes: Json = {} if result is None else {"result": result}
    attributes["scheduledEventId"] = str(scheduled_event_id)
    attributes["startedEventId"] = started(state, state.activities[scheduled_event_id], identity, now)
    attributes["identity"] = identity
    state.append(kinds.ActivityTaskCompleted, attributes, now)
    tasks.schedule(state, now)


def fail(state: RunState, scheduled_event_id: int, failure: Failure, identity: str, now: Moment) -> bool:
    """An attempt raised.

    Args:
        state: The run.
        scheduled_event_id: The activity.
        failure: What it raised.
        identity: Who ran it.
        now: When.

    Returns:
        True if there will be another attempt, at the activity's `due_ns`. Otherwise the activity has failed.
    """
    activity = state.activities[scheduled_event_id]
    retry_state = _retried(state, activity, failure, now)
    if retry_state is None:
        return True
    attributes: Json = {
        "failure": failure,
        "scheduledEventId": str(scheduled_event_id),
        "startedEventId": started(state, activity, identity, now),
        "identity": identity,
        "retryState": retry_state,
    }
    state.append(kinds.ActivityTaskFailed, attributes, now)
    tasks.schedule(state, now)
    return False


def time_out(state: RunState, scheduled_event_id: int, timeout_type: str, identity: str, now: Moment) -> bool:
    """One of the four timeouts of the activity has passed.

    Args:
        state: The run.
        scheduled_event_id: The activity.
        timeout_type: Full name of the timeout.
        identity: Who ran it.
        now: When.

    Returns:
        True if there will be another attempt, at the activity's `due_ns`. Otherwise the activity has timed out.
    """
    activity = state.activities[scheduled_event_id]
    failure = _timeout(timeout_type, activity)
    retry_state = _retried(state, activity, failure, now)
    if retry_state is None:
        return True
    if timeout_type == SCHEDULE_TO_CLOSE:
        retry_state = enum_json(RetryState.TIMEOUT)
        if activity.last_failure is not None:
            failure["cause"] = activity.last_failure
    attributes: Json = {
        "failure": failure,
        "scheduledEventId": str(scheduled_event_id),
        "retryState": retry_state,
    }
    if activity.started_ns:
        attributes["startedEventId"] = started(state, activity, identity, now)
    state.append(kinds.ActivityTaskTimedOut, attributes, now)
    tasks.schedule(state, now)
    return False


def cancel(state: RunState, scheduled_event_id: int, details: Payloads | None, identity: str, now: Moment) -> None:
    """The activity was asked to stop and did."""
    activity = state.activities[scheduled_event_id]
    attributes: Json = {} if details is None else {"details": details}
    attributes |= {
        "latestCancelRequestedEventId": str(activity.cancel_requested_id),
        "scheduledEventId": str(scheduled_event_id),
        "startedEventId": started(state, activity, identity, now),
        "identity": identity,
    }
    state.append(kinds.ActivityTaskCanceled, attributes, now)
    tasks.schedule(state, now)


def cancel_unstarted(state: RunState, scheduled_event_id: int, identity: str, now: Moment) -> None:
    """The activity was asked to stop before anybody began with it, or between two attempts."""
    attributes: Json = {
        "details": {"payloads": [json_payload("ACTIVITY_ID_NOT_STARTED")]},
        "latestCancelRequestedEventId": str(state.activities[scheduled_event_id].cancel_requested_id),
        "scheduledEventId": str(scheduled_event_id),
        "identity": identity,
    }
    state.append(kinds.ActivityTaskCanceled, attributes, now)
    tasks.schedule(state, now)


def heartbeat(state: RunState, scheduled_event_id: int, details: Payloads | None) -> None:
    """An attempt said that it is alive, and how far it has come."""
    state.activities[scheduled_event_id].heartbeat_details = details
    state.pending_changed = True


def _retried(state: RunState, activity: PendingActivity, failure: Failure, now: Moment) -> str | None:
    """Prepare another attempt; or say why there is none, by the full name of the retry state."""
    if activity.cancel_requested_id:
        return enum_json(RetryState.CANCEL_REQUESTED)
    delay = next_delay_ns(
        activity.attributes.get("retryPolicy"),
        activity.attempt,
        failure,
        now.ns - activity.scheduled_ns,
        duration_ns(activity.attributes.get("scheduleToCloseTimeout")),
    )
    if isinstance(delay, RetryState):
        return enum_json(delay)
    activity.attempt += 1
    activity.started_ns = 0
    activity.last_failure = failure
    activity.due_ns = now.ns + delay
    state.pending_changed = True
    return None


def _timeout(timeout_type: str, activity: PendingActivity) -> Failure:
    failure: Failure = {
        "message": f"activity {_TIMEOUT_NAMES[timeout_type]} timeout",
        "source": "Server",
        "timeoutFailureInfo": {"timeoutType": timeout_type},
    }
    if activity.heartbeat_details is not None and timeout_type in (HEARTBEAT, START_TO_CLOSE, SCHEDULE_TO_CLOSE):
        failure["timeoutFailureInfo"]["lastHeartbeatDetails"] = activity.heartbeat_details
    return failure


def started(state: RunState, activity: PendingActivity, identity: str, now: Moment) -> str:
    """Write that the attempt which has just ended began, unless that is written; returns the id of the event."""
    if activity.started_event_id:
        return str(activity.started_event_id)
    attributes: Json = {
        "scheduledEventId": str(activity.scheduled_event_id),
        "identity": identity,
        "attempt": activity.attempt,
    }
    if activity.last_failure is not None:
        attributes["lastFailure"] = activity.last_failure
    began = now.text if activity.started_ns == now.ns else Moment(activity.started_ns or now.ns).text
    return str(state.append(kinds.ActivityTaskStarted, attributes, now, began).event_id)
