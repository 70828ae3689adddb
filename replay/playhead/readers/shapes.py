"""The schema of a history's messages, taken apart once: which field has which type, under which name.

The tables themselves are generated into `playhead_engine.history.schema`; this module only makes them handy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, cast

from playhead_engine.history.schema import ENUMS, MESSAGES

Kind: TypeAlias = Literal[
    "string", "bool", "int32", "int64", "double", "bytes", "duration", "timestamp", "enum", "message"
]

Shape: TypeAlias = Literal["one", "list", "map"]

_SCALARS = ("string", "bool", "int32", "int64", "double", "bytes", "duration", "timestamp")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        kind: What a value of it is.
        type_name: Name of the enum or message, else empty.
        shape: Whether it holds one value, a list of them, or a map from texts to them.
    """

    kind: Kind
    type_name: str = ""
    shape: Shape = "one"


@dataclass(frozen=True, slots=True)
class EnumValues:
    """The values of an enum.

    Attributes:
        names: Their full names.
        by_number: Full names by number.
        by_sound: Full names by what remains of them without prefix, underscores and capitals.
    """

    names: frozenset[str]
    by_number: dict[int, str]
    by_sound: dict[str, str]


@cache
def fields_of(message: str) -> dict[str, Field]:
    """The fields of a message by their JSON names."""
    fields: dict[str, Field] = {}
    for entry in MESSAGES[message].split():
        name, _, spec = entry.partition(":")
        fields[name] = _field(spec)
    return fields


@cache
def enum_values(enum: str) -> EnumValues:
    """The values of an enum."""
    prefix, *entries = ENUMS[enum].split()
    by_number: dict[int, str] = {}
    by_sound: dict[str, str] = {}
    for entry in entries:
        name, _, number = entry.partition("=")
        by_number[int(number)] = by_sound[sound(name)] = by_sound[sound(prefix + name)] = prefix + name
    return EnumValues(frozenset(by_number.values()), by_number, by_sound)


def sound(name: str) -> str:
    """A name without underscores and capitals: equal for all ways in which tools spell it."""
    return name.replace("_", "").lower()


def _field(spec: str) -> Field:
    shape: Shape = "one"
    if spec[0] in "[{":
        shape, spec = ("list" if spec[0] == "[" else "map"), spec[1:-1]
    if spec.endswith("!"):
        return Field("enum", spec[:-1], shape)
    if spec in _SCALARS:
        return Field(cast("Kind", spec), "", shape)
    return Field("message", spec, shape)
