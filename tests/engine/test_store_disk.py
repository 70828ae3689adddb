"""What the disk store promises beyond the contract: whose a directory is, what is refused, what no damage can do."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diskcache
import pytest

from playhead_engine.stores import RunWrite, StoreError
from playhead_engine.stores import disk as disk_module
from playhead_engine.stores.cache import open_cache
from playhead_engine.stores.disk import DiskStore
from playhead_engine.stores.rows import FORMAT_KEY, batch_key, pending_key, run_key, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playhead_engine.messages import Json

RUN = "0197a3c2-0000-7000-8000-000000000001"
OTHER = "0197a3c2-0000-7000-8000-000000000002"


def events(first: int, last: int) -> tuple[Json, ...]:
    return tuple(
        {"eventId": str(event_id), "eventType": "EVENT_TYPE_TIMER_FIRED"} for event_id in range(first, last + 1)
    )


def completed(store: DiskStore, run_id: str, batches: int = 5) -> None:
    """Write a run that began, went on in batches of three events, and completed."""
    store.commit([RunWrite(run_id, 1, events(1, 3), {"runId": run_id, "status": "RUNNING"}, {"of": run_id})])
    for first in range(4, 3 * batches - 2, 3):
        store.commit([RunWrite(run_id, first, events(first, first + 2), pending={"of": run_id, "at": first})])
    first = 3 * batches - 2
    store.commit([RunWrite(run_id, first, events(first, first + 2), {"runId": run_id, "status": "COMPLETED"}, {})])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A closed store with two completed runs of fifteen events."""
    path = tmp_path / "store"
    with closing(DiskStore(path, synchronous="NORMAL")) as store:
        completed(store, RUN)
        completed(store, OTHER)
    return path


def refusal(path: Path | str, *, read_only: bool) -> str:
    """What somebody is told who opens this; the path is named."""
    with pytest.raises(StoreError) as caught:
        DiskStore(path, read_only=read_only)
    assert caught.value.path == str(Path(path).absolute())
    return caught.value.problem


def sql(directory: Path, statement: str, *parameters: object) -> list[Any]:
    """Change the database behind the store's back."""
    with closing(sqlite3.connect(directory / "cache.db", isolation_level=None)) as database:
        return database.execute(statement, parameters).fetchall()


