"""Marks: how a position in a run is named, and what it means.

Code is run in workflow tasks, so between events there are fewer states than events. The state at an event is the one in
which the code knows of it: it was told of it, or asked for it. An event of which the code is never told (a workflow
task, the start of an activity) shows the state that there was at the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from playhead.timeline.frame import Frame
from playhead_engine.call_site import CallSite
from playhead_engine.history import HistoryEvent
from playhead_engine.record import record
from playhead_engine.tasks import COMMAND_EVENTS

# Nothing is told to the code because of these alone.
_UNTOLD: Final = COMMAND_EVENTS | {
    "WORKFLOW_TASK_SCHEDULED",
    "WORKFLOW_TASK_STARTED",
    "WORKFLOW_TASK_COMPLETED",
    "WORKFLOW_TASK_FAILED",
    "WORKFLOW_TASK_TIMED_OUT",
    "ACTIVITY_TASK_STARTED",
    "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
    "WORKFLOW_EXECUTION_PAUSED",
    "WORKFLOW_EXECUTION_UNPAUSED",
}


class NoSuchMark(LookupError):
    """The run has no such position, or the replay did not come so far; the message says which there are."""

    def __str__(self) -> str:
        return str(self.args[0])


@record
class Line:
    """A line of source code, as users name it.

    Attributes:
        file: A file, or the end of its path: `orders.py`, `app/orders.py`.
        line: Counted from 1.
    """

    file: str
    line: int

    @classmethod
    def of(cls, text: str) -> Line:
        """From `orders.py:42`.

        Raises:
            NoSuchMark: It is not written so.
        """
        file, _, number = text.rpartition(":")
        if not file or not number.isdecimal() or int(number) < 1:
            raise NoSuchMark(f"a line of code is written FILE:LINE, for example orders.py:42, not {text!r}")
        return cls(file, int(number))

    def is_in(self, filename: str) -> bool:
        """Whether a file is the one that is meant."""
        parts = Path(self.file).parts
        return Path(filename).parts[-len(parts) :] == parts or Path(filename) == Path(self.file).resolve()

    def names(self, site: CallSite) -> bool:
        """Whether a position is on this line."""
        return site.line == self.line and self.is_in(site.file)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Mark(TypedDict, total=False):
    """The arguments of `Recording.at` that name a position; one of them is there."""

    event: int
    task: int
    command: int
    line: str


def mark_of(text: str) -> Mark:
    """The position that a user means: `42` or `event:42`, `task:3`, `command:2`, `orders.py:42`.

    Raises:
        NoSuchMark: It is none of these.
    """
    kind, _, number = text.rpartition(":")
    if kind in ("", "event", "task", "command"):
        if not number.lstrip("-").isdecimal():
            raise NoSuchMark(
                f"{text!r} is no mark: write the id of an event (42), task:3, command:2, or a line (orders.py:42)"
            )
        if kind == "task":
            return Mark(task=int(number))
        return Mark(command=int(number)) if kind == "command" else Mark(event=int(number))
    Line.of(text)
    return Mark(line=text)


def is_told(event: HistoryEvent) -> bool:
    """Whether an event is told to the code, rather than asked for by it or of no meaning to it."""
    return event.KIND not in _UNTOLD


def tasks_of_events(events: Sequence[HistoryEvent], frames: Sequence[Frame]) -> list[int]:
    """For each event, in order, the number of the workflow task after which the code knows of it."""
    tasks: list[int] = []
    for frame in frames:
        knows = frame.task if frame.task == 1 else frame.task - 1
        for event in events[frame.first_event - 1 : frame.last_event]:
            if is_told(event):
                knows = frame.task
            tasks.append(knows)
    # What comes after the last task is known to the code after it: it asked for it, or would have been told there.
    return tasks + [len(frames)] * (len(events) - len(tasks))
