"""Prints what the guards cost, per call: `python tests/engine/guard_samples/cost.py`. Measures, and judges nothing."""

from __future__ import annotations

import logging
import random
import sys
import timeit
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import time  # isort: skip

sys.path.insert(0, str(Path(__file__).parents[3] / "engine"))

from playhead_engine import guards

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 10_000
REPEATS = 60


class Sample:
    """Stands for a workflow class."""


def nanoseconds(function: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Least time of one call."""
    return min(timeit.repeat(function, number=rounds, repeat=REPEATS)) / rounds * 1e9


def nothing() -> None:
    """Stands for an activation."""


def enter_and_leave() -> None:
    """What the native runtime does around each activation."""
    guards.enter("Sample")
    guards.leave()


def main() -> None:
    """Measure before and after a workflow was armed."""
    watchdog = guards.Watchdog()
    log = logging.getLogger("cost")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    outside: dict[str, Callable[[], object]] = {
        "time.time()": lambda: time.time(),
        "time.monotonic()": lambda: time.monotonic(),
        "random.random()": lambda: random.random(),
        "random.Random(1)": lambda: random.Random(1),
        "datetime.now()": lambda: datetime.now(),
        "sys._getframe()": lambda: sys._getframe(),
        "id()": lambda: id(log),
        "log.warning()": lambda: log.warning("x"),
    }
    before = {name: nanoseconds(function) for name, function in outside.items()}
    started = time.perf_counter()
    guards.arm(Sample)
    first = time.perf_counter() - started
    print(f"first arm {first * 1e3:.1f} ms, again {nanoseconds(lambda: guards.arm(Sample)):.0f} ns")
    call = nanoseconds(nothing)
    print(f"enter + leave       {nanoseconds(enter_and_leave) - call:7.0f} ns (a call of nothing: {call:.0f})")
    print(f"Watchdog.run        {nanoseconds(lambda: watchdog.run('Sample', nothing)) - 2 * call:7.0f} ns")
    for name, function in outside.items():
        print(f"{name:20}{before[name]:7.0f} -> {nanoseconds(function):5.0f} ns outside of workflows")

    def inside() -> None:
        guards.enter("Sample")
        try:
            print(f"log.warning() in a workflow {nanoseconds(outside['log.warning()']):7.0f} ns")
        finally:
            guards.leave()

    inside()


if __name__ == "__main__":
    main()