def content(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, with what is in it."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process."""
    preface = "import sys\nfrom playhead_engine.stores import *\nfrom playhead_engine.stores.disk import DiskStore\n"
    return subprocess.Popen(
        [sys.executable, "-c", preface + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


# Opening and closing


def test_a_store_is_the_same_after_opening_it_again(directory: Path) -> None:
    """Everything that was committed is there after closing and opening, and the run goes on where it was."""
    with closing(DiskStore(directory)) as store:
        assert [summary["runId"] for summary in store.summaries()] == [RUN, OTHER]
        assert store.events(RUN) == list(events(1, 15))
        assert store.pending(RUN) == {}
        with pytest.raises(StoreError, match="event 15 can not follow event 15"):
            store.commit([RunWrite(RUN, 15, events(15, 15))])
        store.commit([RunWrite(RUN, 16, events(16, 16))])
    with closing(DiskStore(directory)) as store:
        assert store.events(RUN) == list(events(1, 16))


@pytest.mark.parametrize("name", ["new/deep/down", "with space", "50%", "a?b#c", "ä🎬", "[x]", "~"])
def test_a_store_can_be_made_in_a_directory_of_any_name(tmp_path: Path, name: str) -> None:
    """A directory that is not there yet is made, whatever characters are in its name."""
    with closing(DiskStore(tmp_path / name)) as store:
        completed(store, RUN)
    with closing(DiskStore(tmp_path / name, read_only=True)) as store:
        assert store.events(RUN) == list(events(1, 15))
    assert (tmp_path / name / "cache.db").is_file()


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changing the working directory of the process does not move a store."""
    monkeypatch.chdir(tmp_path)
    with closing(DiskStore("store")) as store:
        monkeypatch.chdir("/")
        completed(store, RUN)
        assert store.events(RUN) == list(events(1, 15))
    assert (tmp_path / "store" / "cache.db").is_file()


def test_a_path_with_a_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """diskcache would write elsewhere than the path says, so such a path is refused before anything is made."""
    monkeypatch.setenv("ELSEWHERE", str(tmp_path / "elsewhere"))
    assert "variable" in refusal(tmp_path / "$ELSEWHERE", read_only=False)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_store_is_one_database_file(directory: Path) -> None:
    """After closing, the log of SQLite is folded in: the directory can be copied as it is."""
    assert sorted(content(directory)) == ["cache.db", "owner.lock"]


# Whose a directory is


def test_a_second_process_is_refused_and_told_who_has_the_store(directory: Path) -> None:
    """While one process has a store, another is refused with the owner's id and what to do; afterwards it gets it."""
    owner = python("store = DiskStore(sys.argv[1]); print('open', flush=True); sys.stdin.read()", directory)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "open\n"
    with pytest.raises(StoreError) as caught:
        DiskStore(directory)
    assert f"the store is in use by process {owner.pid} since 20" in caught.value.problem
    assert "read-only" in caught.value.advice
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    with closing(DiskStore(directory)) as store:
        assert store.events(RUN) == list(events(1, 15))


def test_the_same_process_can_not_open_a_store_twice(directory: Path) -> None:
    """Two engines in one process on one directory would be as wrong as in two."""
    with closing(DiskStore(directory)) as store:
        assert f"in use by process {os.getpid()}" in refusal(directory, read_only=False)
        store.commit([RunWrite(RUN, 16, events(16, 16))])
    DiskStore(directory).close()


def test_a_forked_process_is_refused(directory: Path) -> None:
    """A fork shares the open files of the owner, and must not write to them nor read from them."""
    code = """
import os
store = DiskStore(sys.argv[1])
store.commit([RunWrite("run", summary={})])
if os.fork() == 0:
    for use in (lambda: store.commit([RunWrite("run", summary={})]), lambda: store.events("run"), store.close):
        try:
            use()
        except StoreError as error:
            print(error.problem, flush=True)
    os._exit(0)
os.wait()
store.commit([RunWrite("run", summary={"still": "fine"})])
print(store.summary("run"))
"""
    output, _ = python(code, directory).communicate()
    lines = output.splitlines()
    assert len(lines) == 4
    assert all("and this is a fork of it" in line for line in lines[:3])
    assert lines[3] == "{'still': 'fine'}"


# Looking on


def test_an_onlooker_sees_each_commit_as_soon_as_it_is_made(directory: Path) -> None:
    """Another process can read while the owner writes, and sees what is committed, no more and no less."""
    code = """
store = DiskStore(sys.argv[1], read_only=True)
print('looking', flush=True)
for line in sys.stdin:
    print(len(store.events(line.strip())), len(list(store.summaries())), flush=True)
"""
    with closing(DiskStore(directory)) as store:
        onlooker = python(code, directory)
        assert onlooker.stdin is not None
        assert onlooker.stdout is not None
        assert onlooker.stdout.readline() == "looking\n"
        for last in range(1, 20):
            store.commit([RunWrite("new", last, events(last, last), {"runId": "new"})])
            print("new", file=onlooker.stdin, flush=True)
            assert onlooker.stdout.readline() == f"{last} 3\n"
        onlooker.communicate()


def test_an_onlooker_sees_nothing_of_a_transaction_that_is_not_committed(directory: Path) -> None:
    """What the owner has written and not committed is invisible."""
    with (
        closing(DiskStore(directory, read_only=True)) as onlooker,
        closing(sqlite3.connect(directory / "cache.db")) as owner,
    ):
        owner.execute("DELETE FROM Cache WHERE key LIKE 'event/%'")
        assert onlooker.events(RUN) == list(events(1, 15))
        owner.rollback()


def test_an_onlooker_can_not_write(directory: Path) -> None:
    """A store that was opened read-only refuses commits, and leaves the database as it is."""
    before = (directory / "cache.db").read_bytes()
    with closing(DiskStore(directory, read_only=True)) as store:
        with pytest.raises(StoreError, match="opened read-only"):
            store.commit([RunWrite(RUN, 16, events(16, 16))])
        assert store.events(RUN) == list(events(1, 15))
    assert (directory / "cache.db").read_bytes() == before


def test_an_onlooker_leaves_what_a_dead_owner_left(directory: Path) -> None:
    """Looking at a store whose owner was killed shows all that was committed, and folds nothing of it in."""
    code = """
import os, signal
store = DiskStore(sys.argv[1])
store.commit([RunWrite(sys.argv[2], 16, ({"last": True},))])
os.kill(os.getpid(), signal.SIGKILL)
"""
    python(code, directory, RUN).communicate()
    before = {name: content(directory)[name] for name in ("cache.db", "cache.db-wal")}
    assert before["cache.db-wal"]
    with closing(DiskStore(directory, read_only=True)) as store:
        assert store.events(RUN)[15] == {"last": True}
    assert {name: content(directory)[name] for name in before} == before


def test_onlookers_do_not_keep_the_owner_out(directory: Path) -> None:
    """A store that somebody looks at can be opened for writing."""
    with closing(DiskStore(directory, read_only=True)) as onlooker:
        with closing(DiskStore(directory)) as store:
            store.commit([RunWrite(RUN, 16, events(16, 16))])
        assert len(onlooker.events(RUN)) == 16


# What is refused


def not_there(path: Path) -> str:
    return "there is no store here"


def a_file(path: Path) -> str:
    path.write_text("hello")
    return "this can not be the directory of a store: Not a directory"


def something_else(path: Path) -> str:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")
    return "no store is here, but something else is: thesis.txt"


def a_cache_with_pickles(path: Path) -> str:
    with diskcache.Cache(str(path)) as cache:
        cache["key"] = {"a": object}
    return "this is a diskcache, but not a Playhead store"


def another_database(path: Path) -> str:
    path.mkdir()
    sql(path, "CREATE TABLE Accounts (id)")
    return "cache.db is damaged, or not of a Playhead store: no such"


def no_database(path: Path) -> str:
    path.mkdir()
    (path / "cache.db").write_bytes(b"This is a text of more than one hundred bytes. " * 100)
    return "cache.db is damaged, or not of a Playhead store: file is not a database"


def an_empty_database(path: Path) -> str:
    path.mkdir()
    (path / "cache.db").touch()
    return "cache.db is damaged, or not of a Playhead store: no such"


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "make", [a_file, something_else, a_cache_with_pickles, another_database, no_database, an_empty_database]
)
def test_a_directory_that_is_no_store_is_refused_and_not_touched(
    tmp_path: Path, make: Callable[[Path], str], read_only: bool
) -> None:
    """Anything else than a store is refused with what it is, and every file in it stays as it is."""
    path = tmp_path / "other"
    expected = make(path)
    before = content(tmp_path)
    assert refusal(path, read_only=read_only).startswith(expected)
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.endswith("owner.lock")]


def test_looking_at_nothing_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    """Somebody who looks on where no store is is told so, and no store is made."""
    (tmp_path / "empty").mkdir()
    for name in ("missing", "empty"):
        assert refusal(tmp_path / name, read_only=True) == "there is no store here"
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_format_is_refused_by_name(directory: Path, read_only: bool) -> None:
    """A store that a later version wrote is refused with the format it has and the one that is known."""
    value = b'{"format":2,"something":"new"}'
    sql(directory, "UPDATE Cache SET value = ?, tag = ? WHERE key = ?", value, seal(FORMAT_KEY, value), FORMAT_KEY)
    before = content(directory)
    problem = refusal(directory, read_only=read_only)
    assert problem == "this store is a playhead-store 2, and this version of Playhead knows playhead-store 1"
    assert {name: content(directory)[name] for name in before} == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_without_its_database_is_damaged_not_new(directory: Path, read_only: bool) -> None:
    """If the database was deleted, nobody silently begins with an empty one."""
    (directory / "cache.db").unlink()
    assert refusal(directory, read_only=read_only) == "the store is damaged: cache.db is missing"


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 99, 100, 4095, 4096, 4097, 8192, -4097, -4096])
def test_a_store_that_was_cut_short_is_refused(directory: Path, kept: int, read_only: bool) -> None:
    """A database that lost its end, wherever it was cut, is not opened."""
    whole = (directory / "cache.db").read_bytes()
    (directory / "cache.db").write_bytes(whole[:kept])
    assert refusal(directory, read_only=read_only).startswith("cache.db is damaged, or not of a Playhead store")


