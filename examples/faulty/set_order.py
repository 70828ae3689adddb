"""A loop over a set of strings: the order is another one in every process, and so is what the workflow asks for.

Nothing shows it as long as one process has the run in memory, or as long as there is one string at most: here, until
two parcels go astray and another worker takes over.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow
from playhead_engine.exceptions import ActivityError

PATIENCE = timedelta(seconds=10)
CUSTOMERS = ["Ada", "Bob", "Cyd"]


@activity.defn
async def deliver(customer: str) -> None:
    """Bring a parcel."""


@activity.defn
async def apologize(customer: str) -> None:
    """Write a letter."""


def each_once(customers: Iterable[str]) -> Iterable[str]:
    """Nobody wants two letters."""
    return set(customers)


def each_once_in_order(customers: Iterable[str]) -> Iterable[str]:
    """Nobody wants two letters; the first comes first."""
    return dict.fromkeys(customers)


@workflow.defn
class Round:
    """A round of deliveries."""

    @workflow.run
    async def run(self, customers: list[str]) -> int:
        """Deliver, and apologize where that failed."""
        return await deliver_all(customers, each_once)


@workflow.defn(name="Round")
class RepairedRound:
    """The same, in an order that the run itself brings about."""

    @workflow.run
    async def run(self, customers: list[str]) -> int:
        """Deliver, and apologize where that failed."""
        return await deliver_all(customers, each_once_in_order)


async def deliver_all(customers: list[str], unique: Callable[[list[str]], Iterable[str]]) -> int:
    """Deliver to all at once; returns how many letters were written."""
    outcomes = await asyncio.gather(
        *(workflow.execute_activity(deliver, one, start_to_close_timeout=PATIENCE) for one in customers),
        return_exceptions=True,
    )
    failed = [one for one, outcome in zip(customers, outcomes, strict=True) if isinstance(outcome, ActivityError)]
    for customer in unique(failed):
        await workflow.execute_activity(apologize, customer, start_to_close_timeout=PATIENCE)
    return len(failed)


PROPERTIES = [*faults.properties.STANDARD, faults.properties.replays_in_other_processes()]


@faults.program(workflows=[Round], activities=[deliver, apologize], properties=PROPERTIES)
def deliveries(engine: Engine) -> int:
    """Make a round."""
    return engine.execute_workflow(Round.run, CUSTOMERS, id="monday", task_queue="vans").wait()


@faults.program(workflows=[RepairedRound], activities=[deliver, apologize], properties=PROPERTIES)
def repaired(engine: Engine) -> int:
    """Make it in an order that lasts."""
    return engine.execute_workflow(RepairedRound.run, CUSTOMERS, id="monday", task_queue="vans").wait()
