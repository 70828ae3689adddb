"""Rounds: how everything that happens to an engine becomes durable, and only then has effects.

What happens (an activity ended, a timer rang, a client asks something) is posted. A round takes all that was posted,
lets it have its events, runs the workflow tasks that are due, commits the events of all runs in one transaction, and
only then acts on
them: starts activities, sets timers, answers clients. So nothing is ever done that a crash could make undone, and many
    runs
share one transaction. What a round's effects post is taken by the next one.

This module must not know what an event means; the parts it is given do.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from playhead_engine.engine.alarms import Alarm, Alarms
from playhead_engine.engine.chance import Chance
from playhead_engine.engine.clock import Clock
from playhead_engine.engine.runs import LiveRun, Waiter
from playhead_engine.history import Event, HistoryEvent
from playhead_engine.server.moment import Moment
from playhead_engine.server.summaries import summary
from playhead_engine.stores import RunWrite, Store

T = TypeVar("T")

logger = logging.getLogger("playhead_engine.engine")


class EngineStopped(RuntimeError):
    """The engine cannot go on; what was committed is safe, and opening the store again takes it up.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the engine has stopped: {self.reason}"


class Parts(Protocol):
    """What a scheduler leaves to others."""

    def run_task(self, run: LiveRun) -> None:
        """Run the workflow task of a run that is due."""
        ...

    def interrupt_task(self, run: LiveRun) -> None:
        """Complete a workflow task that waits for local activities, so that something new can happen to the run."""
        ...

    def committed(self, run: LiveRun, events: Sequence[Event]) -> None:
        """Do what follows from events that are safe now."""
        ...

    def watch(self) -> None:
        """Set the timeouts of what the rounds before have begun and has not ended yet."""
        ...