def test_a_store_that_lost_part_of_its_last_page_gives_whole_histories_or_none(directory: Path) -> None:
    """SQLite takes a last page that was cut short for one that ends in zeros; what was in it is refused on reading."""
    history = [*events(1, 15), {"eventId": "16", "text": "x" * 20_000}]
    with closing(DiskStore(directory)) as store:
        store.commit([RunWrite(RUN, 16, (history[15],))])
    whole = (directory / "cache.db").read_bytes()
    refused = 0
    for cut in range(0, 4096, 128):
        (directory / "cache.db").write_bytes(whole[: len(whole) - cut])
        with closing(DiskStore(directory, read_only=True)) as store:
            try:
                assert store.events(RUN) == history
            except StoreError:
                refused += 1
            assert store.events(OTHER) == list(events(1, 15))
    assert 0 < refused < 32


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def a_pickled_value(cache: Any, trap: Trap) -> None:
    cache["key"] = trap


def a_pickled_key(cache: Any, trap: Trap) -> None:
    cache[(trap, 1)] = b"value"


def a_pickled_batch(cache: Any, trap: Trap) -> None:
    cache[batch_key(RUN, 15)] = trap


def a_value_in_a_file(cache: Any, trap: Trap) -> None:
    cache.reset("disk_min_file_size", 10)
    cache[batch_key(RUN, 18)] = b"x" * 100


