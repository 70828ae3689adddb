"""A workflow that does what a program in its input says; the test makes the programs up.

A program is a list of steps, and a step a list: its name, and what it needs. Some steps hold programs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ActivityCancellationType, ChildWorkflowCancellationType

Program = list[list[Any]]

SOON = timedelta(seconds=30)
_STAGE = SearchAttributeKey.for_keyword("Stage")
_instead: list[Program] = []


@contextmanager
def instead(program: Program) -> Iterator[None]:
    """Workflows do what this program says, as if their code had been changed."""
    _instead.append(program)
    try:
        yield
    finally:
        _instead.pop()


@activity.defn
async def work(seconds: int) -> int:
    """Work, and beat."""
    for _ in range(seconds):
        activity.heartbeat()
        await asyncio.sleep(1)
    return seconds


@activity.defn
async def fail_once() -> None:
    """Fail at first."""
    if activity.info().attempt == 1:
        raise ApplicationError("not yet")


ACTIVITIES = [work, fail_once]


@workflow.defn(sandboxed=False)
class Child:
    """Sleeps."""

    @workflow.run
    async def run(self, seconds: int) -> int:
        """Sleep."""
        if seconds == 0:
            raise ApplicationError("tired")
        await asyncio.sleep(seconds)
        return seconds


@workflow.defn(sandboxed=False)
class Interpreter:
    """Does what it is told."""

    def __init__(self) -> None:
        self.told = 0
        self.taken = 0
        self.children = 0

    @workflow.run
    async def run(self, program: Program) -> int:
        """Do it."""
        await self.do(_instead[-1] if _instead else program)
        return self.told

    @workflow.signal
    def tell(self) -> None:
        """Hear."""
        self.told += 1

    @workflow.signal
    async def work_for(self, seconds: int) -> None:
        """Work."""
        await workflow.execute_activity(work, seconds, start_to_close_timeout=SOON)

    @workflow.update
    async def ask(self, seconds: int) -> int:
        """Sleep."""
        await asyncio.sleep(seconds)
        return self.told

    async def do(self, program: Program) -> None:
        """Take one step after the other."""
        for name, *needs in program:
            await getattr(self, f"_{name}")(*needs)

    async def _activity(self, seconds: int, kind: int) -> None:
        await workflow.execute_activity(
            work,
            seconds,
            start_to_close_timeout=SOON,
            heartbeat_timeout=timedelta(seconds=5),
            cancellation_type=list(ActivityCancellationType)[kind],
        )

    async def _retried(self) -> None:
        await workflow.execute_activity(fail_once, start_to_close_timeout=SOON)

    async def _local(self, seconds: int) -> None:
        await workflow.execute_local_activity(work, seconds, start_to_close_timeout=SOON)

    async def _local_retried(self) -> None:
        await workflow.execute_local_activity(
            fail_once,
            start_to_close_timeout=SOON,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=9)),
            local_retry_threshold=timedelta(seconds=1),
        )

    async def _timer(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _child(self, seconds: int, kind: int) -> None:
        try:
            await workflow.execute_child_workflow(
                Child.run, seconds, cancellation_type=list(ChildWorkflowCancellationType)[kind]
            )
        except FailureError:
            await asyncio.sleep(1)

    async def _signal(self, seconds: int) -> None:
        self.taken += 1
        try:
            await workflow.wait_condition(lambda: self.told >= self.taken, timeout=seconds)
        except TimeoutError:
            workflow.upsert_memo({"late": self.taken})

    async def _external(self, is_cancel: bool) -> None:
        handle = workflow.get_external_workflow_handle("nobody")
        try:
            await (handle.cancel() if is_cancel else handle.signal("tell"))
        except ApplicationError:
            await asyncio.sleep(1)

    async def _patch(self, patch_id: str, program: Program) -> None:
        if workflow.patched(patch_id):
            await self.do(program)

    async def _deprecate(self, patch_id: str) -> None:
        workflow.deprecate_patch(patch_id)

    async def _stage(self, stage: str) -> None:
        workflow.upsert_search_attributes([_STAGE.value_set(stage)])

    async def _draw(self) -> None:
        await asyncio.sleep(workflow.random().randint(0, 3))

    async def _gather(self, programs: list[Program]) -> None:
        await asyncio.gather(*map(self.do, programs), return_exceptions=True)

    async def _race(self, programs: list[Program]) -> None:
        tasks = [asyncio.create_task(self.do(program)) for program in programs]
        await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cancelled(self, seconds: float, program: Program) -> None:
        task = asyncio.create_task(self.do(program))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _shielded(self, program: Program) -> None:
        await asyncio.shield(asyncio.ensure_future(self.do(program)))

    async def _limited(self, seconds: int, program: Program) -> None:
        try:
            await asyncio.wait_for(self.do(program), seconds)
        except (TimeoutError, FailureError):
            await asyncio.sleep(1)

    async def _loop(self, turns: int, program: Program) -> None:
        for _ in range(turns):
            await self.do(program)

    async def _cleanup(self, program: Program, last: Program) -> None:
        try:
            await self.do(program)
        finally:
            await self.do(last)

    async def _left(self, program: Program) -> None:
        asyncio.ensure_future(self.do(program))  # noqa: RUF006 - the SDK keeps it
        await asyncio.sleep(0)

    async def _fail(self) -> None:
        raise ApplicationError("told to")

    async def _burst(self) -> None:
        raise ZeroDivisionError("told to")

    async def _again(self) -> None:
        if workflow.info().continued_run_id is None:
            workflow.continue_as_new([["timer", 1]])
