"""Puts the events together that tell of one thing: an activity, a timer, a child, a signal, an update.

A view on a history for people; nothing replays by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from playhead_engine.history import CLOSING_KINDS, History, HistoryEvent

# The first event of a group: what the group is called, and where its title stands.
_BEGINS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "WORKFLOW_EXECUTION_STARTED": ("workflow", ("workflowType",)),
    "WORKFLOW_TASK_SCHEDULED": ("workflow task", ()),
    "ACTIVITY_TASK_SCHEDULED": ("activity", ("activityType",)),
    "TIMER_STARTED": ("timer", ("timerId", "startToFireTimeout")),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": ("child workflow", ("workflowType", "workflowId")),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": ("signal sent", ("signalName",)),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": ("cancel sent", ("workflowExecution",)),
    "NEXUS_OPERATION_SCHEDULED": ("nexus", ("service", "operation")),
    "WORKFLOW_EXECUTION_SIGNALED": ("signal", ("signalName",)),
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": ("update", ()),
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": ("update", ()),
    "MARKER_RECORDED": ("marker", ("markerName",)),
}
# A later event of a group, and the attribute that names the first one.
_BELONGS_BY: Final = ("scheduledEventId", "initiatedEventId", "startedEventId", "acceptedEventId")
_ENDS: Final = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "TIMED_OUT": "timed out",
    "CANCELED": "cancelled",
    "CONTINUED_AS_NEW": "continued as new",
    "TERMINATED": "terminated",
    "FIRED": "fired",
    "SIGNALED": "delivered",
    "CANCEL_REQUESTED": "delivered",
}
_HAVE_NO_END: Final = frozenset({"signal", "marker"})


@dataclass(slots=True)
class Group:
    """Events that tell of one thing.

    Attributes:
        kind: What it is: `activity`, `timer`, ...
        title: Its name, and what tells it from others.
        events: In order; at least one.
        outcome: How it ended; `open` if it has not.
        detail: What it gave back, or how it failed: a piece of the history.
    """

    kind: str
    title: str
    events: list[HistoryEvent] = field(default_factory=list[HistoryEvent])
    outcome: str = "open"
    detail: Any = None

    @property
    def duration_ns(self) -> int:
        """From its first event to its last, in nanoseconds."""
        return self.events[-1].time_ns - self.events[0].time_ns


def grouped(history: History) -> list[Group]:
    """The groups of a history, in the order in which they began."""
    groups: list[Group] = []
    by_event: dict[int, Group] = {}
    for event in history.events:
        group = _group_of(event, by_event) if event.KIND not in _BEGINS else None
        if group is None and groups and event.KIND in CLOSING_KINDS:
            group = groups[0]
        if group is None:
            group = _begun(event)
            groups.append(group)
        by_event[event.event_id] = group
        group.events.append(event)
        _take_outcome(group, event)
    return groups


def _group_of(event: HistoryEvent, by_event: dict[int, Group]) -> Group | None:
    for name in _BELONGS_BY:
        earlier = event.attributes.get(name)
        if earlier is not None and int(earlier) in by_event:
            return by_event[int(earlier)]
    return None


def _begun(event: HistoryEvent) -> Group:
    kind, names = _BEGINS.get(event.KIND, (event.type_name, ()))
    attributes = event.attributes
    parts: list[str] = []
    for name in names:
        value = attributes.get(name)
        if isinstance(value, dict):
            value = value.get("name") or value.get("workflowId")
        if value:
            parts.append(str(value))
    if kind == "update":
        request = attributes.get("acceptedRequest") or attributes.get("request") or {}
        parts.append(str((request.get("input") or {}).get("name", "")))
    group = Group(kind, " ".join(parts))
    if kind in _HAVE_NO_END or event.KIND not in _BEGINS:
        group.outcome = ""
        group.detail = attributes.get("input") or attributes.get("details")
    return group


def _take_outcome(group: Group, event: HistoryEvent) -> None:
    if event is group.events[0] and event.KIND in _BEGINS:
        return
    for ending, outcome in _ENDS.items():
        if event.KIND.endswith(ending) and not event.KIND.endswith(("ACTIVITY_TASK_CANCEL_REQUESTED",)):
            group.outcome = outcome
            attributes = event.attributes
            found = attributes.get("result") or attributes.get("failure") or attributes.get("outcome")
            group.detail = found if found is not None else group.detail
            return
