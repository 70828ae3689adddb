"""Workflows whose past the tests of the timeline look into, with their histories made by the engine."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from playhead import Replayer
from playhead.timeline.recording import Recording
from playhead_engine import Engine, activity, workflow
from playhead_engine.history import History

SOON = timedelta(seconds=10)


@activity.defn
async def price(item: str) -> int:
    """Look up a price: a hundred for each letter."""
    return 100 * len(item)


@dataclass
class Line:
    """One line of a basket."""

    item: str
    cents: int


@workflow.defn
class Basket:
    """Takes items by signal until it is paid, and looks up each price."""

    def __init__(self) -> None:
        """Start empty."""
        self.lines: list[Line] = []
        self.total = 0
        self.is_paid = False

    @workflow.run
    async def run(self, owner: str) -> int:
        """Wait until it is paid."""
        greeting = f"Hello, {owner}"
        await workflow.wait_condition(lambda: self.is_paid)
        await workflow.sleep(5)
        return self.total + len(greeting)

    @workflow.signal
    async def add(self, item: str) -> None:
        """Add an item."""
        cents = await self.price_of(item)
        self.lines.append(Line(item, cents))
        self.total += cents

    async def price_of(self, item: str) -> int:
        """Look a price up."""
        return await workflow.execute_activity(price, item, start_to_close_timeout=SOON)

    @workflow.signal
    def pay(self) -> None:
        """Take the money."""
        self.is_paid = True

    @workflow.query
    def items(self, prefix: str = "") -> list[str]:
        """Tell what is in it."""
        return [line.item for line in self.lines if line.item.startswith(prefix)]

    @workflow.query
    def spoil(self) -> int:
        """Do what a query must not do."""
        self.total += 1
        return self.total

    @workflow.query
    def broken(self) -> int:
        """Raise."""
        raise ValueError("nobody knows")

    def most_expensive(self) -> str:
        """Tell which item costs most."""
        return max(self.lines, key=lambda line: line.cents).item


@workflow.defn
class Nested:
    """Waits in a task, in a generator, in a helper, all at once."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run all."""
        found: list[int] = await asyncio.gather(*(self.one(n) for n in range(count)))
        total = 0
        async for value in self.counting(2):
            total += value
        return sum(found) + total

    async def one(self, number: int) -> int:
        """Ask for one price."""
        doubled = number * 2
        cents: int = await workflow.execute_activity(price, "x" * doubled, start_to_close_timeout=SOON)
        return cents

    async def counting(self, limit: int) -> AsyncIterator[int]:
        """Count, slowly."""
        for number in range(limit):
            await asyncio.sleep(1)
            yield number


def line_of(function: Any, text: str) -> int:
    """The line of a function on which a text stands."""
    lines, start = inspect.getsourcelines(function)
    return start + next(number for number, line in enumerate(lines) if text in line)


@cache
def basket_history() -> History:
    """A basket that gets two items, and is paid."""
    with Engine(workflows=[Basket], activities=[price], seed=7) as engine:
        handle = engine.start_workflow(Basket.run, "Ada", id="basket", task_queue="t").wait()
        handle.signal(Basket.add, "tea").wait()
        handle.signal(Basket.add, "coffee").wait()
        handle.signal(Basket.pay).wait()
        handle.result().wait()
        return handle.fetch_history().wait()


@cache
def nested_history() -> History:
    """A run of `Nested` with three activities at once."""
    with Engine(workflows=[Nested], activities=[price], seed=7) as engine:
        handle = engine.start_workflow(Nested.run, 3, id="nested", task_queue="t").wait()
        handle.result().wait()
        return handle.fetch_history().wait()


def basket(queries: tuple[str, ...] = ()) -> Recording:
    """The recording of the basket."""
    return Replayer([Basket]).record(basket_history(), queries=queries)


def nested() -> Recording:
    """The recording of the nested run."""
    return Replayer([Nested]).record(nested_history())
