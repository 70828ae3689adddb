"""What a client of an engine can ask: start, find, describe, reset, wait; and what it is told when that cannot be."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from playhead_engine import Engine, activity, workflow
from playhead_engine.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from playhead_engine.engine.errors import (
    NothingDueError,
    WorkflowFailureError,
    WorkflowNotFoundError,
    WorkflowTaskKeepsFailingError,
)
from playhead_engine.engine.executions import WorkflowExecutionStatus
from playhead_engine.engine.handles import WorkflowHandle
from playhead_engine.engine.list_filter import BadFilter
from playhead_engine.exceptions import ApplicationError, TerminatedError, WorkflowAlreadyStartedError
from playhead_engine.server.resets import CannotReset
from tests.engine.running_engines import MakeEngine, make_engine

__all__ = ["make_engine"]

MINUTE = timedelta(minutes=1)
Reuse, Conflict = WorkflowIDReusePolicy, WorkflowIDConflictPolicy
TIER = SearchAttributeKey.for_keyword("Tier")
SIZE = SearchAttributeKey.for_int("Size")


@activity.defn
async def note(text: str) -> str:
    """Take a note."""
    return f"noted {text}"


@workflow.defn
class Order:
    """Ends as it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, how: str) -> list[str]:
        """Do it."""
        if how == "fail":
            raise ApplicationError("failed")
        if how == "wait":
            await workflow.wait_condition(lambda: len(self.words) > 0)
        if how == "notes":
            for number in range(3):
                self.words.append(await workflow.execute_activity(note, f"{number}", start_to_close_timeout=MINUTE))
            await workflow.sleep(100)
        return self.words

    @workflow.signal
    def say(self, word: str) -> None:
        """Hear."""
        self.words.append(word)


# Starting


def ended(engine: Engine, how: str) -> str:
    """Run a workflow to its end, and tell its run id."""
    handle = engine.start_workflow(Order.run, how, id="o").wait()
    try:
        handle.result().wait()
    except WorkflowFailureError:
        assert how == "fail"
    return handle.describe().wait().run_id


@pytest.mark.parametrize(
    ("policy", "after_success", "after_failure"),
    [
        (Reuse.ALLOW_DUPLICATE, True, True),
        (Reuse.ALLOW_DUPLICATE_FAILED_ONLY, False, True),
        (Reuse.REJECT_DUPLICATE, False, False),
    ],
)
def test_the_id_of_a_closed_workflow(
    make_engine: MakeEngine, policy: WorkflowIDReusePolicy, after_success: bool, after_failure: bool
) -> None:
    """The reuse policy says whether the id of a workflow that has ended, well or not, can be used again."""
    for how, allowed in ("succeed", after_success), ("fail", after_failure):
        engine = make_engine(Order)
        first = ended(engine, how)
        operation = engine.start_workflow(Order.run, "wait", id="o", id_reuse_policy=policy)
        if allowed:
            assert operation.wait().describe().wait().run_id != first
        else:
            with pytest.raises(WorkflowAlreadyStartedError) as caught:
                operation.wait()
            assert (caught.value.workflow_id, caught.value.workflow_type) == ("o", "Order")


def test_the_id_of_an_open_workflow(make_engine: MakeEngine) -> None:
    """The conflict policy says what becomes of a start under the id of a workflow that runs."""
    engine = make_engine(Order)
    first = engine.start_workflow(Order.run, "wait", id="o").wait().result_run_id
    with pytest.raises(WorkflowAlreadyStartedError, match="o"):
        engine.start_workflow(Order.run, "wait", id="o").wait()
    same = engine.start_workflow(Order.run, "wait", id="o", id_conflict_policy=Conflict.USE_EXISTING).wait()
    assert same.result_run_id == first
    other = engine.start_workflow(Order.run, "wait", id="o", id_conflict_policy=Conflict.TERMINATE_EXISTING).wait()
    assert other.result_run_id != first
    old = engine.get_workflow_handle("o", run_id=first)
    assert old.describe().wait().status is WorkflowExecutionStatus.TERMINATED
    assert engine.count_workflows().wait().count == 2


def test_signal_with_start(make_engine: MakeEngine) -> None:
    """A start with a signal starts the workflow, or signals the one that runs."""
    engine = make_engine(Order)
    engine.start_workflow(Order.run, "wait", id="running").wait()
    told = engine.start_workflow(Order.run, "wait", id="running", start_signal="say", start_signal_args=["1"]).wait()
    assert told.result().wait() == ["1"]
    new = engine.start_workflow(Order.run, "wait", id="new", start_signal=Order.say, start_signal_args=["2"]).wait()
    assert new.result().wait() == ["2"]
    assert engine.count_workflows().wait().count == 2


