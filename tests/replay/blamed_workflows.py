"""Workflows whose mistakes no line of their own raises or asks for, written for `temporalio` and for our own API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

from playhead_engine import activity as native_activity
from playhead_engine import workflow as native

SOON = timedelta(seconds=5)


@dataclass
class Order:
    """As it was."""

    id: str


@dataclass
class OrderWithPhone:
    """With a field that nobody gave then."""

    id: str
    phone: str


@activity.defn
async def reserve(order: Order) -> Order:
    """Put aside."""
    return order


@activity.defn
async def charge(order: Order) -> Order:
    """Take the money."""
    return order


@native_activity.defn(name="reserve")
async def native_reserve(order: Order) -> Order:
    """Put aside."""
    return order


@workflow.defn(name="Buying", sandboxed=False)
class Buying:
    """Two things at a time."""

    @workflow.run
    async def run(self, order: Order) -> None:
        await asyncio.gather(
            workflow.execute_activity(reserve, order, start_to_close_timeout=SOON),
            workflow.execute_activity(charge, order, start_to_close_timeout=SOON),
        )


@workflow.defn(name="Buying", sandboxed=False)
class BuyingTheOtherWayRound:
    """The same two things, in another order."""

    @workflow.run
    async def run(self, order: Order) -> None:
        await asyncio.gather(
            workflow.execute_activity(charge, order, start_to_close_timeout=SOON),  # now the first
            workflow.execute_activity(reserve, order, start_to_close_timeout=SOON),
        )


@workflow.defn(name="Ordering", sandboxed=False)
class Ordering:
    """One thing."""

    @workflow.run
    async def run(self, order: Order) -> None:
        await workflow.execute_activity(reserve, order, start_to_close_timeout=SOON)


@workflow.defn(name="Ordering", sandboxed=False)
class OrderingWithPhone:
    """The argument has another type."""

    @workflow.run  # takes the argument
    async def run(self, order: OrderWithPhone) -> None:
        await workflow.execute_activity(reserve, Order(order.id), start_to_close_timeout=SOON)


@workflow.defn(name="Ordering", sandboxed=False)
class OrderingForMore:
    """The result has another type."""

    @workflow.run
    async def run(self, order: Order) -> None:
        await workflow.execute_activity(  # waits
            "reserve", order, result_type=OrderWithPhone, start_to_close_timeout=SOON
        )


@native.defn(name="Ordering")
class NativeOrdering:
    """One thing."""

    @native.run
    async def run(self, order: Order) -> None:
        await native.execute_activity(native_reserve, order, start_to_close_timeout=SOON)


@native.defn(name="Ordering")
class NativeOrderingWithPhone:
    """The argument has another type."""

    @native.run  # takes the argument, natively
    async def run(self, order: OrderWithPhone) -> None:
        await native.execute_activity(native_reserve, Order(order.id), start_to_close_timeout=SOON)


@native.defn(name="Ordering")
class NativeOrderingForMore:
    """The result has another type."""

    @native.run
    async def run(self, order: Order) -> None:
        await native.execute_activity(  # waits, too
            "reserve", order, result_type=OrderWithPhone, start_to_close_timeout=SOON
        )


@native.defn(name="Ordering")
class NativeOrderingWithoutEnd:
    """It goes round and round."""

    @native.run
    async def run(self, order: Order) -> None:
        while order:  # for ever
            pass
