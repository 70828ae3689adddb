"""Stopping tasks where they wait, as the end of a process stops them: nothing in them runs any more.

asyncio can only cancel a task, which runs its `except` and `finally`; a process that ends runs neither. So whatever
would wake the task up is taken away from it, and the task is left as it is, with the tasks that it made. All that is
private in asyncio and touched for this is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Context
from typing import Any, Final

from playhead_engine.activity import current_context

_WAKES_SLEEPERS: Final[Any] = vars(asyncio.futures)["_set_result_unless_cancelled"]


def stop(loop: asyncio.AbstractEventLoop, attempts: Iterable[Any]) -> list[asyncio.Task[Any]]:
    """Stop what runs for some attempts at activities, in their tasks and in those that these made.

    Args:
        loop: The event loop.
        attempts: The attempts, as `activity.current_context` holds them, each with its `task`.

    Returns:
        The tasks. Whoever drops the last of them has Python run what is in their `finally`; see `bury`.
    """
    found = set(attempts)
    tasks = {attempt.task for attempt in found if attempt.task is not None}
    stopped: set[Any] = set()
    inside: Any = loop

    def is_theirs(task: Any, context: Context | None) -> bool:
        return task in tasks or (context is not None and context.get(current_context, None) in found)

    for handle in [*inside._ready]:
        task = _task_of(handle._callback)
        if task is not None and not handle._cancelled and is_theirs(task, handle._context):
            handle.cancel()
            stopped.add(task)
    awaited: set[Any] = set()
    for task in asyncio.all_tasks(loop):
        waits_for: Any = task._fut_waiter  # type: ignore[attr-defined]
        if waits_for is None:
            continue
        for callback, context in waits_for._callbacks or ():
            if _task_of(callback) is task and is_theirs(task, context):
                waits_for.remove_done_callback(callback)
                awaited.add(waits_for)
                stopped.add(task)
    for timer in inside._scheduled:
        if timer._callback is _WAKES_SLEEPERS and timer._args[0] in awaited:
            timer.cancel()
    for task in stopped:
        task._log_destroy_pending = False
    return list(stopped)


def bury(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Be done with stopped tasks. Python has no way of it but that they run their `finally` now."""
    for task in tasks:
        coroutine: Any = task.get_coro()
        # What a coroutine does that does not want to end is nobody's concern: to the engine it ended long ago.
        with suppress(Exception):
            coroutine.close()


def _task_of(callback: Callable[..., Any]) -> asyncio.Task[Any] | None:
    """The task that a callback begins or goes on with; None if it is about something else."""
    task = getattr(callback, "__self__", None)
    return task if isinstance(task, asyncio.Task) else None
