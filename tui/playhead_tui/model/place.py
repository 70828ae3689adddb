"""Where the playhead stands: at an event, or before a line that ran after it."""

from __future__ import annotations

from enum import StrEnum

from playhead_engine.record import record


class Unit(StrEnum):
    """What one goes by. Lines are gone by in ways of their own: see `Run.walk`."""

    EVENT = "event"
    TASK = "workflow task"
    COMMAND = "command"


@record
class Place:
    """A position in a run. Places are in the order of time.

    Attributes:
        event: Id of an event.
        step: Number of the step, a line about to run in the workflow task that the event began; 0 at the event itself.
    """

    event: int
    step: int = 0

    def __lt__(self, other: Place) -> bool:
        return (self.event, self.step) < (other.event, other.step)

    def __str__(self) -> str:
        return f"event {self.event}, line {self.step}" if self.step else f"event {self.event}"
