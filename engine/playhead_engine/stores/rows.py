"""The rows of a store on disk: how they are named and sealed, and the reading of them.

Four kinds of row, all of them JSON:

    playhead-store          {"format": 1}                 which layout this is
    run/RUN                 {"lastEventId", "summary"}    written anew when the summary changes
    event/RUN/0000000017    {"events", "pending"}         appended and never written again; named by its last event
    pending/RUN             {"lastEventId", "pending"}    written anew when the pending record changes without an event,
                                                          so that heartbeats do not add up

So an accepted change is one row as a rule. The pending record in force is the one with the highest last event id;
`pending/RUN` comes after the batch with the same id. Each row is sealed by a checksum of its key and bytes, kept in
diskcache's tag column.

Reading goes through a SQLite connection that can not write, for the owner of the store just as for somebody who looks
on; diskcache can neither read a range of keys nor open without writing. This module must not write, and never guesses:
a row that is not what was written is an error.
"""

from __future__ import annotations

import sqlite3
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from playhead_engine.stores import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from playhead_engine.messages import Json

DATABASE: Final = "cache.db"  # diskcache's name for it

RAW: Final = 1  # diskcache's mode of a value that is in its row as it is

FORMAT: Final = 1
FORMAT_KEY: Final = "playhead-store"

_STRANGE: Final = (
    f"(raw != 1 OR mode != {RAW} OR filename IS NOT NULL OR expire_time IS NOT NULL"
    " OR typeof(key) != 'text' OR typeof(value) != 'blob')"
)
"""True of a row that `cache` would not write: a pickle, a value in a file, one that expires."""

STRANGE_INDEX: Final = f"CREATE INDEX Playhead_strange ON Cache(key) WHERE {_STRANGE}"
"""An index that stays empty: it tells at opening, however large the store, that it has no such row."""

_ANY_STRANGE: Final = f"SELECT key FROM Cache INDEXED BY Playhead_strange WHERE {_STRANGE} LIMIT 1"
_ROW: Final = f"SELECT key, tag, value, {_STRANGE} FROM Cache INDEXED BY Cache_key_raw"
_ONE: Final = f"{_ROW} WHERE key = ?"
_RANGE: Final = f"{_ROW} WHERE key > ? AND key < ? ORDER BY key"
_LAST_OF_RANGE: Final = f"{_RANGE} DESC LIMIT 1"
_IN_ORDER_OF_WRITING: Final = f"{_ROW} WHERE key > ? AND key < ? ORDER BY rowid"  # a key written anew keeps its rowid

_DIGITS: Final = 10  # of an event id in a key, so that keys are in the order of events

_RESTORE: Final = "Restore the directory from a copy"


def run_key(run_id: str) -> str:
    return f"run/{run_id}"


def pending_key(run_id: str) -> str:
    return f"pending/{run_id}"


def batch_key(run_id: str, last_event_id: int) -> str:
    return f"event/{run_id}/{last_event_id:0{_DIGITS}d}"


def seal(key: str, value: bytes) -> int:
    """The checksum of a row: bytes that rot, or that belong to another key, do not have it."""
    return zlib.crc32(value, zlib.crc32(key.encode()))


class Row(NamedTuple):
    """As it is in the database, plus whether `cache` would have written it so."""

    key: str
    tag: int
    value: bytes
    strange: int


class _Passed:
    """What reading the events of a run has passed: its pending record is read next, and need not be searched for.

    Attributes:
        key: Of the last batch.
        row: The last batch with a pending record; None if there was none.
        last_event_id: Of that batch.
    """

    __slots__ = ("key", "last_event_id", "row")

    def __init__(self) -> None:
        self.key = ""
        self.row: Row | None = None
        self.last_event_id = 0


