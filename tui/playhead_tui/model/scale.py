"""Time on a line of so many cells: to scale, but for the idle time, which is squeezed together.

A run that works for a second, waits eleven months and works for a second more would be two dots on any honest scale.
So stretches in which nothing was recorded, and which make up most of the time, become a few cells each with the time
written on them; what is left shares the other cells in proportion.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from heapq import nlargest
from itertools import pairwise
from typing import Final

from playhead_engine.history import HistoryEvent
from playhead_engine.record import record
from playhead_tui.model.spans import span_text

_IDLE_SHARE: Final = 0.75
"""How much of the time the idle stretches must make up, so that they are worth squeezing."""
_IDLE_JUMP: Final = 8
"""How many times longer they must be than the longest that is not."""
_EVENTS_A_GAP: Final = 6
"""At least so many events for each."""
_NARROW: Final = 3


class Times:
    """When the events of a history happened; never going back.

    Attributes:
        ids: Ids of the events.
        ns: Their times, in nanoseconds since the epoch. An event without one has that of the event before it.
        gaps: The longest stretches between two events: how long, and the number of the event after it.
    """

    def __init__(self, events: Sequence[HistoryEvent]) -> None:
        self.ids = array("q", [event.event_id for event in events])
        self.ns: list[int] = []  # the year 9999 has more nanoseconds than fit into 64 bits
        latest = next((event.time_ns for event in events if event.time_ns), 0)
        for event in events:
            latest = max(latest, event.time_ns)
            self.ns.append(latest)
        ns = self.ns
        self.gaps = nlargest(200, ((ns[at] - ns[at - 1], at) for at in range(1, len(ns))))

    def __len__(self) -> int:
        return len(self.ids)

    def number_of(self, event_id: int) -> int:
        """Which event it is, from 0; the one before, if there is none of that id."""
        return max(bisect_right(self.ids, event_id) - 1, 0)


@record
class Stretch:
    """A part of the line.

    Attributes:
        first: Number of its first event; of a gap, of the event before it.
        last: Number of its last event; of a gap, of the event after it.
        start: Its first cell.
        cells: How many cells it has.
        is_gap: Whether it is idle time, squeezed together.
        label: How long it is, in words.
    """

    first: int
    last: int
    start: int
    cells: int
    is_gap: bool
    label: str

    @property
    def end(self) -> int:
        """The cell after its last one."""
        return self.start + self.cells


class Scale:
    """The events of a history on so many cells.

    Attributes:
        width: How many cells there are.
        stretches: What they stand for, from left to right.
        cells: The cell of each event, by its number.
    """

    def __init__(self, times: Times, width: int) -> None:
        """
        Args:
            times: Of at least one event.
            width: How many cells; at least one.
        """
        self.width = max(width, 1)
        self._times = times
        self.stretches = _laid_out(times, _idle(times, self.width), self.width)
        self.cells = array("l", [cell for one in self.stretches if not one.is_gap for cell in _cells(times.ns, one)])

    def cell_of(self, event_id: int) -> int:
        """The cell in which an event is."""
        return self.cells[self._times.number_of(event_id)]

    def event_at(self, cell: int) -> int:
        """The event in a cell, the first if there are several; the nearest one if there is none."""
        cells = self.cells
        found = bisect_left(cells, cell)
        if found and (found == len(cells) or cell - cells[found - 1] < cells[found] - cell):
            found = bisect_left(cells, cells[found - 1])
        return self._times.ids[found]


def _cells(ns: Sequence[int], stretch: Stretch) -> list[int]:
    """The cells of the events of a stretch, in order."""
    first, start, room = stretch.first, stretch.start, stretch.cells - 1
    begun, all_of_it = ns[first], ns[stretch.last] - ns[first]
    if all_of_it:
        return [start + (at - begun) * room // all_of_it for at in ns[first : stretch.last + 1]]
    count = stretch.last - first
    return [start + number * room // max(count, 1) for number in range(count + 1)]


def _idle(times: Times, width: int) -> list[int]:
    """The numbers of the events before which there is idle time, in order."""
    most = min(width // 6, len(times) // _EVENTS_A_GAP)
    left = times.ns[-1] - times.ns[0]
    gaps, chosen = list(times.gaps), list[int]()
    while gaps and left and len(chosen) < most:
        # What is too short to be seen is as good as nothing, so its length does not matter.
        shortest = max(left // 1000, 1)
        lengths = [max(length, shortest) for length, _ in gaps[: most - len(chosen) + 1]] + [shortest]
        count = max(range(1, len(lengths)), key=lambda at: lengths[at - 1] / lengths[at])
        length = sum(length for length, _ in gaps[:count])
        if lengths[count - 1] < _IDLE_JUMP * lengths[count] or length < _IDLE_SHARE * left:
            break
        if len(chosen) + count > most:
            break
        chosen += [at for _, at in gaps[:count]]
        gaps, left = gaps[count:], left - length
    return sorted(chosen)


def _laid_out(times: Times, idle: list[int], width: int) -> list[Stretch]:
    ns = times.ns
    labels, gaps = _labelled([ns[at] - ns[at - 1] for at in idle], width)
    busy = [(first, following - 1) for first, following in pairwise([0, *idle, len(times)])]
    cells = _shared(width - sum(gaps), [ns[last] - ns[first] for first, last in busy], busy)
    stretches: list[Stretch] = []
    start = 0
    for number, (first, last) in enumerate(busy):
        if number:
            gap, at = gaps[number - 1], idle[number - 1]
            stretches.append(Stretch(at - 1, at, start, gap, True, labels[number - 1]))
            start += gap
        stretches.append(Stretch(first, last, start, cells[number], False, span_text(ns[last] - ns[first])))
        start += cells[number]
    return stretches


def _labelled(lengths: list[int], width: int) -> tuple[list[str], list[int]]:
    """The labels of the gaps, and how many cells each takes: in words, or short, or without a label at all."""
    labels = [span_text(length) for length in lengths]
    short = [_shortened(label) for label in labels]
    for shown, around in ((labels, 4), (short, 2)):
        cells = [len(label) + around for label in shown]
        if sum(cells) <= width // 2:
            return shown, cells
    return labels, [_NARROW] * len(lengths)


def _shortened(label: str) -> str:
    """A span in as few characters as one understands: `11mo`."""
    return "".join(word[: 2 if word.startswith("mo") else 1] if word.isalpha() else word for word in label.split())


def _shared(room: int, lengths: list[int], busy: list[tuple[int, int]]) -> list[int]:
    """Cells for each stretch: one at least, and the rest in proportion to time; without time, to events."""
    weights = lengths if any(lengths) else [last - first + 1 for first, last in busy]
    all_of_it, spare = sum(weights), room - len(weights)
    cells: list[int] = []
    given = weighed = 0
    for weight in weights:
        weighed += weight
        share = spare * weighed // all_of_it - given
        given += share
        cells.append(1 + share)
    return cells
