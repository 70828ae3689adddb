"""What all events have in common.

An event is a typed view of its JSON object. The object is never copied and never changed, so nothing that was read can
get lost, unknown fields included; properties read from it when they are asked for. One subclass for each type of event
is generated into `events`. Nothing here knows any spelling but canonical protobuf JSON: readers bring events to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from playhead_engine.convert import time_json, time_ns

if TYPE_CHECKING:
    from typing import Self

    from playhead_engine.messages import Json


@dataclass(frozen=True, slots=True, init=False)
class Event:
    """One entry of a history.

    Attributes:
        event_id: Its number in the run, from 1.
        raw: The JSON object as it was read, in whatever spelling.
        attributes: What is special to this type of event, in canonical JSON.
        canonical: The whole event in canonical JSON. It is `raw` itself if `raw` was canonical already. Two events are
            equal if they are of one type and equal here.
    """

    event_id: int
    raw: Json = field(repr=False, compare=False)
    attributes: Json = field(repr=False, compare=False)  # a part of `canonical`
    canonical: Json

    KIND: ClassVar[str] = "UNKNOWN"
    """Temporal's name of the type without its prefix: `ACTIVITY_TASK_SCHEDULED`."""

    ATTRIBUTES_KEY: ClassVar[str] = ""
    """Where the attributes are: `activityTaskScheduledEventAttributes`."""

    def __init__(self, event_id: int, raw: Json, attributes: Json, canonical: Json | None = None) -> None:
        # Half the time of the __init__ that dataclass makes; a history has up to 51,200 events.
        _set_event_id(self, event_id)
        _set_raw(self, raw)
        _set_attributes(self, attributes)
        _set_canonical(self, raw if canonical is None else canonical)

    @classmethod
    def new(cls, event_id: int, time_ns: int, attributes: Json, **fields: Any) -> Self:
        """Make an event that was not read from anywhere.

        Args:
            event_id: Its number in the run, from 1.
            time_ns: When it happened, in nanoseconds since the epoch.
            attributes: In canonical JSON; becomes part of the event, so do not change it afterwards.
            fields: Further fields of the event, by their JSON names: `taskId`, `workerMayIgnore`, `userMetadata`, ...
        """
        raw = {
            "eventId": str(event_id),
            "eventTime": time_json(time_ns),
            "eventType": f"EVENT_TYPE_{cls.KIND}",
            **fields,
            cls.ATTRIBUTES_KEY: attributes,
        }
        return cls(event_id, raw, attributes)

    @property
    def type_name(self) -> str:
        """The type as people write it: `ActivityTaskScheduled`."""
        return type(self).__name__

    @property
    def time_ns(self) -> int:
        """When the server wrote it, in nanoseconds since the epoch; 0 where the history does not say."""
        text = self.canonical.get("eventTime")
        return time_ns(text) if text else 0

    @property
    def task_id(self) -> int:
        """The server's own number for it, 0 if there is none."""
        return int(self.canonical.get("taskId", 0))

    @property
    def version(self) -> int:
        """The failover version of the namespace that wrote it."""
        return int(self.canonical.get("version", 0))

    @property
    def worker_may_ignore(self) -> bool:
        """Whether a worker that does not know the type may go on without it."""
        return bool(self.canonical.get("workerMayIgnore", False))

    @property
    def user_metadata(self) -> Json | None:
        """Summary and details that a user gave for the user interface, as payloads."""
        metadata: Json | None = self.canonical.get("userMetadata")
        return metadata

    @property
    def links(self) -> list[Json]:
        """Other runs, operations and batches that this event has to do with."""
        links: list[Json] = self.canonical.get("links", [])
        return links

    @property
    def principal(self) -> Json | None:
        """Who caused it, where the server knows."""
        principal: Json | None = self.canonical.get("principal")
        return principal

    @property
    def event_group_markers(self) -> list[Json]:
        """The user's groups of events that begin or end here."""
        markers: list[Json] = self.canonical.get("eventGroupMarkers", [])
        return markers


_set_event_id = Event.__dict__["event_id"].__set__
_set_raw = Event.__dict__["raw"].__set__
_set_attributes = Event.__dict__["attributes"].__set__
_set_canonical = Event.__dict__["canonical"].__set__


class UnknownEvent(Event):
    """An event of a type that is younger than this package. It is kept, shown and written back like any other."""

    __slots__ = ()

    @property
    def type_name(self) -> str:
        """The type as it was recorded."""
        return str(self.canonical.get("eventType", "Unknown"))
