"""What things cost. Workflows ask here, so a change here may change what a running order does."""

from shop.models import Order

APPROVAL_FROM = 100_000
"""Orders of so much are looked at by a person before they go on."""


def total(order: Order) -> int:
    """What the customer pays, shipping included."""
    goods = sum(line.quantity * line.unit_price for line in order.lines)
    return goods if goods >= 5_000 else goods + 490


def needs_approval(order: Order) -> bool:
    """Whether a person has to look at an order first."""
    return total(order) >= APPROVAL_FROM
