"""The shop's activities: all that it does in the world, and nothing that it decides."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from shop.back_office import BackOffice, Refused
from shop.models import Charge, Order, Parcel, Receipt, Subscription


class Activities:
    """Each method asks one desk of the back office for one thing."""

    def __init__(self, back_office: BackOffice) -> None:
        """Args: back_office: whom to ask."""
        self._back_office = back_office

    async def _ask(self, desk: str, document: BaseModel | str) -> str:
        try:
            return await self._back_office.ask(desk, document)
        except Refused as refused:
            raise ApplicationError(str(refused), type=refused.reason, non_retryable=True) from None

    @activity.defn
    async def check_card(self, order: Order) -> str:
        """See whether the card is good, without taking anything from it."""
        return await self._ask("cards/checks", order)

    @activity.defn
    async def reserve_stock(self, order: Order) -> str:
        """Put the goods aside; returns the number of the reservation."""
        return await self._ask("stock/reservations", order)

    @activity.defn
    async def release_stock(self, reservation: str) -> str:
        """Put them back on the shelf."""
        return await self._ask("stock/releases", reservation)

    @activity.defn
    async def send_invoice(self, order: Order) -> str:
        """Mail the invoice."""
        return await self._ask("mail/invoices", order)

    @activity.defn
    async def charge_card(self, charge: Charge) -> str:
        """Take the money, once for each reference; returns the number of the payment."""
        return await self._ask("cards/charges", charge)

    @activity.defn
    async def refund_card(self, payment: str) -> str:
        """Give it back."""
        return await self._ask("cards/refunds", payment)

    @activity.defn
    async def book_courier(self, parcel: Parcel) -> str:
        """Have a parcel fetched at the warehouse; returns its tracking number."""
        return await self._ask("couriers/bookings", parcel)

    @activity.defn
    async def trace_parcel(self, tracking: str) -> str:
        """Ask the courier about a parcel that is late; returns `under way` or `lost`."""
        return await self._ask("couriers/traces", tracking)

    @activity.defn
    async def send_receipt(self, receipt: Receipt) -> str:
        """Mail the receipt."""
        return await self._ask("mail/receipts", receipt)

    @activity.defn
    async def send_box(self, subscription: Subscription) -> str:
        """Send the next box of a subscription."""
        return await self._ask("couriers/boxes", subscription)

    def all(self) -> list[Callable[..., Awaitable[str]]]:
        """All of them, for a worker."""
        return [
            self.check_card,
            self.reserve_stock,
            self.release_stock,
            self.send_invoice,
            self.charge_card,
            self.refund_card,
            self.book_courier,
            self.trace_parcel,
            self.send_receipt,
            self.send_box,
        ]
