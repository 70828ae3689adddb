"""Signals, queries and updates."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import Engine, activity, workflow
from playhead_engine.client import (
    NotReady,
    WorkflowNotFoundError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowTaskKeepsFailingError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from playhead_engine.common import QueryRejectCondition
from playhead_engine.exceptions import ApplicationError
from tests.engine.engines import MakeEngine, any_engine, make_engine, tasks_apart  # noqa: F401 - fixtures

PATIENCE = timedelta(seconds=10)


@workflow.defn
class Account:
    """Money that is talked to."""

    def __init__(self) -> None:
        self.balance = 0
        self.log: list[str] = []
        self.is_closed = False

    @workflow.run
    async def run(self, balance: int) -> int:
        """Open until closed."""
        self.balance += balance
        await workflow.wait_condition(lambda: self.is_closed and workflow.all_handlers_finished())
        return self.balance

    @workflow.signal
    def put(self, amount: int) -> None:
        """More money."""
        self.balance += amount
        self.log.append(f"put {amount}")

    @workflow.signal
    async def close(self) -> None:
        """Enough."""
        self.is_closed = True

    @workflow.query
    def current(self) -> int:
        """How much there is."""
        return self.balance

    @workflow.query
    def at_rate(self, rate: float, digits: int) -> float:
        """In another currency."""
        return round(self.balance * rate, digits)

    @workflow.query
    def broken(self) -> None:
        """Raise."""
        raise ValueError("no answer")

    @workflow.update
    async def take(self, amount: int) -> int:
        """Less money; takes an activity."""
        self.balance -= amount
        note = await workflow.execute_activity("note", amount, start_to_close_timeout=PATIENCE)
        self.log.append(note)
        return self.balance

    @take.validator
    def _may_take(self, amount: int) -> None:
        if amount > self.balance:
            raise ApplicationError(f"there is only {self.balance}", type="TooLittle")

    @workflow.update
    async def fail(self) -> None:
        """Raise."""
        await asyncio.sleep(1)
        raise ApplicationError("failed", type="Failed")

    @workflow.update
    async def wait_for(self, amount: int) -> str:
        """Wait until there is that much."""
        await workflow.wait_condition(lambda: self.balance >= amount)
        return "there"


@activity.defn
async def note(amount: int) -> str:
    """Write it down."""
    return f"took {amount}"


def account(make: MakeEngine, balance: int = 10) -> tuple[Engine, Any]:
    """An engine and an open account."""
    engine = make(workflows=[Account, Fragile], activities=[note])
    return engine, engine.start_workflow(Account.run, balance, id="account").wait()


def test_signals_are_taken_in_order(any_engine: MakeEngine) -> None:
    """A signal changes the workflow's state; a query shows it at once."""
    _, handle = account(any_engine)
    handle.signal(Account.put, 5).wait()
    handle.signal("put", 7).wait()
    assert handle.query(Account.current).wait() == 22
    handle.signal(Account.close).wait()
    assert handle.result().wait() == 22
    assert tasks_apart(handle.fetch_history().wait()) == [
        "WorkflowExecutionStarted",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionSignaled",
        "WorkflowExecutionCompleted",
    ]


def test_queries_leave_no_trace(any_engine: MakeEngine) -> None:
    """A query by method or by name, with arguments, adds nothing to the history."""
    _, handle = account(any_engine)
    before = handle.fetch_history().wait()
    assert handle.query(Account.current).wait() == 10
    assert handle.query("at_rate", args=[1.5, 1]).wait() == 15.0
    assert len(handle.fetch_history().wait()) == len(before)


def test_a_closed_workflow_can_be_queried(any_engine: MakeEngine) -> None:
    """Its code is brought back from its history."""
    _, handle = account(any_engine)
    handle.signal(Account.put, 5).wait()
    handle.signal(Account.close).wait()
    handle.result().wait()
    assert handle.query(Account.current).wait() == 15
    rejects = handle.query(Account.current, reject_condition=QueryRejectCondition.NOT_OPEN)
    with pytest.raises(WorkflowQueryRejectedError, match="COMPLETED"):
        rejects.wait()


def test_a_query_that_fails_says_so(make_engine: MakeEngine) -> None:
    """Whether it raises or is not there."""
    _, handle = account(make_engine)
    with pytest.raises(WorkflowQueryFailedError, match="no answer"):
        handle.query(Account.broken).wait()
    with pytest.raises(WorkflowQueryFailedError, match="unheard_of"):
        handle.query("unheard_of").wait()
    assert handle.query(Account.current).wait() == 10


def test_an_update_returns_what_it_did(any_engine: MakeEngine) -> None:
    """It may run activities; its result is there when it has ended."""
    _, handle = account(any_engine)
    assert handle.execute_update(Account.take, 3).wait() == 7
    assert handle.query(Account.current).wait() == 7
    assert "WorkflowExecutionUpdateCompleted" in tasks_apart(handle.fetch_history().wait())


def test_a_refused_update_leaves_no_event_of_its_own(any_engine: MakeEngine) -> None:
    """What the validator raises reaches who asked; the workflow goes on."""
    _, handle = account(any_engine)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        handle.execute_update(Account.take, 30).wait()
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "TooLittle"
    assert tasks_apart(handle.fetch_history().wait()) == ["WorkflowExecutionStarted"]
    assert handle.execute_update(Account.take, 10).wait() == 0


