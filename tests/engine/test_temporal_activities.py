"""Activities written for Temporal's own SDK run on the engine as they are.

What holds for both kinds is in `test_activity_attempts` and its sisters.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.common import MetricMeter, Priority, RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

import playhead_engine.common
from playhead_engine import Engine, workflow
from playhead_engine.client import WorkflowFailureError
from tests.engine.engines import MakeEngine, make_engine  # noqa: F401 - a fixture

PATIENCE = timedelta(seconds=600)


@workflow.defn
class Asks:
    """Runs the activity `work` once more than it fails."""

    @workflow.run
    async def run(self, *values: Any) -> Any:
        """Run it."""
        policy = playhead_engine.common.RetryPolicy(maximum_attempts=3)
        return await workflow.execute_activity(
            "work",
            args=values,
            start_to_close_timeout=PATIENCE,
            heartbeat_timeout=timedelta(seconds=60),
            retry_policy=policy,
            priority=playhead_engine.common.Priority(priority_key=2),
        )


@workflow.defn
class CancelsLocally:
    """Runs the activity `work` inside its task, and cancels it when another has ended."""

    @workflow.run
    async def run(self) -> Any:
        """Run it."""
        handle = workflow.start_local_activity(
            "work",
            start_to_close_timeout=PATIENCE,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.execute_local_activity("soon", start_to_close_timeout=PATIENCE)
        handle.cancel()
        return await handle


def taking(seconds: float) -> Any:
    """The activity after which the other is cancelled."""

    @activity.defn
    async def soon() -> None:
        await asyncio.sleep(seconds)

    return soon


def told(make: MakeEngine, code: Any, *values: Any, **options: Any) -> Any:
    """What a workflow gets from an activity."""
    return make(workflows=[Asks], activities=[code], **options).execute_workflow("Asks", args=values, id="w").wait()


def failure(make: MakeEngine, code: Any, *values: Any, **options: Any) -> Any:
    """Why an activity failed for good."""
    with pytest.raises(WorkflowFailureError) as raised:
        told(make, code, *values, **options)
    return raised.value.cause.__cause__


def test_an_activity_is_told_all_about_itself(make_engine: MakeEngine) -> None:
    """`activity.info()` is the SDK's own, and every field of it is true."""
    infos: list[activity.Info] = []

    @activity.defn(name="work")
    async def work() -> None:
        infos.append(activity.info())
        if len(infos) == 1:
            activity.heartbeat("half", 50)
            raise ApplicationError("again", next_retry_delay=timedelta(seconds=7))

    engine = make_engine(workflows=[Asks], activities=[work])
    began = engine.now()
    handle = engine.start_workflow("Asks", id="w", task_queue="q").wait()
    handle.result().wait()
    run_id = next(iter(handle.fetch_history().wait())).attributes["originalExecutionRunId"]
    seven = timedelta(seconds=7)
    assert infos[1] == activity.Info(
        activity_id="1",
        activity_type="work",
        attempt=2,
        current_attempt_scheduled_time=began + seven,
        heartbeat_details=["half", 50],
        heartbeat_timeout=timedelta(seconds=60),
        is_local=False,
        namespace="default",
        schedule_to_close_timeout=None,
        scheduled_time=began,
        start_to_close_timeout=PATIENCE,
        started_time=began + seven,
        task_queue="q",
        task_token=infos[1].task_token,
        workflow_id="w",
        workflow_namespace="default",
        workflow_run_id=run_id,
        workflow_type="Asks",
        priority=Priority(priority_key=2),
        retry_policy=RetryPolicy(maximum_attempts=3, maximum_interval=infos[1].retry_policy.maximum_interval),
        activity_run_id=None,
    )
    assert infos[1].in_workflow
    assert list(infos[0].heartbeat_details) == []


def test_values_have_the_types_of_the_annotations(make_engine: MakeEngine) -> None:
    """They are converted by the SDK's converter; without the right number of annotations they come as they are."""
    seen: list[Any] = []

    @activity.defn(name="work")
    def work(names: set[str], more: set[str] | None = None) -> set[str]:
        seen.append((names, more))
        return {*names, *(more or ())}

    assert told(make_engine, work, ["a"], ["b", "b"]) in (["a", "b"], ["b", "a"])
    told(make_engine, work, ["a"])
    assert seen == [({"a"}, {"b"}), (["a"], None)]


def test_a_missing_argument_is_the_activitys_error(make_engine: MakeEngine) -> None:
    """As with Temporal's worker: Python says what is missing."""

    @activity.defn(name="work")
    async def work(one: int, other: int) -> int:
        return one + other

    cause = failure(make_engine, work, 1)
    assert cause.type == "TypeError" and "other" in cause.message


def test_an_argument_that_cannot_be_decoded_is_said(make_engine: MakeEngine) -> None:
    """The error says so, and why."""

    @activity.defn(name="work")
    async def work(one: int) -> int:
        return one

    cause = failure(make_engine, work, "one")
    assert cause.message == "Failed decoding arguments"
    assert "int" in cause.__cause__.message


