"""Order fulfilment, fixed: a free sample has no price, so it has no discount either.

The same workflow as `orders` but for one line, and that line issues no command: every recorded run still agrees with
it, and the runs that are stuck in `orders` go on from where they are as soon as a worker has this code.
"""

from dataclasses import dataclass
from datetime import timedelta

from playhead_engine import activity, workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ApplicationError

PATIENCE = timedelta(seconds=10)


@dataclass
class Order:
    """What the customer wants; all amounts are in cents."""

    id: str
    item: str
    quantity: int
    unit_price: int
    voucher: int = 0
    card: str = "valid"
    express: bool = False

    @property
    def total(self) -> int:
        """The price before any voucher; nothing for a free sample."""
        return self.quantity * self.unit_price


@dataclass
class Receipt:
    """What the customer gets to see once the parcel is out of the door."""

    order_id: str
    paid: int
    discount_percent: int
    tracking: str


@activity.defn
async def reserve(order: Order) -> str:
    """Put the goods aside."""
    return f"{order.quantity} x {order.item}"


@activity.defn
async def charge(order: Order) -> int:
    """Take the money. An expired card stays expired, so trying again is pointless."""
    if order.card == "expired":
        raise ApplicationError("the card has expired", order.id, type="CardExpired", non_retryable=True)
    return max(order.total - order.voucher, 0)


@activity.defn
async def ship(order: Order) -> str:
    """Hand the parcel over. Express parcels need a van, and the van is back only for the third try."""
    if order.express and activity.info().attempt < 3:
        raise ApplicationError("no van in the yard", type="NoVan")
    return f"parcel-{order.id}"


@workflow.defn
class OrderFulfilment:
    """One order from the click to the parcel."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self.stage = "received"

    @workflow.run
    async def run(self, order: Order) -> Receipt:
        """Carry the order through."""
        self.stage = "reserving"
        await workflow.execute_activity(reserve, order, start_to_close_timeout=PATIENCE)

        self.stage = "charging"
        paid = await workflow.execute_activity(charge, order, start_to_close_timeout=PATIENCE)

        self.stage = "packing"
        discount_percent = order.voucher * 100 // order.total if order.total else 0

        self.stage = "shipping"
        tracking = await workflow.execute_activity(
            ship,
            order,
            start_to_close_timeout=PATIENCE,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=5),
        )

        self.stage = "shipped"
        return Receipt(order.id, paid, discount_percent, tracking)

    @workflow.query
    def status(self) -> str:
        """Tell how far the order is."""
        return self.stage
