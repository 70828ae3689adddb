"""Who turns the engine's event loop.

Under the virtual clock, and for callers that are not async, the engine has a loop of its own that turns only while
somebody waits for an operation: until the operation is done, or, from async code, in slices between the turns of the
caller's loop. Under the real clock async callers lend the engine their own loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from playhead_engine.engine.clock import VirtualClock
from playhead_engine.engine.loop import EngineLoop, Idleness
from playhead_engine.engine.wire import settle

T = TypeVar("T")

_POLL_SECONDS = 0.001
"""How often to look for what threads have brought while the caller's loop waits."""


class Host(Protocol):
    """What a driver must know of its engine."""

    clock: Any
    patience: float
    is_closed: bool

    def make_loop(self) -> EngineLoop:
        """A loop of the engine's own."""
        ...

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work on this loop."""
        ...

    def stuck(self) -> None:
        """Nothing can ever happen again: tell those who wait."""
        ...

    def from_thread(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> Callable[[], Coroutine[Any, Any, T]]:
        """The calling thread is about to wait for this, so the engine must not wait for the thread meanwhile."""
        ...


class Driver:
    """Runs the operations of one engine."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop: asyncio.AbstractEventLoop | None = None
        self._own: EngineLoop | None = None
        self._thread = threading.current_thread()  # the store's as well, from the start
        self._open = 0
        self._slicing: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop the engine works on."""
        return self._own or self._loop or self._bind_own()

    async def run(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something on the engine's loop, from async code."""
        if self._host.is_closed:
            return await begin()
        caller = asyncio.get_running_loop()
        if self._loop is None:
            if isinstance(self._host.clock, VirtualClock):
                self._bind_own()
            else:
                self._bind(caller)
        if caller is self._loop:
            return await begin()
        if self._own is None:
            raise RuntimeError(
                "this engine works on another event loop, which it was first used on; make one engine for each loop"
            )
        if self._own.is_running():
            raise RuntimeError("this engine is being used from another thread; make one engine for each thread")
        self._check_thread()
        try:
            return await self._run_in_slices(self._own, begin)
        finally:
            self._close_if_over()

    def run_sync(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something on the engine's loop, from code that is not async.

        Raises:
            RuntimeError: Called from async code.
        """
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("wait() was called from async code, which it would block: await the operation instead")
        if self._host.is_closed:
            return settle(begin)  # it will only say so
        loop = self._loop or self._bind_own()
        if loop.is_running():
            # A thread of an activity, or one of the user's.
            return asyncio.run_coroutine_threadsafe(self._host.from_thread(begin)(), loop).result()
        if self._own is None:
            raise RuntimeError("this engine works on an event loop that is not running; await the operation there")
        self._check_thread()
        task = self._own.create_task(begin())
        try:
            return self._own.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()  # nobody waits for it any more
            raise
        finally:
            self._close_if_over()

    def run_at_once(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something that waits for nothing, wherever it is asked for."""
        self._check_thread()
        try:
            return settle(begin)
        finally:
            self._close_if_over()

    def _check_thread(self) -> None:
        """Refuse before anything has happened: the store would only notice in the middle of it.

        Raises:
            RuntimeError: This is not the thread in which the engine was made.
        """
        if threading.current_thread() is not self._thread:
            raise RuntimeError(
                f"this engine belongs to the thread that made it, {self._thread.name!r}; another thread can use it "
                "only while that one waits for it. Make one engine for each thread"
            )

    def _close_if_over(self) -> None:
        """Give the loop back when the engine was closed on it."""
        if self._host.is_closed and self._own is not None and not self._own.is_running():
            self._own.close()

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._host.attach(loop)

    def _bind_own(self) -> EngineLoop:
        if self._own is None:
            self._own = self._host.make_loop()
            self._bind(self._own)
        return self._own

    # Slices

    async def _run_in_slices(self, own: EngineLoop, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        caller = asyncio.get_running_loop()
        task = own.create_task(begin())
        # Most operations are done at once, and need nobody else to drive them; meanwhile the caller's loop must turn.
        while not task.done() and self._slicing is None and self._slice(own) is Idleness.BUSY:
            await asyncio.sleep(0)
        if not task.done():
            done: asyncio.Future[None] = caller.create_future()
            task.add_done_callback(lambda _: _tell(done))
            self._open += 1
            if self._slicing is None:
                self._slicing = caller.create_task(self._drive(own))
            try:
                await done
            finally:
                self._open -= 1
                if not task.done():
                    task.cancel()
                    self._slice(own)
                elif not task.cancelled():
                    task.exception()  # whoever awaited it may have been cancelled; then nobody asks
        return task.result()

    async def _drive(self, own: EngineLoop) -> None:
        """Turn the engine's loop for as long as somebody awaits an operation."""
        quiet = 0.0
        try:
            while self._open:
                began = time.monotonic()
                idleness = self._slice(own)
                if not self._open:
                    return
                if idleness is not Idleness.STUCK:
                    quiet = 0.0
                # Whatever the caller's tasks want to do at this instant, they do before time moves.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                if own.has_ready() or idleness is Idleness.BUSY or own.deliver():
                    continue
                if idleness is Idleness.WAITS_FOR_TIME:
                    own.jump()
                elif idleness is Idleness.WAITS_OUTSIDE:
                    await asyncio.sleep(_POLL_SECONDS)
                    own.waited_outside(time.monotonic() - began)
                elif quiet >= self._host.patience or not self._others_run():
                    self._host.stuck()
                    quiet = 0.0
                else:
                    # Some other task of the caller's may be about to do something for the engine.
                    await asyncio.sleep(_POLL_SECONDS)
                    quiet += time.monotonic() - began
        finally:
            self._slicing = None

    def _others_run(self) -> bool:
        """Whether the caller's loop has tasks that do not just await operations."""
        return len(asyncio.all_tasks()) > self._open + 1

    def _slice(self, own: EngineLoop) -> Idleness:
        """Run the engine's loop inside the caller's, as if the caller's were not running."""
        caller = asyncio._get_running_loop()
        task = asyncio.current_task(caller) if caller is not None else None
        if caller is not None and task is not None:
            asyncio.tasks._leave_task(caller, task)
        asyncio._set_running_loop(None)
        try:
            return own.run_slice()
        finally:
            asyncio._set_running_loop(caller)
            if caller is not None and task is not None:
                asyncio.tasks._enter_task(caller, task)


def _tell(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