class Scheduler:
    """Runs the rounds of one engine.

    Attributes:
        now: The moment of the round.
        clock: What time it is.
        alarms: What is due later.
        parts: Those who know what events mean.
        is_round_due: Whether there will be a round at this instant.
        rounds_with_events: How many rounds have added to some history.
        stopped: Why the engine cannot go on; None if it can.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        """Begin with nothing posted.

        Args:
            store: Where events go.
            clock: What time it is.
            chance: In which order things happen that happen at once.
        """
        self.now = Moment(clock.now_ns())
        self.alarms = Alarms(clock, self._ring)
        self.parts: Parts
        self._store = store
        self.clock = clock
        self._chance = chance
        self._loop: asyncio.AbstractEventLoop | None = None
        # What an activity has in its context is not to be seen by the workflows it sets going.
        self._context = contextvars.copy_context()
        self._posted: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._last: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._due: list[LiveRun] = []
        self._touched: dict[str, LiveRun] = {}
        self._after: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._answers: list[tuple[Waiter, Any]] = []
        self.is_round_due = False
        self.rounds_with_events = 0
        self._waiters: set[Waiter] = set()
        self.stopped: BaseException | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work on this event loop from now on."""
        self._loop = loop
        self.alarms.attach(loop)
        if self._posted or self._due or self._touched:
            self._want_round()

    # Before a round

    def post(self, action: Callable[..., None], *args: Any) -> None:
        """Have something done in the next round."""
        self._posted.append((action, args))
        if not self.is_round_due:
            self._want_round()

    async def ask(self, action: Callable[..., T], *args: Any) -> T:
        """Have something done in the next round, and wait until that is committed.

        Returns:
            What the action returned.

        Raises:
            EngineStopped: The engine cannot go on.
            Exception: What the action raised.
        """
        waiter = self.waiter()
        self.post(self._answer, waiter, action, args)
        result: T = await waiter
        return result

    async def ask_last(self, action: Callable[..., T], *args: Any) -> T:
        """The same, but done when the round's workflow tasks have been run."""
        waiter = self.waiter()
        self._last.append((self._answer, (waiter, action, args)))
        if not self.is_round_due:
            self._want_round()
        result: T = await waiter
        return result

    def waiter(self) -> Waiter:
        """Something to wait for. It gets an error if the engine stops.

        Raises:
            EngineStopped: It has stopped already.
        """
        if self.stopped is not None:
            raise self.stopped
        assert self._loop is not None
        waiter: Waiter = self._loop.create_future()
        self._waiters.add(waiter)
        waiter.add_done_callback(self._waiters.discard)
        return waiter

    def waiters(self) -> list[Waiter]:
        """All who wait for something of the engine and have not been told yet."""
        return [waiter for waiter in self._waiters if not waiter.done()]

    def _want_round(self) -> None:
        if self._loop is not None and self.stopped is None:
            self.is_round_due = True
            self._loop.call_soon(self._round, context=self._context)

    def _ring(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            self.post(alarm.action, *alarm.args)

    # In a round

    def touch(self, run: LiveRun) -> None:
        """The run has something to be committed."""
        self._touched[run.state.run_id] = run

    def want_task(self, run: LiveRun) -> None:
        """The run has a workflow task that is due in this round, or else in the next."""
        if not run.is_waiting:
            run.is_waiting = True
            self._due.append(run)

    def change(self, run: LiveRun) -> None:
        """Something is about to happen to an open run: make way for its events, and see to what follows from them."""
        if run.state.task_started_id:
            self.parts.interrupt_task(run)
        self._touched[run.state.run_id] = run
        if not run.is_waiting:
            run.is_waiting = True
            self._due.append(run)

    def when_committed(self, action: Callable[..., None], *args: Any) -> None:
        """Have something done when this round is committed."""
        self._after.append((action, args))

    def answer(self, waiter: Waiter, result: Any) -> None:
        """Answer somebody when this round is committed. An exception is raised where they wait."""
        self._answers.append((waiter, result))

    def _answer(self, waiter: Waiter, action: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            result = action(*args)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            result = error
        self._answers.append((waiter, result))

    def _round(self) -> None:
        if self.stopped is not None:
            return
        try:
            self._take_posted()
            self._commit()
        except BaseException as error:
            self.stop(error)
            if not isinstance(error, Exception):
                raise

    def _take_posted(self) -> None:
        self.is_round_due = False
        posted, self._posted = self._posted, []
        last, self._last = self._last, []
        ns = self.clock.now_ns()
        if ns != self.now.ns:
            self.now = Moment(ns)
        for action, args in self._chance.order(posted) if len(posted) > 1 else posted:
            action(*args)
        if self._due:
            due, self._due = self._due, []
            run_task = self.parts.run_task
            for run in self._chance.order(due) if len(due) > 1 else due:
                run.is_waiting = False
                run_task(run)
        for action, args in last:
            action(*args)

    def _commit(self) -> None:
        writes: list[RunWrite] = []
        written: list[tuple[LiveRun, Sequence[HistoryEvent]]] = []
        if self._touched:
            touched, self._touched = self._touched, {}
            for run in touched.values():
                write, fresh = _write(run)
                if write is not None:
                    writes.append(write)
                    if fresh:
                        written.append((run, fresh))
        if writes:
            self._store.commit(writes)
            if written:
                self.rounds_with_events += 1
        if self._after:
            after, self._after = self._after, []
            for action, args in after:
                action(*args)
        self.parts.watch()
        for run, fresh in self._chance.order(written) if len(written) > 1 else written:
            self.parts.committed(run, fresh)
        if self._answers:
            self.give_answers()
        if (self._due or self._posted) and not self.is_round_due:
            self._want_round()

    def give_answers(self) -> None:
        """Tell those who asked something in this round. Only when it is committed."""
        answers, self._answers = self._answers, []
        for waiter, result in answers:
            if waiter.done():
                continue
            if isinstance(result, BaseException):
                waiter.set_exception(result)
            else:
                waiter.set_result(result)

    def stop(self, error: BaseException) -> None:
        """Do nothing any more: what is in memory may differ from what is stored."""
        if self.stopped is not None:
            return
        stopped = error if isinstance(error, EngineStopped) else EngineStopped(f"{type(error).__name__}: {error}")
        if stopped is not error:
            stopped.__cause__ = error
            logger.error("%s", stopped, exc_info=error)
        self.stopped = stopped
        self.alarms.detach()
        for waiter in list(self._waiters):
            if not waiter.done():
                waiter.set_exception(stopped)
                waiter.exception()  # whoever waits sees it; who no longer does need not be warned


def _write(run: LiveRun) -> tuple[RunWrite | None, Sequence[HistoryEvent]]:
    """What the store must be given of a run, and the events in it."""
    state = run.state
    batch = state.take_fresh()
    events = batch.events
    pending = None
    if state.pending_changed:
        state.pending_changed = False
        pending = state.pending_record
    if not events and pending is None and not state.summary_changed:
        return None, events
    info = None
    if state.summary_changed:
        state.summary_changed = False
        info = summary(state)
    first = events[0].event_id if events else 0
    return RunWrite(state.run_id, first, batch.raw, info, pending, batch.encoded), events
