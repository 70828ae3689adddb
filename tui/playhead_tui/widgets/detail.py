"""The event at the playhead, decoded."""

from __future__ import annotations

import orjson

from playhead.values import plain
from playhead_tui.model.ink import Line
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import Rows


class Detail(Rows):
    """See the module."""

    BORDER_TITLE = "Event"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Line] = []

    def look(self, view: View) -> None:
        """See `Pane`."""
        event = view.event
        text = orjson.dumps(plain(event.attributes), option=orjson.OPT_INDENT_2, default=str).decode()
        self._lines = [[(event.type_name, "title")]]
        self._lines.extend([(line, "value")] for line in text.splitlines())
        self.border_title = f"Event {event.event_id}"
        self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._lines)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return self._lines[index]
