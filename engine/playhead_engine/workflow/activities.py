"""Activities.

The forms with `_method` and `_class` differ only in what a type checker makes of them: they take a method without its
object, and a class with `__call__`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypedDict, TypeVar, Unpack, overload

from playhead_engine.commands import ActivityCancellationType
from playhead_engine.common import Priority, RetryPolicy
from playhead_engine.native import activities as native
from playhead_engine.native.activities import UNSET, ActivityHandle
from playhead_engine.native.context import current_run
from playhead_engine.workflow.callables import TakesAny, TakesNothing, TakesOne
from playhead_engine.workflow.versioning import VersioningIntent

_P = TypeVar("_P")
_R = TypeVar("_R")


class ActivityConfig(TypedDict, total=False):
    """The options of an activity; see `start_activity`."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    versioning_intent: VersioningIntent | None
    summary: str | None
    priority: Priority


@overload
def start_activity(activity: Callable[[], Awaitable[_R]], **options: Unpack[ActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_activity(activity: Callable[[], _R], **options: Unpack[ActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_activity(
    activity: Callable[[_P], Awaitable[_R]], arg: _P, **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity(activity: Callable[[_P], _R], arg: _P, **options: Unpack[ActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_activity(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]: ...


def start_activity(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    priority: Priority = Priority.default,
) -> ActivityHandle[Any]:
    """Ask for an activity and go on; its handle can be awaited later.

    Args:
        activity: The function, or its name.
        arg: The one argument.
        args: Several arguments.
        task_queue: Where it is to run; the workflow's task queue if not given.
        result_type: What to convert the result to, where the activity is given by name.
        schedule_to_close_timeout: How long it may take in all, every attempt included.
        schedule_to_start_timeout: How long until an attempt begins.
        start_to_close_timeout: How long one attempt may take.
        heartbeat_timeout: How long it may show no sign of life.
        retry_policy: How it is tried again when it fails; for ever, if not given.
        cancellation_type: What cancelling it means.
        activity_id: Its id; its number if not given.
        versioning_intent: Accepted because Temporal has it, and without effect: it is deprecated there.
        summary: What it is for, for people.
        priority: Its priority.

    Returns:
        A handle to await or to cancel.

    Raises:
        ValueError: There is neither a start-to-close nor a schedule-to-close timeout.
        TypeError: An argument cannot be encoded.
    """
    del versioning_intent
    return native.start_activity(
        current_run(),
        activity,
        arg,
        args,
        task_queue,
        result_type,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        heartbeat_timeout,
        retry_policy,
        cancellation_type,
        activity_id,
        summary,
        priority,
    )


@overload
def start_activity_class(
    activity: type[TakesNothing[Awaitable[_R]]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_class(activity: type[TakesNothing[_R]], **options: Unpack[ActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_activity_class(
    activity: type[TakesOne[_P, Awaitable[_R]]], arg: _P, **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_class(
    activity: type[TakesOne[_P, _R]], arg: _P, **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_class(
    activity: type[TakesAny[Awaitable[_R]]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_class(
    activity: type[TakesAny[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


def start_activity_class(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> ActivityHandle[Any]:
    """As `start_activity`, for a class with `__call__`."""
    return start_activity(activity, arg, args=args, **options)


@overload
def start_activity_method(
    activity: Callable[[Any], Awaitable[_R]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_method(activity: Callable[[Any], _R], **options: Unpack[ActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_activity_method(
    activity: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_method(
    activity: Callable[[Any, _P], _R], arg: _P, **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_method(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_activity_method(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[_R]: ...


def start_activity_method(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> ActivityHandle[Any]:
    """As `start_activity`, for a method given by its class."""
    return start_activity(activity, arg, args=args, **options)


@overload
async def execute_activity(activity: Callable[[], Awaitable[_R]], **options: Unpack[ActivityConfig]) -> _R: ...


@overload
async def execute_activity(activity: Callable[[], _R], **options: Unpack[ActivityConfig]) -> _R: ...


@overload
async def execute_activity(
    activity: Callable[[_P], Awaitable[_R]], arg: _P, **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity(activity: Callable[[_P], _R], arg: _P, **options: Unpack[ActivityConfig]) -> _R: ...


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[ActivityConfig],
) -> Any: ...


async def execute_activity(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    task_queue: str | None = None,
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    heartbeat_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    versioning_intent: VersioningIntent | None = None,
    summary: str | None = None,
    priority: Priority = Priority.default,
) -> Any:
    """Ask for an activity and wait for its result; see `start_activity`.

    Raises:
        ActivityError: It failed; the cause says how.
    """
    del versioning_intent
    return await native.start_activity(
        current_run(),
        activity,
        arg,
        args,
        task_queue,
        result_type,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        heartbeat_timeout,
        retry_policy,
        cancellation_type,
        activity_id,
        summary,
        priority,
    )


@overload
async def execute_activity_class(
    activity: type[TakesNothing[Awaitable[_R]]], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_class(activity: type[TakesNothing[_R]], **options: Unpack[ActivityConfig]) -> _R: ...


@overload
async def execute_activity_class(
    activity: type[TakesOne[_P, Awaitable[_R]]], arg: _P, **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_class(
    activity: type[TakesOne[_P, _R]], arg: _P, **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_class(
    activity: type[TakesAny[Awaitable[_R]]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_class(
    activity: type[TakesAny[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


async def execute_activity_class(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> Any:
    """As `execute_activity`, for a class with `__call__`."""
    return await execute_activity(activity, arg, args=args, **options)


@overload
async def execute_activity_method(
    activity: Callable[[Any], Awaitable[_R]], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_method(activity: Callable[[Any], _R], **options: Unpack[ActivityConfig]) -> _R: ...


@overload
async def execute_activity_method(
    activity: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_method(
    activity: Callable[[Any, _P], _R], arg: _P, **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_method(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


@overload
async def execute_activity_method(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> _R: ...


async def execute_activity_method(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> Any:
    """As `execute_activity`, for a method given by its class."""
    return await execute_activity(activity, arg, args=args, **options)
