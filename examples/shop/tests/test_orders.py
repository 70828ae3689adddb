"""What the shop promises its customers, tried on runs that were recorded, and on new ones in virtual time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import BaseModel
from temporalio.contrib.pydantic import pydantic_data_converter

from playhead import Doubles, Recording
from playhead.pytest_plugin.fixture_types import MakeEngine
from playhead_engine.client import WorkflowFailureError
from shop.activities import Activities
from shop.models import Address, Line, Order
from shop.orders import OrderWorkflow
from shop.shipments import ShipmentWorkflow

ORDER = Order(
    id="O-1",
    customer="Ada",
    card="good",
    address=Address(street="12 Canal Street", city="Bruges"),
    lines=[Line(sku="lamp", quantity=1, unit_price=4_900, warehouse="ghent")],
)


class NotedBackOffice:
    """Says yes to everything, and notes what it was asked."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        self.desks: list[str] = []

    async def ask(self, desk: str, document: BaseModel | str) -> str:
        """See `shop.back_office.BackOffice.ask`."""
        self.desks.append(desk)
        return f"{desk} no. {len(self.desks)}"


@pytest.mark.playhead("order_express")
def test_the_customer_is_told_how_far_the_order_is(replay: Recording) -> None:
    """The query answers at every moment of a run that really was, long after it."""
    assert replay.at(event=14).query("progress") == "in grace"
    assert replay.first("self.is_express").event < replay.first("self.stage == 'charging'").event


@pytest.mark.playhead("order_card_declined", "order_parcel_lost", "order_cancelled")
def test_what_was_reserved_is_released_if_the_order_fails(replay: Recording) -> None:
    """Whatever goes wrong behind it, the goods go back on the shelf."""
    *_, last = replay
    assert last.query("progress") == "undoing"
    assert last.eval("len(self.undo._steps)") == 0


def test_nobody_pays_before_the_time_of_grace_is_over(workflow_engine: MakeEngine) -> None:
    """Half an hour passes in no time, and the address can be changed in it."""
    office = NotedBackOffice()
    engine = workflow_engine(
        [OrderWorkflow, ShipmentWorkflow], Activities(office).all(), data_converter=pydantic_data_converter
    )
    handle = engine.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue="shop").wait()
    engine.sleep(timedelta(minutes=29)).wait()
    assert "cards/charges" not in office.desks
    assert (
        handle.execute_update(OrderWorkflow.change_address, Address(street="3 Quay", city="Ostend")).wait() == "Bruges"
    )
    engine.sleep(timedelta(minutes=2)).wait()
    assert office.desks[-3:] == ["mail/invoices", "cards/charges", "couriers/bookings"]
    engine.get_workflow_handle("O-1-ghent").signal(ShipmentWorkflow.delivered).wait()
    assert handle.result().wait().paid == 5_390


def test_a_lost_parcel_is_paid_back(workflow_engine: MakeEngine, doubles: Callable[..., Doubles]) -> None:
    """The recorded activities play their parts again: no back office, no stand-in for one."""
    recorded = doubles("order_parcel_lost", "shipment_lost", any_input=True, data_converter=pydantic_data_converter)
    engine = workflow_engine(doubles=recorded)
    with pytest.raises(WorkflowFailureError):
        engine.execute_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue="shop").wait()
    assert [given.name for given in recorded.given][-3:] == ["trace_parcel", "refund_card", "release_stock"]
