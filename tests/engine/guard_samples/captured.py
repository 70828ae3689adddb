"""Callables that a user's module got hold of before any workflow was armed."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from os import urandom
from random import choice as pick
from random import random as throw
from time import monotonic, sleep
from time import time as wall_clock
from typing import Any, ClassVar
from uuid import uuid1, uuid4

now = datetime.now
DateTime = datetime


@dataclass
class Stamped:
    """A dataclass with default factories; its `__init__` is generated."""

    at: datetime = field(default_factory=datetime.now)


@dataclass
class Numbered:
    """One that draws its id."""

    id: uuid.UUID = field(default_factory=uuid4)


@dataclass
class Timed:
    """One that asks a clock."""

    at: float = field(default_factory=time.time)


class Stopwatch:
    """Keeps the clock as an attribute of the class, where a function would turn into a method."""

    clock: ClassVar[Any] = time.perf_counter


class Birthday(datetime):
    """A subclass of the user's."""


def with_default(clock: Callable[[], float] = time.monotonic) -> float:
    """Keep the clock as a default."""
    return clock()


def with_keyword_default(*, draw: Callable[[], float] = random.random) -> float:
    """Keep randomness as a keyword default."""
    return draw()


def _closure(clock: Callable[[], float]) -> Callable[[], float]:
    def read() -> float:
        return clock()

    return read


with_closure = _closure(time.monotonic)

FORBIDDEN: dict[str, Callable[[], object]] = {
    "from time import time as wall_clock": lambda: wall_clock(),
    "from time import monotonic": lambda: monotonic(),
    "from time import sleep": lambda: sleep(0),
    "from random import random as throw": lambda: throw(),
    "from random import choice as pick": lambda: pick([1, 2]),
    "from uuid import uuid1": lambda: uuid1(),
    "from uuid import uuid4": lambda: uuid4(),
    "from os import urandom": lambda: urandom(4),
    "now = datetime.now": lambda: now(),
    "DateTime = datetime": lambda: DateTime.now(),
    "from datetime import date": lambda: date.today(),
    "class Birthday(datetime)": lambda: Birthday.now(),
    "field(default_factory=datetime.now)": lambda: Stamped(),
    "field(default_factory=uuid4)": lambda: Numbered(),
    "field(default_factory=time.time)": lambda: Timed(),
    "class attribute": lambda: float(Stopwatch.clock()),
    "attribute through an instance": lambda: float(Stopwatch().clock()),
    "default": lambda: with_default(),
    "keyword default": lambda: with_keyword_default(),
    "closure": lambda: with_closure(),
}
"""Each way of asking, by the way in which the module got hold of the callable."""
