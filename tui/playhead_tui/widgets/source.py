"""The source, with the current line and the lines at which the run waits."""

from __future__ import annotations

from playhead.places import shown_path
from playhead_tui.messages import ToggleLine
from playhead_tui.model.breakpoints import Breakpoint, Logpoint, Stops
from playhead_tui.model.ink import Line, Span, text_of
from playhead_tui.model.sources import Source, Sources
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import GUTTER, NO_MARK, Rows


class SourceView(Rows):
    """See the module."""

    BORDER_TITLE = "Source"
    MARGIN = 4

    def __init__(self, sources: Sources, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sources = sources
        self._source: Source | None = None
        self.file = ""
        self._stops = Stops()
        self._here = 0
        self._awaits: frozenset[int] = frozenset()

    def look(self, view: View) -> None:
        """See `Pane`."""
        site = view.site
        if site is None:
            if view.is_pending:
                return
            self._here, self._awaits = 0, frozenset()
            self.renew()
            return
        self._awaits = frozenset(one.line for one in view.awaits if one.file == site.file)
        self._here = site.line
        self._show(site.file)
        self.put_cursor(site.line - 1, centre=True)

    def show_stops(self, stops: Stops) -> None:
        """Mark breakpoints and logpoints."""
        if stops != self._stops:
            self._stops = stops
            self.renew()

    def show_line(self, file: str, line: int) -> None:
        """Show a line that is not the current one."""
        self._show(file)
        self.put_cursor(line - 1, centre=True)

    def _show(self, file: str) -> None:
        self.file, self._source = file, self._sources.of(file)
        self.border_title = f"Source  {shown_path(file)}"
        self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._source.lines) if self._source is not None else 0

    def width(self) -> int:
        """See `Rows`."""
        return self._source.width + 6 if self._source is not None else 0

    def row(self, index: int) -> Line:
        """See `Rows`."""
        assert self._source is not None
        return [(f"{index + 1:>4}", "dim"), self._stop(index + 1), (" ", "plain"), *self._source.lines[index]]

    def _stop(self, line: int) -> Span:
        match self._stops.on_line(self.file, line):
            case None:
                return NO_MARK
            case Logpoint():
                return ("◆", "await")
            case Breakpoint(is_enabled=is_enabled):
                return ("●" if is_enabled else "○", "bad")

    def copied(self) -> str:
        """See `Rows`."""
        return text_of(self._source.lines[self.cursor]).strip() if self._source is not None else ""

    def clicked(self, index: int, column: int) -> None:
        """See `Rows`. Next to the text of a line, its breakpoint is set and cleared."""
        if column < GUTTER + 5:
            self.post_message(ToggleLine(self.file, index + 1))

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        if index + 1 == self._here:
            return ("▶", "here")
        return ("⧗", "await") if index + 1 in self._awaits else NO_MARK

    def is_here(self, index: int) -> bool:
        """See `Rows`."""
        return index + 1 == self._here
