"""The events of the history, one by one or grouped by what belongs together. The cursor is the playhead."""

from __future__ import annotations

from collections.abc import Collection

from playhead_tui.messages import Go
from playhead_tui.model.filter import Filter
from playhead_tui.model.groups import EventRows, FlatRows, GroupedRows, event_line, group_line
from playhead_tui.model.ink import Line, Span
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.search import highlighted
from playhead_tui.model.spans import span_text
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import NO_MARK, Rows

_TIMES_FROM = 70
"""Columns from which on there is room for the time."""


class EventList(Rows):
    """See the module."""

    BORDER_TITLE = "Events"

    def __init__(self, *, is_grouped: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_grouped = is_grouped
        self._view: View | None = None
        self._rows: EventRows = ()  # pyright: ignore[reportAttributeAccessIssue] - an empty tuple has all that is asked
        self._here = -1
        self._shown: Collection[int] | None = None
        self._found: Collection[int] = ()
        self._words: Filter | None = None
        self._only: Filter | None = None
        self._broken: Collection[int] = ()

    @property
    def run(self) -> Run | None:
        """The run."""
        return self._view.run if self._view is not None else None

    def look(self, view: View) -> None:
        """See `Pane`."""
        is_other = self.run is None or view.run.groups is not self.run.groups
        self._view = view
        if is_other:
            self._make_rows()
        here = self._rows.index_of(view.place.event)
        if here != self._here:
            self._strips.clear()
            self.refresh()
            self._here = here
        self.put_cursor(here)
        self._say_where()

    def show_grouped(self, is_grouped: bool) -> None:
        """Show the events grouped, or one by one."""
        self.is_grouped = is_grouped
        self._make_rows()

    def show_only(self, events: Collection[int] | None, words: Filter | None) -> None:
        """Show only some events, with what was looked for in them marked; None for all of them."""
        if events is None and self._shown is None:
            return
        self._shown, self._only = events, words
        self._make_rows()

    def show_found(self, events: Collection[int], words: Filter | None) -> None:
        """Mark what a search has found."""
        self._found, self._words = events, words
        self.renew()

    def like_this(self) -> str:
        """The filter for events like the one at the cursor."""
        row = self._rows[self.cursor]
        event = row.event if row.event is not None else row.group.events[0]
        named = row.group.kind in ("activity", "signal", "update", "timer") and row.group.title
        if row.group.kind == "timer" or not named:
            return f"type:{event.type_name}"
        return f'type:{event.type_name} {row.group.kind}:"{row.group.title}"'

    def show_broken(self, events: Collection[int]) -> None:
        """Mark where there is a breakpoint."""
        if events != self._broken:
            self._broken = events
            self.renew()

    def _make_rows(self) -> None:
        if self._view is None:
            return
        groups = self._view.run.groups
        self._rows = GroupedRows(groups, self._shown) if self.is_grouped else FlatRows(groups, self._shown)
        self._here = self._rows.index_of(self._view.place.event)
        self.renew()
        self.put_cursor(self._here, centre=True)
        self._say_where()

    def _say_where(self) -> None:
        assert self._view is not None
        only = f"{len(self._rows)} shown, " if self._shown is not None else ""
        self.border_subtitle = f"{only}{self._view.event.event_id}/{len(self._view.run)}"
        self.border_title = "Events, grouped" if self.is_grouped else "Events"

    # -- Rows ----------------------------------------------------------------------------------------------------------

    def count(self) -> int:
        """See `Rows`."""
        return len(self._rows)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        line = self._row(index)
        for words in (self._words, self._only):
            if words is not None:
                line = highlighted(line, words)
        return line

    def _row(self, index: int) -> Line:
        assert self._view is not None
        row, groups = self._rows[index], self._view.run.groups
        if row.event is None:
            return group_line(row.group, groups.id_width, is_open=row.is_open)
        line = event_line(row.event, groups.id_width, indent=4 if self.is_grouped else 0)
        if self.size.width < _TIMES_FROM or not row.event.time_ns:
            return line
        since = span_text(row.event.time_ns - groups.history.events[0].time_ns)
        return [line[0], (f"{'+' + since:>12} ", "dim"), *line[1:]]

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        assert self._view is not None
        row = self._rows[index]
        events = {event.event_id for event in row.group.events} if row.event is None else {row.event_id}
        if index == self._here and self._view.place.event in events:
            return ("▶", "here")
        if self._view.run.wrong_at in events:
            return ("✗", "bad")
        if not events.isdisjoint(self._broken):
            return ("●", "bad")
        if not events.isdisjoint(self._found):
            return ("•", "changed")
        now = self._view.place.event
        is_pending = row.event is None and row.group.first_id <= now and row.group.outcome_at(now) == "open"
        return ("⧗", "await") if is_pending else NO_MARK

    def is_here(self, index: int) -> bool:
        """See `Rows`."""
        return index == self._here

    def moved(self) -> None:
        """See `Rows`."""
        self.post_message(Go(Place(self._rows[self.cursor].event_id)))

    def chosen(self) -> None:
        """See `Rows`."""
        row = self._rows[self.cursor]
        if not (row.is_foldable and self.folded(not row.is_open)):
            self.moved()

    def folded(self, unfold: bool) -> bool:
        """See `Rows`."""
        row = self._rows[self.cursor]
        if not self._rows.fold(self.cursor, unfold=unfold):
            return False
        self._here = self._rows.index_of(self._view.place.event) if self._view is not None else -1
        self.renew()
        if row.event is not None:
            self.put_cursor(self._rows.index_of(row.group.first_id))
        return True
