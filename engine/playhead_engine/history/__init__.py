"""The history model: typed events over the JSON they came in."""

from __future__ import annotations

from playhead_engine.history.event import Event, UnknownEvent
from playhead_engine.history.events import EVENT_CLASSES, HistoryEvent
from playhead_engine.history.history import CLOSING_KINDS, History, event_from_json

__all__ = ["CLOSING_KINDS", "EVENT_CLASSES", "Event", "History", "HistoryEvent", "UnknownEvent", "event_from_json"]
