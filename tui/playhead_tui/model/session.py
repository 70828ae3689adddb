"""A session at the debugger: the run, the playhead, and where it has been.

It moves the playhead and says what there is to see. What it costs to know that is left to its caller: `view` replays
where a state was not captured, so whoever must not wait asks `is_at_hand` before.
"""

from __future__ import annotations

from typing import Final

from playhead.timeline.snapshot import Snapshot
from playhead_tui.model.place import Place, Unit
from playhead_tui.model.run import Run
from playhead_tui.model.view import View

_MOST_REMEMBERED: Final = 200


class Session:
    """See the module.

    Attributes:
        run: The run.
        place: Where the playhead stands.
        since: Where it stood before.
    """

    def __init__(self, run: Run, place: Place | None = None) -> None:
        self.run = run
        self.place = place if place is not None else run.begins
        self.since: Place | None = None
        self._been: list[Place] = []
        self._state: tuple[Place, Snapshot | None] | None = None
        self._before: Snapshot | None = None

    def go(self, place: Place) -> bool:
        """Put the playhead somewhere; says whether it moved."""
        if place == self.place:
            return False
        self._been = [*self._been[-_MOST_REMEMBERED:], self.place]
        self._move(place)
        return True

    def _move(self, place: Place) -> None:
        self.since = self.place
        self._before = self._state[1] if self._state is not None and self._state[0] == self.place else None
        self.place = place

    def back(self) -> bool:
        """Put the playhead where it was before; says whether there was such a place."""
        if not self._been:
            return False
        self._move(self._been.pop())
        return True

    def step(self, unit: Unit, *, forward: bool = True) -> Place | None:
        """The place that a step leads to; None if there is none. Does not go there."""
        return self.run.next(self.place, unit, forward=forward)

    def replace(self, run: Run) -> None:
        """Go on with the same run, replayed anew, with the playhead where it is."""
        self.run = run
        self._state = None
        self._before = None
        if self.place.step:
            self.place = Place(self.place.event)
        self.place = Place(run.event(self.place.event).event_id)
        self._been = [Place(place.event) for place in self._been]

    @property
    def is_at_hand(self) -> bool:
        """Whether `view` takes no time."""
        return self.run.is_at_hand(self.place)

    def view(self) -> View:
        """What there is to see."""
        if self._state is None or self._state[0] != self.place:
            self._state = (self.place, self.run.snapshot(self.place))
        return View(self.run, self.place, self._state[1], self.since, self._before)

    def glance(self) -> View:
        """What there is to see at once, without the state."""
        return View(self.run, self.place, None, self.since, is_pending=True)
