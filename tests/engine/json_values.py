"""Values as canonical JSON holds them: payloads, failures, requests, and events."""

from __future__ import annotations

import base64
import json
from typing import Any

from playhead_engine.messages import Failure, Json, Payload, Payloads


def in_base64(data: bytes) -> str:
    """Bytes as canonical JSON holds them."""
    return base64.b64encode(data).decode()


def payload(value: Any) -> Payload:
    """A value in JSON."""
    return {
        "metadata": {"encoding": in_base64(b"json/plain")},
        "data": in_base64(json.dumps(value, separators=(",", ":")).encode()),
    }


def payloads(*values: Any) -> Payloads:
    """Values as arguments or as a result."""
    return {"payloads": [payload(value) for value in values]}


def raw_payload(data: bytes) -> Payload:
    """Bytes that say nothing about themselves."""
    return {"data": in_base64(data)}


def application_failure(message: str, failure_type: str = "ValueError") -> Failure:
    """What user code raised."""
    return {"message": message, "applicationFailureInfo": {"type": failure_type}}


def cancellation(message: str = "Cancelled") -> Failure:
    """What a cancelled thing ends in."""
    return {"message": message, "canceledFailureInfo": {}}


def update_request(update_id: str, name: str, *values: Any) -> Json:
    """What a client asks for."""
    return {
        "meta": {"updateId": update_id, "identity": "client"},
        "input": {"name": name, "args": payloads(*values)},
    }


def attributes_key(kind: str) -> str:
    """Where an event of a kind holds its attributes."""
    first, *others = kind.lower().split("_")
    return first + "".join(map(str.title, others)) + "EventAttributes"


def attributes_of(event: Json) -> Json:
    """The attributes of an event, to be read or changed; an empty object if it has none."""
    return next((value for key, value in event.items() if key.endswith("EventAttributes")), {})
