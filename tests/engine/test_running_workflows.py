"""Workflows from beginning to end: how they end, go on, are ended, what they know, and time."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from playhead_engine import activity, workflow
from playhead_engine.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from playhead_engine.engine.errors import WorkflowContinuedAsNewError, WorkflowFailureError
from playhead_engine.engine.executions import WorkflowExecutionStatus
from playhead_engine.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    is_cancelled_exception,
)
from tests.engine.running_engines import MakeEngine, make_engine

if TYPE_CHECKING:
    from playhead_engine import Engine

__all__ = ["make_engine"]

MINUTE = timedelta(minutes=1)
TIER = SearchAttributeKey.for_keyword("Tier")
STEP = SearchAttributeKey.for_int("Step")


@activity.defn
async def note(text: str) -> str:
    """Take a note."""
    return f"noted {text}"


@workflow.defn
class Worker:
    """Works for an hour, and cleans up if it must not."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        """Work."""
        try:
            await workflow.sleep(seconds)
        except asyncio.CancelledError:
            said = await workflow.execute_activity(note, "cleaned", start_to_close_timeout=MINUTE)
            await workflow.sleep(5)
            if seconds == 7:
                return said
            raise
        return "done"


def why(handle: Any) -> BaseException:
    """Why a workflow did not end well."""
    with pytest.raises(WorkflowFailureError) as caught:
        handle.result().wait()
    return caught.value.cause


def kinds_of(engine: Engine, workflow_id: str) -> list[str]:
    """The kinds of the events of the newest run."""
    return [event.KIND for event in engine.get_workflow_handle(workflow_id).fetch_history().wait().events]


def status(engine: Engine, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Where a workflow stands."""
    return engine.get_workflow_handle(workflow_id).describe().wait().status


# Being ended


def test_a_cancelled_workflow_cleans_up(make_engine: MakeEngine) -> None:
    """Cancelling interrupts what the workflow awaits; what it does then takes the time it takes; then it is
    cancelled."""
    engine = make_engine(Worker, note)
    handle = engine.start_workflow(Worker.run, 3600, id="w").wait()
    engine.sleep(10).wait()
    began = engine.now()
    handle.cancel(reason="no longer needed").wait()
    assert isinstance(why(handle), CancelledError)
    assert engine.now() - began == timedelta(seconds=5)
    assert status(engine, "w") is WorkflowExecutionStatus.CANCELED
    assert kinds_of(engine, "w")[-1] == "WORKFLOW_EXECUTION_CANCELED"


def test_a_workflow_may_return_although_it_was_cancelled(make_engine: MakeEngine) -> None:
    """A workflow that catches the cancellation and returns is completed."""
    engine = make_engine(Worker, note)
    handle = engine.start_workflow(Worker.run, 7, id="w").wait()
    handle.cancel().wait()
    assert handle.result().wait() == "noted cleaned"


def test_a_terminated_workflow_does_nothing_more(make_engine: MakeEngine) -> None:
    """Terminating ends the run at once, with the reason and the details, and no code runs."""
    engine = make_engine(Worker, note)
    handle = engine.start_workflow(Worker.run, 3600, id="w").wait()
    engine.sleep(10).wait()
    handle.terminate("a detail", 2, reason="fire").wait()
    error = why(handle)
    assert isinstance(error, TerminatedError)
    assert "fire" in str(error)
    assert list(error.details) == ["a detail", 2]
    assert "ACTIVITY_TASK_SCHEDULED" not in kinds_of(engine, "w")


@pytest.mark.parametrize("which", ["run_timeout", "execution_timeout"])
def test_a_workflow_that_takes_too_long_times_out(make_engine: MakeEngine, which: str) -> None:
    """A run or an execution that is over its time is ended without being asked."""
    engine = make_engine(Worker, note)
    began = engine.now()
    options: Any = {which: MINUTE}
    handle = engine.start_workflow(Worker.run, 3600, id="w", **options).wait()
    assert isinstance(why(handle), TimeoutError)
    assert engine.now() - began == MINUTE
    assert status(engine, "w") is WorkflowExecutionStatus.TIMED_OUT


# Trying again, going on


