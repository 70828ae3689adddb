"""Steps: what a recorded event and a command of the code have in common, so that the one can be laid beside the other.

A step is one thing that workflow code asks for: an activity, a timer, a patch, its own end. This module gives both
sides the same names and nothing more; which recorded step belongs to which of the code's is decided in `alignment`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from playhead.divergence import Side, command_side, differing_names, event_side, same_value
from playhead_engine import commands as c
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.machine import name_of
from playhead_engine.machines.markers import (
    CHANGE_VERSION,
    LocalActivityMarker,
    local_activity_marker,
    patch_marker,
)
from playhead_engine.messages import Json, part


class StepKind(StrEnum):
    """What is asked for, as people call it."""

    ACTIVITY = "activity"
    ACTIVITY_CANCEL = "request to cancel an activity"
    LOCAL_ACTIVITY = "local activity"
    TIMER = "timer"
    TIMER_CANCEL = "cancelled timer"
    CHILD = "child workflow"
    SIGNAL = "signal to another workflow"
    CANCEL = "request to cancel another workflow"
    NEXUS = "nexus operation"
    NEXUS_CANCEL = "request to cancel a nexus operation"
    PATCH = "patch"
    MARKER = "marker"
    SEARCH_ATTRIBUTES = "search attributes"
    MEMO = "memo"
    UPDATE_ACCEPTED = "accepted update"
    UPDATE_COMPLETED = "completed update"
    COMPLETED = "end of the workflow"
    FAILED = "failure of the workflow"
    CANCELLED = "cancellation of the workflow"
    CONTINUED = "continue-as-new"


ENDS: Final = frozenset({StepKind.COMPLETED, StepKind.FAILED, StepKind.CANCELLED, StepKind.CONTINUED})
"""After these a run does nothing more."""

AWAITED: Final = frozenset(
    {
        StepKind.ACTIVITY,
        StepKind.LOCAL_ACTIVITY,
        StepKind.TIMER,
        StepKind.CHILD,
        StepKind.SIGNAL,
        StepKind.CANCEL,
        StepKind.NEXUS,
    }
)
"""The code is told what becomes of these."""

_BY_EVENT: Final[Mapping[str, StepKind]] = {
    "ACTIVITY_TASK_SCHEDULED": StepKind.ACTIVITY,
    "ACTIVITY_TASK_CANCEL_REQUESTED": StepKind.ACTIVITY_CANCEL,
    "TIMER_STARTED": StepKind.TIMER,
    "TIMER_CANCELED": StepKind.TIMER_CANCEL,
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": StepKind.CHILD,
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": StepKind.SIGNAL,
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": StepKind.CANCEL,
    "NEXUS_OPERATION_SCHEDULED": StepKind.NEXUS,
    "NEXUS_OPERATION_CANCEL_REQUESTED": StepKind.NEXUS_CANCEL,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": StepKind.SEARCH_ATTRIBUTES,
    "WORKFLOW_PROPERTIES_MODIFIED": StepKind.MEMO,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": StepKind.UPDATE_ACCEPTED,
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": StepKind.UPDATE_COMPLETED,
    "WORKFLOW_EXECUTION_COMPLETED": StepKind.COMPLETED,
    "WORKFLOW_EXECUTION_FAILED": StepKind.FAILED,
    "WORKFLOW_EXECUTION_CANCELED": StepKind.CANCELLED,
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": StepKind.CONTINUED,
}

_BY_COMMAND: Final[Mapping[type[Command], StepKind]] = {
    c.ScheduleActivity: StepKind.ACTIVITY,
    c.RequestCancelActivity: StepKind.ACTIVITY_CANCEL,
    c.ScheduleLocalActivity: StepKind.LOCAL_ACTIVITY,
    c.StartTimer: StepKind.TIMER,
    c.CancelTimer: StepKind.TIMER_CANCEL,
    c.StartChildWorkflow: StepKind.CHILD,
    c.CancelChildWorkflow: StepKind.CANCEL,
    c.SignalExternal: StepKind.SIGNAL,
    c.RequestCancelExternal: StepKind.CANCEL,
    c.ScheduleNexusOperation: StepKind.NEXUS,
    c.RequestCancelNexusOperation: StepKind.NEXUS_CANCEL,
    c.SetPatchMarker: StepKind.PATCH,
    c.UpsertSearchAttributes: StepKind.SEARCH_ATTRIBUTES,
    c.ModifyProperties: StepKind.MEMO,
    c.AcceptUpdate: StepKind.UPDATE_ACCEPTED,
    c.CompleteUpdate: StepKind.UPDATE_COMPLETED,
    c.RejectUpdate: StepKind.UPDATE_COMPLETED,
    c.CompleteWorkflow: StepKind.COMPLETED,
    c.FailWorkflow: StepKind.FAILED,
    c.CancelWorkflowExecution: StepKind.CANCELLED,
    c.ContinueAsNew: StepKind.CONTINUED,
}

_NAMES: Final[Mapping[StepKind, Callable[[Json], str]]] = {
    StepKind.ACTIVITY: lambda fields: name_of(fields.get("activityType")),
    StepKind.LOCAL_ACTIVITY: lambda fields: name_of(fields.get("activityType")),
    StepKind.CHILD: lambda fields: name_of(fields.get("workflowType")),
    StepKind.CONTINUED: lambda fields: name_of(fields.get("workflowType")),
    StepKind.SIGNAL: lambda fields: str(fields.get("signalName", "")),
    StepKind.NEXUS: lambda fields: f"{fields.get('service', '')}.{fields.get('operation', '')}",
    StepKind.PATCH: lambda fields: str(fields.get("patch", "")),
    StepKind.MARKER: lambda fields: str(fields.get("markerName", "")),
}

_IDS: Final[Mapping[StepKind, Callable[[Json], str]]] = {
    StepKind.ACTIVITY: lambda fields: str(fields.get("activityId", "")),
    StepKind.LOCAL_ACTIVITY: lambda fields: str(fields.get("activityId", "")),
    StepKind.TIMER: lambda fields: str(fields.get("timerId", "")),
    StepKind.CHILD: lambda fields: str(fields.get("workflowId", "")),
    StepKind.SIGNAL: lambda fields: str(part(fields, "workflowExecution").get("workflowId", "")),
}

_ID_FIELDS: Final = ("activityId", "timerId", "workflowId")

# Where a replay holds the name against the recorded one. It does not for signals, nor for what a run continues as.
_COMPARED_BY_NAME: Final = frozenset(
    {StepKind.ACTIVITY, StepKind.LOCAL_ACTIVITY, StepKind.CHILD, StepKind.NEXUS, StepKind.PATCH, StepKind.MARKER}
)
_COMPARED_BY_ID: Final = frozenset({StepKind.ACTIVITY, StepKind.LOCAL_ACTIVITY, StepKind.CHILD})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that workflow code asks for.

    Attributes:
        kind: What it is.
        name: Its type: of the activity, child or operation, the name of the signal or patch; empty where there is none.
        id: Its id: of the activity, timer, or workflow.
        side: Its attributes as reports show them.
        event: The recorded event, on the recorded side.
        command: The command, on the code's side.
    """

    kind: StepKind
    name: str
    id: str
    side: Side
    event: HistoryEvent | None = None
    command: Command | None = None

    @property
    def key(self) -> tuple[StepKind, str]:
        """What a step must share with another one to be the same thing for a replay."""
        return self.kind, self.name if self.kind in _COMPARED_BY_NAME else ""

    @property
    def site(self) -> CallSite | None:
        """The line that asks, on the code's side."""
        return getattr(self.command, "site", None)

    @property
    def has_default_id(self) -> bool:
        """Whether its id is merely its number among those of its kind, on the code's side."""
        return self.id.isdigit() and self.id == str(getattr(self.command, "seq", None))

    @property
    def belongs_to_patch(self) -> bool:
        """Whether it is a patch, or the upsert that core adds to the marker of one."""
        if self.kind is StepKind.SEARCH_ATTRIBUTES:
            return CHANGE_VERSION in part(part(self.side.fields, "searchAttributes"), "indexedFields")
        return self.kind is StepKind.PATCH

    def described(self) -> str:
        """In a few words: `activity charge`, `timer of 30s`, `end of the workflow`."""
        if self.kind is StepKind.TIMER:
            return f"timer of {self.side.fields.get('startToFireTimeout', '0s')}"
        return f"{self.kind.value} {self.name}".strip()


