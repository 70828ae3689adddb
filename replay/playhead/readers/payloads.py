"""Values that a tool has decoded, or never encoded, back to payloads.

The web interface and `tctl` show, and save, the values inside payloads instead of the payloads. A history like that no
longer says how a value was encoded; JSON is what every SDK of Temporal's would have used for it.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from typing import Any

import orjson

from playhead.readers.canonical import is_base64, is_canonical
from playhead_engine.messages import Json

_PAYLOAD_FIELDS = frozenset({"metadata", "data", "externalPayloads"})
_ENCODING_NAME = re.compile(r"[a-z]+/[a-z0-9_.+-]+")
_JSON_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\r\n]*")


def payloads(value: Any) -> Json:
    """A list of values, in whatever form, as a Payloads message."""
    match value:
        case {"payloads": list(items)} if len(value) == 1:
            return {"payloads": [payload(item) for item in items]}
        case {"payloads": None} if len(value) == 1:
            return {}
        case {"data": str(text)} if len(value) == 1:
            return {"payloads": _arguments(text)}
        case str():
            return {"payloads": _arguments(value)}
        case {} if not value:
            return {}
        case list():
            return {"payloads": [payload(item) for item in value]}
        case _:
            return {"payloads": [payload(value)]}


def payload(value: Any) -> Json:
    """One value, in whatever form, as a Payload message."""
    if not _is_payload(value):
        return _json_payload(value)
    fields: Json = {key: item for key, item in value.items() if item is not None}
    metadata: Json = fields.get("metadata", {})
    encoding: Any = metadata.get("encoding", "")
    is_decoded = isinstance(encoding, str) and _ENCODING_NAME.fullmatch(encoding) is not None
    if metadata:
        fields["metadata"] = {
            key: item if isinstance(item, str) and is_base64(item) and not is_decoded else _base64(_bytes(item))
            for key, item in metadata.items()
            if item is not None
        }
    if "data" in fields:
        fields["data"] = _data(fields["data"], encoding if is_decoded else "")
    return fields


def padded_base64(text: str) -> str | None:
    """The same bytes in padded standard base64, or None if it is not base64 at all."""
    digits = text.replace("-", "+").replace("_", "/").rstrip("=")
    standard = digits + "=" * (-len(digits) % 4)
    return standard if is_base64(standard) else None


def _is_payload(value: Any) -> bool:
    """Whether it is a payload in some spelling, rather than a value that a payload could hold."""
    if not isinstance(value, dict) or not value or not _PAYLOAD_FIELDS.issuperset(value):
        return False
    fields: Json = value
    # `externalPayloads` says where else the data is. No tool decodes it, so it has one spelling only.
    return isinstance(fields.get("metadata"), dict | None) and is_canonical(
        "Payload", {"externalPayloads": fields.get("externalPayloads", [])}
    )


def _data(data: Any, decoded_encoding: str) -> str:
    """The bytes of a payload in base64.

    Args:
        data: They themselves in base64, or what they mean.
        decoded_encoding: The payload's encoding, if the payload was decoded.
    """
    if not isinstance(data, str) or decoded_encoding.startswith("json/"):
        return _base64(orjson.dumps(data))
    if decoded_encoding:
        return _base64(data.encode())
    standard = padded_base64(data)
    return _base64(orjson.dumps(data)) if standard is None else standard


def _arguments(text: str) -> list[Json]:
    """Cadence has one text for all arguments: their JSON, one after the other, in base64."""
    try:
        decoded = b64decode(text, validate=True).decode()
        found: list[Json] = []
        position = 0
        while position < len(decoded):
            _, end = _JSON_DECODER.raw_decode(decoded, position)
            found.append(_encoded_json(decoded[position:end].encode()))
            blanks = _BLANKS.match(decoded, end)
            position = blanks.end() if blanks else end
    except (binascii.Error, ValueError, RecursionError):
        return [_json_payload(text)]
    return found


def _json_payload(value: Any) -> Json:
    return _encoded_json(orjson.dumps(value))


def _encoded_json(data: bytes) -> Json:
    return {"metadata": {"encoding": _base64(b"json/plain")}, "data": _base64(data)}


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