def test_an_accepted_update_may_fail(any_engine: MakeEngine) -> None:
    """Then the update fails, not the workflow."""
    _, handle = account(any_engine)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        handle.execute_update(Account.fail).wait()
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.message == "failed"
    assert handle.query(Account.current).wait() == 10


def test_an_update_can_be_left_and_taken_up(any_engine: MakeEngine) -> None:
    """An accepted update has a handle, and the same id does not do it again."""
    _, handle = account(any_engine)
    update = handle.start_update(Account.wait_for, 12, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="mine").wait()
    handle.signal(Account.put, 2).wait()
    assert update.result().wait() == "there"
    assert handle.get_update_handle("mine").result().wait() == "there"
    assert handle.execute_update(Account.wait_for, 99, id="mine").wait() == "there"


def test_an_update_ends_with_its_workflow(make_engine: MakeEngine) -> None:
    """Who waits for an update of a workflow that closes is told."""
    _, handle = account(make_engine)
    update = handle.start_update(Account.wait_for, 99, wait_for_stage=WorkflowUpdateStage.ACCEPTED).wait()
    handle.terminate().wait()
    with pytest.raises(WorkflowUpdateFailedError, match="ended before the update did"):
        update.result().wait()


def test_a_stage_that_cannot_be_waited_for_is_refused(make_engine: MakeEngine) -> None:
    """ADMITTED is nothing to wait for."""
    _, handle = account(make_engine)
    with pytest.raises(ValueError, match="ACCEPTED or COMPLETED"):
        handle.start_update(Account.fail, wait_for_stage=WorkflowUpdateStage.ADMITTED)


def test_nobody_is_there_to_be_told(make_engine: MakeEngine) -> None:
    """Signals and updates of a workflow that has closed, or never was, are errors that say which."""
    engine, handle = account(make_engine)
    handle.signal(Account.close).wait()
    handle.result().wait()
    with pytest.raises(WorkflowNotFoundError, match="has closed already: it is completed"):
        handle.signal(Account.put, 1).wait()
    with pytest.raises(WorkflowNotFoundError, match="there is no workflow 'other'"):
        engine.get_workflow_handle("other").signal("put", 1).wait()
    with pytest.raises(WorkflowNotFoundError, match="has closed already"):
        handle.execute_update(Account.take, 1).wait()


def test_a_start_can_carry_a_signal(any_engine: MakeEngine) -> None:
    """If the workflow is there already, it only gets the signal."""
    engine = any_engine(workflows=[Account], activities=[note])
    for _ in range(2):
        handle = engine.start_workflow(
            Account.run, 10, id="account", start_signal=Account.put, start_signal_args=[5]
        ).wait()
    assert handle.query(Account.current).wait() == 20


def test_many_tell_at_once(make_engine: MakeEngine) -> None:
    """Signals and updates from many tasks are all taken."""

    async def main() -> int:
        async with Engine(workflows=[Account], activities=[note]) as engine:
            handle = await engine.start_workflow(Account.run, 100, id="account")
            await asyncio.gather(
                *(handle.signal(Account.put, 1) for _ in range(50)),
                *(handle.execute_update(Account.take, 1) for _ in range(30)),
            )
            await handle.signal(Account.close)
            return await handle.result()

    assert asyncio.run(main()) == 120


@workflow.defn
class Fragile:
    """Its code fails until it is told not to."""

    works = False

    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self) -> int:
        """Wait for two signals, then fail, or not."""
        await workflow.wait_condition(lambda: self.count >= 1)
        if not Fragile.works:
            raise KeyError("oops")
        return self.count

    @workflow.signal
    def count_up(self) -> None:
        """Count."""
        self.count += 1

    @workflow.query
    def counted(self) -> int:
        """How often."""
        return self.count

    @workflow.update
    async def ask(self) -> int:
        """Answer."""
        return self.count


def test_a_stuck_workflow_answers_queries_and_takes_signals(make_engine: MakeEngine) -> None:
    """A query is answered by the code as it was before the task that fails; a signal makes it try again."""
    Fragile.works = False
    engine = make_engine(workflows=[Fragile])
    handle = engine.start_workflow(Fragile.run, id="fragile").wait()
    handle.signal(Fragile.count_up).wait()
    with pytest.raises(WorkflowTaskKeepsFailingError):
        handle.result().wait()
    assert handle.query(Fragile.counted).wait() == 0
    with pytest.raises(WorkflowTaskKeepsFailingError, match="oops"):
        handle.execute_update(Fragile.ask, id="u").wait()
    Fragile.works = True
    handle.signal(Fragile.count_up).wait()
    assert handle.result().wait() == 2


def test_a_workflow_that_has_not_begun_cannot_answer(make_engine: MakeEngine) -> None:
    """Before its first workflow task there is nobody to ask."""
    engine = make_engine(workflows=[Account])
    handle = engine.start_workflow(Account.run, 1, id="later", start_delay=timedelta(days=1)).wait()
    with pytest.raises(NotReady, match="first workflow task"):
        handle.query(Account.current).wait()
