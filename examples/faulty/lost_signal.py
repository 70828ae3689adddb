"""A signal that was accepted and forgotten: it came while the workflow was busy with the ones before.

A signal that a client has an answer to is safe in the history. Whether anything is made of it is up to the code: it has
to look again for what came in the meantime before it returns.
"""

from contextlib import suppress
from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow
from playhead_engine.client import WorkflowNotFoundError

PATIENCE = timedelta(minutes=2)


@activity.defn
async def reserve(items: list[str]) -> list[str]:
    """Put the goods aside."""
    return items


@workflow.defn
class Basket:
    """A basket that is filled by signals until somebody closes it."""

    def __init__(self) -> None:
        """Start empty."""
        self.items: list[str] = []
        self.is_closed = False

    @workflow.run
    async def run(self) -> list[str]:
        """Reserve what is in it when it is closed."""
        await workflow.wait_condition(lambda: self.is_closed)
        return await workflow.execute_activity(reserve, self.items, start_to_close_timeout=PATIENCE)

    @workflow.signal
    def add(self, item: str) -> None:
        """Take one more thing."""
        self.items.append(item)

    @workflow.signal
    def close(self) -> None:
        """That was all."""
        self.is_closed = True


@workflow.defn(name="Basket")
class RepairedBasket(Basket):
    """The same, until nothing is left over."""

    @workflow.run
    async def run(self) -> list[str]:
        """Reserve what is in it when it is closed, and what was added meanwhile."""
        reserved: list[str] = []
        await workflow.wait_condition(lambda: self.is_closed)
        while self.items:
            items, self.items = self.items, []
            reserved += await workflow.execute_activity(reserve, items, start_to_close_timeout=PATIENCE)
        return reserved


PROPERTIES = [
    *faults.properties.STANDARD,
    faults.properties.no_signal_lost(signal="add", taken=lambda trial: trial.result or ()),
]


@faults.program(workflows=[Basket], activities=[reserve], properties=PROPERTIES)
def basket(engine: Engine) -> list[str]:
    """Buy some tea; and a minute after the basket was closed, think of cake."""
    handle = engine.start_workflow(Basket.run, id="basket", task_queue="shop").wait()
    handle.signal(Basket.add, "tea").wait()
    handle.signal(Basket.close).wait()
    engine.sleep(60).wait()
    with suppress(WorkflowNotFoundError):  # too late, and the customer knows it
        handle.signal(Basket.add, "cake").wait()
    return handle.result().wait()


@faults.program(workflows=[RepairedBasket], activities=[reserve], properties=PROPERTIES)
def repaired(engine: Engine) -> list[str]:
    """The same from a shop that looks again."""
    result = basket(engine)
    assert isinstance(result, list)
    return result
