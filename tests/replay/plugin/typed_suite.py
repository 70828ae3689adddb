"""A user's tests as type checkers see them. Nothing here is ever run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

from examples.orders import Order, OrderFulfilment, Receipt, charge, reserve, ship
from temporalio.client import WorkflowHistory

from playhead import (
    Agrees,
    Answers,
    Doubles,
    MakeDoubles,
    MakeEngine,
    Recorded,
    Recording,
    Replayer,
    Verdict,
    assert_replays,
)
from playhead_engine import Engine, History


def fixtures(
    replayer: Replayer,
    histories: Mapping[str, History],
    replay: Recording,
    workflow_engine: MakeEngine,
    doubles: MakeDoubles,
    recorded: Recorded,
) -> None:
    """Each has a type that can be named."""
    assert_type(replayer.replay(histories["order"]), Verdict)
    assert replay.at(event=7).query("status") == "charging"
    answers = doubles("order.json", histories["order"], answers=Answers(table={"ship": "parcel-1"}), any_input=True)
    assert_type(answers, Doubles)
    engine = workflow_engine([OrderFulfilment], [reserve, charge, ship], doubles=answers, seed=7)
    assert_type(engine, Engine)
    order = Order("A-1", "teapot", 2, 2500)
    handle = engine.start_workflow(OrderFulfilment.run, order, id="order", task_queue="q").wait()
    assert_type(handle.result().wait(), Receipt)
    assert_type(recorded("orders/happy", handle, values=False), History)


def assertion(path: str, fetched: WorkflowHistory, history: History) -> None:
    """It takes every kind of history, and gives the verdict that it insists on."""
    assert_type(assert_replays(path, OrderFulfilment), Agrees)
    assert_replays(fetched, OrderFulfilment, namespace="orders")
    assert_replays(history, replayer=Replayer([OrderFulfilment]))