def test_the_signal_of_a_start_does_not_cut_its_delay_short(make_engine: MakeEngine) -> None:
    """A signal with the start waits as long as the start; a signal that comes later begins the workflow at once."""
    engine = make_engine(Order)
    began = engine.now()
    options: Any = {"start_signal": "say", "start_signal_args": ["first"], "start_delay": MINUTE}
    engine.start_workflow(Order.run, "wait", id="a", **options).wait().result().wait()
    assert engine.now() - began == MINUTE
    handle = engine.start_workflow(Order.run, "wait", id="b", **options).wait()
    handle.signal(Order.say, "second").wait()
    assert handle.result().wait() == ["first", "second"]
    assert engine.now() - began == MINUTE


def test_a_start_can_be_delayed(make_engine: MakeEngine) -> None:
    """The first workflow task of a delayed start comes when the delay is over."""
    engine = make_engine(Order)
    began = engine.now()
    engine.execute_workflow(Order.run, "now", start_delay=MINUTE).wait()
    assert engine.now() - began == MINUTE


def test_a_workflow_that_there_is_no_code_for_waits_for_it(make_engine: MakeEngine) -> None:
    """A type that is not registered is started, and whoever waits is told that its code is missing."""
    engine = make_engine(Order)
    handle = engine.start_workflow("Ordre", "x", id="o").wait()
    with pytest.raises(NothingDueError, match="no workflow of type 'Ordre' is registered"):
        handle.result().wait()


# Finding


def some_runs(make_engine: MakeEngine) -> Engine:
    """An engine with runs of several kinds."""
    engine = make_engine(Order, Other)
    for number, how in enumerate(["succeed", "fail", "wait"]):
        attributes = TypedSearchAttributes(
            [SearchAttributePair(TIER, how.upper()), SearchAttributePair(SIZE, 10 * number)]
        )
        engine.start_workflow(Order.run, how, id=f"order-{number}", search_attributes=attributes).wait()
        engine.sleep(MINUTE).wait()
    engine.execute_workflow(Other.run, id="it's other").wait()
    return engine


