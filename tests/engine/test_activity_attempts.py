"""Activities are tried again as their retry policy says, and time out as they should."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import activity, workflow
from playhead_engine.client import WorkflowFailureError
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, ApplicationError, RetryState, TimeoutError, TimeoutType
from tests.engine.activity_kinds import Kind, kind  # noqa: F401 - a fixture
from tests.engine.engines import MakeEngine, any_engine, make_engine, tasks_apart  # noqa: F401 - fixtures

PATIENCE = timedelta(seconds=10)


@workflow.defn
class Calls:
    """Runs one activity as it is told."""

    @workflow.run
    async def run(self, options: dict[str, Any]) -> Any:
        """Run it."""
        policy = options.get("retry") or {}
        if "initial_interval" in policy:
            policy["initial_interval"] = timedelta(seconds=policy["initial_interval"])
        if "maximum_interval" in policy:
            policy["maximum_interval"] = timedelta(seconds=policy["maximum_interval"])
        return await workflow.execute_activity(
            options.get("activity", "work"),
            args=options.get("args", []),
            start_to_close_timeout=_seconds(options, "start_to_close"),
            schedule_to_close_timeout=_seconds(options, "schedule_to_close"),
            schedule_to_start_timeout=_seconds(options, "schedule_to_start"),
            heartbeat_timeout=_seconds(options, "heartbeat"),
            retry_policy=RetryPolicy(**policy),
        )


def _seconds(options: dict[str, Any], name: str) -> timedelta | None:
    return timedelta(seconds=options[name]) if name in options else None


def failing(kind: Kind, times: int, error: Exception | None = None) -> tuple[Any, list[float]]:
    """An activity that fails some times, and the times at which it was tried."""
    tried: list[float] = []

    @kind.activity.defn(name="work")
    async def work() -> int:
        tried.append(asyncio.get_running_loop().time())
        if len(tried) <= times:
            raise error or kind.errors.ApplicationError(f"attempt {kind.activity.info().attempt}")
        return kind.activity.info().attempt

    return work, tried


def test_a_failing_activity_is_tried_again_with_growing_waits(kind: Kind, make_engine: MakeEngine) -> None:
    """A second, then twice as long each time, up to the maximum interval."""
    work, tried = failing(kind, 4)
    engine = make_engine(workflows=[Calls], activities=[work])
    options = {"start_to_close": 10, "retry": {"maximum_interval": 5}}
    assert engine.execute_workflow(Calls.run, options, id="w").wait() == 5
    waits = [round(later - earlier, 6) for earlier, later in itertools.pairwise(tried)]
    assert waits == [1, 2, 4, 5]


def test_history_holds_one_start_with_the_last_failure(kind: Kind, any_engine: MakeEngine) -> None:
    """Attempts leave no events but the last one, which says its number and why the one before failed."""
    work, _ = failing(kind, 2)
    engine = any_engine(workflows=[Calls], activities=[work])
    handle = engine.start_workflow(
        Calls.run, {"start_to_close": 10, "retry": {"initial_interval": 0.01}}, id="w"
    ).wait()
    assert handle.result().wait() == 3
    history = handle.fetch_history().wait()
    assert tasks_apart(history)[1:4] == ["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted"]
    started = next(event for event in history if event.type_name == "ActivityTaskStarted")
    assert started.attributes["attempt"] == 3
    assert started.attributes["lastFailure"]["message"] == "attempt 2"


def activity_error(engine: Any, options: dict[str, Any]) -> ActivityError:
    """How a workflow's activity failed for good."""
    with pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(Calls.run, options, id="w").wait()
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    return error


