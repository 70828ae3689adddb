"""Looks for events, as one types.

What each event says is worked out once, when it is first looked at, and kept in lower case. A search goes on for as
long as it is given time, so that the longest history never holds up a keystroke, and a filter that is being written on
only looks at what it let through before.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from playhead_engine.call_site import CallSite
from playhead_engine.history import HistoryEvent
from playhead_tui.model.filter import Filter
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import Line
from playhead_tui.model.payloads import Payloads

_MOST_KEPT: Final = 4_000
"""Characters of an event that are kept at hand; what says more is read again whenever it is looked at."""
_SILENT: Final = ("EventId", "kind")
"""Ends of the names of fields in which nobody looks for words."""
_AT_ONCE: Final = 64
"""How many events are looked at before the clock is."""


class Texts:
    """What the events of a history say."""

    def __init__(
        self, groups: Groups, payloads: Payloads | None = None, sources: Mapping[int, CallSite] | None = None
    ) -> None:
        """
        Args:
            groups: Of the history.
            payloads: Reads the values.
            sources: The line of code that each event comes from, where that is known.
        """
        self.groups = groups
        self.events: Sequence[HistoryEvent] = groups.history.events
        self.start_ns = next((event.time_ns for event in self.events if event.time_ns), 0)
        self.sources = sources if sources is not None else {}
        self._payloads = payloads or Payloads()
        self._folded: list[str | None] = [None] * len(self.events)

    def text(self, index: int) -> str:
        """All that an event says: its type, the name of what it belongs to, and every text and value in it."""
        event = self.events[index]
        words = [event.type_name, self.groups.of(event.event_id).title]
        words += self._words(event.attributes)
        if event.user_metadata:
            words += self._words(event.user_metadata)
        return " ".join(words)

    def folded(self, index: int) -> str:
        """The same in lower case."""
        kept = self._folded[index]
        if kept is None:
            kept = self.text(index).lower()
            if len(kept) <= _MOST_KEPT:
                self._folded[index] = kept
        return kept

    def _words(self, message: Any) -> Iterator[str]:
        if type(message) is dict:
            if "metadata" in message and type(message["metadata"]) is dict:
                yield self._payloads.words(message)  # type: ignore[arg-type]  # a payload, or what looks like one
                return
            for key, value in message.items():
                if type(value) is str:
                    if value and not key.endswith(_SILENT):
                        yield value
                elif value:
                    yield from self._words(value)
        elif type(message) is list:
            for value in message:
                yield from self._words(value)
        elif type(message) is str:
            yield message


class _Subject:
    """An event at which a filter looks; one object for all of them, one after the other."""

    __slots__ = ("_texts", "event", "group", "index", "start_ns")

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.start_ns = texts.start_ns

    def put(self, index: int) -> None:
        """Be another event."""
        self.index = index
        self.event = self._texts.events[index]
        self.group = self._texts.groups.of(self.event.event_id)

    @property
    def folded(self) -> str:
        return self._texts.folded(self.index)

    @property
    def text(self) -> str:
        return self._texts.text(self.index)

    @property
    def line(self) -> tuple[str, int] | None:
        site = self._texts.sources.get(self.event.event_id)
        return None if site is None else (site.file, site.line)


class Search:
    """One search.

    Attributes:
        filter: What is looked for.
        is_done: Whether all events were looked at.
        shown: Ids of the events found so far, for a list to show.
    """

    def __init__(self, texts: Texts, filter: Filter, earlier: Search | None = None) -> None:
        """
        Args:
            texts: What the events say.
            filter: What is looked for.
            earlier: The search before, on the same events; what it did not find need not be looked at again.
        """
        self.filter = filter
        self.shown: set[int] = set()
        self._texts = texts
        self._found = array("q")
        self._found_indices = array("q")
        self._indices: Sequence[int] = range(len(texts.events))
        if earlier is not None and earlier.is_done and earlier._texts is texts and filter.narrows(earlier.filter):
            self._indices = earlier._found_indices
        self._at = 0

    @property
    def is_done(self) -> bool:
        """Whether all events were looked at."""
        return self._at >= len(self._indices)

    @property
    def part(self) -> float:
        """How much was looked at, between 0 and 1."""
        return min(self._at / len(self._indices), 1.0) if self._indices else 1.0

    def advance(self, seconds: float | None = None) -> bool:
        """Look on.

        Args:
            seconds: For how long; None to the end.

        Returns:
            Whether all events were looked at.
        """
        until = None if seconds is None else time.perf_counter() + seconds
        subject, holds = _Subject(self._texts), self.filter.holds
        indices = self._indices
        while self._at < len(indices):
            for index in indices[self._at : self._at + _AT_ONCE]:
                subject.put(index)
                if holds(subject):
                    self._found_indices.append(index)
                    self._found.append(subject.event.event_id)
                    self.shown.add(subject.event.event_id)
            self._at += _AT_ONCE
            if until is not None and time.perf_counter() >= until:
                break
        return self.is_done

    def __len__(self) -> int:
        """How many events were found so far."""
        return len(self._found)

    def next(self, event_id: int, *, forward: bool = True) -> int | None:
        """The next event that was found, or the one before; from the other end where there is none."""
        if not self._found:
            return None
        at = bisect_right(self._found, event_id) if forward else bisect_left(self._found, event_id) - 1
        return self._found[at % len(self._found)]

    def number_of(self, event_id: int) -> int:
        """How many of the events that were found come up to one: `3 of 17` is said of it."""
        return bisect_right(self._found, event_id)


def highlighted(line: Line, filter: Filter) -> Line:
    """A line with the words that were looked for marked."""
    marked: Line = []
    for text, ink in line:
        at = 0
        for start, end in filter.spans(text):
            if start > at:
                marked.append((text[at:start], ink))
            marked.append((text[start:end], "match"))
            at = end
        if at < len(text):
            marked.append((text[at:], ink))
    return marked
