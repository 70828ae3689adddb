"""Activities, as a workflow sees them: tried, tried again, timed out, cancelled, heard of."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from playhead_engine import activity, workflow
from playhead_engine.common import RawValue, RetryPolicy
from playhead_engine.engine.errors import WorkflowFailureError
from playhead_engine.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    TimeoutError,
    TimeoutType,
)
from tests.engine.running_engines import MakeEngine, make_engine

if TYPE_CHECKING:
    from playhead_engine import Engine

__all__ = ["make_engine"]

MINUTE = timedelta(minutes=1)
ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn
class Calls:
    """Call one activity, with the options that a test wants, and say what came and how long it took."""

    @workflow.run
    async def run(self, name: str, args: list[Any], kind: str) -> list[Any]:
        """Call it."""
        began = workflow.time()
        options: Any = OPTIONS[kind]
        call: Any = workflow.execute_local_activity if kind.startswith("local") else workflow.execute_activity
        try:
            came = await call(name, args=args, **options)
        except ActivityError as error:
            came = told(error)
        except ApplicationError as error:
            came = [error.type, error.message]
        except TimeoutError as error:
            came = [error.type.name if error.type else "", error.message]
        return [came, workflow.time() - began]


def told(error: ActivityError) -> list[Any]:
    """An activity's failure: its retry state, and its cause."""
    cause = error.cause
    assert error.retry_state is not None
    assert cause is not None
    what: Any = cause.type.name if isinstance(cause, TimeoutError) and cause.type else type(cause).__name__
    return [error.retry_state.name, what, str(cause)]


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"start_to_close_timeout": MINUTE},
    "three attempts": {"start_to_close_timeout": MINUTE, "retry_policy": RetryPolicy(maximum_attempts=3)},
    "once": {"start_to_close_timeout": MINUTE, "retry_policy": ONCE},
    "capped": {
        "start_to_close_timeout": MINUTE,
        "retry_policy": RetryPolicy(
            initial_interval=timedelta(seconds=2), backoff_coefficient=3, maximum_interval=timedelta(seconds=10)
        ),
    },
    "not NotYet": {
        "start_to_close_timeout": MINUTE,
        "retry_policy": RetryPolicy(non_retryable_error_types=["NotYet"]),
    },
    "within ten seconds": {"schedule_to_close_timeout": timedelta(seconds=10)},
    "second each": {
        "start_to_close_timeout": timedelta(seconds=1),
        "retry_policy": RetryPolicy(maximum_attempts=2),
    },
    "start within a second": {
        "start_to_close_timeout": MINUTE,
        "schedule_to_start_timeout": timedelta(seconds=1),
    },
    "beat each second": {
        "start_to_close_timeout": MINUTE,
        "heartbeat_timeout": timedelta(seconds=1),
        "retry_policy": RetryPolicy(maximum_attempts=2),
    },
    "beats": {"start_to_close_timeout": MINUTE, "heartbeat_timeout": timedelta(seconds=10)},
    "local": {"start_to_close_timeout": MINUTE},
    "local once": {"start_to_close_timeout": timedelta(seconds=1), "retry_policy": ONCE},
    "local, patient": {
        "start_to_close_timeout": MINUTE,
        "local_retry_threshold": timedelta(seconds=1),
        "retry_policy": RetryPolicy(initial_interval=timedelta(hours=1)),
    },
}


def called(engine: Engine, name: str, *args: Any, kind: str = "plain") -> tuple[Any, float]:
    """What comes of a call, and how many seconds it takes on the engine's clock."""
    came, seconds = engine.execute_workflow(Calls.run, args=[name, list(args), kind]).wait()
    return came, seconds


def kinds_of(engine: Engine, workflow_id: str = "w") -> list[str]:
    """The kinds of the events of a run."""
    return [event.KIND for event in engine.get_workflow_handle(workflow_id).fetch_history().wait().events]


# What an activity can be


@activity.defn
async def greet(name: str) -> str:
    """Greet, on the event loop."""
    return f"Hello, {name}!"


