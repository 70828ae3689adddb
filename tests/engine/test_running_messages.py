"""Signals, queries, updates and conditions: what a client says to a workflow while it runs, and after."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import activity, workflow
from playhead_engine.common import QueryRejectCondition, RawValue
from playhead_engine.engine.errors import (
    NothingDueError,
    WorkflowNotFoundError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
)
from playhead_engine.engine.handles import WorkflowUpdateStage
from playhead_engine.exceptions import ApplicationError
from tests.engine.running_engines import MakeEngine, make_engine

__all__ = ["make_engine"]

MINUTE = timedelta(minutes=1)
ACCEPTED, COMPLETED = WorkflowUpdateStage.ACCEPTED, WorkflowUpdateStage.COMPLETED


@activity.defn
async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@workflow.defn
class Account:
    """A sum of money that clients talk to."""

    def __init__(self) -> None:
        self.total = 0
        self.log: list[str] = []
        self.is_closed = False

    @workflow.run
    async def run(self) -> int:
        """Wait until it is closed."""
        await workflow.wait_condition(lambda: self.is_closed and workflow.all_handlers_finished())
        return self.total

    @workflow.signal
    def pay_in(self, amount: int) -> None:
        """Add at once."""
        self.total += amount
        self.log.append(f"in {amount}")

    @workflow.signal(name="slowly")
    async def pay_in_slowly(self, amount: int) -> None:
        """Add after some work."""
        self.total += await workflow.execute_activity(double, amount, start_to_close_timeout=MINUTE)

    @workflow.signal(dynamic=True)
    def other(self, name: str, args: Sequence[RawValue]) -> None:
        """Note what else is said."""
        self.log.append(f"{name} {len(args)}")

    @workflow.signal
    def close(self) -> None:
        """Be closed."""
        self.is_closed = True

    @workflow.query
    def balance(self) -> int:
        """Tell the sum."""
        return self.total

    @workflow.query
    def last(self, count: int, mark: str = "-") -> str:
        """Tell what happened last."""
        return mark.join(self.log[-count:])

    @workflow.query
    def breaks(self) -> None:
        """Raise."""
        raise ApplicationError("cannot say")

    @workflow.query
    def meddles(self) -> None:
        """Try to do something."""
        workflow.start_activity(double, 1, start_to_close_timeout=MINUTE)

    @workflow.update
    def draw(self, amount: int) -> int:
        """Take out what is there."""
        self.total -= amount
        return self.total

    @draw.validator
    def check(self, amount: int) -> None:
        """Refuse what is not there."""
        if amount > self.total:
            raise ApplicationError("overdrawn", type="Overdrawn")

    @workflow.update
    async def transfer(self, amount: int) -> list[Any]:
        """Take out after some work, and tell which update this is."""
        info = workflow.current_update_info()
        assert info is not None
        doubled = await workflow.execute_activity(double, amount, start_to_close_timeout=MINUTE)
        await workflow.sleep(30)
        self.total -= doubled
        return [info.id, info.name, self.total]

    @workflow.update
    async def fails(self) -> None:
        """Raise after a while."""
        await workflow.sleep(1)
        raise ApplicationError("went wrong", type="Wrong")


# Signals


def test_signals_arrive_in_order(make_engine: MakeEngine) -> None:
    """Signals reach their handlers in the order in which they were sent."""
    with make_engine(Account, double) as engine:
        handle = engine.start_workflow(Account.run, id="a").wait()
        for amount in 1, 2, 3:
            handle.signal(Account.pay_in, amount).wait()
        assert handle.query(Account.last, args=[3, ", "]).wait() == "in 1, in 2, in 3"
        handle.signal(Account.close).wait()
        assert handle.result().wait() == 6


def test_a_signal_by_name_and_one_that_only_the_dynamic_handler_takes(make_engine: MakeEngine) -> None:
    """A handler may have another name than its method; what nobody else takes, the dynamic handler does."""
    engine = make_engine(Account, double)
    handle = engine.start_workflow(Account.run, id="a").wait()
    handle.signal("slowly", 4).wait()
    handle.signal("unheard of", args=[1, 2]).wait()
    handle.signal(Account.close).wait()
    assert handle.result().wait() == 8
    assert handle.query(Account.last, 1).wait() == "unheard of 2"


def test_a_closed_workflow_takes_no_signal(make_engine: MakeEngine) -> None:
    """A signal to a workflow that has ended says so."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a", start_signal=Account.close).wait()
    handle.result().wait()
    with pytest.raises(WorkflowNotFoundError, match="'a' has closed already: it is completed"):
        handle.signal(Account.pay_in, 1).wait()


