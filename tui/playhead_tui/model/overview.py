"""The whole run at a glance: a lane for each thing that went on, over time, with idle time squeezed together.

A lane is one name: an activity type, the timers, a child's type, a signal. What overlaps in a lane is drawn over each
other, so that a thousand activities at once take no more room, and no more work, than one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Final, TypeAlias

from playhead.grouping import RUN, Group
from playhead_tui.model.groups import Groups, ink_of_outcome
from playhead_tui.model.ink import Ink, Line, Span
from playhead_tui.model.scale import Scale, Stretch, Times

_Content: TypeAlias = list[tuple[Group, int, int]]

_TASKS: Final = "workflow tasks"
_OTHERS: Final = "others"
_NAMED: Final = frozenset({"activity", "local activity", "nexus", "signal", "signal sent", "update"})
_WIDEST_LABEL: Final = 24
_NAMED_FROM: Final = 20
"""Columns from which on lanes have their names before them."""
_BODY: Final = ("━", "█")
"""One thing, several at once."""
_ENDS: Final[dict[str, str]] = {"bad": "✗", "caution": "○"}
_STROKE: Final = chr(0x2571)
"""A diagonal, at both ends of time that was squeezed together."""


def lane_of(group: Group) -> str:
    """The name of the lane in which a group is."""
    if group.kind == "workflow task":
        return _TASKS
    if group.kind == "timer":
        return "timers"
    if group.kind == "child workflow":
        return f"child {group.title.partition(' ')[0]}"
    if group.kind in _NAMED:
        return f"{group.kind} {group.title}" if group.kind in ("signal", "update") else group.title
    return group.kind


class Course:
    """What went on in a run, name by name: all of an overview that does not depend on its width.

    Attributes:
        times: When the events happened.
        lanes: What each lane is made of: the groups, and the numbers of their first and their last events.
    """

    def __init__(self, groups: Groups) -> None:
        """
        Args:
            groups: Of a history with at least one event.
        """
        self.times = Times(groups.history.events)
        self.lanes: dict[str, _Content] = {}
        number_of = self.times.number_of
        for group in groups.groups:
            if group.kind != RUN:
                content = self.lanes.setdefault(lane_of(group), [])
                content.append((group, number_of(group.first_id), number_of(group.last_id)))

    def most(self, lanes: int) -> dict[str, _Content]:
        """So many lanes in the order in which they begin; the smallest ones together, if there are more."""
        if len(self.lanes) <= lanes:
            return self.lanes
        by_size = sorted(self.lanes, key=lambda name: len(self.lanes[name]), reverse=True)
        kept = set(by_size[: lanes - 1])
        others = [one for name, content in self.lanes.items() if name not in kept for one in content]
        others.sort(key=lambda one: one[1])
        left = {name: content for name, content in self.lanes.items() if name in kept}
        return {**left, f"{len(self.lanes) - len(kept)} {_OTHERS}": others}


class Lane:
    """One lane.

    Attributes:
        name: What it is called.
    """

    __slots__ = ("_body", "_content", "_marks", "_pending", "name")

    def __init__(self, name: str, content: _Content, scale: Scale) -> None:
        self.name = name
        self._content = content
        width, cells = scale.width, scale.cells
        begun, pending = [0] * (width + 1), [0] * (width + 1)
        self._marks: dict[int, Span] = {}
        for group, first, last in content:
            if group.outcome == "open":
                pending[cells[first]] += 1
                continue
            begun[cells[first]] += 1
            begun[cells[last] + 1] -= 1
            self._mark(group, cells[last])
        self._body, self._pending = list(accumulate(begun)), list(accumulate(pending))

    def group_at(self, cell: int, scale: Scale) -> Group | None:
        """The group over a cell; the one that began last if there are several."""
        cells = scale.cells
        for group, first, last in reversed(self._content):
            if cells[first] <= cell and (group.outcome == "open" or cell <= cells[last]):
                return group
        return None

    def _mark(self, group: Group, cell: int) -> None:
        """Note what is to be seen at the end of a group; what went wrong goes before what went well."""
        if group.outcome in ("", "delivered") and len(group.events) < 3:
            self._marks.setdefault(cell, ("●", "name"))
            return
        ink = ink_of_outcome(group.outcome)
        if ink == "bad" or (ink == "caution" and self._marks.get(cell, ("", "plain"))[1] != "bad"):
            self._marks[cell] = (_ENDS[ink], ink)

    def cell(self, at: int, *, in_gap: bool) -> Span:
        """What is in a cell."""
        mark = self._marks.get(at)
        if mark is not None:
            return mark
        if self._body[at]:
            return ("╍" if in_gap else _BODY[self._body[at] > 1], "name")
        if self._pending[at]:
            return ("╍" if in_gap else _BODY[self._pending[at] > 1], "caution")
        return (" ", "plain")


class Overview:
    """The overview of a run in so many columns.

    Attributes:
        lanes: From the top down.
        scale: Where each event is.
        left: How many columns the names of the lanes take.
    """

    def __init__(self, course: Course, width: int, *, lanes: int = 10) -> None:
        """
        Args:
            course: Of the run.
            width: How many columns there are.
            lanes: How many lanes at most; what there is no lane for shares the last one.
        """
        chosen = course.most(max(lanes, 1))
        widest = max((len(name) for name in chosen), default=0)
        self.left = min(widest + 1, width // 4, _WIDEST_LABEL) if width >= _NAMED_FROM else 0
        self.scale = Scale(course.times, width - self.left)
        self.lanes = [Lane(name, content, self.scale) for name, content in chosen.items()]
        self._stretch_of = [stretch for stretch in self.scale.stretches for _ in range(stretch.cells)]

    def column_of(self, event_id: int) -> int:
        """The column in which an event is."""
        return self.left + self.scale.cell_of(event_id)

    def event_at(self, column: int, lane: int | None = None) -> int:
        """The event that is meant by a place in the overview.

        Args:
            column: The column.
            lane: Number of the lane, from 0; None for none in particular.
        """
        cell = min(max(column - self.left, 0), self.scale.width - 1)
        if lane is not None and 0 <= lane < len(self.lanes):
            group = self.lanes[lane].group_at(cell, self.scale)
            if group is not None:
                near = min(group.events, key=lambda event: abs(self.scale.cell_of(event.event_id) - cell))
                return near.event_id
        return self.scale.event_at(cell)

    # -- Lines ---------------------------------------------------------------------------------------------------------

    def ruler(self, now: int) -> Line:
        """The line of the time: how long each stretch is, and where the playhead stands."""
        text = "".join(map(_ruled, self.scale.stretches))
        inks: list[Ink] = [
            "comment" if stretch.is_gap else "dim" for stretch in self.scale.stretches for _ in range(stretch.cells)
        ]
        here = self.scale.cell_of(now)
        text = f"{text[:here]}▼{text[here + 1 :]}"
        inks[here] = "here"
        return [(" " * self.left, "plain"), *_spans(zip(text, inks, strict=True))]

    def line(self, lane: int, now: int) -> Line:
        """The line of a lane.

        Args:
            lane: Its number, from 0.
            now: The event at which the playhead stands: what is right of it has not happened yet.
        """
        of_lane, here = self.lanes[lane], self.scale.cell_of(now)
        cells: list[Span] = []
        for at, stretch in enumerate(self._stretch_of):
            text, ink = of_lane.cell(at, in_gap=stretch.is_gap)
            if at == here:
                cells.append((text if text != " " else "│", "here"))
            else:
                cells.append((text, ink if at < here or ink == "plain" else "dim"))
        name = of_lane.name
        label = name if len(name) < self.left else f"{name[: self.left - 2]}…" if self.left else ""
        return [(label.ljust(self.left), "plain"), *_spans(cells)]


def _ruled(stretch: Stretch) -> str:
    """A stretch of the ruler, with its length written on it where there is room."""
    left, middle, right = (_STROKE, " ", _STROKE) if stretch.is_gap else ("├", "─", "┤")
    if stretch.cells == 1:
        return _STROKE if stretch.is_gap else "┼"
    room = stretch.cells - 2
    label = stretch.label if len(stretch.label) == room else f" {stretch.label} "
    return f"{left}{(label if len(label) <= room else '').center(room, middle)}{right}"


def _spans(cells: Iterable[Span]) -> Line:
    """Cells of one ink together."""
    spans: Line = []
    for text, ink in cells:
        if spans and spans[-1][1] == ink:
            spans[-1] = (spans[-1][0] + text, ink)
        else:
            spans.append((text, ink))
    return spans
