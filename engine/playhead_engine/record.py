"""`record` and `frozen_record`: frozen dataclasses that cost little.

A `record` is slotted, for values of which a replay makes hundreds of thousands. Type checkers hold it to be frozen. At
run time nothing enforces that, because a dataclass that enforces it takes three times as long to make, and making them
is a good part of what a replay does. A `frozen_record` is what users hold in their hands: there it is enforced.

Neither has methods of its own for being shown, compared and hashed: `dataclass` compiles them anew for each class,
which makes up most of what defining one costs, and a process defines a hundred before it can do anything. They all
share those below, which are slower and seldom called.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True)
def record(cls: type[_Class]) -> type[_Class]:
    """Make a class a dataclass whose instances nobody changes."""
    return _sharing(dataclass(slots=True, repr=False, eq=False)(cls), cls)


@dataclass_transform(frozen_default=True)
def frozen_record(cls: type[_Class]) -> type[_Class]:
    """Make a class a dataclass whose instances nobody can change."""
    return _sharing(dataclass(frozen=True, repr=False, eq=False)(cls), cls)


def _sharing(made: type[_Class], written: type[_Class]) -> type[_Class]:
    """Give a class the methods that it was not written with."""
    for name, method in _SHARED.items():
        if vars(written).get(name) is None:  # a class that is compared in its own way has no __hash__ then: None
            setattr(made, name, method)
    return made


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, field.name) for field in fields(self) if field.compare])


_SHARED: Final = {"__repr__": _repr, "__eq__": _eq, "__hash__": _hash}