@activity.defn
def thread_name(prefix: str) -> bool:
    """Whether this is another thread than the one the engine is used from."""
    return threading.current_thread() is not threading.main_thread() and bool(prefix)


class Counter:
    """Activities that share something."""

    def __init__(self) -> None:
        self.count = 0

    @activity.defn
    async def add(self, number: int) -> int:
        """Add to it."""
        self.count += number
        return self.count

    @activity.defn(name="subtract")
    def take_away(self, number: int) -> int:
        """Take from it, in a thread."""
        self.count -= number
        return self.count


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> str:
    """Take what nobody else does."""
    value = activity.payload_converter().from_payload(args[0].payload, int)
    return f"{activity.info().activity_type} of {value}"


def test_an_async_activity_answers(make_engine: MakeEngine) -> None:
    """What an async activity returns is what the workflow gets, in no time at all."""
    assert called(make_engine(Calls, greet), "greet", "you") == ("Hello, you!", 0)


def test_a_sync_activity_runs_in_a_thread(make_engine: MakeEngine) -> None:
    """A plain function runs in a thread, and virtual time stands still meanwhile."""
    assert called(make_engine(Calls, thread_name), "thread_name", "x") == (True, 0)


def test_methods_of_an_object_share_it(make_engine: MakeEngine) -> None:
    """Bound methods are activities with the state of their object."""
    counter = Counter()
    engine = make_engine(Calls, counter.add, counter.take_away)
    assert called(engine, "add", 5)[0] == 5
    assert called(engine, "subtract", 2)[0] == 3
    assert counter.count == 3


def test_a_dynamic_activity_takes_what_nobody_else_does(make_engine: MakeEngine) -> None:
    """A dynamic activity is run under any name that is not registered, with raw values."""
    engine = make_engine(Calls, anything, greet)
    assert called(engine, "whatever", 7)[0] == "whatever of 7"
    assert called(engine, "greet", "you")[0] == "Hello, you!"


# Trying again


@activity.defn
async def succeeds_at(attempt: int) -> int:
    """Fail until this attempt."""
    if activity.info().attempt < attempt:
        raise ApplicationError("not yet", type="NotYet")
    return activity.info().attempt


@activity.defn
async def divides_by(number: int) -> float:
    """Raise an ordinary exception."""
    return 1 / number


@activity.defn
async def asks_for_delay(seconds: int) -> int:
    """Fail once, and say when to come back."""
    if activity.info().attempt == 1:
        raise ApplicationError("later", next_retry_delay=timedelta(seconds=seconds))
    return activity.info().attempt


@activity.defn
async def refuses() -> None:
    """Fail for good."""
    raise ApplicationError("never", type="Never", non_retryable=True)


def test_backoff_doubles_from_one_second(make_engine: MakeEngine) -> None:
    """Without a policy of its own, an activity is tried again after 1, 2, 4, 8 seconds, until it succeeds."""
    assert called(make_engine(Calls, succeeds_at), "succeeds_at", 5) == (5, 1 + 2 + 4 + 8)


def test_backoff_is_capped_at_a_hundred_times_the_first(make_engine: MakeEngine) -> None:
    """Without a maximum interval, the wait grows up to a hundred seconds."""
    assert called(make_engine(Calls, succeeds_at), "succeeds_at", 10)[1] == 1 + 2 + 4 + 8 + 16 + 32 + 64 + 100 + 100


def test_a_policy_sets_first_interval_coefficient_and_cap(make_engine: MakeEngine) -> None:
    """Two seconds, times three, at most ten."""
    assert called(make_engine(Calls, succeeds_at), "succeeds_at", 5, kind="capped") == (5, 2 + 6 + 10 + 10)


def test_attempts_are_counted(make_engine: MakeEngine) -> None:
    """After the last attempt allowed, the failure says that there were no more, and what the last one raised."""
    came, seconds = called(make_engine(Calls, divides_by), "divides_by", 0, kind="three attempts")
    assert came == ["MAXIMUM_ATTEMPTS_REACHED", "ApplicationError", "ZeroDivisionError: division by zero"]
    assert seconds == 1 + 2


