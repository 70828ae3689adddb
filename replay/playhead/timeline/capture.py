"""Captures values without running any code of the user's.

A `__repr__`, a property or an iterator of the user's may raise, never end, or change the run that is being looked at;
so none is ever called. Objects are read through the descriptors of Python's own classes: the `__dict__` and the slots
of an instance, the items of whatever derives from a list or a dict. How much is looked at is bounded, in depth, in
width and in all.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain, islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import (
    BuiltinFunctionType,
    CoroutineType,
    EllipsisType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    NotImplementedType,
)
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from playhead.timeline.value import Kind, Value


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a value is captured.

    Attributes:
        depth: How many levels below a variable.
        width: How many parts of each; of a longer list, as many from its beginning as from its end.
        parts: How many parts in all, of one variable.
        text: How many characters of a string, or bytes.
    """

    depth: int = 5
    width: int = 32
    parts: int = 256
    text: int = 400


RECORDED: Final = Limits()
"""What a recording keeps of each variable."""

SPARING: Final = Limits(depth=4, width=4, parts=32)
"""What the recording of a very long run keeps of each variable."""

FULL: Final = Limits(depth=12, width=5_000, parts=50_000, text=100_000)
"""What is shown of a value that somebody asks for."""

_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_qualname: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_module: Callable[[type], Any] = type.__dict__["__module__"].__get__
_dict_of: Callable[[type], Any] = type.__dict__["__dict__"].__get__
_args: Callable[[BaseException], Any] = vars(BaseException)["args"].__get__

# Immutable, with a `repr` and an `==` of Python's own; exact types only, since a class derived from one may change
# that.
_SMALL: Final = frozenset({bool, float, type(None), complex, EllipsisType, NotImplementedType})
_IMMUTABLE: Final = _SMALL | {
    Decimal,
    UUID,
    Fraction,
    range,
    datetime.date,
    datetime.timedelta,
    datetime.timezone,
    ZoneInfo,
    PurePosixPath,
    PosixPath,
    PureWindowsPath,
    WindowsPath,
}
_KNOWN_ZONES: Final = frozenset({type(None), datetime.timezone, ZoneInfo})
_LONGEST_INT_BITS: Final = 2_000

# Functions and the like, and the name that the interpreter keeps for them.
_NAMED: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    FunctionType: ("function", vars(FunctionType)["__qualname__"].__get__),
    BuiltinFunctionType: ("function", vars(BuiltinFunctionType)["__qualname__"].__get__),
    MethodType: ("method", lambda method: _function_name(vars(MethodType)["__func__"].__get__(method))),
    CoroutineType: ("coroutine", vars(CoroutineType)["__qualname__"].__get__),
    GeneratorType: ("generator", vars(GeneratorType)["__qualname__"].__get__),
    ModuleType: ("module", lambda module: vars(ModuleType)["__dict__"].__get__(module).get("__name__", "")),
    type: ("class", _qualname),
}


def _function_name(function: Any) -> Any:
    return vars(FunctionType)["__qualname__"].__get__(function) if type(function) is FunctionType else ""


# Objects of these packages are of no interest inside, and some of them hold the whole run.
_CLOSED_PACKAGES: Final = frozenset(
    {"asyncio", "_asyncio", "contextvars", "_contextvars", "threading", "_thread", "logging", "random", "_random"}
    | {"playhead_engine", "playhead", "temporalio", "inspect", "functools", "weakref"}
)
# But these of them are the user's data.
_OPEN_MODULES: Final = frozenset(
    {"playhead_engine.common", "temporalio.common", "playhead_engine.exceptions", "temporalio.exceptions"}
)


