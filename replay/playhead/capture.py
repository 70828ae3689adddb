"""Captures every workflow run that is made meanwhile, and replays it: whole, and from every prefix.

What a test did not ask is asked for it: would this run have gone on if the worker had lost its memory at any moment?
Runs of the built-in engine are seen by themselves; runs on Temporal's own worker by way of `always_replay()`. This
module must not know any test framework.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from playhead.prefixes import how_many, is_sound, replay_prefixes
from playhead.replayer import Replayer
from playhead.verdict import Verdict
from playhead_engine.engine.witnesses import EngineParts, witnessed_by
from playhead_engine.history import History
from playhead_engine.messages import Json
from playhead_engine.record import record
from playhead_engine.stores import RunWrite, Store

if TYPE_CHECKING:
    from playhead.temporal.capture import AlwaysReplay

BUDGET: Final = 200_000
"""How many events are replayed for one test at most. Whole runs are always replayed; prefixes as far as it goes."""


@record
class Unsound:
    """A run that does not replay.

    Attributes:
        history: The run, as far as it went.
        events: How many events of it were replayed.
        verdict: What that came to.
        replayer: Who replayed it.
    """

    history: History
    events: int
    verdict: Verdict
    replayer: Replayer

    @property
    def is_prefix(self) -> bool:
        """Whether the whole run replays, and only the beginning of it does not."""
        return self.events < len(self.history)


@record
class Checked:
    """What became of the runs of a test.

    Attributes:
        runs: How many were replayed.
        prefixes: How many of their prefixes were.
        skipped: How many prefixes were not, since there were too many.
        unsound: The runs that do not replay.
        lost: Why runs could not be replayed at all, a sentence for each.
    """

    runs: int
    prefixes: int
    skipped: int
    unsound: tuple[Unsound, ...]
    lost: tuple[str, ...] = ()


class _Run:
    """A run, while it goes on."""

    def __init__(self, replayer: Callable[[], Replayer | None], taken: frozenset[str]) -> None:
        self.replayer = replayer
        self.taken = taken
        self.events: list[bytes] = []
        self.checked = 0

    def history(self) -> History:
        return History.from_events(event for batch in self.events for event in orjson.loads(batch))


class Capture:
    """Captures runs, from when it is entered until it is left."""

    def __init__(self) -> None:
        self._runs: dict[tuple[int, str], _Run] = {}
        self._engines = 0
        self._lost: list[str] = []
        self._around = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._around.enter_context(witnessed_by(self._witness))
        _active.append(self)
        self._around.callback(_active.remove, self)
        return self

    def __exit__(self, *_: object) -> None:
        self._around.close()

    def forget(self) -> None:
        """Leave what has happened up to now alone."""
        self._lost.clear()
        for key, run in list(self._runs.items()):
            run.checked = len(run.events)
            if run.history().is_complete:
                self._runs.pop(key, None)

    def add(self, history: History, replayer: Callable[[], Replayer | None]) -> None:
        """Take a run that was made elsewhere.

        Args:
            history: The run, whole.
            replayer: Makes what replays it; None where nothing can.
        """
        with self._lock:
            self._engines += 1
            run = self._runs[self._engines, history.run_id] = _Run(replayer, frozenset())
            run.events.append(orjson.dumps([event.canonical for event in history.events]))

    def lose(self, sentence: str) -> None:
        """Note that a run was made and cannot be had."""
        self._lost.append(sentence)

    def check(self, budget: int = BUDGET) -> Checked:
        """Replay the runs that have gone on since the last time, and forget those that have ended.

        Args:
            budget: How many events to replay at most; whole runs are always replayed.
        """
        runs = prefixes = skipped = 0
        unsound: list[Unsound] = []
        for key, run in list(self._runs.items()):
            if len(run.events) == run.checked:
                continue
            run.checked = len(run.events)
            history = run.history()
            if history.is_complete:
                self._runs.pop(key, None)
            replayer = run.replayer()
            if replayer is None or history.workflow_type in run.taken or not replayer.accepts(history.workflow_type):
                continue
            runs += 1
            budget -= len(history)
            verdict = replayer.replay(history)
            if not is_sound(verdict):
                unsound.append(Unsound(history, len(history), verdict, replayer))
                continue
            count, of = how_many(history, budget)
            skipped += of - count
            for prefix in replay_prefixes(replayer, history, budget=budget):
                prefixes += 1
                budget -= prefix.events
                if not is_sound(prefix.verdict):
                    unsound.append(Unsound(history, prefix.events, prefix.verdict, replayer))
                    break
        lost, self._lost = tuple(self._lost), []
        return Checked(runs, prefixes, skipped, tuple(unsound), lost)

    def _witness(self, parts: EngineParts, store: Store) -> Store:
        with self._lock:
            self._engines += 1
            number = self._engines
        made: list[Replayer | None] = []

        def replayer() -> Replayer | None:
            if not made:
                made.append(_replayer_of(parts))
            return made[0]

        # What was handed in ready-made is driven in a way that nobody here knows.
        taken = frozenset(name for runtime in parts.runtimes for name in runtime.workflow_types())

        def run_of(run_id: str) -> _Run:
            return self._runs.setdefault((number, run_id), _Run(replayer, taken))

        return _Tapped(store, run_of)


def _replayer_of(parts: EngineParts) -> Replayer | None:
    if not parts.workflows and not parts.plugins:
        return None
    options: dict[str, Any] = {"interceptors": parts.interceptors} if parts.interceptors else {}
    if parts.plugins:
        options["plugins"] = parts.plugins
    return Replayer(parts.workflows, data_converter=parts.data_converter, **options)


class _Tapped:
    """A store that tells what is written to it, and leaves everything else to the one behind it; see `Store`."""

    def __init__(self, behind: Store, run_of: Callable[[str], _Run]) -> None:
        self._behind = behind
        self._run_of = run_of

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self._behind.commit(writes)
        for write in writes:
            if not write.events:
                continue
            run = self._run_of(write.run_id)
            if not run.events and write.first_event_id > 1:  # an earlier engine began it
                run.events.append(orjson.dumps(self._behind.events(write.run_id)))
            else:
                run.events.append(write.encoded or orjson.dumps(list(write.events)))

    def events(self, run_id: str) -> list[Json]:
        return self._behind.events(run_id)

    def summary(self, run_id: str) -> Json | None:
        return self._behind.summary(run_id)

    def pending(self, run_id: str) -> Json:
        return self._behind.pending(run_id)

    def summaries(self) -> Iterator[Json]:
        return self._behind.summaries()

    def close(self) -> None:
        self._behind.close()


def always_replay() -> AlwaysReplay:
    """A plugin for `temporalio`'s client or worker, by which runs on that worker are captured as well.

        async with Worker(client, task_queue="orders", workflows=[...], plugins=[playhead.always_replay()]):

    It may stay there: where nothing is captured, it does nothing.

    Raises:
        ModuleNotFoundError: `temporalio` is not installed.
    """
    from playhead.temporal.capture import AlwaysReplay

    return AlwaysReplay()


_active: list[Capture] = []


def active_capture() -> Capture | None:
    """The capture that is under way, the innermost one if there are several; None if there is none."""
    return _active[-1] if _active else None