def a_value_that_expires(cache: Any, trap: Trap) -> None:
    cache.set(batch_key(RUN, 18), b"{}", expire=1000)


def a_number(cache: Any, trap: Trap) -> None:
    cache[1] = 2


@pytest.mark.parametrize(
    "put", [a_pickled_value, a_pickled_key, a_pickled_batch, a_value_in_a_file, a_value_that_expires, a_number]
)
def test_a_store_with_a_pickle_in_it_is_refused_and_nothing_is_unpickled(
    directory: Path, tmp_path: Path, put: Callable[[Any, Trap], None]
) -> None:
    """A row that Playhead can not have written closes the store, whoever opens it; what is in it is never loaded."""
    trap = Trap(tmp_path / "sprung")
    assert pickle.loads(pickle.dumps(trap)) is None
    trap.path.unlink()  # the trap works
    with diskcache.Cache(str(directory)) as cache:
        put(cache, trap)
    for read_only in (False, True):
        assert "is not Playhead's: it is a pickle, or kept in a file, or expires" in refusal(
            directory, read_only=read_only
        )
    assert not trap.path.exists()


def test_a_pickle_that_comes_while_the_store_is_open_is_refused_when_it_is_read(
    directory: Path, tmp_path: Path
) -> None:
    """Rows are looked at again whenever they are read."""
    trap = Trap(tmp_path / "sprung")
    with closing(DiskStore(directory, read_only=True)) as store:
        with diskcache.Cache(str(directory)) as cache:
            a_pickled_batch(cache, trap)
        with pytest.raises(StoreError, match="it is a pickle, or kept in a file"):
            store.events(RUN)
        assert store.events(OTHER) == list(events(1, 15))
    assert not trap.path.exists()


