"""Starting workflows and waiting for what they return."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest

from playhead_engine import Engine, activity, workflow
from playhead_engine.client import WorkflowFailureError, WorkflowNotFoundError
from playhead_engine.exceptions import ApplicationError
from tests.engine.engines import MakeEngine, any_engine, kinds, make_engine  # noqa: F401 - fixtures

PATIENCE = timedelta(seconds=10)


@dataclass
class Order:
    """What somebody wants."""

    item: str
    count: int


@activity.defn
async def price(item: str) -> int:
    """Look it up."""
    return len(item)


@activity.defn
def pack(order: Order) -> str:
    """In a thread."""
    return f"{order.count} x {order.item}"


@workflow.defn
class Shop:
    """Two activities, one after the other."""

    @workflow.run
    async def run(self, order: Order) -> Order:
        """Price, then pack."""
        each = await workflow.execute_activity(price, order.item, start_to_close_timeout=PATIENCE)
        text = await workflow.execute_activity(pack, order, start_to_close_timeout=PATIENCE)
        return Order(text, each * order.count)


@workflow.defn
class Adder:
    """Takes several arguments."""

    @workflow.run
    async def run(self, one: int, other: int) -> int:
        """Add."""
        return one + other


@workflow.defn
class Raises:
    """Fails."""

    @workflow.run
    async def run(self) -> None:
        """Raise a failure."""
        raise ApplicationError("no luck", "detail", type="Luck", non_retryable=True)


@workflow.defn
class Nests:
    """Has activities start workflows."""

    @workflow.run
    async def run(self) -> list[int]:
        """One from the loop, one from a thread."""
        return [
            await workflow.execute_activity("nested", start_to_close_timeout=PATIENCE),
            await workflow.execute_activity("nested_in_thread", start_to_close_timeout=PATIENCE),
        ]


def test_a_workflow_returns_typed_values(any_engine: MakeEngine) -> None:
    """Arguments and results are converted by annotations, in workflows and in activities, async or in threads."""
    engine = any_engine(workflows=[Shop], activities=[price, pack])
    assert engine.execute_workflow(Shop.run, Order("tea", 2), id="shop").wait() == Order("2 x tea", 6)


def test_a_handle_gives_result_and_history(any_engine: MakeEngine) -> None:
    """A started workflow can be waited for later, and its history is that of Temporal."""
    engine = any_engine(workflows=[Shop], activities=[price, pack])
    handle = engine.start_workflow(Shop.run, Order("tea", 2), id="shop").wait()
    assert handle.result().wait() == Order("2 x tea", 6)
    assert kinds(handle.fetch_history().wait()) == [
        "WorkflowExecutionStarted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskCompleted",
        "WorkflowExecutionCompleted",
    ]


async def awaited(engine: Engine) -> tuple[Order, int, Order]:
    """The same from async code, several at once."""
    handle = await engine.start_workflow(Shop.run, Order("tea", 2), id="shop")
    first, total, second = await asyncio.gather(
        handle.result(),
        engine.execute_workflow(Adder.run, args=[2, 3]),
        engine.execute_workflow(Shop.run, Order("milk", 1)),
    )
    return first, total, second


@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_the_same_engine_is_used_from_async_code(clock: str) -> None:
    """Operations can be awaited, many at once, on a loop of the caller's."""

    async def main() -> tuple[Order, int, Order]:
        async with Engine(workflows=[Shop, Adder], activities=[price, pack], clock=clock) as engine:  # type: ignore[arg-type]
            return await awaited(engine)

    assert asyncio.run(main()) == (Order("2 x tea", 6), 5, Order("1 x milk", 4))


def test_workflows_are_started_by_name(make_engine: MakeEngine) -> None:
    """The type of a workflow is enough to start it, and the result type can be given."""
    engine = make_engine(workflows=[Shop], activities=[price, pack])
    assert engine.execute_workflow("Shop", Order("tea", 2), id="a").wait() == {"item": "2 x tea", "count": 6}
    assert engine.execute_workflow("Shop", Order("tea", 2), id="b", result_type=Order).wait() == Order("2 x tea", 6)


def test_ids_are_made_up_if_not_given(make_engine: MakeEngine) -> None:
    """A workflow without an id of its own gets one."""
    engine = make_engine(workflows=[Adder])
    first = engine.start_workflow(Adder.run, args=[1, 2]).wait()
    second = engine.start_workflow(Adder.run, args=[3, 4]).wait()
    assert first.id != second.id
    assert (first.result().wait(), second.result().wait()) == (3, 7)


def test_a_failed_workflow_says_why(any_engine: MakeEngine) -> None:
    """The result of a workflow that failed is an error whose cause is the failure."""
    engine = any_engine(workflows=[Raises])
    with pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(Raises.run, id="raises").wait()
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.details, cause.non_retryable) == ("no luck", "Luck", ("detail",), True)


