"""A trip of three bookings that is booked whole or not at all.

Shows compensation: when a booking fails for good, everything booked before is cancelled in reverse order, and the run
fails with the whole chain of causes, from the workflow down to the exception in the activity.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from playhead_engine import activity, workflow
from playhead_engine.exceptions import ActivityError, ApplicationError

PATIENCE = timedelta(seconds=10)
CARS = {"Lisbon": "a small blue one", "Oslo": "one with skis"}


@dataclass
class Trip:
    """Where to go."""

    traveller: str
    city: str


@activity.defn
async def book_hotel(trip: Trip) -> str:
    """Book a room."""
    return f"a room in {trip.city}"


@activity.defn
async def cancel_hotel(trip: Trip) -> str:
    """Give the room back."""
    return f"no room in {trip.city}"


@activity.defn
async def book_flight(trip: Trip) -> str:
    """Book a seat."""
    return f"a seat to {trip.city}"


@activity.defn
async def cancel_flight(trip: Trip) -> str:
    """Give the seat back."""
    return f"no seat to {trip.city}"


@activity.defn
async def book_car(trip: Trip) -> str:
    """Rent a car. A city without cars will not have one at the next try."""
    try:
        return f"a car: {CARS[trip.city]}"
    except KeyError as error:
        raise ApplicationError(f"no cars in {trip.city}", trip.city, type="NoCars", non_retryable=True) from error


@activity.defn
async def cancel_car(trip: Trip) -> str:
    """Give the car back, even if it is not certain that there was one."""
    return f"no car in {trip.city}"


Booking = Callable[[Trip], Awaitable[str]]

STEPS: list[tuple[Booking, Booking]] = [
    (book_hotel, cancel_hotel),
    (book_flight, cancel_flight),
    (book_car, cancel_car),
]


@workflow.defn
class TripBooking:
    """One trip."""

    @workflow.run
    async def run(self, trip: Trip) -> list[str]:
        """Book step by step; on failure undo every step that was begun, the last one first."""
        booked: list[str] = []
        undo: list[Booking] = []
        try:
            for book, cancel in STEPS:
                undo.append(cancel)  # before booking: a booking that failed may still have gone through
                booked.append(await workflow.execute_activity(book, trip, start_to_close_timeout=PATIENCE))
        except ActivityError as error:
            for cancel in reversed(undo):
                await workflow.execute_activity(cancel, trip, start_to_close_timeout=PATIENCE)
            raise ApplicationError(f"{trip.traveller} stays at home", type="TripCancelled") from error
        return booked
