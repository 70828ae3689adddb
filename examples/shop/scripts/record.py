"""Records the histories in `histories/` anew: the shop at work on a Temporal server, with a made-up back office.

    temporal server start-dev --headless
    python scripts/record.py [ADDRESS] [NAME ...]

A history is what the server wrote down, as `temporal workflow show --output json` prints it, and is not edited
afterwards. What would tell where it was recorded never reaches the server: clients and workers call themselves `shop`,
and failures leave without their stack traces, which name folders.
"""

import argparse
import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from shop.back_office import Refused
from shop.models import Address, Line, Order, Subscription
from shop.orders import OrderWorkflow
from shop.shipments import ShipmentWorkflow
from shop.subscriptions import SubscriptionWorkflow
from shop.worker import TASK_QUEUE, shop_worker

HISTORIES = Path(__file__).parent.parent / "histories"
IDENTITY = "shop"

Handle = WorkflowHandle[Any, Any]

logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # half of what happens here fails on purpose


class MadeUpBackOffice:
    """Says yes, except to the card `declined`, the item `unicorn`, and of parcels from the warehouse `atlantis`."""

    async def ask(self, desk: str, document: BaseModel | str) -> str:
        """See `shop.back_office.BackOffice.ask`."""
        fields = document.model_dump() if isinstance(document, BaseModel) else {}
        subject = document if isinstance(document, str) else fields.get("id", fields.get("reference", ""))
        match desk:
            case "cards/charges" if fields["card"] == "declined":
                raise Refused("CardDeclined", "the bank says no")
            case "stock/reservations" if any(line["sku"] == "unicorn" for line in fields["lines"]):
                raise Refused("OutOfStock", "there are no unicorns")
            case "couriers/traces":
                return "lost" if "atlantis" in subject else "under way"
            case _:
                return f"{desk.partition('/')[2].rstrip('s')}-{subject}"


class WithoutTraces(DefaultFailureConverter):
    """Failures without stack traces."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Convert as usual; causes come through here one by one."""
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = ""


def order(number: str, *warehouses: str, **fields: Any) -> Order:
    """An order of one lamp from each warehouse, in no time at all."""
    quick = {"grace": timedelta(seconds=1), "delivery_within": timedelta(minutes=5)}
    lines = [Line(sku="lamp", quantity=2, unit_price=4_900, warehouse=warehouse) for warehouse in warehouses]
    address = Address(street="12 Canal Street", city="Bruges")
    values = {"id": number, "customer": "Ada", "card": "good", "address": address, "lines": lines, **quick, **fields}
    return Order.model_validate(values)


def subscription(number: str, **fields: Any) -> Subscription:
    """A monthly box of tea, whose months are short."""
    address = Address(street="12 Canal Street", city="Bruges")
    values = {"id": number, "customer": "Ada", "card": "good", "address": address, "sku": "tea", "price": 1_200}
    return Subscription.model_validate({**values, "period": timedelta(seconds=1), **fields})