def test_a_type_that_is_not_to_be_retried_fails_at_once(make_engine: MakeEngine) -> None:
    """An error type that the policy lists ends the activity with the first attempt."""
    came, seconds = called(make_engine(Calls, succeeds_at), "succeeds_at", 2, kind="not NotYet")
    assert (came[0], seconds) == ("NON_RETRYABLE_FAILURE", 0)


def test_a_failure_that_forbids_it_is_not_retried(make_engine: MakeEngine) -> None:
    """`non_retryable=True` ends the activity with the first attempt."""
    came, seconds = called(make_engine(Calls, refuses), "refuses")
    assert (came, seconds) == (["NON_RETRYABLE_FAILURE", "ApplicationError", "Never: never"], 0)


def test_a_failure_may_say_when_to_try_again(make_engine: MakeEngine) -> None:
    """`next_retry_delay` takes the place of the backoff; as on Temporal's server the maximum interval caps it too."""
    engine = make_engine(Calls, asks_for_delay)
    assert called(engine, "asks_for_delay", 77) == (2, 77)
    assert called(engine, "asks_for_delay", 500) == (2, 100)


def test_attempts_between_leave_no_events(make_engine: MakeEngine) -> None:
    """Only the last attempt's start is in the history, with its number and the failure before."""
    engine = make_engine(Calls, succeeds_at)
    engine.execute_workflow(Calls.run, args=["succeeds_at", [3], "plain"], id="w").wait()
    history = engine.get_workflow_handle("w").fetch_history().wait()
    started = [event for event in history.events if event.KIND == "ACTIVITY_TASK_STARTED"]
    assert [event.attributes["attempt"] for event in started] == [3]
    assert started[0].attributes["lastFailure"]["message"] == "not yet"


def test_a_workflow_that_does_not_catch_fails_with_the_chain_of_causes(make_engine: MakeEngine) -> None:
    """The client sees the workflow's failure, the activity's in it, and the exception's in that."""

    with pytest.raises(WorkflowFailureError) as caught:
        make_engine(Lets, divides_by).execute_workflow(Lets.run, id="w").wait()
    error = caught.value.cause
    assert isinstance(error, ActivityError)
    assert (error.activity_type, error.retry_state) == ("divides_by", RetryState.MAXIMUM_ATTEMPTS_REACHED)
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == ("ZeroDivisionError", "division by zero")


@workflow.defn
class Lets:
    """Let an activity's failure through."""

    @workflow.run
    async def run(self) -> float:
        """Call it once."""
        return await workflow.execute_activity(divides_by, 0, start_to_close_timeout=MINUTE, retry_policy=ONCE)


# Time


@activity.defn
async def sleeps(seconds: float) -> str:
    """Take time."""
    await asyncio.sleep(seconds)
    return "awake"


@activity.defn
async def beats(count: int, seconds: float) -> int:
    """Beat, then be silent."""
    for number in range(count):
        activity.heartbeat(number)
        await asyncio.sleep(seconds)
    return count


@activity.defn
async def goes_on_from_heartbeat() -> list[Any]:
    """Get halfway with the first attempt; the second goes on from where the first was."""
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("half", {"done": 3})
        raise ApplicationError("tired")
    return list(info.heartbeat_details)


def test_start_to_close_limits_each_attempt(make_engine: MakeEngine) -> None:
    """An attempt that takes longer is over, and the next one begins."""
    came, seconds = called(make_engine(Calls, sleeps), "sleeps", 5, kind="second each")
    assert came[:2] == ["MAXIMUM_ATTEMPTS_REACHED", "START_TO_CLOSE"]
    assert seconds == 1 + 1 + 1


def test_schedule_to_close_limits_all_attempts(make_engine: MakeEngine) -> None:
    """When the time for all attempts is over, so is the activity, whatever its policy says."""
    came, seconds = called(make_engine(Calls, sleeps), "sleeps", 50, kind="within ten seconds")
    assert came[1] == "SCHEDULE_TO_CLOSE"
    assert seconds == 10


