"""The timeline of the whole run, to scale but for idle time; the playhead can be dragged through it."""

from __future__ import annotations

from textual import events

from playhead_tui.messages import Go
from playhead_tui.model.ink import Line
from playhead_tui.model.overview import Course, Overview
from playhead_tui.model.place import Place
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import GUTTER, Rows


class OverviewPane(Rows):
    """See the module."""

    BORDER_TITLE = "Timeline"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._overview: Overview | None = None
        self._laid_out: tuple[object, ...] = ()

    def look(self, view: View) -> None:
        """See `Pane`."""
        self._view = view
        self._lay_out()

    def on_resize(self) -> None:
        """Lay it out anew."""
        super().on_resize()
        self._lay_out()

    def _lay_out(self) -> None:
        """Show the run; where that takes a moment, after everything else has been painted."""
        region = self.scrollable_content_region
        if self._view is None or region.width <= GUTTER or not region.height:
            return
        wanted = (id(self._view.run.course), region.width, region.height)
        if wanted == self._laid_out:
            self.renew()
        else:
            self._laid_out = wanted
            self.call_after_refresh(self._draw, self._view.run.course, region.width - GUTTER, region.height - 1)

    def _draw(self, course: Course, width: int, lanes: int) -> None:
        self._overview = Overview(course, width, lanes=max(lanes, 1))
        self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._overview.lanes) + 1 if self._overview is not None else 0

    def row(self, index: int) -> Line:
        """See `Rows`."""
        assert self._overview is not None and self._view is not None
        now = self._view.place.event
        return self._overview.line(index - 1, now) if index else self._overview.ruler(now)

    def folded(self, unfold: bool) -> bool:
        """See `Rows`. Sideways is through time: to the next event that is somewhere else."""
        if self._overview is None or self._view is None:
            return False
        overview, run, here = self._overview, self._view.run, self._view.place.event
        column = overview.column_of(here)
        index = run.index_of(here)
        while 0 <= index < len(run) and overview.column_of(run.event_at(index).event_id) == column:
            index += 1 if unfold else -1
        if 0 <= index < len(run):
            self.post_message(Go(Place(run.event_at(index).event_id)))
        return True

    def chosen(self) -> None:
        """See `Rows`."""

    def on_click(self, event: events.Click) -> None:
        """Go to what was clicked."""
        self._go_to(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the playhead along."""
        if event.button == 1:
            self._go_to(event)

    def _go_to(self, event: events.MouseEvent) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._overview is None:
            return
        event.stop()
        row = self.scroll_offset.y + offset.y
        found = self._overview.event_at(offset.x - GUTTER, row - 1 if row else None)
        self.post_message(Go(Place(found)))
