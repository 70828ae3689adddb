"""The guards around real workflow code, as the native runtime puts them there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime
from pathlib import Path

import pytest

from playhead_engine import workflow
from playhead_engine.activation import Activation, InitializeWorkflow
from playhead_engine.guards import NondeterministicCall, WorkflowDeadlock
from playhead_engine.native import NativeRuntime
from playhead_engine.runtime import TaskCompleted, TaskFailed

SECOND = 1_000_000_000


@workflow.defn
class AsksTheClock:
    """Forgets that it will be replayed."""

    @workflow.run
    async def run(self) -> str:
        """Ask for the time, after waiting as workflows may."""
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        workflow.logger.info("a record carries a time, and may")
        return str(datetime.now())


@workflow.defn
class ReadsAFile:
    """Reaches outside."""

    @workflow.run
    async def run(self) -> str:
        """Read prices where they happen to lie."""
        return Path("prices.csv").read_text()  # noqa: ASYNC240 - the point of the test


@workflow.defn
class NeverYields:
    """Polls."""

    @workflow.run
    async def run(self) -> None:
        """Wait for what cannot come while it waits."""
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))


@workflow.defn
class KnowsBetter:
    """Asks for the time on its own responsibility."""

    @workflow.run
    async def run(self) -> float:
        """Measure, across an await."""
        with workflow.unsafe.sandbox_unrestricted():
            started = time.perf_counter()
            await asyncio.sleep(0)
            return time.perf_counter() - started


def first_task(cls: type, deadlock_timeout: float = 2.0) -> TaskCompleted | TaskFailed:
    """What becomes of the first workflow task of a run."""
    instance = NativeRuntime([cls], deadlock_timeout=deadlock_timeout).create(cls.__name__, "run-1")
    start = InitializeWorkflow("wf-1", {"workflowType": {"name": cls.__name__}}, 1, SECOND)
    try:
        return instance.activate(Activation("run-1", SECOND, False, 3, 100, False, (start,)))
    finally:
        instance.close()


def line_of(cls: type, text: str) -> int:
    """The line of this file that holds a text, in or after a class."""
    lines = Path(__file__).read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"class {cls.__name__}"))
    return next(number for number in range(first, len(lines)) if text in lines[number]) + 1


@pytest.mark.parametrize(
    ("cls", "call", "instead"),
    [
        (AsksTheClock, "datetime.now()", "use workflow.now()"),
        (ReadsAFile, "open('prices.csv')", "do it in an activity"),
    ],
)
def test_what_would_break_replay_fails_the_workflow_task(cls: type, call: str, instead: str) -> None:
    """At once, not on the first replay, with the line that did it and what to do."""
    completion = first_task(cls)
    assert isinstance(completion, TaskFailed)
    error = completion.error
    assert isinstance(error, NondeterministicCall)
    source = "datetime.now()" if cls is AsksTheClock else "read_text()"
    assert (error.call, error.instead) == (call, instead)
    assert (error.file, error.line) == (__file__, line_of(cls, source))
    assert completion.failure.get("message") == str(error)


def test_a_workflow_that_never_yields_fails_its_task() -> None:
    """It is stopped, and the error says where it was."""
    completion = first_task(NeverYields, deadlock_timeout=0.2)
    assert isinstance(completion, TaskFailed)
    assert isinstance(completion.error, WorkflowDeadlock)
    first = line_of(NeverYields, "while True")
    assert completion.error.file == __file__
    assert first <= completion.error.line <= first + 5


def test_the_escape_hatch_of_the_workflow_api_opens() -> None:
    """Whoever says so may."""
    assert isinstance(first_task(KnowsBetter), TaskCompleted)


@workflow.defn
class Unordered:
    """Iterates over a set of strings."""

    @workflow.run
    async def run(self) -> list[str]:
        """Give the regions in whatever order they come."""
        return [region for region in {"eu", "us"}]  # noqa: C416


def test_a_workflow_whose_order_depends_on_the_process_is_not_taken() -> None:
    """Before it runs at all."""
    with pytest.raises(NondeterministicCall, match=r"PYTHONHASHSEED.*sorted"):
        NativeRuntime([Unordered])
