"""Engines on disk that die, and disks that fail: what was acknowledged is there, and the next engine goes on."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from playhead_engine.client import EngineStopped
from playhead_engine.faults import Acknowledged
from playhead_engine.faults.invariants import check
from playhead_engine.stores import StoreError
from playhead_engine.stores.disk import DiskStore
from tests.engine import disk_victims
from tests.engine.disk_victims import Order, life
from tests.engine.engine_victims import RESULT, Notes


@pytest.fixture
def directory() -> Iterator[Path]:
    """In memory where the system has a file system for that: what a killed process wrote is kept by the system, not by
    the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture
def notes(directory: Path) -> Iterator[Notes]:
    """What activities did and clients heard."""
    with closing(Notes(directory / "notes")) as notes:
        yield notes


@pytest.fixture(scope="module")
def killed() -> Iterator[Callable[[Order], bool]]:
    """Has a process of its own see a journey to its end, or kills it at a step; says whether it did."""
    with subprocess.Popen(
        [sys.executable, disk_victims.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:

        def order(what: Order) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(what), file=process.stdin, flush=True)
            return bool(json.loads(process.stdout.readline()))

        yield order
        assert process.stdin is not None
        process.stdin.close()


def acknowledged(notes: Notes) -> list[Acknowledged]:
    """What the client wrote down that it was told."""
    told: list[Acknowledged] = []
    for line in notes.lines():
        match line.split():
            case [workflow_id, "letter", _]:
                told.append(Acknowledged("signal", workflow_id, "letter"))
            case [workflow_id, "accepted", number, _]:
                told.append(Acknowledged("update", workflow_id, f"stamp-{number}"))
    return told


def commits_left(path: Path, notes: Notes) -> int:
    """Look at what an engine has left behind; how many events that is."""
    try:
        store = DiskStore(path, read_only=True)
    except StoreError as error:
        assert error.problem == "there is no store here"
        assert not acknowledged(notes)
        return 0
    with closing(store):
        check(None, store, acknowledged(notes))
        return sum(len(store.events(summary["execution"]["runId"])) for summary in store.summaries())


def goes_on(path: Path, notes: Notes) -> None:
    """The next engine takes over what there is, brings the journey to its end, and is watched doing so."""
    assert asyncio.run(life(path, notes)) == RESULT
    assert commits_left(path, notes) > 0


def test_an_engine_is_killed_wherever_it_is(directory: Path, notes: Notes, killed: Callable[[Order], bool]) -> None:
    """A process is killed for real, before every so many things that it does to files and databases; engine after
    engine takes over the same store, and each is killed a little later in its life. None of them finds an invariant
    broken, and the last one ends the journey."""
    path, kills, left = directory / "store", 0, set[int]()
    for step in [*range(3, 400, 23), 10**9]:
        if not killed({"path": str(path), "notes": str(directory / "notes"), "step": step}):
            break
        kills += 1
        left.add(commits_left(path, notes))
    assert kills > 8
    assert len(left) > 5
    goes_on(path, notes)


def test_a_store_is_whole_whichever_step_is_the_last(directory: Path, killed: Callable[[Order], bool]) -> None:
    """The same on a new store each time: dying in the middle of its first commits, of later ones, of the last."""
    found: set[int] = set()
    for step in range(90, 1200, 97):
        path = directory / str(step)
        with closing(Notes(directory / f"notes-{step}")) as notes:
            was_killed = killed({"path": str(path), "notes": str(directory / f"notes-{step}"), "step": step})
            found.add(commits_left(path, notes))
            if not was_killed:
                break
            goes_on(path, notes)
    assert not was_killed
    assert len(found) > 5


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The kernel lets no file grow beyond this: a write that would is refused, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_stops_the_engine_and_costs_nothing(directory: Path) -> None:
    """Whichever write the kernel refuses, the engine stops and says why, and what it told its clients is there. When
    there is room again the next engine goes on."""
    stops, found = 0, set[int]()
    for size in [*range(40_000, 200_000, 16_000), 1 << 40]:
        path = directory / str(size)
        with closing(Notes(directory / f"notes-{size}")) as notes:
            DiskStore(path).close()
            try:
                with no_file_longer_than(size):
                    result = asyncio.run(life(path, notes))
            except (EngineStopped, StoreError) as stopped:
                stops += 1
                assert "nothing was written: " in str(stopped)
                found.add(commits_left(path, notes))
                goes_on(path, notes)
            else:
                assert result == RESULT
    assert stops > 4
    assert len(found) > 4


class Interrupts:
    """SQLite gives up in the middle of a statement, wherever its virtual machine has come to by then."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def __call__(self) -> int:
        self.steps += 1
        return self.steps == self.at


@contextmanager
def database_that_gives_up(at: int) -> Iterator[Interrupts]:
    """Connections that write are interrupted once, at this step of theirs."""
    connect, interrupts = sqlite3.connect, Interrupts(at)

    def failing(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        if "uri" not in kwargs:  # those only read
            connection.set_progress_handler(interrupts, 1)
        return connection

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", failing)
        yield interrupts


def test_a_database_that_gives_up_stops_the_engine_and_costs_nothing(directory: Path) -> None:
    """A statement, or the commit itself, fails in the middle of a transaction: nothing of it is there, and the next
    engine goes on."""
    DiskStore(directory / "whole").close()
    with closing(Notes(directory / "notes")) as notes, database_that_gives_up(0) as never:
        assert asyncio.run(life(directory / "whole", notes)) == RESULT
    stops, found = 0, set[int]()
    for at in range(500, never.steps, never.steps // 11):
        path = directory / str(at)
        with closing(Notes(directory / f"notes-{at}")) as notes:
            DiskStore(path).close()
            with pytest.raises((EngineStopped, StoreError), match="interrupted"), database_that_gives_up(at):
                asyncio.run(life(path, notes))
            stops += 1
            found.add(commits_left(path, notes))
            goes_on(path, notes)
    assert stops > 9
    assert len(found) > 7


@pytest.mark.parametrize("number", [1, 5, 12, 30])
def test_a_commit_that_is_torn_leaves_nothing(directory: Path, notes: Notes, number: int) -> None:
    """The process ends between two rows of one transaction, and takes over in the same engine; SQLite takes back what
    was begun."""
    plan = f"commit * {number} torn; commit * {number + 3} error; commit * {number + 5} crash-after 60s"
    assert asyncio.run(life(directory / "store", notes, plan)) == RESULT
    assert commits_left(directory / "store", notes) > 0
