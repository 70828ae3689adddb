"""What differs, recorded and now side by side, with the cause and the fix."""

from __future__ import annotations

from operator import is_

from playhead_tui.messages import Go, ShowLine
from playhead_tui.model.ink import Line, Span
from playhead_tui.model.place import Place
from playhead_tui.model.view import View
from playhead_tui.model.why import Reason, reasons
from playhead_tui.widgets.rows import NO_MARK, Rows


class WhyPane(Rows):
    """See the module."""

    BORDER_TITLE = "Why"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._reasons: list[Reason] = []
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
        if self._view is None:
            return
        run, width = self._view.run, self.scrollable_content_region.width - 3
        key = (run, run.why, width)
        if not all(map(is_, key, self._laid_out)) or not self._laid_out:
            self._laid_out = key
            self._reasons = reasons(run, run.why, width)
            self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._reasons)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return self._reasons[index].line

    def width(self) -> int:
        """See `Rows`."""
        return max((sum(len(text) for text, _ in one.line) for one in self._reasons), default=0)

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        here = self._view.place.event if self._view is not None else 0
        return ("▶", "here") if here and self._reasons[index].event == here else NO_MARK

    def moved(self) -> None:
        """See `Rows`."""
        reason = self._reasons[self.cursor]
        if reason.file and reason.number:
            self.post_message(ShowLine(reason.file, reason.number))

    def chosen(self) -> None:
        """See `Rows`."""
        reason = self._reasons[self.cursor]
        if reason.event:
            self.post_message(Go(Place(reason.event)))
        else:
            self.moved()
