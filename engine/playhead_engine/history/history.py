"""A run's history: its events, and the document they came in.

It only holds them. What follows from which event is decided in `tasks` and `matching`; other spellings than canonical
protobuf JSON are the business of readers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from playhead_engine.history.event import UnknownEvent
from playhead_engine.history.events import EVENT_CLASSES, WorkflowExecutionStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playhead_engine.history.events import HistoryEvent
    from playhead_engine.messages import Json

CLOSING_KINDS = frozenset(
    {
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_EXECUTION_TIMED_OUT",
        "WORKFLOW_EXECUTION_CANCELED",
        "WORKFLOW_EXECUTION_TERMINATED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    }
)
"""Kinds of event after which nothing more happens in a run."""

_CLASSES_BY_TYPE = {f"EVENT_TYPE_{kind}": event_class for kind, event_class in EVENT_CLASSES.items()}


def event_from_json(raw: Json) -> HistoryEvent:
    """The event that a canonical JSON object describes.

    Args:
        raw: One event in canonical protobuf JSON. Kept, not copied.

    Raises:
        KeyError, ValueError: It has no event id. Readers say so in words before it comes to this.
    """
    event_class = _CLASSES_BY_TYPE.get(raw.get("eventType", ""))
    if event_class is None:
        key = next((key for key in raw if key.endswith("EventAttributes")), "")
        return UnknownEvent(int(raw["eventId"]), raw, raw.get(key) or {})
    return event_class(int(raw["eventId"]), raw, raw.get(event_class.ATTRIBUTES_KEY) or {})


@dataclass(frozen=True, slots=True)
class History:
    """What one run left behind.

    Attributes:
        events: In the order of their ids.
        workflow_id: As far as it is known from outside the events; else empty. `id` looks into the events, too.
        document: The JSON document the events were read from, whole; None for a history that was not read.
        problems: Sentences saying why it cannot be replayed, although it can be read and shown.
        remarks: Sentences saying what a reader had to make of the document: events left out, names translated.
    """

    events: tuple[HistoryEvent, ...]
    workflow_id: str = ""
    document: Any = field(default=None, repr=False)
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def from_events(cls, events: Iterable[Json], workflow_id: str = "") -> History:
        """A history of canonical JSON events."""
        history = tuple(map(event_from_json, events))
        return cls(history, workflow_id)

    def to_json(self, *, indent: bool = False) -> bytes:
        """The same JSON document that was read, or Temporal's JSON of a history that was not read."""
        document = {"events": [event.raw for event in self.events]} if self.document is None else self.document
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indent else None)

    def canonical_json(self, *, indent: bool = False) -> bytes:
        """Temporal's JSON of the events in the spelling that every tool of Temporal's accepts."""
        document = {"events": [event.canonical for event in self.events]}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indent else None)

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[HistoryEvent]:
        return iter(self.events)

    def event(self, event_id: int) -> HistoryEvent:
        """The event of this id.

        Raises:
            KeyError: There is none.
        """
        if 0 < event_id <= len(self.events) and self.events[event_id - 1].event_id == event_id:
            return self.events[event_id - 1]
        for event in self.events:  # ids with a gap in them
            if event.event_id == event_id:
                return event
        raise KeyError(event_id)

    @property
    def started(self) -> WorkflowExecutionStarted | None:
        """The first event, where it is what it must be."""
        first = self.events[0] if self.events else None
        return first if isinstance(first, WorkflowExecutionStarted) else None

    @property
    def closing_event(self) -> HistoryEvent | None:
        """The event that ended the run; None while it is open, or where the history was cut short."""
        last = self.events[-1] if self.events else None
        return last if last is not None and last.KIND in CLOSING_KINDS else None

    @property
    def is_complete(self) -> bool:
        """Whether the history reaches to the end of the run."""
        return self.closing_event is not None

    @property
    def id(self) -> str:
        """The workflow id, from outside or from the started event; empty if neither knows it."""
        return self.workflow_id or (self.started.workflow_id if self.started else "")

    @property
    def run_id(self) -> str:
        """The id of the run, or of the run it was reset from: what seeds its randomness. Empty if unknown."""
        return self.started.original_execution_run_id if self.started else ""

    @property
    def workflow_type(self) -> str:
        """The name of the workflow; empty if unknown."""
        workflow_type = self.started.workflow_type if self.started else None
        return workflow_type.get("name", "") if workflow_type else ""
