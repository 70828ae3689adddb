"""Timers: what `sleep`, `call_later` and every timeout come down to."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playhead_engine.commands import CancelTimer, StartTimer
from playhead_engine.convert import duration_json_ns
from playhead_engine.native.site import asking_line

if TYPE_CHECKING:
    from playhead_engine.call_site import CallSite
    from playhead_engine.native.run import Run


class Timer(asyncio.TimerHandle):
    """A timer that was asked for.

    Attributes:
        command: What was asked for.
        summary: What it is for.
    """

    __slots__ = ("command", "summary")

    command: StartTimer
    summary: str | None

    def fire(self) -> None:
        """Call what was to be called, unless it was cancelled in the same activation."""
        if not self.cancelled():
            self._run()


def start_timer(
    run: Run,
    seconds: float,
    callback: Callable[..., object],
    args: tuple[Any, ...] = (),
    context: contextvars.Context | None = None,
    summary: str | None = None,
    site: CallSite | None = None,
) -> Timer:
    """Ask for a timer.

    Args:
        run: The run.
        seconds: How long it takes.
        callback: What to call then.
        args: With what.
        context: In which context; a copy of the current one if None.
        summary: What it is for.
        site: The line that asks, if it is not the one that runs.

    Raises:
        RuntimeError: The time is negative.
    """
    run.check_may("start a timer")
    if seconds < 0:
        raise RuntimeError(f"a timer cannot fire in the past: {seconds} seconds")
    seq = run.next_seq("timer")
    timer = Timer(run.time_ns / 1e9 + seconds, callback, args, run.loop, context)
    attributes = {"timerId": str(seq), "startToFireTimeout": duration_json_ns(int(seconds * 1e9))}
    timer.command = StartTimer(seq, attributes, site or asking_line())
    timer.summary = summary
    run.ask(timer.command)
    run.timers[seq] = timer
    return timer


def timer_cancelled(run: Run, timer: Timer) -> None:
    """Take a timer back, unless it has fired."""
    seq = timer.command.seq
    if not run.is_closed and run.timers.pop(seq, None) is not None:
        run.ask(CancelTimer(seq, asking_line() or timer.command.site))


async def sleep(run: Run, duration: float | timedelta, summary: str | None) -> None:
    """Wait for a timer, even for one of no time at all.

    Args:
        run: The run.
        duration: How long, in seconds or as a timedelta.
        summary: What for.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    slept: asyncio.Future[None] = run.loop.create_future()
    timer = start_timer(run, seconds, _resolve, (slept,), summary=summary)
    try:
        await slept
    finally:
        timer.cancel()


def _resolve(slept: asyncio.Future[None]) -> None:
    if not slept.done():
        slept.set_result(None)


async def wait_condition(run: Run, condition: Callable[[], bool], limit: float | timedelta | None) -> None:
    """Wait until a condition holds. It is evaluated whenever the code has run until everything waits.

    Args:
        run: The run.
        condition: Must change nothing.
        limit: How long to wait at most, in seconds or as a timedelta.

    Raises:
        asyncio.TimeoutError: It did not hold in time.
    """
    run.check_may("wait for a condition")
    was_cancelled = run.cancel_reason is not None

    def is_cancelled_now() -> bool:
        # In some versions of asyncio a result, or the timeout, wins over a cancellation that comes in the same turn.
        return run.single_batch and not was_cancelled and run.cancel_reason is not None

    holds: asyncio.Future[None] = run.loop.create_future()
    run.conditions.append((condition, holds))
    seconds = limit.total_seconds() if isinstance(limit, timedelta) else limit
    try:
        # Straight to asyncio: how many turns it takes differs between versions of Python, for Temporal's SDK too.
        await asyncio.wait_for(holds, seconds)
    except TimeoutError:
        if is_cancelled_now():
            raise asyncio.CancelledError from None
        raise
    if is_cancelled_now():
        raise asyncio.CancelledError
