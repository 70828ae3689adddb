"""An activity: scheduled, started, ended; perhaps asked to stop in between."""

from __future__ import annotations

from playhead_engine.activation import Cancelled, Failed, ResolveActivity, Succeeded
from playhead_engine.commands import ActivityCancellationType, RequestCancelActivity, ScheduleActivity
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import CHECK_IDS_AND_TYPES, Machine, Run, name_of, only_payload
from playhead_engine.messages import ActivityFailureInfo, Failure, Json


class ActivityMachine(Machine):
    """The activity's id and type are compared with the recorded ones, if the recording says they were checked then."""

    __slots__ = ("cancellation_type", "seq")

    NAME = "ActivityMachine"
    DOES_NOT_HANDLE = "Activity machine does not handle this event: "
    INITIAL = "ScheduleCommandCreated"
    # Where a cancel is under way, the state remembers whether the activity had started when it was asked.
    TRANSITIONS = {
        ("ScheduleCommandCreated", "ACTIVITY_TASK_SCHEDULED"): "ScheduledEventRecorded",
        ("ScheduledEventRecorded", "ACTIVITY_TASK_STARTED"): "Started",
        ("ScheduledEventRecorded", "ACTIVITY_TASK_TIMED_OUT"): "TimedOut",
        ("Started", "ACTIVITY_TASK_COMPLETED"): "Completed",
        ("Started", "ACTIVITY_TASK_FAILED"): "Failed",
        ("Started", "ACTIVITY_TASK_TIMED_OUT"): "TimedOut",
        ("ScheduledActivityCancelCommandCreated", "ACTIVITY_TASK_CANCEL_REQUESTED"): (
            "ScheduledActivityCancelEventRecorded"
        ),
        ("ScheduledActivityCancelEventRecorded", "ACTIVITY_TASK_STARTED"): "StartedActivityCancelEventRecorded",
        ("ScheduledActivityCancelEventRecorded", "ACTIVITY_TASK_TIMED_OUT"): "TimedOut",
        ("ScheduledActivityCancelEventRecorded", "ACTIVITY_TASK_CANCELED"): "Canceled",
        ("StartedActivityCancelCommandCreated", "ACTIVITY_TASK_CANCEL_REQUESTED"): "StartedActivityCancelEventRecorded",
        ("StartedActivityCancelEventRecorded", "ACTIVITY_TASK_COMPLETED"): "Completed",
        ("StartedActivityCancelEventRecorded", "ACTIVITY_TASK_FAILED"): "Failed",
        ("StartedActivityCancelEventRecorded", "ACTIVITY_TASK_TIMED_OUT"): "TimedOut",
        ("StartedActivityCancelEventRecorded", "ACTIVITY_TASK_CANCELED"): "Canceled",
        ("Canceled", "ACTIVITY_TASK_STARTED"): "Canceled",
        ("Canceled", "ACTIVITY_TASK_COMPLETED"): "Canceled",
    }
    FINAL = frozenset({"Completed", "Failed", "TimedOut"})

    def __init__(self, run: Run, command: ScheduleActivity) -> None:
        super().__init__(run, command)
        self.seq = command.seq
        self.cancellation_type = command.cancellation_type

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        # Half of the events of a long history come here, nearly always in this order.
        kind, state = event.KIND, self.state
        if state == "ScheduleCommandCreated" and kind == "ACTIVITY_TASK_SCHEDULED":
            self.state = "ScheduledEventRecorded"
            if self.run.checks(CHECK_IDS_AND_TYPES, always=in_last_sequence):
                self._compare(event)
        elif state == "ScheduledEventRecorded" and kind == "ACTIVITY_TASK_STARTED":
            self.state = "Started"
        elif state == "Started" and kind == "ACTIVITY_TASK_COMPLETED":
            self.state = "Completed"
            self._resolve_completed(event)
        else:
            super().on_event(event, in_last_sequence)

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        kind = event.KIND
        if before == "Canceled":
            self._refuse_unless_abandoned(event)
        elif kind == "ACTIVITY_TASK_STARTED" or kind == "ACTIVITY_TASK_CANCEL_REQUESTED":
            pass
        elif (
            before != "Started"
            and before != "ScheduledEventRecorded"
            and self.cancellation_type is not ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        ):
            pass  # it was asked to stop, and was resolved then
        elif kind == "ACTIVITY_TASK_COMPLETED":
            self._resolve_completed(event)
        elif kind == "ACTIVITY_TASK_FAILED":
            self._resolve_failed(event, "Activity task failed", event.attributes.get("identity", ""))
        elif kind == "ACTIVITY_TASK_TIMED_OUT":
            self._resolve_failed(event, "Activity task timed out", "")
        elif kind == "ACTIVITY_TASK_CANCELED":
            self._resolve_cancelled(event.attributes)

    def cancel(self, command: RequestCancelActivity) -> None:
        """The code no longer wants the activity."""
        if self.state in ("Completed", "Canceled", "Failed", "TimedOut"):
            return
        if self.cancellation_type is ActivityCancellationType.ABANDON:
            if self.state == "ScheduleCommandCreated":
                self.cancelled_before_sent = True
            elif self.state not in ("ScheduledEventRecorded", "Started"):
                self.cannot_cancel()
            self.state = "Canceled"
            self._resolve_cancelled(None)
        elif self.state == "ScheduleCommandCreated":
            self.state = "Canceled"
            self.cancelled_before_sent = True
            self._resolve_cancelled(None)
        elif self.state in ("ScheduledEventRecorded", "Started"):
            had_started = self.state == "Started"
            self.state = f"{'Started' if had_started else 'Scheduled'}ActivityCancelCommandCreated"
            self.run.ask(command, self)
            if self.cancellation_type is ActivityCancellationType.TRY_CANCEL:
                self._resolve_cancelled(None)
        else:
            self.cannot_cancel()

    @property
    def _asked(self) -> Json:
        assert isinstance(self.command, ScheduleActivity)
        return self.command.attributes

    def _compare(self, event: HistoryEvent) -> None:
        recorded, asked = event.attributes, self._asked
        recorded_id, asked_id = recorded.get("activityId", ""), asked.get("activityId", "")
        if recorded_id != asked_id:
            raise Nondeterminism(
                f"Activity id of scheduled event '{recorded_id}' does not match activity id of activity command "
                f"'{asked_id}'",
                event,
                self.command,
            )
        recorded_type, asked_type = recorded.get("activityType"), asked.get("activityType")
        if recorded_type != asked_type and name_of(recorded_type) != name_of(asked_type):
            raise Nondeterminism(
                f"Activity type of scheduled event '{name_of(recorded_type)}' does not match activity type of activity "
                f"command '{name_of(asked_type)}'",
                event,
                self.command,
            )

    def _refuse_unless_abandoned(self, event: HistoryEvent) -> None:
        if self.cancellation_type is ActivityCancellationType.ABANDON:
            return
        if event.KIND == "ACTIVITY_TASK_STARTED":
            text = f"Non-Abandon cancel mode activities cannot be started after being cancelled. Seq: {event.event_id}"
        else:
            text = "Non-Abandon cancel mode activities cannot be completed after being cancelled: " + str(
                event.attributes
            )
        raise Nondeterminism(text, event, self.command)

    def _info(self, event_attributes: Json | None, retry_state: str, identity: str) -> ActivityFailureInfo:
        given = event_attributes or {}
        return {
            "scheduledEventId": str(given.get("scheduledEventId", "0")),
            "startedEventId": str(given.get("startedEventId", "0")),
            "identity": identity,
            "activityType": {"name": name_of(self._asked.get("activityType"))},
            "activityId": str(self._asked.get("activityId", "")),
            "retryState": retry_state,
        }

    def _resolve_completed(self, event: HistoryEvent) -> None:
        result = only_payload(event, event.attributes.get("result"), "activity")
        self.run.tell(ResolveActivity(self.seq, Succeeded(result)))

    def _resolve_failed(self, event: HistoryEvent, message: str, identity: str) -> None:
        attributes = event.attributes
        retry_state = attributes.get("retryState", "RETRY_STATE_UNSPECIFIED")
        failure: Failure = {
            "message": message,
            "activityFailureInfo": self._info(attributes, retry_state, identity),
        }
        if attributes.get("failure") is not None:
            failure["cause"] = attributes["failure"]
        self.run.tell(ResolveActivity(self.seq, Failed(failure)))

    def _resolve_cancelled(self, attributes: Json | None) -> None:
        details = (attributes or {}).get("details")
        failure: Failure = {
            "message": "Activity cancelled",
            "cause": {"canceledFailureInfo": {"details": details} if details is not None else {}},
            "activityFailureInfo": self._info(
                attributes, "RETRY_STATE_CANCEL_REQUESTED", (attributes or {}).get("identity", "")
            ),
        }
        self.run.tell(ResolveActivity(self.seq, Cancelled(failure)))
