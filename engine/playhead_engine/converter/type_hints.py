"""JSON values to the types that annotations ask for.

The rules are those of Temporal's Python SDK, so that code decodes the same here and there, including what it does not
decode: dates without a time, decimals, enums that are neither `int` nor `str`. A hint is looked at once and becomes a
function; a replay decodes by the same few hints thousands of times. This module must not know payloads or JSON text.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import inspect
import reprlib
import typing
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, NewType, TypeAlias, TypeGuard, TypeVar, cast, get_type_hints

Convert: TypeAlias = Callable[[Any], Any]
"""Turns a JSON value into a value of one type, or raises."""

JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)

_CACHED_HINTS = 4096


class JSONTypeConverter(ABC):
    """What a user gives to a data converter to decode types of their own."""

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(object())
    """What `to_typed_value` returns for a hint that is not its business."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """A JSON value as the type it is wanted as.

        Args:
            hint: The type.
            value: A string, number, bool, None, list or dict.

        Returns:
            The converted value, or `Unhandled`.
        """
        raise NotImplementedError


class TypeHints:
    """Turns hints into functions, and keeps them.

    Args:
        custom: Asked first, at every level of a value.
    """

    def __init__(self, custom: Sequence[JSONTypeConverter] = ()) -> None:
        self._custom = tuple(custom)
        # By identity, since int | str == str | int, and the order matters. The hint is kept lest its id be used again.
        self._known: dict[int, tuple[Any, Convert]] = {}

    def converter(self, hint: Any) -> Convert:
        """The function that converts to this hint. One that cannot be converted to gives a function that says so."""
        known = self._known.get(id(hint))
        if known is not None:
            return known[1]
        convert = self._compile(hint)
        if self._custom:
            convert = self._custom_first(hint, convert)
        if len(self._known) >= _CACHED_HINTS:
            self._known.clear()
        self._known[id(hint)] = hint, convert
        return convert

    def _custom_first(self, hint: Any, otherwise: Convert) -> Convert:
        def convert(value: Any) -> Any:
            for custom in self._custom:
                converted = custom.to_typed_value(hint, value)
                if converted is not JSONTypeConverter.Unhandled:
                    return converted
            return otherwise(value)

        return convert

    def _compile(self, hint: Any) -> Convert:
        if hint is Any:
            return _unchanged
        scalar = _SCALARS.get(hint) if isinstance(hint, type) else None
        if scalar is not None:
            return scalar
        supertype = getattr(hint, "__supertype__", None)  # NewType
        if supertype is not None:
            return self.converter(supertype)
        origin: Any = getattr(hint, "__origin__", hint)
        args: tuple[Any, ...] = getattr(hint, "__args__", ())
        if origin is Literal:
            return _literal(args)
        if origin is typing.Union or isinstance(origin, UnionType):
            return self._union(hint, args)
        if _is_subclass(origin, collections.abc.Mapping):
            return self._mapping(hint, origin, args)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(hint)
        if isinstance(inspect.getattr_static(cast(Any, hint), "parse_obj", None), (classmethod, staticmethod)):
            return _model(hint)
        if _is_subclass(hint, Enum) and issubclass(hint, (int, str)):
            return _enum(hint)
        if _is_subclass(hint, uuid.UUID):
            return _uuid(hint)
        if _is_subclass(origin, collections.abc.Iterable):
            return self._iterable(hint, origin, args)
        return _unsupported(hint)

    def _union(self, hint: Any, args: tuple[Any, ...]) -> Convert:
        members = [self.converter(arg) for arg in args]
        # Trying a member that must fail costs more than all else, so those are left out, by the type of the value.
        # A user's converter may take anything.
        promising = {} if self._custom else {kind: _promising(kind, args, members) for kind in _JSON_TYPES}

        def convert(value: Any) -> Any:
            for member in promising.get(type(value), members):
                try:
                    return member(value)
                except Exception:  # noqa: BLE001 - the next may do; the last failure is reported below
                    continue
            raise _mismatch(hint, value)

        return convert

    def _dataclass(self, hint: Any) -> Convert:
        fields: list[tuple[str, Convert, bool]] = []

        def convert(value: Any) -> Any:
            if not isinstance(value, dict):
                raise _mismatch(hint, value)
            if not fields:
                # Not before it is needed: a dataclass may refer to itself, or to a name that is defined after it.
                hints = get_type_hints(hint)
                fields[:] = [
                    (field.name, self.converter(hints[field.name]), field.init) for field in dataclasses.fields(hint)
                ]
            given: dict[str, Any] = {}
            others: dict[str, Any] = {}
            for name, convert_field, init in fields:
                if name in value:
                    try:
                        (given if init else others)[name] = convert_field(value[name])
                    except Exception as error:
                        raise TypeError(f"field {name} of {_name(hint)}: {error}") from error
            made = hint(**given)
            for name, field_value in others.items():
                object.__setattr__(made, name, field_value)  # frozen dataclasses too
            return made

        return convert

    def _mapping(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> Convert:
        is_typed_dict = bool(getattr(origin, "__required_keys__", None) or getattr(origin, "__optional_keys__", None))
        value_types: dict[str, Any] = {}
        key_hint, value_hint = (None if _says_nothing(arg) else arg for arg in (*args, Any, Any)[:2])
        convert_key = self._key(key_hint) if key_hint is not None else _unchanged
        convert_value = self.converter(value_hint) if value_hint is not None else _unchanged

        def convert(value: Any) -> Any:
            if not _is_mapping(value):
                raise _mismatch(hint, value)
            if is_typed_dict and not value_types:
                value_types.update((name, self.converter(of)) for name, of in get_type_hints(origin).items())
            made: dict[Any, Any] = {}
            for key, item in value.items():
                convert_item = value_types.get(key, _unchanged) if is_typed_dict else convert_value
                try:
                    converted_key = convert_key(key)
                except Exception as error:
                    raise TypeError(f"key {key!r} of {_name(hint)}: {error}") from error
                try:
                    made[converted_key] = convert_item(item)
                except Exception as error:
                    raise TypeError(f"value of {key!r} in {_name(hint)}: {error}") from error
            return hint(**made) if is_typed_dict else made

        return convert

    def _key(self, hint: Any) -> Convert:
        """JSON has only strings for keys, so those of another type are read from the string."""
        convert = self.converter(hint)
        read = _KEYS.get(hint) if isinstance(hint, type) else None
        if read is None and _is_subclass(hint, Enum) and issubclass(hint, int):
            read = int

        def convert_key(key: Any) -> Any:
            if read is not None and isinstance(key, str):
                key = read(key)
            return key if isinstance(hint, type) and isinstance(key, hint) else convert(key)

        return convert_key

    def _iterable(self, hint: Any, origin: Any, args: tuple[Any, ...]) -> Convert:
        collect = _COLLECTIONS.get(origin, _unchanged)
        if not args or (len(args) == 1 and (isinstance(args[0], TypeVar) or args[0] is Ellipsis)):
            return lambda value: collect(list(_items(hint, value)))
        convert_items = [_unchanged if arg is Ellipsis else self.converter(arg) for arg in args]
        if origin is not tuple:
            rest = convert_items = convert_items[:1]
        else:
            rest = convert_items[-2:-1] if args[-1] is Ellipsis else []
            convert_items = convert_items[:-1] if rest else convert_items

        def convert(value: Any) -> Any:
            made: list[Any] = []
            for index, item in enumerate(_items(hint, value)):
                if index >= len(convert_items) and not rest:
                    raise TypeError(f"expected {_name(hint)} with {len(args)} items, got more: {_shown(value)}")
                convert_item = convert_items[index] if index < len(convert_items) else rest[0]
                try:
                    made.append(convert_item(item))
                except Exception as error:
                    raise TypeError(f"item {index} of {_name(hint)}: {error}") from error
            return collect(made)

        return convert


def value_to_type(hint: Any, value: Any, custom_converters: Sequence[JSONTypeConverter] = ()) -> Any:
    """A JSON value as the type that a hint asks for.

    Args:
        hint: The type.
        value: A string, number, bool, None, list or dict.
        custom_converters: Asked first, at every level of the value.

    Raises:
        TypeError: The value does not suit the hint, or nothing converts to it. The message says where in the value.
    """
    return (TypeHints(custom_converters) if custom_converters else _STANDARD).converter(hint)(value)


# One function for each of the simple types.


def _unchanged(value: Any) -> Any:
    return value


def _datetime(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise TypeError(f"expected a datetime as ISO 8601, got {value!r}") from None
    if isinstance(value, datetime):
        return value
    raise _mismatch(datetime, value)


def _int(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, (int, float)):
        return int(value)
    raise _mismatch(int, value)


def _float(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    raise _mismatch(float, value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _mismatch(bool, value)


def _str(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise _mismatch(str, value)


def _bytes(value: Any) -> bytes:
    # The JSON of bytes inside a value is a list of numbers.
    if isinstance(value, (list, bytes)):
        return bytes(cast("list[int] | bytes", value))
    raise _mismatch(bytes, value)


def _none(value: Any) -> None:
    if value is not None:
        raise _mismatch(None, value)


def _literal(args: tuple[Any, ...]) -> Convert:
    def convert(value: Any) -> Any:
        if value not in args:
            raise TypeError(f"expected one of {', '.join(map(repr, args))}, got {_shown(value)}")
        return value

    return convert


def _enum(hint: Any) -> Convert:
    json_type = int if issubclass(hint, int) else str

    def convert(value: Any) -> Any:
        if not isinstance(value, json_type):
            raise _mismatch(hint, value)
        return hint(value)

    return convert


def _uuid(hint: Any) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            raise _mismatch(hint, value)
        return hint(value)

    return convert


def _model(hint: Any) -> Convert:
    # Pydantic 2 warns when it is asked by pydantic 1's name.
    parse = getattr(hint, "model_validate", None) or hint.parse_obj

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(hint, value)
        return parse(value)

    return convert


def _unsupported(hint: Any) -> Convert:
    def convert(value: Any) -> Any:
        raise TypeError(
            f"nothing converts a payload to {_name(hint)}, got {_shown(value)}; annotate with a type that JSON can "
            f"fill, or give the data converter a JSONTypeConverter for it"
        )

    return convert


_SCALARS: dict[Any, Convert] = {
    datetime: _datetime,
    int: _int,
    float: _float,
    bool: _bool,
    str: _str,
    bytes: _bytes,
    NoneType: _none,
}

_JSON_TYPES = (str, int, float, bool, NoneType, list, dict)

# What JSON values the simple types take; every other type may take any.
_TAKES: dict[Any, tuple[type, ...]] = {
    datetime: (str,),
    int: (int, float, bool),
    float: (int, float, bool),
    bool: (bool,),
    str: (str,),
    bytes: (list,),
    NoneType: (NoneType,),
}

_KEYS: dict[Any, Convert] = {
    int: int,
    float: float,
    bool: {"true": True, "false": False}.__getitem__,
    NoneType: {"null": None}.__getitem__,
}

_COLLECTIONS: dict[Any, Convert] = {
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
}


def _promising(kind: type, hints: tuple[Any, ...], members: list[Convert]) -> list[Convert]:
    """The members of a union that may take a JSON value of this kind."""
    return [
        member
        for hint, member in zip(hints, members, strict=True)
        if not isinstance(hint, type) or kind in _TAKES.get(hint, _JSON_TYPES)
    ]


def _items(hint: Any, value: Any) -> collections.abc.Iterable[Any]:
    if not _is_iterable(value):
        raise _mismatch(hint, value)
    return value


def _is_mapping(value: object) -> TypeGuard[collections.abc.Mapping[Any, Any]]:
    return isinstance(value, collections.abc.Mapping)


def _is_iterable(value: object) -> TypeGuard[collections.abc.Iterable[Any]]:
    return isinstance(value, collections.abc.Iterable)


def _is_subclass(hint: Any, of: type) -> bool:
    return inspect.isclass(hint) and issubclass(hint, of)


def _says_nothing(hint: Any) -> bool:
    return hint is Any or isinstance(hint, TypeVar)


def _mismatch(hint: Any, value: Any) -> TypeError:
    return TypeError(f"expected {_name(hint)}, got {_shown(value)}")


def _name(hint: Any) -> str:
    return hint.__qualname__ if inspect.isclass(hint) else str(hint)


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {reprlib.repr(value)}"


_STANDARD = TypeHints()

type_converter = _STANDARD.converter
