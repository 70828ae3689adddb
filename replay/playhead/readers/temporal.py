"""Temporal's histories: from a JSON document to events, wherever in it they are and however they are written.

Histories that can be read, but that no code could be replayed against (some of their events are missing, or they are
Cadence's), are read all the same: they can be shown. Their `problems` say why they cannot be replayed.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playhead.readers.canonical import are_canonical
from playhead.readers.foreign import foreign_document
from playhead.readers.names import event_sound, holds_attributes
from playhead.readers.protobuf import parse_binary
from playhead.readers.refusal import UnreadableHistory, brief
from playhead.readers.shapes import Field, fields_of, sound
from playhead.readers.spelling import spelled_event
from playhead_engine.history import EVENT_CLASSES, History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playhead_engine.history import HistoryEvent
    from playhead_engine.messages import Json

OLD_NAMES = "its events have the names that Cadence and Temporal before 1.0 used; they were translated"
CADENCE = "this is a Cadence history: it can be shown, but Temporal's rules of replay are not Cadence's"
ONE_PAGE = "this is one page of a history; the pages after it are missing"

_EVENT_SOUNDS = frozenset(map(sound, EVENT_CLASSES))
_CLASSES_BY_TYPE = {f"EVENT_TYPE_{kind}": event_class for kind, event_class in EVENT_CLASSES.items()}

_BATCH = 1000  # events that are looked at together: few enough to stay in the processor's cache


@dataclass(frozen=True, slots=True)
class _Found:
    """The events of a document, as they were read.

    Attributes:
        events: In the order of the document.
        workflow_id: If the wrapper around the events names it, else empty.
        is_page: Whether the wrapper says that there are more.
    """

    events: list[Any]
    workflow_id: str = ""
    is_page: bool = False


def read_document(document: Any) -> History:
    """The history that a JSON document holds.

    Args:
        document: Parsed JSON. The history keeps it whole and unchanged.

    Raises:
        UnreadableHistory: It holds none.
    """
    found = _find(document)
    if found is None:
        raise foreign_document(document)
    if not found.events:
        raise UnreadableHistory("its list of events is empty", "Every history begins with a WorkflowExecutionStarted")
    events, remarks = _in_order(_events(found.events))
    if found.is_page:
        remarks = (*remarks, ONE_PAGE)
    if any(map(_has_old_names, events)):
        remarks = (*remarks, OLD_NAMES)
    return History(tuple(events), found.workflow_id, document, tuple(_problems(events)), remarks)


def _find(document: Any) -> _Found | None:
    """The events in a document; None if there is nothing in it that looks like one."""
    if isinstance(document, list):
        items: list[Any] = document
        if any(map(_is_event, items)):
            return _Found(items)
        return _joined([_find(item) for item in items])
    if not isinstance(document, dict):
        return None
    wrapper: Json = document
    workflow_id: Any = wrapper.get("workflowId") or wrapper.get("workflow_id")
    inner = _events_in(wrapper)
    if inner is None:
        return None
    return _Found(
        inner.events,
        workflow_id if isinstance(workflow_id, str) else inner.workflow_id,
        inner.is_page or bool(wrapper.get("nextPageToken") or wrapper.get("next_page_token")),
    )


def _events_in(wrapper: Json) -> _Found | None:
    events: Any = wrapper.get("events")
    if isinstance(events, list):
        items: list[Any] = events
        return _Found(items) if not items or any(map(_is_event, items)) else None
    blobs: Any = wrapper.get("rawHistory") or wrapper.get("raw_history")
    if isinstance(blobs, list) and blobs:
        return _joined([_find(_unwrapped(blob)) for blob in blobs])
    return _find(wrapper.get("history"))


def _joined(pages: Sequence[_Found | None]) -> _Found | None:
    found = [page for page in pages if page is not None]
    if not found or len(found) != len(pages):
        return None
    events = [event for page in found for event in page.events]
    return _Found(events, found[0].workflow_id, found[-1].is_page)


def _unwrapped(blob: Any) -> Any:
    """The document in a piece of raw history, which is a History message in base64."""
    try:
        data = b64decode(blob["data"])
    except (binascii.Error, ValueError, TypeError, KeyError, LookupError):
        raise UnreadableHistory("its rawHistory is not in base64", "Download it again") from None
    return parse_binary(data)[0]


def _is_event(item: Any) -> bool:
    """Whether something is an event of Temporal's, or of Cadence's, in any spelling."""
    if not isinstance(item, dict):
        return False
    raw: Json = item
    if any(map(holds_attributes, raw)):
        return True
    type_name: Any = raw.get("eventType") or raw.get("event_type")
    has_id = "eventId" in raw or "event_id" in raw
    return has_id and isinstance(type_name, str) and event_sound(type_name) in _EVENT_SOUNDS


def _events(objects: list[Any]) -> list[HistoryEvent]:
    """The events that some objects describe."""
    events: list[HistoryEvent] = []
    for start in range(0, len(objects), _BATCH):
        _add_events(objects[start : start + _BATCH], events)
    return events


def _add_events(objects: list[Any], events: list[HistoryEvent]) -> None:
    """Most events are canonical: they are taken as they are, all of a type at once. The others need a closer look."""
    by_type: dict[Any, list[Json]] = {}
    for position, raw in enumerate(objects, len(events) + 1):
        if type(raw) is not dict:
            raise UnreadableHistory(f"event {position} is not an object but {brief(raw)}")
        type_name: Any = raw.get("eventType")
        by_type.setdefault(type_name if type(type_name) is str else None, []).append(raw)
    canonical: dict[Any, type[HistoryEvent]] = {}
    for type_name, of_one_type in by_type.items():
        event_class = _CLASSES_BY_TYPE.get(type_name)
        if event_class is not None and _are_events(event_class, of_one_type):
            canonical[type_name] = event_class
    if len(canonical) == len(by_type):
        classes = map(canonical.__getitem__, [raw["eventType"] for raw in objects])
        pairs = zip(classes, objects, strict=True)
        events += [cls(int(raw["eventId"]), raw, raw[cls.ATTRIBUTES_KEY]) for cls, raw in pairs]
        return
    for raw in objects:
        type_name = raw.get("eventType")
        event_class = canonical.get(type_name) if type(type_name) is str else None
        if event_class is not None:
            events.append(event_class(int(raw["eventId"]), raw, raw[event_class.ATTRIBUTES_KEY]))
        else:
            events.append(_event(raw, len(events) + 1))


def _event(raw: Json, position: int) -> HistoryEvent:
    """One event among some that are not all canonical."""
    type_name: Any = raw.get("eventType")
    event_class = _CLASSES_BY_TYPE.get(type_name) if isinstance(type_name, str) else None
    if event_class is not None and _are_events(event_class, (raw,)):
        return event_class(int(raw["eventId"]), raw, raw[event_class.ATTRIBUTES_KEY])
    return spelled_event(raw, position)


def _are_events(event_class: type[HistoryEvent], objects: Sequence[Json]) -> bool:
    """Whether objects are canonical events of a type."""
    key = event_class.ATTRIBUTES_KEY
    fields = {**fields_of("HistoryEvent"), key: Field("message", event_class.__name__)}
    return are_canonical(fields, objects, ("eventId", key))


def _in_order(events: list[HistoryEvent]) -> tuple[list[HistoryEvent], tuple[str, ...]]:
    """The events by rising id, without the copies of any; and what was done to get there."""
    if all(event.event_id == expected for expected, event in enumerate(events, 1)):
        return events, ()
    remarks: list[str] = []
    ordered = sorted(events, key=_event_id)
    if ordered != events:
        remarks.append("its events were not in the order of their ids; they were sorted")
    kept = ordered[:1]
    copies: list[int] = []
    for event in ordered[1:]:
        if event == kept[-1]:
            copies.append(event.event_id)
        else:
            kept.append(event)
    if len(copies) == 1:
        remarks.append(f"event {copies[0]} was there twice; the copy was left out")
    elif copies:
        remarks.append(f"{len(copies)} copies of events were left out, the first of them of event {copies[0]}")
    return kept, tuple(remarks)


def _event_id(event: HistoryEvent) -> int:
    return event.event_id


def _problems(events: list[HistoryEvent]) -> list[str]:
    """Why these events cannot be replayed."""
    problems: list[str] = []
    for expected, event in enumerate(events, 1):
        if event.event_id != expected:
            if expected == 1:
                problem = f"event ids are not 1, 2, 3, ...: the first is {event.event_id}"
            elif event.event_id == expected - 1:
                problem = f"two different events have the id {event.event_id}"
            else:
                problem = f"event ids are not 1, 2, 3, ...: {event.event_id} follows {expected - 1}"
            problems.append(problem)
            break  # what comes after the first gap follows from it
    if _is_cadence(events[0]):
        problems.append(CADENCE)
    return problems


def _has_old_names(event: HistoryEvent) -> bool:
    return event.raw is not event.canonical and any(sound(key).startswith("decisiontask") for key in event.raw)


def _is_cadence(started: HistoryEvent) -> bool:
    """Whether the run's timeout has the name that only Cadence has."""
    attributes = [value for key, value in started.raw.items() if sound(key).endswith("startedeventattributes")]
    return any(
        sound(key).startswith("executionstarttoclosetimeout")
        for value in attributes
        if isinstance(value, dict)
        for key in value
    )
