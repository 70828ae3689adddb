"""diskcache, as the disk store uses it: nothing but bytes, all of them in the database, none of them ever thrown away.

Every setting that makes diskcache a cache is turned off here, and its untyped interface ends here. Rows are written by
two statements of our own on diskcache's connection, many at a time: what `Cache.set` does for one row beside writing it
(looking for the row, and for others to throw away) costs more than the row. This module must not know what is in the
bytes. Importing it loads diskcache, which takes longer than all that has to be read before an engine goes on; so nobody
does before there is something to write.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, cast

import diskcache  # pyright: ignore[reportMissingTypeStubs]

from playhead_engine.stores.rows import RAW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

Synchronous: TypeAlias = Literal["FULL", "NORMAL"]
"""When a commit is safe: see `DiskStore`."""

WRITE_ERRORS: Final[tuple[type[Exception], ...]] = (sqlite3.Error, diskcache.Timeout, OSError)
"""What opening and writing raise when the disk, the database or a lock is in the way."""

Sealed: TypeAlias = tuple[str, int, bytes]
"""A row to write: its key, its tag and its value."""

_INSERT: Final = f"INSERT INTO Cache(key, raw, tag, mode, value) VALUES (?, 1, ?, {RAW}, ?)"
_UPSERT: Final = f"{_INSERT} ON CONFLICT(key, raw) DO UPDATE SET tag = excluded.tag, value = excluded.value"

_LEVELS: Final = {"OFF": 0, "NORMAL": 1, "FULL": 2}

_SETTINGS: Final[dict[str, object]] = {
    "eviction_policy": "none",
    "cull_limit": 0,  # the default deletes rows while it writes others
    "size_limit": 2**62,
    "statistics": 0,  # the default writes on reading
    "tag_index": 0,
    "disk_min_file_size": 2**30,  # the default puts values from 32 KiB on into files, which diskcache never syncs
    "sqlite_auto_vacuum": 0,  # rows are never deleted
    "sqlite_mmap_size": 0,  # a file that somebody cuts short then gives an error, where a mapped one kills the process
    "sqlite_fullfsync": 1,  # macOS: wait for the drive, not only for its cache; nothing elsewhere
    "sqlite_checkpoint_fullfsync": 1,
}


class Cache(Protocol):
    """The part of diskcache.Cache that is used."""

    def transact(self) -> AbstractContextManager[None]: ...
    def append(self, rows: Iterable[Sealed]) -> None:
        """Write rows whose keys are not there yet.

        Raises:
            sqlite3.IntegrityError: One of them is.
        """
        ...

    def put(self, rows: Iterable[Sealed]) -> None:
        """Write rows, in place of those with the same keys, whose order of writing stays."""
        ...

    def reset(self, key: str, value: int) -> int: ...
    def close(self) -> None: ...


class BytesDisk(diskcache.Disk):  # type: ignore[misc]  # it has no types
    """Keys are text, values are bytes, and anything else is refused in both directions: no pickle, and no file."""

    def put(self, key: Any) -> Any:
        if type(key) is not str:
            raise TypeError(f"a key must be text, not {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> Any:
        if type(key) is not str or raw != 1:
            raise TypeError("the store holds a key that Playhead did not write")
        return key

    def store(self, value: Any, read: Any, key: Any = None) -> Any:
        if type(value) is not bytes:
            raise TypeError(f"a value must be bytes, not {type(value).__name__}")
        return 0, RAW, None, value

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
        if mode != RAW or type(value) is not bytes:
            raise TypeError("the store holds a value that Playhead did not write")
        return value


class _Rows(diskcache.Cache):  # type: ignore[misc]  # it has no types
    """What `Cache` says beyond diskcache."""

    def append(self, rows: Iterable[Sealed]) -> None:
        self._con.executemany(_INSERT, rows)

    def put(self, rows: Iterable[Sealed]) -> None:
        self._con.executemany(_UPSERT, rows)


def open_cache(directory: Path, synchronous: Synchronous | Literal["OFF"], *, timeout: int) -> Cache:
    """Open a diskcache for writing, or make one.

    Args:
        directory: Where; an absolute path without a `$` that diskcache would expand.
        synchronous: SQLite's setting. OFF is for a directory that nobody knows of yet.
        timeout: Seconds to wait for a lock that another program has on the database.

    Raises:
        WRITE_ERRORS: It can not be opened.
    """
    level = _LEVELS[synchronous]
    # Opening writes each setting in a transaction of its own. None of them is worth waiting for the disk.
    settings = {**_SETTINGS, "sqlite_synchronous": min(level, _LEVELS["NORMAL"])}
    cache = cast("Cache", _Rows(str(directory), timeout, BytesDisk, **settings))
    cache.reset("sqlite_synchronous", level)
    return cache
