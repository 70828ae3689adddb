"""Captured values made into objects again, as far as an expression can tell no difference.

Immutable values are themselves, lists and dicts are rebuilt. For an object of the user's there is a stand-in that has
its attributes and refuses everything else, since methods and operators were not captured. Where a stand-in refuses, or
a part was not captured, the expression must be evaluated on the run itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from playhead.timeline.value import Value


class NotCaptured(BaseException):
    """The expression needs more than was captured. Not an Exception, so that no expression can swallow it."""


_REFUSED: Final = (
    "__bool__ __len__ __iter__ __contains__ __getitem__ __call__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ "
    "__str__ __repr__ __format__ __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ "
    "__floordiv__ __mod__ __rmod__ __neg__ __abs__ __int__ __float__ __index__ __or__ __ror__ __and__ __rand__ "
    "__xor__ __invert__ __reversed__ __next__ __dir__"
)


class _StandIn:
    """An object of the user's, as far as its attributes go."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        object.__setattr__(self, "_attributes", attributes)

    def __getattribute__(self, name: str) -> Any:
        attributes = object.__getattribute__(self, "_attributes")
        if name in attributes:
            return attributes[name].it()
        raise NotCaptured


def _refuse(*_: Any) -> NoReturn:
    raise NotCaptured


for _name in _REFUSED.split():
    setattr(_StandIn, _name, _refuse)


class _Part:
    """A part of a captured value, made into an object when somebody asks for it, and only once."""

    __slots__ = ("_known", "_value")

    def __init__(self, value: Value, known: dict[int, Any]) -> None:
        self._value = value
        self._known = known

    def it(self) -> Any:
        return _object(self._value, self._known)


def _object(value: Value, known: dict[int, Any]) -> Any:
    if value.kind in ("plain", "enum"):
        return value.content
    if value.identity in known:
        return known[value.identity]
    made: Any
    if value.kind == "object":
        made = _StandIn({str(name): _Part(part, known) for name, part in value.named()})
    elif value.type != {"set": "set"}.get(value.kind, value.kind) or len(value.parts) != value.size:
        raise NotCaptured
    elif value.kind == "dict":
        if any(isinstance(name, Value) for name, _ in value.named()):
            raise NotCaptured
        made = {name: _object(part, known) for name, part in value.named()}
    elif value.kind in ("list", "tuple", "set"):
        parts = [_object(part, known) for part in value.parts]
        if value.kind == "set" and any(isinstance(part, _StandIn) for part in parts):
            raise NotCaptured
        made = parts if value.kind == "list" else tuple(parts) if value.kind == "tuple" else set(parts)
    else:
        raise NotCaptured
    known[value.identity] = made
    return made


class CapturedNames(dict[str, Any]):
    """The variables of a state, as an expression may look them up."""

    def __init__(self, variables: Mapping[str, Value], attributes: Mapping[str, Value]) -> None:
        known: dict[int, Any] = {}
        super().__init__()
        for name, value in variables.items():
            try:
                self[name] = _object(value, known)
            except NotCaptured:
                self[name] = _StandIn({})
        self["self"] = _StandIn({name: _Part(value, known) for name, value in attributes.items()})


def is_rebuilt(value: Any) -> bool:
    """Whether an object holds no stand-in, so that it can be given away."""
    if type(value) is _StandIn:
        return False
    if type(value) in (list, tuple, set):
        return all(is_rebuilt(part) for part in value)
    if type(value) is dict:
        return all(is_rebuilt(part) for part in value.values())
    return True
