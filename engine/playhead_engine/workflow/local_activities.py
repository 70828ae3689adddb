"""Local activities: activities that run inside the workflow task.

The forms with `_method` and `_class` differ only in what a type checker makes of them: they take a method without its
object, and a class with `__call__`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypedDict, TypeVar, Unpack, overload

from playhead_engine.commands import ActivityCancellationType
from playhead_engine.common import RetryPolicy
from playhead_engine.native import activities as native
from playhead_engine.native.activities import UNSET, ActivityHandle
from playhead_engine.native.context import current_run
from playhead_engine.workflow.callables import TakesAny, TakesNothing, TakesOne

_P = TypeVar("_P")
_R = TypeVar("_R")


class LocalActivityConfig(TypedDict, total=False):
    """The options of a local activity; see `start_local_activity`."""

    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None


@overload
def start_local_activity(
    activity: Callable[[], Awaitable[_R]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(activity: Callable[[], _R], **options: Unpack[LocalActivityConfig]) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(
    activity: Callable[[_P], Awaitable[_R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(
    activity: Callable[[_P], _R], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]: ...


def start_local_activity(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    local_retry_threshold: timedelta | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    summary: str | None = None,
) -> ActivityHandle[Any]:
    """Ask for a local activity and go on; its handle can be awaited later.

    Args:
        activity: The function, or its name.
        arg: The one argument.
        args: Several arguments.
        result_type: What to convert the result to, where the activity is given by name.
        schedule_to_close_timeout: How long it may take in all, every attempt included.
        schedule_to_start_timeout: How long until an attempt begins.
        start_to_close_timeout: How long one attempt may take.
        retry_policy: How it is tried again when it fails; for ever, if not given.
        local_retry_threshold: Longer waits between attempts use a timer of the workflow; a minute if not given.
        cancellation_type: What cancelling it means.
        activity_id: Its id; its number if not given.
        summary: What it is for, for people.

    Returns:
        A handle to await or to cancel.

    Raises:
        ValueError: There is neither a start-to-close nor a schedule-to-close timeout.
        TypeError: An argument cannot be encoded.
    """
    return native.start_local_activity(
        current_run(),
        activity,
        arg,
        args,
        result_type,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        retry_policy,
        local_retry_threshold,
        cancellation_type,
        activity_id,
        summary,
    )


@overload
def start_local_activity_class(
    activity: type[TakesNothing[Awaitable[_R]]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_class(
    activity: type[TakesNothing[_R]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_class(
    activity: type[TakesOne[_P, Awaitable[_R]]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_class(
    activity: type[TakesOne[_P, _R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_class(
    activity: type[TakesAny[Awaitable[_R]]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_class(
    activity: type[TakesAny[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


def start_local_activity_class(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> ActivityHandle[Any]:
    """As `start_local_activity`, for a class with `__call__`."""
    return start_local_activity(activity, arg, args=args, **options)


@overload
def start_local_activity_method(
    activity: Callable[[Any], Awaitable[_R]], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any], _R], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any, _P], _R], arg: _P, **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_method(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


@overload
def start_local_activity_method(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> ActivityHandle[_R]: ...


def start_local_activity_method(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> ActivityHandle[Any]:
    """As `start_local_activity`, for a method given by its class."""
    return start_local_activity(activity, arg, args=args, **options)


@overload
async def execute_local_activity(
    activity: Callable[[], Awaitable[_R]], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity(activity: Callable[[], _R], **options: Unpack[LocalActivityConfig]) -> _R: ...


@overload
async def execute_local_activity(
    activity: Callable[[_P], Awaitable[_R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity(
    activity: Callable[[_P], _R], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[LocalActivityConfig],
) -> Any: ...


async def execute_local_activity(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    schedule_to_close_timeout: timedelta | None = None,
    schedule_to_start_timeout: timedelta | None = None,
    start_to_close_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    local_retry_threshold: timedelta | None = None,
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
    activity_id: str | None = None,
    summary: str | None = None,
) -> Any:
    """Ask for a local activity and wait for its result; see `start_local_activity`.

    Raises:
        ActivityError: It failed; the cause says how.
    """
    return await native.start_local_activity(
        current_run(),
        activity,
        arg,
        args,
        result_type,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        retry_policy,
        local_retry_threshold,
        cancellation_type,
        activity_id,
        summary,
    )


@overload
async def execute_local_activity_class(
    activity: type[TakesNothing[Awaitable[_R]]], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_class(
    activity: type[TakesNothing[_R]], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_class(
    activity: type[TakesOne[_P, Awaitable[_R]]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_class(
    activity: type[TakesOne[_P, _R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_class(
    activity: type[TakesAny[Awaitable[_R]]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_class(
    activity: type[TakesAny[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


async def execute_local_activity_class(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> Any:
    """As `execute_local_activity`, for a class with `__call__`."""
    return await execute_local_activity(activity, arg, args=args, **options)


@overload
async def execute_local_activity_method(
    activity: Callable[[Any], Awaitable[_R]], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any], _R], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any, _P], _R], arg: _P, **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_method(
    activity: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


@overload
async def execute_local_activity_method(
    activity: Callable[..., _R], *, args: Sequence[Any], **options: Unpack[LocalActivityConfig]
) -> _R: ...


async def execute_local_activity_method(
    activity: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    **options: Any,
) -> Any:
    """As `execute_local_activity`, for a method given by its class."""
    return await execute_local_activity(activity, arg, args=args, **options)
