"""Values of a history that nobody here can read: which they are, and what a replay says of them.

Whether there are any is looked up before a replay, in the events that workflow code is told of, so that a history
without them costs next to nothing. How the code gets along without them is `playhead_engine.opaque`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, ReplayWarning, Verdict
from playhead_engine.activation import Activation
from playhead_engine.history import History, HistoryEvent
from playhead_engine.machines.markers import local_activity_marker
from playhead_engine.messages import part
from playhead_engine.opaque import STANDARD_ENCODINGS, Look, LookedInside, StandIns, Unread
from playhead_engine.runtime import Completion, TaskFailed, WorkflowInstance

_STANDARD: Final = frozenset(base64.b64encode(encoding).decode() for encoding in STANDARD_ENCODINGS)

# Events that tell the code nothing but that something was asked for, or is under way.
_SILENT: Final = frozenset(
    {
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_CANCEL_REQUESTED",
        "CHILD_WORKFLOW_EXECUTION_STARTED",
        "NEXUS_OPERATION_SCHEDULED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        "TIMER_CANCELED",
        "TIMER_FIRED",
        "TIMER_STARTED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        "WORKFLOW_PROPERTIES_MODIFIED",
        "WORKFLOW_TASK_COMPLETED",
        "WORKFLOW_TASK_FAILED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_TIMED_OUT",
    }
)
# Never encoded by anybody, or read by interceptors alone.
_ASIDE: Final = ("searchAttributes", "header")
_SHOWN: Final = 3
"""How many of them a warning names."""


def has_unreadable(history: History) -> bool:
    """Whether the code may be told values in encodings that not everybody reads."""
    return any(_has_foreign(event.attributes) for event in history.events if event.KIND not in _SILENT)


def _has_foreign(message: Any) -> bool:
    # Plain loops: each replay goes through this.
    if type(message) is dict:
        metadata = message.get("metadata")
        if type(metadata) is dict:
            return metadata.get("encoding") not in _STANDARD
        for key, value in message.items():
            if (type(value) is dict or type(value) is list) and key not in _ASIDE and _has_foreign(value):
                return True
    elif type(message) is list:
        for item in message:
            if _has_foreign(item):
                return True
    return False


class Unreadable:
    """The values of one history that could not be read while it was replayed.

    Attributes:
        stand_ins: What the code is given for them.
    """

    def __init__(self, history: History) -> None:
        self.stand_ins = StandIns()
        self._history = history
        self._where: dict[str, list[_Place]] | None = None
        self._fails_temporal = False

    def activate(self, instance: WorkflowInstance, activation: Activation) -> Completion | NeedsValue:
        """Let the code go on.

        Returns:
            What came of it; or that it looked into a value, whatever came of it then.
        """
        stand_ins, already = self.stand_ins, len(self.stand_ins.given)
        completion: Completion | None = None
        try:
            completion = stand_ins.watch(lambda: instance.activate(activation))
        except LookedInside:
            assert stand_ins.look is not None
        if activation.is_replaying:
            self._fails_temporal |= any(map(self._fails, stand_ins.given[already:]))
        if isinstance(completion, TaskFailed):
            stand_ins.blame(completion.error)
        elif completion is not None:
            for command in completion.commands:
                stand_ins.blame_request(command, getattr(command, "site", None))
        # The code may have caught what was to end it, and gone on.
        if stand_ins.look is not None:
            return self._needed(stand_ins.look, activation)
        assert completion is not None
        return completion

    def _needed(self, look: Look, activation: Activation) -> NeedsValue:
        text, event_id = self._named(look.value)
        return NeedsValue(
            text,
            look.path,
            look.use,
            look.value.encoding,
            look.value.reason,
            event_id,
            activation.history_length,
            look.site,
            "error" if self._fails_temporal else "ok",
        )

    def _fails(self, unread: Unread) -> bool:
        """Whether Temporal's SDK fails at this value; where it is the message of a failure, it goes on without."""
        places = self._places(unread)
        return bool(unread.reason or not places or places[-1].path[-1:] != ("encodedAttributes",))

    def told_by(self, verdict: Verdict) -> Verdict:
        """The verdict, with what is to be said of values that could not be read."""
        if not self.stand_ins.given or not isinstance(verdict, Agrees | Diverges | CodeRaised | CodeUnfinished):
            return verdict
        if self._fails_temporal:
            verdict = replace(verdict, temporal="error")
        if isinstance(verdict, CodeUnfinished):
            return verdict
        return replace(verdict, warnings=(*verdict.warnings, self._warning()))

    def _warning(self) -> ReplayWarning:
        unread = list({one.payload.data: one for one in self.stand_ins.given}.values())
        names = [f"{text} (event {event_id})" if event_id else text for text, event_id in map(self._named, unread)]
        rest = len(names) - _SHOWN
        shown = ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
        encodings = ", ".join(sorted({one.encoding or "no encoding" for one in unread}))
        reasons = "".join(sorted({f"; the codec raised {one.reason}" for one in unread if one.reason}))
        what, it, none = f"{len(unread)} values", "them", "none of them was"
        if len(unread) == 1:
            what, it, none = "1 value", "it", "it was not"
        return ReplayWarning(
            f"{what} could not be read ({encodings}{reasons}), and the code did not look into {it}: {shown}. "
            f"It is assumed that {none} None.",
            self._named(unread[0])[1],
        )

    # Names

    def _named(self, unread: Unread) -> tuple[str, int]:
        """What a value is, in words, and the event that holds it; 0 if none does."""
        places = self._places(unread)
        if not places:
            return "a value that came out of a codec", 0
        place = places[-1]
        return _name(self._history, place.event, place.path), place.event.event_id

    def _places(self, unread: Unread) -> list[_Place]:
        if self._where is None:
            self._where = {}
            for event in self._history.events:
                if event.KIND not in _SILENT:
                    for path, payload in _payloads(event.attributes):
                        self._where.setdefault(payload.get("data", ""), []).append(_Place(event, path))
        return self._where.get(base64.b64encode(unread.payload.data).decode(), [])


