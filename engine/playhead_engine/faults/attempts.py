"""Attempts at activities that faults strike; and activities of a process that ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from playhead_engine.engine.attempt_runner import AttemptRunner
from playhead_engine.engine.attempts import Attempt, Failed, Outcome, Owner
from playhead_engine.engine.local_activities import LocalActivity
from playhead_engine.messages import Failure, Payloads

if TYPE_CHECKING:
    from playhead_engine.activity import Info
    from playhead_engine.engine.runs import LiveRun
    from playhead_engine.engine.wire import Wire
    from playhead_engine.faults.injector import Injector
    from playhead_engine.faults.kinds import Kind
    from playhead_engine.faults.plan import Fault

_T = TypeVar("_T")

FAULT_TYPE: Final = "InjectedFault"
"""Type of the errors with which attempts fail because a plan says so."""


class FaultyRunner(AttemptRunner):
    """Runs the attempts of one process, with a point at each.

    Attributes:
        is_abandoned: Whether the process is gone.
        when_idle: What to do when the threads of a process that is gone have ended.
    """

    when_idle: Callable[[], None] | None = None

    def __init__(self, wire: Wire, executor: Executor | None, injector: Injector) -> None:
        """
        Args:
            wire: Converts values.
            executor: Where activities that are not async run.
            injector: Says whether a fault strikes.
        """
        super().__init__(wire, executor, is_real=False)
        self._injector = injector
        self._stalled: dict[object, list[Attempt]] = {}
        self._dead: set[Attempt] = set()
        self._left: list[Coroutine[Any, Any, Any]] = []
        self.is_abandoned = False

    # Beginning

    def start(self, attempt: Attempt) -> None:
        """Run an attempt, unless something else happens to it."""
        kind, name, run, call = _subject(attempt)
        key = (run.state.run_id, call)
        numbers, number = self._injector.next_try(key, kind, name)
        fault = self._injector.comes_to_number(kind, name, numbers, number, run.state.workflow_id)
        overtaken = self._stalled.pop(key, ())
        if fault is None:
            super().start(attempt)
        else:
            self._strike(attempt, fault, key)
        for stalled in overtaken:
            self._go_on_late(stalled)

    def _strike(self, attempt: Attempt, fault: Fault, key: object) -> None:
        match fault.strike:
            case "crash-before":
                self.loop.call_soon(self._injector.crash, fault)
            case "fail" | "fail-for-good":
                self.loop.call_soon(attempt.owner.on_ended, attempt, _failed(fault))
            case "time-out":
                pass  # those who watch it will see to it
            case "twice":
                self._stalled.setdefault(key, []).append(attempt)
                attempt.listen(partial(self._overtaken, attempt, key))
            case _:
                attempt.owner = _Between(attempt.owner, fault, self._injector)
                super().start(attempt)

    def _overtaken(self, attempt: Attempt, key: object) -> None:
        """A stalled attempt has timed out, or nobody wants it any more."""
        self._injector.core.scheduler.when_committed(self._unless_tried_again, attempt, key)

    def _unless_tried_again(self, attempt: Attempt, key: object) -> None:
        run, activity = attempt.what
        if activity.scheduled_event_id not in run.state.activities:
            for stalled in self._stalled.pop(key, ()):
                self._go_on_late(stalled)

    def _go_on_late(self, stalled: Attempt) -> None:
        """A stalled attempt runs its code at last. It has not heard yet that nobody wants it."""
        stalled.cancellation = None
        super().start(stalled)

    # The end

    def running(self, attempt: Attempt) -> Coroutine[Any, Any, None]:
        """What the task of an attempt runs, for as long as the process lives."""
        return self.mortal(attempt, attempt.run)

    async def mortal(self, attempt: Attempt, begin: Callable[[], Coroutine[Any, Any, _T]]) -> _T | None:
        """Run a coroutine of an attempt until it ends, or until the process does that it runs in."""
        return await _Mortal(self, attempt, begin())  # which may have ended before this was begun

    def has_died(self, attempt: Attempt) -> bool:
        """Whether nothing of an attempt runs any more."""
        return attempt in self._dead

    def leave(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A coroutine stays where it is: the process that it ran in is gone."""
        self._left.append(coroutine)

    def lose(self) -> None:
        """All that runs stops where it is, and nobody says so."""
        for attempt in (*self._in_tasks, *self._in_threads):
            attempt.owner = _Silence(attempt.owner)
            self._kill(attempt)

    def abandon(self) -> None:
        """The process is gone."""
        self._stalled.clear()
        for attempt in (*self._in_tasks, *self._in_threads):
            self._kill(attempt)
        super().abandon()
        self.is_abandoned = True

    def _kill(self, attempt: Attempt) -> None:
        self._dead.add(attempt)
        if attempt.task is not None:
            attempt.task.cancel()  # it wakes up, and is left where it is

    def in_flight(self) -> int:
        """How many threads are at work; those of a process that is gone are waited for, since nobody can stop them."""
        if self.is_abandoned:
            return sum(1 for attempt in self._in_threads if not attempt.is_parked)
        return super().in_flight()

    def _thread_ended(self, attempt: Attempt, hand_in: Callable[[], None]) -> None:
        super()._thread_ended(attempt, hand_in)
        if self.when_idle is not None and not self.in_flight():
            self.loop.call_soon(self.when_idle)
            self.when_idle = None


