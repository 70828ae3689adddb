"""Between the values that clients speak of and the JSON that the desk takes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from playhead_engine.commands import RespondToQuery
from playhead_engine.common import QueryRejectCondition
from playhead_engine.convert import enum_member, ns_datetime
from playhead_engine.engine.desk import Desk
from playhead_engine.engine.driving import Driver
from playhead_engine.engine.errors import (
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
)
from playhead_engine.engine.handles import WorkflowUpdateHandle
from playhead_engine.engine.operation import Operation
from playhead_engine.engine.runs import LiveRun
from playhead_engine.engine.waiting import Knows, what_it_waits_for
from playhead_engine.engine.wire import Wire
from playhead_engine.engine.wires import Wires
from playhead_engine.history import History
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, Payload, Payloads, part
from playhead_engine.server.state import RUNNING

if TYPE_CHECKING:
    from playhead_engine.engine.executions import PendingActivityInfo, WorkflowExecutionDescription

_T = TypeVar("_T")

_COMPLETED: Final = "WORKFLOW_EXECUTION_STATUS_COMPLETED"


class Conversation:
    """What handles say.

    Attributes:
        wires: Convert values.
    """

    def __init__(self, driver: Driver, desk: Desk, wires: Wires, knows: Knows) -> None:
        """Begin.

        Args:
            driver: Runs operations.
            desk: Takes requests.
            wires: Convert values.
            knows: Says what there is code for.
        """
        self._driver = driver
        self._desk = desk
        self.wires = wires
        self._knows = knows

    def operation(self, begin: Callable[[], Coroutine[Any, Any, _T]]) -> Operation[_T]:
        """Something to be awaited or waited for."""
        return Operation(self._driver, begin)

    async def result(self, workflow_id: str, run_id: str | None, follow_runs: bool, result_type: Any) -> Any:
        while True:
            run = await self._desk.closed(workflow_id, run_id)
            closing = run.state.closing
            assert closing is not None
            attributes, wire = closing.attributes, self._wire_of(run)
            run_id = attributes.get("newExecutionRunId")
            if run_id and follow_runs:
                continue
            if isinstance(closing, kinds.WorkflowExecutionCompleted):
                payloads = part(attributes, "result").get("payloads") or []
                return wire.decode_value(payloads[0], result_type) if payloads else None
            if isinstance(closing, kinds.WorkflowExecutionContinuedAsNew):
                raise WorkflowContinuedAsNewError(str(run_id))
            cause = _why_it_ended(closing, attributes, wire)
            raise WorkflowFailureError(cause=cause) from cause

    async def signal(
        self,
        workflow_id: str,
        run_id: str | None,
        name: str,
        values: Sequence[Any],
        headers: Mapping[str, Payload] | None,
    ) -> None:
        await self._desk.signal(workflow_id, run_id, name, self.payloads(values, workflow_id), headers)

    async def query(
        self,
        workflow_id: str,
        run_id: str | None,
        name: str,
        values: Sequence[Any],
        result_type: Any,
        reject_condition: QueryRejectCondition | None,
        headers: Mapping[str, Payload] | None,
    ) -> Any:
        def rejects(status: str) -> bool:
            if reject_condition == QueryRejectCondition.NOT_OPEN:
                return status != RUNNING
            if reject_condition == QueryRejectCondition.NOT_COMPLETED_CLEANLY:
                return status not in (RUNNING, _COMPLETED)
            return False

        wire = self.wires.clients.for_workflow(workflow_id)
        input = wire.encode_values(values)
        answer = await self._desk.query(workflow_id, run_id, name, input, headers or {}, rejects)
        if not isinstance(answer, RespondToQuery):
            from playhead_engine.engine.executions import WorkflowExecutionStatus

            raise WorkflowQueryRejectedError(enum_member(WorkflowExecutionStatus, answer))
        if answer.failure is not None:
            raise WorkflowQueryFailedError(str(wire.decode_failure(answer.failure)))
        return None if answer.result is None else wire.decode_value(answer.result, result_type)

    async def start_update(
        self,
        workflow_id: str,
        run_id: str | None,
        first_run_id: str | None,
        name: str,
        values: Sequence[Any],
        update_id: str | None,
        result_type: Any,
        headers: Mapping[str, Payload] | None,
    ) -> WorkflowUpdateHandle[Any]:
        run, update_id, refused = await self._desk.update(
            workflow_id, run_id, first_run_id, update_id, name, self.payloads(values, workflow_id), headers
        )
        if refused is not None:
            cause = self._wire_of(run).decode_failure(refused)
            raise WorkflowUpdateFailedError(cause) from cause
        return WorkflowUpdateHandle(self, update_id, workflow_id, run.state.run_id, result_type)

    async def update_outcome(self, workflow_id: str, run_id: str | None, update_id: str) -> None:
        await self._desk.update_outcome(workflow_id, run_id, update_id)

    async def update_result(self, workflow_id: str, run_id: str | None, update_id: str, result_type: Any) -> Any:
        run, outcome = await self._desk.update_outcome(workflow_id, run_id, update_id)
        wire = self._wire_of(run)
        if "failure" in outcome:
            cause = wire.decode_failure(outcome["failure"])
            raise WorkflowUpdateFailedError(cause) from cause
        payloads = part(outcome, "success").get("payloads") or []
        return wire.decode_value(payloads[0], result_type) if payloads else None

    async def cancel(self, workflow_id: str, run_id: str | None, first_run_id: str | None, reason: str) -> None:
        await self._desk.cancel(workflow_id, run_id, first_run_id, reason)

    async def terminate(
        self, workflow_id: str, run_id: str | None, first_run_id: str | None, reason: str, details: Sequence[Any]
    ) -> None:
        await self._desk.terminate(workflow_id, run_id, first_run_id, reason, self.payloads(details, workflow_id))

    async def describe(self, workflow_id: str, run_id: str | None) -> WorkflowExecutionDescription:
        from playhead_engine.engine.executions import WorkflowExecution, WorkflowExecutionDescription

        info, run = await self._desk.describe(workflow_id, run_id)
        state = run.state
        return WorkflowExecutionDescription(
            **WorkflowExecution.fields_of(info, self._wire_of(run)),
            pending_activities=tuple(self._activities(run)),
            pending_children=tuple(child.workflow_id for child in state.children.values()) if state.is_running else (),
            waits_for=tuple(what_it_waits_for(run, self._knows)) if state.is_running else (),
            task_failure=run.trouble.error if run.trouble is not None else None,
        )

    def _activities(self, run: LiveRun) -> list[PendingActivityInfo]:
        from playhead_engine.engine.executions import PendingActivityInfo

        found: list[PendingActivityInfo] = []
        for event_id, activity in run.state.activities.items():
            is_running = event_id in run.attempts
            failure = activity.last_failure
            found.append(
                PendingActivityInfo(
                    activity.activity_id,
                    activity.type_name,
                    activity.attempt,
                    is_running,
                    ns_datetime(activity.scheduled_ns),
                    None if is_running else ns_datetime(activity.due_ns),
                    None if failure is None else self._wire_of(run).decode_failure(failure),
                )
            )
        return found

    async def history(self, workflow_id: str, run_id: str | None) -> History:
        return await self._desk.history(workflow_id, run_id)

    def payloads(self, values: Sequence[Any], workflow_id: str) -> Payloads | None:
        """Values for a workflow as its history holds them; None if there are none."""
        wire = self.wires.clients.for_workflow(workflow_id)
        return cast(Payloads, {"payloads": wire.encode_values(values)}) if values else None

    def _wire_of(self, run: LiveRun) -> Wire:
        return self.wires.of(run.state.workflow_id, run.state.type_name)


def _why_it_ended(closing: Any, attributes: Json, wire: Wire) -> BaseException:
    errors, details = wire.errors, part(attributes, "details").get("payloads") or []
    values = wire.decode_values(details)
    if isinstance(closing, kinds.WorkflowExecutionFailed):
        return wire.decode_failure(attributes.get("failure") or {})
    error: BaseException
    if isinstance(closing, kinds.WorkflowExecutionCanceled):
        error = errors.CancelledError("Workflow cancelled", *values)
    elif isinstance(closing, kinds.WorkflowExecutionTerminated):
        error = errors.TerminatedError(attributes.get("reason") or "Workflow terminated", *values)
    else:
        kind = errors.TimeoutType.START_TO_CLOSE
        error = errors.TimeoutError("Workflow timed out", type=kind, last_heartbeat_details=[])
    return error