@workflow.defn
class Other:
    """Of another type."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (None, "o210"),
        ("WorkflowType = 'Order'", "210"),
        ("WorkflowType != 'Order'", "o"),
        ("ExecutionStatus = 'Running'", "2"),
        ("ExecutionStatus IN ('Completed', 'Failed')", "o10"),
        ("WorkflowId STARTS_WITH 'order-' AND NOT ExecutionStatus = 'Failed'", "20"),
        ("WorkflowId = 'it''s other' OR Tier = 'FAIL'", "o1"),
        ("Size >= 10 AND Size < 20", "1"),
        ("Size BETWEEN 5 AND 25 ORDER BY Size ASC", "12"),
        ("(Tier = 'WAIT' or Tier = 'FAIL') and CloseTime is null", "2"),
        ("Tier IS NOT NULL ORDER BY StartTime", "012"),
        ("StartTime > '2030-01-01T00:01:30Z'", "o2"),
        ("WorkflowType = 'order'", ""),
    ],
)
def test_filters(make_engine: MakeEngine, query: str | None, wanted: str) -> None:
    """A filter finds the runs it means, newest first unless it says otherwise, and counts as many."""
    engine = some_runs(make_engine)
    found = "".join("o" if run.id == "it's other" else run.id[-1] for run in engine.list_workflows(query).wait())
    assert found == wanted
    assert engine.count_workflows(query).wait().count == len(wanted)


@pytest.mark.parametrize(
    ("query", "problem", "position"),
    [
        ("WorkflowType = ", "expected a value", 14),
        ("WorkflowType 'Order'", "expected a comparison after WorkflowType", 13),
        ("ExecutionStatus = 'Runing'", "there is no status 'Runing'; there are: Running, Completed", 18),
        ("StartTime > 'yesterday'", "yesterday", 12),
        ("(WorkflowId = 'a'", r"expected \)", 17),
        ("WorkflowId = 'a' AND", "expected a name", 20),
        ("WorkflowId = 'a' 'b'", "expected AND, OR, ORDER BY or the end", 17),
        ("WorkflowId = 'a", "unexpected", 13),
        ("WorkflowId IN 'a'", r"expected \(", 14),
    ],
)
def test_a_filter_that_cannot_be_read(query: str, problem: str, position: int) -> None:
    """A wrong filter is refused with what is wrong, and where."""
    with Engine() as engine:
        for operation in engine.list_workflows(query), engine.count_workflows(query):
            with pytest.raises(BadFilter, match=problem) as caught:
                operation.wait()
            assert caught.value.position == position
            assert str(caught.value).endswith(" " * position + "^")


@pytest.mark.parametrize("query", ["Sise > 10", "WorkflowTyp = 'Order'", "ExecutionStatus = 3.5", "StartTime > true"])
def test_a_filter_never_ends_in_a_traceback(make_engine: MakeEngine, query: str) -> None:
    """A filter that means nothing finds nothing, or says what is wrong with it."""
    engine = some_runs(make_engine)
    try:
        assert engine.list_workflows(query).wait() == []
    except BadFilter as error:
        assert query in str(error)


# Handles


def test_what_a_description_says(make_engine: MakeEngine) -> None:
    """A description tells where a run stands, when it was started and ended, and what it waits for."""
    engine = make_engine(Order, note)
    handle = engine.start_workflow(Order.run, "wait", id="o", task_queue="q").wait()
    engine.sleep(5).wait()
    open_run = handle.describe().wait()
    assert (open_run.status, open_run.close_time, open_run.task_queue) == (WorkflowExecutionStatus.RUNNING, None, "q")
    assert open_run.history_length == len(handle.fetch_history().wait().events)
    assert "condition" in open_run.waits_for[0]
    handle.signal(Order.say, "go").wait()
    handle.result().wait()
    closed = handle.describe().wait()
    assert closed.status is WorkflowExecutionStatus.COMPLETED
    assert closed.close_time is not None
    assert closed.close_time - closed.start_time == timedelta(seconds=5)
    assert closed.waits_for == ()


def test_pending_work_is_described(make_engine: MakeEngine) -> None:
    """A description lists activities under way, with their attempts and last failures."""
    engine = make_engine(Asks)
    handle = engine.start_workflow(Asks.run, id="a").wait()
    with pytest.raises(NothingDueError, match="activity 'missing'.*not registered; registered are: none"):
        handle.result().wait()
    pending = handle.describe().wait().pending_activities
    assert [(one.activity_type, one.attempt) for one in pending] == [("missing", 1)]


@workflow.defn
class Asks:
    """Asks for an activity that nobody has."""

    @workflow.run
    async def run(self) -> None:
        """Ask."""
        await workflow.execute_activity("missing", start_to_close_timeout=MINUTE)


def test_a_handle_of_one_run(make_engine: MakeEngine) -> None:
    """A handle with a run id means that run, one without means the newest."""
    engine = make_engine(Order)
    first = ended(engine, "succeed")
    second = ended(engine, "fail")
    assert engine.get_workflow_handle("o").describe().wait().run_id == second
    assert engine.get_workflow_handle("o", run_id=first).result().wait() == []
    typed = engine.get_workflow_handle_for(Order.run, "o", run_id=first)
    assert typed.result().wait() == []
    assert typed.fetch_history().wait().run_id == first


def test_a_workflow_that_does_not_exist(make_engine: MakeEngine) -> None:
    """Whatever is asked of a workflow that does not exist, the answer says which one that is."""
    engine = make_engine(Order)
    handle = engine.get_workflow_handle("nobody")
    operations: list[Any] = [
        handle.result(),
        handle.signal("say", "x"),
        handle.query("q"),
        handle.execute_update("u"),
        handle.cancel(),
        handle.terminate(),
        handle.describe(),
        handle.fetch_history(),
        engine.reset_workflow("nobody", 4),
    ]
    for operation in operations:
        with pytest.raises(WorkflowNotFoundError, match="there is no workflow 'nobody'"):
            operation.wait()
    run = engine.get_workflow_handle("nobody", run_id="r")
    with pytest.raises(WorkflowNotFoundError, match="there is no run r of workflow 'nobody'"):
        run.describe().wait()


def test_a_closed_workflow_cannot_be_ended_again(make_engine: MakeEngine) -> None:
    """Cancelling and terminating a workflow that has ended say so."""
    engine = make_engine(Order)
    ended(engine, "succeed")
    handle = engine.get_workflow_handle("o")
    for operation in handle.cancel(), handle.terminate():
        with pytest.raises(WorkflowNotFoundError, match="has closed already"):
            operation.wait()


# Resetting


def test_a_reset_forgets_what_came_after_but_keeps_signals(make_engine: MakeEngine) -> None:
    """A reset run goes on from the workflow task that was named, in a new run; the old one is terminated."""
    engine = make_engine(Order, note)
    handle = engine.start_workflow(Order.run, "notes", id="o").wait()
    engine.sleep(5).wait()
    handle.signal(Order.say, "kept").wait()
    engine.sleep(1).wait()
    first = handle.describe().wait()
    events = handle.fetch_history().wait().events
    tasks = [event.event_id for event in events if event.KIND == "WORKFLOW_TASK_COMPLETED"]
    again = engine.reset_workflow("o", tasks[1], reason="once more").wait()
    assert again.run_id not in (None, first.run_id)
    assert sorted(again.result().wait()) == ["kept", "noted 0", "noted 1", "noted 2"]
    with pytest.raises(WorkflowFailureError) as caught:
        engine.get_workflow_handle("o", run_id=first.run_id).result(follow_runs=False).wait()
    assert isinstance(caught.value.cause, TerminatedError)


def test_a_closed_workflow_can_be_reset(make_engine: MakeEngine) -> None:
    """A workflow that has ended begins again when it is reset."""
    engine = make_engine(Order, note)
    ended(engine, "notes")
    again = engine.reset_workflow("o", 4).wait()
    assert again.describe().wait().status is WorkflowExecutionStatus.RUNNING
    assert again.result().wait() == ["noted 0", "noted 1", "noted 2"]


@pytest.mark.parametrize("event_id", [1, 5, 99, 0, -1])
def test_only_workflow_tasks_can_be_reset_to(make_engine: MakeEngine, event_id: int) -> None:
    """An event that is no workflow task's is refused, and nothing happens."""
    engine = make_engine(Order, note)
    ended(engine, "notes")
    with pytest.raises(CannotReset, match=str(event_id)):
        engine.reset_workflow("o", event_id).wait()
    assert engine.count_workflows().wait().count == 1


