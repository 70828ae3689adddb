"""The recorded side: the steps of a history, each worked out once, however often the code is run along them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from playhead.diagnosis.steps import Step, StepKind, recorded_step
from playhead_engine.history import HistoryEvent
from playhead_engine.tasks import COMMAND_EVENTS


class RecordedSteps:
    """The steps of one history.

    Attributes:
        events: The history.
    """

    def __init__(self, events: Sequence[HistoryEvent]) -> None:
        self.events = events
        self._ids = [event.event_id for event in events if event.KIND in COMMAND_EVENTS]
        self._steps: dict[int, Step] = {}
        self._first: dict[tuple[StepKind, str], HistoryEvent] | None = None

    def event(self, event_id: int) -> HistoryEvent:
        """An event as it was recorded."""
        return self.events[event_id - 1]

    def step(self, event_id: int) -> Step:
        """The step that a command event records."""
        step = self._steps.get(event_id)
        if step is None:
            step = self._steps[event_id] = recorded_step(self.event(event_id))
        return step

    def behind(self, event_id: int, most: int | None = None) -> list[int]:
        """Ids of the command events behind an event, at most so many."""
        start = bisect_right(self._ids, event_id)
        return self._ids[start : None if most is None else start + most]

    def up_to(self, event_id: int) -> list[int]:
        """Ids of the command events up to an event, itself included."""
        return self._ids[: bisect_right(self._ids, event_id)]

    def first(self, key: tuple[StepKind, str]) -> HistoryEvent | None:
        """The first command event of a key."""
        if self._first is None:
            self._first = {}
            for event_id in reversed(self._ids):
                self._first[self.step(event_id).key] = self.event(event_id)
        return self._first.get(key)
