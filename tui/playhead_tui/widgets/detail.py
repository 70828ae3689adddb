"""The event at the playhead, decoded, or to the letter."""

from __future__ import annotations

from playhead_tui.model.decoded import raw_lines
from playhead_tui.model.outline import Node
from playhead_tui.model.view import View
from playhead_tui.widgets.outline_rows import OutlineRows


class Detail(OutlineRows):
    """See the module."""

    BORDER_TITLE = "Event"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_raw = False
        self._view: View | None = None

    def look(self, view: View) -> None:
        """See `Pane`."""
        self._view = view
        event, run = view.event, view.run
        self.border_title = f"Event {event.event_id}{', raw' if self.is_raw else ''}"
        if self.is_raw:
            self.show_nodes(Node("", line) for line in raw_lines(event))
        elif not run.is_read(event):
            self.border_subtitle = "decoding …"
            return
        else:
            self.show_nodes(run.decoder.nodes(event, run.recorded_site(event.event_id)))
        self.border_subtitle = ""

    def show_raw(self, is_raw: bool) -> None:
        """Show it to the letter, or decoded."""
        self.is_raw = is_raw
        if self._view is not None:
            self.look(self._view)
