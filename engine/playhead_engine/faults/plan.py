"""Fault plans: what is to go wrong, as data.

    plan = FaultPlan.parse("activity charge 2.1 lose; timer Order 1 late 3600s; commit * 5 crash-after")

A plan names points by what the user's program does and not by how often the engine turned: the first attempt of the
second call of `charge`, the first timer of an `Order`. So a plan stays a plan when faults are taken out of it or the
program changes a little; a fault whose point is never passed strikes nothing, and the log says so. Each fault strikes
once at most. Together with a seed and the code a plan says all that happens, and it is one short line of text.

This module is values only: it must not know an engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Self
from urllib.parse import quote, unquote

from playhead_engine.convert import NS_PER_SECOND
from playhead_engine.faults.kinds import HAVE_ATTEMPTS, KINDS, NEEDS_TIME, STRIKES, TAKES_TIME, Kind, Strike
from playhead_engine.record import frozen_record

ANY: Final = "*"
"""The name of a point that may have any name: `activity * 3.1` is the third call of whatever activity."""

_PLAIN: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%;*")
_NUMBER: Final = re.compile(r"([1-9]\d{0,8})(?:\.([1-9]\d{0,8}))?")
_SECONDS: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)s")


class BadFaultPlan(ValueError):
    """A text is no plan, or a fault is none that there could be.

    Attributes:
        problem: What is wrong.
        fault: The fault, as it was written.
    """

    def __init__(self, problem: str, fault: str) -> None:
        super().__init__(problem, fault)
        self.problem = problem
        self.fault = fault

    def __str__(self) -> str:
        return f"{self.fault!r} is no fault: {self.problem}"


@frozen_record
class FaultPoint:
    """A place in a run where something can go wrong.

    Attributes:
        kind: What kind of place; see `kinds`.
        name: What it is named after, by its kind; `ANY` where any name will do.
        number: The how-manieth of this kind and name in the run, from 1: the call of an activity, the start of a timer,
            the request of a client, the turn at a workflow task. With `ANY`, the how-manieth of the kind.
        attempt: For activities, which time this call is tried, from 1; a try that a crash ended counts. Else 1.
    """

    kind: Kind
    name: str = ANY
    number: int = 1
    attempt: int = 1

    def __str__(self) -> str:
        number = f"{self.number}.{self.attempt}" if self.kind in HAVE_ATTEMPTS else str(self.number)
        return f"{self.kind} {_written(self.name)} {number}"


@frozen_record
class Fault:
    """One thing that goes wrong, once.

    Attributes:
        point: Where.
        strike: What.
        seconds: For how long, for strikes that take time: how late, how slow, how far, how long the process is down.

    Raises:
        BadFaultPlan: There is no such strike at such a point.
    """

    point: FaultPoint
    strike: Strike
    seconds: float = 0

    def __post_init__(self) -> None:
        point, strike = self.point, self.strike
        object.__setattr__(self, "seconds", round(self.seconds, 9))  # as they are written
        if point.kind not in STRIKES:
            raise BadFaultPlan(
                f"there is no fault point of kind {point.kind!r}; there are {', '.join(KINDS)}", str(self)
            )
        if strike not in STRIKES[point.kind]:
            can = ", ".join(STRIKES[point.kind])
            raise BadFaultPlan(f"at a point of kind {point.kind!r} there can be {can}", str(self))
        if point.number < 1 or point.attempt < 1:
            raise BadFaultPlan("numbers and attempts count from 1", str(self))
        if strike in NEEDS_TIME and not self.seconds > 0:
            raise BadFaultPlan(f"{strike!r} needs a time in seconds after it, such as 60s", str(self))
        if self.seconds and strike not in TAKES_TIME:
            raise BadFaultPlan(f"{strike!r} takes no time", str(self))
        if not 0 <= self.seconds < 10**12:
            raise BadFaultPlan("that is no length of time", str(self))

    @property
    def ns(self) -> int:
        """For how long, in nanoseconds."""
        return round(self.seconds * NS_PER_SECOND)

    def __str__(self) -> str:
        return f"{self.point} {self.strike}" + (f" {_seconds(self.seconds)}" if self.seconds else "")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The fault that `str` wrote.

        Raises:
            BadFaultPlan: It is none.
        """
        match text.split():
            case [kind, name, number, strike]:
                seconds = 0.0
            case [kind, name, number, strike, written]:
                length = _SECONDS.fullmatch(written)
                if length is None:
                    raise BadFaultPlan(f"a time is written as seconds, such as 60s, and not {written!r}", text)
                seconds = float(length[1])
            case _:
                raise BadFaultPlan("a fault is written KIND NAME NUMBER STRIKE, perhaps with a time after it", text)
        numbers = _NUMBER.fullmatch(number)
        if numbers is None:
            raise BadFaultPlan(f"a point is numbered 3, or 3.1 if it has attempts, and not {number!r}", text)
        if numbers[2] is not None and kind in STRIKES and kind not in HAVE_ATTEMPTS:
            raise BadFaultPlan(f"a point of kind {kind!r} has no attempts", text)
        # Whether there are such a kind and such a strike is seen to by the fault itself.
        known: tuple[Kind, Strike] = (kind, strike)  # type: ignore[assignment]
        point = FaultPoint(known[0], _read(name), int(numbers[1]), int(numbers[2] or 1))
        return cls(point, known[1], seconds)


@frozen_record
class FaultPlan:
    """What is to go wrong in one run. Of two faults at one point the first strikes.

    Attributes:
        faults: The faults, in any order.
    """

    faults: tuple[Fault, ...] = ()

    def __repr__(self) -> str:
        return f"FaultPlan.parse({str(self)!r})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Shown by IPython and by Hypothesis as it is written, and not field by field."""
        printer.text(repr(self))

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))

    def __len__(self) -> int:
        return len(self.faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The plan that `str` wrote: faults with semicolons between them.

        Raises:
            BadFaultPlan: It is none.
        """
        return cls(tuple(Fault.parse(one.strip()) for one in text.split(";") if one.strip()))


def _written(name: str) -> str:
    return ANY if name == ANY else (quote(name, safe=_PLAIN) or "%")


def _read(name: str) -> str:
    return "" if name == "%" else unquote(name)


def _seconds(seconds: float) -> str:
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
