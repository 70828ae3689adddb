"""A pizza, from the phone call to the door.

Shows time: the oven is a timer, the courier has half an hour before the customer gets a voucher, and the door bell is a
signal. `status` is a query that may be asked at any moment, also of a run that was only ever replayed.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=10)


@dataclass
class Pizza:
    """What was ordered, and how long things take."""

    name: str
    address: str
    bake_seconds: float = 600
    promised_seconds: float = 1800


@activity.defn
async def prepare(pizza: Pizza) -> str:
    """Roll the dough and put everything on it."""
    return f"raw {pizza.name}"


@activity.defn
async def send_courier(pizza: Pizza) -> str:
    """Send somebody off on a bicycle."""
    return f"courier to {pizza.address}"


@activity.defn
async def give_voucher(pizza: Pizza) -> str:
    """Make up for a cold pizza."""
    return f"the next {pizza.name} is free"


@workflow.defn
class PizzaOrder:
    """One pizza for one address."""

    @workflow.init
    def __init__(self, pizza: Pizza) -> None:
        """Know the order before the first signal or query arrives."""
        self.stage = f"took the order for one {pizza.name}"
        self.handed_over = False

    @workflow.run
    async def run(self, pizza: Pizza) -> str:
        """Prepare, bake, deliver; apologise if nobody rang in time."""
        await workflow.execute_activity(prepare, pizza, start_to_close_timeout=PATIENCE)

        self.stage = "baking"
        await workflow.sleep(pizza.bake_seconds)

        self.stage = "on its way"
        await workflow.execute_activity(send_courier, pizza, start_to_close_timeout=PATIENCE)
        try:
            await workflow.wait_condition(lambda: self.handed_over, timeout=pizza.promised_seconds)
        except TimeoutError:
            self.stage = "late"
            return await workflow.execute_activity(give_voucher, pizza, start_to_close_timeout=PATIENCE)

        self.stage = "delivered"
        return f"{pizza.name} delivered to {pizza.address}"

    @workflow.signal
    def delivered(self) -> None:
        """Note that the courier rang, and somebody opened."""
        self.handed_over = True

    @workflow.query
    def status(self) -> str:
        """Tell where the pizza is."""
        return self.stage
