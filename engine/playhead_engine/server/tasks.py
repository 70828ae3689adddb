"""Workflow tasks: the turns in which workflow code runs.

A task is scheduled when something has happened that the code must be told, started when the code is about to run, and
completed with what the code asked for. A first attempt that fails is recorded; further ones are not, until one succeeds
or something new happens, so that code that fails for a week does not fill its own history.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playhead_engine.history import events as kinds
from playhead_engine.machines.machine import CORE_FLAGS
from playhead_engine.messages import Failure, Json
from playhead_engine.server.chains import WORKFLOW_TASK_TIMEOUT
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

SDK_NAME: Final = "playhead"
SUGGEST_CONTINUE_AS_NEW_EVENTS: Final = 4_096
SUGGEST_CONTINUE_AS_NEW_BYTES: Final = 4 * 1024 * 1024

_FIRST_RETRY_NS: Final = 1_000_000_000
_LAST_RETRY_NS: Final = 60_000_000_000


def schedule(state: RunState, now: Moment) -> None:
    """Something has happened that the workflow code must be told. Does nothing if a task is scheduled already."""
    if state.task_scheduled_id == 0 and state.closing is None:
        _write_scheduled(state, 1, now)


def start(state: RunState, identity: str, now: Moment) -> None:
    """The workflow code is about to run. After a failed attempt this schedules the next one, too."""
    if state.task_scheduled_id == 0:
        _write_scheduled(state, state.task_attempt, now)
    size = state.size_bytes
    attributes: Json = {
        "scheduledEventId": str(state.task_scheduled_id),
        "identity": identity,
        "historySizeBytes": str(size),
    }
    reasons = _reasons_to_continue_as_new(state.next_event_id - 1, size)
    if reasons:
        attributes["suggestContinueAsNew"] = True
        attributes["suggestContinueAsNewReasons"] = reasons
    state.append(kinds.WorkflowTaskStarted, attributes, now)


def complete(state: RunState, lang_flags: Iterable[int], identity: str, now: Moment) -> str:
    """The workflow code ran until everything in it waits; what it asked for follows.

    Args:
        state: The run.
        lang_flags: Flags of the SDK that the task relied on.
        identity: Who ran it.
        now: When.

    Returns:
        Id of the WorkflowTaskCompleted event, as events write it.
    """
    attributes: Json = {
        "scheduledEventId": str(state.task_scheduled_id),
        "startedEventId": str(state.task_started_id),
        "identity": identity,
    }
    new_lang_flags = [flag for flag in lang_flags if flag not in state.lang_flags]
    if new_lang_flags or not state.core_flags:
        # Flags are recorded once and hold from then on.
        metadata: Json = {}
        if not state.core_flags:
            metadata["coreUsedFlags"] = list(CORE_FLAGS)
        if new_lang_flags:
            metadata["langUsedFlags"] = sorted(new_lang_flags)
        metadata["sdkName"] = SDK_NAME
        attributes["sdkMetadata"] = metadata
    return str(state.append(kinds.WorkflowTaskCompleted, attributes, now).event_id)


def fail(state: RunState, cause: str, failure: Failure, identity: str, now: Moment) -> None:
    """The attempt failed. `task_attempt` is then the number of the next one.

    Args:
        state: The run.
        cause: Full name of the cause.
        failure: What the code raised.
        identity: Who ran it.
        now: When.
    """
    if state.task_attempt > 1:
        _try_again(state, failure)
        return
    attributes: Json = {
        "scheduledEventId": str(state.task_scheduled_id),
        "startedEventId": str(state.task_started_id),
        "cause": cause,
        "failure": failure,
        "identity": identity,
    }
    state.append(kinds.WorkflowTaskFailed, attributes, now)


def time_out(state: RunState, now: Moment) -> None:
    """Nobody heard of the end of the attempt in time. `task_attempt` is then the number of the next one."""
    if state.task_attempt > 1:
        _try_again(state, None)
        return
    attributes: Json = {
        "scheduledEventId": str(state.task_scheduled_id),
        "startedEventId": str(state.task_started_id),
        "timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE",
    }
    state.append(kinds.WorkflowTaskTimedOut, attributes, now)


def _try_again(state: RunState, failure: Failure | None) -> None:
    """An attempt after the first leaves no events when it ends without success."""
    attempt = state.task_attempt
    state.take_back(state.task_scheduled_id)
    state.task_scheduled_id = state.task_started_id = 0
    state.task_attempt = attempt + 1
    state.task_failure = failure


def give_up(state: RunState, now: Moment, identity: str, cause: str) -> None:
    """The task under way is overtaken: the run is being closed by somebody else."""
    if state.task_started_id:
        attributes: Json = {
            "scheduledEventId": str(state.task_scheduled_id),
            "startedEventId": str(state.task_started_id),
            "cause": cause,
            "identity": identity,
        }
        state.append(kinds.WorkflowTaskFailed, attributes, now)


def retry_delay_ns(attempt: int) -> int:
    """How long to wait before an attempt, from the second on: from a second to a minute, twice as long each time."""
    return min(_FIRST_RETRY_NS << min(attempt - 2, 8), _LAST_RETRY_NS)


def _write_scheduled(state: RunState, attempt: int, now: Moment) -> None:
    attributes: Json = {
        "taskQueue": state.started["taskQueue"],
        "startToCloseTimeout": state.started.get("workflowTaskTimeout", WORKFLOW_TASK_TIMEOUT),
        "attempt": attempt,
    }
    state.append(kinds.WorkflowTaskScheduled, attributes, now)


def _reasons_to_continue_as_new(event_count: int, size: int) -> list[str]:
    reasons: list[str] = []
    if size > SUGGEST_CONTINUE_AS_NEW_BYTES:
        reasons.append("SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE")
    if event_count > SUGGEST_CONTINUE_AS_NEW_EVENTS:
        reasons.append("SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS")
    return reasons