@workflow.defn
class Stubborn:
    """Fails until the third attempt."""

    @workflow.run
    async def run(self, kind: str) -> int:
        """Fail, or tell the attempt."""
        attempt = workflow.info().attempt
        if attempt < 3:
            raise ApplicationError(f"attempt {attempt}", type=kind)
        return attempt


@workflow.defn
class Chain:
    """Continues as new until nothing is left."""

    @workflow.run
    async def run(self, left: int) -> list[Any]:
        """Go on."""
        await workflow.sleep(60)
        if left:
            workflow.continue_as_new(left - 1)
        info = workflow.info()
        return [info.attempt, info.continued_run_id is not None, info.first_execution_run_id != info.run_id]


def test_a_workflow_is_tried_again_by_its_policy(make_engine: MakeEngine) -> None:
    """With a retry policy a failed workflow begins again in a new run, after its backoff."""
    engine = make_engine(Stubborn)
    began = engine.now()
    handle = engine.start_workflow(Stubborn.run, "x", id="s", retry_policy=RetryPolicy()).wait()
    assert handle.result().wait() == 3
    assert engine.now() - began == timedelta(seconds=1 + 2)
    assert engine.count_workflows("WorkflowId = 's'").wait().count == 3


def test_a_workflow_is_not_tried_again_without_end(make_engine: MakeEngine) -> None:
    """Maximum attempts, types that are not to be retried and having no policy make the failure final."""
    engine = make_engine(Stubborn)
    policies = (RetryPolicy(maximum_attempts=2), 2), (RetryPolicy(non_retryable_error_types=["x"]), 1), (None, 1)
    for number, (policy, runs) in enumerate(policies):
        handle = engine.start_workflow(Stubborn.run, "x", id=f"s{number}", retry_policy=policy).wait()
        error = why(handle)
        assert isinstance(error, ApplicationError)
        assert (error.type, error.message) == ("x", f"attempt {runs}")
        assert engine.count_workflows(f"WorkflowId = 's{number}'").wait().count == runs


def test_a_result_is_that_of_the_last_run(make_engine: MakeEngine) -> None:
    """Waiting for a workflow that continues as new waits for the end of the chain, unless one asks for the run."""
    engine = make_engine(Chain)
    handle = engine.start_workflow(Chain.run, 3, id="c").wait()
    first = handle.result_run_id
    assert handle.result().wait() == [1, True, True]
    assert engine.count_workflows("ExecutionStatus = 'ContinuedAsNew'").wait().count == 3
    with pytest.raises(WorkflowContinuedAsNewError) as caught:
        engine.get_workflow_handle("c", run_id=first).result(follow_runs=False).wait()
    assert caught.value.new_execution_run_id != first


# What a workflow knows


@workflow.defn
class Knows:
    """Tells what it knows, and changes what it is found by."""

    @workflow.run
    async def run(self, number: int) -> dict[str, Any]:
        """Tell."""
        info = workflow.info()
        before = info.get_current_history_length()
        workflow.upsert_memo({"added": number, "gone": None})
        workflow.upsert_search_attributes([STEP.value_set(number)])
        await workflow.sleep(1)
        return {
            "ids": [info.workflow_id, info.workflow_type, info.task_queue, info.attempt, info.namespace],
            "parent": info.parent,
            "times": [info.run_timeout == MINUTE, (workflow.now() - info.start_time).total_seconds()],
            "grew": before < info.get_current_history_length(),
            "size": info.get_current_history_size() > 0,
            "suggested": info.is_continue_as_new_suggested(),
            "memo": dict(workflow.memo()),
            "tier": info.typed_search_attributes[TIER],
        }


def test_a_workflow_knows_itself(make_engine: MakeEngine) -> None:
    """`workflow.info()`, memo and search attributes say how it was started, and what became of it."""
    engine = make_engine(Knows)
    handle = engine.start_workflow(
        Knows.run,
        5,
        id="k",
        task_queue="q",
        run_timeout=MINUTE,
        memo={"given": [1], "gone": True},
        search_attributes=TypedSearchAttributes([SearchAttributePair(TIER, "gold")]),
    ).wait()
    assert handle.result().wait() == {
        "ids": ["k", "Knows", "q", 1, "default"],
        "parent": None,
        "times": [True, 1],
        "grew": True,
        "size": True,
        "suggested": False,
        "memo": {"given": [1], "added": 5},
        "tier": "gold",
    }
    described = handle.describe().wait()
    assert described.memo == {"given": [1], "added": 5}
    assert described.typed_search_attributes[STEP] == 5


