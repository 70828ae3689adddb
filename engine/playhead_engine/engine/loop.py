"""The event loop an engine runs on when nobody lends it one.

It is asyncio's own loop with another way of waiting. When nothing is ready, it asks whether anything outside is under
way (threads, files); if not, it moves the virtual clock to what is due next instead of waiting for it, and if nothing
is due it says so instead of hanging. asyncio's own `sleep` and `timeout` follow the same clock.

How long it waits for things outside: at first the clock stands still, so that a thread that takes no time to speak of
takes none at all; after `patience` seconds the virtual clock goes at the pace of the real one until the thread has
ended.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, Unpack

from playhead_engine.engine.clock import Clock, VirtualClock

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_LOOK_AROUND_EVERY: Final = 8
"""Turns of a busy loop between two looks at timers and files."""

_SNAP_NS: Final = 50_000
"""asyncio counts seconds in floats; an alarm is met exactly if the float is this near."""

_LONGEST_WAIT_SECONDS: Final = 24 * 3600.0
_SLICE_LOOKS: Final = 25
"""How often a slice may look around, busy all the time, before the loop it runs inside gets on with its own work. This
is a matter of some milliseconds; but if it were one of time, what happens would depend on how fast the machine is."""


# What asyncio does not publish. These names have been the same since there is asyncio.
_TURN: Final[Callable[[Any], None]] = vars(asyncio.BaseEventLoop)["_run_once"]
_MAKE_PIPE: Final[Callable[[Any], None]] = vars(BaseSelectorEventLoop)["_make_self_pipe"]
_CLOSE_PIPE: Final[Callable[[Any], None]] = vars(BaseSelectorEventLoop)["_close_self_pipe"]


class Idleness(Enum):
    """Why a loop has stopped for the moment."""

    BUSY = "it used up its slice"
    WAITS_FOR_TIME = "nothing happens before something is due"
    WAITS_OUTSIDE = "something outside is under way"
    STUCK = "nothing is ready, nothing is due, nothing is under way"


class Outside(Protocol):
    """What an event loop must know of its engine."""

    def in_flight(self) -> int:
        """How many threads work for the engine and do not themselves wait for it."""
        ...

    def about_to_wait(self) -> None:
        """Nothing is ready."""
        ...

    def next_alarm_ns(self) -> int | None:
        """When the next alarm rings, exactly; None if there is none."""
        ...

    def deliver(self) -> bool:
        """Hand in what threads have brought; False if they brought nothing."""
        ...

    def stuck(self) -> None:
        """Nothing can ever happen again: tell those who wait."""
        ...


class EngineLoop(asyncio.SelectorEventLoop):
    """An event loop with the engine's clock."""

    def __init__(self, clock: Clock, outside: Outside, patience: float) -> None:
        """Make the loop.

        Args:
            clock: What time it is.
            outside: What is under way elsewhere.
            patience: How long the virtual clock stands still for it, in seconds.
        """
        self._clock = clock
        self._began_ns = clock.now_ns()
        self._outside = outside
        self._executing = 0
        # asyncio's own:
        self._ready: deque[Any]
        self._stopping: bool
        self._closed: bool
        self._debug: bool
        self._scheduled: list[Any]
        self._timer_cancelled_count: int
        self._watcher = _Selector(self, clock, outside, patience)
        super().__init__(self._watcher)
        # After months of virtual time a float no longer tells nanoseconds apart; what asyncio takes for due must still
        # include what the clock was moved to, or the loop would turn for ever.
        self._clock_resolution = _SNAP_NS / 1_000_000_000

    def _run_once(self) -> None:
        """Some turns, for as long as something is ready, and then a look at the clock, at timers and at files."""
        ready = self._ready
        for _ in range(_LOOK_AROUND_EVERY):
            if not ready:
                break
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle._cancelled:
                    handle._run()
            if self._stopping:
                return
        _TURN(self)

    def call_soon(
        self, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As in asyncio, which spends most of the time on checks that concern debugging only."""
        if self._closed or self._debug:
            return super().call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    # A loop that never waits for anything real needs no pipe by which threads wake it; most tests' never do.

    def _make_self_pipe(self) -> None:
        self._ssock = self._csock = None

    def _close_self_pipe(self) -> None:
        if self._ssock is not None:
            _CLOSE_PIPE(self)

    def get_ready_to_wait(self) -> bool:
        """Let threads wake the loop from now on; False if one has given it something to do already."""
        if self._ssock is None:
            _MAKE_PIPE(self)
        return not self.has_ready()

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts) -> None:
        """As in asyncio."""
        self.get_ready_to_wait()
        super().add_signal_handler(sig, callback, *args)

    def time(self) -> float:
        """Seconds since the loop was made, by the engine's clock."""
        return (self._clock.now_ns() - self._began_ns) / 1_000_000_000

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """As in asyncio; the loop knows that it has to wait for the thread."""
        self._executing += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._executed)
        return future

    def _executed(self, future: asyncio.Future[Any]) -> None:
        del future
        self._executing -= 1

    def in_flight(self) -> int:
        """How many threads the loop has to wait for."""
        return self._executing + self._outside.in_flight()

    @property
    def own_files(self) -> int:
        """How many of the files it watches are its own: the pipe."""
        return 0 if self._ssock is None else 1

    def has_ready(self) -> bool:
        """Whether something can run at once."""
        return bool(self._ready)

    def next_due(self) -> float | None:
        """When something is due, in the loop's time; asyncio itself would look no further ahead than a day."""
        scheduled: list[Any] = self._scheduled
        while scheduled and scheduled[0]._cancelled:  # as asyncio does it, which has not come to these yet
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False
        return scheduled[0].when() if scheduled else None

    def run_slice(self) -> Idleness:
        """Run until nothing more happens at this instant, or for some milliseconds. The clock does not move."""
        self._watcher.begin_slice()
        try:
            self.run_forever()
        finally:
            idleness = self._watcher.end_slice()
        return idleness

    def deliver(self) -> bool:
        """Hand in what threads have brought, if all of them have ended; False if they brought nothing. In a slice
        nobody does: first the tasks of the loop that it runs inside have their turn, however fast the threads were."""
        return self._watcher.deliver()

    def jump(self) -> None:
        """Move the virtual clock to what is due next."""
        self._watcher.jump()

    def waited_outside(self, seconds: float) -> None:
        """Account for real time that somebody else spent waiting for the loop's threads and files."""
        self._watcher.waited_outside(seconds)

    def __del__(self, *_: Any) -> None:
        # An engine in memory may be dropped without being closed; there is nothing in it worth a warning.
        if not self.is_closed() and not self.is_running():
            self.close()


