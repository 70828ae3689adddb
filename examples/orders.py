"""Order fulfilment: reserve the goods, charge the card, work out the discount, ship.

Shows a bug in workflow code. The packing slip states the discount in percent of the price, and a free sample has no
price: the workflow task fails with ZeroDivisionError, again and again, and the run is stuck after the customer was
charged. `orders_hotfix` is the fix, `orders_broken` a careless change that runs already under way cannot follow.
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
        discount_percent = order.voucher * 100 // order.total

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
