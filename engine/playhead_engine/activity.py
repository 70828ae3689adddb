"""Writing activities, with the names and semantics of Temporal's Python SDK.

    from playhead_engine import activity

    @activity.defn
    async def greet(name: str) -> str:
        return f"Hello, {name}!"

An activity is ordinary code: async functions run on the engine's event loop, others in threads. What is here tells an
activity about itself, lets it say that it is alive, and tells it that it was cancelled. This module must not know who
runs
activities: an executor puts a `Context` into `current_context`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, overload

from playhead_engine.definitions import (
    ACTIVITY,
    ActivityDefinition,
    annotated_types,
    takes_only_raw_values,
)
from playhead_engine.record import frozen_record

if TYPE_CHECKING:
    from playhead_engine.common import Priority, RetryPolicy
    from playhead_engine.converter import PayloadConverter

__all__ = [
    "ActivityCancellationDetails",
    "Info",
    "LoggerAdapter",
    "cancellation_details",
    "defn",
    "heartbeat",
    "in_activity",
    "info",
    "is_cancelled",
    "is_worker_shutdown",
    "logger",
    "payload_converter",
    "raise_complete_async",
    "shield_thread_cancel_exception",
    "wait_for_cancelled",
    "wait_for_cancelled_sync",
]

CallableType = TypeVar("CallableType", bound=Callable[..., Any])


@frozen_record
class Info:
    """What an activity can know about itself.

    Attributes:
        activity_id: Its id within the workflow.
        activity_type: Its name.
        attempt: Number of this attempt, from 1.
        current_attempt_scheduled_time: When this attempt was scheduled.
        heartbeat_details: What the last heartbeat said, of this attempt or an earlier one.
        heartbeat_timeout: How long it may be silent; None for ever.
        is_local: Whether it runs inside a workflow task.
        namespace: Namespace of the workflow.
        schedule_to_close_timeout: How long all attempts may take together; None for ever.
        scheduled_time: When it was first scheduled.
        start_to_close_timeout: How long this attempt may take; None for ever.
        started_time: When this attempt began.
        task_queue: The task queue it was scheduled on.
        task_token: Names this attempt to the engine.
        workflow_id: Id of the workflow.
        workflow_namespace: Namespace of the workflow.
        workflow_run_id: Id of its run.
        workflow_type: Its name.
        priority: Its priority.
        retry_policy: How it is tried again.
    """

    activity_id: str
    activity_type: str
    attempt: int
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    workflow_id: str
    workflow_namespace: str
    workflow_run_id: str
    workflow_type: str
    priority: Priority
    retry_policy: RetryPolicy | None

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow asked for it; here, always."""
        return True


@frozen_record
class ActivityCancellationDetails:
    """Why an activity is to stop.

    Attributes:
        not_found: Nobody waits for it any more: its workflow has closed.
        cancel_requested: The workflow asked.
        paused: It was paused.
        timed_out: It took too long.
        worker_shutdown: The engine is being closed.
        reset: It is to begin again.
    """

    not_found: bool = False
    cancel_requested: bool = False
    paused: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False
    reset: bool = False


class CompleteAsync(BaseException):
    """Raised by `raise_complete_async`; says that somebody else will report the activity's end."""


class Context(Protocol):
    """What an executor tells the functions below about one attempt."""

    @property
    def info(self) -> Info:
        """What the activity can know about itself."""
        ...

    @property
    def payload_converter(self) -> PayloadConverter:
        """Converts values."""
        ...

    @property
    def cancellation(self) -> ActivityCancellationDetails | None:
        """Why it is to stop; None while it is not."""
        ...

    def heartbeat(self, details: Sequence[Any]) -> None:
        """It is alive."""
        ...

    async def wait_for_cancelled(self) -> None:
        """Wait until it is to stop."""
        ...

    def wait_for_cancelled_sync(self, timeout: float | None) -> None:
        """Wait until it is to stop, in a thread."""
        ...

    def shield(self) -> Any:
        """A context manager in which being cancelled raises nothing."""
        ...


current_context: ContextVar[Context] = ContextVar("playhead_engine_activity")
"""Set by executors while activity code runs."""


@overload
def defn(fn: CallableType) -> CallableType: ...