class Recorder:
    """A client with a worker, and the histories that were asked for."""

    def __init__(self, client: Client, wanted: list[str]) -> None:
        """Args: client: connected to the server; wanted: which recordings to make, all if empty."""
        self._client = client
        self._wanted = wanted

    @asynccontextmanager
    async def worker(self, **options: Any) -> AsyncGenerator[None]:
        """Have the shop's worker at work."""
        async with shop_worker(self._client, MadeUpBackOffice(), identity=IDENTITY, build_id="shop", **options):
            yield

    async def start(self, workflow: Callable[..., Any], argument: Order | Subscription) -> Handle:
        """Start a workflow whose id is the number of what it is about."""
        return await self._client.start_workflow(
            workflow,
            argument,
            id=argument.id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )

    def child(self, workflow_id: str) -> Handle:
        """A run that another run has started."""
        return self._client.get_workflow_handle(workflow_id)

    async def until(self, handle: Handle, event: str, times: int = 1) -> None:
        """Wait until a history has so many events of a type."""
        async with asyncio.timeout(30):
            while await self._count(handle, event) < times:  # noqa: ASYNC110 - the server is to be asked
                await asyncio.sleep(0.05)

    async def _count(self, handle: Handle, event: str) -> int:
        with suppress(Exception):  # a child that is not there yet
            return (await _events(handle)).count(f"EVENT_TYPE_{event}")
        return 0

    async def delivered(self, *workflow_ids: str) -> None:
        """Tell shipments that they are there, once their couriers are booked."""
        for workflow_id in workflow_ids:
            await self.until(self.child(workflow_id), "TIMER_STARTED")
            await self.child(workflow_id).signal(ShipmentWorkflow.delivered)

    async def save(self, name: str, handle: Handle, *, ended: bool = True) -> None:
        """Write a history down, when its run has ended or as it is."""
        if ended:
            with suppress(WorkflowFailureError, WorkflowContinuedAsNewError):
                await handle.result(follow_runs=False)
        run_id = handle.run_id or handle.result_run_id
        history = await self._client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
        text = json.dumps(json.loads(history.to_json()), indent=2, ensure_ascii=False)
        (HISTORIES / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
        print(f"{name:30} {len(history.events):4} events")

    async def record(self, recording: Callable[["Recorder"], Awaitable[None]]) -> None:
        """Make one recording, if it is wanted."""
        if not self._wanted or recording.__name__ in self._wanted:
            await recording(self)


async def _events(handle: Handle) -> list[str]:
    history = await handle.fetch_history()
    return [event["eventType"] for event in json.loads(history.to_json())["events"]]


# --- The recordings ---------------------------------------------------------------------------------------------------


async def plain(recorder: Recorder) -> None:
    """One parcel, and everything goes well; the parcel's own history as well."""
    async with recorder.worker():
        handle = await recorder.start(OrderWorkflow.run, order("O-1001", "ghent"))
        await recorder.delivered("O-1001-ghent")
        await recorder.save("order_delivered", handle)
        await recorder.save("shipment_delivered", recorder.child("O-1001-ghent"))


async def before_invoices(recorder: Recorder) -> None:
    """The same from the time before invoices: no run of then has the marker of the patch."""
    async with recorder.worker(patch_activation_callback=lambda _: False):
        handle = await recorder.start(OrderWorkflow.run, order("O-0042", "ghent"))
        await recorder.delivered("O-0042-ghent")
        await recorder.save("order_before_invoices", handle)


async def many_parcels(recorder: Recorder) -> None:
    """One order from five warehouses."""
    warehouses = ["ghent", "lyon", "porto", "turin", "basel"]
    async with recorder.worker():
        handle = await recorder.start(OrderWorkflow.run, order("O-1002", *warehouses))
        await recorder.delivered(*(f"O-1002-{warehouse}" for warehouse in warehouses))
        await recorder.save("order_many_parcels", handle)


async def approval(recorder: Recorder) -> None:
    """Orders that a person has to look at: one that is let through, and one that nobody looks at."""
    dear = [Line(sku="piano", quantity=1, unit_price=250_000, warehouse="ghent")]
    async with recorder.worker():
        handle = await recorder.start(OrderWorkflow.run, order("O-1003", lines=dear))
        await recorder.until(handle, "TIMER_STARTED")
        await handle.signal(OrderWorkflow.approve)
        await recorder.delivered("O-1003-ghent")
        await recorder.save("order_approved", handle)

        late = order("O-1004", lines=dear, approval_within=timedelta(seconds=1))
        await recorder.save("order_not_approved", await recorder.start(OrderWorkflow.run, late))


async def grace(recorder: Recorder) -> None:
    """What customers do in the time that they are given: another address, and more haste."""
    patient = order("O-1005", "ghent", grace=timedelta(seconds=3))
    async with recorder.worker():
        handle = await recorder.start(OrderWorkflow.run, patient)
        await recorder.until(handle, "TIMER_STARTED")
        await handle.execute_update(OrderWorkflow.change_address, Address(street="3 Quay", city="Ostend"))
        await recorder.delivered("O-1005-ghent")
        await recorder.save("order_address_changed", handle)

        handle = await recorder.start(OrderWorkflow.run, patient.model_copy(update={"id": "O-1006"}))
        await recorder.until(handle, "TIMER_STARTED")
        await handle.signal(OrderWorkflow.make_express)
        await recorder.delivered("O-1006-ghent")
        await recorder.save("order_express", handle)


async def undone(recorder: Recorder) -> None:
    """Orders that cannot be carried through, at three points, and one that its customer cancels."""
    async with recorder.worker():
        gone = [Line(sku="unicorn", quantity=1, unit_price=9_900, warehouse="ghent")]
        await recorder.save("order_out_of_stock", await recorder.start(OrderWorkflow.run, order("O-1007", lines=gone)))
        declined = order("O-1008", "ghent", card="declined")
        await recorder.save("order_card_declined", await recorder.start(OrderWorkflow.run, declined))

        lost = order("O-1009", "atlantis", delivery_within=timedelta(seconds=1))
        await recorder.save("order_parcel_lost", await recorder.start(OrderWorkflow.run, lost))
        await recorder.save("shipment_lost", recorder.child("O-1009-atlantis"))

        slow = order("O-1010", "ghent", grace=timedelta(hours=1))
        handle = await recorder.start(OrderWorkflow.run, slow)
        await recorder.until(handle, "TIMER_STARTED")
        await recorder.save("order_open", handle, ended=False)
        await handle.cancel()
        await recorder.save("order_cancelled", handle)


async def subscriptions(recorder: Recorder) -> None:
    """A subscription over two runs: three boxes, then a pause, one more, and the end of it."""
    async with recorder.worker():
        handle = await recorder.start(SubscriptionWorkflow.run, subscription("S-77"))
        await recorder.save("subscription_first_run", handle)
        second = recorder.child("S-77")
        await recorder.until(second, "TIMER_STARTED")
        await second.signal(SubscriptionWorkflow.pause)
        await recorder.until(second, "TIMER_FIRED")
        await second.signal(SubscriptionWorkflow.resume)
        await recorder.until(second, "TIMER_STARTED", 2)
        await second.signal(SubscriptionWorkflow.cancel)
        await recorder.save("subscription_cancelled", second)


RECORDINGS = (plain, before_invoices, many_parcels, approval, grace, undone, subscriptions)


async def main() -> None:
    """Record what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", default="localhost:7233", help="the server (default: %(default)s)")
    names = [recording.__name__ for recording in RECORDINGS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(names)} (default: all)")
    arguments = parser.parse_args()
    converter = replace(pydantic_data_converter, failure_converter_class=WithoutTraces)
    client = await Client.connect(arguments.address, data_converter=converter, identity=IDENTITY)
    recorder = Recorder(client, arguments.names)
    for recording in RECORDINGS:
        await recorder.record(recording)


if __name__ == "__main__":
    asyncio.run(main())
