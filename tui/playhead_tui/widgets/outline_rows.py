"""Rows that are a tree. What the tree is of is the business of the pane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playhead_tui.messages import Go, ShowLine
from playhead_tui.model.ink import Line, Span, text_of
from playhead_tui.model.outline import Node, Outline, branch_line
from playhead_tui.model.place import Place
from playhead_tui.widgets.rows import NO_MARK, Rows

_MEASURED: Final = 500
"""Rows whose width counts: enough for what is looked at, and not so many that it takes time."""


class OutlineRows(Rows):
    """See the module."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.outline = Outline()

    def show_nodes(self, nodes: Iterable[Node]) -> None:
        """Show a tree. What was unfolded in the one before is unfolded in it, and the cursor stays where it was."""
        path = self.outline[self.cursor].path if self.cursor < len(self.outline) else ()
        self.outline = Outline(nodes, self.outline.folds)
        self.renew()
        self.cursor = next((at for at, row in enumerate(self.outline.rows) if row.path == path), self.cursor)

    def width(self) -> int:
        """See `Rows`."""
        return max((len(text_of(self.row(at))) for at in range(min(self.count(), _MEASURED))), default=0)

    def count(self) -> int:
        """See `Rows`."""
        return len(self.outline)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return branch_line(self.outline[index])

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        return ("●", "changed") if self.outline[index].node.ink == "changed" else NO_MARK

    def chosen(self) -> None:
        """See `Rows`. A row that points somewhere leads there; others unfold."""
        branch = self.outline[self.cursor]
        if branch.node.event_id:
            self.post_message(Go(Place(branch.node.event_id)))
        elif branch.node.site is not None:
            self.post_message(ShowLine(branch.node.site.file, branch.node.site.line))
        else:
            self.folded(not branch.is_open)

    def folded(self, unfold: bool) -> bool:
        """See `Rows`."""
        if self.outline.fold(self.cursor, unfold=unfold):
            self.renew()
            return True
        if not unfold and self.outline.parent_of(self.cursor) != self.cursor:
            self.put_cursor(self.outline.parent_of(self.cursor))
            return True
        return False

    def copied(self) -> str:
        """See `Rows`."""
        return self.outline[self.cursor].node.copied if self.count() else ""
