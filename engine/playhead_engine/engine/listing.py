"""A list of runs that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playhead_engine.engine.executions import WorkflowExecution
from playhead_engine.engine.operation import Operation


class Listing(Operation[list[WorkflowExecution]]):
    """Await it for a list, wait for it, or iterate over it with `async for`."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[WorkflowExecution]:
        """One run after the other."""
        for execution in await self:
            yield execution