def test_what_an_activity_may_use_is_there(make_engine: MakeEngine) -> None:
    """The payload converter, and a meter that measures nothing."""

    @activity.defn(name="work")
    def work() -> list[Any]:
        converter = activity.payload_converter()
        activity.metric_meter().create_counter("calls").add(1)
        return [converter.from_payload(converter.to_payload({"a": 1})), MetricMeter.noop is not None]

    assert told(make_engine, work) == [{"a": 1}, True]


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "thread"])
def test_there_is_no_client(make_engine: MakeEngine, is_async: bool) -> None:
    """No server stands behind the engine; the error says so."""

    async def work() -> None:
        activity.client()

    def in_thread() -> None:
        activity.client()

    cause = failure(make_engine, activity.defn(name="work")(work if is_async else in_thread))
    assert cause.type == "RuntimeError"
    assert ("no Temporal server to talk to" if is_async else "only available in `async def`") in cause.message


def test_the_logger_says_who_logs(make_engine: MakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    """`activity.logger` adds the activity and its workflow."""

    @activity.defn(name="work")
    def work() -> None:
        activity.logger.info("at it")

    with caplog.at_level(logging.INFO, "temporalio.activity"):
        told(make_engine, work)
    records: list[Any] = [one for one in caplog.records if one.message.startswith("at it")]
    [record] = records
    assert record.temporal_activity["workflow_id"] == "w"
    assert record.temporal_activity["activity_type"] == "work"


@pytest.mark.parametrize(("category", "level"), [("UNSPECIFIED", logging.WARNING), ("BENIGN", logging.DEBUG)])
def test_failures_are_logged_as_a_worker_does(
    make_engine: MakeEngine, caplog: pytest.LogCaptureFixture, category: str, level: int
) -> None:
    """A warning each, unless the error is benign."""

    @activity.defn(name="work")
    async def work() -> None:
        raise ApplicationError("no", non_retryable=True, category=ApplicationErrorCategory[category])

    with caplog.at_level(logging.DEBUG, "temporalio.activity"):
        assert failure(make_engine, work).category.name == category
    records: list[Any] = [one for one in caplog.records if one.message.startswith("Completing activity as failed")]
    [record] = records
    assert record.levelno == level


# Stopping


def test_a_thread_is_interrupted_wherever_it_is() -> None:
    """As with Temporal's worker: when the engine is closed, an activity in a thread is interrupted in its own code."""
    heard: list[Any] = []
    ended = threading.Event()

    @activity.defn(name="work")
    def work() -> None:
        try:
            while True:
                time.sleep(0.01)
        except CancelledError:
            heard.append((activity.is_worker_shutdown(), activity.cancellation_details()))
        finally:
            ended.set()

    with Engine(workflows=[Asks], activities=[work], clock="real") as engine:
        engine.start_workflow("Asks", id="w").wait()
        engine.sleep(0.05).wait()
    assert ended.wait(10)
    assert heard == [(True, activity.ActivityCancellationDetails(worker_shutdown=True))]


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "thread"])
def test_an_activity_may_wait_for_the_end_of_the_worker(is_async: bool) -> None:
    """`wait_for_worker_shutdown` returns when the engine is closed."""
    heard: list[bool] = []
    ended = threading.Event()

    async def work() -> None:
        try:
            await activity.wait_for_worker_shutdown()
        finally:
            heard.append(activity.is_worker_shutdown())
            ended.set()

    def in_thread() -> None:
        activity.wait_for_worker_shutdown_sync(timedelta(seconds=30))
        heard.append(activity.is_worker_shutdown())
        ended.set()

    code = activity.defn(name="work", no_thread_cancel_exception=True)(work if is_async else in_thread)
    with Engine(workflows=[Asks], activities=[code], clock="real") as engine:
        engine.start_workflow("Asks", id="w").wait()
        engine.sleep(0.05).wait()
        assert not heard
    assert ended.wait(10)
    assert heard == [True]


def test_closing_does_not_wait_for_threads() -> None:
    """A thread that does not listen is left to itself."""
    leave = threading.Event()

    @activity.defn(name="work", no_thread_cancel_exception=True)
    def work() -> None:
        leave.wait(30)

    engine = Engine(workflows=[Asks], activities=[work], clock="real")
    engine.start_workflow("Asks", id="w").wait()
    engine.sleep(0.05).wait()
    began = time.monotonic()
    engine.close().wait()
    assert time.monotonic() - began < 5
    leave.set()


def test_a_local_activity_in_a_thread_is_interrupted_at_once(make_engine: MakeEngine) -> None:
    """Local activities need no heartbeat to hear of their cancellation."""

    @activity.defn(name="work")
    def work() -> str:
        try:
            while True:
                time.sleep(0.01)
        except CancelledError:
            return f"stopped, local: {activity.info().is_local}"

    engine = make_engine(workflows=[CancelsLocally], activities=[work, taking(0.1)], patience=0.05)
    result = engine.execute_workflow(CancelsLocally.run, id="w").wait()
    assert result == "stopped, local: True"


