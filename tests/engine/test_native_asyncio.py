"""asyncio as users write it, on our event loop: deterministic, and nothing that reaches outside."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import workflow
from playhead_engine.activation import CancelWorkflow, FireTimer
from tests.engine.native_driver import Driver

MINUTE = timedelta(minutes=1)


async def act(name: str, *args: Any) -> Any:
    """An activity."""
    return await workflow.execute_activity(name, args=args, start_to_close_timeout=MINUTE)


def names(driver: Driver) -> list[str]:
    """Types of the activities that were asked for."""
    return [c.attributes["activityType"]["name"] for c in driver.commands if hasattr(c, "attributes")]


@workflow.defn
class Sets:
    """Iterates over sets of tasks and handles."""

    @workflow.run
    async def run(self) -> Any:
        """Make garbage first, so that addresses differ from run to run."""
        tasks = {asyncio.create_task(act("job", i)) for i in range(20)}
        handles = {workflow.start_activity("handle", i, start_to_close_timeout=MINUTE) for i in range(20)}
        await asyncio.sleep(0)
        for each in [*tasks, *handles]:
            each.cancel()
        await asyncio.gather(*tasks, *handles, return_exceptions=True)


def test_sets_of_tasks_are_iterated_in_the_same_order_every_time() -> None:
    """Cancelling all of a set asks for the same commands in the same order in each replay."""
    seen = set()
    ballast: list[Any] = []
    for i in range(5):
        ballast.append([object() for _ in range(i * 37)])
        seen.add(tuple((type(c).__name__, c.seq) for c in Driver(Sets).commands))  # type: ignore[union-attr]
    assert len(seen) == 1


@workflow.defn
class Grouped:
    """A group of tasks, one of which fails."""

    @workflow.run
    async def run(self) -> Any:
        """Start six, and fail."""
        try:
            async with asyncio.TaskGroup() as group:
                for i in range(6):
                    group.create_task(act("job", i))
                await workflow.sleep(1)
                raise ValueError
        except* ValueError:
            pass
        return "failed"


def test_a_failing_group_cancels_its_tasks_in_the_same_order_every_time() -> None:
    """A task group keeps its tasks in a set."""
    seen = set()
    ballast: list[Any] = []
    for i in range(5):
        ballast.append([object() for _ in range(i * 53)])
        driver = Driver(Grouped)
        driver.fire(1)
        seen.add(tuple(c.seq for c in driver.commands))  # type: ignore[union-attr]
    assert len(seen) == 1
    assert sorted(seen.pop()) == [1, 2, 3, 4, 5, 6]


@workflow.defn
class AsCompleted:
    """Uses asyncio's own function, not the deterministic one."""

    @workflow.run
    async def run(self) -> Any:
        """Start five in the order of the list."""
        return [await next_one for next_one in asyncio.as_completed([act(name) for name in "edcba"])]


def test_asyncio_as_completed_keeps_the_order_of_its_arguments() -> None:
    """Outside of workflows it is asyncio's own, which starts them in the order of their addresses."""
    driver = Driver(AsCompleted)
    assert names(driver) == ["e", "d", "c", "b", "a"]
    for seq in (3, 1, 2, 5, 4):
        driver.complete(seq, seq)
    assert driver.result() == [3, 1, 2, 5, 4]

    async def outside() -> list[int]:
        async def give(n: int) -> int:
            return n

        return sorted([await each for each in asyncio.as_completed([give(1), give(2)])])

    assert asyncio.run(outside()) == [1, 2]