# Waiting


def test_one_api_for_both_worlds(make_engine: MakeEngine) -> None:
    """What can be waited for can be awaited, on the same engine, and `wait` in async code says what to do instead."""
    engine = make_engine(Order)
    assert engine.execute_workflow(Order.run, "now").wait() == []

    async def in_async_code() -> list[str]:
        with pytest.raises(RuntimeError, match="await the operation instead"):
            engine.count_workflows().wait()
        found = [run.id async for run in engine.list_workflows()]
        assert len(found) == 1
        return await engine.execute_workflow(Order.run, "now")

    assert asyncio.run(in_async_code()) == []


def test_async_code_shares_the_virtual_clock(make_engine: MakeEngine) -> None:
    """Async clients of a virtual engine wait for years in no time, each for its own workflow."""

    async def clients() -> list[float]:
        async with make_engine(Sleeper) as engine:
            days = [400, 3, 30]
            return list(await asyncio.gather(*(engine.execute_workflow(Sleeper.run, day) for day in days)))

    began = time.perf_counter()
    assert asyncio.run(clients()) == [400, 3, 30]
    assert time.perf_counter() - began < 30


@workflow.defn
class Sleeper:
    """Sleeps for days."""

    @workflow.run
    async def run(self, days: float) -> float:
        """Sleep."""
        began = workflow.now()
        await workflow.sleep(timedelta(days=days))
        return (workflow.now() - began) / timedelta(days=1)


def test_the_real_clock(make_engine: MakeEngine) -> None:
    """With the real clock a sleep takes its time, waited for and awaited."""
    tenth = 0.1 / 86400
    began = time.perf_counter()
    make_engine(Sleeper, clock="real").execute_workflow(Sleeper.run, tenth).wait()

    async def client() -> None:
        async with make_engine(Sleeper, clock="real") as engine, asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(_awaited(engine.execute_workflow(Sleeper.run, tenth)))

    asyncio.run(client())
    assert 0.2 <= time.perf_counter() - began < 30


async def _awaited(operation: Any) -> Any:
    return await operation


def test_a_standstill_names_all_that_is_awaited(make_engine: MakeEngine) -> None:
    """When nothing can ever happen again, each waiting client is told what every awaited workflow waits for."""

    async def clients() -> list[Any]:
        async with make_engine(Order, Asks, note, patience=0.05) as engine:
            handles: list[WorkflowHandle[Any, Any]] = [
                await engine.start_workflow(Order.run, "wait", id="first"),
                await engine.start_workflow(Asks.run, id="second"),
            ]
            return list(await asyncio.gather(*(_awaited(one.result()) for one in handles), return_exceptions=True))

    said = [str(error) for error in asyncio.run(clients())]
    assert "workflow 'first' (Order) waits for:" in said[0]
    assert "test_running_clients.py:" in said[0]
    assert "'second'" in said[0]
    assert "activity 'missing'" in said[1]
    assert "registered are: note" in said[1]


