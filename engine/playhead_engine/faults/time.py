"""The clock that jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playhead_engine.engine.clock import VirtualClock
from playhead_engine.faults.plan import ANY

if TYPE_CHECKING:
    from playhead_engine.faults.injector import Injector


class FaultyClock(VirtualClock):
    """A virtual clock with a point at each of its moves."""

    def __init__(self, clock: VirtualClock, injector: Injector) -> None:
        """
        Args:
            clock: The clock that is moved, perhaps a user's own.
            injector: Says whether a fault strikes.
        """
        self._clock = clock
        self._injector = injector

    def __repr__(self) -> str:
        return repr(self._clock)

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._clock.now_ns()

    def move_to(self, ns: int) -> None:
        """Move forward to a time, or further if the plan says so; back is ignored."""
        if ns <= self._clock.now_ns():
            return
        if self._injector.is_attached:
            fault = self._injector.comes_to("clock", ANY)
            if fault is not None:
                ns += fault.ns
        self._clock.move_to(ns)
