"""Brings one event from whatever spelling to canonical protobuf JSON.

Tools write the same history in many ways: field names in snake_case or with the nouns of Cadence, event types in
CamelCase, numbers as texts and texts as numbers, times as nanoseconds, decoded values instead of payloads. Everything
that means the same becomes the same here; what is unknown stays as it is; what cannot be meant is refused. The object
that was read is never changed, and parts of it that are canonical already are used as they are.
"""

from __future__ import annotations

from typing import Any

from playhead.readers.canonical import LONGEST_DURATION_NS, UI_FIELDS, is_canonical
from playhead.readers.names import camel_case, current_name, event_sound, holds_attributes
from playhead.readers.payloads import padded_base64, payload, payloads
from playhead.readers.refusal import UnreadableHistory, brief
from playhead.readers.shapes import Field, enum_values, fields_of, sound
from playhead_engine.convert import duration_json_ns, duration_ns, time_json, time_ns
from playhead_engine.history import EVENT_CLASSES, HistoryEvent, UnknownEvent
from playhead_engine.messages import Json

_CLASSES_BY_SOUND: dict[str, type[HistoryEvent]] = {sound(kind): event for kind, event in EVENT_CLASSES.items()}
_NS_PER_SECOND = 1_000_000_000

_OLD_ENUM_VALUES = {
    "decider": "CONTINUE_AS_NEW_INITIATOR_WORKFLOW",
    "continueasnewinitiatordecider": "CONTINUE_AS_NEW_INITIATOR_WORKFLOW",
    "tasklistkindnormal": "TASK_QUEUE_KIND_NORMAL",
    "tasklistkindsticky": "TASK_QUEUE_KIND_STICKY",
    "updaterequestedeventoriginreapply": "UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY",
    "unhandleddecision": "WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND",
}


def spelled_event(raw: Json, position: int) -> HistoryEvent:
    """The event that an object describes, in whatever spelling.

    Args:
        raw: The event as it was read.
        position: Which one of the document it is, from 1: how it is called while its id is unknown.

    Raises:
        UnreadableHistory: A field that replay and display rely on is missing, or holds something impossible.
    """
    event_id = _respelled(raw, "eventId")
    if event_id is None:
        raise UnreadableHistory(f"event {position} has no eventId")
    where = f"event {event_id if type(event_id) in (int, str) else position}"
    attributes_key = _attributes_key(raw, where)
    event_class, type_name = _event_type(_respelled(raw, "eventType"), attributes_key, where)

    canonical = _canonical_envelope(raw, attributes_key, where)
    canonical["eventType"] = type_name
    attributes: Any = raw.get(attributes_key, {})
    if not isinstance(attributes, dict):
        raise UnreadableHistory(f"{where}: {attributes_key} must be an object, not {brief(attributes)}")
    if attributes_key == "attributes":
        attributes = {key: value for key, value in attributes.items() if key != "type"}
    if event_class is not UnknownEvent and attributes_key:
        attributes_key = event_class.ATTRIBUTES_KEY
        attributes = canonical_message(event_class.__name__, attributes, where)
    if attributes_key:
        canonical[attributes_key] = attributes
    return event_class(int(canonical["eventId"]), raw, attributes, canonical)


def _canonical_envelope(raw: Json, attributes_key: str, where: str) -> Json:
    """What every event has, in canonical JSON, and what nobody knows, as it is."""
    fields = fields_of("HistoryEvent")
    is_from_ui = "attributes" in raw
    canonical: Json = {}
    for key, value in raw.items():
        if key == attributes_key or holds_attributes(key) or (is_from_ui and key in UI_FIELDS):
            continue
        name = current_name(key)
        if name == "timestamp" and raw.get("eventTime") is None:
            name = "eventTime"  # as Cadence has it
        field = fields.get(name)
        if field is None:
            canonical[camel_case(key)] = value
        elif value is not None and name != "eventType" and (name == key or raw.get(name) is None):
            canonical[name] = _canonical_field(field, value, f"{where}: {key}")
    return canonical


def _respelled(raw: Json, name: str) -> Any:
    """The value of a field, whatever its name looks like; None if there is none."""
    spelled = (value for key, value in raw.items() if value is not None and current_name(key) == name)
    return next(spelled, None) if raw.get(name) is None else raw[name]


def canonical_message(message: str, value: Any, where: str) -> Json:
    """An object of a message in canonical JSON; the object itself if it is canonical already.

    Args:
        message: Name of the message in the schema.
        value: The object as it was read.
        where: What it is, for a sentence about it.

    Raises:
        UnreadableHistory: Something in it cannot be meant.
    """
    if is_canonical(message, value):
        return value  # type: ignore[no-any-return]
    if not isinstance(value, dict):
        raise UnreadableHistory(f"{where} must be an object, not {brief(value)}")
    fields = fields_of(message)
    raw: Json = value
    canonical: Json = {}
    for key, item in raw.items():
        name = current_name(key)
        field = fields.get(name)
        if field is None:
            canonical[camel_case(key)] = item
        elif item is not None and (name == key or raw.get(name) is None):
            separator = "." if ": " in where else ": "
            canonical[name] = _canonical_field(field, item, f"{where}{separator}{key}")
    return canonical


def _attributes_key(raw: Json, where: str) -> str:
    """The key that holds what is special to the event; empty if there is none."""
    keys = [key for key, value in raw.items() if value is not None and holds_attributes(key)]
    if len(keys) > 1:
        raise UnreadableHistory(f"{where} holds both {keys[0]} and {keys[1]}")
    # Inside the web interface, an event has them under another key, too, and sometimes only there.
    return keys[0] if keys else "attributes" if isinstance(raw.get("attributes"), dict) else ""


