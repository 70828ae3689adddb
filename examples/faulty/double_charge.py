"""A customer who is charged twice: the money was taken, nobody heard of it, and so it was taken again.

An activity runs at least once. What it does to the world has to carry a key, by which the world knows that it has been
done already.
"""

from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow

effects = faults.Effects()
"""The books of the payment provider."""


@activity.defn
async def charge(order: str) -> None:
    """Take the money."""
    effects.add(order, "charge")


@activity.defn(name="charge")
async def charge_once(order: str) -> None:
    """Take the money, unless it was taken for this order: the order is the key."""
    if order not in effects:
        effects.add(order, "charge")


@workflow.defn
class Checkout:
    """One order, paid by card."""

    @workflow.run
    async def run(self, order: str) -> str:
        """Charge the customer."""
        await workflow.execute_activity("charge", order, start_to_close_timeout=timedelta(seconds=10))
        return f"{order} is paid"


PROPERTIES = [*faults.properties.STANDARD, faults.properties.effects_once(effects)]


@faults.program(workflows=[Checkout], activities=[charge], properties=PROPERTIES)
def checkout(engine: Engine) -> str:
    """Buy something."""
    return engine.execute_workflow(Checkout.run, "A-1", id="A-1", task_queue="shop").wait()


@faults.program(workflows=[Checkout], activities=[charge_once], properties=PROPERTIES)
def repaired(engine: Engine) -> str:
    """Buy it from a shop that knows better."""
    return engine.execute_workflow(Checkout.run, "A-1", id="A-1", task_queue="shop").wait()
