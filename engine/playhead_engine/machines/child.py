"""A child workflow: initiated, started, ended; perhaps asked to stop in between."""

from __future__ import annotations

from playhead_engine.activation import (
    Cancelled,
    ChildStarted,
    ChildStartFailed,
    Failed,
    ResolveChild,
    ResolveChildStart,
    Succeeded,
)
from playhead_engine.commands import (
    CancelChildWorkflow,
    ChildWorkflowCancellationType,
    RequestCancelExternal,
    StartChildWorkflow,
)
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import FatalMismatch, Nondeterminism
from playhead_engine.machines.external import CancelExternalMachine
from playhead_engine.machines.machine import CHECK_IDS_AND_TYPES, Machine, Run, name_of, only_payload
from playhead_engine.messages import Failure, Json

_NON_RETRYABLE = "RETRY_STATE_NON_RETRYABLE_FAILURE"
_ENDS = (
    "CHILD_WORKFLOW_EXECUTION_COMPLETED",
    "CHILD_WORKFLOW_EXECUTION_FAILED",
    "CHILD_WORKFLOW_EXECUTION_TIMED_OUT",
    "CHILD_WORKFLOW_EXECUTION_TERMINATED",
)


class ChildWorkflowMachine(Machine):
    """The child's id and type are compared with the recorded ones, if the recording says they were checked then."""

    __slots__ = ("cancellation_type", "initiated_id", "run_id", "saw_cancelled", "seq", "started_id")

    NAME = "ChildWorkflowMachine"
    DOES_NOT_HANDLE = "Child workflow machine does not handle this event: "
    INITIAL = "StartCommandCreated"
    TRANSITIONS = {
        ("StartCommandCreated", "START_CHILD_WORKFLOW_EXECUTION_INITIATED"): "StartEventRecorded",
        ("StartEventRecorded", "CHILD_WORKFLOW_EXECUTION_STARTED"): "Started",
        ("StartEventRecorded", "START_CHILD_WORKFLOW_EXECUTION_FAILED"): "StartFailed",
        ("Started", "CHILD_WORKFLOW_EXECUTION_COMPLETED"): "Completed",
        ("Started", "CHILD_WORKFLOW_EXECUTION_FAILED"): "Failed",
        ("Started", "CHILD_WORKFLOW_EXECUTION_TIMED_OUT"): "TimedOut",
        ("Started", "CHILD_WORKFLOW_EXECUTION_TERMINATED"): "Terminated",
        ("Started", "CHILD_WORKFLOW_EXECUTION_CANCELED"): "Cancelled",
        # Resolved at once when it was cancelled; what the child does afterwards no longer matters.
        ("Cancelled", "CHILD_WORKFLOW_EXECUTION_STARTED"): "Cancelled",
        ("Cancelled", "START_CHILD_WORKFLOW_EXECUTION_FAILED"): "Cancelled",
        ("Cancelled", "CHILD_WORKFLOW_EXECUTION_CANCELED"): "Cancelled",
        **{("Cancelled", end): "Cancelled" for end in _ENDS},
    }

    def __init__(self, run: Run, command: StartChildWorkflow) -> None:
        super().__init__(run, command)
        self.seq = command.seq
        self.cancellation_type = command.cancellation_type
        self.initiated_id = self.started_id = 0
        self.run_id = ""
        self.saw_cancelled = False

    @property
    def _resolves_at_once(self) -> bool:
        return self.cancellation_type in (
            ChildWorkflowCancellationType.ABANDON,
            ChildWorkflowCancellationType.TRY_CANCEL,
        )

    @property
    def _workflow_id(self) -> str:
        assert isinstance(self.command, StartChildWorkflow)
        return str(self.command.attributes.get("workflowId", ""))

    @property
    def _workflow_type(self) -> str:
        assert isinstance(self.command, StartChildWorkflow)
        return name_of(self.command.attributes.get("workflowType"))

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        attributes = event.attributes
        match event.KIND:
            case "CHILD_WORKFLOW_EXECUTION_CANCELED":
                if before == "Cancelled" and self.saw_cancelled:
                    raise FatalMismatch(
                        "Child workflow has already seen a ChildWorkflowExecutionCanceledEvent, and now another is "
                        "being applied! This is a bug, please report.",
                        event,
                        self.command,
                    )
                self.saw_cancelled = True
                if before == "Started":
                    self._resolve_cancelled()
            case kind if before == "Cancelled":
                if kind in _ENDS and not self._resolves_at_once:
                    raise Nondeterminism(
                        "Child workflows which don't resolve immediately on cancellation cannot complete after being "
                        "cancelled.",
                        event,
                        self.command,
                    )
            case "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
                if self.run.checks(CHECK_IDS_AND_TYPES, always=in_last_sequence):
                    self._compare(event)
                self.initiated_id = event.event_id
            case "START_CHILD_WORKFLOW_EXECUTION_FAILED":
                cause = attributes.get("cause", "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED")
                refused = ChildStartFailed(self._workflow_id, self._workflow_type, cause)
                self.run.tell(ResolveChildStart(self.seq, refused))
            case "CHILD_WORKFLOW_EXECUTION_STARTED":
                execution = attributes.get("workflowExecution")
                if execution is None:
                    text = "ChildWorkflowExecutionStarted attributes were unset or malformed"
                    raise FatalMismatch(text, event, self.command)
                self.started_id = event.event_id
                self.run_id = execution.get("runId", "")
                self.run.tell(ResolveChildStart(self.seq, ChildStarted(self.run_id)))
            case "CHILD_WORKFLOW_EXECUTION_COMPLETED":
                result = only_payload(event, attributes.get("result"), "child workflow")
                self.run.tell(ResolveChild(self.seq, Succeeded(result)))
            case "CHILD_WORKFLOW_EXECUTION_FAILED":
                retry_state = attributes.get("retryState", "RETRY_STATE_UNSPECIFIED")
                self._resolve_failed("Child Workflow execution failed", retry_state, attributes.get("failure"))
            case "CHILD_WORKFLOW_EXECUTION_TIMED_OUT":
                timeout: Failure = {
                    "message": "Timed out",
                    "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"},
                }
                retry_state = attributes.get("retryState", "RETRY_STATE_UNSPECIFIED")
                self._resolve_failed("Child Workflow execution timed out", retry_state, timeout)
            case _:
                terminated: Failure = {"message": "Terminated", "terminatedFailureInfo": {}}
                self._resolve_failed("Child Workflow execution terminated", _NON_RETRYABLE, terminated)

    def cancel(self, command: CancelChildWorkflow) -> None:
        """The code no longer wants the child."""
        match self.state:
            case "StartCommandCreated":
                self.cancelled_before_sent = True
                self.state = "Cancelled"
                failure = self._failure(
                    f"Child Workflow Execution cancelled before scheduled: {command.reason}",
                    _NON_RETRYABLE,
                    {"canceledFailureInfo": {}},
                )
                self.run.tell(ResolveChildStart(self.seq, Cancelled(failure)))
            case "StartEventRecorded" | "Started":
                if self.cancellation_type is not ChildWorkflowCancellationType.ABANDON:
                    attributes: Json = {
                        "workflowExecution": {"workflowId": self._workflow_id},
                        "childWorkflowOnly": True,
                    }
                    if command.reason:
                        attributes["reason"] = command.reason
                    request = RequestCancelExternal(0, attributes, command.site)
                    self.run.ask(request, CancelExternalMachine(self.run, request, asked_by_code=False))
                if self._resolves_at_once:
                    self.state = "Cancelled"
                    self._resolve_cancelled()
            case "Cancelled" | "Failed" | "StartFailed" | "TimedOut" | "Completed":
                pass
            case _:
                self.cannot_cancel()

    def _compare(self, event: HistoryEvent) -> None:
        recorded_id = event.attributes.get("workflowId", "")
        if recorded_id != self._workflow_id:
            raise Nondeterminism(
                f"Child workflow id of scheduled event '{recorded_id}' does not match child workflow id of command "
                f"'{self._workflow_id}'",
                event,
                self.command,
            )
        recorded_type = name_of(event.attributes.get("workflowType"))
        if recorded_type != self._workflow_type:
            raise Nondeterminism(
                f"Child workflow type of scheduled event '{recorded_type}' does not match child workflow type of "
                f"command '{self._workflow_type}'",
                event,
                self.command,
            )

    def _failure(self, message: str, retry_state: str, cause: Failure | None) -> Failure:
        assert isinstance(self.command, StartChildWorkflow)
        failure: Failure = {
            "message": message,
            "childWorkflowExecutionFailureInfo": {
                "namespace": str(self.command.attributes.get("namespace", "")),
                "workflowExecution": {"workflowId": self._workflow_id, "runId": self.run_id},
                "workflowType": {"name": self._workflow_type},
                "initiatedEventId": str(self.initiated_id),
                "startedEventId": str(self.started_id),
                "retryState": retry_state,
            },
        }
        if cause is not None:
            failure["cause"] = cause
        return failure

    def _resolve_failed(self, message: str, retry_state: str, cause: Failure | None) -> None:
        self.run.tell(ResolveChild(self.seq, Failed(self._failure(message, retry_state, cause))))

    def _resolve_cancelled(self) -> None:
        failure = self._failure("Child Workflow execution cancelled", _NON_RETRYABLE, {"canceledFailureInfo": {}})
        self.run.tell(ResolveChild(self.seq, Cancelled(failure)))
