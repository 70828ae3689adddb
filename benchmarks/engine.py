"""How fast the engine runs workflows of ten steps, beside durabletask in memory and beside bare diskcache on disk.

Run it from the repository root: `python -m benchmarks.engine [ROUNDS]`. A step is one activity that does next to
nothing; the steps of a workflow follow each other. Every variant runs once in each round, and a ratio is taken within a
round, so that what else the machine does falls on both sides. Every result is checked, and so is the number of commits.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import diskcache
import orjson

from playhead_engine import Engine, activity, workflow
from playhead_engine.messages import Json
from playhead_engine.stores import RunWrite, Store
from playhead_engine.stores.disk import DiskStore

STEPS = 10
EVENTS = 6 * STEPS + 5
COMMITS = STEPS + 2  # its start, its first workflow task, and one for each result with the workflow task that follows

IN_MEMORY = 150  # workflows in a round
ON_DISK = 40
AT_ONCE = 100
TESTS = 200
PEER = 10
PORT = 50_951  # where the peer's two halves talk to each other

_TIMEOUT = timedelta(seconds=10)
_number = itertools.count(1)


@activity.defn
async def step(number: int) -> int:
    """Next to nothing."""
    return number + 1


@workflow.defn
class TenSteps:
    """Ten activities, one after the other."""

    @workflow.run
    async def run(self, number: int) -> int:
        for _ in range(STEPS):
            number = await workflow.execute_activity(step, number, start_to_close_timeout=_TIMEOUT)
        return number


@workflow.defn
class OneStep:
    """What a small test would run."""

    @workflow.run
    async def run(self, number: int) -> int:
        return await workflow.execute_activity(step, number, start_to_close_timeout=_TIMEOUT)


class CountingStore:
    """A store that says how many commits it was given, and how large they were."""

    def __init__(self, store: Store, *, measure: bool = False) -> None:
        self._store = store
        self._measure = measure
        self.commits = 0
        self.sizes: list[int] = []

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self.commits += 1
        if self._measure:
            self.sizes.append(sum(len(orjson.dumps([write.events, write.summary, write.pending])) for write in writes))
        self._store.commit(writes)

    def events(self, run_id: str) -> list[Json]:
        return self._store.events(run_id)

    def summary(self, run_id: str) -> Json | None:
        return self._store.summary(run_id)

    def pending(self, run_id: str) -> Json:
        return self._store.pending(run_id)

    def summaries(self) -> Iterator[Json]:
        return self._store.summaries()

    def close(self) -> None:
        self._store.close()


@contextmanager
def directory() -> Iterator[Path]:
    """Beside the repository's files rather than in a temporary directory, which may be in memory."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix="engine-") as path:
        yield Path(path) / "store"


def on_store(store: Store) -> Engine:
    return Engine(store=store, clock="real", workflows=[TenSteps], activities=[step])


def in_memory() -> float:
    """Seconds for one workflow, one after the other, by `wait()`."""
    with Engine(workflows=[TenSteps], activities=[step]) as engine:
        began = time.perf_counter()
        results = [engine.execute_workflow(TenSteps.run, 0, id=f"w{n}").wait() for n in range(IN_MEMORY)]
        took = time.perf_counter() - began
        assert results == [STEPS] * IN_MEMORY
        assert len(engine.get_workflow_handle("w0").fetch_history().wait().events) == EVENTS
    return took / IN_MEMORY


def in_memory_awaited() -> float:
    """The same from async code, by `await`."""

    async def run() -> float:
        async with Engine(workflows=[TenSteps], activities=[step]) as engine:
            began = time.perf_counter()
            results = [await engine.execute_workflow(TenSteps.run, 0, id=f"w{n}") for n in range(IN_MEMORY)]
            took = time.perf_counter() - began
            assert results == [STEPS] * IN_MEMORY
        return took

    return asyncio.run(run()) / IN_MEMORY


