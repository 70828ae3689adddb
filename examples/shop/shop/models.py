"""What the shop's workflows and activities tell each other. Amounts are in cents.

Values of these classes are in every history: a field that is added, goes or becomes stricter changes running orders.
"""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """What all of them share: nobody changes a value that somebody else may hold."""

    model_config = ConfigDict(frozen=True)


class Address(Model):
    """Where a parcel goes."""

    street: str
    city: str


class Line(Model):
    """So many of one thing, and the warehouse that has it."""

    sku: str
    quantity: int
    unit_price: int
    warehouse: str


class Order(Model):
    """What a customer has clicked together."""

    id: str
    customer: str
    card: str
    address: Address
    lines: list[Line]
    grace: timedelta = timedelta(minutes=30)
    """How long the customer may still change the address, before anything is charged or packed."""
    approval_within: timedelta = timedelta(days=2)
    delivery_within: timedelta = timedelta(days=5)


class Parcel(Model):
    """What one warehouse sends."""

    id: str
    warehouse: str
    lines: list[Line]
    address: Address
    express: bool
    delivery_within: timedelta
    """When nobody has heard of it for so long, somebody asks the courier."""


class Charge(Model):
    """Money to be taken from a card, or to be given back."""

    reference: str
    card: str
    amount: int


class Receipt(Model):
    """What the customer is left with."""

    order_id: str
    paid: int
    tracking: list[str]


class Subscription(Model):
    """A box of something, again and again."""

    id: str
    customer: str
    card: str
    address: Address
    sku: str
    price: int
    period: timedelta = timedelta(days=30)
    boxes_sent: int = 0
    """Over all runs: the subscription continues as new every few boxes."""