@workflow.defn
class Refused:
    """Tries what no workflow can do, chosen by its argument."""

    @workflow.run
    async def run(self, what: str) -> Any:
        """Try."""
        loop = asyncio.get_running_loop()
        if what == "thread":
            await asyncio.to_thread(print)
        elif what == "nested":
            loop.run_until_complete(act("x"))
        elif what == "negative":
            loop.call_later(-1, print)
        else:
            await getattr(loop, what)(lambda: None)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("thread", "has no run_in_executor: it would break replay. Do it in an activity"),
        ("create_connection", "has no create_connection: it would break replay. Do it in an activity"),
        ("call_soon_threadsafe", "has no call_soon_threadsafe: it would break replay. A signal is how"),
        ("nested", "has no run_until_complete"),
        ("negative", "a timer cannot fire in the past: -1 seconds"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine 'act' was never awaited")
def test_what_would_break_replay_is_refused(what: str, message: str) -> None:
    """With what to do instead."""
    driver = Driver(Refused, what)
    assert message in str(driver.error)


@workflow.defn
class Callbacks:
    """Schedules callbacks, one of which raises."""

    @workflow.run
    async def run(self) -> Any:
        """Schedule."""
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        loop.call_soon(seen.append, "a")
        loop.call_soon(seen.append, "b").cancel()
        loop.call_soon(int, "not a number")
        loop.call_soon(seen.append, "c")
        await asyncio.sleep(0)
        assert not loop.is_closed()
        assert loop.is_running()
        return seen


def test_an_error_in_a_callback_is_logged_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    """As on asyncio's loop; silent on replay, since it was logged when it happened first."""
    assert Driver(Callbacks).result() == ["a", "c"]
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    caplog.clear()
    assert Driver(Callbacks, replaying=True).result() == ["a", "c"]
    assert not caplog.records


@workflow.defn
class Handled:
    """Has an exception handler of its own."""

    @workflow.run
    async def run(self) -> Any:
        """Set it."""
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        handler: Callable[..., None] = lambda _loop, context: seen.append(type(context["exception"]).__name__)  # noqa: E731
        loop.set_exception_handler(handler)
        assert loop.get_exception_handler() is handler
        loop.call_soon(int, "not a number")
        await asyncio.sleep(0)
        return seen


def test_a_workflow_can_handle_errors_of_callbacks_itself() -> None:
    """By asyncio's own interface."""
    assert Driver(Handled).result() == ["ValueError"]


@workflow.defn
class Waits:
    """Waits in order."""

    @workflow.run
    async def run(self) -> Any:
        """Wait for the first."""
        tasks = [asyncio.create_task(act(name)) for name in "abc"]
        done, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return [tasks.index(task) for task in done], [tasks.index(task) for task in pending]


def test_wait_gives_lists_in_the_order_of_its_arguments() -> None:
    """asyncio's gives sets."""
    driver = Driver(Waits)
    driver.complete(2)
    assert driver.result() == [[1], [0, 2]]


@workflow.defn
class WaitsWrongly:
    """Gives `wait` and `as_completed` what they cannot take."""

    @workflow.run
    async def run(self) -> Any:
        """Collect the refusals."""
        seen: list[str] = []
        coroutine = act("x")
        task = asyncio.create_task(asyncio.sleep(0))
        attempts: list[Any] = [
            workflow.wait([]),
            workflow.wait(task),
            workflow.wait([coroutine]),
            workflow.wait([task], return_when="whenever"),
        ]
        for attempt in attempts:
            try:
                await attempt
            except (TypeError, ValueError) as error:
                seen.append(type(error).__name__)
        coroutine.close()
        try:
            list(workflow.as_completed(task))  # type: ignore[arg-type]
        except TypeError:
            seen.append("TypeError")
        await task
        return seen


def test_wait_says_what_it_cannot_wait_for() -> None:
    """Nothing at all, one task that is no list, coroutines, an unknown condition."""
    assert Driver(WaitsWrongly).result() == ["ValueError", "TypeError", "TypeError", "ValueError", "TypeError"]


@workflow.defn
class Late:
    """Runs out of time in several ways."""

    @workflow.run
    async def run(self) -> Any:
        """Collect what is late."""
        seen: list[Any] = []
        for next_one in workflow.as_completed([act("a"), act("b")], timeout=5):
            try:
                seen.append(await next_one)
            except TimeoutError:
                seen.append("late")
        done, pending = await workflow.wait([asyncio.create_task(act("c"))], timeout=5)
        seen.append([len(done), len(pending)])
        for task in pending:
            task.cancel()
        return seen


def test_waiting_can_run_out_of_time() -> None:
    """By a timer of the workflow, which is taken back if it is not needed."""
    driver = Driver(Late)
    driver.complete(1, "first")
    driver.fire(1, 5)
    driver.fire(2, 5)
    assert driver.result() == ["first", "late", [0, 1]]


@workflow.defn
class Generates:
    """Breaks out of an asynchronous generator."""

    @workflow.run
    async def run(self) -> Any:
        """Take one item of an endless supply."""
        closed: list[str] = []

        async def supply() -> AsyncIterator[int]:
            try:
                while True:
                    yield await act("item")
            finally:
                closed.append("closed")

        async for item in supply():
            await act("use", item)
            break
        return closed


def test_generators_are_not_adopted_by_a_loop_that_runs_outside() -> None:
    """A workflow may be run from async code: that loop would finish the generator on its own, out of any order."""

    async def outside() -> Any:
        mine = asyncio.get_running_loop()
        driver = Driver(Generates)
        driver.complete(1, 5)
        driver.complete(2)
        assert asyncio.get_running_loop() is mine
        hooks = sys.get_asyncgen_hooks()
        assert hooks.finalizer is not None
        gc.collect()
        return driver.result()

    assert asyncio.run(outside()) == ["closed"]


@workflow.defn
class ManyTasks:
    """Makes more tasks than it keeps."""

    @workflow.run
    async def run(self) -> Any:
        """Leave them to the loop."""
        seen: list[int] = []

        async def note(n: int) -> None:
            await asyncio.sleep(0)
            gc.collect() if n % 100 == 0 else None
            seen.append(n)

        for n in range(500):
            asyncio.create_task(note(n))  # noqa: RUF006 - the point of the test
            if n % 50 == 0:
                await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        return [len(seen), asyncio.current_task().get_name() if asyncio.current_task() else None]  # type: ignore[union-attr]


def test_tasks_nobody_keeps_are_run_all_the_same() -> None:
    """asyncio keeps them weakly; the run keeps them until they are done."""
    assert Driver(ManyTasks).result() == [500, "run"]


@workflow.defn
class FiresAndIsCancelled:
    """A timer fires in the activation in which it is taken back."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.task: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self) -> Any:
        """Sleep twice."""
        self.task = asyncio.create_task(asyncio.sleep(5))
        try:
            await self.task
        except asyncio.CancelledError:
            return "cancelled"
        return "slept"

    @workflow.signal
    def stop(self) -> None:
        """Stop sleeping."""
        assert self.task is not None
        self.task.cancel()


def test_a_signal_comes_before_the_timer_of_the_same_task() -> None:
    """The timer that fires has nobody left to wake."""
    from playhead_engine.activation import SignalWorkflow

    driver = Driver(FiresAndIsCancelled)
    driver.tell(SignalWorkflow("stop", [], "", {}, 5), FireTimer(1))
    assert driver.result() == "cancelled"
    assert driver.kinds() == ["CancelTimer", "CompleteWorkflow"]


@workflow.defn
class Logs:
    """Logs."""

    @workflow.run
    async def run(self) -> None:
        """Before and after an activity."""
        workflow.logger.info("begins")
        await act("job")
        workflow.logger.warning("ends", extra={"mine": 1})

    @workflow.query
    def ask(self) -> bool:
        """Log in a query."""
        workflow.logger.info("asked")
        return workflow.unsafe.is_replaying_history_events()


def test_the_logger_is_silent_on_replay(caplog: pytest.LogCaptureFixture) -> None:
    """What was logged when it happened is not logged again; a query is always new."""
    caplog.set_level(logging.INFO, "playhead_engine.workflow")
    driver = Driver(Logs, replaying=True)
    assert not caplog.records
    assert driver.query("ask") is False
    assert [r.getMessage().split(" (")[0] for r in caplog.records] == ["asked"]
    driver.replaying = False
    driver.complete(1)
    record = caplog.records[-1]
    assert record.getMessage().startswith("ends ({")
    assert (record.__dict__["mine"], record.__dict__["temporal_workflow"]["workflow_id"]) == (1, "the-workflow")


def test_cancelling_the_workflow_lets_its_run_method_begin_first() -> None:
    """The code must be able to see the cancellation, even if it came before the first workflow task."""
    driver = Driver(FiresAndIsCancelled, jobs=[CancelWorkflow("early")])
    assert driver.result() == "cancelled"


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """A warning about something left behind belongs to the test that left it."""
    yield
    gc.collect()
