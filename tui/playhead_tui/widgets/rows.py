"""`Rows`: lines that are made when they are looked at, with a cursor. Most panes are one.

Only what is on the screen is ever rendered, so that a history of 51,200 events is on the screen as fast as an empty
one. A pane says how many rows it has and what is in each; how they are painted, scrolled and moved through is decided
here, once.
"""

from __future__ import annotations

from typing import ClassVar, Final, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from playhead_tui.keys import ROW_KEYS, bindings
from playhead_tui.model.ink import INKS, Line, Span, text_of
from playhead_tui.model.legible import legible

NO_MARK: Final[Span] = (" ", "plain")
GUTTER: Final = 2
"""Columns before every row: its mark, and a space."""


INK_CLASSES: Final[frozenset[str]] = frozenset({*(f"ink--{ink}" for ink in INKS), "rows--cursor", "rows--here"})
"""The component classes of a screen with rows on it. Textual works all of them out for every widget that has them,
whenever the focus moves; so the screen has them, once."""


class Rows(ScrollView, can_focus=True):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ROW_KEYS)]

    MARGIN: ClassVar[int] = 0
    """Rows that are to be seen around the one that is gone to."""

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._strips: LRUCache[tuple[int, bool, int], Strip] = LRUCache(1024)

    # -- What a pane says ----------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row(self, index: int) -> Line:
        """What is in a row."""
        raise NotImplementedError

    def mark(self, index: int) -> Span:
        """What stands before a row: one character."""
        return NO_MARK

    def is_here(self, index: int) -> bool:
        """Whether the playhead is in a row."""
        return False

    def width(self) -> int:
        """How wide the widest row is, as far as that matters: 0 if rows are to be cut off."""
        return 0

    def moved(self) -> None:
        """The user moved the cursor."""

    def chosen(self) -> None:
        """The user chose the row at the cursor."""

    def clicked(self, index: int, column: int) -> None:
        """The user clicked a row, at a column of it. The cursor is there already."""

    def folded(self, unfold: bool) -> bool:
        """The user folds or unfolds the row at the cursor; says whether that means anything there."""
        return False

    def toggled(self) -> None:
        """The user wants the row at the cursor to be switched on or off."""

    def removed(self) -> None:
        """The user wants the row at the cursor to be gone."""

    def copied(self) -> str:
        """What is copied of the row at the cursor."""
        return text_of(self.row(self.cursor)).strip() if self.count() else ""

    # -- What a pane calls ---------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Paint everything anew: the rows are others."""
        self._strips.clear()
        width = self.width()
        self._extend(Size(width + GUTTER if width else 0, self.count()))
        self.cursor = max(0, min(self.cursor, self.count() - 1))
        self.refresh()

    def _extend(self, size: Size) -> None:
        """Be so large. Textual lays the whole screen out anew for that; only another scrollbar needs it."""
        if size != self.virtual_size:
            self.set_reactive(cast("Reactive[Size]", Rows.virtual_size), size)
            self._scroll_update(size)

    def put_cursor(self, index: int, *, centre: bool = False) -> None:
        """Put the cursor in a row, and the row on the screen."""
        if not self.count():
            return
        self.cursor = max(0, min(index, self.count() - 1))
        self.reveal(self.cursor, centre=centre)

    def reveal(self, index: int, *, centre: bool = False) -> None:
        """Scroll so far that a row is on the screen."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        margin = min(self.MARGIN, (height - 1) // 2)
        if not height or top + margin <= index < top + height - margin:
            return
        if centre or abs(index - top) > 2 * height:
            target = index - height // 2
        else:
            target = index - margin if index < top + margin else index - height + 1 + margin
        self.scroll_to(y=max(0, target), animate=False, force=True)

    # -- Painting ------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        offset = self.scroll_offset
        index, width = offset.y + y, self.scrollable_content_region.width
        style = self.rich_style
        if index >= self.count():
            return Strip.blank(width, style)
        is_at_cursor = index == self.cursor
        key = (index, is_at_cursor and self.has_focus, width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._strip(index, is_at_cursor, style)
        return strip.crop_extend(offset.x, offset.x + width, self._backdrop(index, is_at_cursor, style))

    def _strip(self, index: int, is_at_cursor: bool, style: Style) -> Strip:
        backdrop = self._backdrop(index, is_at_cursor, style)
        pieces = [self.mark(index), (" ", "plain"), *self.row(index)]
        return Strip([Segment(legible(text), self._ink(ink, backdrop)) for text, ink in pieces])

    def _ink(self, ink: str, backdrop: Style) -> Style:
        if ink == "plain":
            return backdrop
        own = self.screen.get_component_rich_style(f"ink--{ink}", partial=True)
        return backdrop + own

    def _backdrop(self, index: int, is_at_cursor: bool, style: Style) -> Style:
        if self.is_here(index):
            style = style + self.screen.get_component_rich_style("rows--here", partial=True)
        if is_at_cursor and self.has_focus:
            style = style + self.screen.get_component_rich_style("rows--cursor", partial=True)
        return style

    def watch_cursor(self, before: int, after: int) -> None:
        """Paint both rows anew."""
        for index in (before, after):
            self.refresh_line(index)

    def notify_style_update(self) -> None:
        """Other colours, or the focus."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._strips.clear()
        self.reveal(self.cursor)

    # -- Keys and mouse ------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """One row up or down."""
        self._move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """One screen up or down."""
        self._move_to(self.cursor + by * max(1, self.scrollable_content_region.height - 1))

    def action_end(self, to: int) -> None:
        """To the first row or the last."""
        self._move_to(0 if to < 0 else self.count() - 1)

    def action_fold(self, unfold: bool) -> None:
        """Fold or unfold, or scroll sideways."""
        if not self.count() or not self.folded(unfold):
            self.scroll_to(x=self.scroll_offset.x + (8 if unfold else -8), animate=False)

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        if self.count():
            self.chosen()

    def action_switch(self) -> None:
        """Switch the row at the cursor on or off."""
        if self.count():
            self.toggled()

    def action_remove(self) -> None:
        """Remove the row at the cursor."""
        if self.count():
            self.removed()

    def _move_to(self, index: int) -> None:
        before = self.cursor
        self.put_cursor(index)
        if self.cursor != before:
            self.moved()

    def on_click(self, event: events.Click) -> None:
        """Go to the row; a second click chooses it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = self.scroll_offset.y + offset.y
        if index >= self.count():
            return
        event.stop()
        self._move_to(index)
        self.clicked(index, offset.x)
        if event.chain > 1:
            self.chosen()
