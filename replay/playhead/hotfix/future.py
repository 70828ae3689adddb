"""What a preview comes to: data.

A future is a history whose beginning was recorded, and how its end came about. How it is shown is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from playhead.hotfix.respondent import Given, Question
from playhead.verdict import NeedsValue, Verdict
from playhead_engine.call_site import CallSite
from playhead_engine.history import History, HistoryEvent


@dataclass(frozen=True, slots=True)
class Ended:
    """The run came to its end.

    Attributes:
        event: The event that closed it.
    """

    event: HistoryEvent

    @property
    def is_good(self) -> bool:
        """Whether that is an end that its owner wants: not a failure or a timeout."""
        return self.event.KIND not in ("WORKFLOW_EXECUTION_FAILED", "WORKFLOW_EXECUTION_TIMED_OUT")


@dataclass(frozen=True, slots=True)
class AwaitsAnswer:
    """Something was asked for that nobody knows the answer of.

    Attributes:
        questions: What waits, in the order in which it was asked for; at least one.
    """

    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """Nothing is due: only somebody outside can make the run go on, by a signal or an update.

    Attributes:
        waits_for: What it waits for, one sentence each.
    """

    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stuck:
    """It cannot go on: its workflow task, or an activity, fails whenever it is tried.

    Attributes:
        problem: What fails, and how.
        place: The line that raises, as `file:line`; None if it is none of the user's code.
    """

    problem: str
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """It would have gone on, and has gone far enough.

    Attributes:
        reason: One sentence.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class LooksInside:
    """The code looks into a value that nobody here can read, and how it goes on depends on that.

    Attributes:
        verdict: Which value, and where.
    """

    verdict: NeedsValue


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no future: the code does not do what was recorded before the mark.

    Attributes:
        verdict: What it does instead.
    """

    verdict: Verdict


Ending: TypeAlias = Ended | AwaitsAnswer | Waits | Stuck | Stopped | LooksInside | Refused


@dataclass(frozen=True, slots=True)
class Future:
    """What the code would do.

    Attributes:
        recorded: The recording, whole.
        kept: How many events of it stay as they were recorded.
        history: Those, and what follows from there; can be written, shown and replayed like any other.
        ending: How far it came.
        began_ns: What time it was at the mark, in nanoseconds since the epoch.
        given: What was answered, in order.
        sites: The line that asked for an event, by the id of the event.
        notes: What is worth knowing about where it began.
    """

    recorded: History
    kept: int
    history: History
    ending: Ending
    began_ns: int = 0
    given: tuple[Given, ...] = ()
    sites: Mapping[int, CallSite] = field(default_factory=dict[int, CallSite])
    notes: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[HistoryEvent, ...]:
        """The events that would follow."""
        return self.history.events[self.kept :]

    def source_of(self, event: HistoryEvent) -> str:
        """Where the answer to what an event asked for came from; empty where nothing was answered."""
        activity_id = event.attributes.get("activityId")
        child_id = event.attributes.get("workflowId") if "Child" in event.type_name else None
        key = (self.history.id, str(activity_id)) if activity_id else (str(child_id), "")
        found = [one.source for one in self.given if (one.workflow_id, one.activity_id) == key]
        return found[-1] if found else ""
