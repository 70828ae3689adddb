"""Alarms: what is to be done at a time to come.

One heap for the whole engine, and one wake-up of the event loop for the earliest alarm in it. Most alarms are cancelled
(an activity that ends in time never meets its timeout), so cancelling only marks them.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from playhead_engine.convert import datetime_ns
from playhead_engine.engine.clock import Clock, VirtualClock

_SWEEP_FROM: Final = 100
"""Cancelled alarms are thrown out when there are more than this many, and more than there are others."""


_END_OF_TIME_NS: Final = datetime_ns(datetime(9999, 12, 31))
"""Events cannot say times after the year 9999, so alarms that are due then never ring."""


class Alarm:
    """Something to be done at a time; made by `Alarms.set`.

    Attributes:
        due_ns: When, in nanoseconds since the epoch.
        action: What.
        args: With which arguments.
        is_off: Whether it rang or was cancelled.
    """

    __slots__ = ("_number", "action", "args", "due_ns", "is_off")

    def __init__(self, due_ns: int, number: int, action: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.due_ns = due_ns
        self.action = action
        self.args = args
        self.is_off = False
        self._number = number

    def __lt__(self, other: Alarm) -> bool:
        if self.due_ns != other.due_ns:
            return self.due_ns < other.due_ns
        return self._number < other._number


class Alarms:
    """The alarms of one engine."""

    def __init__(self, clock: Clock, take: Callable[[list[Alarm]], None]) -> None:
        """Begin without any.

        Args:
            clock: Says what time it is.
            take: Gets the alarms that have become due, earliest first.
        """
        self._clock = clock
        self._take = take
        self._heap: list[Alarm] = []
        self._count = 0
        self._cancelled = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._wake_ns = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ring on this event loop from now on."""
        self._loop = loop
        self._set_wake()

    def detach(self) -> None:
        """Ring no more."""
        self._loop = None
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def set(self, due_ns: int, action: Callable[..., None], *args: Any) -> Alarm:
        """Have something done at a time.

        Args:
            due_ns: When, in nanoseconds since the epoch.
            action: What.
            args: With which arguments.
        """
        self._count += 1
        alarm = Alarm(due_ns, self._count, action, args)
        if due_ns > _END_OF_TIME_NS:
            return alarm
        heapq.heappush(self._heap, alarm)
        if self._wake is None or due_ns < self._wake_ns:
            self._set_wake()
        return alarm

    def cancel(self, alarm: Alarm | None) -> None:
        """Have it not done. Cancelling one that rang, or none, does nothing."""
        if alarm is None or alarm.is_off:
            return
        alarm.is_off = True
        self._cancelled += 1
        if self._cancelled > _SWEEP_FROM and self._cancelled * 2 > len(self._heap):
            self._heap = [one for one in self._heap if not one.is_off]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_ns(self) -> int | None:
        """When the next alarm rings; None if there is none. The wake-up is set right if it was for a cancelled one."""
        heap = self._heap
        while heap and heap[0].is_off:
            heapq.heappop(heap)
            self._cancelled -= 1
        due_ns = heap[0].due_ns if heap else None
        if self._wake is not None and due_ns != self._wake_ns:
            self._set_wake()
        return due_ns

    def _on_wake(self) -> None:
        self._wake = None
        if isinstance(self._clock, VirtualClock):
            # The event loop counts seconds in floats, and may be early by a little.
            self._clock.move_to(self._wake_ns)
        now_ns = self._clock.now_ns()
        due: list[Alarm] = []
        heap = self._heap
        while heap and (heap[0].is_off or heap[0].due_ns <= now_ns):
            alarm = heapq.heappop(heap)
            if alarm.is_off:
                self._cancelled -= 1
            else:
                alarm.is_off = True
                due.append(alarm)
        self._set_wake()
        if due:
            self._take(due)

    def _set_wake(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._heap and self._loop is not None:
            self._wake_ns = self._heap[0].due_ns
            delay = max(self._wake_ns - self._clock.now_ns(), 0) / 1_000_000_000
            self._wake = self._loop.call_later(delay, self._on_wake)