def test_the_cache_itself_neither_takes_nor_gives_anything_but_bytes(directory: Path) -> None:
    """The layer under the store refuses pickles in both directions, so that no later change can let one in."""
    with diskcache.Cache(str(directory)) as plain:
        plain["pickle"] = {"a": object}
        plain[("pickle",)] = b"value"
    cache: Any = open_cache(directory, "NORMAL", timeout=1)
    with closing(cache):
        for use in (
            lambda: cache.set("key", {"a": 1}, tag=1),
            lambda: cache.set(("key",), b"value", tag=1),
            lambda: cache.set("key", "text", tag=1),
            lambda: cache.get("pickle"),
            lambda: list(cache),
        ):
            with pytest.raises(TypeError, match=r"must be|Playhead did not write"):
                use()


# Damage


def lose(key: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        sql(directory, "DELETE FROM Cache WHERE key = ?", key)

    return damage


def put(key: str, value: bytes, *, sealed: bool = True) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        tag = seal(key, value) if sealed else 1
        sql(directory, "UPDATE Cache SET value = ?, tag = ? WHERE key = ?", value, tag, key)

    return damage


def move(key: str, to: str) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        sql(directory, "DELETE FROM Cache WHERE key = ?", to)
        sql(directory, "UPDATE Cache SET key = ? WHERE key = ?", to, key)

    return damage


def flip(key: str) -> Callable[[Path], None]:
    """One bit, in the file itself: SQLite does not notice, and the JSON stays JSON."""

    def damage(directory: Path) -> None:
        ((value,),) = sql(directory, "SELECT value FROM Cache WHERE key = ?", key)
        whole = (directory / "cache.db").read_bytes()
        at = whole.index(value) + value.index(b"eventId") + len('eventId":"')
        (directory / "cache.db").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

    return damage


BATCH = batch_key(RUN, 9)
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "first batch lost": (lose(batch_key(RUN, 3)), f"run {RUN}: events 1 to 3 are missing"),
    "batch lost": (lose(BATCH), f"run {RUN}: events 7 to 9 are missing"),
    "last batch lost": (lose(batch_key(RUN, 15)), f"run {RUN}: events 13 to 15 are missing"),
    "summary lost": (lose(run_key(RUN)), f"run {RUN} has events, and its summary is missing"),
    "bit flipped": (flip(BATCH), f"run {RUN}, the events up to 9: the bytes are not those"),
    "emptied": (put(BATCH, b"", sealed=False), f"run {RUN}, the events up to 9: the bytes are not those"),
    "not JSON": (put(BATCH, b'{"events": [', sealed=True), f"run {RUN}, the events up to 9: no store writes"),
    "not UTF-8": (put(BATCH, b'{"events": ["\xff"]}'), f"run {RUN}, the events up to 9: no store writes"),
    "not an object": (put(BATCH, b"[1, 2, 3]"), f"run {RUN}, the events up to 9: no store writes"),
    "no events": (put(BATCH, b'{"pending": {}}'), f"run {RUN}, the events up to 9: no store writes"),
    "no list": (put(BATCH, b'{"events": 3}'), f"run {RUN}, the events up to 9: no store writes"),
    "an event less": (put(BATCH, b'{"events": [{}, {}]}'), f"run {RUN}: events 7 to 7 are missing"),
    "an event more": (put(BATCH, b'{"events": [{}, {}, {}, {}]}'), f"run {RUN}: events 6 to 6 are there twice"),
    "summary broken": (put(run_key(RUN), b"{", sealed=False), f"the summary of run {RUN}: the bytes are not those"),
    "summary no object": (put(run_key(RUN), b"7"), f"the summary of run {RUN}: no store writes"),
    "batch renamed": (move(BATCH, batch_key(RUN, 10)), f"run {RUN}, the events up to 10: the bytes are not those"),
    "batch of another run": (move(batch_key(OTHER, 9), BATCH), f"run {RUN}, the events up to 9: the bytes are not"),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_run_is_refused_by_name_and_never_half_read(directory: Path, case: str, read_only: bool) -> None:
    """A run that lost something, or has something that was not written, is refused with its name and where it is
    broken; nothing of its history is given out."""
    damage, message = DAMAGES[case]
    damage(directory)
    with closing(DiskStore(directory, read_only=read_only)) as store:
        with pytest.raises(StoreError) as caught:
            store.events(RUN)
        assert message in caught.value.problem
        assert caught.value.advice
        if case != "batch of another run":
            assert store.events(OTHER) == list(events(1, 15))


def test_a_damaged_summary_is_refused_before_any_summary_is_given_out(directory: Path) -> None:
    """A list of runs is never shorter than the store has summaries: it is whole, or an error that names the run."""
    put(run_key(OTHER), b'{"summary":{}}', sealed=False)(directory)
    with closing(DiskStore(directory)) as store:
        with pytest.raises(StoreError, match=f"the summary of run {OTHER}"):
            store.summaries()
        with pytest.raises(StoreError, match=f"the summary of run {OTHER}"):
            store.summary(OTHER)
        assert store.summary(RUN) == {"runId": RUN, "status": "COMPLETED"}


def test_a_damaged_pending_record_is_refused_by_name(directory: Path) -> None:
    """What was under way is either known or an error, wherever the record is kept."""
    with closing(DiskStore(directory)) as store:
        store.commit([RunWrite(RUN, pending={"alone": 1})])
        store.commit([RunWrite(OTHER, 16, events(16, 16), pending={"with": 16})])
    put(pending_key(RUN), b"{}", sealed=False)(directory)
    put(batch_key(OTHER, 16), b'{"events":[1],"pending":[]}')(directory)
    with closing(DiskStore(directory)) as store:
        with pytest.raises(StoreError, match=f"the pending record of run {RUN}: the bytes are not"):
            store.pending(RUN)
        with pytest.raises(StoreError, match=f"run {OTHER}, the events up to 16: no store writes"):
            store.pending(OTHER)


def test_a_damaged_run_can_not_be_written_on(directory: Path) -> None:
    """A run whose last events are lost takes no new ones."""
    lose(batch_key(RUN, 15))(directory)
    with (
        closing(DiskStore(directory)) as store,
        pytest.raises(StoreError, match=f"run {RUN}: events 13 to 15 are missing"),
    ):
        store.commit([RunWrite(RUN, 13, events(13, 13))])


def test_bytes_changed_anywhere_in_the_file_never_change_a_history(directory: Path, tmp_path: Path) -> None:
    """Of a thousand databases with a few bytes overwritten at random, each gives the histories as they were, or says
    that it is damaged: no other history, and no other error."""
    whole = (directory / "cache.db").read_bytes()
    broken = tmp_path / "broken"
    chance = random.Random(7)
    refused = 0
    for round_ in range(1000):
        shutil.rmtree(broken, ignore_errors=True)
        broken.mkdir()
        mangled = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(mangled))
            mangled[at : at + 4] = chance.randbytes(chance.randint(1, 4))[: len(mangled) - at]
        (broken / "cache.db").write_bytes(mangled[: len(whole)])
        try:
            with closing(DiskStore(broken, read_only=True)) as store:
                for run_id in (RUN, OTHER):
                    assert store.events(run_id) == list(events(1, 15)), round_
        except StoreError:
            refused += 1
    assert 100 < refused < 1000