def in_memory_at_once() -> float:
    """Seconds for one workflow when many run at once."""

    async def run() -> float:
        async with Engine(workflows=[TenSteps], activities=[step]) as engine:
            began = time.perf_counter()
            results = await asyncio.gather(*[_awaited(engine, number) for number in range(IN_MEMORY)])
            took = time.perf_counter() - began
        assert results == [STEPS] * IN_MEMORY
        return took

    return asyncio.run(run()) / IN_MEMORY


async def _awaited(engine: Engine, number: int) -> int:
    return await engine.execute_workflow(TenSteps.run, 0, id=f"w{number}")


def tiny_tests() -> float:
    """Seconds for one test with an engine of its own: one activity."""
    began = time.perf_counter()
    for number in range(TESTS):
        with Engine(workflows=[OneStep], activities=[step]) as engine:
            assert engine.execute_workflow(OneStep.run, number).wait() == number + 1
    return (time.perf_counter() - began) / TESTS


def on_disk(sizes: Sequence[int]) -> tuple[float, float]:
    """Seconds for one workflow on disk, and for as many bare commits of as many bytes.

    They take turns, a workflow and then its commits: how long a disk takes to flush may change from second to second.
    """
    values = [bytes(size) for size in sizes]
    results: list[int] = []
    ours = bare = 0.0
    with directory() as path, directory() as other:
        store = CountingStore(DiskStore(path))
        cache = diskcache.Cache(str(other), sqlite_synchronous=2, eviction_policy="none")
        with closing(cache), on_store(store) as engine:
            for number in range(ON_DISK):
                began = time.perf_counter()
                results.append(engine.execute_workflow(TenSteps.run, 0, id=f"w{number}").wait())
                turn = time.perf_counter()
                for index, value in enumerate(values):
                    with cache.transact():
                        cache.set(f"{number:08d}-{index:04d}", value)
                ours += turn - began
                bare += time.perf_counter() - turn
            assert len(cache) == ON_DISK * COMMITS
        assert results == [STEPS] * ON_DISK
        assert store.commits == ON_DISK * COMMITS, store.commits
        check(path, ON_DISK)
    return ours / ON_DISK, bare / ON_DISK


def on_disk_at_once() -> float:
    """Seconds for one workflow on disk when many run at once."""

    async def run(store: Store) -> float:
        async with on_store(store) as engine:
            began = time.perf_counter()
            results = await asyncio.gather(*[_awaited(engine, number) for number in range(AT_ONCE)])
            took = time.perf_counter() - began
        assert results == [STEPS] * AT_ONCE
        return took

    with directory() as path:
        store = CountingStore(DiskStore(path))
        took = asyncio.run(run(store))
        assert COMMITS <= store.commits <= AT_ONCE, store.commits  # many runs share each of them
        check(path, AT_ONCE)
    return took / AT_ONCE


def check(path: Path, workflows: int) -> None:
    """All of it is on disk, as the next process would find it."""
    with closing(DiskStore(path, read_only=True)) as store:
        summaries = list(store.summaries())
        assert len(summaries) == workflows
        for summary in summaries:
            assert summary["status"] == "WORKFLOW_EXECUTION_STATUS_COMPLETED", summary
            assert len(store.events(summary["execution"]["runId"])) == EVENTS


def commit_sizes() -> list[int]:
    """Bytes of each commit of one workflow."""
    with directory() as path:
        store = CountingStore(DiskStore(path), measure=True)
        with on_store(store) as engine:
            assert engine.execute_workflow(TenSteps.run, 0, id="w0").wait() == STEPS
    assert len(store.sizes) == COMMITS, store.sizes
    return store.sizes


