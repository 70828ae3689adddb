"""Other workflows: signals to them, and requests to cancel them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playhead_engine.commands import CancelSignalExternal, RequestCancelExternal, SignalExternal
from playhead_engine.definitions import SIGNAL, handler_name
from playhead_engine.native.activities import UNSET, only_one_of
from playhead_engine.native.operation import shielded
from playhead_engine.native.site import asking_line

if TYPE_CHECKING:
    from playhead_engine.messages import Failure, Json, WorkflowExecution
    from playhead_engine.native.run import Run

_W = TypeVar("_W")


class ExternalWorkflowHandle(Generic[_W]):
    """Some other workflow, which need not exist.

    Attributes:
        id: Its workflow id.
        run_id: Its run; None for the one that is running.
    """

    def __init__(self, run: Run, workflow_id: str, run_id: str | None) -> None:
        self._run = run
        self.id = workflow_id
        self.run_id = run_id

    async def signal(self, signal: str | Callable[..., Any], arg: Any = UNSET, *, args: Sequence[Any] = ()) -> None:
        """Send a signal, and wait until it is delivered.

        Args:
            signal: Its name, or the method that handles it.
            arg: The one argument.
            args: Several arguments.

        Raises:
            ApplicationError: There is no such workflow.
        """
        await signal_workflow(self._run, self._execution(), False, signal, arg, args)

    async def cancel(self, *, reason: str = "") -> None:
        """Ask for the workflow to be cancelled, and wait until the request is delivered.

        Args:
            reason: Why.

        Raises:
            ApplicationError: There is no such workflow.
        """
        run = self._run
        run.check_may("cancel another workflow")
        seq = run.next_seq("external_cancel")
        attributes: Json = {
            "namespace": run.namespace,
            "workflowExecution": self._execution(),
            # The words are Temporal's core's; recorded histories have them.
            "reason": f"Cancel requested by workflow with run id {run.run_id} with reason: {reason}",
        }
        run.ask(RequestCancelExternal(seq, attributes, asking_line()))
        delivered: asyncio.Future[None] = run.loop.create_future()
        run.external_cancels[seq] = delivered
        await delivered

    def _execution(self) -> WorkflowExecution:
        execution: WorkflowExecution = {"workflowId": self.id}
        if self.run_id:
            execution["runId"] = self.run_id
        return execution


async def signal_workflow(
    run: Run,
    execution: WorkflowExecution,
    is_child: bool,
    signal: str | Callable[..., Any],
    arg: object,
    args: Sequence[object],
) -> None:
    """Send a signal and wait until it is delivered.

    Args:
        run: The run that sends it.
        execution: To which workflow.
        is_child: Whether that must be a child of this one.
        signal: Its name, or the method that handles it.
        arg: The one argument.
        args: Several arguments.
    """
    run.check_may("signal another workflow")
    name = handler_name(signal, SIGNAL, "signal")
    values = only_one_of(arg, args)
    attributes: Json = {"namespace": run.namespace, "workflowExecution": execution, "signalName": name}
    if values:
        attributes["input"] = {"payloads": run.converter.encode_values(values)}
    if is_child:
        attributes["childWorkflowOnly"] = True
    seq = run.next_seq("external_signal")
    site = asking_line()
    run.ask(SignalExternal(seq, attributes, site))
    delivered: asyncio.Future[None] = run.loop.create_future()
    run.external_signals[seq] = delivered

    def take_back(_message: Any) -> None:
        run.ask(CancelSignalExternal(seq, asking_line() or site))

    await shielded(run, delivered, take_back)


def resolve_delivery(run: Run, delivered: asyncio.Future[None], failure: Failure | None) -> None:
    """A signal or a request to another workflow was delivered, or was not."""
    if delivered.cancelled():
        return
    if failure is None:
        delivered.set_result(None)
    else:
        delivered.set_exception(run.converter.decode_failure(failure))
