"""`wait` and `as_completed` that are the same in every replay.

asyncio's own put what they are given into sets, whose order is that of memory addresses for coroutines. Ours take as
many turns of the event loop as asyncio's, and keep the order of the arguments.
"""

from __future__ import annotations

import asyncio
import functools
from asyncio import _get_running_loop, tasks  # pyright: ignore[reportPrivateUsage] - the public one raises without a loop
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from playhead_engine.native.loop import WorkflowLoop

_T = TypeVar("_T")
_F = TypeVar("_F", bound=asyncio.Future[Any])


async def wait(
    fs: Iterable[_F],
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - asyncio's own signature
    return_when: str = asyncio.ALL_COMPLETED,
) -> tuple[list[_F], list[_F]]:
    """Wait for tasks or futures, as `asyncio.wait` does, but in order.

    Args:
        fs: What to wait for, at least one; no coroutines.
        timeout: How long at most, in seconds.
        return_when: `asyncio.FIRST_COMPLETED`, `FIRST_EXCEPTION` or `ALL_COMPLETED`.

    Returns:
        Those that are done and those that are not, each in the order in which they were given.

    Raises:
        TypeError: It is not an iterable, or holds coroutines.
        ValueError: There is nothing to wait for, or `return_when` is something else.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"wait takes several tasks, not one {type(fs).__name__}")
    futures = list(fs)
    if not futures:
        raise ValueError("there is nothing to wait for")
    if any(asyncio.iscoroutine(future) for future in futures):
        raise TypeError("wait takes tasks, not coroutines: wrap them in asyncio.create_task")
    if return_when not in (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED):
        raise ValueError(f"return_when must be one of asyncio's constants, got {return_when!r}")
    loop = asyncio.get_running_loop()
    enough: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(timeout, _release, enough) if timeout is not None else None
    left = len(futures)

    def on_done(future: asyncio.Future[Any]) -> None:
        nonlocal left
        left -= 1
        is_error = not future.cancelled() and future.exception() is not None
        if left == 0 or return_when == asyncio.FIRST_COMPLETED or (return_when == asyncio.FIRST_EXCEPTION and is_error):
            if timer is not None:
                timer.cancel()
            _release(enough)

    for future in futures:
        future.add_done_callback(on_done)
    try:
        await enough
    finally:
        if timer is not None:
            timer.cancel()
        for future in futures:
            future.remove_done_callback(on_done)
    return [future for future in futures if future.done()], [future for future in futures if not future.done()]


def _release(enough: asyncio.Future[None]) -> None:
    if not enough.done():
        enough.set_result(None)


def as_completed(fs: Iterable[Awaitable[_T]], *, timeout: float | None = None) -> Iterator[Awaitable[_T]]:
    """Await the results in the order in which they come, as `asyncio.as_completed` does.

    Args:
        fs: Coroutines, tasks or futures; they are started in this order.
        timeout: How long at most, in seconds; what is awaited then raises `asyncio.TimeoutError`.

    Raises:
        TypeError: It is not an iterable of awaitables.
    """
    if asyncio.isfuture(fs) or asyncio.iscoroutine(fs):
        raise TypeError(f"as_completed takes several awaitables, not one {type(fs).__name__}")
    loop = asyncio.get_running_loop()
    pending: list[asyncio.Future[_T]] = [asyncio.ensure_future(awaitable, loop=loop) for awaitable in fs]
    done: asyncio.Queue[asyncio.Future[_T] | None] = asyncio.Queue()
    timer: asyncio.TimerHandle | None = None

    def on_timeout() -> None:
        for future in pending:
            future.remove_done_callback(on_done)
            done.put_nowait(None)
        pending.clear()

    def on_done(future: asyncio.Future[_T]) -> None:
        if not pending:
            return  # the time is up
        pending.remove(future)
        done.put_nowait(future)
        if not pending and timer is not None:
            timer.cancel()

    async def next_result() -> _T:
        future = await done.get()
        if future is None:
            raise TimeoutError
        return future.result()

    for future in pending:
        future.add_done_callback(on_done)
    if pending and timeout is not None:
        timer = loop.call_later(timeout, on_timeout)
    for _ in range(len(pending)):
        yield next_result()


_asyncio_as_completed = tasks.as_completed


@functools.wraps(_asyncio_as_completed)
def _as_completed_anywhere(fs: Iterable[Awaitable[_T]], *, timeout: float | None = None) -> Any:
    if type(_get_running_loop()) is WorkflowLoop:
        return as_completed(fs, timeout=timeout)
    return _asyncio_as_completed(fs, timeout=timeout)


def make_as_completed_deterministic() -> None:
    """Let `asyncio.as_completed` keep the order of its arguments when workflow code calls it.

    It starts coroutines in the order of a set of them, which is that of their addresses: the one thing in asyncio
    that an event loop cannot make deterministic. Outside of workflows nothing changes.
    """
    replacement = cast(Callable[..., Any], _as_completed_anywhere)
    for module in (asyncio, tasks):
        setattr(module, "as_completed", replacement)  # noqa: B010 - a function of the standard library, on purpose
