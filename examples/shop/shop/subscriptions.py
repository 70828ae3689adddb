"""Subscriptions: the same box every month, in a workflow that never ends by itself."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from shop import patience
    from shop.activities import Activities
    from shop.models import Charge, Subscription

BOXES_PER_RUN = 3
"""After so many the run continues as new, so that no history grows without end."""


@workflow.defn
class SubscriptionWorkflow:
    """One subscription, run after run."""

    def __init__(self) -> None:
        """Start as the customer did: with wanting it."""
        self.is_paused = False
        self.is_cancelled = False

    @workflow.run
    async def run(self, subscription: Subscription) -> int:
        """Send boxes until the customer has enough; returns how many there were, over all runs."""
        boxes = subscription.boxes_sent
        while not self.is_cancelled:
            number = f"{subscription.id}-{boxes + 1}"
            charge = Charge(reference=number, card=subscription.card, amount=subscription.price)
            await workflow.execute_activity_method(Activities.charge_card, charge, **patience.STUBBORN)
            await workflow.execute_activity_method(Activities.send_box, subscription, **patience.STUBBORN)
            boxes += 1
            await self._next_month(subscription)
            if boxes - subscription.boxes_sent == BOXES_PER_RUN and not self.is_cancelled:
                workflow.continue_as_new(subscription.model_copy(update={"boxes_sent": boxes}))
        return boxes

    async def _next_month(self, subscription: Subscription) -> None:
        try:
            await workflow.wait_condition(lambda: self.is_cancelled, timeout=subscription.period)
        except TimeoutError:
            await workflow.wait_condition(lambda: self.is_cancelled or not self.is_paused)

    @workflow.signal
    def pause(self) -> None:
        """No boxes for a while."""
        self.is_paused = True

    @workflow.signal
    def resume(self) -> None:
        """Boxes again."""
        self.is_paused = False

    @workflow.signal
    def cancel(self) -> None:
        """No boxes ever again."""
        self.is_cancelled = True