def test_attempts_are_limited(kind: Kind, make_engine: MakeEngine) -> None:
    """After the last attempt the workflow gets the last failure."""
    work, tried = failing(kind, 100)
    error = activity_error(
        make_engine(workflows=[Calls], activities=[work]), {"start_to_close": 10, "retry": {"maximum_attempts": 3}}
    )
    assert len(tried) == 3
    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert error.activity_type == "work"
    assert isinstance(error.cause, ApplicationError) and error.cause.message == "attempt 3"


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (lambda errors: errors.ApplicationError("no", non_retryable=True), {}),
        (
            lambda errors: errors.ApplicationError("no", type="Hopeless"),
            {"non_retryable_error_types": ["Hopeless"]},
        ),
        (lambda _errors: KeyError("no"), {"non_retryable_error_types": ["KeyError"]}),
    ],
    ids=["by itself", "by its type", "by its class"],
)
def test_some_errors_are_not_tried_again(
    kind: Kind, make_engine: MakeEngine, error: Any, retry: dict[str, Any]
) -> None:
    """An error can say so itself, or the policy can list its type."""
    work, tried = failing(kind, 100, error(kind.errors))
    failed = activity_error(make_engine(workflows=[Calls], activities=[work]), {"start_to_close": 10, "retry": retry})
    assert len(tried) == 1
    assert failed.retry_state == RetryState.NON_RETRYABLE_FAILURE


def test_an_error_can_say_when_to_try_again(kind: Kind, make_engine: MakeEngine) -> None:
    """`next_retry_delay` of the error stands above the policy."""
    work, tried = failing(kind, 1, kind.errors.ApplicationError("later", next_retry_delay=timedelta(seconds=77)))
    engine = make_engine(workflows=[Calls], activities=[work])
    engine.execute_workflow(Calls.run, {"start_to_close": 10}, id="w").wait()
    assert round(tried[1] - tried[0], 6) == 77


def test_no_attempt_is_made_that_could_not_end_in_time(kind: Kind, make_engine: MakeEngine) -> None:
    """The schedule-to-close timeout covers all attempts and the waits between them."""
    work, tried = failing(kind, 100)
    error = activity_error(make_engine(workflows=[Calls], activities=[work]), {"schedule_to_close": 10})
    assert len(tried) == 4  # at 0, 1, 3 and 7 seconds; the next would be at 15
    assert error.retry_state == RetryState.TIMEOUT


def sleeping(kind: Kind, seconds: float) -> tuple[Any, list[int]]:
    """An activity that takes its time, and how often it was cancelled."""
    cancelled: list[int] = []

    @kind.activity.defn(name="work")
    async def work() -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cancelled.append(kind.activity.info().attempt)
            raise
        return "done"

    return work, cancelled


def timeout_of(error: ActivityError) -> TimeoutType | None:
    """Which timeout it was."""
    assert isinstance(error.cause, TimeoutError)
    return error.cause.type


def test_an_attempt_that_takes_too_long_is_tried_again(kind: Kind, make_engine: MakeEngine) -> None:
    """The start-to-close timeout ends an attempt, and its task is cancelled."""
    work, cancelled = sleeping(kind, 60)
    error = activity_error(
        make_engine(workflows=[Calls], activities=[work]), {"start_to_close": 10, "retry": {"maximum_attempts": 2}}
    )
    assert timeout_of(error) == TimeoutType.START_TO_CLOSE
    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert cancelled == [1, 2]


def test_the_schedule_to_close_timeout_is_final(kind: Kind, make_engine: MakeEngine) -> None:
    """When all the time is used up there is no further attempt."""
    work, cancelled = sleeping(kind, 60)
    error = activity_error(make_engine(workflows=[Calls], activities=[work]), {"schedule_to_close": 10})
    assert timeout_of(error) == TimeoutType.SCHEDULE_TO_CLOSE
    assert cancelled == [1]


def test_an_activity_that_nobody_begins_times_out(make_engine: MakeEngine) -> None:
    """An activity without code waits, up to its schedule-to-start timeout."""
    error = activity_error(make_engine(workflows=[Calls]), {"start_to_close": 10, "schedule_to_start": 5})
    assert timeout_of(error) == TimeoutType.SCHEDULE_TO_START


