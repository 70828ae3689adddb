"""A writer is killed, at random and at every point: what it was told is there, and nothing is there by half."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playhead_engine.stores import StoreError
from playhead_engine.stores.disk import DiskStore
from playhead_engine.stores.memory import MemoryStore
from tests.engine import store_victims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playhead_engine.stores import Store
    from tests.engine.store_victims import Order, Outcome


@pytest.fixture
def directory() -> Iterator[Path]:
    """In memory where the system has a file system for that: what a killed process wrote is kept by the system, not by
    the disk, and these tests open hundreds of stores."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture(scope="module")
def kill() -> Iterator[Callable[[Order], Outcome]]:
    """Starts a writer and kills it as ordered."""
    with subprocess.Popen(
        [sys.executable, store_victims.__file__],
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


COMMITS = 60  # written to one store at most


def everything(store: Store) -> list[object]:
    """All that can be read of the runs that the victims write."""
    run_ids = ["left", "right", *(f"run-{number}" for number in range(5, COMMITS + 6, 5))]
    contents: list[object] = [
        [store.events(run_id), store.summary(run_id), store.pending(run_id)] for run_id in run_ids
    ]
    return [list(store.summaries()), *contents]


def commits_in(path: Path, *, acknowledged: int) -> int:
    """How many commits a store holds whose owner died. It holds nothing else, and not less than was acknowledged; a
    writer that was killed between writing and telling has one more. Who looks on sees the same as the next owner."""
    try:
        with closing(DiskStore(path, read_only=True)) as store:
            seen = everything(store)
    except StoreError as error:
        assert error.problem == "there is no store here"
        seen = everything(MemoryStore())
    with closing(DiskStore(path, synchronous="NORMAL")) as store:
        found = everything(store)
        commits = len(store.events("left"))
    assert found == seen
    assert commits in (acknowledged, acknowledged + 1)
    expected = MemoryStore()
    for number in range(1, commits + 1):
        expected.commit(store_victims.commit(number))
    assert found == everything(expected)
    return commits


def test_a_writer_that_is_killed_at_any_moment_loses_nothing_it_was_told(
    kill: Callable[[Order], Outcome], directory: Path
) -> None:
    """Writers go on one after the other in one directory, each killed at a random moment. Each finds every commit that
    an earlier one saw return, whole and in order, and nothing of any other but the one that was under way."""
    chance = random.Random(20)
    killed = commits = stores = 0
    for _ in range(40):
        path = directory / str(stores)
        moment = (chance.randrange(6), chance.expovariate(1000))
        outcome = kill({"path": str(path), "commits": COMMITS, "moment": moment})
        killed += outcome["killed"]
        commits = commits_in(path, acknowledged=max(commits, outcome["acknowledged"]))
        if commits == COMMITS:
            stores, commits = stores + 1, 0
    assert killed > 20
    assert stores > 1


def test_a_writer_that_is_killed_before_any_step_it_takes_loses_nothing(
    kill: Callable[[Order], Outcome], directory: Path
) -> None:
    """From opening a store over three commits to closing it, a writer is killed before each SQL statement and each call
    of the file system, once for every one of them."""
    DiskStore(directory / "new").close()
    found: set[int] = set()
    for step in range(1, 10_000):
        path = directory / str(step)
        shutil.copytree(directory / "new", path)
        outcome = kill({"path": str(path), "commits": 3, "step": step})
        found.add(commits_in(path, acknowledged=outcome["acknowledged"]))
        if not outcome["killed"]:
            break
    assert step > 100
    assert not outcome["killed"]
    assert found == {0, 1, 2, 3}


def test_a_store_whose_maker_is_killed_can_be_made_by_the_next(
    kill: Callable[[Order], Outcome], directory: Path
) -> None:
    """Whatever of a new store is there when its maker dies, the next writer gets an empty store."""
    for step in range(1, 10_000, 3):
        path = directory / str(step) / "store"
        outcome = kill({"path": str(path), "commits": 0, "step": step})
        assert commits_in(path, acknowledged=0) == 0
        if not outcome["killed"]:
            break
    assert step > 100
    assert not outcome["killed"]


def test_a_writer_that_is_killed_in_the_middle_of_a_write_loses_nothing(
    kill: Callable[[Order], Outcome], directory: Path
) -> None:
    """The kernel ends the writer within a write, so that a file ends anywhere: while the store is made, in the log of
    the commits, within a page and between pages."""
    found: set[int] = set()
    for size in [*range(0, 200_000, 8009), *range(200_000, 330_000, 2503)]:
        path = directory / str(size)
        outcome = kill({"path": str(path), "commits": COMMITS, "size": size})
        assert outcome["killed"]
        found.add(commits_in(path, acknowledged=outcome["acknowledged"]))
    assert len(found) > 5


def test_a_store_survives_that_its_next_owners_are_killed_while_they_open_it(
    kill: Callable[[Order], Outcome], directory: Path
) -> None:
    """A store whose owner died is opened by owners that die at each step of opening it, and of the first commit. The
    last one finds all."""
    path = directory / "store"
    acknowledged = kill({"path": str(path), "commits": COMMITS, "size": 330_000})["acknowledged"]
    assert acknowledged > 5
    for step in range(1, 120):
        outcome = kill({"path": str(path), "commits": COMMITS, "step": step})
        assert outcome == {"acknowledged": 0, "killed": True}
    assert commits_in(path, acknowledged=acknowledged) >= acknowledged
