"""What differs, as data: a recorded event, and what the code asks for now.

Every report is a rendering of this. Nothing here prints, and nothing here guesses at causes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from playhead_engine import commands as c
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import FatalMismatch, ReplayError
from playhead_engine.messages import Json


class DivergenceKind(StrEnum):
    """How the recorded side and the code's side differ."""

    DIFFERENT_KIND = "different kind"  # an activity was recorded, the code starts a timer
    DIFFERENT_FIELDS = "different fields"  # the same kind of thing, but not the same one
    MISSING = "missing"  # it was recorded, and the code asks for nothing
    UNRECORDED = "unrecorded"  # the code asks for more than was recorded
    IMPOSSIBLE = "impossible"  # an event came that makes no sense after what the code did


# What each command becomes when a server accepts it.
_EVENT_OF: Final[dict[type[Command], str]] = {
    c.StartTimer: "TimerStarted",
    c.CancelTimer: "TimerCanceled",
    c.ScheduleActivity: "ActivityTaskScheduled",
    c.RequestCancelActivity: "ActivityTaskCancelRequested",
    c.ScheduleLocalActivity: "MarkerRecorded",
    c.RequestCancelLocalActivity: "MarkerRecorded",
    c.StartChildWorkflow: "StartChildWorkflowExecutionInitiated",
    c.CancelChildWorkflow: "RequestCancelExternalWorkflowExecutionInitiated",
    c.SignalExternal: "SignalExternalWorkflowExecutionInitiated",
    c.RequestCancelExternal: "RequestCancelExternalWorkflowExecutionInitiated",
    c.ScheduleNexusOperation: "NexusOperationScheduled",
    c.RequestCancelNexusOperation: "NexusOperationCancelRequested",
    c.SetPatchMarker: "MarkerRecorded",
    c.RecordMarker: "MarkerRecorded",
    c.UpsertSearchAttributes: "UpsertWorkflowSearchAttributes",
    c.ModifyProperties: "WorkflowPropertiesModified",
    c.AcceptUpdate: "WorkflowExecutionUpdateAccepted",
    c.CompleteUpdate: "WorkflowExecutionUpdateCompleted",
    c.RejectUpdate: "WorkflowExecutionUpdateCompleted",
    c.CompleteWorkflow: "WorkflowExecutionCompleted",
    c.FailWorkflow: "WorkflowExecutionFailed",
    c.CancelWorkflowExecution: "WorkflowExecutionCanceled",
    c.ContinueAsNew: "WorkflowExecutionContinuedAsNew",
}

# Given by the server, or of no meaning to the code: never a difference.
_BOOKKEEPING: Final = frozenset(
    {
        "workflowTaskCompletedEventId",
        "useWorkflowBuildId",
        "header",
        "namespaceId",
        "identity",
        "namespace",
        "newExecutionRunId",
        "acceptedRequest",
        "acceptedRequestMessageId",
        "acceptedRequestSequencingEventId",
        "acceptedEventId",
        "meta",
        "scheduledEventId",
        "startedEventId",
    }
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a divergence.

    Attributes:
        kind: The type of the event, or of the event that the command asks for: `ActivityTaskScheduled`.
        fields: Its attributes, in canonical JSON, without what a server adds.
    """

    kind: str
    fields: Json


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where history and code part.

    Attributes:
        kind: How they differ.
        event_id: Where in the history.
        recorded: What was recorded there; None where the code goes on beyond it.
        now: What the code asks for; None where it asks for nothing.
        site: The line of the code that asks for it.
        message: What Temporal says.
        event: The recorded event itself.
        command: The command itself.
        waits: What the code waits for, where it asks for nothing: in words, and the line that waits.
    """

    kind: DivergenceKind
    event_id: int
    recorded: Side | None
    now: Side | None
    site: CallSite | None
    message: str
    event: HistoryEvent | None = None
    command: Command | None = None
    waits: tuple[tuple[str, CallSite | None], ...] = ()

    def differing_fields(self) -> list[str]:
        """Names of the fields that are not equal, in the order of the recording; empty unless both sides are there."""
        if self.recorded is None or self.now is None:
            return []
        return differing_names(self.recorded.fields, self.now.fields)


def event_side(event: HistoryEvent) -> Side:
    """The recorded side."""
    return Side(event.type_name, _comparable(event.attributes))


def command_side(command: Command) -> Side:
    """The code's side."""
    attributes: Json = getattr(command, "attributes", {})
    if isinstance(command, c.StartTimer) and "timerId" not in attributes:
        attributes = {"timerId": str(command.seq), **attributes}
    if isinstance(command, c.SetPatchMarker):
        attributes = {"markerName": "core_patch", "patch": command.patch_id}
    return Side(_EVENT_OF.get(type(command), type(command).__name__), _comparable(attributes))


def from_error(
    error: ReplayError, last_event_id: int, waits: tuple[tuple[str, CallSite | None], ...] = ()
) -> Divergence:
    """The divergence behind an error of matching.

    Args:
        error: What matching raised.
        last_event_id: Where the history stood, for an error that met no event.
        waits: What the code waits for.
    """
    event, command = error.event, error.command
    recorded = event_side(event) if event is not None else None
    now = command_side(command) if command is not None else None
    if isinstance(error, FatalMismatch):
        kind = DivergenceKind.IMPOSSIBLE
    elif recorded is None:
        kind = DivergenceKind.UNRECORDED
    elif now is None:
        kind = DivergenceKind.MISSING
    elif recorded.kind != now.kind:
        kind = DivergenceKind.DIFFERENT_KIND
    else:
        kind = DivergenceKind.DIFFERENT_FIELDS
    return Divergence(
        kind,
        event.event_id if event is not None else last_event_id,
        recorded,
        now,
        getattr(command, "site", None),
        str(error),
        event,
        command,
        waits if now is None else (),
    )


def beyond_the_end(commands: tuple[Command, ...], last_event_id: int) -> Divergence:
    """The divergence of code that asks for more than its last recorded workflow task did."""
    first = commands[0]
    side = command_side(first)
    more = f" and {len(commands) - 1} more" if len(commands) > 1 else ""
    return Divergence(
        DivergenceKind.UNRECORDED,
        last_event_id,
        None,
        side,
        getattr(first, "site", None),
        f"The code asks for {side.kind}{more}, which was never recorded. Temporal's Replayer overlooks this",
        None,
        first,
    )


def _comparable(attributes: Json) -> Json:
    return {name: value for name, value in attributes.items() if name not in _BOOKKEEPING and not _is_default(value)}


def _is_default(value: Any) -> bool:
    """Protobuf does not tell an absent field from one that has its default."""
    return value in (None, "", 0, "0", "0s", False) or value == {} or value == []


def differing_names(recorded: Json, now: Json) -> list[str]:
    """Names of the fields that are not equal on both sides, in the order of the recording."""
    names = dict.fromkeys([*recorded, *now])
    return [name for name in names if not same_value(recorded.get(name), now.get(name))]


def same_value(one: Any, other: Any) -> bool:
    """Whether two pieces of JSON mean the same in a history."""
    if _is_default(one) and _is_default(other):
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same_value(one.get(key), other.get(key)) for key in {*one, *other})
    return bool(one == other)