class _Selector(selectors.DefaultSelector):
    """Waits on behalf of an EngineLoop; asyncio calls it once in each turn."""

    def __init__(self, loop: EngineLoop, clock: Clock, outside: Outside, patience: float) -> None:
        super().__init__()
        self._loop = loop
        self._clock = clock
        self._virtual = clock if isinstance(clock, VirtualClock) else None
        self._outside = outside
        self._patience = patience
        self._waited = 0.0
        self._looks_left: int | None = None  # of a slice
        self._idleness = Idleness.BUSY

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            if self._looks_left is not None:
                self._looks_left -= 1
                if self._looks_left < 0:
                    self._idleness = Idleness.BUSY
                    self._loop.stop()
            return super().select(0) if self.get_map() else []
        if self.get_map():
            events = super().select(0)
            if events:
                return events
        self._outside.about_to_wait()
        if self._looks_left is None and self.deliver():
            return []
        self._outside.next_alarm_ns()
        if self._looks_left is not None:
            self._idleness = self._why_idle()
            self._loop.stop()
            return []
        return self._wait()

    def deliver(self) -> bool:
        if self._loop.in_flight() or not self._outside.deliver():
            return False
        self._waited = 0.0
        return True

    def begin_slice(self) -> None:
        self._looks_left = _SLICE_LOOKS

    def end_slice(self) -> Idleness:
        self._looks_left = None
        return self._idleness

    def jump(self) -> None:
        due = self._loop.next_due()
        if due is None or self._virtual is None:
            return
        due_ns = self._loop._began_ns + round(due * 1_000_000_000)
        alarm_ns = self._outside.next_alarm_ns()
        if alarm_ns is not None and abs(alarm_ns - due_ns) < _SNAP_NS:
            due_ns = alarm_ns
        self._virtual.move_to(due_ns)

    def _why_idle(self) -> Idleness:
        if self._waits_outside():
            return Idleness.WAITS_OUTSIDE
        return Idleness.STUCK if self._loop.next_due() is None else Idleness.WAITS_FOR_TIME

    def _waits_outside(self) -> bool:
        return self._loop.in_flight() > 0 or len(self.get_map()) > self._loop.own_files

    def _wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        due = self._loop.next_due()
        if (due is None or self._virtual is None or self._waits_outside()) and not self._loop.get_ready_to_wait():
            return []
        if self._waits_outside():
            if self._virtual is None:
                return super().select(None if due is None else self._until(due))
            began = time.monotonic()
            events = super().select(self._outside_budget(due))
            self.waited_outside(time.monotonic() - began)
            return events
        self._waited = 0.0
        if due is None:
            self._outside.stuck()
            return [] if self._loop.has_ready() else super().select(None)
        if self._virtual is None:
            return super().select(self._until(due))
        self.jump()
        return []

    def _until(self, due: float) -> float:
        """How long to wait for what is due, in real seconds; a system does not wait for months at a time."""
        return min(max(due - self._loop.time(), 0), _LONGEST_WAIT_SECONDS)

    def _outside_budget(self, due: float | None) -> float | None:
        """How long to wait for threads and files before `waited_outside` must be told."""
        if self._waited < self._patience:
            return self._patience - self._waited
        if due is None:
            return None
        return max(due - self._loop.time(), 0) if self._loop.in_flight() else 0

    def waited_outside(self, seconds: float) -> None:
        """Account for real time that was spent waiting for threads and files."""
        if self._waited < self._patience:
            self._waited += seconds
            if self._waited >= self._patience:
                self._outside.deliver()
            return
        due = self._loop.next_due()
        if self._virtual is None or due is None:
            return
        # Files alone may never say anything again: a connection that is kept open, for example. They hold nothing up.
        left = due - self._loop.time()
        if self._loop.in_flight() == 0 or seconds >= left:
            self.jump()
        else:
            self._virtual.move_to(self._clock.now_ns() + round(seconds * 1_000_000_000))
