"""The asyncio loop on which an engine with a virtual clock, or one used from sync code, runs.

It is the ordinary selector loop of asyncio with another clock and another selector. Whenever the loop would wait, the
selector is asked to; if the clock is virtual and nobody outside is awaited, it moves the clock to the next thing that is due
instead. So `asyncio.sleep` and `asyncio.timeout` in activities are virtual too. Nothing of asyncio's private parts is touched.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any

from playhead_engine.clock import Clock

_NS = 1_000_000_000
_SLICE_SECONDS = 0.005
"""How long a caller's own loop has to wait at most while the engine works in its thread."""


class EngineLoop(asyncio.SelectorEventLoop):
    """A loop that keeps an engine's time.

    Args:
        clock: The engine's clock.
        awaits_outside: Tells whether something outside the loop, such as a thread, may still wake it.
        on_standstill: Called when nothing is due and nobody outside is awaited; must make something happen.
    """

    def __init__(self, clock: Clock, awaits_outside: Callable[[], bool], on_standstill: Callable[[], None]) -> None:
        self._clock = clock
        self._begun_ns = clock.now_ns()
        self._waiting = _Waiting(clock, awaits_outside, on_standstill, self.stop)
        super().__init__(self._waiting)

    def time(self) -> float:
        """Seconds of the engine's clock since the loop was made."""
        return (self._clock.now_ns() - self._begun_ns) / _NS

    def seconds_at(self, ns: int) -> float:
        """The loop's time at a time of the clock, in nanoseconds since the epoch."""
        return (ns - self._begun_ns) / _NS

    def run_slice(self, awaited: asyncio.Future[Any]) -> bool:
        """Run for a moment from within another loop's turn.

        Args:
            awaited: When it is done, so is the slice.

        Returns:
            Whether the loop would have had to wait for the outside world.
        """
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        stop = self._stop_soon
        awaited.add_done_callback(stop)
        self._waiting.begin_slice()
        try:
            if not awaited.done():
                self.run_forever()
        finally:
            awaited.remove_done_callback(stop)
            self._waiting.end_slice()
            asyncio._set_running_loop(outer)
        return self._waiting.had_to_wait

    def _stop_soon(self, _: asyncio.Future[Any]) -> None:
        self.stop()


class _Waiting(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    """Decides what waiting means."""

    def __init__(
        self,
        clock: Clock,
        awaits_outside: Callable[[], bool],
        on_standstill: Callable[[], None],
        stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self._clock = clock
        self._awaits_outside = awaits_outside
        self._on_standstill = on_standstill
        self._stop = stop
        self._slice_ends: float | None = None
        self.had_to_wait = False

    def begin_slice(self) -> None:
        """From now on, stop the loop instead of waiting, and stop it after a moment in any case."""
        self._slice_ends = time.monotonic() + _SLICE_SECONDS
        self.had_to_wait = False

    def end_slice(self) -> None:
        """Wait in earnest again."""
        self._slice_ends = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What asyncio calls when it has nothing to do for so many seconds; None for ever."""
        if timeout is not None and timeout <= 0:
            if self._slice_ends is not None and time.monotonic() > self._slice_ends:
                self._stop()
            return super().select(0)
        if self._clock.is_virtual and not self._awaits_outside():
            ready = super().select(0)
            if not ready:
                if timeout is None:
                    self._on_standstill()
                else:
                    # Rounded up, so that what is due then is due.
                    self._clock.advance(int(timeout * _NS) + 1)
            return ready
        if self._slice_ends is not None:
            self.had_to_wait = True
            self._stop()
            timeout = 0
        begun = time.monotonic_ns()
        ready = super().select(timeout)
        self._clock.advance(time.monotonic_ns() - begun)
        return ready
