"""The events of the history, one row each. The cursor is the playhead."""

from __future__ import annotations

from playhead.values import short
from playhead_engine.history import HistoryEvent
from playhead_tui.messages import Go
from playhead_tui.model.ink import Ink, Line, Span
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import NO_MARK, Rows


class EventList(Rows):
    """See the module."""

    BORDER_TITLE = "Events"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: Run | None = None
        self._here = -1

    def look(self, view: View) -> None:
        """See `Pane`."""
        if view.run is not self._run:
            self._run = view.run
            self._here = view.run.index_of(view.place.event)
            self.renew()
        here = view.run.index_of(view.place.event)
        if here != self._here:
            before, self._here = self._here, here
            self._strips.clear()
            self.refresh_line(before)
            self.refresh_line(here)
        self.put_cursor(here)
        self.border_subtitle = f"{view.event.event_id}/{len(view.run)}"

    def count(self) -> int:
        """See `Rows`."""
        return len(self._run) if self._run is not None else 0

    def row(self, index: int) -> Line:
        """See `Rows`."""
        assert self._run is not None
        event = self._run.event_at(index)
        wide = len(str(len(self._run)))
        ink = ink_of(event)
        return [(f"{event.event_id:>{wide}} ", "dim"), (event.type_name, ink), ("  ", "plain"), (telling(event), "dim")]

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        if index == self._here:
            return ("▶", "here")
        if self._run is not None and self._run.wrong_at == self._run.event_at(index).event_id:
            return ("✗", "bad")
        return NO_MARK

    def is_here(self, index: int) -> bool:
        """See `Rows`."""
        return index == self._here

    def moved(self) -> None:
        """See `Rows`."""
        assert self._run is not None
        self.post_message(Go(Place(self._run.event_at(self.cursor).event_id)))


_TELLING = ("activityType", "workflowType", "timerId", "signalName", "markerName", "result", "failure", "input")


def telling(event: HistoryEvent) -> str:
    """What one wants to know of an event besides its type, in a few words."""
    for name in _TELLING:
        value = event.attributes.get(name)
        if value not in (None, "", {}, []):
            return short(value, 60)
    return ""


def ink_of(event: HistoryEvent) -> Ink:
    """The ink for an event's type."""
    kind = event.KIND
    if kind.endswith(("FAILED", "TIMED_OUT", "TERMINATED")):
        return "bad"
    if "CANCEL" in kind:
        return "caution"
    return "dim" if kind.startswith("WORKFLOW_TASK_") else "name"