class Capture:
    """Captures the values of one run.

    Attributes:
        work: How many values it has looked at so far.
    """

    def __init__(self, limits: Limits = RECORDED) -> None:
        self.work = 0
        self._limits = limits
        self._plans: dict[type, _Plan] = {}
        self._last_part = 0
        self._above: set[int] = set()

    def of(self, value: Any, previous: Value | None = None) -> Value:
        """Capture a value.

        Args:
            value: What a variable holds.
            previous: What it held before.

        Returns:
            `previous` itself, if nothing about it has changed.
        """
        cls = type(value)
        if previous is not None and previous.content is value and previous.kind == "plain":
            self.work += 1
            return previous
        if cls is int and -(2**63) < value < 2**63:
            self.work += 1
            if previous is not None and type(previous.content) is int and previous.content == value:
                return previous
            return Value("plain", "int", value)
        self._last_part = self.work + self._limits.parts
        return self._of(value, previous, self._limits.depth)

    def attributes(self, value: Any) -> dict[str, Any]:
        """The attributes of an object as they are, by name; not captured."""
        plan = self._plan(type(value))
        return dict(plan.attributes(value)) if plan.kind == "object" else {}

    def _of(self, value: Any, previous: Value | None, depth: int) -> Value:
        self.work += 1
        cls = type(value)
        if cls is str or cls is bytes:
            return self._text(cls, value, previous)
        plan = self._plans.get(cls) or self._plan(cls)
        if plan.kind == "plain":
            if previous is not None and previous.kind == "plain" and type(previous.content) is cls:
                content = previous.content
                if content is value or content == value:
                    return previous
            return plan.of_plain(value)
        if plan.kind == "enum":
            return previous if previous is not None and previous.content is value else Value("enum", plan.name, value)
        if plan.kind == "opaque":
            text = plan.words(value)
            if previous is not None and previous.identity == id(value) and previous.content == text:
                return previous
            return Value("opaque", plan.name, text, identity=id(value))
        return self._compound(plan, value, previous, depth)

    def _text(self, cls: type, value: Any, previous: Value | None) -> Value:
        if len(value) <= self._limits.text:
            if previous is not None and type(previous.content) is cls and previous.content == value:
                return previous
            return Value("plain", cls.__name__, value)
        fingerprint = hash(value)
        if previous is not None and previous.size == len(value) and previous.identity == fingerprint:
            return previous
        return Value("text", cls.__name__, value[: self._limits.text], size=len(value), identity=fingerprint)

    def _compound(self, plan: _Plan, value: Any, previous: Value | None, depth: int) -> Value:
        identity = id(value)
        if identity in self._above:
            return self._stand_in("cycle", plan, identity, previous)
        if depth == 0 or self.work >= self._last_part:
            return self._stand_in("cut", plan, identity, previous)
        size, keys, items = plan.parts(value, self._limits.width)
        if previous is not None and previous.size == size and self._is_still(plan, value, previous):
            return previous
        parts: list[Value] = []
        earlier = previous.parts if previous is not None and previous.kind == plan.kind else ()
        count, plans = len(earlier), self._plans
        moved = {part.identity: part for part in earlier if part.identity} if plan.kind == "list" else {}
        self._above.add(identity)
        try:
            for index, item in enumerate(items):
                if self.work >= self._last_part:
                    break
                before = earlier[index] if index < count else None
                if before is not None and before.content is item:
                    parts.append(before)
                    continue
                if moved:
                    before = moved.get(id(item), before)
                below = plans.get(type(item))
                if before is not None and before.parts and below is not None and self._is_still(below, item, before):
                    parts.append(before)
                else:
                    parts.append(self._of(item, before, depth - 1))
        finally:
            self._above.discard(identity)
        names = None if keys is None else tuple(keys)[: len(parts)]
        if plan.kind == "dict" and names is not None:
            names = tuple([self._key(name, depth) for name in names])
        elif names is None and plan.kind != "set" and len(parts) < min(size, self._limits.width):
            names = tuple(range(len(parts)))
        return Value(plan.kind, plan.name, names=names, parts=tuple(parts), size=size, identity=identity)

    def _is_still(self, plan: _Plan, value: Any, previous: Value) -> bool:
        """Whether an object is the one that was captured before, and all its parts are what they were.

        Nothing is made where nothing has changed, and in most workflow tasks most things have not.
        """
        if previous.identity != id(value) or previous.kind is not plan.kind:
            return False
        size, keys, items = plan.parts(value, self._limits.width)
        if previous.size != size:
            return False
        self.work += 1
        known = previous.names
        if keys is not None and known is not None:
            for key, name in zip(keys, known):  # noqa: B905 - what was cut off before would be again
                if key is not name and not _is_key(name, key):
                    return False
        plans = self._plans
        for part, item in zip(previous.parts, items):  # noqa: B905
            if part.content is item:
                continue
            below = plans.get(type(item))
            if part.kind in ("cut", "cycle"):
                is_still = part.identity == id(item)
            elif below is not None and below.is_compound:
                is_still = self._is_still(below, item, part)
            else:
                is_still = self._of(item, part, 0) is part
            if not is_still:
                return False
        return True

    def _stand_in(self, kind: Kind, plan: _Plan, identity: int, previous: Value | None) -> Value:
        if previous is not None and previous.kind == kind and previous.identity == identity:
            return previous
        return Value(kind, plan.name, identity=identity)

    def _key(self, key: Any, depth: int) -> Any:
        """A key as it is if that is immutable, else captured."""
        if type(key) is str and len(key) <= self._limits.text:
            return key
        captured = self._of(key, None, depth - 1 if depth > 1 else 0)
        return captured.content if captured.kind in ("plain", "enum") else captured

    def _plan(self, cls: type) -> _Plan:
        plan = self._plans.get(cls)
        if plan is None:
            plan = self._plans[cls] = _Plan(cls)
        return plan


