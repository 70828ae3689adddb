"""An engine ends at any instant: the next one goes on with all it accepted, and repeats nothing it recorded."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playhead_engine.converter import DataConverter
from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.history import event_from_json
from playhead_engine.history import events as kinds
from playhead_engine.stores import StoreError
from playhead_engine.stores.disk import DiskStore
from playhead_engine.stores.memory import MemoryStore
from tests.engine import engine_victims
from tests.engine.engine_victims import RESULT, STAMPS, Notes, open_engine, travel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playhead_engine.messages import Json
    from playhead_engine.stores import RunWrite, Store
    from tests.engine.engine_victims import Order, Outcome


@pytest.fixture
def directory() -> Iterator[Path]:
    """In memory where the system has a file system for that: what a killed process wrote is kept by the system, not by
    the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture(scope="module")
def victim() -> Iterator[Callable[[Order], Outcome]]:
    """Has a process of its own see journeys to their end, or kills it before, as ordered."""
    with subprocess.Popen(
        [sys.executable, engine_victims.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:

        def order(what: Order) -> Outcome:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(what), file=process.stdin, flush=True)
            outcome: Outcome = json.loads(process.stdout.readline())
            return outcome

        yield order
        assert process.stdin is not None
        process.stdin.close()


def recorded(store: Store) -> set[str]:
    """What a porter notes when it begins an activity, of all whose completion is in a history."""
    found: set[str] = set()
    for summary in store.summaries():
        run_id = summary["execution"]["runId"]
        scheduled: dict[int, str] = {}
        for event in map(event_from_json, store.events(run_id)):
            if isinstance(event, kinds.ActivityTaskScheduled):
                scheduled[event.event_id] = event.activity_id
            elif isinstance(event, kinds.ActivityTaskCompleted):
                found.add(f"began {run_id} {scheduled[event.scheduled_event_id]}")
    return found


def open_runs(store: Store) -> list[str]:
    return [
        summary["execution"]["workflowId"]
        for summary in store.summaries()
        if summary["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    ]


def heard(store: Store) -> set[str]:
    """What the client notes when it is told that a letter or an update was accepted, of all in a history."""
    found: set[str] = set()
    for summary in store.summaries():
        execution = summary["execution"]
        for event in map(event_from_json, store.events(execution["runId"])):
            if isinstance(event, kinds.WorkflowExecutionSignaled) and event.signal_name == "letter":
                (payload,) = (event.attributes.get("input") or {})["payloads"]
                found.add(f"{execution['workflowId']} letter {DataConverter.default.decode_value(payload)}")
            elif isinstance(event, kinds.WorkflowExecutionUpdateAccepted):
                number = event.protocol_instance_id.removeprefix("stamp-")
                found.add(f"{execution['workflowId']} accepted {number} {execution['runId']}")
    return found


class Crashes:
    """What was recorded at each crash, and how many notes there were: none of it may be noted again later."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._crashes: list[tuple[set[str], int]] = []

    def crashed(self, store: Store) -> None:
        """The engine has ended, and this is what it left."""
        lines = self._notes.lines()
        self._crashes.append((recorded(store), len(lines)))
        told = {line for line in lines if " letter " in line or " accepted " in line}
        assert told <= heard(store), "acknowledged, and lost"

    def check(self, store: Store, journeys: Sequence[str]) -> None:
        """Nothing was lost, nothing was done again, and nobody still runs."""
        lines = self._notes.lines()
        for done, seen in self._crashes:
            again = done.intersection(lines[seen:])
            assert not again, f"recorded before the crash, and run again after it: {again}"
        began = Counter(line for line in lines if line.startswith("began "))
        assert set(began) == recorded(store)
        assert max(began.values()) <= 1 + len(self._crashes), "begun more than once in one life of the engine"
        told = {line for line in lines if " letter " in line or " accepted " in line}
        assert told <= heard(store)
        for journey_id in journeys:
            answers = {line for line in lines if line.startswith(f"{journey_id} stamp ")}
            assert answers <= {f"{journey_id} stamp {number} is {10 * number}" for number in STAMPS}
        assert open_runs(store) == []


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random(directory: Path, victim: Callable[[Order], Outcome], seed: int) -> None:
    """However often the process is killed, every workflow ends as if it had not been, and repeats no recorded
    activity."""
    chance = random.Random(seed)
    journeys = [f"journey-{number}" for number in range(5)]
    path = directory / "store"
    notes = Notes(directory / "notes")
    order: Order = {"path": str(path), "notes": str(directory / "notes"), "journeys": journeys}
    crashes = Crashes(notes)
    kills = 0
    with closing(notes):
        for _ in range(3):
            outcome = victim({**order, "moment": (chance.randrange(40), chance.uniform(0.0, 0.02))})
            if not outcome["killed"]:
                break
            kills += 1
            try:
                with closing(DiskStore(path, read_only=True)) as store:
                    crashes.crashed(store)
            except StoreError:
                assert not notes.lines(), "the store was not made yet, but something was acknowledged"
        assert kills, "it was faster than its killer"
        outcome = victim(order)
        assert outcome == {"results": [RESULT] * len(journeys), "killed": False}
        with closing(DiskStore(path, read_only=True)) as store:
            crashes.check(store, journeys)


class PowerCut(Exception):
    """Stands for the end of the machine."""


class CutOff:
    """A store that is there no more from one of its commits on.

    Args:
        store: The store.
        last: Number of the commit, from 1.
        writes: Whether that commit is still written, though nobody hears of it.
    """

    def __init__(self, store: Store, last: int = 0, *, writes: bool = False) -> None:
        self._store = store
        self._last = last
        self._writes = writes
        self.commits = 0

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self.commits += 1
        if self.commits == self._last and self._writes:
            self._store.commit(writes)
        if self._last and self.commits >= self._last:
            raise PowerCut
        self._store.commit(writes)

    def events(self, run_id: str) -> list[Json]:
        return self._store.events(run_id)

    def summary(self, run_id: str) -> Json | None:
        return self._store.summary(run_id)

    def pending(self, run_id: str) -> Json:
        return self._store.pending(run_id)

    def summaries(self) -> Iterator[Json]:
        return self._store.summaries()

    def close(self) -> None:
        """What it holds is for the next engine."""


async def live(store: Store, notes: Notes, seed: int) -> list[str]:
    """One life of an engine, under the virtual clock."""
    async with open_engine(notes, store=store, seed=seed) as engine:
        return await travel(engine, "journey", notes)


def commits_of_a_journey() -> int:
    with tempfile.TemporaryDirectory() as directory, closing(Notes(Path(directory) / "notes")) as notes:
        store = CutOff(MemoryStore())
        assert asyncio.run(live(store, notes, 0)) == RESULT
        return store.commits


@pytest.mark.parametrize("writes", [False, True], ids=["before it is written", "after it was written"])
def test_cut_off_at_every_commit(directory: Path, writes: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever commit is the last, and whether it was written or not, the next engine brings the workflow to its
    end."""
    commits = commits_of_a_journey()
    assert commits > 25
    chance = random.Random(commits)
    for last in range(1, commits + 1):
        store = MemoryStore()
        with closing(Notes(directory / f"notes-{last}")) as notes:
            crashes = Crashes(notes)
            result = None
            # Then a second time, soon after the next engine has begun.
            for life, cut in enumerate((last, chance.randrange(1, 8), 0)):
                try:
                    result = asyncio.run(live(CutOff(store, cut, writes=writes), notes, seed=life))
                except EngineStopped:
                    crashes.crashed(store)
            assert result == RESULT, f"cut off at commit {last}"
            crashes.check(store, ["journey"])
    assert caplog.text.count("PowerCut") >= commits