# Replay while it runs


@workflow.defn
class Chatty:
    """Draws, logs and takes a patch, over many tasks."""

    @workflow.run
    async def run(self) -> list[str]:
        """Draw and log."""
        drawn: list[str] = []
        for number in range(5):
            workflow.logger.info("step %d", number)
            drawn.append(f"{workflow.uuid4()} {workflow.random().random()} {workflow.patched('p')}")
            await workflow.sleep(1)
        return drawn


@pytest.mark.parametrize("cached", [1000, 1, 0])
def test_replay_in_between_changes_nothing(
    make_engine: MakeEngine, caplog: pytest.LogCaptureFixture, cached: int
) -> None:
    """With no code kept between tasks every task replays: what was drawn is drawn again, and logs are written once."""
    engine = make_engine(Chatty, max_cached_workflows=cached)
    with caplog.at_level(logging.INFO):
        other = engine.start_workflow(Chatty.run, id="other").wait()
        drawn = engine.execute_workflow(Chatty.run, id="c").wait()
        other.result().wait()
    assert len(set(drawn)) == 5
    assert all(one.endswith("True") for one in drawn)
    texts = [record.getMessage() for record in caplog.records if record.getMessage().startswith("step")]
    assert len(texts) == 10
    with make_engine(Chatty) as again:
        again.start_workflow(Chatty.run, id="other").wait()
        assert again.execute_workflow(Chatty.run, id="c").wait() == drawn


def test_a_patch_is_new_for_new_runs_and_old_for_old_ones(make_engine: MakeEngine, tmp_path: Any) -> None:
    """A run that began before the patch goes on as it was, also when its new code replays it."""
    path = tmp_path / "kept"
    with make_engine(Before, note, path=path, seed=None) as engine:
        engine.start_workflow(Before.run, id="old").wait()
        engine.sleep(1).wait()
    with make_engine(After, note, path=path, seed=None) as engine:
        assert engine.get_workflow_handle("old").result().wait() == "noted old"
        assert engine.execute_workflow(After.run, id="new").wait() == "noted new"


@workflow.defn(name="Patched")
class Before:
    """Before the patch."""

    @workflow.run
    async def run(self) -> str:
        """Take a note, later."""
        await workflow.execute_activity(note, "begun", start_to_close_timeout=MINUTE)
        await workflow.sleep(3600)
        return await workflow.execute_activity(note, "old", start_to_close_timeout=MINUTE)


@workflow.defn(name="Patched")
class After:
    """After the patch."""

    @workflow.run
    async def run(self) -> str:
        """Take another note."""
        if not workflow.patched("no more beginnings"):
            await workflow.execute_activity(note, "begun", start_to_close_timeout=MINUTE)
            await workflow.sleep(3600)
            return await workflow.execute_activity(note, "old", start_to_close_timeout=MINUTE)
        return await workflow.execute_activity(note, "new", start_to_close_timeout=MINUTE)


# Time


@workflow.defn
class Year:
    """Sleeps thirty days, twelve times."""

    @workflow.run
    async def run(self) -> float:
        """Sleep through the year."""
        began = workflow.now()
        for _ in range(12):
            await workflow.sleep(timedelta(days=30))
        return (workflow.now() - began) / timedelta(days=1)


def test_a_year_passes_in_milliseconds(make_engine: MakeEngine) -> None:
    """On the virtual clock a year of sleeping takes no time to speak of."""
    engine = make_engine(Year)
    engine.execute_workflow(Year.run).wait()
    began = time.perf_counter()
    assert engine.execute_workflow(Year.run).wait() == 360
    assert time.perf_counter() - began < 30


# asyncio, as users write it


async def later(seconds: float, value: Any) -> Any:
    """Return or raise something, later."""
    await asyncio.sleep(seconds)
    if isinstance(value, Exception):
        raise value
    return value


