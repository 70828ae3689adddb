"""Values to payloads and back in the standard encodings, straight between Python and the JSON of a history.

Every step of a replay reads or writes a payload or two, and nearly all of them are JSON, null or bytes: for these the
class `Payload`, the walk along a list of converters and the second copy of the bytes are left out. What comes out is
what `DefaultPayloadConverter` gives, and whatever is not one of these encodings is handed to it. This module must not
be used where a data converter has converters of its own.
"""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from playhead_engine.converter.encodings import DefaultPayloadConverter, parsed_json
from playhead_engine.converter.json_encoding import dataclass_field_names, json_text
from playhead_engine.converter.type_hints import type_converter
from playhead_engine.payload import Payload, RawValue, base64_bytes, base64_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from playhead_engine import messages
    from playhead_engine.converter.payload_converter import PayloadConverter

_JSON = base64_text(b"json/plain")
_BYTES = base64_text(b"binary/plain")
_NULL = base64_text(b"binary/null")

_UNCHANGED = frozenset({str, int, float, bool})
"""Hints whose values JSON has; nothing needs to be converted then."""

_STANDARD = DefaultPayloadConverter()


def encode_standard(value: Any) -> messages.Payload:
    """A value as a payload.

    Raises:
        TypeError: There is no encoding for it; the message names its type.
        ValueError: It contains itself.
    """
    kind: type[Any] = type(value)
    if kind is str:
        text = encode_basestring_ascii(value)
    elif kind is int:
        text = repr(value)
    elif value is None:
        return {"metadata": {"encoding": _NULL}}
    elif kind is bool:
        text = "true" if value else "false"
    elif kind is float or kind is list or kind is dict:
        text = json_text(value)
    elif kind is bytes and value:
        return {"metadata": {"encoding": _BYTES}, "data": base64_text(value)}
    elif names := _plain_dataclass(kind):
        text = json_text({name: getattr(value, name) for name in names})
    else:
        return _STANDARD.to_payload(value).to_json()
    return {"metadata": {"encoding": _JSON}, "data": b2a_base64(text.encode(), newline=False).decode()}


def decode_standard(payload: messages.Payload, hint: Any = None) -> Any:
    """The value of a payload.

    Args:
        payload: The payload.
        hint: Type the value is wanted as; None takes it as it comes.

    Raises:
        KeyError: Nobody knows the payload's encoding.
        RuntimeError: Its data is broken.
        TypeError: It does not suit the hint.
    """
    encoding = payload.get("metadata", {}).get("encoding")
    base64 = payload.get("data", "")
    if hint is not RawValue:
        if encoding == _JSON:
            value = parsed_json(base64_bytes(base64))
            if not hint or (hint is type(value) and hint in _UNCHANGED):
                return value
            return type_converter(hint)(value)
        if encoding == _BYTES:
            return base64_bytes(base64)
        if encoding == _NULL and not base64:
            return None
    return _STANDARD.from_payload(Payload.from_json(payload), hint)


def is_standard(converter: PayloadConverter) -> bool:
    """Whether a payload converter is the default one with nothing in it exchanged."""
    return type(converter) is DefaultPayloadConverter and list(converter.converters.values()) == list(
        _STANDARD.converters.values()
    )


def _json_object_fields(kind: Any) -> tuple[str, ...]:
    """The field names of a dataclass that JSON holds as an object; none if it is anything else besides."""
    if not hasattr(kind, "__dataclass_fields__") or hasattr(kind, "parse_obj") or kind is RawValue:
        return ()
    return () if issubclass(kind, (str, int, float, list, tuple, dict, bytes)) else dataclass_field_names(kind)


_plain_dataclass: Callable[[Any], tuple[str, ...]] = lru_cache(maxsize=1024)(_json_object_fields)
