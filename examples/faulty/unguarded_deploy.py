"""A deploy that stops the runs under way: the new code asks for something in between that they have passed already.

Which runs it hits depends on where they are. The new step is harmless before the first task and after the last, and in
between for some; one that waits for its timer never gets further.
"""

from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow

PATIENCE = timedelta(seconds=10)


@activity.defn
async def reserve(order: str) -> None:
    """Put the goods aside."""


@activity.defn
async def check_fraud(order: str) -> None:
    """Look at the customer twice."""


@activity.defn
async def ship(order: str) -> None:
    """Hand the parcel over."""


@workflow.defn
class Order:
    """One order, as it was."""

    @workflow.run
    async def run(self, order: str) -> None:
        """Reserve the goods, let the customer change their mind for a day, ship."""
        await workflow.execute_activity(reserve, order, start_to_close_timeout=PATIENCE)
        await workflow.sleep(timedelta(days=1))
        await workflow.execute_activity(ship, order, start_to_close_timeout=PATIENCE)


@workflow.defn(name="Order")
class NewOrder:
    """With a new step."""

    @workflow.run
    async def run(self, order: str) -> None:
        """Look for fraud before the customer may change their mind."""
        await workflow.execute_activity(reserve, order, start_to_close_timeout=PATIENCE)
        await workflow.execute_activity(check_fraud, order, start_to_close_timeout=PATIENCE)
        await workflow.sleep(timedelta(days=1))
        await workflow.execute_activity(ship, order, start_to_close_timeout=PATIENCE)


@workflow.defn(name="Order")
class PatchedOrder:
    """With a new step for new runs."""

    @workflow.run
    async def run(self, order: str) -> None:
        """Look for fraud before the customer may change their mind, in runs that have not passed this."""
        await workflow.execute_activity(reserve, order, start_to_close_timeout=PATIENCE)
        if workflow.patched("check-fraud"):
            await workflow.execute_activity(check_fraud, order, start_to_close_timeout=PATIENCE)
        await workflow.sleep(timedelta(days=1))
        await workflow.execute_activity(ship, order, start_to_close_timeout=PATIENCE)


ACTIVITIES = [reserve, check_fraud, ship]


@faults.program(workflows=[Order], activities=ACTIVITIES, deploys=[faults.Deploy([NewOrder])])
def order(engine: Engine) -> None:
    """Order something, while somebody deploys."""
    engine.execute_workflow(Order.run, "A-1", id="A-1", task_queue="shop").wait()


@faults.program(workflows=[Order], activities=ACTIVITIES, deploys=[faults.Deploy([PatchedOrder])])
def repaired(engine: Engine) -> None:
    """Order it, while somebody deploys with care."""
    engine.execute_workflow(Order.run, "A-1", id="A-1", task_queue="shop").wait()