def _event_type(value: Any, attributes_key: str, where: str) -> tuple[type[HistoryEvent], str]:
    """The class of an event, and its type in canonical spelling."""
    by_key = _CLASSES_BY_SOUND.get(event_sound(attributes_key))
    match value:
        case None if by_key:
            return by_key, f"EVENT_TYPE_{by_key.KIND}"
        case None:
            raise UnreadableHistory(f"{where} has no eventType")
        case bool() | float() | list() | dict():
            raise UnreadableHistory(f"{where}: eventType must be a name, not {brief(value)}")
        case int():
            name = enum_values("EventType").by_number.get(value, str(value))
        case _:
            name = str(value)
    by_name = _CLASSES_BY_SOUND.get(event_sound(name))
    if by_name is None:
        return UnknownEvent, name
    if by_key not in (None, by_name):
        raise UnreadableHistory(f"{where} is of type {by_name.__name__}, but holds {attributes_key}")
    return by_name, f"EVENT_TYPE_{by_name.KIND}"


def _canonical_field(field: Field, value: Any, where: str) -> Any:
    match field.shape:
        case "one":
            return _canonical_value(field, value, where)
        case "list":
            if not isinstance(value, list):
                raise UnreadableHistory(f"{where} must be a list, not {brief(value)}")
            items: list[Any] = value
            return [_canonical_value(field, item, where) for item in items if item is not None]
        case "map":
            if isinstance(value, str) and field.type_name == "Payloads":
                return {"data": payloads(value)}  # the details of a marker, which Cadence has as one text
            if not isinstance(value, dict):
                raise UnreadableHistory(f"{where} must be an object, not {brief(value)}")
            entries: Json = value
            return {
                key: _canonical_value(field, item, f"{where}.{key}")
                for key, item in entries.items()
                if item is not None
            }


def _canonical_value(field: Field, value: Any, where: str) -> Any:
    match field.kind:
        case "message":
            if is_canonical(field.type_name, value):
                return value
            if field.type_name == "Payloads":
                return payloads(value)
            if field.type_name == "Payload":
                return payload(value)
            return canonical_message(field.type_name, value, where)
        case "string":
            return _text(value, where)
        case "bool":
            return _truth(value, where)
        case "int32":
            return _number(value, where)
        case "int64":
            return str(_number(value, where))
        case "double":
            return _double(value, where)
        case "bytes":
            return _base64(value, where)
        case "duration":
            return _duration(value, where)
        case "timestamp":
            return _time(value, where)
        case "enum":
            return _enum_value(field.type_name, value, where)


def _text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnreadableHistory(f"{where} must be a text, not {brief(value)}")


def _truth(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise UnreadableHistory(f"{where} must be true or false, not {brief(value)}")


def _number(value: Any, where: str) -> int:
    number: int | None = None
    match value:
        case bool():
            pass
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if len(value) <= 20 and value.isascii() and value.removeprefix("-").isdecimal():
            number = int(value)
        case _:
            pass
    if number is None or not -(2**63) <= number < 2**63:
        raise UnreadableHistory(f"{where} must be a whole number, not {brief(value)}")
    return number


def _double(value: Any, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise UnreadableHistory(f"{where} must be a number, not {brief(value)}")


def _base64(value: Any, where: str) -> str:
    standard = padded_base64(value) if isinstance(value, str) else None
    if standard is None:
        raise UnreadableHistory(f"{where} must be bytes in base64, not {brief(value)}")
    return standard


def _duration(value: Any, where: str) -> str:
    """From a text, from seconds, or from the parts of the protobuf message."""
    try:
        match value:
            case str() if len(value) < 40:
                ns = duration_ns(value)
            case bool():
                raise ValueError
            case int() | float():
                ns = round(value * _NS_PER_SECOND)
            case {"seconds": _} | {"nanos": _}:
                ns = _parts_ns(value)
            case _:
                raise ValueError
    except (ValueError, OverflowError, UnreadableHistory):
        ns = LONGEST_DURATION_NS + 1
    if abs(ns) > LONGEST_DURATION_NS:
        raise UnreadableHistory(f'{where} must be a duration such as "10s", not {brief(value)}')
    return duration_json_ns(ns)


def _time(value: Any, where: str) -> str:
    """From a text, from nanoseconds since the epoch, or from the parts of the protobuf message."""
    try:
        match value:
            case str() if value.isdecimal():
                return time_json(_number(value, where))
            case str():
                return time_json(time_ns(value))
            case bool():
                raise ValueError
            case int():
                return time_json(value)
            case {"seconds": _} | {"nanos": _}:
                return time_json(_parts_ns(value))
            case _:
                raise ValueError
    except (ValueError, OverflowError, UnreadableHistory):
        problem = f'{where} must be a time such as "2026-01-31T12:00:00Z", not {brief(value)}'
        raise UnreadableHistory(problem) from None


def _parts_ns(parts: Json) -> int:
    seconds = _number(parts.get("seconds") or 0, "seconds")
    return seconds * _NS_PER_SECOND + _number(parts.get("nanos") or 0, "nanos")


def _enum_value(enum: str, value: Any, where: str) -> str:
    values = enum_values(enum)
    if isinstance(value, int) and not isinstance(value, bool):
        return values.by_number.get(value, str(value))
    if not isinstance(value, str):
        raise UnreadableHistory(f"{where} must be a name, not {brief(value)}")
    found = values.by_sound.get(sound(value)) or _OLD_ENUM_VALUES.get(sound(value))
    return found if found in values.names else value
