"""The store that ends with the process: for tests, and for runs that nobody needs tomorrow.

It must not be lenient: what it accepts, `DiskStore` accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from playhead_engine.stores.changes import accept
from playhead_engine.stores.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playhead_engine.messages import Json
    from playhead_engine.stores import RunWrite


class _Run:
    """What is kept of one run, as bytes."""

    __slots__ = ("batches", "last_event_id", "pending", "summary")

    def __init__(self) -> None:
        self.last_event_id = 0
        self.batches: list[bytes] = []
        self.summary = b""
        self.pending = b"{}"


class MemoryStore:
    """`Store` in memory."""

    def __init__(self) -> None:
        self._session = Session("")
        self._runs: dict[str, _Run] = {}

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self._session.check()
        for run_id, last_event_id, events, summary, pending in accept(writes, self._last_event_id, ""):
            run = self._runs.get(run_id)
            if run is None:
                run = self._runs[run_id] = _Run()
            run.last_event_id = last_event_id
            if events:
                run.batches.append(_fitted(events))
            if summary:
                run.summary = _fitted(summary)
            if pending:
                run.pending = _fitted(pending)

    def events(self, run_id: str) -> list[Json]:
        self._session.check()
        run = self._runs.get(run_id)
        return [event for batch in run.batches for event in orjson.loads(batch)] if run else []

    def summary(self, run_id: str) -> Json | None:
        self._session.check()
        run = self._runs.get(run_id)
        return orjson.loads(run.summary) if run else None

    def pending(self, run_id: str) -> Json:
        self._session.check()
        run = self._runs.get(run_id)
        return orjson.loads(run.pending) if run else {}

    def summaries(self) -> Iterator[Json]:
        self._session.check()
        return map(orjson.loads, [run.summary for run in self._runs.values()])

    def close(self) -> None:
        if self._session.end():
            self._runs.clear()

    def _last_event_id(self, run_id: str) -> int | None:
        run = self._runs.get(run_id)
        return run.last_event_id if run else None


def _fitted(written: bytes) -> bytes:
    """The same bytes, in no more memory than they need.

    What orjson returns keeps the room it was written in, which is two to fifteen times as much. Touching so much new
    memory takes longer than a copy does.
    """
    return bytes(memoryview(written))