@contextmanager
def durabletask() -> Iterator[Callable[[], float]]:
    """The peer: its worker and client on its in-memory backend, one workflow after the other."""
    from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
    from durabletask.testing.in_memory_backend import create_test_backend
    from durabletask.worker import TaskHubGrpcWorker

    quiet = logging.Logger("quiet")  # as it comes it writes a line for each step
    quiet.addHandler(logging.NullHandler())

    def their_step(_: Any, number: int) -> int:
        return number + 1

    def ten_steps(context: Any, number: int) -> Any:
        for _ in range(STEPS):
            number = yield context.call_activity(their_step, input=number)
        return number

    backend = create_test_backend(port=PORT)
    try:
        with TaskHubGrpcWorker(host_address=f"localhost:{PORT}", logger=quiet) as worker:
            worker.add_orchestrator(ten_steps)
            worker.add_activity(their_step)
            start: Callable[[], None] = worker.start
            start()
            client = TaskHubGrpcClient(host_address=f"localhost:{PORT}", logger=quiet)

            def run() -> float:
                began = time.perf_counter()
                for _ in range(PEER):
                    name = client.schedule_new_orchestration(ten_steps, input=0, instance_id=f"w{next(_number)}")
                    state = client.wait_for_orchestration_completion(name, timeout=30)
                    assert state is not None
                    assert state.runtime_status == OrchestrationStatus.COMPLETED
                    assert state.serialized_output == str(STEPS)
                return (time.perf_counter() - began) / PEER

            run()  # connections are made, code is loaded
            yield run
            client.close()
    finally:
        backend.stop()


# (name, of what, measured against, at least so many times as fast)
GOALS: list[tuple[str, str, float]] = [
    ("in memory, wait()", "durabletask in memory", 25.0),
    ("in memory, await", "durabletask in memory", 0.0),
    ("in memory, many at once", "durabletask in memory", 0.0),
    ("on disk, FULL", "bare diskcache commits, FULL", 0.7),
    (f"on disk, FULL, {AT_ONCE} at once", "on disk, FULL", 3.0),
    (f"on disk, FULL, {AT_ONCE} at once", "bare diskcache commits, FULL", 3.0),
]
TEST_GOAL_MS = 0.2
BESIDE = ("on disk, FULL", "bare diskcache commits, FULL")  # what `on_disk` measures


def main(rounds: int) -> None:
    """Measure and print."""
    sizes = commit_sizes()
    with durabletask() as peer:
        variants: dict[str, Callable[[], float]] = {
            "durabletask in memory": peer,
            "in memory, wait()": in_memory,
            "in memory, await": in_memory_awaited,
            "in memory, many at once": in_memory_at_once,
            f"on disk, FULL, {AT_ONCE} at once": on_disk_at_once,
            "a tiny test": tiny_tests,
        }
        taken: dict[str, list[float]] = {name: [] for name in (*variants, *BESIDE)}
        for _ in range(rounds):
            for name, variant in variants.items():
                gc.collect()
                taken[name].append(variant())
            for name, took in zip(BESIDE, on_disk(sizes), strict=True):
                taken[name].append(took)
    print(f"{STEPS} steps a workflow, {COMMITS} commits of {sum(sizes):,} bytes in all on disk, {rounds} rounds\n")
    print(f"{'':36}steps/s  [lowest .. highest]")
    tests = taken.pop("a tiny test")
    for name, seconds in taken.items():
        rates = [STEPS / took for took in seconds]
        print(f"{name:32}{statistics.median(rates):11,.0f}  [{min(rates):,.0f} .. {max(rates):,.0f}]")
    print("\nhow many times as fast, within a round (goal)")
    for name, reference, goal in GOALS:
        ratios = [other / own for own, other in zip(taken[name], taken[reference], strict=True)]
        told = verdict(statistics.median(ratios) >= goal, f">= {goal:g}", goal)
        print(f"{spread(ratios)}  {name} / {reference}{told}")
    tests_ms = [1000 * took for took in tests]
    reached = statistics.median(tests_ms) <= TEST_GOAL_MS
    print(f"\nmilliseconds for a tiny test\n{spread(tests_ms)}{verdict(reached, f'<= {TEST_GOAL_MS}', TEST_GOAL_MS)}")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):8.2f}  [{min(values):.2f} .. {max(values):.2f}]"


def verdict(met: bool, wanted: str, goal: float) -> str:
    return f"  (goal {wanted}: {'met' if met else 'MISSED'})" if goal else ""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
