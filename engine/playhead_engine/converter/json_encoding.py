"""JSON text as Temporal's Python SDK writes and reads it, faster.

Payloads are compared, hashed and shown, so their bytes must be those the SDK writes: compact, keys sorted, ASCII only,
numbers as Python's `json` has them. That rules out `orjson`, which writes `1e16` where `json` writes `1e+16`, keeps
umlauts, and reads an integer of twenty digits as a float. What is left is the C encoder and the C scanner inside `json`
itself, called without the layers around them. This module must not know payloads or type hints.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from json import encoder as _encoder
from typing import Any, cast

EncodedParts = tuple[str, ...]


class AdvancedJSONEncoder(json.JSONEncoder):
    """Writes, beside what `json` can write, dataclasses, datetimes, UUIDs, pydantic models, and iterables as lists.

    Sets are written in the order of their elements' JSON, so that the same set always gives the same bytes.
    """

    def default(self, o: Any) -> Any:
        """What to write in place of a value that JSON does not have.

        Raises:
            TypeError: There is nothing.
        """
        return _replacement(o)


def json_text(value: object) -> str:
    """A value as JSON.

    Raises:
        TypeError: JSON cannot hold it; the message names its type.
        ValueError: It contains itself.
    """
    try:
        return "".join(_parts(value, 0))
    except RecursionError:
        # The short cut does not look for values that contain themselves; the long way does, and says so.
        return _careful.encode(value)


def json_value(data: bytes) -> Any:
    """The value that JSON text says.

    Raises:
        json.JSONDecodeError: It is no JSON.
    """
    try:
        text = data.decode()
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError):
        pass
    # Other encodings, blanks at the ends, and errors, for which json finds the words and the position.
    return json.loads(data)


@lru_cache(maxsize=1024)
def dataclass_field_names(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields in the order in which JSON writes them."""
    return tuple(sorted(field.name for field in dataclasses.fields(kind)))


def _replacement(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    kind: Any = cast(Any, type(value))
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in dataclass_field_names(kind)}
    # Pydantic 2 warns when its models are asked for `dict`, as those of pydantic 1 have to be.
    as_dict = getattr(value, "model_dump", None) or getattr(value, "dict", None)
    if callable(as_dict):
        return as_dict()
    if isinstance(value, (set, frozenset)):
        # In the order of iteration the payload of a set of strings would differ from process to process.
        return sorted(cast(Iterable[object], value), key=json_text)
    if isinstance(value, Iterable):
        return list(cast(Iterable[object], value))
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(
        f"a payload cannot hold a value of type {_type_name(value)}: JSON has no such value. Convert it first, for "
        f"example to a str, a number or a dataclass of such, or give the data converter a converter for this type"
    )


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_careful = AdvancedJSONEncoder(separators=(",", ":"), sort_keys=True)
_scan = cast(Callable[[str, int], tuple[Any, int]], json.JSONDecoder().scan_once)  # type: ignore[attr-defined]
_make_encoder: Any = getattr(_encoder, "c_make_encoder", None)

_parts: Callable[[object, int], EncodedParts] = (
    (lambda value, _indent: (_careful.encode(value),))  # an interpreter without the C encoder
    if _make_encoder is None
    # No record of the containers around a value, our replacements, no indentation, sorted keys, no skipped keys, NaN.
    else _make_encoder(None, _replacement, _encoder.encode_basestring_ascii, None, ":", ",", True, False, True)
)
