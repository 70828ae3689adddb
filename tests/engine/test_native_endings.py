"""How runs end: by result, by error, by cancellation; and how they are thrown out of memory."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import workflow
from playhead_engine.activation import CancelWorkflow, FireTimer, ResolveActivity, Succeeded
from playhead_engine.exceptions import ApplicationError
from playhead_engine.native import NativeRuntime
from tests.engine.native_driver import Driver, encode

MINUTE = timedelta(minutes=1)
SEEN: list[str] = []


async def act(name: str = "job", **options: Any) -> Any:
    """An activity."""
    return await workflow.execute_activity(name, start_to_close_timeout=MINUTE, **options)


class Listed(Exception):
    """An error that some workflows list as a failure."""


@workflow.defn(failure_exception_types=[Listed])
class Ends:
    """Ends in the way its argument names."""

    @workflow.run
    async def run(self, how: str) -> Any:
        """End."""
        match how:
            case "application error":
                raise ApplicationError("gave up", 5, type="GaveUp", non_retryable=True)
            case "activity error":
                await act()
            case "timeout":
                async with asyncio.timeout(1):
                    await act()
            case "listed":
                raise Listed("as agreed")
            case "bug":
                raise ZeroDivisionError("division by zero")
            case "cancelled by itself":
                raise asyncio.CancelledError
            case "unencodable":
                return object()
            case "handled cancel":
                try:
                    await act()
                except asyncio.CancelledError:
                    await act("undo")
                    raise
            case "exit":
                raise SystemExit(3)
            case "interrupt":
                raise KeyboardInterrupt
        return None


def test_an_application_error_fails_the_workflow() -> None:
    """With its type, its details and the line that raised it."""
    driver = Driver(Ends, "application error")
    assert driver.kinds() == ["FailWorkflow"]
    failure = driver.commands[0].attributes["failure"]  # type: ignore[union-attr]
    assert failure["message"] == "gave up"
    assert failure["applicationFailureInfo"] == {
        "type": "GaveUp",
        "nonRetryable": True,
        "details": {"payloads": [encode(5)]},
    }
    assert driver.commands[0].site is not None
    assert driver.commands[0].site.function == "Ends.run"


def test_a_failed_activity_fails_the_workflow_unless_it_is_caught() -> None:
    """With the chain of causes."""
    driver = Driver(Ends, "activity error")
    driver.fail(1, "broken")
    failure = driver.commands[0].attributes["failure"]  # type: ignore[union-attr]
    assert failure["cause"]["message"] == "broken"


def test_running_out_of_time_fails_the_workflow() -> None:
    """asyncio's TimeoutError counts as a failure."""
    driver = Driver(Ends, "timeout")
    driver.tell(FireTimer(1))
    assert driver.kinds() == ["RequestCancelActivity"]
    driver.fail(1)
    assert driver.kinds() == ["FailWorkflow"]


def test_errors_a_workflow_lists_fail_it() -> None:
    """So do those its runtime lists; any other is a bug, which fails the workflow task only."""
    assert Driver(Ends, "listed").kinds() == ["FailWorkflow"]
    driver = Driver(Ends, "bug")
    assert isinstance(driver.error, ZeroDivisionError)
    runtime = NativeRuntime([Ends], failure_exception_types=[ArithmeticError])
    assert Driver(Ends, "bug", runtime=runtime).kinds() == ["FailWorkflow"]


def test_a_bug_keeps_its_traceback() -> None:
    """Whoever reports it wants to show the line."""
    error = Driver(Ends, "bug").error
    assert error is not None
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append(traceback.tb_frame.f_code.co_qualname)
        traceback = traceback.tb_next
    assert frames[-1] == "Ends.run"


def test_cancelling_itself_is_a_failure() -> None:
    """Nobody asked for the workflow to be cancelled."""
    assert Driver(Ends, "cancelled by itself").kinds() == ["FailWorkflow"]


def test_a_result_that_cannot_be_encoded_fails_the_workflow_task() -> None:
    """The message names the type."""
    error = Driver(Ends, "unencodable").error
    assert isinstance(error, TypeError)
    assert "object" in str(error)


def test_a_cancelled_workflow_may_clean_up_first() -> None:
    """Its activity is asked to stop; then it undoes; then it is cancelled."""
    driver = Driver(Ends, "handled cancel")
    driver.tell(CancelWorkflow("enough"))
    assert driver.kinds() == ["RequestCancelActivity"]
    driver.fail(1)
    assert driver.kinds() == ["FailWorkflow"]


def test_workflow_code_cannot_end_the_process() -> None:
    """It fails its workflow task; Ctrl-C ends the process all the same, and the running loop is given back."""
    driver = Driver(Ends, "exit")
    assert isinstance(driver.error, SystemExit)
    driver.instance.close()
    with pytest.raises(KeyboardInterrupt):
        Driver(Ends, "interrupt")
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


