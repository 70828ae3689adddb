"""What was recorded from a mark on, and beside it what would be."""

from __future__ import annotations

from playhead.hotfix.future import Future
from playhead_tui.messages import Go, ShowLine
from playhead_tui.model.futures import Columns, FutureRow, ending_lines, first_difference, row_line, rows_of
from playhead_tui.model.ink import Line
from playhead_tui.model.place import Place
from playhead_tui.widgets.rows import GUTTER, Rows


class FuturePane(Rows):
    """See the module."""

    BORDER_TITLE = "Recorded, and what would be"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._future: Future | None = None
        self._rows: list[FutureRow] = []
        self._lines: list[Line] = []

    def unfold(self, future: Future) -> None:
        """Show a future."""
        self._future = future
        self._rows = rows_of(future)
        self._lay_out()
        self.put_cursor(len(self._head) + first_difference(self._rows), centre=True)

    def on_resize(self) -> None:
        """Lay it out anew."""
        super().on_resize()
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width - GUTTER
        columns = Columns.of(self._rows, max(width, 20))
        self._lines = [*self._head, *(row_line(row, columns) for row in self._rows)]
        self.renew()

    @property
    def _head(self) -> list[Line]:
        return [*ending_lines(self._future), []] if self._future is not None else []

    def count(self) -> int:
        """See `Rows`."""
        return len(self._lines)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return self._lines[index]

    def chosen(self) -> None:
        """See `Rows`. What was recorded is gone to; what is new has a line of code."""
        at = self.cursor - len(self._head)
        if not 0 <= at < len(self._rows):
            return
        row = self._rows[at]
        if row.recorded is not None:
            self.post_message(Go(Place(row.recorded.first_id)))
        elif row.site is not None:
            self.post_message(ShowLine(row.site.file, row.site.line))
