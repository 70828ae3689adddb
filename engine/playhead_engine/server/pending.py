"""What a run waits for, or what somebody waits for from it.

Most of it follows from events. What does not (how often an activity was tried, what its last heartbeat said) is kept
beside the history in the run's pending record, which this module writes and reads. It must not decide anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playhead_engine.convert import duration_ns
from playhead_engine.messages import Failure, Json, Payloads, part


class PendingActivity:
    """An activity that has been scheduled and has not ended.

    Attributes:
        scheduled_event_id: Id of its ActivityTaskScheduled event.
        attributes: Attributes of that event.
        scheduled_ns: When it was scheduled.
        attempt: Number of the attempt that is under way or comes next, from 1.
        started_ns: When that attempt began; 0 while it has not.
        due_ns: When that attempt may begin.
        last_failure: Why the attempt before failed.
        heartbeat_details: What the last heartbeat said, of this attempt or an earlier one.
        cancel_requested_id: Id of the ActivityTaskCancelRequested event; 0 if there is none.
        started_event_id: Id of the ActivityTaskStarted event; 0 while there is none, as there is none here before the
            end. Temporal writes it at once where there will be no other attempt.
    """

    __slots__ = (
        "attempt",
        "attributes",
        "cancel_requested_id",
        "due_ns",
        "heartbeat_details",
        "last_failure",
        "scheduled_event_id",
        "scheduled_ns",
        "started_event_id",
        "started_ns",
    )

    def __init__(self, scheduled_event_id: int, attributes: Json, scheduled_ns: int) -> None:
        self.scheduled_event_id = scheduled_event_id
        self.attributes = attributes
        self.scheduled_ns = self.due_ns = scheduled_ns
        self.attempt = 1
        self.started_ns = 0
        self.last_failure: Failure | None = None
        self.heartbeat_details: Payloads | None = None
        self.cancel_requested_id = 0
        self.started_event_id = 0

    @property
    def activity_id(self) -> str:
        """The id the workflow knows it by."""
        return str(self.attributes.get("activityId", ""))

    @property
    def type_name(self) -> str:
        """The name of the activity."""
        return str(part(self.attributes, "activityType").get("name", ""))

    @property
    def deadline_ns(self) -> int:
        """When it must have ended, retries included; 0 for never."""
        timeout = duration_ns(self.attributes.get("scheduleToCloseTimeout"))
        return self.scheduled_ns + timeout if timeout else 0

    @property
    def record(self) -> Json | None:
        """What of this does not follow from events; None if it all does."""
        if self.attempt == 1 and self.heartbeat_details is None:
            return None
        record: Json = {"attempt": self.attempt, "dueNs": str(self.due_ns)}
        if self.last_failure is not None:
            record["lastFailure"] = self.last_failure
        if self.heartbeat_details is not None:
            record["heartbeatDetails"] = self.heartbeat_details
        return record

    def restore(self, record: Json) -> None:
        """Bring back what a record says. The attempt that was under way when it was written is gone."""
        self.attempt = int(record["attempt"])
        self.due_ns = int(record["dueNs"])
        self.last_failure = record.get("lastFailure")
        self.heartbeat_details = record.get("heartbeatDetails")


@dataclass(slots=True)
class PendingTimer:
    """A timer that has been started and has neither fired nor been cancelled."""

    started_event_id: int
    fire_ns: int


@dataclass(slots=True)
class PendingChild:
    """A child workflow that has been asked for and has not ended.

    Attributes:
        initiated_event_id: Id of the StartChildWorkflowExecutionInitiated event.
        attributes: Attributes of that event.
        started_event_id: Id of the ChildWorkflowExecutionStarted event; 0 while it has not started.
        run_id: Id of the child's first run; empty while it has not started.
    """

    initiated_event_id: int
    attributes: Json
    started_event_id: int = 0
    run_id: str = ""

    @property
    def workflow_id(self) -> str:
        """The child's workflow id."""
        return str(self.attributes.get("workflowId", ""))

    @property
    def type_name(self) -> str:
        """The name of the child's workflow."""
        return str(part(self.attributes, "workflowType").get("name", ""))


@dataclass(slots=True)
class Update:
    """An update that the workflow accepted.

    Attributes:
        update_id: The id its caller gave it.
        accepted_event_id: Id of the WorkflowExecutionUpdateAccepted event.
        name: Name of the update.
        outcome: `{"success": ...}` or `{"failure": ...}` once it has completed.
    """

    update_id: str
    accepted_event_id: int
    name: str
    meta: Json = field(default_factory=dict[str, object])
    outcome: Json | None = None
