"""Nexus operations: calls of services in other namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playhead_engine.activation import NexusStarted, ResolveNexus, ResolveNexusStart, Succeeded
from playhead_engine.commands import NexusCancellationType, RequestCancelNexusOperation, ScheduleNexusOperation
from playhead_engine.convert import duration_json
from playhead_engine.native.context import current_run
from playhead_engine.native.operation import Operation, shielded
from playhead_engine.native.site import asking_line

if TYPE_CHECKING:
    from playhead_engine.messages import Json
    from playhead_engine.native.run import Run

_T = TypeVar("_T")


class _NexusOperation(Operation[_T]):
    """What a handle awaits."""

    __slots__ = ("command",)

    command: ScheduleNexusOperation

    def request_cancel(self, message: Any) -> None:
        del message
        self.run.ask(RequestCancelNexusOperation(self.command.seq, asking_line() or self.command.site))


class NexusOperationHandle(Generic[_T]):
    """A nexus operation that was started. Await it for its result.

    Attributes:
        command: What was asked for.
        start: Resolved with the token when the operation runs, or with an error if it cannot.
        summary: What it is for.
    """

    def __init__(self, run: Run, command: ScheduleNexusOperation, output_type: Any, summary: str | None) -> None:
        self._run = run
        self._output_type = output_type
        self.command = command
        self.summary = summary
        self.start: asyncio.Future[str | None] = run.loop.create_future()
        self._operation: _NexusOperation[_T] = _NexusOperation(loop=run.loop)
        self._operation.command = command
        self._operation.begin(run)

    @property
    def operation_token(self) -> str | None:
        """The token the operation was started under; None if it was answered at once."""
        is_started = self.start.done() and not self.start.cancelled() and self.start.exception() is None
        return self.start.result() if is_started else None

    def __await__(self) -> Generator[Any, Any, _T]:
        return self._operation.__await__()

    def cancel(self) -> bool:
        """Ask the operation to stop."""
        return self._operation.cancel()

    def request_cancel(self, message: Any) -> None:
        """Tell the server that it is to stop."""
        self._operation.request_cancel(message)

    def resolve_start(self, job: ResolveNexusStart) -> None:
        """Take what came of the start."""
        if isinstance(job.result, NexusStarted):
            self.start.set_result(job.result.operation_token)
            return
        self._run.nexus_operations.pop(job.seq, None)
        self._could_not_start(self._run.converter.decode_failure(job.result.failure))

    def resolve(self, job: ResolveNexus) -> None:
        """Take its end.

        Raises:
            RuntimeError: The result cannot be decoded.
        """
        if isinstance(job.result, Succeeded):
            self._operation.succeeded(self._run.decode_result(job.result.result, self._output_type))
            return
        error = self._run.converter.decode_failure(job.result.failure)
        if self.start.done():
            self._operation.failed(error)
        else:
            self._could_not_start(error)

    def _could_not_start(self, error: BaseException) -> None:
        self.start.set_exception(error)
        self.start.exception()  # whoever started it may have stopped waiting; that is no error nobody looked at


class NexusClient:
    """A service of an endpoint.

    Attributes:
        endpoint: The endpoint.
        service: Name of the service.
    """

    def __init__(self, endpoint: str, service: str) -> None:
        self.endpoint = endpoint
        self.service = service

    async def start_operation(
        self,
        operation: str,
        input: Any,
        *,
        output_type: type[_T] | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusCancellationType = NexusCancellationType.WAIT_COMPLETED,
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
    ) -> NexusOperationHandle[_T]:
        """Start an operation and wait until it runs.

        Args:
            operation: Its name.
            input: Its argument.
            output_type: What to convert the result to.
            schedule_to_close_timeout: How long it may take in all.
            schedule_to_start_timeout: How long until it runs.
            start_to_close_timeout: How long it may run.
            cancellation_type: What cancelling it means.
            headers: Headers of the request.
            summary: What it is for.

        Raises:
            NexusOperationError: It could not be started.
        """
        run = current_run()
        run.check_may("start a nexus operation")
        seq = run.next_seq("nexus_operation")
        attributes: Json = {
            "endpoint": self.endpoint,
            "service": self.service,
            "operation": operation,
            "input": run.converter.encode_value(input),
            "scheduleToCloseTimeout": duration_json(schedule_to_close_timeout),
        }
        if schedule_to_start_timeout is not None:
            attributes["scheduleToStartTimeout"] = duration_json(schedule_to_start_timeout)
        if start_to_close_timeout is not None:
            attributes["startToCloseTimeout"] = duration_json(start_to_close_timeout)
        if headers:
            attributes["nexusHeader"] = dict(headers)
        command = ScheduleNexusOperation(seq, attributes, cancellation_type, asking_line())
        handle: NexusOperationHandle[_T] = NexusOperationHandle(run, command, output_type, summary)
        run.ask(command)
        run.nexus_operations[seq] = handle
        await shielded(run, handle.start, handle.request_cancel, raise_if_workflow_is_cancelled=True)
        return handle

    async def execute_operation(
        self,
        operation: str,
        input: Any,
        *,
        output_type: type[_T] | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusCancellationType = NexusCancellationType.WAIT_COMPLETED,
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
    ) -> _T:
        """Start an operation and wait for its result; see `start_operation`.

        Raises:
            NexusOperationError: It failed.
        """
        handle = await self.start_operation(
            operation,
            input,
            output_type=output_type,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            cancellation_type=cancellation_type,
            headers=headers,
            summary=summary,
        )
        return await handle
