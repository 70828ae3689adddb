"""Shipments: one parcel from the shelf to the door."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from shop import patience
    from shop.activities import Activities
    from shop.models import Parcel


@workflow.defn
class ShipmentWorkflow:
    """One parcel; a child of its order."""

    def __init__(self) -> None:
        """Start with a parcel that is nowhere."""
        self.is_delivered = False

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        """See the parcel to the door; returns its tracking number."""
        tracking = await workflow.execute_activity_method(Activities.book_courier, parcel, **patience.QUICK)
        while not self.is_delivered:
            try:
                await workflow.wait_condition(lambda: self.is_delivered, timeout=parcel.delivery_within)
            except TimeoutError:
                state = await workflow.execute_activity_method(Activities.trace_parcel, tracking, **patience.QUICK)
                if state == "lost":
                    raise ApplicationError(f"{tracking} is lost", type="ParcelLost", non_retryable=True) from None
        return tracking

    @workflow.signal
    def delivered(self) -> None:
        """The courier's web hook says that it is there."""
        self.is_delivered = True
