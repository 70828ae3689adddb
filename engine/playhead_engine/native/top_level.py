"""How a workflow ends: what becomes of what its run method, or a signal handler, returns or raises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from playhead_engine.call_site import definition_line, raising_line
from playhead_engine.commands import CancelWorkflowExecution, CompleteWorkflow, FailWorkflow
from playhead_engine.exceptions import CancelledError, is_cancelled_exception
from playhead_engine.native.children import ContinueRequested

if TYPE_CHECKING:
    from playhead_engine.native.run import Run


async def run_method(run: Run, args: Sequence[Any]) -> None:
    """The run method, and the command its result becomes."""
    fn = run.definition.run_fn
    result = await fn(run.workflow_object, *args)
    attributes = {"result": {"payloads": [run.converter.encode_value(result)]}}
    run.ask(CompleteWorkflow(attributes, definition_line(fn)))


async def ended_by(run: Run, part: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Run a part of the workflow whose errors end it, or fail the workflow task.

    Args:
        run: The run.
        part: Called when the task begins, so that no coroutine is left over if it never does.
        args: With what.
    """
    try:
        await part(*args)
    except ContinueRequested as request:
        run.ask(request.command())
    except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - each ends the workflow or fails its task
        site = raising_line(raised.__traceback__)
        error = CancelledError(str(raised)) if isinstance(raised, asyncio.CancelledError) else raised
        if run.cancel_reason is not None and is_cancelled_exception(error):
            run.ask(CancelWorkflowExecution(site))
        elif run.is_failure(error):
            fail_workflow(run, error)
        else:
            run.stop(error)


def fail_workflow(run: Run, error: BaseException) -> None:
    """End the workflow with an error.

    Raises:
        Exception: The error cannot be encoded.
    """
    failure = run.converter.encode_failure(error)
    run.ask(FailWorkflow({"failure": failure}, raising_line(error.__traceback__)))
