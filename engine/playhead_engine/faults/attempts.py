"""Attempts at activities that faults strike; and activities of a process that ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Final

from playhead_engine.engine.attempt_runner import AttemptRunner
from playhead_engine.engine.attempts import Attempt, Failed, Outcome, Owner
from playhead_engine.engine.local_activities import LocalActivity
from playhead_engine.faults.kinds import Kind
from playhead_engine.faults.stopping import stop
from playhead_engine.messages import Failure, Payloads

if TYPE_CHECKING:
    from playhead_engine.activity import Info
    from playhead_engine.engine.wire import Wire
    from playhead_engine.faults.injector import Injector
    from playhead_engine.faults.plan import Fault

FAULT_TYPE: Final = "InjectedFault"
"""Type of the errors with which attempts fail because a plan says so."""


_ACTIVITY: Final[Kind] = "activity"
_LOCAL: Final[Kind] = "local"


class FaultyRunner(AttemptRunner):
    """Runs the attempts of one process, with a point at each.

    Attributes:
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
        self._left_alone: set[Attempt] = set()

    # Beginning

    def start(self, attempt: Attempt) -> None:
        """Run an attempt, unless something else happens to it."""
        what = attempt.what
        if isinstance(what, LocalActivity):
            run, kind, name, call = what.run, _LOCAL, what.type_name, -what.machine.seq
        else:
            run, activity = what
            kind, name, call = _ACTIVITY, activity.type_name, activity.scheduled_event_id
        state = run.state
        key = state.run_id, call
        fault = self._injector.comes_to_attempt(key, kind, name, state.workflow_id)
        overtaken = self._stalled.pop(key, ()) if self._stalled else ()
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
        """A stalled attempt has timed out, or nobody wants it any more; in this round it is decided what comes next."""
        self.loop.call_soon(self._unless_tried_again, attempt, key)

    def _unless_tried_again(self, attempt: Attempt, key: object) -> None:
        run, activity = attempt.what
        if activity.scheduled_event_id not in run.state.activities:
            for stalled in self._stalled.pop(key, ()):
                self._go_on_late(stalled)

    def _go_on_late(self, stalled: Attempt) -> None:
        """A stalled attempt runs its code at last. It has not heard yet that nobody wants it."""
        stalled.cancellation = None
        self._left_alone.add(stalled)
        super().start(stalled)

    # The end

    def lose(self) -> None:
        """All that runs stops where it is, and nobody says so."""
        for attempt in (*self._in_tasks, *self._threads()):
            attempt.owner = _Silence(attempt.owner)
        self._left_alone.update(self._threads())
        self._brought = [(attempt, _nothing) for attempt, _ in self._brought]
        self._stop()

    def abandon(self) -> None:
        """The process is gone."""
        super().abandon()
        self._left_alone.update(self._threads())
        self._stop()

    def _stop(self) -> None:
        self._injector.stopped(stop(self.loop, (*self._in_tasks, *self._threads())))
        self._in_tasks.clear()
        self._stalled.clear()

    # Threads. Nobody can stop them, so those that faults left behind are waited for, and heard by nobody: then what
    # happens does not depend on how fast they are.

    def _threads(self) -> list[Attempt]:
        """Those who were started in threads, and have not handed in what they came to, ended or not."""
        return [*self._in_threads, *(attempt for attempt, _ in self._brought)]

    def in_flight(self) -> int:
        """How many threads are at work."""
        left = [one for one in self._in_threads if one.is_over and one in self._left_alone and not one.is_parked]
        return super().in_flight() + len(left)

    def _thread_ended(self, attempt: Attempt, hand_in: Callable[[], None]) -> None:
        is_lost = isinstance(attempt.owner, _Silence)
        super()._thread_ended(attempt, _nothing if is_lost else hand_in)

    @property
    def has_threads(self) -> bool:
        """Whether there are any that have not handed in yet what they came to."""
        return bool(self._in_threads or self._brought)

    def deliver(self) -> bool:
        """Hand in what threads have brought; of a process that is gone, to nobody."""
        brought = super().deliver()
        when_idle, self.when_idle = self.when_idle, None
        if when_idle is None:
            return brought
        when_idle()
        return True


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


def _forget(attempt: Attempt, injector: Injector) -> None:
    """Nobody will ever hear of the end of an attempt. A local one is lost with the workflow task it runs in."""
    if isinstance(attempt.what, LocalActivity):
        injector.core.scheduler.post(injector.lose_task, attempt.what.run)


def _nothing() -> None:
    """What a thread came to, for nobody."""


def _failed(fault: Fault) -> Failed:
    failure: Failure = {
        "message": f"the fault plan says so: {fault}",
        "applicationFailureInfo": {"type": FAULT_TYPE, "nonRetryable": fault.strike == "fail-for-good"},
    }
    return Failed(failure)
