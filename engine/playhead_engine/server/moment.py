"""A point in time, in both notations an event needs.

Everything the server is told happens at a moment that its caller chose; it has no clock. One moment serves all events
that are written at it, so that the text is worked out once.
"""

from __future__ import annotations

from playhead_engine.convert import time_json


class Moment:
    """When something happened.

    Attributes:
        ns: Nanoseconds since the epoch.
        text: The same as RFC 3339, as events write it.
    """

    __slots__ = ("ns", "text")

    def __init__(self, ns: int) -> None:
        self.ns = ns
        self.text = time_json(ns)

    def __repr__(self) -> str:
        return f"Moment({self.text})"