def test_waiting_for_the_cancellation_in_a_thread_ends_with_it(make_engine: MakeEngine) -> None:
    """`wait_for_cancelled_sync` is interrupted like anything else, unless the activity is shielded."""
    log: list[str] = []

    @activity.defn(name="work")
    def work() -> None:
        try:
            with activity.shield_thread_cancel_exception():
                activity.wait_for_cancelled_sync()
                log.append("waited")
            log.append("never reached")
        except CancelledError:
            log.append("interrupted")

    engine = make_engine(workflows=[CancelsLocally], activities=[work, taking(50)], patience=60)
    began = time.monotonic()
    engine.execute_workflow(CancelsLocally.run, id="w").wait()
    assert log == ["waited", "interrupted"]
    assert time.monotonic() - began < 30, "the clock stood still for a thread that waits for the engine"


def test_a_heartbeat_that_cannot_be_said_fails_the_attempt(make_engine: MakeEngine) -> None:
    """The activity is cancelled, and fails with the converter's error."""

    @activity.defn(name="work")
    async def work() -> None:
        activity.heartbeat(object())
        await asyncio.sleep(10)

    cause = failure(make_engine, work)
    assert cause.type == "TypeError" and "object" in cause.message


# Interceptors


class Witness(Interceptor):
    """Writes down what passes, changes an argument, and adds to heartbeats."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        witness = self

        class Outbound(ActivityOutboundInterceptor):
            def heartbeat(self, *details: Any) -> None:
                witness.log.append(f"{witness.name} heartbeat")
                self.next.heartbeat(*details, witness.name)

        class Inbound(ActivityInboundInterceptor):
            def init(self, outbound: ActivityOutboundInterceptor) -> None:
                witness.log.append(f"{witness.name} init {activity.info().activity_type}")
                self.next.init(Outbound(outbound))

            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                witness.log.append(f"{witness.name} before {isinstance(input.executor, ThreadPoolExecutor)}")
                input.args = [f"{value}+{witness.name}" for value in input.args]
                result = await self.next.execute_activity(input)
                witness.log.append(f"{witness.name} after")
                return f"{result}+{witness.name}"

        return Inbound(next)


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "thread"])
def test_interceptors_stand_around_an_activity(make_engine: MakeEngine, is_async: bool) -> None:
    """The first is outermost, on the way in and, with what the activity says, on the way out."""
    log: list[str] = []
    beats: list[Any] = []

    def work(value: str) -> str:
        beats.extend(activity.info().heartbeat_details)
        if activity.info().attempt == 1:
            activity.heartbeat("beat")
            raise ApplicationError("again")
        return value

    async def on_loop(value: str) -> str:
        return work(value)

    code = activity.defn(name="work")(on_loop if is_async else work)
    interceptors = [Witness("A", log), Witness("B", log)]
    assert told(make_engine, code, "v", interceptors=interceptors) == "v+A+B+B+A"
    assert sorted(beats) == ["A", "B", "beat"]
    assert log[:5] == ["A init work", "B init work", f"A before {not is_async}", f"B before {not is_async}", log[4]]
    assert log[-2:] == ["B after", "A after"]
    assert {"A heartbeat", "B heartbeat"} <= set(log)


def test_only_interceptors_are_interceptors(make_engine: MakeEngine) -> None:
    """Something else is refused, as are interceptors with nothing to stand before."""

    @activity.defn(name="work")
    async def work() -> None:
        pass

    with pytest.raises(TypeError, match=r"must be a temporalio\.worker\.Interceptor"):
        make_engine(activities=[work], interceptors=["tracing"])
    with pytest.raises(ValueError, match="written for temporalio, and there is none"):
        make_engine(workflows=[Asks], interceptors=[Witness("A", [])])


# What cannot run


@pytest.fixture
def processes() -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, none of which is ever started."""
    with ProcessPoolExecutor(1) as pool:
        yield pool


def test_processes_are_refused(make_engine: MakeEngine, processes: ProcessPoolExecutor) -> None:
    """The engine could neither hear an activity in another process nor stop it."""

    @activity.defn(name="work")
    def work() -> None:
        pass

    with pytest.raises(ValueError, match="give a ThreadPoolExecutor"):
        make_engine(activities=[work], activity_executor=processes)


def test_the_executor_is_the_users(make_engine: MakeEngine) -> None:
    """Threads come from where the user says."""

    @activity.defn(name="work")
    def work() -> str:
        return threading.current_thread().name

    with ThreadPoolExecutor(1, "mine") as executor:
        assert told(make_engine, work, activity_executor=executor).startswith("mine")


def test_a_class_is_not_its_object(make_engine: MakeEngine) -> None:
    """An activity that is a class is registered as an object of it."""

    @activity.defn
    class Greeter:
        async def __call__(self) -> str:
            return "hi"

    with pytest.raises(TypeError, match="not the class"):
        make_engine(activities=[Greeter])
