"""A booking that nobody cancels: it went through, but its answer did not, so the saga took it for failed.

What is to be undone has to be noted before it is done: a step that failed may have been done all the same. And one
compensation that fails must not keep the others from being tried.
"""

from datetime import timedelta

from playhead import faults
from playhead_engine import Engine, activity, workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, ApplicationError

PATIENCE = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)
STEPS = {"book_hotel": "cancel_hotel", "book_flight": "cancel_flight"}

effects = faults.Effects()
"""What hotels and airlines know of."""


@activity.defn
async def book_hotel(traveller: str) -> None:
    """Book a room."""
    effects.add(traveller, "book_hotel")


@activity.defn
async def cancel_hotel(traveller: str) -> None:
    """Give the room back, if there is one."""
    effects.add(traveller, "cancel_hotel")


@activity.defn
async def book_flight(traveller: str) -> None:
    """Book a seat."""
    effects.add(traveller, "book_flight")


@activity.defn
async def cancel_flight(traveller: str) -> None:
    """Give the seat back, if there is one."""
    effects.add(traveller, "cancel_flight")


@workflow.defn
class Trip:
    """A trip that is booked whole or not at all."""

    @workflow.run
    async def run(self, traveller: str) -> None:
        """Book step by step; when one fails, undo those before."""
        undo: list[str] = []
        try:
            for step, compensation in STEPS.items():
                await workflow.execute_activity(step, traveller, start_to_close_timeout=PATIENCE, retry_policy=ONCE)
                undo.append(compensation)
        except ActivityError as error:
            for compensation in reversed(undo):
                await workflow.execute_activity(compensation, traveller, start_to_close_timeout=PATIENCE)
            raise ApplicationError(f"{traveller} stays at home") from error


@workflow.defn(name="Trip")
class RepairedTrip:
    """The same, with nothing left behind."""

    @workflow.run
    async def run(self, traveller: str) -> None:
        """Book step by step; when one fails, undo it and those before."""
        undo: list[str] = []
        try:
            for step, compensation in STEPS.items():
                undo.append(compensation)  # before the step: it may be done although it fails
                await workflow.execute_activity(step, traveller, start_to_close_timeout=PATIENCE, retry_policy=ONCE)
        except ActivityError as error:
            for compensation in reversed(undo):
                try:
                    await workflow.execute_activity(compensation, traveller, start_to_close_timeout=PATIENCE)
                except ActivityError:
                    workflow.logger.warning("somebody has to see to %s of %s", compensation, traveller)
            raise ApplicationError(f"{traveller} stays at home") from error


ACTIVITIES = [book_hotel, cancel_hotel, book_flight, cancel_flight]
PROPERTIES = [*faults.properties.STANDARD, faults.properties.saga_compensates(STEPS, effects)]


@faults.program(workflows=[Trip], activities=ACTIVITIES, properties=PROPERTIES)
def trip(engine: Engine) -> None:
    """Book a trip."""
    engine.execute_workflow(Trip.run, "Ada", id="trip-Ada", task_queue="travel").wait()


@faults.program(workflows=[RepairedTrip], activities=ACTIVITIES, properties=PROPERTIES)
def repaired(engine: Engine) -> None:
    """Book it with an agency that notes what it does before it does it."""
    engine.execute_workflow(RepairedTrip.run, "Ada", id="trip-Ada", task_queue="travel").wait()
