"""How soon work goes on after a process was killed: 100 workflows on disk, of ten steps of a quarter of a second each.

Run it from the repository root: `python -m benchmarks.durability [ROUNDS]`. In each round a process runs the workflows
and is killed by SIGKILL in the middle of them; another takes the store up. Measured is the time from the start of that
process, Python's own start included, to the first step it runs. Checked is that every workflow ends with its result,
that no step whose end was recorded runs again, and none more than twice.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from benchmarks.slow_steps import STEP_SECONDS, STEPS, WORKFLOWS

GOAL_SECONDS = 0.3


class Line(NamedTuple):
    """One of the log: what happened, and when."""

    ns: int
    cpu: float  # seconds that the process had worked by then
    what: str

    @property
    def is_step(self) -> bool:
        return self.what.startswith("workflow-")


def read(log: Path) -> list[Line]:
    if not log.exists():
        return []
    parts = [line.split(" ", 2) for line in log.read_text().splitlines()]
    return [Line(int(ns), float(cpu), what) for ns, cpu, what in parts]


def process(path: Path, log: Path, role: str, bytecode: Path) -> subprocess.Popen[bytes]:
    # Code is compiled when a package is installed, not when a process starts, whatever this one was told about that.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "benchmarks.slow_steps", role, str(path), str(log)]
    return subprocess.Popen(command, env=environment)


def recorded(path: Path) -> set[str]:
    """The steps whose end is in a history, as the log would say them."""
    from playhead_engine.history import event_from_json
    from playhead_engine.history.events import ActivityTaskCompleted
    from playhead_engine.stores.disk import DiskStore

    found: set[str] = set()
    with closing(DiskStore(path, read_only=True)) as store:
        summaries = list(store.summaries())
        assert len(summaries) == WORKFLOWS, len(summaries)
        for summary in summaries:
            execution = summary["execution"]
            events = map(event_from_json, store.events(execution["runId"]))
            done = sum(isinstance(event, ActivityTaskCompleted) for event in events)
            found.update(f"{execution['workflowId']} {number}" for number in range(done))
    return found


class Round(NamedTuple):
    """What one round measured; times in seconds from the start of the second process."""

    begun: int  # steps, when the first process was killed
    imported: float
    opened: float
    first_step: float
    first_step_cpu: float
    ended: float
    twice: int  # steps


def one_round(chance: random.Random, bytecode: Path) -> Round:
    # Beside the repository's files rather than in a temporary directory, which may be in memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix="durability-") as directory:
        path, log = Path(directory) / "store", Path(directory) / "log"
        first = process(path, log, "first", bytecode)
        wanted = chance.randrange(4 * WORKFLOWS, 6 * WORKFLOWS)
        while sum(line.is_step for line in read(log)) < wanted:
            assert first.poll() is None, "the first process ended by itself"
            time.sleep(0.02)
        first.kill()
        first.wait()
        before, done = read(log), recorded(path)
        began_ns = time.monotonic_ns()
        second = process(path, log, "second", bytecode)
        assert second.wait() == 0, "the second process failed"
        after = read(log)[len(before) :]
        assert recorded(path) == {f"workflow-{w} {number}" for w in range(WORKFLOWS) for number in range(STEPS)}
    again = done.intersection(line.what for line in after)
    assert not again, f"recorded, and run again: {again}"
    runs = Counter(line.what for line in [*before, *after] if line.is_step)
    assert len(runs) == WORKFLOWS * STEPS
    assert max(runs.values()) <= 2, runs.most_common(3)

    def since(what: str) -> float:
        return next((line.ns - began_ns) / 1e9 for line in after if line.what == what)

    first_step = next(line for line in after if line.is_step)
    return Round(
        sum(line.is_step for line in before),
        since("imported"),
        since("opened"),
        (first_step.ns - began_ns) / 1e9,
        first_step.cpu,
        since("ended"),
        sum(count == 2 for count in runs.values()),
    )


def main(rounds: int) -> None:
    """Measure and print."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="bytecode-") as bytecode:
        measured = [one_round(chance, Path(bytecode)) for _ in range(rounds)]
    print(f"{WORKFLOWS} workflows of {STEPS} steps of {STEP_SECONDS} s, killed in the middle, {rounds} rounds")
    print(f"{'steps begun when killed':42}{', '.join(str(one.begun) for one in measured)}")
    for title, values in (
        ("s: code imported", [one.imported for one in measured]),
        ("s: engine opened", [one.opened for one in measured]),
        ("s: first step", [one.first_step for one in measured]),
        ("s of CPU up to there", [one.first_step_cpu for one in measured]),
        ("s: all ended", [one.ended for one in measured]),
    ):
        print(f"{title:36}{statistics.median(values):6.3f}  [{min(values):.3f} .. {max(values):.3f}]")
    median = statistics.median(one.first_step for one in measured)
    print(f"first step {median:.3f} s after the restart (goal <= {GOAL_SECONDS}: {_verdict(median)})")
    print(f"steps run twice: {', '.join(str(one.twice) for one in measured)}; lost: 0; recorded and run again: 0")


def _verdict(seconds: float) -> str:
    return "met" if seconds <= GOAL_SECONDS else "MISSED"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
