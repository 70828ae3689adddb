"""What workflow code asks for: commands as the events they ask for, and the lines that asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from playhead_engine import activity, workflow
from playhead_engine.activation import (
    CancelWorkflow,
    ChildStarted,
    FireTimer,
    NexusStarted,
    ResolveActivity,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    Succeeded,
)
from playhead_engine.common import Priority, RetryPolicy, SearchAttributeKey
from playhead_engine.exceptions import ActivityError, ApplicationError
from playhead_engine.native import NativeRuntime
from tests.engine.native_driver import RUN_ID, SEED, Driver, activity_failure, application_failure, decode, encode

MINUTE = timedelta(minutes=1)
HERE = Path(__file__)


@dataclass
class Order:
    """An argument."""

    item: str
    count: int = 1


@activity.defn
async def pack(order: Order) -> Order:
    """Pack."""
    return order


class Shop:
    """Activities as methods and as an object."""

    @activity.defn
    def sell(self, order: Order, price: int) -> int:
        """Sell."""
        return order.count * price


@workflow.defn
class Asks:
    """Asks for one thing, chosen by its argument."""

    @workflow.run
    async def run(self, what: str) -> Any:
        """Ask."""
        return await getattr(self, what)()

    async def plain(self) -> Any:
        """An activity without options."""
        return await workflow.execute_activity("plain", start_to_close_timeout=MINUTE)  # LINE plain

    async def full(self) -> Any:
        """An activity with all of them."""
        return await workflow.execute_activity(  # LINE full
            pack,
            Order("tea", 2),
            task_queue="elsewhere",
            schedule_to_close_timeout=timedelta(minutes=5),
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(milliseconds=1500),
            retry_policy=RetryPolicy(maximum_attempts=3, non_retryable_error_types=["Fatal"]),
            activity_id="own",
            priority=Priority(priority_key=2),
            cancellation_type=workflow.ActivityCancellationType.ABANDON,
        )

    async def method(self) -> Any:
        """A method of a class of activities."""
        return await workflow.execute_activity_method(
            Shop.sell, args=[Order("tea"), 3], schedule_to_close_timeout=MINUTE
        )

    async def untimed(self) -> Any:
        """An activity without a timeout."""
        return await workflow.execute_activity(pack, Order("tea"))

    async def local(self) -> Any:
        """A local activity."""
        return await workflow.execute_local_activity(
            pack, Order("tea"), start_to_close_timeout=MINUTE, local_retry_threshold=timedelta(seconds=2)
        )

    async def timer(self) -> Any:
        """A timer."""
        await asyncio.sleep(1.5)  # LINE timer

    async def long_timer(self) -> Any:
        """Another."""
        await workflow.sleep(timedelta(days=30), summary="a month")

    async def child(self) -> Any:
        """A child."""
        handle = await workflow.start_child_workflow(  # LINE child
            Asks.run, "timer", id="kid", memo={"a": 1}, parent_close_policy=workflow.ParentClosePolicy.ABANDON
        )
        await handle.signal("hello", 1)
        assert handle.id == "kid"
        assert handle.first_execution_run_id == "kid-run"
        return await handle

    async def nameless_child(self) -> Any:
        """A child without an id."""
        return await workflow.execute_child_workflow("Other")

    async def cancel_other(self) -> Any:
        """A request to another workflow."""
        await workflow.get_external_workflow_handle_for(Asks.run, "other").cancel(reason="why")

    async def signal_other(self) -> Any:
        """A signal to another workflow."""
        await workflow.get_external_workflow_handle("other", run_id="r").signal("hello", args=[1, 2])

    async def nexus(self) -> Any:
        """A nexus operation."""
        client = workflow.create_nexus_client(service="svc", endpoint="ep")
        handle = await client.start_operation("op", 1, output_type=int, headers={"a": "b"})
        return [handle.operation_token, await handle]

    async def properties(self) -> Any:
        """Memo and search attributes."""
        workflow.upsert_memo({"a": 1, "b": None})
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Status").value_set("open")])
        assert workflow.memo() == {"a": 1}
        return workflow.info().typed_search_attributes[SearchAttributeKey.for_keyword("Status")]

    async def again(self) -> Any:
        """The next run."""
        workflow.continue_as_new(args=["plain"], run_timeout=MINUTE, memo={"x": 1})  # LINE again

    async def patches(self) -> Any:
        """A patch."""
        workflow.deprecate_patch("q")
        return [workflow.patched("p"), workflow.patched("p")]

    async def breaks(self) -> Any:
        """An error."""
        raise ApplicationError("no")  # LINE breaks

    async def conversion_error(self) -> Any:
        """An argument that cannot be encoded; then another activity."""
        try:
            await workflow.execute_activity("bad", object(), start_to_close_timeout=MINUTE)
        except TypeError:
            await workflow.execute_activity("good", start_to_close_timeout=MINUTE)


def line_of(mark: str) -> int:
    """Where this file says so."""
    lines = HERE.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# LINE {mark}"))


def asked(what: str, **options: Any) -> tuple[Driver, Any]:
    """The one command that a workflow asks for."""
    driver = Driver(Asks, what, **options)
    assert driver.error is None
    (command,) = driver.commands
    return driver, command


def test_an_activity_is_asked_for_as_its_event_would_record_it() -> None:
    """What is not given is filled in as the server fills it in."""
    _, command = asked("plain")
    assert command.attributes == {
        "activityId": "1",
        "activityType": {"name": "plain"},
        "taskQueue": {"name": "queue", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "header": {},
        "scheduleToCloseTimeout": "0s",
        "scheduleToStartTimeout": "0s",
        "startToCloseTimeout": "60s",
        "heartbeatTimeout": "0s",
        "retryPolicy": {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumInterval": "100s"},
        "useWorkflowBuildId": True,
        "priority": {},
    }


def test_all_options_of_an_activity_reach_its_command() -> None:
    """No timeout is longer than the overall one, as the server has it."""
    driver, command = asked("full")
    assert command.attributes == {
        "activityId": "own",
        "activityType": {"name": "pack"},
        "taskQueue": {"name": "elsewhere", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "header": {},
        "input": {"payloads": [encode(Order("tea", 2))]},
        "scheduleToCloseTimeout": "300s",
        "scheduleToStartTimeout": "300s",
        "startToCloseTimeout": "300s",
        "heartbeatTimeout": "1.500s",
        "retryPolicy": {
            "initialInterval": "1s",
            "backoffCoefficient": 2.0,
            "maximumInterval": "100s",
            "maximumAttempts": 3,
            "nonRetryableErrorTypes": ["Fatal"],
        },
        "priority": {"priorityKey": 2},
    }
    assert command.cancellation_type is workflow.ActivityCancellationType.ABANDON
    driver.complete(1, {"item": "tea", "count": 2})
    assert driver.result() == {"item": "tea", "count": 2}


def test_a_run_timeout_caps_activities() -> None:
    """Nothing outlives the run."""
    _, command = asked("plain", start={"workflowRunTimeout": "2s"})
    timeouts = {key: value for key, value in command.attributes.items() if key.endswith("Timeout")}
    assert timeouts == {
        "scheduleToCloseTimeout": "2s",
        "scheduleToStartTimeout": "2s",
        "startToCloseTimeout": "2s",
        "heartbeatTimeout": "0s",
    }


def test_methods_are_called_by_their_class() -> None:
    """The object stays with the worker."""
    _, command = asked("method")
    assert command.attributes["activityType"] == {"name": "sell"}
    assert [decode(p) for p in command.attributes["input"]["payloads"]] == [{"item": "tea", "count": 1}, 3]
    assert command.attributes["startToCloseTimeout"] == "60s"


def test_an_activity_without_a_timeout_is_refused() -> None:
    """It might take for ever."""
    driver = Driver(Asks, "untimed")
    assert isinstance(driver.error, ValueError)
    assert "start_to_close_timeout or a schedule_to_close_timeout" in str(driver.error)


def test_commands_do_not_share_what_differs_between_them() -> None:
    """Two calls from the same line have attributes of their own."""
    first, second = asked("plain")[1].attributes, asked("plain")[1].attributes
    assert first == second
    first["activityId"] = "changed"
    assert second["activityId"] == "1"


def test_a_local_activity_runs_inside_the_task() -> None:
    """Its command has no task queue, and says when a retry is to use a timer."""
    _, command = asked("local")
    assert type(command).__name__ == "ScheduleLocalActivity"
    assert "taskQueue" not in command.attributes
    assert (command.attempt, command.local_retry_threshold_ns) == (1, 2_000_000_000)


@pytest.mark.parametrize(("what", "duration"), [("timer", "1.500s"), ("long_timer", "2592000s")])
def test_sleeping_is_a_timer(what: str, duration: str) -> None:
    """Temporal's sleep and asyncio's alike."""
    driver, command = asked(what)
    assert command.attributes == {"timerId": "1", "startToFireTimeout": duration}
    driver.fire(1)
    assert driver.kinds() == ["CompleteWorkflow"]


def test_a_child_workflow_is_started_signalled_and_awaited() -> None:
    """The handle is there when the child runs."""
    driver, command = asked("child")
    assert command.attributes == {
        "namespace": "default",
        "workflowId": "kid",
        "workflowType": {"name": "Asks"},
        "taskQueue": {"name": "queue", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "input": {"payloads": [encode("timer")]},
        "workflowRunTimeout": "0s",
        "workflowTaskTimeout": "10s",
        "parentClosePolicy": "PARENT_CLOSE_POLICY_ABANDON",
        "workflowIdReusePolicy": "WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE",
        "header": {},
        "memo": {"fields": {"a": encode(1)}},
        "inheritBuildId": True,
        "priority": {},
    }
    (signal,) = driver.tell(ResolveChildStart(1, ChildStarted("kid-run")))
    assert signal.attributes == {  # type: ignore[union-attr]
        "namespace": "default",
        "workflowExecution": {"workflowId": "kid"},
        "signalName": "hello",
        "input": {"payloads": [encode(1)]},
        "childWorkflowOnly": True,
    }


def test_a_child_without_an_id_gets_a_random_one() -> None:
    """The same in every replay."""
    first = UUID(bytes=Random(SEED).getrandbits(128).to_bytes(16, "big"), version=4)
    ids = {asked("nameless_child")[1].attributes["workflowId"] for _ in range(2)}
    assert ids == {str(first)}


def test_other_workflows_can_be_cancelled_and_signalled() -> None:
    """The reason says which run asked, in the words recorded histories have."""
    _, command = asked("cancel_other")
    assert command.attributes["workflowExecution"] == {"workflowId": "other"}
    assert command.attributes["reason"] == f"Cancel requested by workflow with run id {RUN_ID} with reason: why"
    _, command = asked("signal_other")
    assert command.attributes["workflowExecution"] == {"workflowId": "other", "runId": "r"}
    assert "childWorkflowOnly" not in command.attributes


def test_a_nexus_operation_is_started_and_awaited() -> None:
    """Its result is converted to the type that was asked for."""
    driver, command = asked("nexus")
    assert command.attributes == {
        "endpoint": "ep",
        "service": "svc",
        "operation": "op",
        "input": encode(1),
        "scheduleToCloseTimeout": "0s",
        "nexusHeader": {"a": "b"},
    }
    driver.tell(ResolveNexusStart(1, NexusStarted("token")), ResolveNexus(1, Succeeded(encode(5))))
    assert driver.result() == ["token", 5]


def test_memo_and_search_attributes_can_be_changed() -> None:
    """The code sees the change at once; None removes."""
    driver = Driver(Asks, "properties", start={"memo": {"fields": {"b": encode("old")}}})
    memo, attributes, _ = driver.commands
    assert memo.attributes == {"upsertedMemo": {"fields": {"a": encode(1), "b": encode(None)}}}  # type: ignore[union-attr]
    fields = attributes.attributes["searchAttributes"]["indexedFields"]  # type: ignore[union-attr]
    assert fields["Status"]["metadata"]["type"] == "S2V5d29yZA=="
    assert driver.result() == "open"


def test_continue_as_new_takes_over_what_is_not_given() -> None:
    """The next run has this one's type, task queue and timeouts."""
    _, command = asked("again", start={"workflowTaskTimeout": "7s"})
    assert command.attributes == {
        "workflowType": {"name": "Asks"},
        "taskQueue": {"name": "queue", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "input": {"payloads": [encode("plain")]},
        "workflowRunTimeout": "60s",
        "workflowTaskTimeout": "7s",
        "memo": {"fields": {"x": encode(1)}},
        "inheritBuildId": True,
    }


def test_a_patch_is_marked_once() -> None:
    """However often the code asks; and replay without a marker takes the old path."""
    driver = Driver(Asks, "patches")
    assert [getattr(c, "patch_id", None) for c in driver.commands] == ["q", "p", None]
    assert driver.result() == [True, True]
    old = Driver(Asks, "patches", replaying=True)
    assert old.kinds() == ["CompleteWorkflow"]
    assert old.result() == [False, False]


def test_a_failed_encoding_uses_up_a_number() -> None:
    """As under Temporal's SDK, so the ids of later activities agree with recorded ones."""
    _, command = asked("conversion_error")
    assert command.attributes["activityId"] == "2"


@pytest.mark.parametrize("what", ["plain", "full", "timer", "child", "again", "breaks"])
def test_a_command_knows_the_line_that_asked(what: str) -> None:
    """Of the user's code, not of a library between."""
    _, command = asked(what)
    assert command.site is not None
    assert Path(command.site.file) == HERE
    assert command.site.line == line_of(what)
    assert command.site.function == f"Asks.{what}"


def test_cancelling_a_timer_from_the_loop_keeps_its_line() -> None:
    """Nobody's line is running then; the timer's own is the best there is."""
    driver, timer = asked("timer")
    cancelled, end = driver.tell(CancelWorkflow("no more"))
    assert type(cancelled).__name__ == "CancelTimer"
    assert cancelled.site is not None
    assert cancelled.site.line == timer.site.line
    assert type(end).__name__ == "CancelWorkflowExecution"


def test_a_run_says_what_it_waits_for() -> None:
    """For debuggers and for people: kind, type, what for, and the line."""
    driver, command = asked("full")
    (waits,) = driver.instance.pending()
    assert (waits.kind, waits.seq, waits.name, waits.site) == ("activity", 1, "pack", command.site)
    driver, _ = asked("long_timer")
    assert [(w.kind, w.summary) for w in driver.instance.pending()] == [("timer", "a month")]
    assert isinstance(driver.instance.workflow_object, Asks)


@workflow.defn
class TypedResults:
    """Results are converted by annotation."""

    @workflow.run
    async def run(self, orders: list[Order]) -> dict[str, Any]:
        """Call an activity whose result is a dataclass."""
        packed = await workflow.execute_activity(pack, orders[0], start_to_close_timeout=MINUTE)
        hinted = await workflow.execute_activity("any", result_type=Order, start_to_close_timeout=MINUTE)
        plain = await workflow.execute_activity("any", start_to_close_timeout=MINUTE)
        return {"types": [type(x).__name__ for x in (orders[0], packed, hinted, plain)]}


def test_values_are_converted_by_annotation() -> None:
    """Arguments of the workflow, and results of activities given by function or with a `result_type`."""
    driver = Driver(TypedResults, [{"item": "tea"}])
    for seq in (1, 2, 3):
        driver.complete(seq, {"item": "tea", "count": 1})
    assert driver.result() == {"types": ["Order", "Order", "Order", "dict"]}


def test_an_argument_that_cannot_be_decoded_fails_the_workflow_task() -> None:
    """The code may be mended; the run is not lost."""
    driver = Driver(TypedResults, [{"wrong": 1}])
    assert isinstance(driver.error, RuntimeError)
    assert str(driver.error).startswith("the arguments cannot be decoded: ")


@workflow.defn
class Reads:
    """Catches the failure of an activity."""

    @workflow.run
    async def run(self) -> Any:
        """Look at the error."""
        try:
            await workflow.execute_activity("risky", start_to_close_timeout=MINUTE)
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            return [error.activity_type, error.cause.type, error.cause.message]


def test_a_failed_activity_raises_what_the_history_says() -> None:
    """With the chain of causes."""
    driver = Driver(Reads)
    driver.fail(1, "broken")
    assert driver.result() == ["a", "Boom", "broken"]


def test_an_end_nobody_waits_for_fails_the_task() -> None:
    """The machines above have made a mistake; it must not pass in silence."""
    driver = Driver(Reads)
    driver.tell(ResolveActivity(7, Succeeded(None)))
    assert "told of the end of activity 7" in str(driver.error)
    driver = Driver(Reads)
    driver.tell(FireTimer(9))
    assert driver.error is None
    assert activity_failure(1, application_failure("x"))["message"] == "Activity task failed"


def test_a_class_can_be_bound_to_a_namespace() -> None:
    """The code sees it, and commands carry it."""
    runtime = NativeRuntime([Asks], namespace="shop")
    driver = Driver(Asks, "signal_other", runtime=runtime)
    assert driver.commands[0].attributes["namespace"] == "shop"  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """Runs that tests leave behind are no business of later tests."""
    import gc

    yield
    gc.collect()