class _Mortal(Awaitable[_T | None]):
    """Passes everything on between the event loop and a coroutine, until the attempt that it belongs to has died."""

    def __init__(self, runner: FaultyRunner, attempt: Attempt, coroutine: Coroutine[Any, Any, _T]) -> None:
        self._runner = runner
        self._attempt = attempt
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, _T | None]:
        coroutine = self._coroutine
        step: Callable[[Any], Any] = coroutine.send
        value: Any = None
        while not self._runner.has_died(self._attempt):
            try:
                awaited = step(value)
            except StopIteration as end:
                result: _T = end.value
                return result
            try:
                value, step = (yield awaited), coroutine.send
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                value, step = error, coroutine.throw
        self._runner.leave(coroutine)
        return None


class _Between:
    """Stands between an attempt and who started it; see `attempts.Owner`."""

    def __init__(self, owner: Owner, fault: Fault, injector: Injector) -> None:
        self._owner = owner
        self._fault = fault
        self._injector = injector

    def info_of(self, attempt: Attempt) -> Info:
        return self._owner.info_of(attempt)

    def on_heartbeat(self, attempt: Attempt, details: Payloads) -> None:
        if self._fault.strike != "lose-heartbeats":
            self._owner.on_heartbeat(attempt, details)

    def on_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        injector, fault, owner = self._injector, self._fault, self._owner
        if attempt.is_over:
            return
        scheduler = injector.core.scheduler
        match fault.strike:
            case "crash-after":
                injector.crash(fault)
            case "fail-after":
                owner.on_ended(attempt, _failed(fault))
            case "lose":
                _forget(attempt, injector)
            case "lose-worker":
                _forget(attempt, injector)
                scheduler.post(injector.lose_worker)
            case "slow":
                scheduler.alarms.set(scheduler.clock.now_ns() + fault.ns, owner.on_ended, attempt, outcome)
            case _:
                owner.on_ended(attempt, outcome)


class _Silence:
    """Nobody hears of an attempt any more."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def info_of(self, attempt: Attempt) -> Info:
        return self._owner.info_of(attempt)

    def on_heartbeat(self, attempt: Attempt, details: Payloads) -> None:
        """Said to nobody."""

    def on_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        """Said to nobody."""


def _subject(attempt: Attempt) -> tuple[Kind, str, LiveRun, object]:
    """What an attempt is at: its kind, its name, the run, and the call within the run."""
    what = attempt.what
    if isinstance(what, LocalActivity):
        return "local", what.type_name, what.run, ("local", what.machine.seq)
    run, activity = what
    return "activity", activity.type_name, run, activity.scheduled_event_id


def _forget(attempt: Attempt, injector: Injector) -> None:
    """Nobody will ever hear of the end of an attempt. A local one is lost with the workflow task it runs in."""
    if isinstance(attempt.what, LocalActivity):
        injector.core.scheduler.post(injector.lose_task, attempt.what.run)


def _failed(fault: Fault) -> Failed:
    failure: Failure = {
        "message": f"the fault plan says so: {fault}",
        "applicationFailureInfo": {"type": FAULT_TYPE, "nonRetryable": fault.strike == "fail-for-good"},
    }
    return Failed(failure)
