"""The engine behind the API: makes its parts and puts them together.

driving -> loop       who turns the event loop
scheduler             rounds: what happened, workflow tasks, one commit, effects
workflow_tasks        runs workflow code, by the same rules as a replay
activities, attempts  run activities        local_activities  those inside workflow tasks
neighbours            what runs do to each other
effects               what follows from committed events; what a crash left pending
desk, conversation    requests of clients: JSON, and values
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from playhead_engine.activity import current_context
from playhead_engine.engine.activities import Activities
from playhead_engine.engine.async_activity import Switchboard
from playhead_engine.engine.attempt_runner import AttemptRunner
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
        """
        is_virtual = isinstance(clock, VirtualClock)
        self.clock = clock
        self.patience = patience
        self.wires = wires = code.wires
        self._store = store
        self._plugins = code.plugins
        registry = code.registry
        self._runs = runs = Runs(store, max_cached)
        latest_ns = runs.restore()
        if runs.count:
            chance.go_on(runs.mark())
        if isinstance(clock, VirtualClock):
            clock.move_to(latest_ns)
        self._scheduler = scheduler = Scheduler(store, clock, chance)
        self._runner = runner = AttemptRunner(wires.native, executor, is_real=not is_virtual)
        runner.order = chance.order
        self._activities = Activities(scheduler, runner, registry, identity)
        local_activities = LocalActivities(scheduler, runner, registry)
        neighbours = Neighbours(scheduler, runs, chance.new_id, identity, assume_delivery=assume_delivery)
        self._effects = effects = Effects(scheduler, self._activities, local_activities, neighbours, limits, identity)
        tasks = WorkflowTasks(
            scheduler, runs, store, wires.native, code.runtime_of, effects, chance.new_id, identity, parks=is_virtual
        )
        effects.tasks = local_activities.tasks = tasks
        scheduler.parts = effects
        self._knows = Knows(
            lambda name: code.runtime_of(name) is not None,
            lambda name: registry.find(name) is not None,
            registry.names,
        )
        self.desk = Desk(scheduler, runs, store, neighbours, tasks, chance.new_id, identity)
        self.driver = Driver(self)
        self.conversation = Conversation(self.driver, self.desk, wires, self._knows, chance.new_id)
        self.switchboard = Switchboard(self.driver, scheduler, runs, self._activities, wires.clients)
        self.is_closed = False

    # For the driver and its loop

    def make_loop(self) -> EngineLoop:
        return EngineLoop(self.clock, self._scheduler.alarms, self, self.patience)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._runner.loop = loop
        self._activities.calls_watch = not isinstance(loop, EngineLoop)
        for run in self._runs.open_runs():
            self._effects.resume(run)
        self._scheduler.attach(loop)

    def in_flight(self) -> int:
        return self._runner.in_flight()

    def about_to_wait(self) -> None:
        self._activities.watch()

    def deliver(self) -> bool:
        return self._runner.deliver()

    def from_thread(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> Callable[[], Coroutine[Any, Any, T]]:
        attempt = current_context.get(None)
        if not isinstance(attempt, Attempt):
            return begin

        async def do() -> T:
            try:
                return await begin()
            finally:
                attempt.is_parked = False

        self._runner.park(attempt)
        return do

    def stuck(self) -> None:
        """Tell all who wait that nothing can ever happen again."""
        awaited = [run for run in self._runs.open_runs() if run.waiters()]
        for run in awaited:
            for waiter in run.waiters():
                waiter.set_exception(nothing_due(run, awaited, self._knows))
        for waiter in self._scheduler.waiters():
            waiter.set_exception(EngineStopped("nothing is ready and nothing is due"))

    # The end

    async def close(self) -> None:
        """Stop what runs, and give everything back."""
        if self.is_closed:
            return
        self.is_closed = True
        self._scheduler.stop(EngineStopped("it was closed"))
        tasks = self._runner.stop()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOPPING_SECONDS)
        self._runs.forget_all_code()
        self._store.close()
        if self._plugins is not None:
            self._plugins.end()

    def close_at_once(self) -> bool:
        """Close, if nothing runs that has to be stopped; else False, and `close` has to be awaited."""
        if self._runner.is_busy:
            return False
        self.driver.run_at_once(self.close)
        return True
