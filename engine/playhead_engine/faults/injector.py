"""The injector: stands in every seam of an engine, and has the faults of a plan strike.

It counts the points that the run passes, looks each up in the plan, and notes in the log what came of it. It also ends
the engine's process and has another take over. How a strike is carried out is the business of the module in that seam.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

from playhead_engine.engine.clock import Clock, VirtualClock
from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.engine.seams import Seams
from playhead_engine.faults.attempts import FaultyRunner
from playhead_engine.faults.kinds import Kind
from playhead_engine.faults.log import FaultLog, Place
from playhead_engine.faults.plan import ANY, Fault, FaultPlan
from playhead_engine.faults.requests import FaultyDesk
from playhead_engine.faults.rounds import FaultyWork
from playhead_engine.faults.stopping import bury
from playhead_engine.faults.storage import FaultyStore
from playhead_engine.faults.time import FaultyClock

if TYPE_CHECKING:
    from playhead_engine.engine.attempt_runner import AttemptRunner
    from playhead_engine.engine.code import Code
    from playhead_engine.engine.core import Core
    from playhead_engine.engine.desk import Desk
    from playhead_engine.engine.effects import Effects
    from playhead_engine.engine.runs import LiveRun
    from playhead_engine.engine.seams import Work
    from playhead_engine.engine.wire import Wire
    from playhead_engine.stores import Store


class Injector(Seams):
    """One plan at work in one engine.

    Attributes:
        log: What came of the plan.
        core: The engine.
        commits: How many commits there were.
        after_rounds: Looks at the engine after every round; None if nobody does.
        is_down: Whether the process has ended and no other has taken over yet.
    """

    core: Core
    _work: FaultyWork

    def __init__(self, plan: FaultPlan | str, deploys: Sequence[Code]) -> None:
        """Begin.

        Args:
            plan: The plan, or its text.
            deploys: What the faults that deploy something do deploy, in turn.

        Raises:
            BadFaultPlan: The text is no plan.
        """
        plan = FaultPlan.parse(plan) if isinstance(plan, str) else plan
        self.log = FaultLog(plan)
        self._note = self.log.note
        self.commits = 0
        self.is_down = False
        self.after_rounds: Callable[[Core, Store, FaultLog], None] | None = None
        self._deploys = list(deploys)
        self._planned: dict[Place, list[Fault]] = {}
        for fault in plan:
            point = fault.point
            place = (point.kind, point.name, point.number, point.attempt)
            self._planned.setdefault(place, []).append(fault)
        self._numbers: dict[Kind | tuple[Kind, str], int] = {}
        self._calls: dict[object, tuple[int, int, int]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._back: asyncio.Future[None] | None = None
        self._desk: FaultyDesk | None = None
        self._stopped: list[asyncio.Task[Any]] = []

    # The seams

    def clock(self, clock: Clock) -> Clock:
        """What says what time it is.

        Raises:
            ValueError: It is not the virtual one.
        """
        if not isinstance(clock, VirtualClock):
            raise ValueError("faults need the virtual clock, by which a run follows from its seed, plan and code")
        self._now_ns = clock.now_ns
        return FaultyClock(clock, self)

    def store(self, store: Store) -> Store:
        """What keeps histories."""
        return FaultyStore(store, self)

    def runner(self, wire: Wire, executor: Executor | None, *, is_real: bool) -> AttemptRunner:
        """What runs attempts at activities."""
        return FaultyRunner(wire, executor, self)

    def work(self, effects: Effects) -> Work:
        """What is done in rounds."""
        self._work = FaultyWork(effects, self)
        return self._work

    def desk(self, desk: Desk) -> Desk:
        """What takes the requests of clients: one for the whole life of the engine, since clients outlive processes."""
        if self._desk is None:
            self._desk = FaultyDesk(self)
        self._desk.present = desk
        return self._desk.as_desk

    def attached(self, core: Core, loop: asyncio.AbstractEventLoop) -> None:
        """The engine works on an event loop now."""
        self.core, self._loop = core, loop

    def closed(self) -> None:
        """The engine was closed."""
        bury(self._stopped)
        self._stopped.clear()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """What the engine works on."""
        assert self._loop is not None
        return self._loop

    @property
    def is_attached(self) -> bool:
        """Whether the engine has begun to work."""
        return self._loop is not None

    # Points

    def comes_to(self, kind: Kind, name: str, workflow_id: str = "") -> Fault | None:
        """The run comes to the next point of a kind and name.

        Returns:
            What strikes there; None if nothing does.
        """
        numbers = self._numbers
        number = numbers[kind, name] = numbers.get((kind, name), 0) + 1
        number_of_any = numbers[kind] = numbers.get(kind, 0) + 1
        place = (kind, name, number, 1)
        fault = self._strikes(place, number_of_any) if self._planned else None
        self._note((place, number_of_any, (workflow_id, self._now_ns(), self.commits), fault))
        return fault

    def comes_to_attempt(self, call: object, kind: Kind, name: str, workflow_id: str) -> Fault | None:
        """The same, of an attempt at a call of an activity, in whatever process."""
        calls, numbers = self._calls, self._numbers
        known = calls.get(call)
        if known is None:
            number = numbers[kind, name] = numbers.get((kind, name), 0) + 1
            number_of_any = numbers[kind] = numbers.get(kind, 0) + 1
            attempt = 1
        else:
            number, number_of_any, attempt = known
        calls[call] = number, number_of_any, attempt + 1
        place = (kind, name, number, attempt)
        fault = self._strikes(place, number_of_any) if self._planned else None
        self._note((place, number_of_any, (workflow_id, self._now_ns(), self.commits), fault))
        return fault

    def _strikes(self, place: Place, number_of_any: int) -> Fault | None:
        kind, _, _, attempt = place
        planned = self._planned.get(place) or self._planned.get((kind, ANY, number_of_any, attempt))
        if not planned or (planned[0].strike == "deploy" and not self._deploys):
            return None
        return planned.pop(0)

    # Workers

    def lose_task(self, run: LiveRun) -> None:
        """The worker that runs a workflow task will never say what came of it. Only in a round."""
        self._work.lose_task(run)

    def lose_worker(self) -> None:
        """The worker is gone, with all code in memory and all that it ran; there are others. Only in a round."""
        core = self.core
        if isinstance(core.runner, FaultyRunner):
            core.runner.lose()
        for run in core.runs.open_runs():
            if run.has_task_under_way:
                self._work.lose_task(run)
        core.runs.forget_all_code()

    # Rounds

    def look_when_round_is_over(self, store: Store) -> None:
        """Have the engine looked at when what it does now is done."""
        self.loop.call_soon(self._round_is_over, store)

    def _round_is_over(self, store: Store) -> None:
        if self.after_rounds is not None and not self.is_down:
            self.after_rounds(self.core, store, self.log)

    # Processes

    def stopped(self, tasks: list[asyncio.Task[Any]]) -> None:
        """These tasks go on no more. They are kept, so that nothing in them runs as long as the engine does."""
        self._stopped += tasks

    def crash(self, fault: Fault) -> EngineStopped:
        """End the process here and now.

        Args:
            fault: Why.

        Returns:
            What to raise where something of the process is in the middle of its work.
        """
        stopped = EngineStopped(f"the fault plan says so: {fault}")
        if not self.is_down:
            self.falls(fault)
            self.core.end_process(stopped)
        return stopped

    def falls(self, fault: Fault) -> None:
        """The process ends by itself, before anything else happens; another will take over."""
        if self.is_down:
            return
        self.is_down = True
        loop = self.loop
        self._back = loop.create_future()
        code = self._deploys.pop(0) if fault.strike == "deploy" else None
        if fault.seconds:
            loop.call_later(fault.seconds, self._take_over, fault, code)
        else:
            loop.call_soon(self._take_over, fault, code)

    def _take_over(self, fault: Fault, code: Code | None) -> None:
        core = self.core
        core.end_process(EngineStopped(f"the fault plan says so: {fault}"))
        runner = core.runner
        if isinstance(runner, FaultyRunner) and runner.has_threads:
            runner.when_idle = partial(self._next_process, code)
        else:
            self._next_process(code)

    def _next_process(self, code: Code | None) -> None:
        core, back = self.core, self._back
        self.is_down = False
        self.log.restarts += 1
        core.begin_process(code)
        if back is not None and not back.done():
            back.set_result(None)

    async def next_process(self, stopped: EngineStopped) -> None:
        """Wait until another process has taken over.

        Raises:
            EngineStopped: None will.
        """
        if not self.is_down or self._back is None or self.core.is_closed:
            raise stopped
        await asyncio.shield(self._back)
