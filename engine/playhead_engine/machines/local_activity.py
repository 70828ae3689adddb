"""A local activity: run inside a workflow task, remembered by a marker.

On replay no command is made for it. The marker is seen ahead of time and resolves the activity; when the marker event
itself comes by, it is only checked, wherever among the task's command events it stands. Live, the activity is run, and
its end makes the marker.
"""

from __future__ import annotations

from typing import Protocol

from playhead_engine.activation import Backoff, Cancelled, Failed, ResolveActivity, Succeeded
from playhead_engine.commands import (
    ActivityCancellationType,
    Command,
    RecordMarker,
    RequestCancelLocalActivity,
    ScheduleLocalActivity,
)
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import FatalMismatch, Nondeterminism
from playhead_engine.machines.machine import CHECK_IDS_AND_TYPES, Machine, Run, name_of
from playhead_engine.machines.markers import (
    LocalActivityMarker,
    local_activity_marker,
    local_activity_marker_attributes,
)
from playhead_engine.messages import Failure, Json


class LocalActivities(Run, Protocol):
    """What this machine may do to the run, beyond what every machine may."""

    activation_index: int

    def deliver_marker_seen_ahead(self, machine: LocalActivityMachine) -> None:
        """Resolve this local activity from its marker now, if the marker was seen already."""
        ...


