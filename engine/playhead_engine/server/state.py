"""What a server knows of one run: everything that follows from its events.

A `RunState` is only ever changed by applying events, so one that was rebuilt from a stored history is equal to the one
that wrote it. What is yet to be done for a run (activities to run, timers to fire, children to start) can therefore be
read off its state at any time, after a crash too. The modules beside this one decide which events to write; this one
only writes and applies them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import orjson

from playhead_engine.history import Event, HistoryEvent
from playhead_engine.messages import Failure, Json, part
from playhead_engine.record import record
from playhead_engine.server.consequences import APPLY, KINDS
from playhead_engine.server.moment import Moment
from playhead_engine.server.pending import PendingActivity, PendingChild, PendingTimer, Update

_E = TypeVar("_E", bound=Event)

RUNNING: Final = "WORKFLOW_EXECUTION_STATUS_RUNNING"


@record
class Batch:
    """Events that are handed to the store at once.

    Attributes:
        events: The events.
        raw: Their JSON.
        encoded: The same as bytes, which had to be made to know their size.
    """

    events: Sequence[HistoryEvent]
    raw: tuple[Json, ...]
    encoded: bytes


_NOTHING: Final = Batch((), (), b"")


class RunState:
    """One run.

    Attributes:
        workflow_id: The id its owner chose.
        run_id: The id of this run.
        started: Attributes of the WorkflowExecutionStarted event.
        start_ns: Time of that event.
        latest_ns: When the last event happened that has an effect here.
        status: Full name of the status.
        closing: The event that closed the run.
        next_event_id: Id of the event to be written next.
        size_bytes: Size of the history as JSON, as far as it was handed to the store.
        fresh: Events not handed to the store yet.
        untold: Events not told to the workflow code yet.
        activities: Pending activities, by the id of the event that scheduled them.
        timers: Pending timers, by timer id.
        children: Pending children, by the id of the event that asked for them.
        signals: Signals to other workflows under way: attributes by the id of the event that asked for them.
        cancels: Requests to cancel other workflows under way, likewise.
        updates: Accepted updates, by update id.
        cancel_requested: Whether somebody asked for the run to be cancelled.
        memo: The memo, by key.
        search_attributes: The search attributes, by name.
        core_flags: Flags of Temporal's core that were recorded.
        lang_flags: Flags of the SDK that were recorded.
        task_scheduled_id: Id of the WorkflowTaskScheduled event of the open workflow task; 0 if there is none.
        task_started_id: Id of its WorkflowTaskStarted event; 0 if it has not started.
        task_attempt: Number of the attempt at the open or the next workflow task, from 1.
        task_failure: Why the attempt before failed.
        pending_changed: Whether the pending record has changed since it was last stored.
        summary_changed: Whether the summary has.
    """

    __slots__ = (
        "activities",
        "activity_ids",
        "cancel_requested",
        "cancels",
        "children",
        "closing",
        "core_flags",
        "fresh",
        "lang_flags",
        "latest_ns",
        "memo",
        "next_event_id",
        "pending_changed",
        "run_id",
        "search_attributes",
        "signals",
        "size_bytes",
        "start_ns",
        "started",
        "status",
        "summary_changed",
        "task_attempt",
        "task_failure",
        "task_scheduled_id",
        "task_started_id",
        "timers",
        "untold",
        "updates",
        "workflow_id",
    )

    def __init__(self, workflow_id: str, run_id: str) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.started: Json = {}
        self.start_ns = self.latest_ns = 0
        self.status = RUNNING
        self.closing: HistoryEvent | None = None
        self.next_event_id = 1
        self.size_bytes = 0
        self.fresh: list[HistoryEvent] = []
        self.untold: list[HistoryEvent] = []
        self.activities: dict[int, PendingActivity] = {}
        self.activity_ids: dict[str, int] = {}
        self.timers: dict[str, PendingTimer] = {}
        self.children: dict[int, PendingChild] = {}
        self.signals: dict[int, Json] = {}
        self.cancels: dict[int, Json] = {}
        self.updates: dict[str, Update] = {}
        self.cancel_requested = False
        self.memo: Json = {}
        self.search_attributes: Json = {}
        self.core_flags: set[int] = set()
        self.lang_flags: set[int] = set()
        self.task_scheduled_id = 0
        self.task_started_id = 0
        self.task_attempt = 1
        self.task_failure: Failure | None = None
        self.pending_changed = self.summary_changed = False

    @classmethod
    def restored(cls, workflow_id: str, run_id: str, events: Iterable[HistoryEvent], pending: Json) -> RunState:
        """The state that a stored history and its pending record leave.

        Args:
            workflow_id: The id its owner chose.
            run_id: The id of the run.
            events: Its whole history.
            pending: Its pending record.
        """
        state = cls(workflow_id, run_id)
        event: HistoryEvent | None = None
        for event in events:
            state.next_event_id = event.event_id + 1
            state.size_bytes += len(orjson.dumps(event.raw)) + 1
            state.apply(event)
        if event is not None:
            state.latest_ns = event.time_ns
        state.pending_changed = state.summary_changed = False
        for event_id, kept in pending.get("activities", {}).items():
            activity = state.activities.get(int(event_id))
            if activity is not None:
                activity.restore(kept)
        return state

    @property
    def is_running(self) -> bool:
        """Whether the run is open."""
        return self.closing is None

    @property
    def type_name(self) -> str:
        """The name of the workflow."""
        return str(part(self.started, "workflowType").get("name", ""))

    @property
    def wants_task(self) -> bool:
        """Whether the workflow code has to be run: a workflow task is open, or the last attempt at one failed."""
        return self.closing is None and (self.task_scheduled_id != 0 or self.task_attempt > 1)

    @property
    def pending_record(self) -> Json:
        """What must survive a crash and is no event."""
        activities = {str(key): kept for key, one in self.activities.items() if (kept := one.record) is not None}
        return {"activities": activities} if activities else {}

    def append(self, kind: type[_E], attributes: Json, now: Moment, time: str | None = None) -> _E:
        """Write an event.

        Args:
            kind: Its class.
            attributes: Its attributes; they become part of it.
            now: When it is written.
            time: The time it says it happened at, where that is another one.
        """
        event_id = self.next_event_id
        type_name, attributes_key, handler = KINDS[kind]
        raw: Json = {
            "eventId": str(event_id),
            "eventTime": time or now.text,
            "eventType": type_name,
            attributes_key: attributes,
        }
        event: Any = kind(event_id, raw, attributes)
        self.next_event_id = event_id + 1
        self.fresh.append(event)
        self.untold.append(event)
        if handler is not None:
            self.latest_ns = now.ns
            handler(self, event)
        made: _E = event
        return made

    def apply(self, event: HistoryEvent) -> None:
        """Let an event that was read have its effect."""
        handler = APPLY.get(type(event))
        if handler is not None:
            self.latest_ns = event.time_ns
            handler(self, event)

    def take_back(self, event_id: int) -> None:
        """Unwrite the events from this id on, none of which was handed to the store or has had an effect that lasts."""
        count = self.next_event_id - event_id
        del self.fresh[-count:], self.untold[-count:]
        self.next_event_id = event_id

    def take_fresh(self) -> Batch:
        """The events to hand to the store; each is handed out once, and counted in the size.

        Those of a workflow task under way stay: they are handed out when it is completed, and should the process end
        before, the task is done again.
        """
        fresh = self.fresh
        if self.task_started_id:
            kept = self.next_event_id - self.task_started_id
            self.fresh = fresh[-kept:]
            fresh = fresh[:-kept]
        elif fresh:
            self.fresh = []
        if not fresh:
            return _NOTHING
        raw = tuple([event.raw for event in fresh])
        encoded = orjson.dumps(raw)
        self.size_bytes += len(encoded)
        return Batch(fresh, raw, encoded)

    def take_untold(self) -> list[HistoryEvent]:
        """The events to tell the workflow code; each is handed out once."""
        untold, self.untold = self.untold, []
        return untold
