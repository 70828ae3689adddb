"""Nobody waits for ever: failing workflow tasks, workflows that nothing can wake, histories without end."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from playhead_engine import Engine, activity, workflow
from playhead_engine.client import (
    EngineStopped,
    NothingDueError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowStuckError,
    WorkflowTaskKeepsFailingError,
)
from playhead_engine.exceptions import TerminatedError
from playhead_engine.stores import RunWrite, StoreError
from playhead_engine.stores.memory import MemoryStore
from tests.engine.engines import MakeEngine, any_engine, kinds, make_engine  # noqa: F401 - fixtures

PATIENCE = timedelta(seconds=10)


class Switch:
    """What the world outside is like."""

    broken = True


@workflow.defn
class Divides:
    """Fails as long as the switch says so."""

    def __init__(self) -> None:
        self.nudges = 0

    @workflow.run
    async def run(self, amount: int) -> str:
        """Divide."""
        await workflow.sleep(1)
        if Switch.broken:
            return str(amount // 0)
        return f"divided after {self.nudges}"

    @workflow.signal
    def nudge(self) -> None:
        """Have it tried again."""
        self.nudges += 1


@workflow.defn
class Waits:
    """Waits for what it is told to."""

    def __init__(self) -> None:
        self.woken = False

    @workflow.run
    async def run(self, what: str) -> str:
        """Wait."""
        match what:
            case "signal":
                await workflow.wait_condition(lambda: self.woken)
            case "activity":
                await workflow.execute_activity("nobody_has_this", start_to_close_timeout=PATIENCE)
            case "child":
                await workflow.execute_child_workflow("Waits", "signal", id="child")
            case "unknown child":
                await workflow.execute_child_workflow("Unknown", id="child")
            case _:
                await workflow.execute_activity("hopeless", what, start_to_close_timeout=timedelta(days=1000))
        return "done"

    @workflow.signal
    def wake(self) -> None:
        """Wake it."""
        self.woken = True


@workflow.defn
class Endless:
    """Never stops, and never continues as new."""

    @workflow.run
    async def run(self) -> None:
        """Sleep."""
        while True:
            await workflow.sleep(1)


@activity.defn
async def hopeless(what: str) -> None:
    """Fail, or never end."""
    if what == "hang":
        await asyncio.get_running_loop().create_future()
    raise ValueError("hopeless")


def test_a_failing_task_is_shown_where_it_fails(make_engine: MakeEngine) -> None:
    """The error names the workflow, what its code raised, and the line; the history holds one failed task."""
    Switch.broken = True
    engine = make_engine(workflows=[Divides])
    handle = engine.start_workflow(Divides.run, 7, id="div").wait()
    with pytest.raises(WorkflowTaskKeepsFailingError) as raised:
        handle.result().wait()
    error = raised.value
    assert error.workflow_id == "div"
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.place is not None
    file, line = error.place.rsplit(":", 1)
    assert file == __file__
    with open(__file__) as source:  # noqa: PTH123 - a test's own source
        assert "amount // 0" in source.readlines()[int(line) - 1]
    for word in ("div", "ZeroDivisionError", error.place):
        assert word in str(error)
    assert kinds(handle.fetch_history().wait()).count("WorkflowTaskFailed") == 1
    assert handle.describe().wait().status == WorkflowExecutionStatus.RUNNING


def test_a_failed_task_is_tried_again_when_something_new_happens(make_engine: MakeEngine) -> None:
    """A signal has it tried again; if the reason is gone, the workflow goes on where it was."""
    Switch.broken = True
    engine = make_engine(workflows=[Divides])
    handle = engine.start_workflow(Divides.run, 7, id="div").wait()
    with pytest.raises(WorkflowTaskKeepsFailingError):
        handle.result().wait()
    handle.signal(Divides.nudge).wait()
    with pytest.raises(WorkflowTaskKeepsFailingError):
        handle.result().wait()
    assert kinds(handle.fetch_history().wait()).count("WorkflowTaskFailed") == 2
    Switch.broken = False
    handle.signal(Divides.nudge).wait()
    assert handle.result().wait() == "divided after 2"


def test_under_the_real_clock_it_is_tried_again_by_itself() -> None:
    """After a wait that grows."""
    Switch.broken = True

    async def main() -> str:
        async with Engine(workflows=[Divides], clock="real") as engine:
            handle = await engine.start_workflow(Divides.run, 7, id="div")
            await asyncio.sleep(1.2)
            Switch.broken = False
            return await handle.result()

    assert asyncio.run(main()) == "divided after 0"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("signal", ["'waits' (Waits)", "a signal or an update that makes the condition", "test_engine_stuck.py:"]),
        ("activity", ["activity 'nobody_has_this' (event 5", "not registered", "registered are: hopeless"]),
        ("child", ["child workflow 'child' (Waits, event 5)"]),
        ("unknown child", ["child workflow 'child' (Unknown, event 5)"]),
    ],
)
def test_waiting_for_what_cannot_happen_is_an_error(make_engine: MakeEngine, what: str, words: list[str]) -> None:
    """It says what the workflow waits for, instead of hanging."""
    engine = make_engine(workflows=[Waits], activities=[hopeless])
    handle = engine.start_workflow(Waits.run, what, id="waits").wait()
    with pytest.raises(NothingDueError) as raised:
        handle.result().wait()
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(("what", "words"), [("fail", ["1000 times", "hopeless"]), ("hang", ["activity 'hopeless'"])])
def test_an_activity_without_hope_is_an_error(make_engine: MakeEngine, what: str, words: list[str]) -> None:
    """An activity that fails, or times out, for ever takes no time under the virtual clock; so somebody must say so."""
    engine = make_engine(workflows=[Waits], activities=[hopeless])
    handle = engine.start_workflow(Waits.run, what, id="waits").wait()
    with pytest.raises(WorkflowStuckError) as raised:
        handle.result().wait()
    for word in words:
        assert word in str(raised.value)


def test_the_error_names_all_that_is_awaited() -> None:
    """When several are awaited, each error says what the others wait for."""

    async def main() -> list[BaseException | str]:
        async with Engine(workflows=[Waits], patience=0.1) as engine:
            first = await engine.start_workflow(Waits.run, "signal", id="first")
            second = await engine.start_workflow(Waits.run, "child", id="second")
            return await asyncio.gather(first.result(), second.result(), return_exceptions=True)

    first, second = asyncio.run(main())
    assert isinstance(first, NothingDueError) and isinstance(second, NothingDueError)
    assert "workflow 'second'" in str(first)
    assert "workflow 'first'" in str(second)


def test_another_task_may_still_wake_it() -> None:
    """Under async code, somebody else may be about to do something, and is waited for a while."""

    async def main() -> str:
        async with Engine(workflows=[Waits]) as engine:
            handle = await engine.start_workflow(Waits.run, "signal", id="waits")

            async def wake_later() -> None:
                await asyncio.sleep(0.05)
                await handle.signal(Waits.wake)

            waker = asyncio.create_task(wake_later())
            result = await handle.result()
            await waker
            return result

    assert asyncio.run(main()) == "done"


def test_after_the_error_the_workflow_goes_on(make_engine: MakeEngine) -> None:
    """Nothing is lost: the signal that was missing wakes it."""
    engine = make_engine(workflows=[Waits])
    handle = engine.start_workflow(Waits.run, "signal", id="waits").wait()
    with pytest.raises(NothingDueError):
        handle.result().wait()
    handle.signal(Waits.wake).wait()
    assert handle.result().wait() == "done"


def test_a_history_without_end_is_ended(make_engine: MakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    """First somebody is warned, then the run is terminated as Temporal does."""
    engine = make_engine(workflows=[Endless], history_warn_events=50, history_max_events=100)
    with caplog.at_level(logging.WARNING), pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(Endless.run, id="endless").wait()
    assert isinstance(raised.value.cause, TerminatedError)
    assert raised.value.cause.message == "Workflow history count exceeds limit."
    history = engine.get_workflow_handle("endless").fetch_history().wait()
    assert 100 <= len(history) <= 105
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1 and "endless" in warnings[0].getMessage()


def test_a_history_can_also_be_too_large(make_engine: MakeEngine) -> None:
    """The limit in bytes counts the history as JSON."""
    engine = make_engine(workflows=[Endless], history_max_bytes=20_000)
    with pytest.raises(WorkflowFailureError, match="size exceeds limit"):
        engine.execute_workflow(Endless.run, id="endless").wait()
    history = engine.get_workflow_handle("endless").fetch_history().wait()
    assert 19_000 < len(history.to_json()) < 25_000


class FullStore(MemoryStore):
    """A store that cannot take any more at some point."""

    room = 3

    def commit(self, writes: list[RunWrite]) -> None:  # type: ignore[override]
        """Refuse when full."""
        self.room -= 1
        if self.room < 0:
            raise StoreError("", "the disk is full")
        super().commit(writes)


def test_an_engine_whose_store_fails_stops(make_engine: MakeEngine) -> None:
    """What was not committed has no effect: who waits gets an error, and nothing goes on."""
    engine = make_engine(workflows=[Endless], store=FullStore())
    handle = engine.start_workflow(Endless.run, id="endless").wait()
    with pytest.raises(EngineStopped, match="the disk is full"):
        handle.result().wait()
    with pytest.raises(EngineStopped, match="the disk is full"):
        engine.start_workflow(Endless.run, id="another").wait()
