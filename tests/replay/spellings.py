"""The same history in all the ways in which people have it, made from a canonical one.

Each function takes a canonical document and returns what some tool would have made of it: another document, or bytes.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
from base64 import b64decode, b64encode
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def snake_case(document: Json) -> Any:
    """Field names as in the `.proto` files."""
    return _renamed(document, lambda key: re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key))


def camel_case_enums(document: Json) -> Any:
    """Event types and enums as `tctl` and old web interfaces wrote them."""
    prefixes = ("EVENT_TYPE_", "TASK_QUEUE_KIND_", "RETRY_STATE_", "TIMEOUT_TYPE_")

    def shorten(value: Any) -> Any:
        for prefix in prefixes:
            if isinstance(value, str) and value.startswith(prefix):
                return value.removeprefix(prefix).title().replace("_", "")
        return value

    return _mapped(document, shorten)


def numbers_for_texts(document: Json) -> Any:
    """Ids as numbers."""
    return _mapped(document, lambda value: int(value) if isinstance(value, str) and value.isdecimal() else value, "Id")


def enum_numbers(document: Json) -> Any:
    """Event types as their numbers in the protobuf schema."""
    from temporalio.api.enums.v1 import EventType

    numbers = dict(EventType.items())
    return _mapped(document, lambda value: numbers.get(value, value) if isinstance(value, str) else value)


def nanoseconds(document: Json) -> Json:
    """Times as one number, under another name, as in Temporal before 1.0."""
    from playhead_engine.convert import time_ns

    result = copy.deepcopy(document)
    for event in result["events"]:
        event["timestamp"] = str(time_ns(event.pop("eventTime")))
    return result


def without_types(document: Json) -> Json:
    """No event types: the attributes tell."""
    return {
        "events": [{key: value for key, value in event.items() if key != "eventType"} for event in _events(document)]
    }


def decision_tasks(document: Json) -> Json:
    """The nouns of Cadence, which Temporal had before 1.0, and seconds for durations."""
    text = json.dumps(document).replace("workflowTask", "decisionTask").replace('"taskQueue"', '"taskList"')
    text = text.replace("EVENT_TYPE_WORKFLOW_TASK", "EVENT_TYPE_DECISION_TASK")
    text = text.replace("decisionTaskTimeout", "taskStartToCloseTimeout")
    result: Json = json.loads(re.sub(r'"(\w+Timeout)": "([0-9]+)s"', r'"\1Seconds": \2', text))
    return result


def descending(document: Json) -> Json:
    """Newest event first, with the token that a page has."""
    return {"history": {"events": _events(document)[::-1]}, "nextPageToken": None}


def with_a_copy(document: Json) -> Json:
    """One event twice, as where two pages overlap."""
    events = _events(document)
    return {"events": events[:6] + events[4:]}


def bare_list(document: Json) -> list[Any]:
    """Events without anything around them."""
    return _events(document)


def ui_response(document: Json) -> Json:
    """What the web interface is sent."""
    return {"history": {"events": _events(document)}, "rawHistory": [], "nextPageToken": None, "archived": False}


def ui_view(document: Json) -> list[Any]:
    """Events as the web interface has them in memory, which is what it used to download."""
    result: list[Any] = []
    for event in _events(document):
        key = next(key for key in event if key.endswith("EventAttributes"))
        name = event["eventType"].removeprefix("EVENT_TYPE_").title().replace("_", "")
        extra = {
            "attributes": {"type": key, **event[key]},
            "id": event["eventId"],
            "name": name,
            "category": "workflow",
        }
        result.append({**event, **extra, "timestamp": "2026-01-01 UTC 12:00:00.00", "classification": "Completed"})
    return result


def ui_view_without_attributes_key(document: Json) -> list[Any]:
    """The same, with the attributes only where the web interface wants them."""
    return [
        {key: value for key, value in event.items() if not key.endswith("EventAttributes")}
        for event in ui_view(document)
    ]


def pages(document: Json) -> list[Any]:
    """Responses of the HTTP API, one after the other."""
    events = _events(document)
    return [
        {"history": {"events": events[:7]}, "nextPageToken": "bmV4dA=="},
        {"history": {"events": events[7:]}, "nextPageToken": None},
    ]


def raw_history(document: Json) -> Json:
    """Events in the binary form in which a server may send them."""
    events = _events(document)
    blobs = [_binary({"events": part}) for part in (events[:9], events[9:])]
    return {
        "history": None,
        "rawHistory": [{"encodingType": "Proto3", "data": b64encode(blob).decode()} for blob in blobs],
    }


def named(document: Json) -> Json:
    """The history beside the id of its workflow."""
    return {"workflowId": "named-1", "history": {"events": _events(document)}}


def decoded_payloads(document: Json) -> Json:
    """Payloads with their encoding and data decoded, as the web interface downloads them on demand."""

    def decode(payload: Json) -> Json:
        metadata = {key: b64decode(value).decode() for key, value in payload["metadata"].items()}
        return {"metadata": metadata, "data": json.loads(b64decode(payload["data"]))}

    return _with_payloads(document, decode)


def plain_values(document: Json) -> Any:
    """Values instead of payloads."""

    def unwrap(value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"payloads"}:
            return [json.loads(b64decode(payload.get("data", "bnVsbA=="))) for payload in value["payloads"]]
        return value

    return _mapped(document, unwrap)


def url_safe_base64(document: Json) -> Json:
    """Bytes as some languages write them: other characters, no padding."""

    def respell(payload: Json) -> Json:
        return {**payload, "data": payload["data"].replace("+", "-").replace("/", "_").rstrip("=")}

    return _with_payloads(document, respell)


def nulls(document: Json) -> Json:
    """Absent fields written out as null."""
    absent = {
        "workflowExecutionStartedEventAttributes": (
            "memo",
            "retryPolicy",
            "continuedFailure",
            "parentWorkflowExecution",
        ),
        "activityTaskStartedEventAttributes": ("lastFailure",),
        "timerStartedEventAttributes": ("startToFireTimeout",),
    }
    result = copy.deepcopy(document)
    for event in result["events"]:
        event.setdefault("userMetadata", None)
        for key, names in absent.items():
            for name in names if key in event else ():
                event[key].setdefault(name, None)
    return result


def times_with_offset(document: Json) -> Any:
    """Times not in UTC but an hour and a half east of it."""
    from playhead_engine.convert import time_json, time_ns

    def move(value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
            return time_json(time_ns(value) + 5_400_000_000_000).replace("Z", "+01:30")
        return value

    return _mapped(document, move)


def messages_for_times(document: Json) -> Any:
    """Times and durations as the objects that protobuf makes of them."""
    from playhead_engine.convert import duration_ns, time_ns

    def split(value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9.]+s", value):
            seconds, nanos = divmod(duration_ns(value), 10**9)
            return {"seconds": str(seconds), "nanos": nanos}
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", value):
            seconds, nanos = divmod(time_ns(value), 10**9)
            return {"seconds": seconds, "nanos": nanos}
        return value

    return _mapped(document, split)


def compact_text(document: Json) -> bytes:
    """No blanks."""
    return json.dumps(document, separators=(",", ":")).encode()


def indented_text(document: Json) -> bytes:
    """Many blanks, before the colons, too."""
    return json.dumps(document, indent=2, separators=(",", " : ")).encode()


def json_lines(document: Json) -> bytes:
    """One event on each line, as `temporal workflow show --output jsonl` writes it."""
    return b"\n".join(json.dumps(event).encode() for event in _events(document)) + b"\n"


def joined_pages(document: Json) -> bytes:
    """Pages in one file, one after the other, indented."""
    return "\n".join(json.dumps(page, indent=2) for page in pages(document)).encode()


def utf16(document: Json) -> bytes:
    """What PowerShell makes of `temporal workflow show > FILE`."""
    return json.dumps(document, ensure_ascii=False).encode("utf-16")


def utf16_without_mark(document: Json) -> bytes:
    """UTF-16 whose first two bytes are text."""
    return json.dumps(document, ensure_ascii=False).encode("utf-16-be")


def utf8_with_mark(document: Json) -> bytes:
    """What Notepad makes of it."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8-sig")


