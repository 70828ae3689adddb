"""The store whose commits fail, or whose process ends around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from playhead_engine.messages import Json
from playhead_engine.stores import RunWrite, Store, StoreError
from playhead_engine.stores.memory import MemoryStore

if TYPE_CHECKING:
    from playhead_engine.faults.injector import Injector


class FaultyStore:
    """A store with a point at each of its commits. It promises what every store does: see `stores.Store`."""

    def __init__(self, store: Store, injector: Injector) -> None:
        """
        Args:
            store: What keeps histories.
            injector: Says whether a fault strikes.
        """
        self._store = store
        self._injector = injector
        self._known: dict[str, str] = {}  # workflow ids, by run id
        self.events = store.events
        self.summary = store.summary
        self.pending = store.pending
        self.close = store.close

    def summaries(self) -> Iterator[Json]:
        """The summary of every run."""
        return self._store.summaries()

    def commit(self, writes: Sequence[RunWrite]) -> None:
        """Write all of it, or nothing."""
        injector = self._injector
        fault = injector.comes_to("commit", _name(writes), self._workflow_id(writes))
        if fault is not None and fault.strike == "error":
            injector.falls(fault)
            raise StoreError("", f"nothing was written: the fault plan says so: {fault}", "Take the fault out of it")
        if fault is not None and fault.strike != "crash-after":
            if fault.strike == "torn":
                self._tear(writes)
            raise injector.crash(fault)
        self._store.commit(writes)
        injector.committed(self._store)
        if fault is not None:
            # Clients ask again, and are told what came of their first request.
            injector.core.scheduler.give_answers()
            raise injector.crash(fault)

    def _tear(self, writes: Sequence[RunWrite]) -> None:
        """Begin to write and come to an end in the middle, as far as the store lets itself be torn: not in memory."""
        torn: Any = _Torn()
        last = max((index for index, write in enumerate(writes) if write.events), default=-1)
        if last < 0 or isinstance(self._store, MemoryStore):
            return
        with suppress(_Ended):
            self._store.commit([*writes[:last], replace(writes[last], encoded=torn), *writes[last + 1 :]])
            raise AssertionError("a store wrote what has no bytes")

    def _workflow_id(self, writes: Sequence[RunWrite]) -> str:
        known = self._known
        for write in writes:
            if write.summary is not None and write.run_id not in known:
                known[write.run_id] = write.summary["execution"]["workflowId"]
        if len(writes) == 1:
            return known.get(writes[0].run_id, "")
        ids = {known.get(write.run_id, "") for write in writes}
        return ids.pop() if len(ids) == 1 else ""


class _Ended(Exception):
    """The process ends here."""


class _Torn:
    """Stands where the bytes are that are never written."""

    def __bytes__(self) -> bytes:
        raise _Ended


def _name(writes: Sequence[RunWrite]) -> str:
    """The type of the last event in a commit."""
    for write in reversed(writes):
        if write.events:
            return _short(write.events[-1]["eventType"])
    return "Pending"


@cache
def _short(event_type: str) -> str:
    return event_type.removeprefix("EVENT_TYPE_").replace("_", " ").title().replace(" ", "")