def test_no_attempt_begins_that_could_not_end_in_time(make_engine: MakeEngine) -> None:
    """When the next retry would be later than schedule-to-close allows, the last failure is final."""
    came, seconds = called(make_engine(Calls, succeeds_at), "succeeds_at", 9, kind="within ten seconds")
    assert came[0] in ("TIMEOUT", "NON_RETRYABLE_FAILURE")
    assert seconds == 1 + 2 + 4


def test_an_activity_that_nobody_can_run_is_not_started_in_time(make_engine: MakeEngine) -> None:
    """Schedule-to-start ends an activity that there is no code for."""
    came, seconds = called(make_engine(Calls), "nobody", kind="start within a second")
    assert came[1] == "SCHEDULE_TO_START"
    assert seconds == 1


def test_silence_is_noticed(make_engine: MakeEngine) -> None:
    """An attempt that does not heartbeat in time is over, and the next one begins."""
    came, seconds = called(make_engine(Calls, beats), "beats", 3, 2, kind="beat each second")
    assert came[:2] == ["MAXIMUM_ATTEMPTS_REACHED", "HEARTBEAT"]
    assert seconds == 1 + 1 + 1


def test_heartbeats_keep_an_attempt_alive(make_engine: MakeEngine) -> None:
    """An activity may take long if it says that it is alive."""
    assert called(make_engine(Calls, beats), "beats", 50, 0.5, kind="beat each second") == (50, 25)


def test_heartbeat_details_reach_the_next_attempt(make_engine: MakeEngine) -> None:
    """What the last heartbeat said is what the next attempt begins with."""
    assert called(make_engine(Calls, goes_on_from_heartbeat), "goes_on_from_heartbeat", kind="beats")[0] == [
        "half",
        {"done": 3},
    ]


# Cancellation


SEEN: list[str] = []


@activity.defn
async def minds_cancellation() -> str:
    """Beat until cancelled, and say so."""
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        SEEN.append(f"async {details is not None and details.cancel_requested}")
        raise


@activity.defn
def minds_cancellation_in_thread() -> str:
    """The same in a thread, where real time passes."""
    try:
        for _ in range(500):
            activity.heartbeat()
            time.sleep(0.01)
    except CancelledError:
        SEEN.append("thread")
        raise
    return "was never told"


@activity.defn
async def ignores_cancellation() -> str:
    """Be cancelled, and finish all the same."""
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        return "finished"


@workflow.defn
class Cancels:
    """Start an activity and cancel it after a while."""

    @workflow.run
    async def run(self, name: str, kind: int) -> list[Any]:
        """Start, wait, cancel, wait."""
        began = workflow.time()
        handle: Any = workflow.start_activity(
            name,
            start_to_close_timeout=MINUTE,
            heartbeat_timeout=timedelta(seconds=5),
            cancellation_type=workflow.ActivityCancellationType(kind),
        )
        await workflow.sleep(3)
        handle.cancel()
        try:
            came = await handle
        except ActivityError as error:
            came = type(error.cause).__name__
        return [came, workflow.time() - began]


TRY = workflow.ActivityCancellationType.TRY_CANCEL
WAIT = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
ABANDON = workflow.ActivityCancellationType.ABANDON


@pytest.mark.parametrize(
    ("name", "said"), [("minds_cancellation", "async True"), ("minds_cancellation_in_thread", "thread")]
)
def test_cancellation_arrives_with_a_heartbeat(make_engine: MakeEngine, name: str, said: str) -> None:
    """An activity that heartbeats is told that it was cancelled, as asyncio or an exception in the thread tells it."""
    SEEN.clear()
    engine = make_engine(Cancels, minds_cancellation, minds_cancellation_in_thread, patience=0.05)
    came, seconds = engine.execute_workflow(Cancels.run, args=[name, int(WAIT)]).wait()
    assert came == "CancelledError"
    assert 3 <= seconds <= 8
    assert said in SEEN


def test_an_activity_may_finish_although_it_was_cancelled(make_engine: MakeEngine) -> None:
    """A workflow that waits for the cancellation gets the result if the activity finishes instead."""
    engine = make_engine(Cancels, ignores_cancellation)
    assert engine.execute_workflow(Cancels.run, args=["ignores_cancellation", int(WAIT)]).wait()[0] == "finished"