def gzipped(document: Json) -> bytes:
    """Packed."""
    return gzip.compress(json.dumps(document).encode())


def gzipped_in_parts(document: Json) -> bytes:
    """Packed by something that packs blocks, and padded by an archive."""
    text = json.dumps(document).encode()
    return gzip.compress(text[:1000]) + gzip.compress(text[1000:]) + bytes(512)


def binary(document: Json) -> bytes:
    """Protobuf."""
    return _binary(document)


DOCUMENTS = (
    snake_case,
    camel_case_enums,
    numbers_for_texts,
    nanoseconds,
    without_types,
    decision_tasks,
    descending,
    with_a_copy,
    bare_list,
    ui_response,
    ui_view,
    ui_view_without_attributes_key,
    pages,
    named,
    decoded_payloads,
    plain_values,
    url_safe_base64,
    nulls,
    times_with_offset,
    messages_for_times,
)
"""Spellings that are documents, from a document."""

ENCODINGS = (
    compact_text,
    indented_text,
    utf16,
    utf16_without_mark,
    utf8_with_mark,
    gzipped,
    gzipped_in_parts,
)
"""Ways to turn a document into bytes."""

SEVERAL = (json_lines, joined_pages)
"""Ways to turn it into several documents, one after the other."""

WITH_TEMPORALIO = (enum_numbers, raw_history, binary)
"""Spellings that only `temporalio` can make."""


def _events(document: Json) -> list[Any]:
    return copy.deepcopy(document)["events"]  # type: ignore[no-any-return]


def _binary(document: Json) -> bytes:
    from google.protobuf.json_format import ParseDict
    from temporalio.api.history.v1 import History

    return ParseDict(document, History()).SerializeToString()


def _renamed(value: Any, rename: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(item, rename) for item in value]
    if not isinstance(value, dict):
        return value
    # Keys of maps are the user's own and no field names; payload metadata is the one map in these histories.
    return {rename(key): item if key == "metadata" else _renamed(item, rename) for key, item in value.items()}


def _mapped(value: Any, change: Any, only: str = "") -> Any:
    """The document with every value changed, or only values under keys that end in this."""
    if isinstance(value, list):
        return [_mapped(item, change, only) for item in value]
    if isinstance(value, dict):
        return change({key: _mapped_field(key, item, change, only) for key, item in value.items()})
    return change(value)


def _mapped_field(key: str, item: Any, change: Any, only: str) -> Any:
    if isinstance(item, dict | list):
        return _mapped(item, change, only)
    return change(item) if key.endswith(only) and key not in ("activityId", "name", "data") else item


def _with_payloads(document: Json, change: Any) -> Json:
    def visit(value: Any) -> Any:
        return change(value) if isinstance(value, dict) and "data" in value and "metadata" in value else value

    return _mapped(document, visit)  # type: ignore[no-any-return]
