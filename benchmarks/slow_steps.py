"""The process that `durability` kills, and the one that takes its store up: 100 workflows of ten slow steps.

    python -m benchmarks.slow_steps first|second STORE LOG

It loads what a service would load: an engine and its code.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from playhead_engine import Engine, activity, workflow

WORKFLOWS = 100
STEPS = 10
STEP_SECONDS = 0.25

_TIMEOUT = timedelta(seconds=60)


class Steps:
    """The activity. It writes down when it begins."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, line: str) -> None:
        os.write(self._log, f"{time.monotonic_ns()} {time.process_time():.3f} {line}\n".encode())

    @activity.defn
    async def step(self, number: int) -> int:
        self.write(f"{activity.info().workflow_id} {number}")
        await asyncio.sleep(STEP_SECONDS)
        return number + 1


@workflow.defn
class SlowSteps:
    """Ten activities, one after the other."""

    @workflow.run
    async def run(self) -> int:
        number = 0
        for _ in range(STEPS):
            number = await workflow.execute_activity_method(Steps.step, number, start_to_close_timeout=_TIMEOUT)
        return number


async def work(path: str, log: str, is_first: bool) -> None:
    """What the killed process does, and the one after it."""
    steps = Steps(Path(log))
    steps.write("imported")
    async with Engine(path, workflows=[SlowSteps], activities=[steps.step]) as engine:
        steps.write("opened")
        ids = [f"workflow-{number}" for number in range(WORKFLOWS)]
        if is_first:

            async def start(workflow_id: str) -> None:
                await engine.start_workflow(SlowSteps.run, id=workflow_id)

            await asyncio.gather(*map(start, ids))

        async def result(workflow_id: str) -> int:
            return int(await engine.get_workflow_handle(workflow_id, result_type=int).result())

        assert await asyncio.gather(*map(result, ids)) == [STEPS] * WORKFLOWS
    steps.write("ended")


if __name__ == "__main__":
    role, store, log_file = sys.argv[1:]
    asyncio.run(work(store, log_file, role == "first"))
