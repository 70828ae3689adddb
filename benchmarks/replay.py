"""How fast a history is replayed: beside Temporal's own Replayer, and beside durabletask's orchestration executor.

Run it from the repository root: `python -m benchmarks.replay`. Rounds are interleaved, each figure is the best of its
rounds in CPU seconds (Temporal's is wall time, since it works in other threads), and every replay is checked to have
come to its end.
"""

from __future__ import annotations

import asyncio
import datetime
import gc
import logging
import math
import sys
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

from benchmarks.histories import sequential_activities
from playhead import Agrees, Replayer
from playhead.readers import read_history
from playhead_engine import workflow
from playhead_engine.history import History

SIZES = (100, 400, 1600, 8000)
ROUNDS = 3


@workflow.defn(name="Loop")
class Loop:
    """As many activities as it is told, one after the other."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run them."""
        for number in range(count):
            await workflow.execute_activity("echo", number, start_to_close_timeout=timedelta(seconds=60))
        return count


def ours(history: History) -> Callable[[], None]:
    """A replay by Playhead."""
    replayer = Replayer([Loop])

    def replay() -> None:
        verdict = replayer.replay(history, workflow_id="wid")
        assert isinstance(verdict, Agrees), verdict
        assert verdict.events == len(history)

    return replay


def durabletask(count: int) -> Callable[[], None]:
    """A replay of as many steps by durabletask."""
    import durabletask.internal.helpers as new
    from durabletask.serialization import JsonDataConverter
    from durabletask.worker import _OrchestrationExecutor, _Registry

    def loop(context: Any, steps: int) -> Generator[Any, Any, int]:
        for number in range(steps):
            yield context.call_activity("echo", input=number)
        return steps

    registry: Any = _Registry()  # type: ignore[no-untyped-call]
    name = registry.add_orchestrator(loop)
    logger = logging.getLogger("durabletask-benchmark")
    logger.setLevel(logging.ERROR)
    now = datetime.datetime(2026, 1, 1)
    events = [new.new_orchestrator_started_event(now), new.new_execution_started_event(name, "one", str(count))]
    for step in range(1, count + 1):
        events.append(new.new_task_scheduled_event(step, "echo", str(step - 1)))
        events.append(new.new_orchestrator_started_event(now))
        events.append(new.new_task_completed_event(step, str(step - 1)))
    before, last = events[:-2], events[-2:]

    def replay() -> None:
        executor = _OrchestrationExecutor(registry, logger, JsonDataConverter())
        actions = executor.execute("one", before, last).actions
        assert [a.completeOrchestration.result.value for a in actions] == [str(count)]

    return replay


def temporal(text: str) -> float:
    """Wall seconds that Temporal's own Replayer takes, without reading the JSON."""
    from temporalio.client import WorkflowHistory
    from temporalio.worker import Replayer as TemporalReplayer
    from temporalio.worker import UnsandboxedWorkflowRunner

    from benchmarks.temporal_loop import Loop as TemporalLoop

    async def replay() -> float:
        history = WorkflowHistory.from_json("wid", text)
        replayer = TemporalReplayer(workflows=[TemporalLoop], workflow_runner=UnsandboxedWorkflowRunner())
        begun = time.perf_counter()
        await replayer.replay_workflow(history)
        return time.perf_counter() - begun

    return asyncio.run(replay())


def cpu_seconds(work: Callable[[], None]) -> float:
    """CPU seconds that it takes once."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    """Measure and print."""
    texts = {size: sequential_activities(size) for size in SIZES}
    histories = {size: read_history(text) for size, text in texts.items()}
    mine = {size: ours(history) for size, history in histories.items()}
    peer = durabletask(SIZES[-1])
    best = dict.fromkeys(SIZES, math.inf)
    peer_best = math.inf
    for _ in range(ROUNDS):
        for size in SIZES:
            best[size] = min(best[size], cpu_seconds(mine[size]))
        peer_best = min(peer_best, cpu_seconds(peer))
    largest = SIZES[-1]
    print(f"{'activities':>10} {'events':>8} {'seconds':>9} {'us/activity':>12}")
    for size in SIZES:
        seconds = best[size]
        print(f"{size:>10} {len(histories[size]):>8} {seconds:>9.4f} {seconds / size * 1e6:>12.1f}")
    exponent = math.log(best[largest] / best[SIZES[0]]) / math.log(largest / SIZES[0])
    print(f"growth exponent from {SIZES[0]} to {largest} activities: {exponent:.3f}  (goal: at most 1.05)")
    per_step = peer_best / largest * 1e6
    print(f"durabletask, {largest} steps: {peer_best:.4f} s, {per_step:.1f} us/step")
    print(f"  time of Playhead / time of durabletask: {best[largest] / peer_best:.2f}x  (goal: at most 2x)")
    if "--without-temporal" not in sys.argv:
        theirs = temporal(texts[largest].decode())
        print(f"Temporal's Replayer, {len(histories[largest])} events: {theirs:.2f} s")
        print(f"  times faster than Temporal's Replayer: {theirs / best[largest]:.0f}x  (goal: at least 60x)")


if __name__ == "__main__":
    main()
