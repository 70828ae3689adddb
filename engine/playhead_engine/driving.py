"""Lets an engine run: on a loop of its own, or on the one its caller runs.

With the real clock and async callers the engine simply lives on their loop. With a virtual clock, or from sync code, it has
its own `EngineLoop`; async callers then run it in slices within their own loop's turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from playhead_engine.clock import Clock
from playhead_engine.event_loop import EngineLoop

_T = TypeVar("_T")

_PAUSE_SECONDS = 0.001
"""How long to leave the caller's loop alone when the engine waits for the outside world."""


class LoopDriver:
    """See `operation.Driver`.

    Args:
        clock: The engine's clock.
        awaits_outside: Whether a thread may still wake the engine.
        on_standstill: Called when nothing will ever happen again by itself.
    """

    def __init__(self, clock: Clock, awaits_outside: Callable[[], bool], on_standstill: Callable[[], None]) -> None:
        self._clock = clock
        self._awaits_outside = awaits_outside
        self._on_standstill = on_standstill
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop the engine lives on; chosen when it is first needed."""
        if self._loop is None:
            outer = asyncio._get_running_loop()
            if outer is not None and not self._clock.is_virtual:
                self._loop = outer
            else:
                self._loop = EngineLoop(self._clock, self._awaits_outside, self._on_standstill)
        return self._loop

    def call_at(self, due_ns: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call something at a time of the clock, in nanoseconds since the epoch."""
        loop = self.loop
        if isinstance(loop, EngineLoop):
            return loop.call_at(loop.seconds_at(due_ns), callback)
        return loop.call_later(max(due_ns - self._clock.now_ns(), 0) / 1e9, callback)

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine to its end, from sync code."""
        if asyncio._get_running_loop() is not None:
            coroutine.close()
            raise RuntimeError("an event loop runs in this thread: await the operation instead of calling wait()")
        loop = self.loop
        if not isinstance(loop, EngineLoop):
            coroutine.close()
            raise RuntimeError("this engine lives on the event loop of its first async caller: await its operations")
        return loop.run_until_complete(coroutine)

    def drive(self, coroutine: Coroutine[Any, Any, _T]) -> Awaitable[_T]:
        """Run a coroutine to its end, from async code."""
        loop, outer = self.loop, asyncio.get_running_loop()
        if loop is outer:
            return coroutine
        if isinstance(loop, EngineLoop) and not loop.is_running():
            return _in_slices(loop, coroutine)
        coroutine.close()
        raise RuntimeError("this engine lives on another event loop, which its first async caller ran")

    def close(self) -> None:
        """Give the loop back, if it is the engine's own."""
        loop = self._loop
        if isinstance(loop, EngineLoop) and not loop.is_closed() and not loop.is_running():
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


async def _in_slices(loop: EngineLoop, coroutine: Coroutine[Any, Any, _T]) -> _T:
    task = loop.create_task(coroutine)
    try:
        while not task.done():
            had_to_wait = loop.run_slice(task)
            if not task.done():
                await asyncio.sleep(_PAUSE_SECONDS if had_to_wait else 0)
    except BaseException:
        task.cancel()
        while not task.done():
            loop.run_slice(task)
        raise
    return task.result()
