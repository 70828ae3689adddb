"""A workflow that fetches a value, does something with it, and stores it. What it does with it is for tests to say.

It is written for our own API; the same file with `temporalio` in its imports is the other kind of code.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from playhead_engine import activity, workflow
from playhead_engine.common import RawValue
from playhead_engine.exceptions import ActivityError, ApplicationError

SOON = timedelta(seconds=30)

use: list[Callable[[Any], object]] = [lambda _value: None]
"""What the workflow does with the value that was fetched."""


@dataclass
class Basket:
    """What somebody wants to buy."""

    items: list[str]
    total: int


@dataclass
class Bill:
    """A basket in a value of the code's own."""

    basket: Basket
    number: int = 1


@activity.defn
async def fetch(customer: str) -> Basket:
    """Get a basket."""
    return Basket([f"a present for {customer}"], 30)


@activity.defn
async def store(basket: Any) -> None:
    """Keep a basket."""


@activity.defn
async def refuse(basket: Any) -> None:
    """Have nothing to do with it."""
    raise ApplicationError("it is too heavy", basket, type="TooHeavy", non_retryable=True)


@workflow.defn
class Reading:
    """Fetch, use, store."""

    @workflow.run
    async def run(self, customer: str) -> Basket:
        """Do it."""
        basket = await workflow.execute_activity(fetch, customer, start_to_close_timeout=SOON)
        use[0](basket)
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        return basket


@workflow.defn(name="Reading")
class StoringTwice:
    """Changed: it stores the basket twice."""

    @workflow.run
    async def run(self, customer: str) -> Basket:
        """Do it."""
        basket = await workflow.execute_activity(fetch, customer, start_to_close_timeout=SOON)
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        return basket


@workflow.defn(name="Reading")
class Swallowing:
    """Changed: it takes whatever happens for bad luck."""

    @workflow.run
    async def run(self, customer: str) -> Basket | None:
        """Do it."""
        basket = await workflow.execute_activity(fetch, customer, start_to_close_timeout=SOON)
        try:
            bool(basket.total > 10)
        except BaseException:  # noqa: BLE001 - that is the point
            workflow.logger.info("bad luck")
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        return basket


@workflow.defn(name="Reading", failure_exception_types=[Exception])
class FailingAtEverything:
    """Changed: every error fails the workflow."""

    @workflow.run
    async def run(self, customer: str) -> Basket:
        """Do it."""
        basket = await workflow.execute_activity(fetch, customer, start_to_close_timeout=SOON)
        bool(basket.total > 10)
        return basket


@workflow.defn(name="Reading")
class Beside:
    """Changed: a task beside the run method looks inside."""

    @workflow.run
    async def run(self, customer: str) -> Basket:
        """Do it."""
        basket = await workflow.execute_activity(fetch, customer, start_to_close_timeout=SOON)

        async def look() -> bool:
            return basket.total > 10

        looking = asyncio.create_task(look())
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        await looking
        return basket


@workflow.defn(name="Reading")
class Raw:
    """Takes its argument as it is."""

    @workflow.run
    async def run(self, customer: RawValue) -> Any:
        """Do it."""
        assert customer.payload.metadata["encoding"] == b"binary/encrypted"
        known = workflow.payload_converter().from_payload(customer.payload, str)
        basket = await workflow.execute_activity("fetch", known, start_to_close_timeout=SOON)
        await workflow.execute_activity(store, basket, start_to_close_timeout=SOON)
        return basket


@workflow.defn
class Signalled:
    """Waits for signals, and says what it knows."""

    @workflow.init
    def __init__(self, customer: str) -> None:
        """Know the customer."""
        self.customer = customer
        self.baskets: list[Basket] = []

    @workflow.run
    async def run(self, customer: str) -> list[Basket]:
        """Wait for two baskets."""
        await workflow.wait_condition(lambda: len(self.baskets) == 2)
        use[0](self.baskets[1])
        return self.baskets

    @workflow.signal
    def add(self, basket: Basket) -> None:
        """Take a basket."""
        self.baskets.append(basket)

    @workflow.update
    def replace(self, basket: Basket) -> Basket:
        """Take another one for the first."""
        self.baskets[0] = basket
        return basket


@workflow.defn
class Remembering:
    """Looks into its memo, or only for it."""

    @workflow.run
    async def run(self, customer: str) -> str:
        """Do it."""
        use[0](workflow.memo_value("basket"))
        use[0](workflow.memo()["basket"])
        workflow.upsert_memo({"basket": workflow.memo_value("basket")})
        await workflow.sleep(1)
        return "done"


@workflow.defn
class Refused:
    """Meets a failure, and looks at it, or does not."""

    @workflow.run
    async def run(self, customer: str) -> str:
        """Do it."""
        try:
            await workflow.execute_activity(refuse, customer, start_to_close_timeout=SOON)
        except ActivityError as error:
            use[0](error.cause)
        return "refused"
