"""What the disk store costs beside bare diskcache, and what group commit and the faster mode gain.

    python -m benchmarks.store [ROUNDS]

Each round runs every variant once, in turn and on a directory of its own, and takes ratios within the round: the
machine's load moves all of them together. Printed is the median over the rounds, with the lowest and the highest; a
slow disk ends the rounds early. Every variant writes the same batches (five events of an activity, as an engine writes
them), and is read afterwards: each of them must be there. What a group gains grows with the time that the disk takes
for a flush.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import diskcache
import orjson

from playhead_engine.stores import RunWrite, Store
from playhead_engine.stores.disk import DiskStore
from playhead_engine.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json: TypeAlias = dict[str, Any]

COMMITS = 600
RUNS = 50  # 12 commits each, as a workflow of ten steps makes
GROUP = 100
PENDING: Json = {"activities": {"7": {"attempt": 1, "state": "PENDING_ACTIVITY_STATE_STARTED", "scheduled": "7"}}}
SUMMARY: Json = {"workflowId": "order-17", "workflowType": "OrderWorkflow", "status": "RUNNING", "taskQueue": "default"}


def activity(first: int) -> tuple[Json, ...]:
    """What one activity adds to a history."""
    kinds = ["WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"]
    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJvcmRlciI6IDE3fQ=="}
    return tuple(
        {
            "eventId": str(first + index),
            "eventTime": "2025-06-01T12:00:00.000000Z",
            "eventType": f"EVENT_TYPE_{kind}",
            "taskId": str(1048576 + first + index),
            "attributes": {"activityId": str(first), "identity": "engine", "input": {"payloads": [payload]}},
        }
        for index, kind in enumerate([*kinds, "WORKFLOW_TASK_SCHEDULED"])
    )


EVENTS = len(activity(1))


def run_ids(count: int) -> list[str]:
    return [f"0197a3c2-0000-7000-8000-{number:012d}" for number in range(count)]


def writes() -> list[RunWrite]:
    """All commits of a round, run by run turn about; a summary with the first and the last of a run."""
    made: list[RunWrite] = []
    rounds = COMMITS // RUNS
    for step in range(rounds):
        first = step * EVENTS + 1
        summary = SUMMARY if step in (0, rounds - 1) else None
        made += [RunWrite(run_id, first, activity(first), summary, PENDING) for run_id in run_ids(RUNS)]
    return made


def check(store: Store) -> None:
    """Every commit is there."""
    assert len(list(store.summaries())) == RUNS
    total = sum(len(store.events(run_id)) for run_id in run_ids(RUNS))
    assert total == COMMITS * EVENTS, total


@contextmanager
def directory() -> Iterator[Path]:
    # Beside the repository's files rather than in a temporary directory, which may be in memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix="store-") as path:
        yield Path(path) / "store"


def bare(group: int) -> float:
    """diskcache itself: the same bytes, synchronous FULL, set within transact."""
    values = [orjson.dumps([write.events, PENDING]) for write in writes()]
    with directory() as path, diskcache.Cache(str(path), sqlite_synchronous=2, eviction_policy="none") as cache:
        began = time.perf_counter()
        for start in range(0, COMMITS, group):
            with cache.transact():
                for number in range(start, start + group):
                    cache.set(f"{number:010d}", values[number])
        took = time.perf_counter() - began
        assert len(cache) == COMMITS
    return took


def store_commits(make: Callable[[Path], Store], group: int = 1) -> float:
    """Commits of this many writes each."""
    made = writes()
    with directory() as path:
        with closing(make(path)) as store:
            store.commit([])
            began = time.perf_counter()
            for start in range(0, COMMITS, group):
                store.commit(made[start : start + group])
            took = time.perf_counter() - began
            check(store)
        if path.exists():
            with closing(DiskStore(path, read_only=True)) as store:
                check(store)
    return took


def summaries_too() -> float:
    """The dearest way to use the store: a summary with every commit."""
    made = [RunWrite(w.run_id, w.first_event_id, w.events, SUMMARY, w.pending) for w in writes()]
    with directory() as path, closing(DiskStore(path)) as store:
        began = time.perf_counter()
        for write in made:
            store.commit([write])
        took = time.perf_counter() - began
        check(store)
    return took


def normal(path: Path) -> DiskStore:
    return DiskStore(path, synchronous="NORMAL")


VARIANTS: dict[str, Callable[[], float]] = {
    "bare diskcache, FULL": lambda: bare(1),
    "disk store, FULL": lambda: store_commits(DiskStore),
    "disk store, FULL, a summary each": summaries_too,
    "disk store, NORMAL": lambda: store_commits(normal),
    f"bare diskcache, groups of {GROUP}": lambda: bare(GROUP),
    f"disk store, groups of {GROUP}": lambda: store_commits(DiskStore, GROUP),
    "memory store": lambda: store_commits(lambda _: MemoryStore()),
}

SECONDS = 60  # no round begins after so many

GOALS: list[tuple[str, str, float]] = [
    ("disk store, FULL", "bare diskcache, FULL", 0.85),
    ("disk store, FULL, a summary each", "bare diskcache, FULL", 0.0),
    ("disk store, NORMAL", "bare diskcache, FULL", 0.0),
    (f"disk store, groups of {GROUP}", "bare diskcache, FULL", 3.0),
    (f"disk store, groups of {GROUP}", "disk store, FULL", 5.0),
    (f"disk store, groups of {GROUP}", f"bare diskcache, groups of {GROUP}", 0.0),
    ("memory store", "bare diskcache, FULL", 0.0),
]


def opening(open_runs: int, finished_runs: int) -> tuple[float, float]:
    """Seconds to open a store, and to open it and read all that an engine needs to go on with the open runs."""
    with directory() as path:
        ids = run_ids(open_runs + finished_runs)
        with closing(normal(path)) as store:
            for step in range(12):
                first = step * EVENTS + 1
                for start in range(0, len(ids), GROUP):
                    store.commit(
                        [
                            RunWrite(run_id, first, activity(first), SUMMARY, PENDING)
                            for run_id in ids[start : start + GROUP]
                        ]
                    )
        began = time.perf_counter()
        with closing(DiskStore(path)) as store:
            opened = time.perf_counter() - began
            assert sum(1 for _ in store.summaries()) == len(ids)
            for run_id in ids[:open_runs]:
                assert len(store.events(run_id)) == 12 * EVENTS
                assert store.pending(run_id) == PENDING
            ready = time.perf_counter() - began
    return opened, ready


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):8.2f}  [{min(values):.2f} .. {max(values):.2f}]"


def main(rounds: int) -> None:
    taken: dict[str, list[float]] = {name: [] for name in VARIANTS}
    began = time.monotonic()
    for _ in range(rounds):
        for name, variant in VARIANTS.items():
            taken[name].append(variant())
        if time.monotonic() - began > SECONDS:
            break
    size = len(orjson.dumps(activity(1)))
    print(f"{COMMITS} batches of {EVENTS} events in {size:,} bytes, {len(taken['memory store'])} rounds\n")
    print(f"{'batches per second':38}  median  [lowest .. highest]")
    for name, seconds in taken.items():
        rates = [COMMITS / took for took in seconds]
        print(f"{name:36}{statistics.median(rates):10,.0f}  [{min(rates):,.0f} .. {max(rates):,.0f}]")
    print("\nratios of rates within a round (goal)")
    for name, reference, goal in GOALS:
        ratios = [other / own for own, other in zip(taken[name], taken[reference], strict=True)]
        wanted = f"  (>= {goal}: {'met' if statistics.median(ratios) >= goal else 'MISSED'})" if goal else ""
        print(f"{spread(ratios)}  {name} / {reference}{wanted}")
    print("\nmilliseconds to open a store")
    for open_runs, finished in [(100, 0), (100, 2000)]:
        times = [opening(open_runs, finished) for _ in range(3)]
        opened, ready = ([1000 * values[index] for values in times] for index in (0, 1))
        print(f"{spread(opened)}  {open_runs} open runs, {finished} finished")
        wanted = f"  (< 50: {'met' if statistics.median(ready) < 50 else 'MISSED'})" if not finished else ""
        print(f"{spread(ready)}  ... and to read all summaries and the open runs{wanted}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
