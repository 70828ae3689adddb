"""A race between an update and a timer: a deposit is taken, and before that is known the offer expires.

A handler that waits for something is under way while time goes on. Whoever ends the run has to wait for the handlers
first, and then to look at what they came to.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow
from playhead_engine.client import WorkflowNotFoundError, WorkflowUpdateFailedError

HOUR = timedelta(hours=1)
PATIENCE = timedelta(seconds=10)

effects = faults.Effects()
"""The books of the bank."""


@activity.defn
async def take_deposit(buyer: str) -> None:
    """Take a deposit, once from everybody."""
    if buyer not in effects:
        effects.add(buyer)


@workflow.defn
class Offer:
    """Something that is for sale for an hour."""

    def __init__(self) -> None:
        """Start unsold."""
        self.buyer: str | None = None

    @workflow.run
    async def run(self) -> str | None:
        """Wait for a buyer; returns who it is."""
        try:
            await workflow.wait_condition(lambda: self.buyer is not None, timeout=HOUR)
        except TimeoutError:
            return None
        return self.buyer

    @workflow.update
    async def accept(self, buyer: str) -> str:
        """Buy it."""
        await workflow.execute_activity(take_deposit, buyer, start_to_close_timeout=PATIENCE)
        self.buyer = buyer
        return f"it goes to {buyer}"


@workflow.defn(name="Offer")
class RepairedOffer(Offer):
    """The same, which lets nobody down who is in the door."""

    @workflow.run
    async def run(self) -> str | None:
        """Wait for a buyer; returns who it is."""
        with suppress(TimeoutError):  # somebody may be in the door
            await workflow.wait_condition(lambda: self.buyer is not None, timeout=HOUR)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.buyer


def nobody_pays_for_nothing(trial: faults.Trial[str | None]) -> None:
    """Who paid a deposit is the one who gets it."""
    for effect in effects:
        assert trial.result == effect.key, f"{effect.key} paid a deposit, and it went to {trial.result or 'nobody'}"


PROPERTIES: list[faults.Property | Callable[[faults.Trial[str | None]], None]] = [
    *faults.properties.STANDARD,
    nobody_pays_for_nothing,
]


@faults.program(workflows=[Offer], activities=[take_deposit], properties=PROPERTIES)
def offer(engine: Engine) -> str | None:
    """Accept an offer five seconds before it expires; returns who got it."""
    effects.clear()
    handle = engine.start_workflow(Offer.run, id="teapot", task_queue="shop").wait()
    engine.sleep(HOUR - timedelta(seconds=5)).wait()
    with suppress(WorkflowUpdateFailedError, WorkflowNotFoundError):  # too late, and the customer knows it
        handle.execute_update(Offer.accept, "Ada").wait()
    return handle.result().wait()


@faults.program(workflows=[RepairedOffer], activities=[take_deposit], properties=PROPERTIES)
def repaired(engine: Engine) -> str | None:
    """The same from a shop that waits for its handlers."""
    result = offer(engine)
    assert result is None or isinstance(result, str)
    return result
