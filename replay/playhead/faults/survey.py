"""Surveys: all that could go wrong in a program, found out by running it once with nothing going wrong.

Strategies draw faults from a survey and an exploration goes through it, so both mean the same by "every fault". Faults
are ordered as people would have them explained: what the user wrote before what the engine does with it, early before
late, a plain failure before a crash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from playhead_engine.convert import NS_PER_SECOND, duration_ns
from playhead_engine.faults import (
    ANY,
    HAVE_ATTEMPTS,
    KINDS,
    MEANING,
    NEEDS_TIME,
    STRIKES,
    TAKES_TIME,
    Fault,
    FaultPoint,
    Kind,
    Passed,
    Strike,
)
from playhead_engine.history import History
from playhead_engine.record import frozen_record

_KINDS: Final[tuple[Kind, ...]] = (
    "activity",
    "local",
    "signal",
    "update",
    "cancel",
    "start",
    "timer",
    "task",
    "commit",
    "clock",
)
_STRIKES: Final[tuple[Strike, ...]] = (
    "fail",
    "fail-for-good",
    "time-out",
    "lose",
    "fail-after",
    "twice",
    "slow",
    "late",
    "reorder",
    "evict",
    "deploy",
    "crash-after",
    "crash-before",
    "lose-worker",
    "lose-heartbeats",
    "jump",
    "error",
    "torn",
)
_UNKNOWN_NUMBERS: Final = 8
_SOON: Final = 1.0
_MOST_THRESHOLDS: Final = 4
_TIMEOUTS: Final = (
    "startToFireTimeout",
    "startToCloseTimeout",
    "scheduleToCloseTimeout",
    "scheduleToStartTimeout",
    "heartbeatTimeout",
    "workflowRunTimeout",
)


@frozen_record
class Flavour:
    """One thing that can go wrong, at any of its points.

    Attributes:
        kind: Where.
        strike: What.
        points: Where exactly, the earliest first.
        lengths: For how long, in seconds, the shortest first; 0 where it takes no time.
    """

    kind: Kind
    strike: Strike
    points: tuple[FaultPoint, ...]
    lengths: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.strike}"

    def faults(self) -> Iterator[Fault]:
        """Each of its faults."""
        for point in self.points:
            for seconds in self.lengths:
                yield Fault(point, self.strike, seconds)


@frozen_record
class Survey:
    """What could go wrong.

    Attributes:
        passed: The points that a program passed when nothing went wrong, in order; empty where it was not run.
        thresholds: How long it lets things take, in seconds, the shortest first: its timers and timeouts. Delays matter
            where they go beyond one.
        deploys: How many deploys there are to make.
    """

    passed: tuple[Passed, ...] = ()
    thresholds: tuple[float, ...] = ()
    deploys: int = 0

    @cached_property
    def lengths(self) -> tuple[float, ...]:
        """The delays to try, in seconds: a short one, and for each threshold one that meets it and one beyond it."""
        chosen = self.thresholds[:_MOST_THRESHOLDS] or (60.0, 86_400.0)
        return tuple(sorted({_SOON, *chosen, *(one + _SOON for one in chosen)}))

    def flavours(
        self,
        *,
        only: Collection[str] = (),
        without: Collection[str] = (),
        lengths: Sequence[float] = (),
        downtimes: Sequence[float] | None = None,
        beyond: bool = False,
    ) -> tuple[Flavour, ...]:
        """All that can go wrong, in the order in which people would have it explained.

        Args:
            only: Kinds, strikes, or both as in "activity lose"; all if empty.
            without: The same, of what is not to go wrong.
            lengths: The delays to try, in seconds, instead of those of the survey.
            downtimes: For how long a process may be down, in seconds; by default not at all, or for one of the delays.
            beyond: Whether to include points that the run did not pass, and that faults may lead to: further attempts,
                further turns. Where it is not known what is passed there are only such.

        Raises:
            ValueError: There is no such kind or strike.
        """
        refuse_unknown((*only, *without))
        chosen = tuple(sorted(lengths)) or self.lengths
        found: list[Flavour] = []
        every = self.points(beyond=beyond)
        for kind in _KINDS:
            points = tuple([point for point in every if point.kind == kind])
            for strike in sorted(STRIKES[kind], key=in_order):
                names = {kind, strike, f"{kind} {strike}"}
                if not points or names.intersection(without) or (only and not names.intersection(only)):
                    continue
                if strike == "deploy" and not self.deploys:
                    continue
                down = (0.0, *chosen) if downtimes is None else tuple(downtimes)
                times = chosen if strike in NEEDS_TIME else down if strike in TAKES_TIME else (0.0,)
                found.append(Flavour(kind, strike, points, times))
        return tuple(found)

    def points(self, *, beyond: bool = False) -> tuple[FaultPoint, ...]:
        """The points, in the order of the run; see `flavours` for `beyond`."""
        known = tuple([one.point for one in self.passed])
        if not known:
            known = tuple(
                [FaultPoint(kind, ANY, number) for number in range(1, _UNKNOWN_NUMBERS + 1) for kind in _KINDS]
            )
        return tuple(dict.fromkeys((*known, *_beyond(known)))) if beyond else known


def survey_of(passed: Iterable[Passed], histories: Iterable[History], deploys: int = 0) -> Survey:
    """The survey of a run in which nothing went wrong.

    Args:
        passed: The points that it passed.
        histories: The histories it left.
        deploys: How many deploys there are to make.
    """
    lengths = {
        duration_ns(event.attributes[name]) / NS_PER_SECOND
        for history in histories
        for event in history.events
        for name in _TIMEOUTS
        if event.attributes.get(name)
    }
    return Survey(tuple(passed), tuple(sorted(one for one in lengths if one > 0)), deploys)


def in_order(strike: Strike) -> int:
    """The place of a strike in the order in which people would have it explained."""
    return _STRIKES.index(strike)


def refuse_unknown(names: Iterable[str]) -> None:
    """Refuse what is neither a kind, nor a strike, nor a strike at a kind.

    Raises:
        ValueError: There is such a name.
    """
    known = {*KINDS, *MEANING, *(f"{kind} {strike}" for kind in KINDS for strike in STRIKES[kind])}
    for name in names:
        if name not in known:
            raise ValueError(
                f"{name!r} is nothing that can go wrong: name a kind ({', '.join(KINDS)}), a strike "
                f"({', '.join(MEANING)}), or both, as in 'activity lose'"
            )


def _beyond(known: Sequence[FaultPoint]) -> Iterator[FaultPoint]:
    """Points that may be passed only when something has gone wrong before."""
    last: dict[tuple[Kind, str], FaultPoint] = {}
    for point in known:
        last[point.kind, point.name] = point
        if point.kind in HAVE_ATTEMPTS:
            yield FaultPoint(point.kind, point.name, point.number, point.attempt + 1)
    for point in last.values():
        yield FaultPoint(point.kind, point.name, point.number + 1)
