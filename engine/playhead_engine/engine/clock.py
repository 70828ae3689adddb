"""Clocks: what time it is for an engine.

The virtual clock stands still while anything happens and jumps when everything waits; who makes it jump is `loop`. Both
clocks count nanoseconds since the epoch and never go back, since event times must not.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from playhead_engine.convert import datetime_ns, ns_datetime

VIRTUAL_START: Final = datetime(2030, 1, 1, tzinfo=UTC)
"""Where a virtual clock begins. A date to come, so that nobody takes its times for real ones."""

ClockName = Literal["virtual", "real"]


class Clock(Protocol):
    """Says what time it is."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch; never less than before."""
        ...


class RealClock:
    """The computer's clock."""

    def __init__(self) -> None:
        self._latest = 0

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        self._latest = max(self._latest, time.time_ns())
        return self._latest


class VirtualClock:
    """A clock that moves only when it is moved."""

    def __init__(self, start: datetime = VIRTUAL_START) -> None:
        """Set the clock.

        Args:
            start: What time it is at first.
        """
        self._ns = datetime_ns(start)

    def __repr__(self) -> str:
        return f"VirtualClock({ns_datetime(self._ns).isoformat()})"

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._ns

    def move_to(self, ns: int) -> None:
        """Move forward to a time; back is ignored."""
        self._ns = max(self._ns, ns)


def clock_of(choice: Clock | ClockName | None, *, on_disk: bool) -> Clock:
    """The clock that a user asks for: by default the virtual one in memory, and the real one for what is kept.

    Raises:
        ValueError: There is no such clock.
    """
    if choice is None:
        choice = "real" if on_disk else "virtual"
    if choice == "virtual":
        return VirtualClock()
    if choice == "real":
        return RealClock()
    if isinstance(choice, str):
        raise ValueError(f'clock must be "virtual", "real" or a clock object, got {choice!r}')
    return choice
