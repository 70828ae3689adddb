"""An engine ends at any instant: what it accepted goes on when its store is opened again, and nothing it recorded is done twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


class History:
    """What was recorded at each crash, and how many notes there were: none of it may be noted again later."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._crashes: list[tuple[set[str], int]] = []

    def crashed(self, store: Store) -> None:
        self._crashes.append((recorded(store), len(self._notes.lines())))

    def check(self, store: Store, journeys: Sequence[str]) -> None:
        """Nothing was lost, nothing was done again, and nobody still runs."""
        lines = self._notes.lines()
        for done, seen in self._crashes:
            again = done.intersection(lines[seen:])
            assert not again, f"recorded before the crash, and run again after it: {again}"
        began = [line for line in lines if line.startswith("began ")]
        assert set(began) == recorded(store)
        assert max(map(began.count, began)) <= 1 + len(self._crashes), "run more than once in one life of the engine"
        for journey_id in journeys:
            for number in STAMPS:
                answers = {line for line in lines if line.startswith(f"{journey_id} stamp {number} is ")}
                assert answers <= {f"{journey_id} stamp {number} is {10 * number}"}
        assert open_runs(store) == []


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random(directory: Path, victim: Callable[[Order], Outcome], seed: int) -> None:
    """However often the process is killed, every workflow ends as if nothing had happened, and no recorded activity runs again."""
    chance = random.Random(seed)
    journeys = [f"journey-{number}" for number in range(5)]
    path = directory / "store"
    notes = Notes(directory / "notes")
    order: Order = {"path": str(path), "notes": str(directory / "notes"), "journeys": journeys}
    history = History(notes)
    with closing(notes):
        for _ in range(3):
            outcome = victim({**order, "moment": (chance.randrange(30), chance.choice([0.0, 0.002, 0.02]))})
            if not outcome["killed"]:
                break
            try:
                with closing(DiskStore(path, read_only=True)) as store:
                    history.crashed(store)
            except StoreError:
                assert not notes.lines(), "the store was not made yet, but something was acknowledged"
        outcome = victim(order)
        assert outcome == {"results": [RESULT] * len(journeys), "killed": False}
        with closing(DiskStore(path, read_only=True)) as store:
            history.check(store, journeys)


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


@pytest.mark.filterwarnings("ignore:.*PowerCut")
@pytest.mark.parametrize("writes", [False, True], ids=["before it is written", "after it was written"])
def test_cut_off_at_every_commit(directory: Path, writes: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever commit is the last, and whether it was written or not, the next engine takes up the workflow and ends it."""
    commits = commits_of_a_journey()
    assert commits > 25
    for last in range(1, commits + 1):
        store = MemoryStore()
        with closing(Notes(directory / f"notes-{last}")) as notes:
            history = History(notes)
            with pytest.raises(EngineStopped):
                asyncio.run(live(CutOff(store, last, writes=writes), notes, seed=0))
            history.crashed(store)
            assert asyncio.run(live(CutOff(store), notes, seed=1)) == RESULT, f"cut off at commit {last}"
            history.check(store, ["journey"])
    assert "PowerCut" in caplog.text
