"""Sagas: what has been done is undone, last things first, if the whole cannot be."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError


class Compensations:
    """How to undo what one run of a workflow has done so far."""

    def __init__(self) -> None:
        """Start with nothing to undo."""
        self._steps: list[Callable[[], Awaitable[object]]] = []

    def add(self, step: Callable[[], Awaitable[object]]) -> None:
        """Note how to undo what has just been done."""
        self._steps.append(step)

    async def run(self) -> None:
        """Undo it all; what cannot be undone is logged, and does not keep the rest from it."""
        while self._steps:
            try:
                await self._steps.pop()()
            except ActivityError:
                workflow.logger.exception("could not be undone")
