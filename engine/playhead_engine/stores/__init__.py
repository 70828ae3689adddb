"""Where the engine keeps runs: one contract, two stores.

A store knows batches of events, and one summary and one pending record for each run. It must not interpret any of
them: `server` writes them, `Engine` reads them back. Whatever is handed to one `commit` is there whole after a crash,
or not at all, and when `commit` returns it is there.

`MemoryStore` is in `memory`, `DiskStore` in `disk`. Both keep bytes, never the objects they were given, so nothing that
was committed changes afterwards, and nothing that was read is shared. Both check and refuse the same (`changes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from playhead_engine.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playhead_engine.messages import Json


@record
class RunWrite:
    """What one accepted change adds to one run.

    Attributes:
        run_id: The run: printable text without a slash. A UUID as a rule.
        first_event_id: Id of the first event in `events`; must follow the last event stored, the first of a run is 1.
            Ignored without events.
        events: Events to append, in the history's JSON.
        summary: Replaces the run's summary where given: identity, status, times, memo, search attributes. The first
            write of a run must have one. Give it only where it changed: on disk it is a row of its own.
        pending: Replaces the run's pending record where given: what is under way and is no event (attempts, heartbeat
            details, requests not answered yet). An empty object removes it. Beside events it costs next to nothing.
    """

    run_id: str
    first_event_id: int = 0
    events: tuple[Json, ...] = ()
    summary: Json | None = None
    pending: Json | None = None


class Store(Protocol):
    """The contract; `tests/engine/test_store_contract.py` says it in full.

    A store belongs to the first thread that uses it, which need not be the one that opened it; used from another thread
    or from a forked process it raises StoreError.
    """

    def commit(self, writes: Sequence[RunWrite]) -> None:
        """Write all of it, or nothing, durably. The objects handed over may be changed afterwards.

        Args:
            writes: In order; a run may occur more than once. Many at once are much cheaper than one by one: they are
                one transaction, and wait for the disk once.

        Raises:
            StoreError: Nothing was written; the message says why and what to do. The store can still be used.
        """
        ...

    def events(self, run_id: str) -> list[Json]:
        """All events of a run in order; empty for an unknown run.

        Raises:
            StoreError: The run is damaged: an event is missing, or bytes are not those that were written.
        """
        ...

    def summary(self, run_id: str) -> Json | None:
        """The run's summary, or None for an unknown run."""
        ...

    def pending(self, run_id: str) -> Json:
        """The run's pending record; empty if there is none."""
        ...

    def summaries(self) -> Iterator[Json]:
        """The summary of every run, in the order in which runs were first written, as they are at the call.

        Raises:
            StoreError: One of them is damaged; raised by the call, before the first summary is given out.
        """
        ...

    def close(self) -> None:
        """Give everything back. Using the store afterwards raises StoreError; closing again does nothing."""
        ...


class StoreError(Exception):
    """Something about a store that its user must know.

    Attributes:
        path: The store's directory, or an empty string for the memory store.
        problem: What is wrong.
        advice: What to do next.
    """

    def __init__(self, path: str, problem: str, advice: str = "") -> None:
        super().__init__(path, problem, advice)
        self.path = path
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.problem}" + (f". {self.advice}" if self.advice else "")
