"""An exchange rate, from the bank if it answers in time, from the rate card otherwise.

Shows a start-to-close timeout that the workflow catches, and a local activity: the rate card lies in the worker's own
memory, so reading it is not worth a trip over the server. The card lacks gold at first, and the local activity tries
again, after a wait so long that a timer has to bridge it.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from playhead_engine import activity, workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, ApplicationError
from playhead_engine.exceptions import TimeoutError as ActivityTimedOut

RATE_CARD = {"CHF": 1.06, "JPY": 0.0061, "XAU": 3720.5}


@dataclass
class Exchange:
    """How much of what, and how long it takes to ask the bank, or to find the card."""

    amount: float
    currency: str
    bank_takes_seconds: float = 0
    card_takes_seconds: float = 0


@activity.defn
async def ask_bank(exchange: Exchange) -> float:
    """Ask the bank, which likes to take its time."""
    await asyncio.sleep(exchange.bank_takes_seconds)
    return RATE_CARD[exchange.currency] * 0.99


@activity.defn
async def read_rate_card(exchange: Exchange) -> float:
    """Look the rate up; gold is printed on the card only from the second look on."""
    await asyncio.sleep(exchange.card_takes_seconds)
    if exchange.currency == "XAU" and activity.info().attempt < 2:
        raise ApplicationError("gold is not on the card yet", type="NotPrinted")
    return RATE_CARD[exchange.currency]


@workflow.defn
class CurrencyExchange:
    """One amount."""

    @workflow.run
    async def run(self, exchange: Exchange) -> float:
        """Give the bank one second, then take the rate card."""
        try:
            rate = await workflow.execute_activity(
                ask_bank,
                exchange,
                start_to_close_timeout=timedelta(seconds=1),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            if not isinstance(error.cause, ActivityTimedOut):
                raise
            rate = await workflow.execute_local_activity(
                read_rate_card,
                exchange,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2)),
                local_retry_threshold=timedelta(seconds=1),
            )
        return exchange.amount * rate
