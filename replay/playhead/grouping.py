"""Puts the events together that tell of one thing: an activity, a timer, a child, a signal, an update.

A view on a history for people; nothing replays by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from playhead_engine.history import CLOSING_KINDS, History, HistoryEvent
from playhead_engine.machines.markers import local_activity_marker, patch_marker, upserts_change_version
from playhead_engine.messages import Json, part

# The first event of a group: what the group is called, where its title stands, and where its id does.
_BEGINS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "WORKFLOW_EXECUTION_STARTED": ("workflow", ("workflowType",), "workflowId"),
    "WORKFLOW_TASK_SCHEDULED": ("workflow task", (), ""),
    "ACTIVITY_TASK_SCHEDULED": ("activity", ("activityType",), "activityId"),
    "TIMER_STARTED": ("timer", ("timerId", "startToFireTimeout"), "timerId"),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": ("child workflow", ("workflowType", "workflowId"), "workflowId"),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": ("signal sent", ("signalName",), ""),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": ("cancel sent", ("workflowExecution",), ""),
    "NEXUS_OPERATION_SCHEDULED": ("nexus", ("service", "operation"), ""),
    "WORKFLOW_EXECUTION_SIGNALED": ("signal", ("signalName",), ""),
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": ("update", (), ""),
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": ("update", (), ""),
    "WORKFLOW_EXECUTION_UPDATE_REJECTED": ("update", (), ""),
    "MARKER_RECORDED": ("marker", ("markerName",), ""),
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED": ("cancel request", (), ""),
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": ("attributes", (), ""),
    "WORKFLOW_PROPERTIES_MODIFIED": ("memo", (), ""),
}
# A later event of a group: the attribute that names the first one.
_BELONGS_BY: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "WORKFLOW_TASK_STARTED",
            "WORKFLOW_TASK_COMPLETED",
            "WORKFLOW_TASK_FAILED",
            "WORKFLOW_TASK_TIMED_OUT",
            "ACTIVITY_TASK_STARTED",
            "ACTIVITY_TASK_COMPLETED",
            "ACTIVITY_TASK_FAILED",
            "ACTIVITY_TASK_TIMED_OUT",
            "ACTIVITY_TASK_CANCELED",
            "ACTIVITY_TASK_CANCEL_REQUESTED",
            "ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY",
            "NEXUS_OPERATION_STARTED",
            "NEXUS_OPERATION_COMPLETED",
            "NEXUS_OPERATION_FAILED",
            "NEXUS_OPERATION_TIMED_OUT",
            "NEXUS_OPERATION_CANCELED",
            "NEXUS_OPERATION_CANCEL_REQUESTED",
            "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED",
            "NEXUS_OPERATION_CANCEL_REQUEST_FAILED",
        ),
        "scheduledEventId",
    ),
    **dict.fromkeys(("TIMER_FIRED", "TIMER_CANCELED"), "startedEventId"),
    **dict.fromkeys(
        (
            "START_CHILD_WORKFLOW_EXECUTION_FAILED",
            "CHILD_WORKFLOW_EXECUTION_STARTED",
            "CHILD_WORKFLOW_EXECUTION_COMPLETED",
            "CHILD_WORKFLOW_EXECUTION_FAILED",
            "CHILD_WORKFLOW_EXECUTION_TIMED_OUT",
            "CHILD_WORKFLOW_EXECUTION_CANCELED",
            "CHILD_WORKFLOW_EXECUTION_TERMINATED",
            "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
            "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
        ),
        "initiatedEventId",
    ),
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": "acceptedEventId",
}
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
    "REJECTED": "rejected",
}
# They end with a word that says nothing of the group: what was asked for goes on.
_END_NOTHING: Final = frozenset(
    {
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "NEXUS_OPERATION_CANCEL_REQUESTED",
        "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED",
        "NEXUS_OPERATION_CANCEL_REQUEST_FAILED",
        "WORKFLOW_EXECUTION_SIGNALED",
        "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    }
)
_OUTCOMES: Final = {
    kind: outcome
    for kind in (*_BELONGS_BY, *CLOSING_KINDS, "WORKFLOW_EXECUTION_UPDATE_REJECTED")
    for ending, outcome in _ENDS.items()
    if kind.endswith(ending) and kind not in _END_NOTHING
}
"""How the groups end to which such an event belongs."""

_HAVE_NO_END: Final = frozenset({"signal", "marker", "patch", "cancel request", "attributes", "memo"})

RUN: Final = "workflow"
"""What the group of the run itself is called."""


@dataclass(slots=True)
class Group:
    """Events that tell of one thing.

    Attributes:
        kind: What it is: `activity`, `timer`, ...
        title: Its name, and what tells it from others.
        identity: The id that the code or the server gave it; empty if it has none.
        events: In order; at least one.
        outcome: How it ended; `open` if it has not, empty if it is over with its first event.
        detail: What it gave back, or how it failed: a piece of the history.
    """

    kind: str
    title: str
    identity: str = ""
    events: list[HistoryEvent] = field(default_factory=list[HistoryEvent])
    outcome: str = "open"
    detail: Any = None

    @property
    def first_id(self) -> int:
        """Id of its first event."""
        return self.events[0].event_id

    @property
    def last_id(self) -> int:
        """Id of its last event so far."""
        return self.events[-1].event_id

    @property
    def duration_ns(self) -> int:
        """From its first event to its last, in nanoseconds."""
        return self.events[-1].time_ns - self.events[0].time_ns

    def outcome_at(self, event_id: int) -> str:
        """How it had ended when that event was written: `open` if it had not; empty if it had not begun, too."""
        if self.last_id <= event_id:
            return self.outcome
        return "open" if self.outcome and self.first_id <= event_id else ""

    @property
    def attempts(self) -> int:
        """How often it was tried, as far as the history says: attempts are only recorded with the last one."""
        if self.kind == "local activity":
            marker = local_activity_marker(self.events[0])
            return int(marker.data["attempt"]) if marker is not None else 1
        return max(int(event.attributes.get("attempt") or 1) for event in self.events)


def grouped(history: History) -> list[Group]:
    """The groups of a history, in the order in which they began."""
    groups: list[Group] = []
    by_event: dict[int, Group] = {}
    updates: dict[str, Group] = {}
    before: Group | None = None
    for event in history.events:
        kind = event.KIND
        group: Group | None = None
        name = _BELONGS_BY.get(kind)
        if name is not None:
            group = by_event.get(_number(event.attributes.get(name)))
        elif kind in CLOSING_KINDS:
            group = groups[0] if groups else None
        elif kind == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED":
            group = updates.get(str(event.attributes.get("protocolInstanceId")))
        elif before is not None and before.kind == "patch" and upserts_change_version(event):
            group = before  # core lists the patches of a run in a search attribute, right after the marker of each
        if group is None:
            group = _begun(event)
            groups.append(group)
            if group.kind == "update":
                updates[group.identity] = group
        by_event[event.event_id] = before = group
        group.events.append(event)
        outcome = _OUTCOMES.get(kind)
        if outcome is not None:
            group.outcome = outcome
            attributes = event.attributes
            found = attributes.get("result") or attributes.get("failure") or attributes.get("outcome")
            group.detail = found if found is not None else group.detail
    return groups


def _number(value: Any) -> int:
    return int(value) if isinstance(value, str | int) and str(value).isdecimal() else 0


def _begun(event: HistoryEvent) -> Group:
    attributes = event.attributes
    special = _SPECIAL.get(event.KIND)
    group = special(event) if special is not None else None
    if group is None:
        kind, names, identity = _BEGINS.get(event.KIND, (event.type_name, (), ""))
        titles = [str(title) for title in (_title(attributes.get(name)) for name in names) if title]
        group = Group(kind, " ".join(titles), str(attributes.get(identity, "")) if identity else "")
    if group.kind in _HAVE_NO_END or event.KIND not in _BEGINS:
        group.outcome = ""
        if group.detail is None and group.kind != "patch":
            group.detail = next((attributes[name] for name in _DETAILS if attributes.get(name)), None)
    return group


def _title(value: Any) -> Any:
    return value.get("name") or value.get("workflowId") if isinstance(value, dict) else value


def _marker(event: HistoryEvent) -> Group | None:
    """A marker of Temporal's core, by what it stands for."""
    patch = patch_marker(event)
    if patch is not None:
        return Group("patch", f"{patch.patch_id} deprecated" if patch.deprecated else patch.patch_id, patch.patch_id)
    local = local_activity_marker(event)
    if local is None:
        return None
    group = Group("local activity", str(local.data["activity_type"]), str(local.data["activity_id"]))
    group.outcome = "completed" if local.failure is None else "failed"
    result = {"payloads": [local.result]} if local.result else None
    group.detail = result if local.failure is None else local.failure
    return group


def _update(event: HistoryEvent) -> Group:
    attributes: Json = event.attributes
    request = next((found for name in _REQUESTS if (found := part(attributes, name))), {})
    identity = part(request, "meta").get("updateId") or attributes.get("protocolInstanceId", "")
    return Group("update", str(part(request, "input").get("name", "")), str(identity))


def _attributes(event: HistoryEvent) -> Group:
    return Group("attributes", " ".join(part(part(event.attributes, "searchAttributes"), "indexedFields")))


_DETAILS: Final = ("input", "details", "searchAttributes", "upsertedMemo", "cause")
_REQUESTS: Final = ("acceptedRequest", "request", "rejectedRequest")
_SPECIAL: Final[dict[str, Callable[[HistoryEvent], Group | None]]] = {
    "MARKER_RECORDED": _marker,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": _attributes,
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": _update,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": _update,
    "WORKFLOW_EXECUTION_UPDATE_REJECTED": _update,
}
