"""Signals to other workflows and requests to cancel them: initiated, then delivered or failed."""

from __future__ import annotations

from playhead_engine.activation import ResolveCancelExternal, ResolveSignalExternal
from playhead_engine.commands import CancelSignalExternal, RequestCancelExternal, SignalExternal
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.machine import Machine, Run
from playhead_engine.messages import Failure

# Why the server could not do it: what the failure says, and its type.
_SIGNAL_FAILURES = {
    "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND": ("it was not found", "ExternalWorkflowExecutionNotFound"),
    "NAMESPACE_NOT_FOUND": ("it was not found", "NamespaceNotFound"),
    "SIGNAL_COUNT_LIMIT_EXCEEDED": ("The per-workflow signal limit was exceeded", "SignalCountLimitExceeded"),
}
_CANCEL_FAILURES = {
    "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND": ("not found", "ExternalWorkflowExecutionNotFound"),
    "NAMESPACE_NOT_FOUND": ("not found", "NamespaceNotFound"),
}


def _failure(verb: str, prefix: str, texts: dict[str, tuple[str, str]], event: HistoryEvent) -> Failure:
    cause = str(event.attributes.get("cause", "")).removeprefix(prefix)
    words, failure_type = texts.get(cause, ("unknown", "Unspecified"))
    return {
        "message": f"Unable to {verb} external workflow because {words}",
        "applicationFailureInfo": {"type": failure_type},
    }


class SignalExternalMachine(Machine):
    """Neither the target nor the name of the signal is compared."""

    __slots__ = ("seq",)

    NAME = "SignalExternalMachine"
    DOES_NOT_HANDLE = "Signal external WF machine does not handle this event: "
    INITIAL = "SignalExternalCommandCreated"
    TRANSITIONS = {
        (INITIAL, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"): "SignalExternalCommandRecorded",
        ("SignalExternalCommandRecorded", "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"): "Signaled",
        ("SignalExternalCommandRecorded", "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"): "Failed",
    }
    FINAL = frozenset({"Signaled", "Failed"})

    def __init__(self, run: Run, command: SignalExternal) -> None:
        super().__init__(run, command)
        self.seq = command.seq

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        if self.state == "Signaled":
            self.run.tell(ResolveSignalExternal(self.seq, None))
        elif self.state == "Failed":
            prefix = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_"
            self.run.tell(ResolveSignalExternal(self.seq, _failure("signal", prefix, _SIGNAL_FAILURES, event)))

    def cancel(self, command: CancelSignalExternal) -> None:
        """The code no longer wants the signal sent; too late once the command has become an event."""
        match self.state:
            case "SignalExternalCommandCreated":
                self.state = "Cancelled"
                self.cancelled_before_sent = True
                failure: Failure = {"message": "Signal was cancelled before being sent", "canceledFailureInfo": {}}
                self.run.tell(ResolveSignalExternal(self.seq, failure))
            case "SignalExternalCommandRecorded" | "Cancelled" | "Signaled":
                pass
            case _:
                self.cannot_cancel()


class CancelExternalMachine(Machine):
    """Nothing is compared. Where core itself asked, on behalf of a cancelled child, the code is not told the
    outcome."""

    __slots__ = ("asked_by_code", "seq")

    NAME = "CancelExternalMachine"
    DOES_NOT_HANDLE = "Cancel external WF machine does not handle this event: "
    INITIAL = "RequestCancelExternalCommandCreated"
    TRANSITIONS = {
        (INITIAL, "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED"): "RequestCancelExternalCommandRecorded",
        ("RequestCancelExternalCommandRecorded", "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED"): "CancelRequested",
        (
            "RequestCancelExternalCommandRecorded",
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
        ): "RequestCancelFailed",
    }
    FINAL = frozenset({"CancelRequested", "RequestCancelFailed"})

    def __init__(self, run: Run, command: RequestCancelExternal, *, asked_by_code: bool = True) -> None:
        super().__init__(run, command)
        self.seq = command.seq
        self.asked_by_code = asked_by_code

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        if not self.asked_by_code:
            return
        if self.state == "CancelRequested":
            self.run.tell(ResolveCancelExternal(self.seq, None))
        elif self.state == "RequestCancelFailed":
            prefix = "CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_"
            self.run.tell(ResolveCancelExternal(self.seq, _failure("cancel", prefix, _CANCEL_FAILURES, event)))
