"""The engine behind the API: makes its parts and puts them together.

driving -> loop       who turns the event loop
scheduler             rounds: what happened, workflow tasks, one commit, effects
workflow_tasks        runs workflow code, by the same rules as a replay
activities, attempts  run activities        local_activities  those inside workflow tasks
neighbours            what runs do to each other
effects               what follows from committed events; what a crash left pending
desk, conversation    requests of clients: JSON, and values
seams                 where faults can get in

All of it but the driver, the conversation, the switchboard, the store and the clock is what a process loses when it
ends, and `_begin_process` makes it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from playhead_engine.activity import current_context
from playhead_engine.engine.activities import Activities
from playhead_engine.engine.async_activity import Switchboard
from playhead_engine.engine.attempts import Attempt
from playhead_engine.engine.chance import Chance
from playhead_engine.engine.clock import Clock, VirtualClock
from playhead_engine.engine.code import Code
from playhead_engine.engine.conversation import Conversation
from playhead_engine.engine.desk import Desk
from playhead_engine.engine.driving import Driver
from playhead_engine.engine.effects import Effects
from playhead_engine.engine.limits import Limits
from playhead_engine.engine.local_activities import LocalActivities
from playhead_engine.engine.loop import EngineLoop
from playhead_engine.engine.neighbours import Neighbours
from playhead_engine.engine.runs import Runs
from playhead_engine.engine.scheduler import EngineStopped, Scheduler
from playhead_engine.engine.seams import Seams
from playhead_engine.engine.waiting import Knows, nothing_due
from playhead_engine.engine.workflow_tasks import WorkflowTasks
from playhead_engine.stores import Store

T = TypeVar("T")

_STOPPING_SECONDS: Final = 10
"""How long activities have to stop when the engine is closed."""


class Core:
    """One engine's parts.

    Attributes:
        clock: What time it is.
        patience: How long the virtual clock stands still for what happens outside it, in seconds.
        driver: Runs operations.
        conversation: What clients say.
        desk: Where it goes.
        switchboard: Where ends of activities are reported by others.
        wires: Convert values.
        new_id: Makes ids.
        scheduler: The rounds; like `runs`, `runner`, `activities`, `effects` and `desk` it is the present process's.
        runs: The runs in memory.
        runner: Runs attempts.
        activities: Activities under way.
        effects: What follows from events.
        is_closed: Whether it was closed.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chance: Chance,
        code: Code,
        limits: Limits,
        *,
        executor: Executor | None,
        max_cached: int,
        identity: str,
        patience: float,
        assume_delivery: bool,
        seams: Seams,
    ) -> None:
        """Make the parts, and take up the runs that the store holds.

        Args:
            store: Where histories are kept.
            clock: What time it is.
            chance: Ids, and the order of what happens at once.
            code: What there is code for, and what converts its values.
            limits: How long a history may become.
            executor: Where activities that are not async run; threads of the engine's own if None.
            max_cached: How many runs to keep the workflow code of in memory.
            identity: What histories say who did it.
            patience: How long the virtual clock stands still for what happens outside it, in seconds.
            assume_delivery: Whether what is sent to workflows that are not here counts as delivered.
            seams: Where faults can get in.
        """
        self.clock = seams.clock(clock)
        self.patience = patience
        self.is_closed = False
        self._store = seams.store(store)
        self._chance = chance
        self.new_id = chance.new_id
        self._code = code
        self._limits = limits
        self._executor = executor
        self._max_cached = max_cached
        self._identity = identity
        self._assume_delivery = assume_delivery
        self._seams = seams
        self._knows = Knows(
            lambda name: self._code.runtime_of(name) is not None,
            lambda name: self._code.registry.find(name) is not None,
            lambda: self._code.registry.names(),
        )
        self._begin_process()
        self.driver = Driver(self)
        self.conversation = Conversation(self.driver, self.desk, code.wires, self._knows)
        self.switchboard = Switchboard(self.driver, self.desk, self.runs, self.activities, code.wires.clients)

    def _begin_process(self) -> None:
        """Make all that is in memory only, and take up the runs that the store holds."""
        store, clock, chance, seams = self._store, self.clock, self._chance, self._seams
        code, identity = self._code, self._identity
        is_virtual = isinstance(clock, VirtualClock)
        self.wires = wires = code.wires
        registry = code.registry
        self.runs = runs = Runs(store, self._max_cached)
        latest_ns = runs.restore()
        if runs.count:
            chance.go_on(runs.mark())
        if isinstance(clock, VirtualClock):
            clock.move_to(latest_ns)
        self.scheduler = scheduler = Scheduler(store, clock, chance)
        self.runner = runner = seams.runner(wires.native, self._executor, is_real=not is_virtual)
        runner.order = chance.order
        self.activities = Activities(scheduler, runner, registry, identity)
        local_activities = LocalActivities(scheduler, runner, registry)
        neighbours = Neighbours(scheduler, runs, chance.new_id, identity, assume_delivery=self._assume_delivery)
        self.effects = effects = Effects(
            scheduler, self.activities, local_activities, neighbours, self._limits, identity
        )
        scheduler.parts = work = seams.work(effects)
        tasks = WorkflowTasks(
            scheduler, runs, store, wires.native, code.runtime_of, work, chance.new_id, identity, parks=is_virtual
        )
        effects.tasks = local_activities.tasks = tasks
        self.desk = seams.desk(Desk(scheduler, runs, store, neighbours, tasks, chance.new_id, identity))

    # For faults

    def end_process(self, why: EngineStopped) -> None:
        """All that is in memory is gone: nothing of it does anything any more. What the store holds stays.

        Args:
            why: What those get who wait for something.
        """
        self.scheduler.stop(why)
        self.runner.abandon()
        self.runs.forget_all_code()

    def begin_process(self, code: Code | None) -> None:
        """Another process takes over the store and the event loop.

        Args:
            code: Its code; that of the process before if None.
        """
        if self.is_closed:
            return
        if code is not None:
            self._code = code
        self._begin_process()
        self.conversation.wires = self.wires
        self.switchboard.connect(self.runs, self.activities)
        self.attach(self._loop)

    # For the driver and its loop

    def make_loop(self) -> EngineLoop:
        return EngineLoop(self.clock, self, self.patience)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._seams.attached(self, loop)
        self.runner.loop = loop
        self.activities.calls_watch = not isinstance(loop, EngineLoop)
        for run in self.runs.open_runs():
            self.effects.resume(run)
        self.scheduler.attach(loop)

    def in_flight(self) -> int:
        return self.runner.in_flight()

    def next_alarm_ns(self) -> int | None:
        return self.scheduler.alarms.next_ns()

    def about_to_wait(self) -> None:
        self.activities.watch()

    def deliver(self) -> bool:
        return self.runner.deliver()

    def from_thread(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> Callable[[], Coroutine[Any, Any, T]]:
        attempt = current_context.get(None)
        if not isinstance(attempt, Attempt):
            return begin

        async def do() -> T:
            try:
                return await begin()
            finally:
                attempt.is_parked = False

        self.runner.park(attempt)
        return do

    def stuck(self) -> None:
        """Tell all who wait that nothing can ever happen again."""
        awaited = [run for run in self.runs.open_runs() if run.waiters()]
        for run in awaited:
            for waiter in run.waiters():
                waiter.set_exception(nothing_due(run, awaited, self._knows))
        for waiter in self.scheduler.waiters():
            waiter.set_exception(EngineStopped("nothing is ready and nothing is due"))

    # The end

    async def close(self) -> None:
        """Stop what runs, and give everything back."""
        if self.is_closed:
            return
        self.is_closed = True
        self.scheduler.stop(EngineStopped("it was closed"))
        tasks = self.runner.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOPPING_SECONDS)
        self.runs.forget_all_code()
        self._store.close()
        if self._code.plugins is not None:
            self._code.plugins.end()
        self._seams.closed()

    def close_at_once(self) -> bool:
        """Close, if nothing runs that has to be stopped; else False, and `close` has to be awaited."""
        if self.runner.is_busy:
            return False
        self.driver.run_at_once(self.close)
        return True
