"""Shows recorded values to people: payloads decoded where that is possible, and short.

Showing must never fail and never run anything from a history: a payload that cannot be read is shown as what it is.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from playhead_engine.messages import Json


def plain(value: Any) -> Any:
    """A piece of a history with its payloads replaced by the values in them.

    Values of the encodings `json/*`, `binary/null` and `binary/plain` are decoded; any other payload becomes a string
    such as `<binary/encrypted, 48 bytes>`.
    """
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "message" in value and any(key.endswith("FailureInfo") for key in value):
        return failure_text(value)
    if set(value) == {"payloads"} and isinstance(value["payloads"], list):
        return [plain(item) for item in value["payloads"]]
    if "metadata" in value and set(value) <= {"metadata", "data", "externalPayloads"}:
        return _payload(value)
    if set(value) == {"name"} or (set(value) == {"name", "kind"} and str(value["kind"]).endswith("NORMAL")):
        return value["name"]  # a workflow type, an activity type, an ordinary task queue
    return {key: plain(item) for key, item in value.items()}


def short(value: Any, width: int = 60) -> str:
    """One line for a value, cut to a width in characters."""
    shown = plain(value)
    text = shown if isinstance(shown, str) else orjson.dumps(shown, default=str).decode()
    text = text.replace("\n", "\\n")
    return text if len(text) <= width else text[: width - 1] + "…"


def failure_text(failure: Json) -> str:
    """A failure and its causes in one line: `ActivityError: Activity task failed <- NoVan: no van in the yard`."""
    name = next((key.removesuffix("FailureInfo") for key in failure if key.endswith("FailureInfo")), "")
    info = failure.get(f"{name}FailureInfo") or {}
    text = f"{info.get('type') or name or 'failure'}: {failure.get('message', '')}"
    return f"{text} <- {failure_text(failure['cause'])}" if failure.get("cause") else text


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
