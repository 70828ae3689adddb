"""Whether objects are canonical protobuf JSON already: the quick look that lets most histories through untouched.

It looks at every value once. What passes is well typed in every field the schema knows, so that no reader of its
properties can be surprised; what does not goes to `spelling`, which brings it into shape or says what is wrong.

It must be quick: a history has up to 51,200 events with a dozen values each. So it looks at many objects of one message
at once, column by column: all values of one field go through one call of a function written in C.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from playhead.readers.names import current_name, holds_attributes
from playhead.readers.shapes import Field, enum_values, fields_of
from playhead_engine.convert import duration_ns, time_ns

UI_FIELDS = frozenset({"attributes", "classification", "category", "id", "name", "timestamp"})
"""What Temporal's web interface adds to an event for its own use."""

LONGEST_DURATION_NS = 315_576_000_000 * 1_000_000_000
"""Ten thousand years: protobuf has no longer ones."""

_LONG_NUMBER = 19  # digits that might not fit into 64 bits; `spelling` looks closer

_TYPES: dict[str, frozenset[type]] = {
    "bool": frozenset({bool}),
    "int32": frozenset({int}),
    "double": frozenset({float, int}),
    "message": frozenset({dict}),
}
_TEXT = frozenset({str})

_decode_strictly = partial(binascii.a2b_base64, strict_mode=True)
_ENDS_OF_TIMES = re.compile(r"(?::[0-5][0-9](?:\.[0-9]{1,9})?+Z\n)*+")  # from the seconds on, one to a line


def are_canonical(fields: dict[str, Field], objects: Sequence[Any], required: Iterable[str] = ()) -> bool:
    """Whether all of some values are canonical objects of a message.

    Args:
        fields: The fields of the message.
        objects: The values.
        required: Names of fields that each of them must have.
    """
    if not _are_all(objects, _TYPES["message"]):
        return False
    for keys, values in _by_keys(objects):
        if any(key not in keys for key in required):
            return False
        for key, column in zip(keys, zip(*map(dict.values, values), strict=True), strict=True):
            field = fields.get(key)
            if not (_is_new(key) if field is None else _is_column(field, column)):
                return False
    return True


def is_canonical(message: str, value: Any) -> bool:
    """Whether a value is a canonical object of a message."""
    return are_canonical(fields_of(message), (value,))


def is_base64(text: str) -> bool:
    """Whether a text is padded standard base64."""
    return _are_base64((text,))


def _by_keys(objects: Sequence[dict[str, Any]]) -> Iterable[tuple[tuple[str, ...], Sequence[dict[str, Any]]]]:
    """Objects by the keys that they have: those that have the same ones make columns."""
    forms = list(map(tuple, objects))
    if len(set(forms)) == 1:
        return ((forms[0], objects),)
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for keys, value in zip(forms, objects, strict=True):
        groups.setdefault(keys, []).append(value)
    return groups.items()


def _is_column(field: Field, values: Sequence[Any]) -> bool:
    """Whether all of some values are canonical values of a field."""
    match field.shape:
        case "one":
            return _are_values(field, values)
        case "list":
            return _are_all(values, frozenset({list})) and _are_values(field, list(chain.from_iterable(values)))
        case "map":
            items = map(dict.values, values)
            return _are_all(values, _TYPES["message"]) and _are_values(field, list(chain.from_iterable(items)))


def _are_values(field: Field, values: Sequence[Any]) -> bool:
    if not _are_all(values, _TYPES.get(field.kind, _TEXT)):
        return False
    match field.kind:
        case "string" | "bool" | "int32" | "double":
            return True
        case "int64":
            return not values or _are_numbers(values)
        case "bytes":
            return _are_base64(set(values))
        case "duration":
            return all(map(_is_duration, set(values)))
        case "timestamp":
            return _are_times(values)
        case "enum":
            return enum_values(field.type_name).names.issuperset(values)
        case "message":
            return are_canonical(fields_of(field.type_name), values)


def _are_all(values: Iterable[Any], types: frozenset[type]) -> bool:
    return types.issuperset(map(type, values))


def _are_numbers(texts: Sequence[str]) -> bool:
    if "" in texts or max(map(len, texts)) >= _LONG_NUMBER:
        return False
    digits = "".join(texts)
    if "-" in digits:
        digits = "".join([text.removeprefix("-") or "-" for text in texts])
    return digits.isdecimal() and digits.isascii()


def _are_base64(texts: Iterable[str]) -> bool:
    try:
        for _ in map(_decode_strictly, texts):
            pass
    except (binascii.Error, ValueError):
        return False
    return True


def _are_times(texts: Sequence[str]) -> bool:
    ends = "".join([f"{text[16:]}\n" for text in texts])
    return (
        all(map(_is_minute, {text[:16] for text in texts}))
        and ends.count("\n") == len(texts)
        and _ENDS_OF_TIMES.fullmatch(ends) is not None
    )


def _is_duration(text: str) -> bool:
    try:
        return 0 < len(text) < 40 and abs(duration_ns(text)) <= LONGEST_DURATION_NS
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _is_minute(text: str) -> bool:
    """Whether it is the beginning of a time, up to the minute."""
    try:
        time_ns(f"{text}:00Z")
    except ValueError:
        return False
    return text[10] == "T"


def _is_new(key: str) -> bool:
    """Whether a name that the schema does not have may be a field that is younger than it, and no other spelling."""
    return current_name(key) == key and key not in UI_FIELDS and not holds_attributes(key)
