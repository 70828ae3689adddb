"""A nexus operation: scheduled, perhaps started, ended; perhaps asked to stop in between."""

from __future__ import annotations

from typing import Final

from playhead_engine.activation import (
    Cancelled,
    Failed,
    NexusStarted,
    ResolveNexus,
    ResolveNexusStart,
    Succeeded,
    TimedOut,
)
from playhead_engine.commands import NexusCancellationType, RequestCancelNexusOperation, ScheduleNexusOperation
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import CHECK_NEXUS_OPERATIONS, Machine, Run
from playhead_engine.messages import Failure, Json

_ENDS: Final = {
    "NEXUS_OPERATION_COMPLETED": "Completed",
    "NEXUS_OPERATION_FAILED": "Failed",
    "NEXUS_OPERATION_CANCELED": "Cancelled",
    "NEXUS_OPERATION_TIMED_OUT": "TimedOut",
}
_ANSWERS = ("NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED", "NEXUS_OPERATION_CANCEL_REQUEST_FAILED")
_AFTER_SCHEDULED = ("Started", "Cancelled", "Completed", "Failed", "TimedOut")
_WITHOUT_FAILURE = {
    "NEXUS_OPERATION_FAILED": "Nexus operation failed but failure field was not populated",
    "NEXUS_OPERATION_CANCELED": "Nexus operation was cancelled but failure field was not populated",
    "NEXUS_OPERATION_TIMED_OUT": "Nexus operation timed out but failure field was not populated",
}


class NexusOperationMachine(Machine):
    """Service and operation are compared, if the recording says they were checked then, by releases that check them at
    all; the endpoint never is."""

    __slots__ = ("cancel_sent", "cancellation_type", "scheduled_id", "seq", "token")

    NAME = "NexusOperationMachine"
    DOES_NOT_HANDLE = "Nexus operation machine does not handle this event: "
    INITIAL = "ScheduleCommandCreated"
    TRANSITIONS = {
        ("ScheduleCommandCreated", "NEXUS_OPERATION_SCHEDULED"): "ScheduledEventRecorded",
        ("ScheduledEventRecorded", "NEXUS_OPERATION_STARTED"): "Started",
        **{("ScheduledEventRecorded", event): state for event, state in _ENDS.items()},
        **{("Started", event): state for event, state in _ENDS.items()},
        **{("Cancelled", event): "Cancelled" for event in _ENDS},
        **{
            (state, "NEXUS_OPERATION_CANCEL_REQUESTED"): state
            for state in ("ScheduledEventRecorded", "Started", "Cancelled")
        },
        # An answer to the cancel may come after the operation has ended.
        **{(state, answer): state for state in _AFTER_SCHEDULED for answer in _ANSWERS},
    }

    def __init__(self, run: Run, command: ScheduleNexusOperation) -> None:
        super().__init__(run, command)
        self.seq = command.seq
        self.cancellation_type = command.cancellation_type
        self.scheduled_id = 0
        self.token = ""
        self.cancel_sent = False

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        kind, attributes = event.KIND, event.attributes
        if kind == "NEXUS_OPERATION_SCHEDULED":
            checks = self.run.profile.checks_nexus_operations
            if checks and self.run.checks(CHECK_NEXUS_OPERATIONS, always=in_last_sequence):
                self._compare(event)
            self.scheduled_id = event.event_id
        elif kind == "NEXUS_OPERATION_STARTED":
            self.token = attributes.get("operationToken", "")
            self.run.tell(ResolveNexusStart(self.seq, NexusStarted(self.token)))
        elif kind in _ENDS:
            self._ended(before, event)
        elif kind in _ANSWERS and before == "Started":
            self._cancel_answered(event)

    def cancel(self, command: RequestCancelNexusOperation) -> None:
        """The code no longer wants the operation."""
        if self.state == "ScheduleCommandCreated":
            self.cancelled_before_sent = True
            self.state = "Cancelled"
            failure = self._failure("Nexus Operation cancelled before scheduled", {"canceledFailureInfo": {}})
            self.run.tell(ResolveNexusStart(self.seq, Failed(failure)))
        elif self.state in ("ScheduledEventRecorded", "Started") and not self.cancel_sent:
            self.cancel_sent = True
            if self.cancellation_type is not NexusCancellationType.ABANDON:
                self.run.ask(command, self)
            if self.cancellation_type in (NexusCancellationType.ABANDON, NexusCancellationType.TRY_CANCEL):
                failure = self._failure("Nexus operation cancelled after starting", {"canceledFailureInfo": {}})
                self.run.tell(ResolveNexus(self.seq, Cancelled(failure)))
                if self.state == "Started":
                    self.state = "Cancelled"

    @property
    def _asked(self) -> Json:
        assert isinstance(self.command, ScheduleNexusOperation)
        return self.command.attributes

    def _compare(self, event: HistoryEvent) -> None:
        for field, words in (("service", "operation service"), ("operation", "operation")):
            recorded, asked = event.attributes.get(field, ""), self._asked.get(field, "")
            if recorded != asked:
                raise Nondeterminism(
                    f"Nexus {words} of scheduled event '{recorded}' does not match {field} of command '{asked}'",
                    event,
                    self.command,
                )

    def _ended(self, before: str, event: HistoryEvent) -> None:
        kind, attributes = event.KIND, event.attributes
        if before == "Cancelled":
            # The text names the wrong type; both the rule and the text are core's.
            if kind != "NEXUS_OPERATION_CANCELED" and self.cancellation_type is NexusCancellationType.ABANDON:
                raise Nondeterminism(
                    "Nexus operation which don't have the ABANDON cancellation type cannot complete after being "
                    "cancelled.",
                    event,
                    self.command,
                )
            return
        at_once = before == "ScheduledEventRecorded"
        if kind == "NEXUS_OPERATION_COMPLETED":
            if at_once:
                self.run.tell(ResolveNexusStart(self.seq, NexusStarted(None)))
            self.run.tell(ResolveNexus(self.seq, Succeeded(attributes.get("result"))))
            return
        failure: Failure = attributes.get("failure") or {"message": _WITHOUT_FAILURE[kind]}
        if at_once:
            self.run.tell(ResolveNexusStart(self.seq, Failed(failure)))
        elif kind == "NEXUS_OPERATION_FAILED":
            self.run.tell(ResolveNexus(self.seq, Failed(failure)))
        elif kind == "NEXUS_OPERATION_CANCELED":
            self.run.tell(ResolveNexus(self.seq, Cancelled(failure)))
        else:
            self.run.tell(ResolveNexus(self.seq, TimedOut(failure)))

    def _cancel_answered(self, event: HistoryEvent) -> None:
        if self.cancellation_type is not NexusCancellationType.WAIT_REQUESTED:
            return
        if event.KIND == "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED":
            failure = self._failure("Nexus operation cancellation request completed", {"canceledFailureInfo": {}})
            self.run.tell(ResolveNexus(self.seq, Cancelled(failure)))
            self.state = "Cancelled"
        else:
            text = "Nexus operation cancellation request failed"
            cause: Failure = event.attributes.get("failure") or {"message": text}
            self.run.tell(ResolveNexus(self.seq, Failed(self._failure(text, cause))))

    def _failure(self, message: str, cause: Failure) -> Failure:
        return {
            "message": message,
            "cause": cause,
            "nexusOperationExecutionFailureInfo": {
                "scheduledEventId": str(self.scheduled_id),
                "endpoint": str(self._asked.get("endpoint", "")),
                "service": str(self._asked.get("service", "")),
                "operation": str(self._asked.get("operation", "")),
                "operationToken": self.token,
            },
        }
