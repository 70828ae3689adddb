"""Activities and local activities, as the code calls them.

This is the path that nearly every step of a workflow takes, so what does not change from call to call is worked out
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from playhead_engine.activation import Backoff, ResolveActivity, Succeeded
from playhead_engine.commands import (
    ActivityCancellationType,
    RequestCancelActivity,
    RequestCancelLocalActivity,
    ScheduleActivity,
    ScheduleLocalActivity,
)
from playhead_engine.common import Priority, RetryPolicy
from playhead_engine.convert import ns_timedelta, timedelta_ns
from playhead_engine.definitions import activity_definition
from playhead_engine.native.operation import RAISE_ON_CANCELLING_COMPLETED_ACTIVITY, STOPPING, Operation
from playhead_engine.native.site import asking_line
from playhead_engine.native.timers import Timer, start_timer
from playhead_engine.timeouts import activity_timeouts

if TYPE_CHECKING:
    from playhead_engine.messages import Json
    from playhead_engine.native.run import Run

_T = TypeVar("_T")

UNSET: Final[Any] = object()
"""Stands for an argument that was not given."""

_DEFAULT_RETRY_POLICY: Final = RetryPolicy().to_json()

SLEEPING, WAKING = range(5, 7)
"""Further states of a local activity: it waits for the timer between two attempts; the timer has fired."""


class ActivityHandle(Operation[_T]):
    """An activity that was asked for. Await it for its result; `cancel` asks it to stop.

    Attributes:
        command: What was asked for.
        result_type: What to convert the result to.
        summary: What it is for.
    """

    __slots__ = ("command", "result_type", "summary")

    LATE_CANCEL_FLAG = RAISE_ON_CANCELLING_COMPLETED_ACTIVITY
    KIND: ClassVar[str] = "activity"
    """How people call it."""

    command: ScheduleActivity | ScheduleLocalActivity
    result_type: Any
    summary: str | None

    def resolve(self, job: ResolveActivity) -> None:
        """Take its end.

        Raises:
            RuntimeError: The result cannot be decoded.
        """
        result = job.result
        if isinstance(result, Succeeded):
            self.succeeded(self.run.decode_result(result.result, self.result_type))
        elif isinstance(result, Backoff):
            self.back_off(result)
        else:
            self.failed(self.run.converter.decode_failure(result.failure))

    def back_off(self, backoff: Backoff) -> None:
        """Wait before the next attempt. Only local activities do: the server does it for the others."""
        del backoff
        raise RuntimeError(f"activity {self.command.attributes['activityId']} is not local, so it cannot back off")

    def cancelled_before_first_turn(self) -> None:
        self.request_cancel(None)

    def request_cancel(self, message: Any) -> None:
        seq = self.command.seq
        if seq not in self.run.cancelled_activities:
            self.run.cancelled_activities.add(seq)
            site = asking_line() or self.command.site
            is_local = isinstance(self.command, ScheduleLocalActivity)
            self.run.ask(RequestCancelLocalActivity(seq, site) if is_local else RequestCancelActivity(seq, site))


class LocalActivityHandle(ActivityHandle[_T]):
    """A local activity. Between two attempts it may wait for a timer of the workflow; it is then asked for again.

    Attributes:
        has_own_id: Whether the code chose its id; otherwise every attempt is known by its number.
    """

    __slots__ = ("_backoff", "_timer", "has_own_id")

    KIND = "local activity"

    has_own_id: bool
    _timer: Timer

    def begin(self, run: Run) -> None:
        self._backoff: Backoff | None = None
        super().begin(run)

    def back_off(self, backoff: Backoff) -> None:
        # The next attempt gets its number now, and is asked for when the timer has fired.
        self._backoff = backoff
        last = cast(ScheduleLocalActivity, self.command)
        self.run.activity_seq = seq = self.run.activity_seq + 1
        self.command = ScheduleLocalActivity(
            seq,
            last.attributes if self.has_own_id else {**last.attributes, "activityId": str(seq)},
            last.cancellation_type,
            backoff.attempt,
            backoff.original_schedule_time,
            last.local_retry_threshold_ns,
            last.site,
        )
        self.succeeded(None)

    def _deliver(self) -> None:
        if self._backoff is None or self._interrupted:
            super()._deliver()
            return
        self.state = SLEEPING
        seconds = ns_timedelta(self._backoff.duration_ns).total_seconds()
        self._timer = start_timer(self.run, seconds, self._slept, site=self.command.site)

    def _slept(self) -> None:
        if self.state == SLEEPING:
            self.state = WAKING
            self.run.ready.append((self._try_again, ()))

    def _try_again(self) -> None:
        if self._interrupted:
            self._give_up()
            return
        self._backoff = None
        self._end = None
        self.run.ask(self.command)
        self.run.activities[self.command.seq] = self
        self._wait()

    def cancel(self, msg: Any | None = None) -> bool:
        if self.state != SLEEPING or self.run.is_closed:
            return super().cancel(msg)
        # There is nothing to ask the server: it ends here, as cancelled.
        self.run.check_may("cancel")
        self._message = msg
        self.state = STOPPING
        self.run.ready.append((self._timer.cancel, ()))
        self.run.ready.append((self._give_up, ()))
        return True


def start_activity(
    run: Run,
    activity: object,
    arg: object,
    args: Sequence[object],
    task_queue: str | None,
    result_type: Any,
    schedule_to_close_timeout: timedelta | None,
    schedule_to_start_timeout: timedelta | None,
    start_to_close_timeout: timedelta | None,
    heartbeat_timeout: timedelta | None,
    retry_policy: RetryPolicy | None,
    cancellation_type: ActivityCancellationType,
    activity_id: str | None,
    summary: str | None,
    priority: Priority,
) -> ActivityHandle[Any]:
    """Ask for an activity; the parameters are those of `workflow.start_activity`.

    Raises:
        ValueError: There is neither a start-to-close nor a schedule-to-close timeout, or the activity is not decorated.
        TypeError: An argument cannot be encoded, or the activity is neither a name nor a function.
    """
    values = args if arg is UNSET else only_one_of(arg, args)
    if run.loop.is_frozen:
        run.check_may("start an activity")
    if isinstance(activity, str):
        activity_type = activity
    else:
        definition = activity_definition(activity)
        activity_type, result_type = str(definition.name), definition.ret_type
    attributes = _remote_attributes(
        activity_type,
        task_queue,
        run.task_queue_name,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        heartbeat_timeout,
        run.timeout,
    ).copy()
    run.activity_seq = seq = run.activity_seq + 1
    attributes["activityId"] = activity_id or str(seq)
    if not values:
        del attributes["input"]
    elif len(values) == 1:
        attributes["input"] = {"payloads": [run.converter.encode_value(values[0])]}
    else:
        attributes["input"] = {"payloads": run.converter.encode_values(values)}
    if retry_policy is not None:
        attributes["retryPolicy"] = retry_policy.to_json()
    if priority is not Priority.default:
        attributes["priority"] = priority.to_json()
    handle: ActivityHandle[Any] = ActivityHandle(loop=run.loop)
    handle.command = command = ScheduleActivity(seq, attributes, cancellation_type, asking_line(3))
    handle.result_type = result_type
    handle.summary = summary
    handle.begin(run)
    run.commands.append(command)
    run.activities[seq] = handle
    return handle


def start_local_activity(
    run: Run,
    activity: object,
    arg: object,
    args: Sequence[object],
    result_type: Any,
    schedule_to_close_timeout: timedelta | None,
    schedule_to_start_timeout: timedelta | None,
    start_to_close_timeout: timedelta | None,
    retry_policy: RetryPolicy | None,
    local_retry_threshold: timedelta | None,
    cancellation_type: ActivityCancellationType,
    activity_id: str | None,
    summary: str | None,
) -> ActivityHandle[Any]:
    """Ask for a local activity; the parameters are those of `workflow.start_local_activity`.

    Raises:
        ValueError: There is neither a start-to-close nor a schedule-to-close timeout, or the activity is not decorated.
        TypeError: An argument cannot be encoded, or the activity is neither a name nor a function.
    """
    values = only_one_of(arg, args)
    run.check_may("start a local activity")
    if isinstance(activity, str):
        activity_type = activity
    else:
        definition = activity_definition(activity)
        activity_type, result_type = str(definition.name), definition.ret_type
    timeouts = activity_timeouts(
        schedule_to_close_timeout, schedule_to_start_timeout, start_to_close_timeout, None, run.timeout
    )
    run.activity_seq = seq = run.activity_seq + 1
    attributes: Json = {"activityId": activity_id or str(seq), "activityType": {"name": activity_type}, **timeouts}
    if values:
        attributes["input"] = {"payloads": run.converter.encode_values(values)}
    attributes["retryPolicy"] = _DEFAULT_RETRY_POLICY if retry_policy is None else retry_policy.to_json()
    command = ScheduleLocalActivity(seq, attributes, cancellation_type, site=asking_line(3))
    if local_retry_threshold is not None:
        command = replace(command, local_retry_threshold_ns=timedelta_ns(local_retry_threshold))
    handle: LocalActivityHandle[Any] = LocalActivityHandle(loop=run.loop)
    handle.command = command
    handle.has_own_id = bool(activity_id)
    handle.result_type = result_type
    handle.summary = summary
    handle.begin(run)
    run.commands.append(command)
    run.activities[seq] = handle
    return handle


def only_one_of(arg: object, args: Sequence[object]) -> Sequence[object]:
    """The arguments of a call that takes one as `arg` or several as `args`.

    Raises:
        ValueError: Both are given.
    """
    if arg is UNSET:
        return args
    if args:
        raise ValueError("give either arg or args, not both")
    return (arg,)


@lru_cache(maxsize=1024)
def _remote_attributes(
    activity_type: str,
    task_queue: str | None,
    task_queue_of_run: str,
    schedule_to_close: timedelta | None,
    schedule_to_start: timedelta | None,
    start_to_close: timedelta | None,
    heartbeat: timedelta | None,
    run_timeout: str | None,
) -> Json:
    """What is the same in all calls from one line of code. Copied for each; what it holds is shared."""
    attributes: Json = {
        "activityId": "",
        "activityType": {"name": activity_type},
        "taskQueue": {"name": task_queue or task_queue_of_run, "kind": "TASK_QUEUE_KIND_NORMAL"},
        "header": {},
        "input": {},
        **activity_timeouts(schedule_to_close, schedule_to_start, start_to_close, heartbeat, run_timeout),
        "retryPolicy": _DEFAULT_RETRY_POLICY,
        "priority": {},
    }
    if not task_queue or task_queue == task_queue_of_run:
        attributes["useWorkflowBuildId"] = True
    return attributes