# Queries


@pytest.mark.parametrize("cached", [1000, 0])
def test_queries_answer_whether_open_closed_or_forgotten(make_engine: MakeEngine, cached: int) -> None:
    """A query is answered while the workflow runs, after it has ended, and when its code has to be replayed first."""
    engine = make_engine(Account, double, max_cached_workflows=cached)
    handle = engine.start_workflow(Account.run, id="a").wait()
    assert handle.query(Account.balance).wait() == 0
    handle.signal(Account.pay_in, 5).wait()
    assert handle.query(Account.balance).wait() == 5
    before = len(handle.fetch_history().wait().events)
    assert handle.query("balance").wait() == 5
    assert len(handle.fetch_history().wait().events) == before
    handle.signal(Account.close).wait()
    handle.result().wait()
    assert handle.query(Account.balance).wait() == 5
    assert handle.query(Account.last, 1).wait() == "in 5"


def test_a_query_that_fails_says_why(make_engine: MakeEngine) -> None:
    """A query that raises, that does something, or that does not exist fails by itself and leaves the workflow
    alone."""
    engine = make_engine(Account, double)
    handle = engine.start_workflow(Account.run, id="a").wait()
    with pytest.raises(WorkflowQueryFailedError, match="cannot say"):
        handle.query(Account.breaks).wait()
    with pytest.raises(WorkflowQueryFailedError, match="(?i)read.only|query"):
        handle.query(Account.meddles).wait()
    with pytest.raises(WorkflowQueryFailedError, match="balance"):
        handle.query("ballance").wait()
    assert handle.query(Account.balance).wait() == 0


def test_a_query_may_be_for_open_workflows_only(make_engine: MakeEngine) -> None:
    """With a reject condition, a workflow that has ended is not asked."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    condition = QueryRejectCondition.NOT_OPEN
    assert handle.query(Account.balance, reject_condition=condition).wait() == 0
    handle.signal(Account.close).wait()
    handle.result().wait()
    with pytest.raises(WorkflowQueryRejectedError):
        handle.query(Account.balance, reject_condition=condition).wait()


# Updates


def test_an_update_returns_what_its_handler_does(make_engine: MakeEngine) -> None:
    """An update changes the workflow and brings an answer, at once or after some work."""
    engine = make_engine(Account, double)
    handle = engine.start_workflow(Account.run, id="a").wait()
    handle.signal(Account.pay_in, 100).wait()
    assert handle.execute_update(Account.draw, 30).wait() == 70
    began = engine.now()
    assert handle.execute_update(Account.transfer, 10, id="t1").wait() == ["t1", "transfer", 50]
    assert engine.now() - began == timedelta(seconds=30)


def test_a_validator_refuses_without_a_trace(make_engine: MakeEngine) -> None:
    """A refused update fails for its client, and the history does not know of it."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    assert handle.query(Account.balance).wait() == 0
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        handle.execute_update(Account.draw, 1).wait()
    assert isinstance(caught.value.cause, ApplicationError)
    assert (caught.value.cause.type, caught.value.cause.message) == ("Overdrawn", "overdrawn")
    kinds = [event.KIND for event in handle.fetch_history().wait().events]
    assert not [kind for kind in kinds if "UPDATE" in kind]
    assert handle.query(Account.balance).wait() == 0


def test_an_update_that_raises_fails_and_the_workflow_goes_on(make_engine: MakeEngine) -> None:
    """An ApplicationError of a handler is the update's, not the workflow's."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    with pytest.raises(WorkflowUpdateFailedError, match="went wrong"):
        handle.execute_update(Account.fails).wait()
    handle.signal(Account.close).wait()
    assert handle.result().wait() == 0


def test_an_update_that_there_is_no_handler_for_is_refused(make_engine: MakeEngine) -> None:
    """An unknown update fails with the names that there are."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    with pytest.raises(WorkflowUpdateFailedError, match=r"drow.*draw"):
        handle.execute_update("drow", 1).wait()


def test_waiting_for_acceptance_is_not_waiting_for_the_outcome(make_engine: MakeEngine) -> None:
    """`start_update` comes back when the workflow has taken the update; its result can be waited for later."""
    engine = make_engine(Account, double)
    handle = engine.start_workflow(Account.run, id="a").wait()
    began = engine.now()
    update = handle.start_update(Account.transfer, 1, wait_for_stage=ACCEPTED, id="u").wait()
    assert engine.now() == began
    assert update.result().wait() == ["u", "transfer", -2]
    assert engine.now() - began == timedelta(seconds=30)
    assert handle.get_update_handle("u").result().wait() == ["u", "transfer", -2]
    done = handle.start_update(Account.draw, -5, wait_for_stage=COMPLETED).wait()
    assert done.result().wait() == 3
    with pytest.raises(ValueError, match="ACCEPTED or COMPLETED"):
        handle.start_update(Account.draw, 1, wait_for_stage=WorkflowUpdateStage.ADMITTED)


