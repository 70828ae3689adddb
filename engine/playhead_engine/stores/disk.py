"""The store that outlives the process, on diskcache: a SQLite database in a directory of its own.

Writing goes through diskcache, one transaction for each commit; reading through `rows`. This module must not keep
anything that the database does not say, except which event of a run is the last.

What is promised: a commit that returned survives the end of the process, however it ends, and with `FULL` also the end
of the machine, if its disk does what it says. A commit during which the process ended is there whole, or not at all. A
commit that raised is not there; only if it was the disk's flush that failed, and the process ended before the next
commit, it may be found afterwards, and then whole.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playhead_engine.stores import RunWrite, StoreError
from playhead_engine.stores.changes import Change, accept
from playhead_engine.stores.directory import Ownership, await_lock, holds_store, make_store, touch_store
from playhead_engine.stores.rows import Rows, batch_key, pending_key, run_key, seal
from playhead_engine.stores.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from playhead_engine.messages import Json
    from playhead_engine.stores.cache import Cache, Sealed, Synchronous

_TIMEOUT: Final = 5
"""Seconds to wait for a lock on the database. Only a program that is not Playhead can hold one."""

_REMEMBERED_RUNS: Final = 100_000
"""Runs whose last event id is kept in memory, in about 15 MB."""


class DiskStore:
    """`Store` in a directory, which must be empty or new the first time.

    Args:
        path: The directory.
        synchronous: `FULL`: each commit waits until the disk has it. `NORMAL`: several times faster; the last commits
            may be lost when the machine goes down, but none when only the process does, and never part of one.
        read_only: Look on: see what is committed, whether another process owns the store or none does, and write
            nothing.

    Raises:
        StoreError: Another process owns the store, or the directory holds something else, or the store is damaged or of
            a newer format. Nothing was written.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, synchronous: Synchronous = "FULL", read_only: bool = False
    ) -> None:
        self._directory = Path(path).absolute()
        self._path = str(self._directory)
        self._synchronous: Synchronous = synchronous
        self._session = Session(self._path)
        self._last_event_ids: dict[str, int] = {}
        self._cache: Cache | None = None
        self._ownership: Ownership | None = None
        if os.path.expandvars(self._path) != self._path:
            raise StoreError(self._path, "diskcache would replace the variable in this path", "Name another directory")
        if read_only:
            if not holds_store(self._directory):
                raise StoreError(self._path, "there is no store here", "Name the directory that the engine was given")
            self._rows = Rows(self._directory, timeout=_TIMEOUT)
        else:
            self._rows = self._own()

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self._session.check()
        if self._ownership is None:
            raise StoreError(self._path, "the store was opened read-only", "Open it without read_only to write")
        changes = accept(writes, self._last_event_id, self._path)
        if not changes:
            return
        try:
            # A diskcache has a length, so whether it is true is a question to the database.
            cache = self._open_cache() if self._cache is None else self._cache
            with cache.transact():
                cache.append(_batches(changes))
                cache.put(_records(changes))
        except sqlite3.IntegrityError as error:
            self._start_over(changes)
            raise self._already_there(changes) from error
        except BaseException as error:
            self._start_over(changes)
            if _is_about_writing(error):
                raise StoreError(
                    self._path, f"nothing was written: {_reason(error)}", "Mend that, and try again"
                ) from error
            raise
        if len(self._last_event_ids) > _REMEMBERED_RUNS:
            self._last_event_ids.clear()
        for change in changes:
            self._last_event_ids[change.run_id] = change.last_event_id

    def events(self, run_id: str) -> list[Json]:
        self._session.check()
        return self._rows.events(run_id)

    def summary(self, run_id: str) -> Json | None:
        self._session.check()
        return self._rows.summary(run_id)

    def pending(self, run_id: str) -> Json:
        self._session.check()
        return self._rows.pending(run_id)

    def summaries(self) -> Iterator[Json]:
        self._session.check()
        return iter(self._rows.summaries())

    def close(self) -> None:
        if not self._session.end():
            return
        self._rows.close()
        if self._ownership is None:
            return
        try:
            if self._cache is not None:
                self._cache.close()  # the last connection: SQLite folds its log into the database
            else:
                touch_store(self._directory, timeout=_TIMEOUT)
        finally:
            self._ownership.release()

    def _own(self) -> Rows:
        """Become the owner of the directory, and make the store if there is none."""
        if holds_store(self._directory):
            Rows(self._directory, timeout=_TIMEOUT).close()  # what is there is examined before anything is touched
        ownership = Ownership(self._directory)
        try:
            if not holds_store(self._directory):
                make_store(self._directory, timeout=_TIMEOUT)
            rows = Rows(self._directory, timeout=_TIMEOUT)
            try:
                touch_store(self._directory, timeout=_TIMEOUT)
                ownership.sign()
            except BaseException:
                rows.close()
                raise
        except BaseException:
            ownership.release()
            raise
        self._ownership = ownership
        return rows

    def _open_cache(self) -> Cache:
        from playhead_engine.stores.cache import open_cache

        # While it is being opened, diskcache waits a minute for a lock, whatever it was told.
        await_lock(self._directory, timeout=_TIMEOUT)
        self._cache = open_cache(self._directory, self._synchronous, timeout=_TIMEOUT)
        return self._cache

    def _start_over(self, changes: Sequence[Change]) -> None:
        """After a commit that failed, wherever it did: the next one gets a connection that never saw this one."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None
        for change in changes:
            self._last_event_ids.pop(change.run_id, None)

    def _already_there(self, changes: Sequence[Change]) -> StoreError:
        """Somebody else wrote to the database."""
        newest = ((change, self._rows.last_event_id(change.run_id) or 0) for change in changes if change.events)
        taken = next((change for change, last in newest if last >= change.last_event_id), changes[0])
        return StoreError(self._path, f"run {taken.run_id}: event {taken.last_event_id} is there already")

    def _last_event_id(self, run_id: str) -> int | None:
        last = self._last_event_ids.get(run_id)
        return self._rows.last_event_id(run_id) if last is None else last


def _batches(changes: Iterable[Change]) -> Iterator[Sealed]:
    """The rows that are written once."""
    for run_id, last_event_id, events, _, pending in changes:
        if events:
            value = b'{"events":%b,"pending":%b}' % (events, pending) if pending else b'{"events":%b}' % events
            yield _sealed(batch_key(run_id, last_event_id), value)


def _records(changes: Iterable[Change]) -> Iterator[Sealed]:
    """The rows that replace those before them."""
    for run_id, last_event_id, events, summary, pending in changes:
        if summary:
            yield _sealed(run_key(run_id), b'{"lastEventId":%d,"summary":%b}' % (last_event_id, summary))
        if pending and not events:
            yield _sealed(pending_key(run_id), b'{"lastEventId":%d,"pending":%b}' % (last_event_id, pending))


def _sealed(key: str, value: bytes) -> Sealed:
    return key, seal(key, value), value


def _is_about_writing(error: BaseException) -> bool:
    from playhead_engine.stores.cache import WRITE_ERRORS

    return isinstance(error, WRITE_ERRORS)


def _reason(error: BaseException) -> str:
    """What went wrong first: diskcache hides it behind a timeout without text, or behind that it cannot roll back what
    SQLite has rolled back already."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)