class LocalActivityMachine(Machine):
    """The number is always compared; id and type if the recording says they were checked, or if it was run live."""

    __slots__ = ("cancellation_type", "is_cancel_requested", "live", "local", "seq")

    NAME = "LocalActivityMachine"
    DOES_NOT_HANDLE = "Local activity machine cannot handle this event: "
    INITIAL = "WaitingResolveFromMarkerLookAhead"
    TRANSITIONS = {
        ("ResultNotified", "MARKER_RECORDED"): "MarkerCommandRecorded",
        ("ResolvedFromMarkerLookAheadWaitingMarkerEvent", "MARKER_RECORDED"): "MarkerCommandRecorded",
    }
    FINAL = frozenset({"MarkerCommandRecorded"})

    def __init__(self, run: LocalActivities, command: ScheduleLocalActivity) -> None:
        super().__init__(run, command)
        self.local = run
        self.seq = command.seq
        self.cancellation_type = command.cancellation_type
        self.live = not run.replaying
        self.is_cancel_requested = False
        if self.live:
            self.state = "RequestSent"

    def on_sent(self, command: Command) -> None:
        self.state = "ResultNotified"

    def takes_marker_out_of_order(self, event: HistoryEvent) -> bool:
        """Whether its marker may stand anywhere among the events of the task.

        Raises:
            FatalMismatch: The marker comes although the activity has not been resolved.
        """
        if self.state == "ResultNotified":
            return False
        if self.state == "ResolvedFromMarkerLookAheadWaitingMarkerEvent":
            return True
        raise FatalMismatch(
            f"Attempted to check for LA marker handling in invalid state {self.state}", event, self.command
        )

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        marker = local_activity_marker(event, self.run.profile)
        if marker is None:
            raise Nondeterminism("Local activity machine encountered an unparsable marker", event, self.command)
        if marker.seq != self.seq:
            raise Nondeterminism(
                f"Local activity marker data has sequence number {marker.seq} but matched against LA command with "
                f"sequence number {self.seq}",
                event,
                self.command,
            )
        if self.run.checks(CHECK_IDS_AND_TYPES, always=self.live):
            self._compare(event, marker.data)

    def resolve_from_marker(self, marker: LocalActivityMarker) -> None:
        """Its marker was seen ahead in the history."""
        if self.state != "WaitingResolveFromMarkerLookAhead":
            raise FatalMismatch(
                f"Invalid transition resolving local activity (seq {self.seq}, from marker: true) in {self.state}",
                None,
                self.command,
            )
        self.state = "ResolvedFromMarkerLookAheadWaitingMarkerEvent"
        self._tell(marker)

    def resolve_live(self, marker: LocalActivityMarker) -> None:
        """It was run in this workflow task and came to its end."""
        if self.state != "RequestSent":
            return  # cancelled without waiting; what it does in the end no longer matters
        marker.data.setdefault("activation_index", self.local.activation_index)
        self.state = "MarkerCommandCreated"
        self._tell(marker)
        site = self.command.site if self.command is not None else None
        self.run.ask(RecordMarker(local_activity_marker_attributes(marker), site), self)

    def go_live(self) -> None:
        """The history holds no marker for it and the run is live now, so it has to be run (again)."""
        if self.state == "WaitingResolveFromMarkerLookAhead":
            self.state = "RequestSent"
            self.live = True

    def cancel(self, command: RequestCancelLocalActivity) -> None:
        """The code no longer wants the local activity."""
        if self.state in ("MarkerCommandCreated", "ResultNotified"):
            self.cannot_cancel()
        waits = self.cancellation_type is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        if self.state == "MarkerCommandRecorded" and self.cancellation_type is ActivityCancellationType.ABANDON:
            return
        if self.state == "RequestSent":
            self.is_cancel_requested = True
            if not waits:
                self.resolve_live(self._cancelled_marker())
        else:
            self.local.deliver_marker_seen_ahead(self)

    @property
    def _asked(self) -> Json:
        assert isinstance(self.command, ScheduleLocalActivity)
        return self.command.attributes

    def _cancelled_marker(self) -> LocalActivityMarker:
        assert isinstance(self.command, ScheduleLocalActivity)
        data: Json = {
            "seq": self.seq,
            "attempt": self.command.attempt,
            "activity_id": str(self._asked.get("activityId", "")),
            "activity_type": name_of(self._asked.get("activityType")),
            "complete_time": None,
            "backoff": None,
            "original_schedule_time": self.command.original_schedule_time,
        }
        return LocalActivityMarker(data, None, {"message": "Activity cancelled", "canceledFailureInfo": {}})

    def _compare(self, event: HistoryEvent, data: Json) -> None:
        asked_id, asked_type = self._asked.get("activityId", ""), name_of(self._asked.get("activityType"))
        if data["activity_id"] != asked_id:
            raise Nondeterminism(
                f"Activity id of recorded marker '{data['activity_id']}' does not match activity id of local activity "
                f"command '{asked_id}'",
                event,
                self.command,
            )
        if data["activity_type"] != asked_type:
            raise Nondeterminism(
                f"Activity type of recorded marker '{data['activity_type']}' does not match activity type of local "
                f"activity command '{asked_type}'",
                event,
                self.command,
            )

    def _tell(self, marker: LocalActivityMarker) -> None:
        data, failure = marker.data, marker.failure
        result: Succeeded | Failed | Cancelled | Backoff
        if data.get("backoff"):
            backoff = data["backoff"]
            duration_ns = backoff["seconds"] * 1_000_000_000 + backoff["nanos"]
            result = Backoff(data["attempt"] + 1, duration_ns, data.get("original_schedule_time"))
        elif failure is None:
            result = Succeeded(marker.result if marker.result is not None else {})
        elif "canceledFailureInfo" in failure:
            wrapped: Failure = {
                "message": "Local Activity cancelled",
                "cause": failure,
                "activityFailureInfo": {
                    "activityType": {"name": name_of(self._asked.get("activityType"))},
                    "activityId": str(self._asked.get("activityId", "")),
                    "retryState": "RETRY_STATE_CANCEL_REQUESTED",
                },
            }
            result = Cancelled(wrapped)
        elif "canceledFailureInfo" in failure.get("cause", {}):
            result = Cancelled(failure)
        else:
            result = Failed(failure)
        self.run.tell(ResolveActivity(self.seq, result, is_local=True))
        complete_time = data.get("complete_time")
        if complete_time:
            self.run.advance_time(complete_time["seconds"] * 1_000_000_000 + complete_time["nanos"])