def test_the_same_update_is_done_once(make_engine: MakeEngine) -> None:
    """Asking again with the same id brings the same answer, and nothing is done twice."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    assert handle.execute_update(Account.draw, -5, id="u").wait() == 5
    assert handle.execute_update(Account.draw, -5, id="u").wait() == 5
    assert handle.query(Account.balance).wait() == 5


def test_a_closed_workflow_takes_no_update(make_engine: MakeEngine) -> None:
    """An update of a workflow that has ended says so; the outcome of an earlier one is still there."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    handle.execute_update(Account.draw, -5, id="u").wait()
    handle.signal(Account.close).wait()
    handle.result().wait()
    with pytest.raises(WorkflowNotFoundError, match="closed"):
        handle.execute_update(Account.draw, 1).wait()
    assert handle.get_update_handle("u").result().wait() == 5
    with pytest.raises(WorkflowNotFoundError, match="nowhere"):
        handle.get_update_handle("nowhere").result().wait()


@workflow.defn
class Hasty:
    """End although an update is under way."""

    @workflow.run
    async def run(self) -> str:
        """Do not wait for anybody."""
        await workflow.sleep(10)
        return "gone"

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def slow(self) -> None:
        """Take longer than the workflow lives."""
        await workflow.sleep(100)


def test_an_update_whose_workflow_ends_before_it_fails(make_engine: MakeEngine) -> None:
    """Whoever waits for an update is told when the workflow has ended without finishing it."""
    engine = make_engine(Hasty)
    handle = engine.start_workflow(Hasty.run, id="h").wait()
    with pytest.raises(WorkflowUpdateFailedError, match="ended before"):
        handle.execute_update(Hasty.slow).wait()
    assert handle.result().wait() == "gone"


# Conditions


@workflow.defn
class Waits:
    """Wait for a word, but not for ever."""

    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self, seconds: float) -> list[Any]:
        """Wait."""
        began = workflow.time()
        try:
            await workflow.wait_condition(lambda: self.word != "", timeout=seconds)
        except TimeoutError:
            return ["nothing", workflow.time() - began]
        return [self.word, workflow.time() - began]

    @workflow.signal
    def say(self, word: str) -> None:
        """Hear."""
        self.word = word


def test_a_condition_ends_when_it_holds(make_engine: MakeEngine) -> None:
    """`wait_condition` goes on as soon as a signal makes the condition true."""
    engine = make_engine(Waits)
    handle = engine.start_workflow(Waits.run, 100, id="w").wait()
    engine.sleep(40).wait()
    handle.signal(Waits.say, "now").wait()
    assert handle.result().wait() == ["now", 40]


def test_a_condition_ends_when_its_time_is_over(make_engine: MakeEngine) -> None:
    """`wait_condition` raises TimeoutError when nothing made the condition true in time."""
    engine = make_engine(Waits)
    handle = engine.start_workflow(Waits.run, 100, id="w").wait()
    assert handle.result().wait() == ["nothing", 100]


def test_a_condition_that_nobody_can_make_true_is_named(make_engine: MakeEngine) -> None:
    """Waiting for a workflow that waits for a signal, when nobody can send one, ends with an error that names the
    line."""
    engine = make_engine(Account)
    handle = engine.start_workflow(Account.run, id="a").wait()
    with pytest.raises(NothingDueError, match=r"workflow 'a' \(Account\)") as caught:
        handle.result().wait()
    assert "test_running_messages.py:" in str(caught.value)
    handle.signal(Account.close).wait()
    assert handle.result().wait() == 0


def test_clients_may_talk_at_the_same_time(make_engine: MakeEngine) -> None:
    """Many updates and signals at once, from async code, all arrive."""

    async def talk() -> tuple[int, int]:
        async with make_engine(Account, double) as engine:
            handle = await engine.start_workflow(Account.run, id="a")
            async with asyncio.TaskGroup() as group:
                for _ in range(20):
                    group.create_task(_awaited(handle.signal(Account.pay_in, 1)))
                    group.create_task(_awaited(handle.execute_update(Account.transfer, 1)))
            balance = await handle.query(Account.balance)
            await handle.signal(Account.close)
            return balance, await handle.result()

    assert asyncio.run(talk()) == (20 - 40, 20 - 40)


async def _awaited(operation: Any) -> Any:
    return await operation