def test_silence_is_a_timeout_and_heartbeats_are_not(kind: Kind, make_engine: MakeEngine) -> None:
    """With a heartbeat timeout an attempt must say that it is alive; what it said reaches the next attempt."""
    seen: list[Sequence[Any]] = []

    @kind.activity.defn(name="work")
    async def work() -> int:
        done = kind.activity.info().heartbeat_details
        seen.append(done)
        begin = done[0] if done else 0
        for number in range(begin, 6):
            kind.activity.heartbeat(number)
            await asyncio.sleep(4)
            if number == 3 and kind.activity.info().attempt == 1:
                await asyncio.sleep(60)
        return begin

    engine = make_engine(workflows=[Calls], activities=[work])
    result = engine.execute_workflow(Calls.run, {"start_to_close": 600, "heartbeat": 5}, id="w").wait()
    assert result == 3
    assert seen == [[], [3]]


def test_a_heartbeat_timeout_carries_the_last_details(kind: Kind, make_engine: MakeEngine) -> None:
    """The error says what the last heartbeat said."""

    @kind.activity.defn(name="work")
    async def work() -> None:
        kind.activity.heartbeat("half", 50)
        await asyncio.sleep(60)

    error = activity_error(
        make_engine(workflows=[Calls], activities=[work]),
        {"start_to_close": 600, "heartbeat": 5, "retry": {"maximum_attempts": 1}},
    )
    assert timeout_of(error) == TimeoutType.HEARTBEAT
    assert isinstance(error.cause, TimeoutError)
    assert list(error.cause.last_heartbeat_details) == ["half", 50]


def test_activities_in_threads_run_at_once(kind: Kind, make_engine: MakeEngine) -> None:
    """Activities that are not async run in threads, several at the same time."""
    together = threading.Barrier(2, timeout=10)

    @kind.activity.defn(name="work")
    def work() -> int:
        return together.wait()

    engine = make_engine(workflows=[Calls], activities=[work])
    first = engine.start_workflow(Calls.run, {"start_to_close": 60}, id="1").wait()
    second = engine.start_workflow(Calls.run, {"start_to_close": 60}, id="2").wait()
    assert {first.result().wait(), second.result().wait()} == {0, 1}


def test_threads_take_no_virtual_time_at_first(kind: Kind, make_engine: MakeEngine) -> None:
    """The virtual clock stands still while a thread works, so that its timeouts do not depend on the machine."""

    @kind.activity.defn(name="work")
    def work() -> str:
        time.sleep(0.2)
        return "done"

    engine = make_engine(workflows=[Calls], activities=[work])
    began = engine.now()
    assert engine.execute_workflow(Calls.run, {"start_to_close": 0.1}, id="w").wait() == "done"
    assert engine.now() == began


def test_a_thread_that_never_ends_times_out(kind: Kind, make_engine: MakeEngine) -> None:
    """When patience is over, the virtual clock goes on at the pace of the real one."""
    end = threading.Event()

    @kind.activity.defn(name="work")
    def work() -> None:
        end.wait(30)

    engine = make_engine(workflows=[Calls], activities=[work], patience=0.05)
    error = activity_error(engine, {"start_to_close": 0.3, "retry": {"maximum_attempts": 1}})
    end.set()
    assert timeout_of(error) == TimeoutType.START_TO_CLOSE


def counter(kind: Kind) -> Any:
    """An object with an activity among its methods."""

    class Counter:
        def __init__(self) -> None:
            self.count = 0

        @kind.activity.defn
        async def add(self, number: int) -> int:
            self.count += number
            return self.count

    return Counter()


def greeter(kind: Kind, greeting: str) -> Any:
    """An object that can be called."""

    @kind.activity.defn
    class Greeter:
        async def __call__(self, name: str) -> str:
            return f"{greeting}, {name}"

    return Greeter()


