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
        self._workflow_ids: dict[str, str] = {}  # by run id
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
        last = writes[-1]
        for write in writes:
            if write.summary is not None:
                self._workflow_ids[write.run_id] = write.summary["execution"]["workflowId"]
        name = _short(last.events[-1]["eventType"]) if last.events else _name(writes)
        about = self._workflow_ids.get(last.run_id, "") if len(writes) == 1 else self._workflow_id(writes)
        fault = injector.comes_to("commit", name, about)
        if fault is None:
            self._commit(writes)
            return
        match fault.strike:
            case "error":
                injector.falls(fault)
                raise StoreError(
                    "", f"nothing was written: the fault plan says so: {fault}", "Take the fault out of the plan"
                )
            case "crash-after":
                self._commit(writes)
                # Clients ask again, and are told what came of their first request.
                injector.core.scheduler.give_answers()
            case "torn":
                self._tear(writes)
            case _:
                pass
        raise injector.crash(fault)

    def _commit(self, writes: Sequence[RunWrite]) -> None:
        self._store.commit(writes)
        injector = self._injector
        injector.commits += 1
        if injector.after_rounds is not None:
            injector.look_when_round_is_over(self._store)

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
        """The one workflow that writes are about; empty if there are several."""
        ids = {self._workflow_ids.get(write.run_id, "") for write in writes}
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
