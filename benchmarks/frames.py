"""What recording costs, and how fast one moves in a recording: beside a plain replay of the same history.

Run it from the repository root: `python -m benchmarks.frames`. The history is the one of 8,000 activities and 48,005
events. Three workflows replay it: one that holds next to nothing, one with attributes that grow in every workflow task,
and one written for `temporalio`. Everything is measured in CPU time of the process, replays and recordings in turn, so
that a busy machine hurts both. Every recording is checked to hold what it must.
"""

from __future__ import annotations

import gc
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import chain

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


def replayer_of(name: str) -> Replayer:
    """What replays the history with the workflow of that name."""
    if name == "temporalio":
        from temporalio.worker import UnsandboxedWorkflowRunner

        from benchmarks.temporal_loop import Loop

        return Replayer([Loop], workflow_runner=UnsandboxedWorkflowRunner())
    return Replayer([{"Bare": Bare, "Ledger": Ledger}[name]])


def peak_memory(name: str) -> float:
    """MB that a process takes at most that loads the history and records it."""
    code = (
        "import resource, benchmarks.frames as f; from benchmarks.histories import sequential_activities as s\n"
        f"r = f.recorded(f.replayer_of({name!r}), f.read_history(s({ACTIVITIES})))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def told(spent: list[float]) -> str:
    """Seconds of many steps, in words."""
    return f"{sum(spent) / len(spent) * 1e3:.2f} ms, the worst of {len(spent)}: {max(spent) * 1e3:.1f} ms"


def spent_on(looks: Iterable[Callable[[], object]]) -> list[float]:
    """CPU seconds of each."""
    spent: list[float] = []
    for look in looks:
        begun = time.process_time()
        assert look() is not None
        spent.append(time.process_time() - begun)
    return spent


def states(recording: Recording, chance: random.Random) -> Iterator[Callable[[], object]]:
    """Looks at the whole state at any event."""

    def look() -> object:
        state = recording.at(event=chance.randint(1, recording.last_event))
        return state.attributes, state.locals, state.waits, state.coroutines

    yield from [look] * STEPS


def lines_backwards(recording: Recording, task: int, count: int) -> Iterator[Callable[[], object]]:
    """Looks at every line of so many workflow tasks, backwards, with all variables."""

    def look(at: int) -> object:
        return [(step.site, step.locals, step.attributes) for step in reversed(recording.lines(task=at))]

    yield from (partial(look, at) for at in range(task, task - count, -1))


def live(recording: Recording, tasks: Iterable[int]) -> Iterator[Callable[[], object]]:
    """Asks the code itself, after some workflow tasks."""
    yield from (partial(recording.at(task=task).look, "type(self).__name__.lower()") for task in tasks)


def measure(name: str, history: History) -> None:
    """One of the workflows."""
    replayer, chance = replayer_of(name), random.Random(7)
    plain = with_frames = math.inf
    for _ in range(ROUNDS):
        plain = min(plain, cpu_seconds(lambda: replayed(replayer, history)))
        with_frames = min(with_frames, cpu_seconds(lambda: recorded(replayer, history)))
    recording = recorded(replayer, history)
    kept = sum(frame.is_captured for frame in recording.frames)
    print(f"{name}: replayed in {plain:.3f} s, recorded in {with_frames:.3f} s")
    print(f"  time of recording / time of replaying: {with_frames / plain:.2f}x  (goal: at most 3x)")
    print(f"  frames with variables: {kept:,} of {len(recording.frames):,}")
    print(f"  peak memory of the process: {peak_memory(name):.0f} MB  (goal: under 300 MB)")
    print(f"  a step to the state at any event: {told(spent_on(states(recording, chance)))}  (goal: under 50 ms)")
    (far,) = spent_on(lines_backwards(recording, ACTIVITIES - 100, 1))
    print(f"  the lines of a workflow task near the end, asked for first: {far * 1e3:.0f} ms")
    print(f"  from there on backwards: {told(spent_on(lines_backwards(recording, ACTIVITIES - 101, 100)))}")
    (far,) = spent_on(live(recording, [ACTIVITIES - 2_000]))
    print(f"  the code itself, asked far from all that was looked at: {far * 1e3:.0f} ms")
    forwards = range(ACTIVITIES - 1_999, ACTIVITIES - 1_799)
    print(f"  from there on forwards: {told(spent_on(live(recording, forwards)))}")
    print(f"  prepared ahead of time in {cpu_seconds(recording.prepare):.1f} s; then")
    tasks = [chance.randint(1, ACTIVITIES) for _ in range(200)]
    anywhere = chain.from_iterable(lines_backwards(recording, task, 1) for task in tasks)
    print(f"  the lines of any workflow task: {told(spent_on(anywhere))}")
    print(f"  the code itself, asked anywhere: {told(spent_on(live(recording, tasks[:60])))}")
    recording.close()


def main() -> None:
    """Measure and print."""
    history = read_history(sequential_activities(ACTIVITIES))
    print(f"{len(history):,} events")
    for name in ("Bare", "Ledger", "temporalio"):
        measure(name, history)


if __name__ == "__main__":
    main()
