"""Orders: from the click to the receipt."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from shop import patience, pricing
    from shop.activities import Activities
    from shop.compensation import Compensations
    from shop.models import Address, Charge, Order, Parcel, Receipt
    from shop.shipments import ShipmentWorkflow


@workflow.defn
class OrderWorkflow:
    """One order. If it cannot be carried through, what was done for it is undone."""

    @workflow.init
    def __init__(self, order: Order) -> None:
        """Args: order: what was ordered."""
        self.address = order.address
        self.is_approved: bool | None = None
        self.is_express = False
        self.stage = "received"
        self.undo = Compensations()

    @workflow.run
    async def run(self, order: Order) -> Receipt:
        """Carry the order through, or undo it."""
        try:
            return await self._fulfil(order)
        except (FailureError, asyncio.CancelledError):
            self.stage = "undoing"
            await self.undo.run()
            raise

    async def _fulfil(self, order: Order) -> Receipt:
        if pricing.needs_approval(order):
            await self._approval(order)

        self.stage = "reserving"
        _, reservation = await asyncio.gather(
            workflow.execute_activity_method(Activities.check_card, order, **patience.QUICK),
            workflow.execute_activity_method(Activities.reserve_stock, order, **patience.QUICK),
        )
        self.undo.add(
            lambda: workflow.execute_activity_method(Activities.release_stock, reservation, **patience.STUBBORN)
        )

        self.stage = "in grace"
        await workflow.sleep(order.grace)

        self.stage = "charging"
        if workflow.patched("invoice-before-charge"):
            await workflow.execute_activity_method(Activities.send_invoice, order, **patience.QUICK)
        charge = Charge(reference=order.id, card=order.card, amount=pricing.total(order))
        payment = await workflow.execute_activity_method(Activities.charge_card, charge, **patience.QUICK)
        self.undo.add(lambda: workflow.execute_activity_method(Activities.refund_card, payment, **patience.STUBBORN))

        self.stage = "shipping"
        tracking = await self._ship(order)

        receipt = Receipt(order_id=order.id, paid=charge.amount, tracking=tracking)
        await workflow.execute_activity_method(Activities.send_receipt, receipt, **patience.STUBBORN)
        self.stage = "done"
        return receipt

    async def _approval(self, order: Order) -> None:
        self.stage = "waiting for approval"
        try:
            await workflow.wait_condition(lambda: self.is_approved is not None, timeout=order.approval_within)
        except TimeoutError:
            raise ApplicationError("nobody has looked at it", type="NotApproved") from None
        if not self.is_approved:
            raise ApplicationError("somebody has looked at it", type="NotApproved")

    async def _ship(self, order: Order) -> list[str]:
        shipments = []
        for warehouse in dict.fromkeys(line.warehouse for line in order.lines):
            parcel = Parcel(
                id=f"{order.id}-{warehouse}",
                warehouse=warehouse,
                lines=[line for line in order.lines if line.warehouse == warehouse],
                address=self.address,
                express=self.is_express,
                delivery_within=order.delivery_within,
            )
            shipments.append(await workflow.start_child_workflow(ShipmentWorkflow.run, parcel, id=parcel.id))
        return await asyncio.gather(*shipments)

    @workflow.signal
    def approve(self, *, yes: bool = True) -> None:
        """A person has looked at the order."""
        self.is_approved = yes

    @workflow.signal
    def make_express(self) -> None:
        """The customer cannot wait."""
        self.is_express = True

    @workflow.update
    def change_address(self, address: Address) -> str:
        """Send it elsewhere; returns the city where it would have gone."""
        before, self.address = self.address, address
        return before.city

    @change_address.validator
    def _still_here(self, address: Address) -> None:
        if self.stage in ("shipping", "done"):
            raise ApplicationError(f"too late for {address.city}: the order is {self.stage}")

    @workflow.query
    def progress(self) -> str:
        """How far the order is."""
        return self.stage