def test_results_are_there_for_those_who_come_later(any_engine: MakeEngine) -> None:
    """A handle can be made from the id alone, long after the workflow ended."""
    engine = any_engine(workflows=[Shop], activities=[price, pack])
    engine.execute_workflow(Shop.run, Order("tea", 2), id="shop").wait()
    assert engine.get_workflow_handle_for(Shop.run, "shop").result().wait() == Order("2 x tea", 6)
    assert engine.get_workflow_handle("shop").result().wait() == {"item": "2 x tea", "count": 6}


def test_a_workflow_that_is_not_there_is_named(make_engine: MakeEngine) -> None:
    """Asking for a workflow that was never started is an error that names it."""
    with pytest.raises(WorkflowNotFoundError, match="'nobody'"):
        make_engine().get_workflow_handle("nobody").result().wait()


def test_two_arguments_are_given_one_way(make_engine: MakeEngine) -> None:
    """`arg` and `args` together are a mistake."""
    with pytest.raises(ValueError, match="not both"):
        make_engine(workflows=[Adder]).start_workflow("Adder", 1, args=[1, 2]).wait()


def test_waiting_inside_async_code_is_refused() -> None:
    """`wait()` in async code would block it, so it says to await."""

    async def main() -> None:
        with Engine(workflows=[Adder]) as engine:
            engine.start_workflow(Adder.run, args=[1, 2]).wait()

    with pytest.raises(RuntimeError, match="await the operation"):
        asyncio.run(main())


def test_a_closed_engine_says_so() -> None:
    """Nothing can be asked of an engine that was closed; closing it again does nothing."""
    engine = Engine(workflows=[Adder])
    with engine:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        engine.start_workflow(Adder.run, args=[1, 2]).wait()
    engine.close().wait()


def test_an_activity_may_use_the_engine(make_engine: MakeEngine) -> None:
    """Activities, async or in threads, can start workflows and wait for them."""

    @activity.defn
    async def nested() -> int:
        return await engine.execute_workflow(Adder.run, args=[1, 2], id="from-async")

    @activity.defn
    def nested_in_thread() -> int:
        return engine.execute_workflow(Adder.run, args=[3, 4], id="from-thread").wait()

    engine = make_engine(workflows=[Adder, Nests], activities=[nested, nested_in_thread])
    assert engine.execute_workflow(Nests.run, id="nests").wait() == [3, 7]


def test_another_thread_is_refused_and_nothing_is_lost(make_engine: MakeEngine) -> None:
    """A thread that did not make the engine is told so at once, and the engine goes on in the one that did."""
    engine = make_engine(workflows=[Adder])
    assert engine.execute_workflow(Adder.run, args=[1, 2], id="before").wait() == 3
    refusals: list[str] = []

    def elsewhere() -> None:
        with pytest.raises(RuntimeError) as refusal:
            engine.execute_workflow(Adder.run, args=[3, 4], id="elsewhere").wait()
        refusals.append(str(refusal.value))
        with pytest.raises(RuntimeError):
            engine.__exit__(None, None, None)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert refusals[0].startswith("this engine belongs to the thread that made it, 'MainThread';")
    assert engine.execute_workflow(Adder.run, args=[5, 6], id="after").wait() == 11
    assert engine.count_workflows().wait().count == 2


COUNTS_ITS_GARBAGE = """
import gc
from playhead_engine import Engine
from tests.engine.test_engine_running import Order, Shop, pack, price

order = Order("tea", 2)
with Engine(workflows=[Shop], activities=[price, pack]) as engine:
    engine.execute_workflow(Shop.run, order, id="first").wait()
    gc.collect()
    gc.disable()
    engine.execute_workflow(Shop.run, order, id="second").wait()
    print("left over:", gc.collect())
"""


def test_a_workflow_that_has_ended_leaves_nothing_to_the_garbage_collector() -> None:
    """What was needed to run it goes with it, so that many short workflows do not set the collector going."""
    # In a process of its own: the collector is one for all threads, and those of other tests leave things to it.
    done = subprocess.run(
        [sys.executable, "-c", COUNTS_ITS_GARBAGE],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "left over: 0\n", done.stderr


def test_an_operation_that_is_forgotten_is_warned_about(make_engine: MakeEngine) -> None:
    """Nothing happens before it is awaited or waited for; whoever drops it before is told."""
    engine = make_engine(workflows=[Adder])
    with pytest.warns(RuntimeWarning, match=r"\(Engine\._start\) was neither awaited nor waited for"):
        engine.start_workflow(Adder.run, args=[1, 2], id="forgotten")
    assert engine.count_workflows().wait().count == 0
