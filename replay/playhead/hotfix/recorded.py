"""What histories say of how activities and child workflows ended: the answers that need no inventing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from playhead_engine.activation import payload_list
from playhead_engine.common import RawValue
from playhead_engine.engine.wire import Wire
from playhead_engine.history import History, HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.machines.markers import local_activity_marker
from playhead_engine.messages import Failure, Json, Payload, part
from playhead_engine.record import record

_ENDS: Final = (
    kinds.ActivityTaskCompleted,
    kinds.ActivityTaskFailed,
    kinds.ActivityTaskTimedOut,
    kinds.ActivityTaskCanceled,
    kinds.ChildWorkflowExecutionCompleted,
    kinds.ChildWorkflowExecutionFailed,
)

ENDED_BY_CODE: Final = (
    kinds.WorkflowExecutionCompleted,
    kinds.WorkflowExecutionFailed,
    kinds.WorkflowExecutionCanceled,
    kinds.WorkflowExecutionContinuedAsNew,
)
"""The events with which code ends its run; other ends come from outside."""

InputKey = bytes
"""What two equal inputs have in common."""


@record
class RecordedEnd:
    """One end of one activity or child workflow.

    Attributes:
        type_name: Of the activity or the workflow.
        is_child: Which of the two.
        input: What it was given; None where that is not recorded.
        asked_id: Id of the event that asked for it.
        event_id: Id of the event that says how it ended.
        result: What it returned.
        failure: What it raised; None if it did not.
        end_ns: When it ended.
        duration_ns: How long it took.
        source: Name of the history.
        is_silence: Whether it never answered: it timed out, or was cancelled.
        attempts: How often it was tried.
        last_failure: What the attempt before the last one raised; None if there was none.
    """

    type_name: str
    is_child: bool
    input: InputKey | None
    asked_id: int
    event_id: int
    result: Payload | None
    failure: Failure | None
    end_ns: int
    duration_ns: int
    source: str
    is_silence: bool = False
    attempts: int = 1
    last_failure: Failure | None = None


def key_of(input: Iterable[RawValue]) -> InputKey:
    """The key of an input; JSON is equal whatever the order of its keys."""
    parts: list[Any] = []
    for raw in input:
        encoding, data = raw.payload.metadata["encoding"].decode(), raw.payload.data
        try:
            parts.append([encoding, orjson.loads(data) if encoding.startswith("json/") else data.hex()])
        except orjson.JSONDecodeError:
            parts.append([encoding, data.hex()])
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def recorded_ends(history: History, source: str, wire: Wire, after: int = 0) -> Iterator[RecordedEnd]:
    """How activities and children of a history ended.

    Args:
        history: The recording.
        source: What to call it.
        wire: Takes payloads as histories hold them.
        after: Leave out what ended up to this event.
    """
    events = {event.event_id: event for event in history.events}
    for event in history.events:
        if event.event_id <= after:
            continue
        if isinstance(event, _ENDS):
            end = _end_of(event, events, source, wire)
            if end is not None:
                yield end
        elif isinstance(event, kinds.MarkerRecorded):
            local = local_activity_marker(event)
            if local is not None and local.data.get("backoff") is None:
                yield RecordedEnd(
                    str(local.data["activity_type"]),
                    False,
                    None,
                    event.event_id,
                    event.event_id,
                    local.result,
                    local.failure,
                    event.time_ns,
                    0,
                    source,
                )
    closing, started = history.closing_event, history.started
    if started is not None and closing is not None and "parentWorkflowExecution" in started.attributes:
        end = _end_of_child(started, closing, source, wire)
        if end is not None:
            yield end


def never_answered(history: History, source: str, wire: Wire) -> Iterator[RecordedEnd]:
    """Activities that a run asked for and then ended without: nobody answered for as long as the code cared."""
    closing = history.closing_event
    if not isinstance(closing, ENDED_BY_CODE):
        return
    ended = {int(one.attributes.get("scheduledEventId") or 0) for one in history.events if isinstance(one, _ENDS[:4])}
    for event in history.events:
        if isinstance(event, kinds.ActivityTaskScheduled) and event.event_id not in ended:
            name = str(part(event.attributes, "activityType").get("name", ""))
            key, event_id, at = _key(event, wire), event.event_id, closing.time_ns
            yield RecordedEnd(
                name, False, key, event_id, closing.event_id, None, None, at, at - event.time_ns, source, True
            )


def _end_of(event: HistoryEvent, events: Mapping[int, HistoryEvent], source: str, wire: Wire) -> RecordedEnd | None:
    attributes: Json = event.attributes
    is_child = "initiatedEventId" in attributes
    asked = events.get(int(attributes.get("initiatedEventId") or attributes.get("scheduledEventId") or 0))
    if asked is None:
        return None
    began = events.get(int(attributes.get("startedEventId") or 0), asked)
    results = payload_list(attributes.get("result"))
    failure: Failure | None = attributes.get("failure")
    kind = part(asked.attributes, "workflowType" if is_child else "activityType")
    return RecordedEnd(
        str(kind.get("name", "")),
        is_child,
        _key(asked, wire),
        asked.event_id,
        event.event_id,
        results[0] if results else None,
        failure,
        event.time_ns,
        max(event.time_ns - began.time_ns, 0),
        source,
        isinstance(event, kinds.ActivityTaskTimedOut | kinds.ActivityTaskCanceled),
        int(began.attributes.get("attempt") or 1),
        began.attributes.get("lastFailure"),
    )


def _end_of_child(
    started: kinds.WorkflowExecutionStarted, closing: HistoryEvent, source: str, wire: Wire
) -> RecordedEnd | None:
    """How a child's own history says that it ended; None where it went on in another run or never answered."""
    if not isinstance(closing, kinds.WorkflowExecutionCompleted | kinds.WorkflowExecutionFailed):
        return None
    results = payload_list(closing.attributes.get("result"))
    return RecordedEnd(
        str(part(started.attributes, "workflowType").get("name", "")),
        True,
        _key(started, wire),
        0,
        closing.event_id,
        results[0] if results else None,
        closing.attributes.get("failure"),
        closing.time_ns,
        max(closing.time_ns - started.time_ns, 0),
        source,
    )


def _key(event: HistoryEvent, wire: Wire) -> InputKey:
    return key_of(wire.raw_values(payload_list(event.attributes.get("input"))))