@overload
def defn(
    *, name: str | None = None, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Callable[[CallableType], CallableType]: ...


def defn(
    fn: CallableType | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> CallableType | Callable[[CallableType], CallableType]:
    """Make a function, or a class with `__call__`, an activity.

    Args:
        fn: What to decorate.
        name: Its name; that of the function if not given.
        no_thread_cancel_exception: In a thread, being cancelled raises nothing; `is_cancelled` tells.
        dynamic: It takes every activity that no other does, as a single `Sequence[RawValue]`.

    Raises:
        ValueError: It is dynamic and has a name, or it is decorated already.
        TypeError: It cannot be called, has keyword-only parameters, or is dynamic and takes something else.
    """

    def decorate(fn: CallableType) -> CallableType:
        if name is not None and dynamic:
            raise ValueError("an activity is dynamic or has a name, not both")
        definition = definition_of(fn, None if dynamic else name or fn.__name__)
        if ACTIVITY in vars(fn):
            raise ValueError(f"{fn.__qualname__} is decorated as an activity already")
        setattr(fn, ACTIVITY, definition)
        if no_thread_cancel_exception:
            setattr(fn, NO_THREAD_CANCEL_EXCEPTION, True)
        return fn

    return decorate if fn is None else decorate(fn)


NO_THREAD_CANCEL_EXCEPTION = "__playhead_no_thread_cancel_exception__"
"""Set on activities whose threads are not to be interrupted by an exception."""


def definition_of(fn: Callable[..., Any], name: str | None) -> ActivityDefinition:
    """What follows from a function about the activity that it is.

    Args:
        fn: The function, or the class with `__call__`.
        name: Its name; None if it is dynamic.

    Raises:
        TypeError: It can be no activity.
    """
    if not callable(fn):
        raise TypeError(f"an activity must be callable, got {type(fn).__name__}")
    code = getattr(fn, "__code__", None)
    if code is not None and code.co_kwonlyargcount:
        raise TypeError(f"{fn.__qualname__} has keyword-only parameters, but an activity is called with positions only")
    arg_types, ret_type = annotated_types(fn)
    if name is None and not takes_only_raw_values(arg_types):
        raise TypeError(f"dynamic activity {fn.__qualname__} must take one parameter, a Sequence[RawValue]")
    called = fn.__dict__.get("__call__", fn) if isinstance(fn, type) else fn
    return ActivityDefinition(name, fn, arg_types, ret_type, iscoroutinefunction(called), dynamic=name is None)


def in_activity() -> bool:
    """Whether the code that asks runs in an activity."""
    return current_context.get(None) is not None


def info() -> Info:
    """What the activity can know about itself.

    Raises:
        RuntimeError: Not in an activity.
    """
    return _context().info


def heartbeat(*details: Any) -> None:
    """Say that the activity is alive, and how far it has come. This is also how it learns that it was cancelled.

    Args:
        details: Given to the next attempt, should this one fail.

    Raises:
        CancelledError: In a thread: the activity was cancelled. An async activity is cancelled as any asyncio task is.
        RuntimeError: Not in an activity.
    """
    _context().heartbeat(details)


def is_cancelled() -> bool:
    """Whether the activity was told to stop.

    Raises:
        RuntimeError: Not in an activity.
    """
    return _context().cancellation is not None


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the activity is to stop; None while it is not.

    Raises:
        RuntimeError: Not in an activity.
    """
    return _context().cancellation


async def wait_for_cancelled() -> None:
    """Wait until the activity was told to stop.

    Raises:
        RuntimeError: Not in an activity.
    """
    await _context().wait_for_cancelled()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Wait, in a thread, until the activity was told to stop.

    Args:
        timeout: How long to wait at most, as seconds or a timedelta; None for ever.

    Raises:
        RuntimeError: Not in an activity.
    """
    _context().wait_for_cancelled_sync(timeout.total_seconds() if isinstance(timeout, timedelta) else timeout)


def is_worker_shutdown() -> bool:
    """Whether the engine is being closed.

    Raises:
        RuntimeError: Not in an activity.
    """
    cancellation = _context().cancellation
    return cancellation is not None and cancellation.worker_shutdown


@contextmanager
def shield_thread_cancel_exception() -> Generator[None]:
    """Being cancelled raises nothing inside; it does when the block ends.

    Raises:
        CancelledError: The activity was cancelled meanwhile, and heard of it.
        RuntimeError: Not in an activity.
    """
    with _context().shield():
        yield


def raise_complete_async() -> NoReturn:
    """End the function, but not the activity: somebody will report its end through `Engine.get_async_activity_handle`.

    Raises:
        CompleteAsync: Always.
    """
    raise CompleteAsync("the activity will be completed by somebody else")


def payload_converter() -> PayloadConverter:
    """What converts the activity's values.

    Raises:
        RuntimeError: Not in an activity.
    """
    return _context().payload_converter


def _context() -> Context:
    context = current_context.get(None)
    if context is None:
        raise RuntimeError("not in an activity")
    return context


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Says with every message which activity logs it.

    Attributes:
        activity_info_on_message: Whether to add it to the text.
        activity_info_on_extra: Whether to add it to the record, as `temporal_activity`.
        full_activity_info_on_extra: Whether to add the whole `Info` to the record, as `activity_info`.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.activity_info_on_message = True
        self.activity_info_on_extra = True
        self.full_activity_info_on_extra = False

    @property
    def base_logger(self) -> logging.Logger:
        """The logger underneath."""
        return self.logger

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add who logs."""
        context = current_context.get(None)
        if context is None:
            return msg, kwargs
        info = context.info
        details = {
            "activity_id": info.activity_id,
            "activity_type": info.activity_type,
            "attempt": info.attempt,
            "namespace": info.namespace,
            "task_queue": info.task_queue,
            "workflow_id": info.workflow_id,
            "workflow_run_id": info.workflow_run_id,
            "workflow_type": info.workflow_type,
        }
        extra: dict[str, Any] = {"temporal_activity": details} if self.activity_info_on_extra else {}
        if self.full_activity_info_on_extra:
            extra["activity_info"] = info
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return (f"{msg} ({details})" if self.activity_info_on_message else msg), kwargs


logger = LoggerAdapter(logging.getLogger("playhead_engine.activity"), None)
"""Logs which activity logs."""
