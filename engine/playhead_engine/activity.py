"""The API of activities, under the names of Temporal's Python SDK: `from playhead_engine import activity`.

Inside an activity these functions speak to whoever runs it, through a context that is set for the attempt. This module
must not know how activities are scheduled, retried or recorded.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, overload

from playhead_engine.common import Priority, RetryPolicy
from playhead_engine.definitions import ACTIVITY, ActivityDefinition, annotated_types, takes_only_raw_values
from playhead_engine.exceptions import CancelledError

__all__ = [
    "ActivityCancellationDetails",
    "Context",
    "Info",
    "LoggerAdapter",
    "cancellation_details",
    "current",
    "defn",
    "heartbeat",
    "in_activity",
    "info",
    "is_cancelled",
    "logger",
    "shield_thread_cancel_exception",
    "wait_for_cancelled",
    "wait_for_cancelled_sync",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def defn(fn: _Function) -> _Function: ...


@overload
def defn(
    *, name: str | None = None, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Callable[[_Function], _Function]: ...


def defn(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> Any:
    """Make a function, a method, or a class with `__call__`, an activity.

    Args:
        fn: What to decorate, if the decorator is used without arguments.
        name: Type of the activity; the function's name if not given. Goes not together with `dynamic`.
        no_thread_cancel_exception: Do not raise in `heartbeat` when an activity that runs in a thread is cancelled.
        dynamic: Take every activity that no other does. The function takes one `Sequence[RawValue]`.

    Raises:
        RuntimeError: Name and `dynamic` are both given, or a dynamic activity takes something else.
    """

    def decorate(decorated: _Function) -> _Function:
        define(decorated, name=name, dynamic=dynamic, no_thread_cancel_exception=no_thread_cancel_exception)
        return decorated

    return decorate if fn is None else decorate(fn)


def define(
    fn: Callable[..., Any], *, name: str | None = None, dynamic: bool = False, no_thread_cancel_exception: bool = False
) -> ActivityDefinition:
    """Write the definition onto a function, and return it."""
    if name is not None and dynamic:
        raise RuntimeError("a dynamic activity takes any name: give `name` or `dynamic`, not both")
    arg_types, ret_type = annotated_types(fn)
    if dynamic and not takes_only_raw_values(arg_types):
        raise RuntimeError("a dynamic activity must take one argument, of type Sequence[RawValue]")
    called = fn if inspect.isroutine(fn) else getattr(fn, "__call__", fn)  # noqa: B004 - its type decides, not its being there
    definition = ActivityDefinition(
        None if dynamic else name or getattr(fn, "__name__", type(fn).__name__),
        fn,
        arg_types,
        ret_type,
        inspect.iscoroutinefunction(called),
        dynamic,
    )
    setattr(fn, ACTIVITY, definition)
    if no_thread_cancel_exception:
        setattr(fn, NO_THREAD_CANCEL_EXCEPTION, True)
    return definition


NO_THREAD_CANCEL_EXCEPTION = "__playhead_no_thread_cancel_exception__"


@dataclass(frozen=True)
class Info:
    """What an attempt at an activity may know of itself. Fields are those of Temporal's SDK."""

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
    workflow_id: str | None
    workflow_namespace: str | None
    workflow_run_id: str | None
    workflow_type: str | None
    priority: Priority
    retry_policy: RetryPolicy | None


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why an attempt was cancelled."""

    not_found: bool = False
    cancel_requested: bool = False
    paused: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False


@dataclass
class Context:
    """The attempt that runs in this task or thread.

    Attributes:
        info: What it may know of itself.
        beat: Takes the values of a heartbeat; called on whatever thread the activity runs.
        raises_in_thread: Whether `heartbeat` raises in a thread once the activity is cancelled.
        cancelled: Set when it is cancelled, for threads.
        details: Why it was cancelled.
    """

    info: Info
    beat: Callable[[tuple[Any, ...]], None]
    raises_in_thread: bool = True
    cancelled: threading.Event = field(default_factory=threading.Event)
    details: ActivityCancellationDetails | None = None
    is_shielded: bool = False
    _waiters: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])

    def cancel(self, details: ActivityCancellationDetails) -> None:
        """Let the attempt know, on the event loop's thread, that nobody wants it any more."""
        self.details = details
        self.cancelled.set()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self) -> None:
        """Return when it is cancelled."""
        if not self.cancelled.is_set():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter


_current: ContextVar[Context] = ContextVar("playhead_activity")


def current() -> Context:
    """The attempt that runs here.

    Raises:
        RuntimeError: None does.
    """
    context = _current.get(None)
    if context is None:
        raise RuntimeError("not in an activity: this only works in code that the engine runs as one")
    return context


def enter(context: Context) -> None:
    """Make an attempt the current one, in this task or thread."""
    _current.set(context)


def in_activity() -> bool:
    """Whether this code runs as an activity."""
    return _current.get(None) is not None


def info() -> Info:
    """What this attempt may know of itself.

    Raises:
        RuntimeError: No activity runs here.
    """
    return current().info


def heartbeat(*details: Any) -> None:
    """Say that the activity is alive and how far it has come; the next attempt finds it in `info().heartbeat_details`.

    Raises:
        CancelledError: In an activity that runs in a thread, once it is cancelled.
        RuntimeError: No activity runs here.
    """
    context = current()
    context.beat(details)
    if context.cancelled.is_set() and context.raises_in_thread and not context.is_shielded and not _on_a_loop():
        raise CancelledError("Cancelled")


def is_cancelled() -> bool:
    """Whether this activity was cancelled."""
    return current().cancelled.is_set()


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why this activity was cancelled; None if it was not."""
    return current().details


async def wait_for_cancelled() -> None:
    """Return when this activity is cancelled."""
    await current().wait()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Return when this activity, which runs in a thread, is cancelled, or after a time.

    Args:
        timeout: How long to wait, in seconds or as a timedelta; None for as long as it takes.
    """
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    current().cancelled.wait(seconds)


@contextmanager
def shield_thread_cancel_exception() -> Iterator[None]:
    """Within this block `heartbeat` does not raise in a thread; it does at the end of the block."""
    context = current()
    context.is_shielded = True
    try:
        yield
    finally:
        context.is_shielded = False
    if context.cancelled.is_set() and context.raises_in_thread:
        raise CancelledError("Cancelled")


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the activity and its workflow to each record, as text and in `record.temporal_activity`."""

    activity_info_on_message: bool = True
    activity_info_on_extra: bool = True

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Called by `logging` for every record."""
        context = _current.get(None)
        if context is None:
            return msg, kwargs
        known = context.info
        about = {
            "activity_id": known.activity_id,
            "activity_type": known.activity_type,
            "attempt": known.attempt,
            "namespace": known.namespace,
            "task_queue": known.task_queue,
            "workflow_id": known.workflow_id,
            "workflow_run_id": known.workflow_run_id,
            "workflow_type": known.workflow_type,
        }
        if self.activity_info_on_message:
            msg = f"{msg} ({about})"
        if self.activity_info_on_extra:
            kwargs["extra"] = {**(kwargs.get("extra") or {}), "temporal_activity": about}
        return msg, kwargs


logger = LoggerAdapter(logging.getLogger(__name__), {})
"""A logger that says which activity speaks."""


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