def recorded_step(event: HistoryEvent) -> Step:
    """The step that a command event records."""
    kind = _BY_EVENT.get(event.KIND, StepKind.MARKER)
    side = event_side(event)
    if kind is StepKind.MARKER:
        patch, local = patch_marker(event), local_activity_marker(event)
        if patch is not None:
            kind, side = StepKind.PATCH, Side(side.kind, {"markerName": "core_patch", "patch": patch.patch_id})
        elif local is not None and event.attributes.get("markerName") == "core_local_activity":
            kind, side = StepKind.LOCAL_ACTIVITY, Side(side.kind, _local_fields(local))
    return _step(kind, side, event=event)


def asked_step(command: Command) -> Step:
    """The step that a command asks for."""
    side = command_side(command)
    kind = _BY_COMMAND.get(type(command), StepKind.MARKER)
    if isinstance(command, c.ScheduleLocalActivity):
        side = Side(side.kind, {"markerName": "core_local_activity", **side.fields})
    return _step(kind, side, command=command)


def _step(kind: StepKind, side: Side, event: HistoryEvent | None = None, command: Command | None = None) -> Step:
    name, identity = _NAMES.get(kind), _IDS.get(kind)
    return Step(
        kind,
        name(side.fields) if name is not None else "",
        identity(side.fields) if identity is not None else "",
        side,
        event,
        command,
    )


def _local_fields(marker: LocalActivityMarker) -> Json:
    return {
        "markerName": "core_local_activity",
        "activityId": marker.data["activity_id"],
        "activityType": {"name": marker.data["activity_type"]},
    }


def differing_fields(recorded: Step, now: Step) -> tuple[str, ...]:
    """Names of the fields that both sides have and that are not equal, without ids that are mere numbers."""
    if recorded.side.kind != now.side.kind:
        return ()
    one, other = recorded.side.fields, now.side.fields
    if recorded.kind is StepKind.LOCAL_ACTIVITY:
        one, other = ({name: side[name] for name in one if name in other} for side in (one, other))
    found = differing_names(one, other)
    if now.has_default_id and recorded.id.isdigit():
        found = [name for name in found if name not in _ID_FIELDS]
    return tuple(found)


def has_other_id(recorded: Step, now: Step) -> bool:
    """Whether a replay tells two steps of the same key apart by their ids. Numbers by default follow their steps."""
    if recorded.kind not in _COMPARED_BY_ID or recorded.id == now.id:
        return False
    return not (now.has_default_id and recorded.id.isdigit())


def is_renumbered(recorded: Step, now: Step) -> bool:
    """Whether two steps of the same key differ in their default numbers."""
    return recorded.kind in _COMPARED_BY_ID and recorded.id != now.id and not has_other_id(recorded, now)


def likeness(recorded: Step, now: Step) -> int:
    """How well two steps of the same key go together; for choosing among several."""
    score = 2 if recorded.id == now.id else 0
    value: Any = now.side.fields.get("input")
    return score + (1 if same_value(recorded.side.fields.get("input"), value) else 0)
