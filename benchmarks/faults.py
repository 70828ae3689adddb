"""How many workflows of ten steps run under fault plans in a second, beside the same test with durabletask in memory.

Run it from the repository root: `python -m benchmarks.faults [ROUNDS]`. Each example is one plan of one fault, out of
all that there are in a run of ten activities, and has an engine of its own, which is made and closed within the time.
Every result is checked, and that the fault struck.

The peer cannot be told what is to go wrong where. What can be written for it is an activity that fails once, at a step
that differs from example to example, with as short a wait before the next attempt as it knows; its clock is the real
one. Its backend and its worker are shared by all examples, since making them takes a second.
"""

from __future__ import annotations

import gc
import itertools
import logging
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from benchmarks.engine import STEPS, TenSteps, spread, step, verdict
from playhead_engine import Engine
from playhead_engine.faults import NEEDS_TIME, Fault, FaultPlan

EXAMPLES = 150  # in a round
PEER = 10
PORT = 50_953
GOAL_PER_SECOND = 1000

_number = itertools.count(1)


def example(plan: FaultPlan, seed: int) -> int:
    """One test: how often its plan struck."""
    with Engine(workflows=[TenSteps], activities=[step], seed=seed, faults=plan) as engine:
        assert engine.execute_workflow(TenSteps.run, 0, id="it").wait() == STEPS
        return len(engine.faults.struck)


def every_fault() -> list[FaultPlan]:
    """All plans of one fault that a run of ten steps can recover from, in an order of no meaning."""
    with Engine(workflows=[TenSteps], activities=[step], seed=0, faults="") as engine:
        engine.execute_workflow(TenSteps.run, 0, id="it").wait()
        passed = engine.faults.passed
    faults = [
        Fault(point.point, strike, 30 if strike in NEEDS_TIME else 0)
        for point in passed
        for strike in point.strikes
        if strike not in ("fail-for-good", "deploy")
    ]
    random.Random(0).shuffle(faults)
    return [FaultPlan((fault,)) for fault in faults]


def under_faults(plans: list[FaultPlan]) -> float:
    """Seconds for one workflow, each with another plan."""
    began = time.perf_counter()
    struck = sum(example(plan, seed) for seed, plan in enumerate(plans[:EXAMPLES]))
    took = time.perf_counter() - began
    assert struck == EXAMPLES
    return took / EXAMPLES


def without_faults() -> float:
    """Seconds for one workflow, each with an empty plan: what could go wrong is noted."""
    began = time.perf_counter()
    for seed in range(EXAMPLES):
        example(FaultPlan(), seed)
    return (time.perf_counter() - began) / EXAMPLES


def in_plain_engines() -> float:
    """Seconds for one workflow, each in an engine without a plan."""
    began = time.perf_counter()
    for seed in range(EXAMPLES):
        with Engine(workflows=[TenSteps], activities=[step], seed=seed) as engine:
            assert engine.execute_workflow(TenSteps.run, 0, id="it").wait() == STEPS
    return (time.perf_counter() - began) / EXAMPLES


@contextmanager
def durabletask() -> Iterator[Callable[[], float]]:
    """The peer: seconds for one workflow in which one step fails once."""
    from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
    from durabletask.task import RetryPolicy
    from durabletask.testing.in_memory_backend import create_test_backend
    from durabletask.worker import TaskHubGrpcWorker

    quiet = logging.Logger("quiet")
    quiet.addHandler(logging.NullHandler())
    fails: set[tuple[str, int]] = set()
    again = RetryPolicy(first_retry_interval=timedelta(milliseconds=1), max_number_of_attempts=3)

    def their_step(context: Any, number: int) -> int:
        place = (context.orchestration_id, number)
        if place in fails:
            fails.discard(place)
            raise RuntimeError("injected")
        return number + 1

    def ten_steps(context: Any, number: int) -> Any:
        for _ in range(STEPS):
            number = yield context.call_activity(their_step, input=number, retry_policy=again)
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
                    number = next(_number)
                    fails.add((f"w{number}", number % STEPS))
                    name = client.schedule_new_orchestration(ten_steps, input=0, instance_id=f"w{number}")
                    state = client.wait_for_orchestration_completion(name, timeout=30)
                    assert state is not None
                    assert state.runtime_status == OrchestrationStatus.COMPLETED
                    assert state.serialized_output == str(STEPS)
                assert not fails
                return (time.perf_counter() - began) / PEER

            run()  # connections are made, code is loaded
            yield run
            client.close()
    finally:
        backend.stop()


def main(rounds: int) -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)  # of each fault there is a line
    plans = every_fault()
    under_faults(plans)
    with durabletask() as peer:
        variants: dict[str, Callable[[], float]] = {
            "durabletask in memory, one step fails": peer,
            "under plans of one fault": lambda: under_faults(plans),
            "under empty plans": without_faults,
            "without plans": in_plain_engines,
        }
        taken: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(rounds):
            random.Random(1).shuffle(plans)
            for name, variant in variants.items():
                gc.collect()
                taken[name].append(variant())
    print(f"{STEPS} steps a workflow, an engine for each; {len(plans)} plans of one fault, {rounds} rounds\n")
    print(f"{'':38}workflows/s  [lowest .. highest]")
    for name, seconds in taken.items():
        rates = [1 / took for took in seconds]
        print(f"{name:38}{statistics.median(rates):11,.0f}  [{min(rates):,.0f} .. {max(rates):,.0f}]")
    ours, theirs = taken["under plans of one fault"], taken["durabletask in memory, one step fails"]
    reached = 1 / min(ours) >= GOAL_PER_SECOND
    print(
        f"\nworkflows under a plan in a second, at best{verdict(reached, f'>= {GOAL_PER_SECOND:,}', GOAL_PER_SECOND)}"
    )
    print(f"{1 / min(ours):11,.0f}")
    print("\nhow many times as fast, within a round")
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    print(f"{spread(ratios)}  under plans of one fault / durabletask in memory, one step fails")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
