"""Doubles: activities and child workflows that end as they were recorded."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from examples import batch, orders, saga
from examples.temporal import orders as temporal_orders

from playhead import Answers, Doubles, NotRecorded, read_history
from playhead.hotfix.answers import Fails
from playhead.values import plain
from playhead_engine.client import WorkflowFailureError
from playhead_engine.exceptions import ApplicationError
from tests.replay.project import FIXTURES


def arguments(name: str) -> list[Any]:
    """What a recorded run was given, as plain values."""
    history = read_history(FIXTURES / f"{name}.json")
    assert history.started is not None
    given: list[Any] = plain(history.started.attributes["input"])
    return given


def run(doubles: Doubles, workflow: type[Any], *args: Any) -> Any:
    """Run a workflow with doubles for everything it asks for."""
    with doubles.engine([workflow]) as engine:
        return engine.execute_workflow(workflow.run, args=args, id="again", task_queue="q").wait()


@pytest.mark.parametrize("form", [orders, temporal_orders], ids=["native", "temporalio"])
def test_activities_end_as_recorded(form: Any) -> None:
    """Those of the same name that are given the same; each answer says where it is from."""
    doubles = Doubles(FIXTURES / "orders_completed.json")
    (order,) = arguments("orders_completed")
    receipt = run(doubles, form.OrderFulfilment, form.Order(**order))
    assert receipt == form.Receipt("A-1", 4500, 10, "parcel-A-1")
    assert [(given.name, given.source) for given in doubles.given] == [
        ("reserve", "orders_completed.json, event 7"),
        ("charge", "orders_completed.json, event 13"),
        ("ship", "orders_completed.json, event 19"),
    ]
    doubles.check()


def test_failures_end_as_recorded() -> None:
    """What an activity raised it raises again, at every attempt, with its causes."""
    doubles = Doubles(FIXTURES / "saga_compensated.json")
    (trip,) = arguments("saga_compensated")
    with pytest.raises(WorkflowFailureError) as failed:
        run(doubles, saga.TripBooking, saga.Trip(**trip))
    assert "TripCancelled: Ada stays at home" in str(failed.value.cause)
    assert [given.name for given in doubles.given][-3:] == ["cancel_car", "cancel_flight", "cancel_hotel"]
    doubles.check()


def test_children_end_as_recorded() -> None:
    """Where there is no code for them, or the table says so."""
    doubles = Doubles(FIXTURES / "batch_parent.json")
    (wanted,) = arguments("batch_parent")
    assert run(doubles, batch.BatchImport, batch.Batch(**wanted)) == 49
    assert [given.name for given in doubles.given] == ["FileImport"] * 3
    doubles.check()


def test_what_is_not_recorded_fails_in_a_sentence() -> None:
    """The activity fails for good, and `check` says what was asked for and what is recorded instead."""
    doubles = Doubles(FIXTURES / "orders_completed.json")
    with pytest.raises(WorkflowFailureError):
        run(doubles, orders.OrderFulfilment, orders.Order("B", "kettle", 1, 100))
    with pytest.raises(NotRecorded) as failed:
        doubles.check()
    assert str(failed.value).startswith("Activity reserve, given {")
    assert "Recorded is what it comes to given {" in str(failed.value)
    assert [question.name for question in failed.value.questions] == ["reserve"]
    assert str(pickle.loads(pickle.dumps(failed.value))) == str(failed.value)


def test_a_name_that_no_history_knows_is_said() -> None:
    """And that it is the name, not what it is given."""
    doubles = Doubles(FIXTURES / "orders_completed.json")
    (trip,) = arguments("saga_booked")
    with pytest.raises(WorkflowFailureError):
        run(doubles, saga.TripBooking, saga.Trip(**trip))
    with pytest.raises(NotRecorded, match="No activity of that name is in the histories."):
        doubles.check()


def test_another_input_will_do_if_one_says_so() -> None:
    """`any_input` takes what was recorded of the same name."""
    doubles = Doubles(FIXTURES / "orders_completed.json", any_input=True)
    receipt = run(doubles, orders.OrderFulfilment, orders.Order("B", "kettle", 1, 100))
    assert receipt.tracking == "parcel-A-1"
    assert doubles.given[0].source == "orders_completed.json, event 7, of another input"
    doubles.check()


def test_what_the_user_says_goes_before_what_is_recorded() -> None:
    """A table, as of a hotfix preview: what if the card had been declined?"""
    declined = Fails(ApplicationError("no money", type="CardDeclined", non_retryable=True))
    doubles = Doubles(FIXTURES / "orders_completed.json", answers=Answers(table={"charge": declined}))
    (order,) = arguments("orders_completed")
    with pytest.raises(WorkflowFailureError) as failed:
        run(doubles, orders.OrderFulfilment, orders.Order(**order))
    assert "CardDeclined" in str(failed.value.cause.__cause__)
    assert [given.source for given in doubles.given] == ["orders_completed.json, event 7", "given"]


def test_every_attempt_at_an_activity_comes_to_the_same() -> None:
    """A history records the end after all attempts, and the next activity of the same input has an end of its own."""
    doubles = Doubles(FIXTURES / "orders_failed.json", FIXTURES / "orders_completed.json", any_input=True)
    (order,) = arguments("orders_failed")
    for _ in range(2):
        with pytest.raises(WorkflowFailureError):
            run(doubles, orders.OrderFulfilment, orders.Order(**order))
    sources = {given.source for given in doubles.given if given.name == "charge"}
    assert sources == {"orders_failed.json, event 13"}


def test_time_passes_as_it_did() -> None:
    """Under the virtual clock an answer takes as long as the recorded one did from the start of its last attempt."""
    doubles = Doubles(FIXTURES / "orders_retries.json")
    (order,) = arguments("orders_retries")
    with doubles.engine([orders.OrderFulfilment]) as engine:
        begun = engine.now()
        given = orders.Order(**order)
        engine.execute_workflow(orders.OrderFulfilment.run, given, id="again", task_queue="q").wait()
        passed_ns = round((engine.now() - begun).total_seconds() * 1e9)
    events = read_history(FIXTURES / "orders_retries.json").events
    recorded = [
        event.time_ns - events[int(event.attributes["startedEventId"]) - 1].time_ns
        for event in events
        if event.KIND == "ACTIVITY_TASK_COMPLETED"
    ]
    # While a thread of a busy machine is waited for, the virtual clock may go on by more, but never by less.
    assert sum(recorded) - 3_000 <= passed_ns < sum(recorded) + 60_000_000_000