# Code that fails


@workflow.defn
class Broken:
    """Has a bug."""

    @workflow.run
    async def run(self, price: int) -> float:
        """Divide by zero."""
        await workflow.sleep(1)
        return 100 / price  # the line


def test_a_failing_workflow_task_is_named(make_engine: MakeEngine) -> None:
    """An error that fails no workflow is told to whoever waits, with the line that raised it; the run stays open."""
    engine = make_engine(Broken)
    handle = engine.start_workflow(Broken.run, 0, id="b").wait()
    with pytest.raises(WorkflowTaskKeepsFailingError, match="ZeroDivisionError: division by zero") as caught:
        handle.result().wait()
    lines = Path(__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("  # the line"))
    assert f"test_running_clients.py:{line}" in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    described = handle.describe().wait()
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert isinstance(described.task_failure, ZeroDivisionError)
    kinds = [event.KIND for event in handle.fetch_history().wait().events]
    assert kinds.count("WORKFLOW_TASK_FAILED") == 1


# Limits


@workflow.defn
class Endless:
    """Never stops on its own."""

    @workflow.run
    async def run(self) -> None:
        """Sleep and sleep."""
        while True:
            await workflow.sleep(1)


def test_a_history_that_grows_too_long_is_ended(make_engine: MakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    """A run is warned of at one length of its history, once, and terminated at another."""
    engine = make_engine(Endless, history_warn_events=50, history_max_events=100)
    handle = engine.start_workflow(Endless.run, id="e").wait()
    with caplog.at_level(logging.WARNING), pytest.raises(WorkflowFailureError) as caught:
        handle.result().wait()
    assert isinstance(caught.value.cause, TerminatedError)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in said if "workflow e (Endless) has 5" in text and "terminated at 100" in text]) == 1
    assert "history" in str(caught.value.cause)
    length = len(handle.fetch_history().wait().events)
    assert 100 <= length <= 106


def test_a_history_that_grows_too_large_is_ended(make_engine: MakeEngine) -> None:
    """A run is terminated when its history has too many bytes."""
    engine = make_engine(Endless, history_max_bytes=20_000)
    with pytest.raises(WorkflowFailureError, match="(?i)bytes|size|large"):
        engine.execute_workflow(Endless.run, id="e").wait()
    assert len(engine.get_workflow_handle("e").fetch_history().wait().to_json()) < 30_000


# On disk


def test_an_engine_opened_again_shows_the_same(tmp_path: Path) -> None:
    """What was on disk is there again: the same runs, histories and results; what was open goes on."""
    with Engine(tmp_path, workflows=[Order], activities=[note], clock="virtual") as engine:
        engine.execute_workflow(Order.run, "now", id="done").wait()
        engine.start_workflow(Order.run, "wait", id="open").wait()
        engine.start_workflow(Order.run, "notes", id="asleep").wait()
        engine.sleep(10).wait()
        before = {
            run.id: [run.run_id, run.status, engine.get_workflow_handle(run.id).fetch_history().wait().to_json()]
            for run in engine.list_workflows().wait()
        }
        was = engine.now()
    with Engine(tmp_path, workflows=[Order], activities=[note], clock="virtual") as engine:
        after = {
            run.id: [run.run_id, run.status, engine.get_workflow_handle(run.id).fetch_history().wait().to_json()]
            for run in engine.list_workflows().wait()
        }
        assert after == before
        assert engine.now() <= was
        assert engine.get_workflow_handle("done").result().wait() == []
        engine.get_workflow_handle("open").signal(Order.say, "go on").wait()
        assert engine.get_workflow_handle("open").result().wait() == ["go on"]
        assert engine.get_workflow_handle("asleep").result().wait() == ["noted 0", "noted 1", "noted 2"]
        exported = json.loads(engine.get_workflow_handle("asleep").fetch_history().wait().to_json())
        assert [int(event["eventId"]) for event in exported["events"]] == list(range(1, len(exported["events"]) + 1))


def test_a_seeded_engine_opened_again_makes_new_ids(tmp_path: Path) -> None:
    """A seed does not make an engine that is opened again repeat the ids of the runs it has."""
    for number in range(3):
        with Engine(tmp_path, workflows=[Order], clock="virtual", seed=1) as engine:
            engine.execute_workflow(Order.run, "now", id=f"o{number}").wait()
            assert engine.count_workflows().wait().count == number + 1
