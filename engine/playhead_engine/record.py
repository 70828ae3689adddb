"""`record`: a frozen, slotted dataclass, for the values of which a replay makes hundreds of thousands.

Type checkers hold it to be frozen. At run time nothing enforces that, because a dataclass that enforces it takes three
times as long to make, and making them is a good part of what a replay does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True)
def record(cls: type[_Class]) -> type[_Class]:
    """Make a class a dataclass whose instances nobody changes."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
