"""How fast the gate is: `playhead check` over a thousand histories, cold and warm, beside Temporal's own Replayer.

Run it from the repository root: `python -m benchmarks.check`. All three are whole commands, as a CI job gives them:
they start, import the workflow code, read every file and replay it. The workflow runs in Temporal's sandbox, as it does
by default. The rounds are interleaved, and each figure is the best of its rounds; every history is checked to have been
replayed to its end. The goals are about wall seconds on two processors that nobody else uses; processor seconds say how
much of the difference is less work, and not more processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.histories import sequential_activities

ROOT = Path(__file__).parent.parent

WORKFLOW = '''
"""As many activities as it is told, one after the other."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Loop:
    """The loop."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run them."""
        for number in range(count):
            await workflow.execute_activity("echo", number, start_to_close_timeout=timedelta(seconds=60))
        return count
'''

PROJECT = """
[tool.playhead]
workflows = ["loop"]
histories = ["histories"]
"""

THEIRS = '''
"""Temporal's Replayer, over a folder of histories, one after the other."""

import asyncio
from pathlib import Path

from loop import Loop
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer


async def main() -> None:
    async def histories():
        for file in sorted(Path("histories").iterdir()):
            yield WorkflowHistory.from_json(file.stem, file.read_text())

    replayer = Replayer(workflows=[Loop])
    count = 0
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            assert result.replay_failure is None, result.replay_failure
            count += 1
    print(count)


asyncio.run(main())
'''


def make_project(folder: Path, count: int) -> int:
    """Write a project with so many histories of about fifty events, no two alike; returns how many events in all."""
    (folder / "histories").mkdir(parents=True)
    (folder / "loop.py").write_text(WORKFLOW)
    (folder / "theirs.py").write_text(THEIRS)
    (folder / "pyproject.toml").write_text(PROJECT)
    events = 0
    for number in range(count):
        text = sequential_activities(7 + number % 3, core_flags=(1, 2, 3)).replace(b'"r1"', b'"run-%d"' % number)
        text = text.replace(b'"wid"', b'"loop-%d"' % number)
        events += text.count(b'"eventId"')
        (folder / "histories" / f"loop-{number:04}.json").write_bytes(text)
    return events


@dataclass(frozen=True, order=True)
class Seconds:
    """What a command takes: wall seconds, and processor seconds of it and all its processes."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s, {self.processor:6.2f} s of processor"


def seconds(command: Sequence[str], folder: Path) -> tuple[Seconds, str]:
    """What a command takes, and what it prints."""
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={name: it for name, it in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - begun, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    assert done.returncode == 0, done.stdout + done.stderr
    return Seconds(wall, processor), done.stdout


def ours(folder: Path, count: int, *, known: int) -> Seconds:
    """What one check takes."""
    took, _ = seconds(["-m", "playhead", "check", "--json", "check.json"], folder)
    counted = json.loads((folder / "check.json").read_text())["counts"]
    assert counted["agrees"] == count == sum(counted.values()), counted
    assert json.loads((folder / "check.json").read_text())["known"] == known
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    count: int = arguments.histories
    cold: list[Seconds] = []
    warm: list[Seconds] = []
    theirs: list[Seconds] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        events = make_project(folder, count)
        for _ in range(arguments.rounds):
            shutil.rmtree(folder / ".playhead_cache", ignore_errors=True)
            cold.append(ours(folder, count, known=0))
            warm.append(ours(folder, count, known=count))
            took, said = seconds(["theirs.py"], folder)
            assert said.strip() == str(count), said
            theirs.append(took)
    processors = len(os.sched_getaffinity(0))
    print(f"{count} histories, {events / count:.0f} events each, {processors} processors")
    faster, less = min(theirs).wall / min(cold).wall, min(theirs).processor / min(cold).processor
    print(f"Temporal's Replayer, one after the other: {min(theirs)}")
    print(f"playhead check, cold:                     {min(cold)}")
    print(f"  times faster: {faster:.1f}x  (goal: at least 10x on two processors), with {less:.1f}x less work")
    print(f"playhead check, warm:                     {min(warm)}  (goal: less than 2 s)")


if __name__ == "__main__":
    main()
