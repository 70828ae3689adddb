"""Who runs attempts: as tasks of the event loop, or in threads.

Threads are as fast as the machine lets them be. Under the virtual clock what they bring is handed in in the order in
which they were started, and the clock stands still while one of them works. This module must not know what an attempt
comes to.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from playhead_engine.activity import ActivityCancellationDetails
from playhead_engine.engine.attempts import Attempt, Outcome
from playhead_engine.engine.wire import Wire

_THREADS: Final = 100
"""Threads for activities that are not async, unless the user brings an executor."""


class AttemptRunner:
    """Runs attempts."""

    def __init__(self, wire: Wire, executor: Executor | None, *, is_real: bool) -> None:
        """Begin without any.

        Args:
            wire: Converts values.
            executor: Where activities that are not async run; a pool of threads of its own if None.
            is_real: Whether outcomes of threads are handed in when they come. Under the virtual clock they wait for
                each other, so that their order does not depend on how fast each thread is.

        Raises:
            ValueError: The executor runs what it is given in other processes.
        """
        pools = sys.modules.get("concurrent.futures.process")
        if pools is not None and isinstance(executor, pools.ProcessPoolExecutor):
            raise ValueError(
                "activities cannot run in other processes, where the engine could neither hear nor stop them: give a "
                "ThreadPoolExecutor, and let the activity itself use a pool of processes"
            )
        self.wire = wire
        self.is_real = is_real
        self.loop: asyncio.AbstractEventLoop
        self._executor = executor
        self._own_executor: Executor | None = None
        self._started = 0
        self._in_tasks: set[Attempt] = set()
        self._in_threads: set[Attempt] = set()
        self._brought: list[tuple[Attempt, Callable[[], None]]] = []
        self.order: Callable[[list[Any]], list[Any]] = list

    def start(self, attempt: Attempt) -> None:
        """Run an attempt."""
        self._started += 1
        attempt.number = self._started
        if attempt.definition.is_async:
            self._in_tasks.add(attempt)
            attempt.task = self.loop.create_task(attempt.run())
        else:
            self._in_threads.add(attempt)
            self.executor.submit(contextvars.copy_context().run, self._run_in_thread, attempt)

    def in_thread(self, attempt: Attempt, call: Callable[[], Any], executor: Executor) -> asyncio.Future[Any]:
        """Have a thread call something for an attempt that itself runs on the event loop.

        Args:
            attempt: For whom.
            call: What to call, in a copy of the current context.
            executor: Where.
        """
        ended: asyncio.Future[Any] = self.loop.create_future()

        def work() -> None:
            result, error = None, None
            try:
                result = call()
            except BaseException as raised:  # noqa: BLE001 - raised again where the future is awaited
                error = raised
            self._bring(attempt, partial(_settle, ended, result, error))

        self._in_threads.add(attempt)
        executor.submit(contextvars.copy_context().run, work)
        return ended

    def in_flight(self) -> int:
        """How many threads are at work and do not wait for the engine."""
        return sum(1 for attempt in self._in_threads if not (attempt.is_parked or attempt.is_over))

    def deliver(self) -> bool:
        """Hand in what threads have brought; False if they brought nothing."""
        brought, self._brought = self._brought, []
        brought.sort(key=lambda one: one[0].number)
        for _, hand_in in self.order(brought):
            hand_in()
        return bool(brought)

    def park(self, attempt: Attempt) -> None:
        """The attempt's thread is about to wait for the engine, so the engine must not wait for it. Whoever wakes the
        thread says so by `is_parked`, on the event loop, before it does."""
        attempt.is_parked = True
        self.loop.call_soon_threadsafe(_nothing)

    @property
    def is_busy(self) -> bool:
        """Whether anything runs, even if nobody is interested in it any more."""
        return bool(self._in_threads) or any(one.task and not one.task.done() for one in self._in_tasks)

    def stop(self) -> list[asyncio.Task[None]]:
        """Tell all attempts to stop, and start no more threads; those at work are left to themselves.

        Returns:
            The tasks that have been cancelled and have not ended yet.
        """
        for attempt in (*self._in_tasks, *self._in_threads):
            attempt.is_over = True
            attempt.request_cancel(ActivityCancellationDetails(worker_shutdown=True), at_once=True)
        if self._own_executor is not None:
            self._own_executor.shutdown(wait=False, cancel_futures=True)
        return [attempt.task for attempt in self._in_tasks if attempt.task is not None]

    def abandon(self) -> None:
        """Nobody is interested in anything that runs: the process that it ran for is gone."""
        for attempt in (*self._in_tasks, *self._in_threads):
            attempt.is_over = True

    @property
    def executor(self) -> Executor:
        """Where activities that are not async run."""
        if self._executor is not None:
            return self._executor
        if self._own_executor is None:
            self._own_executor = ThreadPoolExecutor(_THREADS, "playhead-activity")
        return self._own_executor

    def task_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt that ran on the event loop hands in what it came to."""
        attempt.task = None
        self._in_tasks.discard(attempt)
        attempt.owner.on_ended(attempt, outcome)

    def _run_in_thread(self, attempt: Attempt) -> None:
        outcome = attempt.run_in_thread()
        self._bring(attempt, partial(attempt.owner.on_ended, attempt, outcome))

    def _bring(self, attempt: Attempt, hand_in: Callable[[], None]) -> None:
        # The loop is closed if the engine was closed meanwhile; then nobody waits for the outcome.
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._thread_ended, attempt, hand_in)

    def _thread_ended(self, attempt: Attempt, hand_in: Callable[[], None]) -> None:
        self._in_threads.discard(attempt)
        self._brought.append((attempt, hand_in))
        if self.is_real:
            self.deliver()


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # whoever awaited it was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _nothing() -> None:
    """Wakes the event loop."""
