"""The fault log of an engine: the points it passed, the faults that struck, and those that met no point.

A log of a run without any fault (`faults=""`) is the list of all that could have gone wrong in it:

    for passed in engine.faults.passed:
        for strike in passed.strikes:
            print(passed.point, strike)

This module only notes; it must not decide whether anything strikes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from playhead_engine.faults.kinds import STRIKES, Kind, Strike
from playhead_engine.faults.plan import Fault, FaultPlan, FaultPoint
from playhead_engine.record import frozen_record


@frozen_record
class Passed:
    """A point that the run came to.

    Attributes:
        point: Which.
        number_of_any: Its number among all points of its kind, whatever their names: it has the name `ANY` under this
            number, too.
        workflow_id: The workflow it is about; empty where it is about none, or about several.
        at_ns: When, in nanoseconds since the epoch.
        commits: How many commits there were before it. Between two commits nothing becomes durable, so crashes at
            points with the same number leave the same behind, except for what activities did to the world.
        fault: What struck there; None if nothing did.
    """

    point: FaultPoint
    number_of_any: int
    workflow_id: str
    at_ns: int
    commits: int
    fault: Fault | None = None

    @property
    def strikes(self) -> tuple[Strike, ...]:
        """What could have struck there."""
        return STRIKES[self.point.kind]

    def __str__(self) -> str:
        return f"{self.point}" + (f" of {self.workflow_id}" if self.workflow_id else "")


@frozen_record
class Acknowledged:
    """What a client was told is safe.

    Attributes:
        kind: What it asked for.
        workflow_id: Of which workflow.
        what: The run that was started, the name of the signal, the id of the update; empty for
            a request to cancel.
    """

    kind: Kind
    workflow_id: str
    what: str


Place: TypeAlias = tuple[Kind, str, int, int]
"""A point, as it is noted."""

Noted: TypeAlias = tuple[Place, int, tuple[str, int, int], Fault | None]
"""`Passed`, as it is noted: a run passes many points, and few are ever looked at."""


class FaultLog:
    """What came of a plan in one engine. It goes on while the engine does.

    Attributes:
        plan: The plan.
        restarts: How often the engine's process ended and another took over.
        acknowledged: What clients were told is safe, in the order in which they were.
        note: Takes the points that the run comes to.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.plan: Final = plan
        self.restarts = 0
        self.acknowledged: list[Acknowledged] = []
        self._passed: list[Noted] = []
        self.note: Callable[[Noted], None] = self._passed.append

    @property
    def passed(self) -> tuple[Passed, ...]:
        """The points, in the order in which the run came to them."""
        return tuple(
            [Passed(FaultPoint(*place), number, *about, fault) for place, number, about, fault in self._passed]
        )

    @property
    def struck(self) -> tuple[Fault, ...]:
        """The faults that struck, in the order in which they did."""
        return tuple([one[-1] for one in self._passed if one[-1] is not None])

    @property
    def unused(self) -> tuple[Fault, ...]:
        """The faults that have not struck: the run did not come to their points, or others struck there first."""
        left = list(self.plan)
        for fault in self.struck:
            left.remove(fault)
        return tuple(left)

    def __repr__(self) -> str:
        return f"FaultLog(passed={len(self._passed)}, struck={self.struck}, unused={self.unused})"
