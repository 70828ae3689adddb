"""Where the engine's time comes from: the wall, or a clock that jumps.

The virtual clock stands still while anything can be done and jumps to the next thing that is due when nothing can. Thirty
days of sleep take as long as one turn of the loop. Only an activity that runs in a thread, or that waits for the outside
world, makes it move at the speed of the world.
"""

from __future__ import annotations

import time
from typing import Protocol

DEFAULT_START_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z, where a virtual clock begins if nothing else is said: same seed, same times."""


class Clock(Protocol):
    """Tells the time to an engine."""

    is_virtual: bool
    """Whether somebody has to move it on."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    def advance(self, ns: int) -> None:
        """Move it on by nanoseconds; does nothing to the time of the world."""
        ...


class RealClock:
    """The time of the world. It never goes back, whatever is done to the machine's clock."""

    is_virtual = False

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.monotonic_ns() + self._offset_ns

    def advance(self, ns: int) -> None:
        """The world moves by itself."""


class VirtualClock:
    """A time that only moves when it is told to.

    Args:
        start_ns: Nanoseconds since the epoch at which it begins.
    """

    is_virtual = True

    def __init__(self, start_ns: int = DEFAULT_START_NS) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._now_ns

    def advance(self, ns: int) -> None:
        """Move it on."""
        self._now_ns += max(ns, 0)
