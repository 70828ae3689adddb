"""Workflows and activities written for Temporal's own SDK, for tests of clients and of families of both kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RawValue, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError

PATIENCE = timedelta(seconds=10)


@dataclass
class Visit:
    """A value with a type that only annotations tell."""

    guests: int
    names: set[str]


@activity.defn
async def welcome(visit: Visit) -> Visit:
    """Greet everybody once more."""
    return Visit(visit.guests + 1, visit.names | {"host"})


@workflow.defn
class House:
    """Takes guests until the door is closed."""

    def __init__(self) -> None:
        self.visit = Visit(0, set())
        self.is_closed = False

    @workflow.run
    async def run(self, first: Visit) -> Visit:
        """Wait until the door is closed."""
        self.visit = Visit(self.visit.guests + first.guests, self.visit.names | first.names)
        await workflow.wait_condition(lambda: self.is_closed)
        return await workflow.execute_activity(welcome, self.visit, start_to_close_timeout=PATIENCE)

    @workflow.signal
    def knock(self, visit: Visit) -> None:
        """More guests."""
        self.visit = Visit(self.visit.guests + visit.guests, self.visit.names | visit.names)

    @workflow.signal(name="shut")
    def close(self) -> None:
        """Let nobody in any more."""
        self.is_closed = True

    @workflow.query
    def inside(self) -> Visit:
        """Who is in."""
        return self.visit

    @workflow.update
    async def leave(self, visit: Visit) -> Visit:
        """Guests go; they say goodbye for a while."""
        await asyncio.sleep(60)
        self.visit = Visit(self.visit.guests - visit.guests, self.visit.names - visit.names)
        return self.visit

    @leave.validator
    def can_leave(self, visit: Visit) -> None:
        """Only those who are in can leave."""
        if not visit.names <= self.visit.names:
            raise ApplicationError("not inside", *sorted(visit.names - self.visit.names), type="NotInside")


@workflow.defn
class Fails:
    """Fails as it is told."""

    @workflow.run
    async def run(self, how: str) -> None:
        """Fail."""
        if how == "error":
            raise ApplicationError("no luck", {"tries": 3}, type="Luck", non_retryable=True) from ValueError("why")
        await asyncio.sleep(10_000)


@workflow.defn
class Parent:
    """Starts a child by its type, signals it, and tells how it ended."""

    @workflow.run
    async def run(self, child_type: str, value: Any) -> list[Any]:
        """Tell."""
        try:
            child = await workflow.start_child_workflow(child_type, value, id=f"child of {workflow.info().workflow_id}")
            await child.signal("go_on", "signalled")
            return ["returned", await child]
        except ChildWorkflowError as error:
            cause = error.cause
            assert isinstance(cause, ApplicationError)
            return ["raised", cause.type, cause.message, *cause.details]


@workflow.defn
class Child:
    """Waits for a signal, and fails if it is told to."""

    def __init__(self) -> None:
        self.told = ""

    @workflow.run
    async def run(self, value: Any) -> list[Any]:
        """Wait for the signal."""
        await workflow.wait_condition(lambda: bool(self.told))
        if value == "fail":
            raise ApplicationError("the child is tired", "since noon", type="Tired")
        return [self.told, value]

    @workflow.signal
    def go_on(self, word: str) -> None:
        """Go on."""
        self.told = word


@workflow.defn(dynamic=True)
class Anything:
    """Takes every workflow that nobody else does."""

    @workflow.run
    async def run(self, values: Sequence[RawValue]) -> list[Any]:
        """Tell what it was started as."""
        converter = workflow.payload_converter()
        return [workflow.info().workflow_type, *(converter.from_payload(value.payload) for value in values)]


@workflow.defn
class Labels:
    """Says several things at once wherever several can be said."""

    @workflow.run
    async def run(self) -> None:
        """Say them."""
        words = {name: name.upper() for name in ("one", "two", "three", "four")}
        workflow.upsert_memo(words)
        workflow.upsert_search_attributes(
            [SearchAttributeKey.for_keyword(name).value_set(word) for name, word in words.items()]
        )
        try:
            await workflow.execute_child_workflow(
                Fails.run,
                "error",
                id="child",
                memo=words,
                search_attributes=TypedSearchAttributes(
                    [SearchAttributePair(SearchAttributeKey.for_keyword(name), word) for name, word in words.items()]
                ),
            )
        except ChildWorkflowError as error:
            raise ApplicationError("labelled", words) from error
