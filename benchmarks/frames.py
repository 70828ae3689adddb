"""What recording costs, and how fast one moves in a recording: beside a plain replay of the same history.

Run it from the repository root: `python -m benchmarks.frames`. The history is the one of 8,000 activities and 48,005
events. Three workflows replay it: one that holds next to nothing, one with attributes that change in every workflow
task, and one with many things at once. Every recording is checked to hold what it must.
"""

from __future__ import annotations

import gc
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.histories import sequential_activities
from playhead import Agrees, Replayer
from playhead.readers import read_history
from playhead.timeline.recording import Recording
from playhead_engine import workflow
from playhead_engine.history import History

ACTIVITIES = 8_000
ROUNDS = 3
STEPS = 2_000


@workflow.defn(name="Loop")
class Bare:
    """Holds a number."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run the activities, one after the other."""
        for number in range(count):
            await workflow.execute_activity("echo", number, start_to_close_timeout=timedelta(seconds=60))
        return count


@dataclass
class Entry:
    """A line of an account."""

    number: int
    amount: int
    labels: list[str] = field(default_factory=list[str])


@workflow.defn(name="Loop")
class Ledger:
    """Holds what a business workflow may hold: totals, a growing list, a dictionary, some objects."""

    def __init__(self) -> None:
        """Start with an empty ledger."""
        self.total = 0
        self.stage = "open"
        self.entries: list[Entry] = []
        self.by_day: dict[str, int] = {}

    @workflow.run
    async def run(self, count: int) -> int:
        """Run the activities, one after the other."""
        for number in range(count):
            self.stage = f"echoing {number}"
            self.total += await self._echo(number)
            self.entries.append(Entry(number, number % 7, ["seen"]))
            self.by_day[f"day {number % 10}"] = number
        return count

    async def _echo(self, number: int) -> int:
        result: int = await workflow.execute_activity(
            "echo", number, start_to_close_timeout=timedelta(seconds=60), result_type=int
        )
        return result


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds that it takes once."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def replayed(replayer: Replayer, history: History) -> None:
    """Replay, and check that it agreed."""
    verdict = replayer.replay(history, workflow_id="wid")
    assert isinstance(verdict, Agrees), verdict


def recorded(replayer: Replayer, history: History) -> Recording:
    """Record, and check that all is there."""
    recording = replayer.record(history, workflow_id="wid")
    assert isinstance(recording.verdict, Agrees), recording.verdict
    assert len(recording.frames) == ACTIVITIES + 1
    return recording


def peak_memory(workflow_name: str) -> float:
    """MB that a process takes at most that loads the history and records it."""
    code = (
        "import resource, benchmarks.frames as f; from benchmarks.histories import sequential_activities as s\n"
        f"r = f.recorded(f.Replayer([f.{workflow_name}]), f.read_history(s({ACTIVITIES})))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def steps(recording: Recording) -> tuple[float, float]:
    """The mean and the worst time of a step to anywhere, in milliseconds: the state, with all that is in it."""
    chance = random.Random(7)
    worst = total = 0.0
    for _ in range(STEPS):
        event = chance.randint(1, recording.last_event)
        begun = time.perf_counter()
        state = recording.at(event=event)
        assert state.attributes is not None and state.locals is not None
        assert len(state.waits) + len(state.coroutines) >= 0
        spent = time.perf_counter() - begun
        worst, total = max(worst, spent), total + spent
    return total / STEPS * 1e3, worst * 1e3


def lines(recording: Recording) -> tuple[float, float, float]:
    """Seconds until every line of the run can be looked up; then the mean and the worst step, in milliseconds."""
    begun = time.perf_counter()
    count = len(recording.steps)
    first = time.perf_counter() - begun
    chance = random.Random(7)
    worst = total = 0.0
    for _ in range(STEPS):
        begun = time.perf_counter()
        step = recording.steps[chance.randrange(count)]
        assert step.site.line > 0 and step.locals is not None and step.attributes is not None
        spent = time.perf_counter() - begun
        worst, total = max(worst, spent), total + spent
    return first, total / STEPS * 1e3, worst * 1e3


def main() -> None:
    """Measure and print."""
    history = read_history(sequential_activities(ACTIVITIES))
    print(f"{len(history)} events")
    for cls in (Bare, Ledger):
        replayer = Replayer([cls])
        plain = with_frames = math.inf
        for _ in range(ROUNDS):
            plain = min(plain, cpu_seconds(lambda: replayed(replayer, history)))  # noqa: B023 - called at once
            with_frames = min(with_frames, cpu_seconds(lambda: recorded(replayer, history)))  # noqa: B023
        recording = recorded(replayer, history)
        kept = sum(frame.is_captured for frame in recording.frames)
        mean, worst = steps(recording)
        print(f"{cls.__name__}: replayed in {plain:.3f} s, recorded in {with_frames:.3f} s")
        print(f"  time of recording / time of replaying: {with_frames / plain:.2f}x  (goal: at most 3x)")
        print(f"  frames with variables: {kept} of {len(recording.frames)}")
        print(f"  peak memory of the process: {peak_memory(cls.__name__):.0f} MB  (goal: under 300 MB)")
        print(f"  a step to anywhere: {mean:.3f} ms, the worst of {STEPS}: {worst:.2f} ms  (goal: under 50 ms)")
        first, mean, worst = lines(recording)
        print(f"  going through all {len(recording.steps)} lines, once: {first:.2f} s")
        print(f"  then a step to any line: {mean:.3f} ms, the worst of {STEPS}: {worst:.2f} ms")


if __name__ == "__main__":
    main()
