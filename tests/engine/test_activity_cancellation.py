"""Cancelling activities: how they hear of it, and what their workflow makes of it."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, CancelledError
from playhead_engine.workflow import ActivityCancellationType
from tests.engine.activity_kinds import TEMPORAL, Kind, kind  # noqa: F401 - a fixture
from tests.engine.engines import MakeEngine, any_engine, make_engine, tasks_apart  # noqa: F401 - fixtures

PATIENCE = timedelta(seconds=600)


@workflow.defn
class CancelsActivity:
    """Starts an activity and cancels it after a while."""

    @workflow.run
    async def run(self, cancellation_type: int, after: float) -> list[str]:
        """Return how the activity ended, and when."""
        handle = workflow.start_activity(
            "work",
            start_to_close_timeout=PATIENCE,
            heartbeat_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=100)),
            cancellation_type=ActivityCancellationType(cancellation_type),
        )
        began = workflow.now()
        await asyncio.sleep(after)
        handle.cancel()
        try:
            ended = f"returned {await handle}"
        except ActivityError as error:
            ended = (
                f"{type(error.cause).__name__} {error.cause.details if isinstance(error.cause, CancelledError) else ''}"
            )
        except asyncio.CancelledError:
            ended = "cancelled at once"
        return [ended, str((workflow.now() - began).total_seconds())]


TRY, WAIT, ABANDON = (int(one) for one in ActivityCancellationType)


def beating(kind: Kind, on_cancel: str) -> tuple[Any, list[str]]:
    """An activity that says every ten seconds that it is alive, and what it went through."""
    log: list[str] = []

    @kind.activity.defn(name="work")
    async def work() -> str:
        try:
            for _ in range(20):
                kind.activity.heartbeat()
                await asyncio.sleep(10)
        except asyncio.CancelledError:
            details = kind.activity.cancellation_details()
            log.append(f"cancelled: {kind.activity.is_cancelled()}, asked: {details and details.cancel_requested}")
            if on_cancel == "detail":
                raise kind.errors.CancelledError("stopped", "halfway") from None
            if on_cancel == "return":
                return "cleaned up"
            if on_cancel == "fail":
                raise kind.errors.ApplicationError("no clean end") from None
            raise
        log.append("ended")
        return "done"

    return work, log


@pytest.mark.parametrize(
    ("on_cancel", "ended"),
    [
        ("raise", "CancelledError ()"),
        ("detail", "CancelledError ('halfway',)"),
        ("return", "returned cleaned up"),
        ("fail", "ApplicationError "),
    ],
)
def test_an_activity_answers_a_cancellation(kind: Kind, make_engine: MakeEngine, on_cancel: str, ended: str) -> None:
    """It hears of it at its next heartbeat. It may stop, return all the same, or fail; a failure is not tried again."""
    work, log = beating(kind, on_cancel)
    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    result = engine.execute_workflow(CancelsActivity.run, args=[WAIT, 15], id="w").wait()
    if kind is TEMPORAL and on_cancel == "detail":
        ended = "CancelledError ()"  # Temporal's own worker keeps no details of it either
    assert result == [ended, "20.0"]
    assert log == ["cancelled: True, asked: True"]


def test_a_workflow_need_not_wait_for_the_answer(kind: Kind, make_engine: MakeEngine) -> None:
    """TRY_CANCEL goes on at once; the activity hears of it all the same, unless its workflow has closed before."""
    work, _ = beating(kind, "raise")
    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    handle = engine.start_workflow(CancelsActivity.run, args=[TRY, 15], id="w").wait()
    assert handle.result().wait() == ["CancelledError ()", "15.0"]
    assert "ActivityTaskCancelRequested" in tasks_apart(handle.fetch_history().wait())


def test_an_abandoned_activity_is_not_told(kind: Kind, make_engine: MakeEngine) -> None:
    """ABANDON goes on at once, and asks nobody."""
    work, _ = beating(kind, "raise")
    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    handle = engine.start_workflow(CancelsActivity.run, args=[ABANDON, 15], id="w").wait()
    assert handle.result().wait() == ["CancelledError ()", "15.0"]
    assert "ActivityTaskCancelRequested" not in tasks_apart(handle.fetch_history().wait())


def test_without_heartbeats_nobody_hears(kind: Kind, make_engine: MakeEngine) -> None:
    """An activity that never says it is alive runs to its end."""

    @kind.activity.defn(name="work")
    async def work() -> str:
        await asyncio.sleep(50)
        return "deaf"

    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    assert engine.execute_workflow(CancelsActivity.run, args=[WAIT, 15], id="w").wait() == ["returned deaf", "50.0"]


def test_waiting_for_the_cancellation_is_hearing_of_it(kind: Kind, make_engine: MakeEngine) -> None:
    """`wait_for_cancelled` returns when the activity was told to stop."""

    @kind.activity.defn(name="work")
    async def work() -> str:
        await kind.activity.wait_for_cancelled()
        return "heard"

    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    assert engine.execute_workflow(CancelsActivity.run, args=[WAIT, 15], id="w").wait() == ["returned heard", "15.0"]


def test_between_attempts_it_is_cancelled_at_once(kind: Kind, make_engine: MakeEngine) -> None:
    """While nobody works on it, nobody needs to hear of it."""

    @kind.activity.defn(name="work")
    async def work() -> str:
        raise kind.errors.ApplicationError("again")

    engine = make_engine(workflows=[CancelsActivity], activities=[work])
    handle = engine.start_workflow(CancelsActivity.run, args=[WAIT, 15], id="w").wait()
    assert handle.result().wait() == ["CancelledError ('ACTIVITY_ID_NOT_STARTED',)", "15.0"]
    assert "ActivityTaskStarted" not in tasks_apart(handle.fetch_history().wait())


def test_a_thread_is_interrupted_at_its_heartbeat(kind: Kind, any_engine: MakeEngine) -> None:
    """In a thread, saying that one is alive raises when one was cancelled."""
    heard: list[str] = []

    @kind.activity.defn(name="work")
    def work() -> str:
        try:
            while True:
                kind.activity.heartbeat()
                time.sleep(0.01)
        except kind.errors.CancelledError:
            heard.append("interrupted")
            raise

    engine = any_engine(workflows=[CancelsActivity], activities=[work], patience=0.05)
    result = engine.execute_workflow(CancelsActivity.run, args=[WAIT, 0.1], id="w").wait()
    assert result[0] == "CancelledError ()"
    assert heard == ["interrupted"]


def test_a_thread_may_shield_itself(kind: Kind, make_engine: MakeEngine) -> None:
    """Inside the shield nothing is raised; when it ends, the cancellation is."""
    log: list[str] = []

    @kind.activity.defn(name="work")
    def work() -> None:
        with kind.activity.shield_thread_cancel_exception():
            while not kind.activity.is_cancelled():
                kind.activity.heartbeat()
                time.sleep(0.01)
            log.append("not interrupted")
        log.append("never reached")

    engine = make_engine(workflows=[CancelsActivity], activities=[work], patience=0.05)
    result = engine.execute_workflow(CancelsActivity.run, args=[WAIT, 0.1], id="w").wait()
    assert result[0] == "CancelledError ()"
    assert log == ["not interrupted"]


def test_a_thread_that_waits_does_not_hold_time(kind: Kind, make_engine: MakeEngine) -> None:
    """A thread that waits to be cancelled waits for the engine, so the virtual clock jumps meanwhile."""

    @kind.activity.defn(name="work", no_thread_cancel_exception=True)
    def work() -> str:
        kind.activity.wait_for_cancelled_sync()
        kind.activity.heartbeat()
        return "heard"

    engine = make_engine(workflows=[CancelsActivity], activities=[work], patience=60)
    began = time.monotonic()
    assert engine.execute_workflow(CancelsActivity.run, args=[WAIT, 50], id="w").wait() == ["returned heard", "50.0"]
    assert time.monotonic() - began < 30


@workflow.defn
class LeavesActivity:
    """Returns while an activity runs."""

    @workflow.run
    async def run(self) -> str:
        """Start it and leave."""
        workflow.start_activity("work", start_to_close_timeout=PATIENCE)
        await asyncio.sleep(15)
        return "left"


def test_an_activity_of_a_closed_workflow_hears_that_nobody_waits(kind: Kind, make_engine: MakeEngine) -> None:
    """At its next heartbeat it is cancelled: not found."""
    heard: list[Any] = []

    @kind.activity.defn(name="work")
    async def work() -> None:
        try:
            while True:
                kind.activity.heartbeat()
                await asyncio.sleep(10)
        except asyncio.CancelledError:
            heard.append(kind.activity.cancellation_details())
            raise

    engine = make_engine(workflows=[LeavesActivity], activities=[work])
    assert engine.execute_workflow(LeavesActivity.run, id="w").wait() == "left"
    engine.sleep(60).wait()
    assert heard == [kind.activity.ActivityCancellationDetails(not_found=True)]


def test_closing_the_engine_stops_activities(kind: Kind) -> None:
    """Async activities are cancelled, threads are told, and both can ask why."""
    from playhead_engine import Engine

    heard: list[Any] = []
    ended = threading.Event()

    @kind.activity.defn(name="work")
    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            heard.append(kind.activity.is_worker_shutdown())
            raise

    @kind.activity.defn(name="in_thread", no_thread_cancel_exception=True)
    def in_thread() -> None:
        while not kind.activity.is_cancelled():
            time.sleep(0.01)
        heard.append(kind.activity.is_worker_shutdown())
        ended.set()

    with Engine(workflows=[StartsTwo], activities=[work, in_thread], clock="real") as engine:
        engine.start_workflow(StartsTwo.run, id="w").wait()
        engine.sleep(0.05).wait()
    assert ended.wait(10)
    assert heard == [True, True]


@workflow.defn
class StartsTwo:
    """Runs an activity on the loop and one in a thread."""

    @workflow.run
    async def run(self) -> None:
        """Wait for both."""
        await asyncio.gather(
            *(workflow.execute_activity(name, start_to_close_timeout=PATIENCE) for name in ("work", "in_thread"))
        )