@workflow.defn
class Holds:
    """Is thrown out of memory while it waits, in the way its argument names."""

    @workflow.run
    async def run(self, how: str) -> Any:
        """Wait."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.task(how))
            for i in range(3):
                group.create_task(act(f"job {i}"))
            workflow.start_activity("unawaited", start_to_close_timeout=MINUTE)
            await workflow.wait_condition(lambda: False)

    async def task(self, how: str) -> None:
        """Hold on to life."""
        while True:
            try:
                await workflow.sleep(10)
            except asyncio.CancelledError:
                SEEN.append("cancelled")
            except BaseException as error:
                SEEN.append(type(error).__name__)
                if how == "stubborn":
                    continue
                if how == "once more":
                    await asyncio.sleep(1)
                raise
            finally:
                if how == "asks":
                    handle = workflow.start_activity("late", start_to_close_timeout=MINUTE)
                    await asyncio.gather(act("later"), asyncio.sleep(1), handle)
                    SEEN.append("went on")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """A warning about a task or a coroutine left behind belongs to the test that left it."""
    SEEN.clear()
    yield
    gc.collect()


@pytest.mark.parametrize("how", ["simple", "once more", "asks"])
def test_closing_ends_every_coroutine(how: str) -> None:
    """Their `finally` blocks run; nothing comes of what they ask for; nothing is left to be destroyed while pending."""
    driver = Driver(Holds, how)
    tasks = driver.instance._run.loop.pending_tasks()
    assert len(tasks) == 5
    driver.instance.close()
    assert "GeneratorExit" in SEEN
    assert "cancelled" not in SEEN
    assert "went on" not in SEEN
    assert all(getattr(task.get_coro(), "cr_frame", None) is None for task in tasks)
    assert driver.instance.pending() == []


def test_code_that_will_not_stop_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """Closing comes to an end, and says what would not."""
    driver = Driver(Holds, "stubborn")
    driver.instance.close()
    assert "does not stop: it awaits something each time it is told to" in caplog.text
    del driver


def test_a_closed_run_cannot_go_on() -> None:
    """Closing twice does nothing; activating is a mistake."""
    driver = Driver(Holds, "simple")
    driver.instance.close()
    driver.instance.close()
    with pytest.raises(RuntimeError, match="was closed and cannot go on"):
        driver.tell(FireTimer(1))


def test_a_run_can_be_closed_before_it_began() -> None:
    """Its task has not had a turn yet; that leaves no warning behind."""
    instance = NativeRuntime([Holds]).create("Holds", "r")
    instance.close()
    driver = Driver(NeverBegins)
    assert isinstance(driver.error, LookupError)
    driver.instance.close()


@workflow.defn
class NeverBegins:
    """Cannot be made."""

    def __init__(self) -> None:
        """Fail."""
        raise LookupError("no")

    @workflow.run
    async def run(self) -> None:
        """Never."""


@workflow.defn
class Unfinished:
    """Ends while its handlers run."""

    def __init__(self) -> None:
        """Nothing done."""
        self.done = False

    @workflow.run
    async def run(self) -> None:
        """Wait to be told to end."""
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal
    async def slow(self) -> None:
        """Take long."""
        await asyncio.sleep(10)

    @workflow.update
    async def slow_update(self) -> None:
        """Take long."""
        await asyncio.sleep(10)

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def carefree(self) -> None:
        """Take long, and do not mind."""
        await asyncio.sleep(10)

    @workflow.signal
    def end(self) -> None:
        """End."""
        self.done = True


def test_handlers_that_are_cut_off_are_warned_of() -> None:
    """Unless they do not mind; and not on replay, where nobody can do anything about it."""
    driver = Driver(Unfinished)
    driver.signal("slow")
    driver.signal("slow")
    driver.signal("carefree")
    driver.update("slow_update")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        driver.signal("end")
    assert [w.category for w in caught] == [
        workflow.UnfinishedUpdateHandlersWarning,
        workflow.UnfinishedSignalHandlersWarning,
    ]
    assert '[{"name": "slow", "count": 2}]' in str(caught[1].message)
    again = Driver(Unfinished, replaying=True)
    again.signal("slow")
    again.signal("end")
    assert again.kinds() == ["CompleteWorkflow"]


def test_a_warning_that_is_an_error_fails_the_workflow_task() -> None:
    """As tests want it that treat warnings as errors."""
    driver = Driver(Unfinished)
    driver.signal("slow")
    driver.signal("end")
    assert isinstance(driver.error, workflow.UnfinishedSignalHandlersWarning)


@workflow.defn
class LateCancel:
    """Is cancelled in the activation in which its activity ends."""

    @workflow.run
    async def run(self) -> str:
        """Wait."""
        try:
            await act()
        except asyncio.CancelledError:
            return "cancelled"
        return "done"


@pytest.mark.parametrize(
    ("replaying", "flags", "result", "used"),
    [
        (False, (), "cancelled", (1,)),
        (True, (), "done", ()),
        (True, (1,), "cancelled", (1,)),
        (True, (1, 2), "cancelled", ()),
    ],
)
def test_who_wins_when_an_activity_ends_as_it_is_cancelled(
    replaying: bool, flags: tuple[int, ...], result: str, used: tuple[int, ...]
) -> None:
    """The cancellation; except in histories of SDKs that did not know flag 1, which asked the activity to stop."""
    driver = Driver(LateCancel, replaying=replaying, flags=flags)
    driver.tell(ResolveActivity(1, Succeeded(None)), CancelWorkflow("now"))
    assert driver.result() == result
    assert driver.used_flags == used
    assert ("RequestCancelActivity" in driver.kinds()) == (result == "done")


def test_the_log_is_quiet_about_runs_that_were_closed(caplog: pytest.LogCaptureFixture) -> None:
    """An activity that failed and was never awaited is reported, but not once the run is gone."""
    caplog.set_level(logging.ERROR)
    driver = Driver(Holds, "simple")
    driver.instance.close()
    del driver
    gc.collect()
    assert not caplog.records
