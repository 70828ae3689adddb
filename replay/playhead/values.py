"""Shows recorded values to people: payloads decoded where that is possible, and short.

Showing must never fail and never run anything from a history: a payload that cannot be read is shown as what it is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

import orjson

from playhead_engine.history import HistoryEvent
from playhead_engine.messages import Json

# What is worth a place on an event's line, in this order.
_TELLING: Final = (
    "activityType",
    "workflowType",
    "timerId",
    "signalName",
    "markerName",
    "activityId",
    "workflowId",
    "workflowExecution",
    "operation",
    "input",
    "result",
    "failure",
    "cause",
    "startToFireTimeout",
    "searchAttributes",
    "upsertedMemo",
    "meta",
    "outcome",
    "acceptedRequest",
)
_WIDEST: Final = 4_000
"""Characters of base64 from which on only the beginning of a value is read for one line of it."""


def plain(value: Any) -> Any:
    """A piece of a history with its payloads replaced by the values in them.

    Values of the encodings `json/*`, `binary/null` and `binary/plain` are decoded; any other payload becomes a string
    such as `<binary/encrypted, 48 bytes>`.
    """
    return _plain(value, _payload)


def _plain(value: Any, read: Callable[[Json], Any]) -> Any:
    if isinstance(value, list):
        return [_plain(item, read) for item in value]
    if not isinstance(value, dict):
        return value
    if is_failure(value):
        return failure_text(value)
    if set(value) == {"payloads"} and isinstance(value["payloads"], list):
        return [_plain(item, read) for item in value["payloads"]]
    if is_payload(value):
        return read(value)
    if set(value) == {"name"} or (set(value) == {"name", "kind"} and str(value["kind"]).endswith("NORMAL")):
        return value["name"]  # a workflow type, an activity type, an ordinary task queue
    return {key: _plain(item, read) for key, item in value.items()}


def is_failure(value: Json) -> bool:
    """Whether a piece of a history is a failure."""
    return "message" in value and any(key.endswith("FailureInfo") for key in value)


def is_payload(value: Json) -> bool:
    """Whether a piece of a history is a payload."""
    return "metadata" in value and set(value) <= {"metadata", "data", "externalPayloads"}


def short(value: Any, width: int = 60) -> str:
    """One line for a value, cut to a width in characters. What it costs does not grow with the value."""
    shown = _plain(value, _beginning)
    text = shown if isinstance(shown, str) else orjson.dumps(shown, default=str).decode()
    text = text.replace("\n", "\\n")
    return text if len(text) <= width else text[: width - 1] + "…"


def summary(event: HistoryEvent, room: int) -> str:
    """What is worth knowing of an event besides its type, in one line: `activityType=charge  activityId=2`."""
    attributes, parts = event.attributes, list[str]()
    for name in _TELLING:
        if attributes.get(name) not in (None, "", {}, []):
            parts.append(f"{name}={short(attributes[name], 40)}")
    text = "  ".join(parts)
    return text if len(text) <= room else text[: room - 1] + "…"


def failure_text(failure: Json) -> str:
    """A failure and its causes in one line: `ActivityError: Activity task failed <- NoVan: no van in the yard`."""
    name = next((key.removesuffix("FailureInfo") for key in failure if key.endswith("FailureInfo")), "")
    info, cause = failure.get(f"{name}FailureInfo"), failure.get("cause")
    kind = info.get("type") if isinstance(info, dict) else None
    text = f"{kind or name or 'failure'}: {failure.get('message', '')}"
    return f"{text} <- {failure_text(cause)}" if cause and isinstance(cause, dict) else text


def _beginning(payload: Json) -> Any:
    """The value of a payload; of a long one the beginning of its text, to be written as it is."""
    data = payload.get("data", "")
    if not isinstance(data, str) or len(data) <= _WIDEST:
        return _payload(payload)
    try:
        if base64.b64decode(payload["metadata"].get("encoding", "")).startswith(b"json/"):
            return orjson.Fragment(base64.b64decode(data[: _WIDEST // 4 * 4]).decode(errors="ignore"))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return "<unreadable payload>"
    return _payload(payload)


def _payload(payload: Json) -> Any:
    metadata = payload.get("metadata")
    try:
        encoding = base64.b64decode((metadata or {}).get("encoding", "")).decode()
        data = base64.b64decode(payload.get("data", ""))
        if encoding.startswith("json/"):
            return orjson.loads(data)
        if encoding == "binary/null":
            return None
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return "<unreadable payload>"
    return f"<{encoding or 'no encoding'}, {len(data)} bytes>"
