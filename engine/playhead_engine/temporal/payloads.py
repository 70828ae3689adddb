"""Payloads and other messages between the JSON of a history and Temporal's protobuf classes.

What is met thousands of times in a replay (payloads, durations) is converted by hand; everything else goes through
protobuf's own JSON, which is exact and ten times as slow.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, cast

from google.protobuf import json_format
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload as PayloadProto

from playhead_engine.messages import Json, Payload

_PLAIN: Final = frozenset({"metadata", "data"})


@lru_cache(maxsize=256)
def _decoded(text: str) -> bytes:
    return a2b_base64(text)


@lru_cache(maxsize=256)
def _encoded(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def payload_proto(payload: Payload) -> PayloadProto:
    """A payload of a history as a protobuf message."""
    message = PayloadProto()
    fill_payload(payload, message)
    return message


def fill_payload(payload: Payload, message: PayloadProto) -> None:
    """Write a payload of a history into an empty message: where that is part of another one, it is there then."""
    if not payload.keys() <= _PLAIN:
        parsed(cast(Json, payload), message)
        return
    message.SetInParent()
    # Both keys may be absent, and older recordings have null in their place.
    metadata = payload.get("metadata")
    if metadata:
        values = message.metadata
        for key, value in metadata.items():
            values[key] = _decoded(value)
    data = payload.get("data")
    if data:
        message.data = a2b_base64(data)


def payload_json(payload: Any) -> Payload:
    """A protobuf payload as a history holds it."""
    if payload.external_payloads:
        return cast(Payload, as_json(payload))
    message: Payload = {"metadata": {key: _encoded(value) for key, value in sorted(payload.metadata.items())}}
    if payload.data:
        message["data"] = b2a_base64(payload.data, newline=False).decode()
    return message


def payloads_json(payloads: Iterable[Any]) -> list[Payload]:
    """Several of them."""
    return [payload_json(payload) for payload in payloads]


def fields_json(fields: Mapping[str, Any]) -> dict[str, Payload]:
    """A map of protobuf payloads, such as headers or a memo."""
    return {key: payload_json(value) for key, value in sorted(fields.items())}


def parsed(message: Mapping[str, Any], into: Any) -> Any:
    """Fill a protobuf message from canonical JSON; what this version of Temporal's API does not know is left out."""
    return json_format.ParseDict(dict(message), into, ignore_unknown_fields=True)


def as_json(message: Message) -> Json:
    """A protobuf message as canonical JSON."""
    ordered: Json = _in_order(json_format.MessageToDict(message))
    return ordered


def _in_order(message: Any) -> Any:
    """Protobuf's maps have another order in each process; a history must not."""
    if isinstance(message, list):
        return [_in_order(one) for one in message]
    if not isinstance(message, dict):
        return message
    ordered = {name: _in_order(value) for name, value in message.items()}
    for name in _MAPS & ordered.keys():
        if isinstance(ordered[name], dict):
            ordered[name] = dict(sorted(ordered[name].items()))
    return ordered


_MAPS: Final = {"metadata", "fields", "indexedFields", "headers"}
