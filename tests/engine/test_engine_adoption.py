"""Runs that were recorded elsewhere, taken over by an engine: they go on from where their history ends."""

from __future__ import annotations

import contextlib
import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playhead.readers import read_history
from playhead_engine import Engine
from playhead_engine.engine.clock import VirtualClock
from playhead_engine.engine.errors import WorkflowFailureError
from playhead_engine.exceptions import WorkflowAlreadyStartedError
from playhead_engine.history import History
from playhead_engine.server.adoption import CannotAdopt

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)

KINDS = pytest.mark.parametrize("package", ["examples", "examples.temporal"])


def recorded(name: str, upto: int | None = None) -> History:
    """A history that a Temporal server recorded, or its beginning."""
    history = read_history(FIXTURES / f"{name}.json")
    return History(history.events[:upto], history.id)


@KINDS
def test_a_stuck_run_goes_on_with_fixed_code(package: str) -> None:
    """The order that a Temporal server could not get on with completes here, and what was recorded stays as it was."""
    code = importlib.import_module(f"{package}.orders_hotfix")
    stuck = recorded("orders_stuck")
    with Engine(workflows=[code.OrderFulfilment], activities=[code.ship], clock=VirtualClock(BEFORE)) as engine:
        handle = engine.adopt_workflow(stuck).wait()
        assert handle.result().wait()["tracking"] == "parcel-A-4"
        history = handle.fetch_history().wait()
    assert [event.canonical for event in history.events[:19]] == [event.canonical for event in stuck.events]
    assert history.events[19].time_ns == stuck.events[-1].time_ns


@KINDS
def test_a_timer_is_due_when_it_was(package: str) -> None:
    """A timer that was running when the recording ended fires so long after it was started."""
    code = importlib.import_module(f"{package}.approval")
    open_run = recorded("approval_open")
    with Engine(workflows=[code.ExpenseApproval], clock=VirtualClock(BEFORE)) as engine:
        handle = engine.adopt_workflow(open_run).wait()
        assert handle.result().wait() == "refused by nobody: no answer within a week"
        fired = handle.fetch_history().wait().event(12)
    assert fired.type_name == "TimerFired"
    assert fired.time_ns - open_run.event(11).time_ns == 7 * 24 * 3600 * 10**9


@KINDS
def test_random_numbers_go_on_where_they_were(package: str) -> None:
    """Ids that the code draws after the recording ends are those that the recorded run drew."""
    code = importlib.import_module(f"{package}.raffle")
    whole = recorded("raffle_drawn")
    beginning = recorded("raffle_drawn", 15)
    activities = [code.send_mug, code.send_shirt, code.send_sticker]
    with Engine(workflows=[code.RaffleDraw], activities=activities, clock=VirtualClock(BEFORE)) as engine:
        handle = engine.adopt_workflow(beginning).wait()
        handle.result().wait()
        history = handle.fetch_history().wait()
    drawn = [event.attributes["activityId"] for event in whole if event.type_name == "ActivityTaskScheduled"]
    assert [e.attributes["activityId"] for e in history if e.type_name == "ActivityTaskScheduled"] == drawn


def test_a_local_activity_that_outlasts_its_task_is_run_again() -> None:
    """A recording that ends between the tasks that bridge a local activity goes on by running it."""
    from examples import exchange

    with Engine(
        workflows=[exchange.CurrencyExchange],
        activities=[exchange.ask_bank, exchange.read_rate_card],
        clock=VirtualClock(BEFORE),
    ) as engine:
        handle = engine.adopt_workflow(recorded("exchange_slow_card", 15)).wait()
        handle.result().wait()
        assert handle.fetch_history().wait().is_complete


def test_an_activity_that_is_known_to_have_started_is_not_started_again() -> None:
    """Where the recording says that an activity had begun, its end refers to that event."""
    from examples import orders

    cut = recorded("orders_completed", 6)
    assert cut.events[-1].type_name == "ActivityTaskStarted"
    with Engine(
        workflows=[orders.OrderFulfilment],
        activities=[orders.reserve, orders.charge, orders.ship],
        clock=VirtualClock(BEFORE),
    ) as engine:
        handle = engine.adopt_workflow(cut).wait()
        handle.result().wait()
        history = handle.fetch_history().wait()
    assert history.event(7).type_name == "ActivityTaskCompleted"
    assert history.event(7).attributes["startedEventId"] == "6"


def test_a_run_that_has_closed_cannot_be_taken_over() -> None:
    """The refusal says with which event it closed."""
    with Engine() as engine, pytest.raises(CannotAdopt, match=r"closed with event 23 \(WorkflowExecutionCompleted\)"):
        engine.adopt_workflow(recorded("orders_completed")).wait()


def test_a_history_with_a_gap_cannot_be_taken_over() -> None:
    """The refusal says where something is missing."""
    events = recorded("orders_stuck").events
    with Engine() as engine, pytest.raises(CannotAdopt, match="event 8 does not come after the one before it"):
        engine.adopt_workflow(History((*events[:6], *events[7:]), "order-A-4")).wait()


def test_a_run_that_is_there_already_cannot_be_taken_over() -> None:
    """Taking it over twice is refused."""
    with Engine() as engine:
        engine.adopt_workflow(recorded("orders_stuck")).wait()
        with pytest.raises(WorkflowAlreadyStartedError):
            engine.adopt_workflow(recorded("orders_stuck")).wait()


def test_what_is_sent_to_strangers_can_count_as_delivered() -> None:
    """With `assume_delivery` a signal to a workflow that the engine does not have arrives; without, nobody is there."""
    from examples import auction

    for assumed, event_type in (
        (True, "ExternalWorkflowExecutionSignaled"),
        (False, "SignalExternalWorkflowExecutionFailed"),
    ):
        with Engine(workflows=[auction.Bidder], clock=VirtualClock(BEFORE), assume_delivery=assumed) as engine:
            handle = engine.adopt_workflow(recorded("auction_nobody_there", 2)).wait()
            with contextlib.suppress(WorkflowFailureError):
                handle.result().wait()
            assert event_type in [event.type_name for event in handle.fetch_history().wait()]