class _Place:
    """Where in a history a value is: the event, and the keys and indices that lead to it."""

    def __init__(self, event: HistoryEvent, path: tuple[str | int, ...]) -> None:
        self.event = event
        self.path = path


def _payloads(message: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """All payloads in a piece of a history, and where in it."""
    if isinstance(message, list):
        for index, item in enumerate(message):
            yield from _payloads(item, (*path, index))
    elif isinstance(message, dict):
        if isinstance(message.get("metadata"), dict):
            yield path, message
            return
        for key, item in message.items():
            yield from _payloads(item, (*path, key))


def _name(history: History, event: HistoryEvent, path: tuple[str | int, ...]) -> str:
    attributes: Any = event.attributes
    if "failure" in str(path[0]).lower() or "encodedAttributes" in path:
        what = "the message" if path[-1] == "encodedAttributes" else "a detail"
        return f"{what} of the failure of {_source(history, event)}"
    number = path[-1] if isinstance(path[-1], int) else 0
    match event.KIND:
        case "WORKFLOW_EXECUTION_STARTED" if path[0] == "input":
            return f"argument {number + 1} of the workflow"
        case "WORKFLOW_EXECUTION_STARTED" if path[0] == "memo":
            return f"memo {path[-1]!r}"
        case "WORKFLOW_EXECUTION_STARTED":
            return "the result of the last run"
        case "WORKFLOW_EXECUTION_SIGNALED":
            return f"argument {number + 1} of signal {attributes.get('signalName', '')!r}"
        case "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" | "WORKFLOW_EXECUTION_UPDATE_ADMITTED":
            request = part(attributes, "acceptedRequest") or part(attributes, "request")
            return f"argument {number + 1} of update {part(request, 'input').get('name', '')!r}"
        case _:
            return f"the result of {_source(history, event)}"


def _source(history: History, event: HistoryEvent) -> str:
    """What an event is the end of."""
    attributes: Any = event.attributes
    kind = event.KIND
    if kind.startswith("ACTIVITY_TASK_"):
        return f"activity {part(_begun(history, attributes, 'scheduledEventId'), 'activityType').get('name', '')!r}"
    if "CHILD_WORKFLOW" in kind:
        return f"child workflow {part(attributes, 'workflowType').get('name', '')!r}"
    if kind.startswith("NEXUS_OPERATION_"):
        return f"nexus operation {_begun(history, attributes, 'scheduledEventId').get('operation', '')!r}"
    if kind == "MARKER_RECORDED":
        marker = local_activity_marker(event)
        return f"local activity {'' if marker is None else marker.data.get('activity_type', '')!r}"
    return "the last run" if kind == "WORKFLOW_EXECUTION_STARTED" else event.type_name


def _begun(history: History, attributes: Any, key: str) -> Any:
    try:
        return history.event(int(attributes.get(key) or 0)).attributes
    except KeyError:
        return {}