# Writing


def statements(store: DiskStore) -> list[str]:
    """What the store's writing connection does from now on."""
    seen: list[str] = []
    internals: Any = store
    internals._cache._con.set_trace_callback(lambda text: seen.append(text.split()[0]))
    return seen


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_commit_is_one_transaction_and_a_change_is_one_row(directory: Path, count: int) -> None:
    """However many runs are in a commit, the disk is waited for once; events with a pending record take one row."""
    with closing(DiskStore(directory)) as store:
        runs = [f"run-{index}" for index in range(count)]
        store.commit([RunWrite(run_id, summary={}) for run_id in runs])
        ((before,),) = sql(directory, "SELECT count(*) FROM Cache")
        seen = statements(store)
        store.commit([RunWrite(run_id, 1, events(1, 9), pending={"attempt": 1}) for run_id in runs])
        assert (seen.count("BEGIN"), seen.count("COMMIT")) == (1, 1)
        assert sql(directory, "SELECT count(*) FROM Cache") == [(before + count,)]


def test_heartbeats_do_not_add_up(directory: Path) -> None:
    """A pending record that changes a thousand times without an event leaves one row."""
    with closing(DiskStore(directory, synchronous="NORMAL")) as store:
        ((before,),) = sql(directory, "SELECT count(*) FROM Cache")
        for beat in range(1000):
            store.commit([RunWrite(RUN, pending={"heartbeat": beat})])
        assert sql(directory, "SELECT count(*) FROM Cache") == [(before + 1,)]
        assert store.pending(RUN) == {"heartbeat": 999}