@pytest.mark.parametrize("kind", [TRY, ABANDON])
def test_a_workflow_need_not_wait_for_it(make_engine: MakeEngine, kind: workflow.ActivityCancellationType) -> None:
    """With TRY_CANCEL and ABANDON the workflow goes on at once; only the first one tells the activity."""
    engine = make_engine(Cancels, ignores_cancellation)
    came = engine.execute_workflow(Cancels.run, args=["ignores_cancellation", int(kind)], id="w").wait()
    assert came == ["CancelledError", 3]
    assert ("ACTIVITY_TASK_CANCEL_REQUESTED" in kinds_of(engine)) == (kind is TRY)


# Local activities


def test_a_local_activity_is_a_marker(make_engine: MakeEngine) -> None:
    """A local activity runs within a workflow task and leaves one marker."""
    engine = make_engine(Calls, greet)
    assert engine.execute_workflow(Calls.run, args=["greet", ["you"], "local"], id="w").wait()[0] == "Hello, you!"
    assert kinds_of(engine).count("MARKER_RECORDED") == 1
    assert "ACTIVITY_TASK_SCHEDULED" not in kinds_of(engine)


def test_a_local_activity_is_retried_within_the_task(make_engine: MakeEngine) -> None:
    """Short waits between attempts are spent inside the workflow task."""
    engine = make_engine(Calls, succeeds_at)
    came = engine.execute_workflow(Calls.run, args=["succeeds_at", [3], "local"], id="w").wait()
    assert came[0] == 3
    assert "TIMER_STARTED" not in kinds_of(engine)
    assert came[1] == 3


def test_a_long_wait_between_local_attempts_is_a_timer(make_engine: MakeEngine) -> None:
    """A wait longer than the local retry threshold is bridged by a timer, one marker for each part."""
    engine = make_engine(Calls, succeeds_at)
    came = engine.execute_workflow(Calls.run, args=["succeeds_at", [3], "local, patient"], id="w").wait()
    assert came == [3, 3 * 3600]
    assert kinds_of(engine).count("TIMER_FIRED") == 2
    assert kinds_of(engine).count("MARKER_RECORDED") == 3


def test_a_local_activity_fails_as_temporals_do(make_engine: MakeEngine) -> None:
    """A local activity's failure reaches the workflow without an ActivityError around it, as with Temporal's SDK."""
    engine = make_engine(Calls, divides_by, refuses)
    assert called(engine, "refuses", kind="local")[0] == ["Never", "never"]
    assert called(engine, "divides_by", 0, kind="local once")[0] == ["ZeroDivisionError", "division by zero"]


def test_a_local_activity_times_out(make_engine: MakeEngine) -> None:
    """A local activity that takes too long is over; the TimeoutError has no ActivityError around it, as with
    Temporal."""
    came, seconds = called(make_engine(Calls, sleeps), "sleeps", 9, kind="local once")
    assert TimeoutType.START_TO_CLOSE.name in came
    assert seconds == 1


# What an activity knows


@activity.defn
async def about_itself() -> dict[str, Any]:
    """Tell what it knows about itself."""
    info = activity.info()
    return {
        "type": info.activity_type,
        "workflow": [info.workflow_id, info.workflow_type],
        "attempt": info.attempt,
        "local": info.is_local,
        "timeout": info.start_to_close_timeout == MINUTE,
        "queue": info.task_queue,
    }


@pytest.mark.parametrize("kind", ["plain", "local"])
def test_an_activity_knows_who_asked(make_engine: MakeEngine, kind: str) -> None:
    """`activity.info()` says which workflow asked, for what, and how often it was tried."""
    engine = make_engine(Calls, about_itself)
    came = engine.execute_workflow(Calls.run, args=["about_itself", [], kind], id="w", task_queue="q").wait()[0]
    assert came == {
        "type": "about_itself",
        "workflow": ["w", "Calls"],
        "attempt": 1,
        "local": kind == "local",
        "timeout": True,
        "queue": "q",
    }
