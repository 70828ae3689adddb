"""The debugger itself: the panes around a deck. Panes are given views, and what they say is answered here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import ClassVar, Protocol, runtime_checkable

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from playhead.places import shown_path
from playhead.timeline.marks import Line
from playhead_tui import messages
from playhead_tui.keys import bindings
from playhead_tui.model.deck import Deck
from playhead_tui.model.opening import CannotOpen, Target
from playhead_tui.screens.buttons import Buttons
from playhead_tui.screens.layout import COLUMN_WIDTH, LOWER, PANES, Wanted, arranged
from playhead_tui.widgets.detail import Detail
from playhead_tui.widgets.event_list import EventList
from playhead_tui.widgets.key_bar import KeyBar
from playhead_tui.widgets.overview_pane import OverviewPane
from playhead_tui.widgets.pane import Pane
from playhead_tui.widgets.pane_bar import PaneBar
from playhead_tui.widgets.prompt import Prompt
from playhead_tui.widgets.source import SourceView
from playhead_tui.widgets.status import Status
from playhead_tui.widgets.stops_pane import StopsPane
from playhead_tui.widgets.tree_pane import TreePane
from playhead_tui.widgets.variables import Variables
from playhead_tui.widgets.why_pane import WhyPane


@runtime_checkable
class Closable(Protocol):
    """An application that can be left with a word on the terminal."""

    def close_with(self, problem: str) -> None:
        """Leave, and say why."""
        ...


class DebuggerScreen(Buttons):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (COLUMN_WIDTH, "-very-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high"), (44, "-tall")]

    def __init__(self, target: Target, at: str = "") -> None:
        """
        Args:
            target: What is debugged.
            at: The mark to begin at; empty for what is wrong, or for the beginning.
        """
        super().__init__()
        self.deck = Deck(target, self)
        self._at = at
        self._shown: frozenset[str] = frozenset()
        self._stale: set[str] = set()
        self._wanted = Wanted(has_source=target.code.is_named)

    def compose(self) -> ComposeResult:
        """The panes, and the lines below them."""
        with Horizontal(id="panes"):
            yield EventList(id="events")
            with Vertical(id="right"):
                yield SourceView(self.deck.sources, id="source")
                with Horizontal(id="lower"):
                    yield Variables(id="variables")
                    yield Detail(id="detail")
                    yield TreePane(id="tree")
                    yield StopsPane(id="watches")
                    yield WhyPane(id="divergence")
        yield OverviewPane(id="overview")
        yield PaneBar(PANES, id="bar")
        yield Prompt(id="prompt")
        yield Status(id="status")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Begin to open."""
        self.query_one("#events").focus()
        self.query_one(KeyBar).show_keys()
        self._open()
        self.set_interval(1.0, self._look_at_disk)

    @work
    async def _open(self) -> None:
        try:
            await self.deck.open()
        except CannotOpen as error:
            self._close(str(error))
            return
        if self._at:
            await self.deck.go_to(self._at)
        if self.deck.run.wrong_at:
            self._wanted = self._wanted.choosing("divergence").choosing(self._wanted.current)
            self._arrange()

    def _close(self, problem: str) -> None:
        """Leave: there is nothing to see here."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()
            self.app.notify(problem, severity="error", markup=False)
        elif isinstance(self.app, Closable):
            self.app.close_with(problem)

    @work(exclusive=True, group="disk")
    async def _look_at_disk(self) -> None:
        await self.deck.reload_if_changed()

    def debug(self, target: Target) -> None:
        """See `Buttons`."""
        self.app.push_screen(DebuggerScreen(target))

    # -- The deck's front ----------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """See `Front`."""
        self._stale = set(PANES)
        self._refresh()
        self.query_one(Status).look(self.deck.session.view())

    def _refresh(self) -> None:
        """Let the panes that are on the screen show the view; the others do when they are brought to the front."""
        if not self.deck.is_open:
            return
        view = self.deck.session.view()
        for pane in self._stale & self._shown:
            widget = self.query_one(f"#{pane}")
            if isinstance(widget, Pane):
                widget.look(view)
        self._stale -= self._shown

    def told(self) -> None:
        """See `Front`."""
        lookout = self.deck.lookout
        self.query_one(StopsPane).show(lookout)
        self.query_one(SourceView).show_stops(lookout.stops)
        self.query_one(EventList).show_broken(lookout.events)

    def said(self, text: str) -> None:
        """See `Front`."""
        self.query_one(Status).say(text)

    def busy(self, what: str, part: Callable[[], float] | None = None) -> AbstractContextManager[None]:
        """See `Front`."""
        return self.query_one(Status).busy(what, part)

    # -- What panes say ------------------------------------------------------------------------------------------------

    def on_go(self, message: messages.Go) -> None:
        """The playhead is wanted elsewhere."""
        self.deck.go(message.place)

    def on_show_line(self, message: messages.ShowLine) -> None:
        """A line is wanted."""
        self.query_one(SourceView).show_line(message.file, message.line)

    def on_show_pane(self, message: messages.ShowPane) -> None:
        """A pane is wanted."""
        self.action_pane(message.pane)

    def on_change_stops(self, message: messages.ChangeStops) -> None:
        """Other breakpoints, logpoints or watches are wanted."""
        self.deck.set_stops(message.stops)

    def on_toggle_line(self, message: messages.ToggleLine) -> None:
        """A breakpoint is wanted on a line, or not any more."""
        self.deck.set_stops(self.deck.lookout.stops.toggled_line(Line(shown_path(message.file), message.line)))

    # -- Which panes are there -----------------------------------------------------------------------------------------

    def action_pane(self, pane: str) -> None:
        """Bring a pane to the front."""
        self._wanted = self._wanted.choosing(pane)
        self._arrange()
        self.query_one(f"#{pane}").focus()

    def action_zoom(self) -> None:
        """Show the pane alone, or all of them."""
        self._wanted = replace(self._wanted, is_alone=not self._wanted.is_alone)
        self._arrange()

    def on_descendant_focus(self) -> None:
        """A pane that has the focus is the current one."""
        pane = self.focused.id if self.focused is not None else None
        if pane in PANES and pane != self._wanted.current:
            self._wanted = self._wanted.choosing(pane)
            self._arrange()

    def on_resize(self) -> None:
        """There is room for more, or for less."""
        self._arrange()

    def _arrange(self) -> None:
        arrangement = arranged(self._wanted, self.size.width, self.size.height)
        shown = self._shown = arrangement.panes
        is_timeline_alone = shown == frozenset({"overview"})
        self.query_one("#panes").display = not is_timeline_alone
        self.set_class(is_timeline_alone, "-only-timeline")
        self.query_one("#right").display = bool(shown & {"source", *LOWER})
        self.query_one("#lower").display = bool(shown & set(LOWER))
        for pane in PANES:
            for widget in self.query(f"#{pane}").results(Widget):
                widget.display = pane in shown
        bar = self.query_one(PaneBar)
        bar.display = arrangement.has_bar
        bar.mark(set(shown))
        self.query_one(KeyBar).display = arrangement.has_footer
        focused = self.focused
        if focused is not None and focused.id in PANES and focused.id not in shown:
            self.query_one(f"#{self._wanted.current}").focus()
        self._refresh()