class Rows:
    """A store on disk, open for reading. Each call sees what was committed before it.

    Args:
        directory: Of the store, an absolute path.
        timeout: Seconds to wait for a lock that another program has on the database.

    Raises:
        StoreError: It is not a store, or damaged, or of a newer format.
    """

    def __init__(self, directory: Path, *, timeout: int) -> None:
        self._path = str(directory)
        self._passed = _Passed()
        try:
            self._database = sqlite3.connect(
                f"{(directory / DATABASE).as_uri()}?mode=ro",
                uri=True,
                timeout=timeout,
                isolation_level=None,
                check_same_thread=False,  # `Session` does
            )
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        try:
            self._check_format()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._database.close()

    def events(self, run_id: str) -> list[Json]:
        """All events of a run, in order."""
        # The head first: a batch that is added between the two reads does no harm then.
        head = self._head(run_id)
        events: list[Json] = []
        self._passed = passed = _Passed()
        for row in self._rows(_RANGE, *_batches(run_id)):
            record, last = self._decode(row, events=list), self._last_event_id(row)
            if "pending" in record:
                passed.last_event_id, passed.row = last, row
            passed.key, batch = row.key, record["events"]
            self._check_gap(run_id, len(events), last - len(batch))
            events += batch
        if head is None and events:
            raise self._damaged(f"run {run_id} has events, and its summary is missing")
        if head is not None:
            self._check_gap(run_id, len(events), max(len(events), head["lastEventId"]))
        return events

    def summary(self, run_id: str) -> Json | None:
        head = self._head(run_id)
        return None if head is None else head["summary"]

    def pending(self, run_id: str) -> Json:
        # The record by itself first: a batch that is added between the two reads is newer.
        record: Json = {"lastEventId": -1, "pending": {}}
        for row in self._rows(_ONE, pending_key(run_id)):
            record = self._decode(row, lastEventId=int, pending=dict)
        pending: Json = record["pending"]
        start, end = _batches(run_id)
        while rows := self._rows(_LAST_OF_RANGE, start, end):
            (row,) = rows
            if self._last_event_id(row) <= record["lastEventId"]:
                break
            passed = self._passed
            if row.key == passed.key:  # all that is left to look at has been read
                if passed.row is None or passed.last_event_id <= record["lastEventId"]:
                    break
                row = passed.row
            if "pending" in self._decode(row, events=list):
                pending = self._decode(row, pending=dict)["pending"]
                break
            end = row.key
        return pending

    def summaries(self) -> list[Json]:
        """Of all runs, in the order in which they were first written."""
        rows = self._rows(_IN_ORDER_OF_WRITING, *_below("run"))
        return [self._decode(row, lastEventId=int, summary=dict)["summary"] for row in rows]

    def last_event_id(self, run_id: str) -> int | None:
        """Of the last event stored, 0 without events; None for an unknown run."""
        head = self._head(run_id)
        if head is None:
            return None
        newest = self._rows(_LAST_OF_RANGE, *_batches(run_id))
        last = self._last_event_id(newest[0]) if newest else 0
        self._check_gap(run_id, last, max(last, head["lastEventId"]))
        return last

    def _check_format(self) -> None:
        """Cheap, however large the store: SQLite itself holds the length of the file against its header."""
        rows = self._rows(_ONE, FORMAT_KEY)
        if not rows:
            raise StoreError(self._path, "this is a diskcache, but not a Playhead store", "Name another directory")
        found = self._decode(rows[0], format=int)["format"]
        if found > FORMAT:
            raise StoreError(
                self._path,
                f"this store is a {FORMAT_KEY} {found}, and this version of Playhead knows {FORMAT_KEY} {FORMAT}",
                "Open it with the version that wrote it, or a newer one",
            )
        for (key,) in self._execute(_ANY_STRANGE):
            raise self._strange(key)

    def _head(self, run_id: str) -> Json | None:
        for row in self._rows(_ONE, run_key(run_id)):
            return self._decode(row, lastEventId=int, summary=dict)
        return None

    def _decode(self, row: Row, **fields: type) -> Json:
        """What is in a row, if it is what was written, and has these fields."""
        if row.strange:
            raise self._strange(row.key)
        if row.tag != seal(row.key, row.value):
            raise self._damaged(f"{_name(row.key)}: the bytes are not those that were written")
        try:
            record: Json = orjson.loads(row.value)
            if all(type(record[field]) is kind for field, kind in fields.items()):
                return record
        except (orjson.JSONDecodeError, TypeError, LookupError) as error:
            raise self._damaged(f"{_name(row.key)}: no store writes such a record: {error!r}") from error
        raise self._damaged(f"{_name(row.key)}: no store writes such a record")

    def _last_event_id(self, row: Row) -> int:
        number = row.key.rpartition("/")[2]
        if len(number) == _DIGITS and number.isdecimal():
            return int(number)
        raise self._damaged(f"no store writes a key like {row.key!r}")

    def _check_gap(self, run_id: str, last: int, before_next: int) -> None:
        """That nothing is missing between the last event there is and the one before the next, and nothing doubled."""
        if before_next > last:
            raise self._damaged(f"run {run_id}: events {last + 1} to {before_next} are missing")
        if before_next < last:
            raise self._damaged(f"run {run_id}: events {before_next + 1} to {last} are there twice")

    def _rows(self, query: str, *parameters: str) -> list[Row]:
        return [Row(*columns) for columns in self._execute(query, *parameters)]

    def _execute(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, parameters).fetchall()
        except UnicodeEncodeError:  # a lone surrogate: no key has one
            return []
        except (sqlite3.Error, UnicodeDecodeError) as error:  # damage can be in what SQLite says of damage
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> StoreError:
        return StoreError(self._path, f"{DATABASE} is damaged, or not of a Playhead store: {error}", _RESTORE)

    def _damaged(self, problem: str) -> StoreError:
        return StoreError(self._path, f"the store is damaged: {problem}", _RESTORE)

    def _strange(self, key: object) -> StoreError:
        return StoreError(
            self._path,
            f"the row {key!r} is not Playhead's: it is a pickle, or kept in a file, or expires",
            "Nothing of it was read. Restore the directory from a copy, and let no other program write to it",
        )


def _batches(run_id: str) -> tuple[str, str]:
    return _below(f"event/{run_id}")


def _below(prefix: str) -> tuple[str, str]:
    """The keys that begin with this and a slash lie between these two."""
    return f"{prefix}/", f"{prefix}0"  # 0 follows the slash


def _name(key: str) -> str:
    """A row as its user knows it."""
    kind, _, rest = key.partition("/")
    match kind:
        case "run":
            return f"the summary of run {rest}"
        case "pending":
            return f"the pending record of run {rest}"
        case "event":
            run_id, _, number = rest.rpartition("/")
            return f"run {run_id}, the events up to {number.lstrip('0')}"
        case _:
            return key