@pytest.mark.parametrize(("synchronous", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_commits_wait_for_the_disk_unless_told_otherwise(directory: Path, synchronous: Any, level: int) -> None:
    """FULL is the default, after another mode was used, too, and holds for every connection that writes."""
    DiskStore(directory, synchronous="NORMAL" if synchronous == "FULL" else "FULL").close()
    opened = DiskStore(directory) if synchronous == "FULL" else DiskStore(directory, synchronous=synchronous)
    with closing(opened) as store:
        internals: Any = store
        for write in ({}, {"again": 1}):
            store.commit([RunWrite(RUN, summary=write)])
            ((found,),) = internals._cache._con.execute("PRAGMA synchronous").fetchall()
            assert found == level
            with pytest.raises(StoreError):
                store.commit([RunWrite(RUN, 99, events(99, 99))])


def test_nothing_is_ever_thrown_away_and_nothing_lies_outside_the_database(directory: Path) -> None:
    """The settings that make diskcache forget are off in the store itself, and large values make no files."""
    with closing(DiskStore(directory)) as store:
        large = {"eventId": "16", "text": "x" * 5_000_000}
        store.commit([RunWrite(RUN, 16, (large,), {"text": "y" * 100_000}, {"text": "z" * 100_000})])
        assert sorted(content(directory)) == ["cache.db", "cache.db-shm", "cache.db-wal", "owner.lock"]
        set_to = dict(sql(directory, "SELECT key, value FROM Settings"))
        assert (set_to["eviction_policy"], set_to["cull_limit"], set_to["statistics"]) == ("none", 0, 0)
        assert set_to["size_limit"] > 2**60
        assert store.events(RUN)[15] == large


def test_a_value_that_sqlite_does_not_take_is_an_error_and_writes_nothing(directory: Path) -> None:
    """What is too large for SQLite is refused like any other commit that can not be made, with SQLite's reason."""
    with closing(DiskStore(directory)) as store:
        store.commit([RunWrite(RUN, 16, events(16, 16))])
        internals: Any = store
        internals._cache._con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
        with pytest.raises(StoreError, match="nothing was written: string or blob too big"):
            store.commit([RunWrite(OTHER, 16, events(16, 16)), RunWrite(RUN, 17, ({"text": "x" * 20_000},))])
        assert (len(store.events(RUN)), len(store.events(OTHER))) == (16, 15)
        store.commit([RunWrite(RUN, 17, ({"text": "x" * 20_000},))])
        assert len(store.events(RUN)) == 17


def test_a_full_disk_is_an_error_and_the_store_goes_on_when_there_is_room(directory: Path) -> None:
    """Wherever in a commit the disk is full, the commit is refused whole; with room again, the same store writes."""
    code = """
import resource
store = DiskStore(sys.argv[1], synchronous="NORMAL")
store.commit([RunWrite("run", summary={"n": 0})])
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
import os
refused = n = 0
for more in range(0, 60_000, 1111):
    size = os.path.getsize(sys.argv[1] + "/cache.db-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more - 20_000, unlimited[1]))
    summary = {"n": n + 1}
    writes = [RunWrite("run", n + 1, ({"n": n, "text": "x" * 9000},), summary), RunWrite("more", summary=summary)]
    try:
        store.commit(writes)
    except StoreError as error:
        assert "nothing was written: " in error.problem, error
        refused += 1
    else:
        n += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [event["n"] for event in store.events("run")] == list(range(n)), n
    assert store.summary("run") == {"n": n}
    assert (store.summary("more") or {"n": 0}) == {"n": n}
    store.commit([RunWrite("run", summary={"n": n})])
store.commit(writes if n == writes[0].first_event_id - 1 else [])
print(refused, n)
"""
    child = python(code, directory)
    output, _ = child.communicate()
    assert child.returncode == 0
    refused, written = map(int, output.split())
    assert refused >= 5
    assert written >= 5
    with closing(DiskStore(directory)) as store:
        assert store.events(RUN) == list(events(1, 15))


def test_a_database_that_another_program_locks_is_an_error_with_its_reason(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit does not wait forever for somebody else's lock, and works when it is gone."""
    monkeypatch.setattr(disk_module, "_TIMEOUT", 0)
    with closing(DiskStore(directory)) as store, closing(sqlite3.connect(directory / "cache.db")) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="nothing was written: database is locked"):
            store.commit([RunWrite(RUN, 16, events(16, 16))])
        intruder.rollback()
        store.commit([RunWrite(RUN, 16, events(16, 16))])
        assert store.events(RUN) == list(events(1, 16))


def test_an_interrupt_in_the_middle_of_a_commit_leaves_nothing_of_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between two rows of a commit takes the first back; the interrupt goes on, and so does the store."""
    seals = iter(range(3))

    def interrupted(key: str, value: bytes) -> int:
        if next(seals) == 2:
            raise KeyboardInterrupt
        return seal(key, value)

    with closing(DiskStore(directory)) as store:
        monkeypatch.setattr(disk_module, "seal", interrupted)
        writes = [RunWrite(run_id, 16, events(16, 16), {"changed": True}) for run_id in (RUN, OTHER)]
        with pytest.raises(KeyboardInterrupt):
            store.commit(writes)
        assert [store.summary(run_id) for run_id in (RUN, OTHER)] == [
            {"runId": run_id, "status": "COMPLETED"} for run_id in (RUN, OTHER)
        ]
        monkeypatch.undo()
        store.commit(writes)
        assert store.events(RUN) == store.events(OTHER) == list(events(1, 16))


def test_an_interrupt_just_after_a_commit_loses_no_count(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the database has a commit and before the caller knows: the store then goes by what is there."""
    with closing(DiskStore(directory)) as store:
        store.commit([RunWrite(RUN, 16, events(16, 16))])
        internals: Any = store
        transact = internals._cache.transact

        @contextmanager
        def interrupted() -> Iterator[None]:
            with transact():
                yield
            raise KeyboardInterrupt

        monkeypatch.setattr(internals._cache, "transact", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.commit([RunWrite(RUN, 17, events(17, 18))])
        with pytest.raises(StoreError, match="event 17 can not follow event 18"):
            store.commit([RunWrite(RUN, 17, events(17, 17))])
        store.commit([RunWrite(RUN, 19, events(19, 19))])
        assert store.events(RUN) == list(events(1, 19))


def test_a_batch_is_never_overwritten(directory: Path) -> None:
    """If the database has a batch that the store does not know of, the commit fails rather than replace it."""
    with closing(DiskStore(directory)) as store:
        store.commit([RunWrite(RUN, 16, events(16, 16))])
        value = b'{"events":[{"mine":true}]}'
        with diskcache.Cache(str(directory)) as intruder:
            intruder.set(batch_key(RUN, 17), value, tag=seal(batch_key(RUN, 17), value))
        with pytest.raises(StoreError, match=f"run {RUN}: event 17 is there already"):
            store.commit([RunWrite(OTHER, 16, events(16, 16)), RunWrite(RUN, 17, events(17, 17))])
        assert store.events(RUN)[16] == {"mine": True}
        assert len(store.events(OTHER)) == 15


def test_a_store_that_can_not_be_written_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    """A place where nothing can be made is an error that names it, not a traceback of the operating system's."""
    assert "the directory can not be written" in refusal("/proc/store", read_only=False)
    (tmp_path / "file").touch()
    assert "can not be the directory of a store" in refusal(tmp_path / "file" / "store", read_only=False)