@workflow.defn
class Gathers:
    """gather, wait, as_completed."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Wait for several."""
        found: list[Any] = [await asyncio.gather(later(3, "a"), later(1, "b"), later(2, "c"))]
        errors = await asyncio.gather(later(1, ValueError("x")), later(2, 1), return_exceptions=True)
        found.append([type(error).__name__ for error in errors])
        tasks = [asyncio.create_task(later(seconds, seconds)) for seconds in (3, 1, 2)]
        done, pending = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        found.append([len(done), len(pending)])
        found.append([await one for one in workflow.as_completed([later(seconds, seconds) for seconds in (3, 1, 2)])])
        return found


@workflow.defn
class Groups:
    """TaskGroup, timeout, wait_for, shield."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Fail together, and give up in time."""
        found: list[Any] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(later(1, ValueError("x")))
                slow = group.create_task(later(100, 1))
        except* ValueError as errors:
            found.append([len(errors.exceptions), slow.cancelled()])
        try:
            async with asyncio.timeout(5):
                await later(100, 1)
        except TimeoutError_:
            found.append("timeout")
        try:
            await asyncio.wait_for(later(100, 1), 5)
        except TimeoutError_:
            found.append("wait_for")
        kept = asyncio.create_task(later(10, "kept"))
        outer = asyncio.ensure_future(asyncio.shield(kept))
        await asyncio.sleep(1)
        outer.cancel()
        found.append(await kept)
        found.append(workflow.time() - workflow.info().start_time.timestamp())
        return found


TimeoutError_ = asyncio.TimeoutError


@workflow.defn
class Locks:
    """Lock, Event, Semaphore, Condition, Queue."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Take turns."""
        lock, event, slots, queue = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2), asyncio.Queue[int](1)
        order: list[str] = []

        async def one(name: str) -> None:
            await event.wait()
            async with slots:
                order.append(f"{name} in")
                async with lock:
                    await asyncio.sleep(1)
                await queue.put(len(order))
            order.append(f"{name} out")

        tasks = [asyncio.create_task(one(name)) for name in "abc"]
        await asyncio.sleep(1)
        order.append("go")
        event.set()
        taken = [await queue.get() for _ in tasks]
        await asyncio.gather(*tasks)
        return [order, taken]


def test_gather_wait_and_as_completed(make_engine: MakeEngine) -> None:
    """Several things at once are awaited in all the ways that asyncio has."""
    found = make_engine(Gathers, max_cached_workflows=0).execute_workflow(Gathers.run).wait()
    assert found == [["a", "b", "c"], ["ValueError", "int"], [1, 2], [1, 2, 3]]


def test_groups_timeouts_and_shields(make_engine: MakeEngine) -> None:
    """A failing group cancels the rest, timeouts interrupt, and what is shielded goes on."""
    found = make_engine(Groups, max_cached_workflows=0).execute_workflow(Groups.run).wait()
    assert found == [[1, True], "timeout", "wait_for", "kept", 1 + 5 + 5 + 10]


def test_locks_events_semaphores_and_queues(make_engine: MakeEngine) -> None:
    """asyncio's primitives let tasks wait for each other, in the order in which they came."""
    found = make_engine(Locks, max_cached_workflows=0).execute_workflow(Locks.run).wait()
    assert found == [["go", "a in", "b in", "a out", "c in", "b out", "c out"], [3, 5, 6]]


@workflow.defn
class Shields:
    """Cleans up under a shield although it is cancelled twice."""

    @workflow.run
    async def run(self) -> str:
        """Work until cancelled."""
        try:
            await workflow.sleep(1000)
        except asyncio.CancelledError as error:
            assert is_cancelled_exception(error)
            return await asyncio.shield(workflow.start_activity(note, "shielded", start_to_close_timeout=MINUTE))
        return "slept"


def test_clean_up_under_a_shield(make_engine: MakeEngine) -> None:
    """What is shielded runs to its end in a cancelled workflow."""
    engine = make_engine(Shields, note)
    handle = engine.start_workflow(Shields.run, id="s").wait()
    engine.sleep(1).wait()
    handle.cancel().wait()
    assert handle.result().wait() == "noted shielded"