def _is_key(known: Any, key: Any) -> bool:
    """Whether a key that was captured is this one; keys with an `==` of the user's are not asked."""
    return type(known) is type(key) and type(key) in (str, int) and bool(known == key)


class _Plan:
    """How objects of one class are looked at."""

    __slots__ = ("_dictionary", "_is_error", "_named", "_slots", "base", "fields", "is_compound", "kind", "name")

    def __init__(self, cls: type) -> None:
        mro = _mro(cls)
        self.name = _qualname(cls).rpartition("<locals>.")[2]
        self.fields: tuple[str, ...] = ()
        self._dictionary: Any = None
        self._slots: tuple[tuple[str, Any], ...] = ()
        self._is_error = BaseException in mro
        self._named = next((named for base, named in _NAMED.items() if base in mro), None)
        self.base = next((base for base in (*_ITEMS, int, float, str, bytes) if base in mro), object)
        self.kind: Kind = self._kind(cls, mro)
        if self.kind == "tuple":
            fields = next((_dict_of(c)["_fields"] for c in mro if "_fields" in _dict_of(c)), ())
            self.fields = fields if type(fields) is tuple and all(type(f) is str for f in fields) else ()
        self.is_compound = self.kind in ("object", "list", "tuple", "set", "dict")
        if self.kind == "object":
            self._find_attributes(mro)

    def _kind(self, cls: type, mro: tuple[type, ...]) -> Kind:
        if cls in _IMMUTABLE or cls in (int, datetime.datetime, datetime.time):
            return "plain"
        if Enum in mro:
            return "enum"
        module = _module(cls)
        if self._named is not None:
            return "opaque"
        if self.base in _ITEMS:
            return _ITEMS[self.base][0]
        if self.base is not object:
            return "opaque"  # derived from a string or a number
        package = module.partition(".")[0] if type(module) is str else ""
        if package in _CLOSED_PACKAGES and module not in _OPEN_MODULES:
            return "opaque"
        return "object"

    def _find_attributes(self, mro: tuple[type, ...]) -> None:
        slots: list[tuple[str, Any]] = []
        for base in reversed(mro):
            for name, member in _dict_of(base).items():
                if name == "__dict__" and type(member) in (GetSetDescriptorType, MemberDescriptorType):
                    self._dictionary = member
                elif type(member) is MemberDescriptorType and not name.startswith("__"):
                    slots.append((name, member))
        self._slots = tuple(slots)

    def attributes(self, value: Any) -> list[tuple[str, Any]]:
        """Those of an instance, by name."""
        found: list[tuple[str, Any]] = [("args", _args(value))] if self._is_error else []
        for name, member in self._slots:
            try:
                found.append((name, member.__get__(value)))
            except AttributeError:
                continue  # a slot that was never filled
        if self._dictionary is not None:
            found += dict.items(self._dictionary.__get__(value))
        return found

    def parts(self, value: Any, width: int) -> tuple[int, Iterable[Any] | None, Iterable[Any]]:
        """How many parts there are, what they are called if not 0, 1, 2, ..., and those to look at.

        Of a long sequence, half of those to look at come from its end.
        """
        if self._dictionary is not None and not self._slots and not self._is_error:
            dictionary = self._dictionary.__get__(value)
            size = len(dictionary)
            if size <= width:
                return size, dictionary, dict.values(dictionary)
            return size, islice(dictionary, width), islice(dict.values(dictionary), width)
        if self.kind == "object":
            attributes = self.attributes(value)
            size = len(attributes)
            del attributes[width:]
            return size, [name for name, _ in attributes], [item for _, item in attributes]
        _, length, iterate = _ITEMS[self.base]
        size = length(value)
        if self.kind == "dict":
            return size, islice(dict.keys(value), width), islice(dict.values(value), width)
        fields = self.fields if len(self.fields) == size else None
        if size <= width or self.kind == "set":
            return size, fields, islice(iterate(value), width)
        half = width // 2
        if self.base is not deque:
            get: Callable[[Any, slice], Any] = vars(self.base)["__getitem__"]
            return size, None, [*get(value, slice(half)), *get(value, slice(size - width + half, None))]
        return size, None, chain(islice(iterate(value), half), islice(iterate(value), size - width + half, None))

    def of_plain(self, value: Any) -> Value:
        """An immutable value, unless it is too long or not so immutable after all."""
        if type(value) is int and value.bit_length() > _LONGEST_INT_BITS:
            return Value("text", "int", f"0x{value >> (value.bit_length() - 256):x}", size=value.bit_length() // 4)
        if isinstance(value, (datetime.datetime, datetime.time)) and type(value.tzinfo) not in _KNOWN_ZONES:
            return Value("opaque", self.name, f"{value.replace(tzinfo=None)!r} in a time zone of its own")
        return Value("plain", self.name, value)

    def words(self, value: Any) -> str:
        """What is said of a thing that is not looked into."""
        if self._named is not None:
            word, name_of = self._named
            name = name_of(value)
            return f"{word} {name}".rstrip() if type(name) is str else word
        if self.base is str:
            return f"{self.name} {str.__getitem__(value, slice(200))!r}"
        if self.base is bytes:
            return f"{self.name} {bytes.__getitem__(value, slice(200))!r}"
        if self.base is int:
            return f"{self.name} {int.__repr__(value) if int.bit_length(value) < _LONGEST_INT_BITS else ''}".rstrip()
        if self.base is float:
            return f"{self.name} {float.__repr__(value)}"
        return self.name


_ITEMS: Final[dict[type, tuple[Kind, Callable[[Any], int], Callable[[Any], Any]]]] = {
    dict: ("dict", dict.__len__, dict.items),
    list: ("list", list.__len__, list.__iter__),
    tuple: ("tuple", tuple.__len__, tuple.__iter__),
    set: ("set", set.__len__, set.__iter__),
    frozenset: ("set", frozenset.__len__, frozenset.__iter__),
    deque: ("list", deque.__len__, deque.__iter__),
}
