"""A session at the debugger: the run, the playhead, and where it has been.

It moves the playhead and says what there is to see. It never replays: a state that was not captured is worked out by
somebody else, and given to `take`.
"""

from __future__ import annotations

from typing import Final

from playhead.timeline.snapshot import Snapshot
from playhead_engine.history import HistoryEvent
from playhead_tui.model.place import Place
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

    def replace(self, run: Run, place: Place) -> None:
        """Go on with another replay of the run.

        Args:
            run: The run.
            place: Where the playhead is in it.
        """
        self.run = run
        self._state = None
        self._before = None
        self.place = place
        self._been = [Place(been.event) for been in self._been]

    @property
    def event(self) -> HistoryEvent:
        """The event at the playhead."""
        return self.run.event(self.place.event)

    @property
    def is_at_hand(self) -> bool:
        """Whether the view is whole, or can be made so in no time."""
        return self._knows_state or self.run.is_at_hand(self.place)

    @property
    def _knows_state(self) -> bool:
        return self._state is not None and self._state[0] == self.place

    def take(self, place: Place, state: Snapshot | None) -> None:
        """What the run looked like somewhere has been worked out."""
        if place == self.place:
            self._state = (place, state)

    def view(self) -> View:
        """What there is to see; without the state where that is not at hand."""
        if not self.is_at_hand:
            return View(self.run, self.place, None, self.since, is_pending=True)
        if self._state is None or self._state[0] != self.place:
            self._state = (self.place, self.run.snapshot(self.place))
        return View(self.run, self.place, self._state[1], self.since, self._before)