def test_methods_and_callable_objects_are_activities(kind: Kind, any_engine: MakeEngine) -> None:
    """What an object holds is there when its method runs."""
    engine = any_engine(workflows=[Calls], activities=[counter(kind).add, greeter(kind, "Hi")])
    for number, total in ((3, 3), (4, 7)):
        options = {"activity": "add", "args": [number], "start_to_close": 10}
        assert engine.execute_workflow(Calls.run, options, id=f"add-{number}").wait() == total
    options = {"activity": "Greeter", "args": ["Bo"], "start_to_close": 10}
    assert engine.execute_workflow(Calls.run, options, id="greet").wait() == "Hi, Bo"


def test_a_dynamic_activity_takes_what_nobody_else_does(kind: Kind, make_engine: MakeEngine) -> None:
    """It learns its name from `activity.info`, and gets raw values."""

    async def anything(values: Any) -> str:
        converter = kind.activity.payload_converter()
        told = [converter.from_payload(value.payload) for value in values]
        return f"{kind.activity.info().activity_type}{told}"

    raw_value: Any = kind.common.RawValue
    anything.__annotations__["values"] = Sequence[raw_value]
    engine = make_engine(workflows=[Calls], activities=[kind.activity.defn(dynamic=True)(anything)])
    options = {"activity": "unheard_of", "args": [1, "two"], "start_to_close": 10}
    assert engine.execute_workflow(Calls.run, options, id="w").wait() == "unheard_of[1, 'two']"


def test_doubles_stand_in_for_activities(kind: Kind, make_engine: MakeEngine) -> None:
    """Any function decorated with the right name will do."""

    @kind.activity.defn(name="work")
    async def double() -> str:
        return "doubled"

    engine = make_engine(workflows=[Calls], activities=[double])
    assert engine.execute_workflow(Calls.run, {"start_to_close": 10}, id="w").wait() == "doubled"


def test_an_activity_knows_about_itself(kind: Kind, make_engine: MakeEngine) -> None:
    """`activity.info()` says which workflow asked, what for, and when."""

    @kind.activity.defn(name="work")
    async def work() -> dict[str, Any]:
        info = kind.activity.info()
        return {
            "type": info.activity_type,
            "id": info.activity_id,
            "workflow": info.workflow_id,
            "workflow_type": info.workflow_type,
            "start_to_close": info.start_to_close_timeout and info.start_to_close_timeout.total_seconds(),
            "schedule_to_close": info.schedule_to_close_timeout,
            "queue": info.task_queue,
            "local": info.is_local,
            "attempts": info.retry_policy and info.retry_policy.maximum_attempts,
            "scheduled": info.scheduled_time.isoformat(),
        }

    engine = make_engine(workflows=[Calls], activities=[work])
    began = engine.now().isoformat()
    told = engine.execute_workflow(
        Calls.run, {"start_to_close": 10, "retry": {"maximum_attempts": 7}}, id="w", task_queue="q"
    ).wait()
    assert told == {
        "type": "work",
        "id": "1",
        "workflow": "w",
        "workflow_type": "Calls",
        "start_to_close": 10,
        "schedule_to_close": None,
        "queue": "q",
        "local": False,
        "attempts": 7,
        "scheduled": began,
    }


def test_activity_functions_belong_into_activities() -> None:
    """Outside of one they say so."""
    assert not activity.in_activity()
    with pytest.raises(RuntimeError, match="not in an activity"):
        activity.info()


def test_what_cannot_be_an_activity_is_refused(kind: Kind, make_engine: MakeEngine) -> None:
    """A function that is not decorated, or two of one name, are mistakes that are named."""

    async def bare() -> None:
        pass

    @kind.activity.defn(name="same")
    async def one() -> None:
        pass

    @kind.activity.defn(name="same")
    async def other() -> None:
        pass

    with pytest.raises(ValueError, match=r"decorate it with @activity\.defn"):
        make_engine(activities=[bare])
    with pytest.raises(ValueError, match="two activities named 'same'"):
        make_engine(activities=[one, other])
    with pytest.raises(TypeError, match="keyword-only"):

        @kind.activity.defn
        async def keyword(*, word: str) -> None:
            del word
