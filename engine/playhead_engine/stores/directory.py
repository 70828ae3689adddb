"""The directory of a store: whether there is one in it, whose it is, and making one.

One process owns a store, by a lock that the operating system takes back when the process ends, however it ends. A store
appears in one step: it is made in a directory inside and moved into place, so a process that dies while making it
leaves nothing that looks like a store. This module must not know what the rows of a run are.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import orjson

from playhead_engine.stores import StoreError
from playhead_engine.stores.rows import DATABASE, FORMAT, FORMAT_KEY, STRANGE_INDEX, seal

if TYPE_CHECKING:
    from pathlib import Path

LOCK: Final = "owner.lock"
"""Its text names the last owner. Not empty as soon as the store was there."""

_UNFINISHED: Final = "unfinished"
"""Where a store is made."""


def holds_store(path: Path) -> bool:
    """Whether there is a store; False if there is room for one.

    Raises:
        StoreError: There is something else, or only part of a store.
    """
    try:
        names = {entry.name for entry in path.iterdir()}
        was_store = LOCK in names and (path / LOCK).stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(str(path), f"this can not be the directory of a store: {error.strerror}") from error
    if DATABASE in names:
        return True
    if was_store:
        raise StoreError(str(path), f"the store is damaged: {DATABASE} is missing", "Restore the directory from a copy")
    strangers = sorted(names - {LOCK, _UNFINISHED})
    if strangers:
        raise StoreError(
            str(path), f"no store is here, but something else is: {strangers[0]}", "Name an empty or a new directory"
        )
    return False


def make_store(path: Path, *, timeout: int) -> None:
    """Make an empty store. The caller owns the directory, and there is no store in it.

    Raises:
        StoreError: It can not be written.
    """
    import shutil

    from playhead_engine.stores.cache import WRITE_ERRORS, open_cache

    unfinished = path / _UNFINISHED
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a process that died here
        with closing(open_cache(unfinished, "OFF", timeout=timeout)) as cache:
            value = orjson.dumps({"format": FORMAT})
            cache.append([(FORMAT_KEY, seal(FORMAT_KEY, value), value)])
        with closing(sqlite3.connect(unfinished / DATABASE, isolation_level=None)) as database:
            database.execute(STRANGE_INDEX)
            # Nothing expires, so the index that diskcache has for it need not hold every row.
            database.execute("DROP INDEX Cache_expire_time")
            database.execute("CREATE INDEX Cache_expire_time ON Cache(expire_time) WHERE expire_time IS NOT NULL")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _sync(unfinished / DATABASE)
        (unfinished / DATABASE).rename(path / DATABASE)
        _sync(path)
        _sync(path.parent)
        shutil.rmtree(unfinished, ignore_errors=True)
    except WRITE_ERRORS as error:
        raise StoreError(str(path), f"the store can not be made: {error}") from error


def touch_store(path: Path, *, timeout: int) -> None:
    """See whether a store can be written, and let go of it. If nobody else has it open, SQLite folds its log into the
    database.

    Raises:
        StoreError: It can not be written.
    """
    try:
        await_lock(path, timeout=timeout)
    except sqlite3.Error as error:
        raise StoreError(str(path), f"the store can not be written: {error}") from error


def await_lock(path: Path, *, timeout: int) -> None:
    """Wait until a store can be written, and let go of it.

    Raises:
        sqlite3.Error: It can not be written, or not within so many seconds.
    """
    with closing(sqlite3.connect(path / DATABASE, timeout=timeout, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("ROLLBACK")


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Ownership:
    """The right to write to a directory, from now until `release` or the end of the process.

    Raises:
        StoreError: Another process has it, or the directory can not be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise StoreError(str(path), f"the directory can not be written: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 200).decode(errors="replace").strip()
            self.release()
            raise StoreError(
                str(path),
                f"the store is in use by {owner or 'a process that is just making it'}",
                "One process at a time can write to it: stop that one, or open the store read-only to look on",
            ) from None
        except OSError as error:
            self.release()
            raise StoreError(str(path), f"the directory can not be locked: {error.strerror}") from error

    def sign(self) -> None:
        """Say whose the store is, for whoever is refused."""
        text = f"process {os.getpid()} since {datetime.now(UTC).isoformat(timespec='seconds')}\n".encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def release(self) -> None:
        os.close(self._descriptor)
