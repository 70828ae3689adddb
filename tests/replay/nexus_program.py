"""A workflow that calls a nexus operation in the way that the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import NexusOperationError
from temporalio.workflow import NexusOperationCancellationType

KINDS = [kind.name for kind in NexusOperationCancellationType]

_called: list[tuple[str, NexusOperationCancellationType, int | None]] = []


@contextmanager
def calling(service: str, kind: str, cancelled_after: int | None) -> Iterator[None]:
    """How the operation is called in this block.

    Args:
        service: Name of its service.
        kind: Its cancellation type.
        cancelled_after: When it is cancelled, in seconds; None for never.
    """
    _called.append((service, NexusOperationCancellationType[kind], cancelled_after))
    try:
        yield
    finally:
        _called.pop()


@workflow.defn(sandboxed=False)
class CallsNexus:
    """Calls an operation, cancels it perhaps, and tells an activity what came of it."""

    @workflow.run
    async def run(self) -> str:
        """Call it."""
        service, kind, cancelled_after = _called[-1]
        client = workflow.create_nexus_client(service=service, endpoint="endpoint")

        async def call() -> int:
            operation = await client.start_operation("pay", 1, cancellation_type=kind, output_type=int)
            return await operation

        task = asyncio.create_task(call())
        if cancelled_after is not None:
            await asyncio.sleep(0 if cancelled_after == 0 else cancelled_after)
            task.cancel()
        try:
            found = str(await task)
        except NexusOperationError as error:
            found = type(error.__cause__).__name__
        except asyncio.CancelledError:
            found = "cancelled"
        await workflow.execute_activity("after", found, activity_id="x", start_to_close_timeout=timedelta(seconds=3))
        return found
