"""What the keys do: the actions of the debugger's screen, each a word to the deck or to a pane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import work
from textual.app import SuspendNotSupported
from textual.screen import Screen

from playhead.places import shown_path
from playhead.timeline.marks import Line
from playhead_tui import clipboard, editor
from playhead_tui.keys import keys_in_use
from playhead_tui.messages import Go, ShowLine
from playhead_tui.model.breakpoints import BadBreakpoint, OnEvents, Stops, logpoint_of, trigger_of, watch_of
from playhead_tui.model.deck import Deck, Landmark
from playhead_tui.model.exports import NotExported, write
from playhead_tui.model.filter import BadFilter
from playhead_tui.model.finding import Finding
from playhead_tui.model.opening import Target
from playhead_tui.model.place import Place, Unit
from playhead_tui.model.run import Way
from playhead_tui.screens.export import Export, ExportScreen
from playhead_tui.screens.help import HelpScreen
from playhead_tui.screens.what_if import WhatIfScreen
from playhead_tui.widgets.detail import Detail
from playhead_tui.widgets.event_list import EventList
from playhead_tui.widgets.prompt import Prompt
from playhead_tui.widgets.rows import INK_CLASSES, Rows
from playhead_tui.widgets.source import SourceView


class Buttons(Screen[None]):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}

    deck: Deck

    def __init__(self) -> None:
        super().__init__()
        self.searching = Finding()
        self.filtering = Finding()

    # -- Moving --------------------------------------------------------------------------------------------------------

    def action_step(self, unit: str, forward: bool = True) -> None:
        """Go on, or back, by an event, a workflow task or a command."""
        self.deck.step(Unit(unit), forward=forward)

    @work
    async def action_walk(self, way: Way, forward: bool = True) -> None:
        """Go on, or back, by a line."""
        await self.deck.walk(way, forward=forward)

    def action_edge(self, forward: bool = True) -> None:
        """Go to the end, or to the beginning."""
        self.deck.edge(forward=forward)

    def action_jump(self, landmark: Landmark, forward: bool = True) -> None:
        """Go to the next failure or retry, or to the one before."""
        self.deck.jump(landmark, forward=forward)

    def action_wrong(self) -> None:
        """Go where code and history part."""
        self.deck.wrong()

    def action_back(self) -> None:
        """Go back to where the playhead was."""
        self.deck.back()

    def action_go_to(self) -> None:
        """Ask where to go, and go there."""
        example = "an event, task:3, command:2 or orders.py:42"
        self._ask("Go to", self.deck.go_to, example)

    @work
    async def action_run_here(self) -> None:
        """Run to the row at the cursor."""
        pane = self.focused
        if isinstance(pane, SourceView) and pane.file:
            await self.deck.run_to(pane.file, pane.cursor + 1)
        elif isinstance(pane, Rows):
            pane.action_choose()

    @work
    async def action_continue(self, forward: bool = True) -> None:
        """Go on to the next breakpoint, or back to the one before."""
        await self.deck.run_on(forward=forward)

    # -- Breakpoints, logpoints and watches ----------------------------------------------------------------------------

    def action_toggle_breakpoint(self) -> None:
        """Set or clear a breakpoint on the row at the cursor: a line, or what is like an event."""
        pane, stops = self.focused, self.deck.lookout.stops
        if isinstance(pane, EventList) and pane.run is not None:
            self.deck.set_stops(stops.toggled(OnEvents(pane.like_this())))
        else:
            source = self.query_one(SourceView)
            if source.file:
                self.deck.set_stops(stops.toggled_line(Line(shown_path(source.file), source.cursor + 1)))

    def action_breakpoints(self) -> None:
        """Ask for a breakpoint, and set it."""
        example = "activity:ship is:failed, orders.py:86 if total > 5, when self.total > 500, change self.stage"
        self._ask("Break at", self._set(lambda text: self.deck.lookout.stops.toggled(trigger_of(text))), example)

    def action_watch(self) -> None:
        """Ask for an expression, and watch it."""
        set_watch = self._set(lambda text: self.deck.lookout.stops.with_watch(watch_of(text)))
        self._ask("Watch", set_watch, "self.total, order.items[0]")

    def action_logpoint(self) -> None:
        """Ask what to say whenever the line at the cursor is reached."""
        source = self.query_one(SourceView)
        if not source.file:
            self.said("Without code there is no line that could say anything.")
            return
        line = f"{shown_path(source.file)}:{source.cursor + 1}"
        self._ask(
            "Log", self._set(lambda text: self.deck.lookout.stops.with_logpoint(logpoint_of(text))), given=f"{line} "
        )

    def _set(self, changed: Callable[[str], Stops]) -> Callable[[str], None]:
        """What has other breakpoints, logpoints and watches from then on, or says why it cannot."""

        def set_stops(text: str) -> None:
            try:
                stops = changed(text)
            except BadBreakpoint as error:
                self.said(str(error))
            else:
                self.deck.set_stops(stops)
                self.action_pane("watches")

        return set_stops

    def _ask(
        self, question: str, answered: Callable[[str], Awaitable[None] | None], example: str = "", given: str = ""
    ) -> None:
        """Ask for a text, and go on with the answer if there is one."""
        self._go_on(self.prompt.ask(question, example=example, given=given), answered)

    @work(exclusive=True, group="prompt")
    async def _go_on(self, answer: Awaitable[str | None], answered: Callable[[str], Awaitable[None] | None]) -> None:
        text = await answer
        if text is not None and text.strip():
            doing = answered(text)
            if doing is not None:
                await doing

    # -- Looking -------------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Search as the user types, and go to what is found."""
        if self.deck.is_open:
            self._search(self._ask_for_filter("Search", self.searching))

    @work(exclusive=True, group="prompt")
    async def _search(self, answer: Awaitable[str | None]) -> None:
        if await answer is None or self.searching.search is None:
            self.searching.look_for("", self.deck.run, self._found)
        else:
            await self.searching.finish()
            self.action_match()

    def action_match(self, forward: bool = True) -> None:
        """Go to the next match, or to the one before."""
        search = self.searching.search
        if search is None:
            self.said("Nothing is looked for.")
            return
        event = search.next(self.deck.session.place.event, forward=forward)
        if event is None:
            self.said(f"Nothing matches {search.filter.text}.")
            return
        self.deck.go(Place(event))
        self.said(f"{search.number_of(event)} of {len(search)} that match {search.filter.text}")

    def action_filter(self) -> None:
        """Show only what matches, as the user types."""
        if self.deck.is_open:
            self._filter(self._ask_for_filter("Show only", self.filtering))

    @work(exclusive=True, group="prompt")
    async def _filter(self, answer: Awaitable[str | None]) -> None:
        if await answer is None:
            self.filtering.look_for("", self.deck.run, self._found)

    def _ask_for_filter(self, question: str, finding: Finding) -> Awaitable[str | None]:
        """Ask what to look for, and look for it meanwhile."""

        problem = ""

        def changed() -> None:
            self._found()
            search = finding.search
            so_far = "" if search is None else f"{len(search)} found{'' if search.is_done else f', {search.part:.0%}'}"
            self.prompt.so_far(problem or so_far)

        def typed(text: str) -> None:
            nonlocal problem
            try:
                finding.look_for(text, self.deck.run, changed)
                problem = ""
            except BadFilter as error:
                problem = str(error)
                self.prompt.so_far(problem)

        before = finding.search.filter.text if finding.search is not None else ""
        example = "words, activity:ship, is:failed, after:2h, longer:30s, line:orders.py:86"
        return self.prompt.ask(question, given=before, example=example, typed=typed)

    def action_clear(self) -> None:
        """Look for nothing, and show everything."""
        for finding in (self.searching, self.filtering):
            if finding.search is not None:
                finding.look_for("", self.deck.run, self._found)

    def _found(self) -> None:
        """Show what is looked for."""
        events = self.query_one(EventList)
        search, only = self.searching.search, self.filtering.search
        events.show_only(only.shown if only is not None else None, only.filter if only is not None else None)
        events.show_found(search.shown if search is not None else (), search.filter if search is not None else None)

    def action_group(self) -> None:
        """Show events grouped, or one by one."""
        events = self.query_one(EventList)
        events.show_grouped(not events.is_grouped)

    def action_raw(self) -> None:
        """Show the event as raw JSON, or decoded."""
        detail = self.query_one(Detail)
        detail.show_raw(not detail.is_raw)

    # -- Doing ---------------------------------------------------------------------------------------------------------

    @work
    async def action_reload(self) -> None:
        """Load code and history anew."""
        await self.deck.reload()

    def action_copy(self) -> None:
        """Copy what is at the cursor."""
        pane = self.focused
        text = pane.copied() if isinstance(pane, Rows) else ""
        if not text:
            self.said("There is nothing to copy here.")
            return
        self.app.copy_to_clipboard(text)
        self._copy_to_desktop(text)
        self.said(f"Copied: {text}")

    @work(thread=True)
    def _copy_to_desktop(self, text: str) -> None:
        clipboard.copy(text)

    def action_edit(self) -> None:
        """Open the line at the cursor in the user's editor."""
        source = self.query_one(SourceView)
        if not source.file:
            self.said("There is no source to edit.")
            return
        try:
            words = editor.command(source.file, source.cursor + 1)
            if editor.needs_terminal(words):
                with self.app.suspend():
                    editor.run(words)
            else:
                editor.run(words)
        except (editor.NoEditor, SuspendNotSupported) as error:
            self.said(str(error))

    def action_export(self) -> None:
        """Choose what to export, and ask where to."""
        if self.deck.is_open:
            self.app.push_screen(ExportScreen(self.deck.run, self.deck.session.event), self._export)

    def _export(self, export: Export | None) -> None:
        if export is not None:
            self._ask(f"Write {export.what} to", lambda name: self._write(name, export), given=export.name)

    def _write(self, name: str, export: Export) -> None:
        try:
            self.said(f"Written: {write(name, export.content())}  {export.note}".strip())
        except NotExported as error:
            self.said(str(error))

    def action_what_if(self) -> None:
        """Ask what would be if something else happened here."""
        if not self.deck.is_open:
            return
        if self.deck.replayer is None:
            self.said("Without code nothing can go on: name it with --workflows.")
            return
        self.app.push_screen(WhatIfScreen(self.deck), self._leave_what_if)

    def _leave_what_if(self, wanted: Go | ShowLine | Target | None) -> None:
        match wanted:
            case Go() | ShowLine():
                self.post_message(wanted)
            case Target():
                self.debug(wanted)
            case None:
                pass

    def debug(self, target: Target) -> None:
        """Debug something else, on top of this."""
        raise NotImplementedError

    # -- Windows -------------------------------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(keys_in_use(self)))

    def action_histories(self) -> None:
        """Choose another history."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()
        else:
            self.said("This is the only history.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything: while something is asked, letters are letters."""
        return not any(prompt.display for prompt in self.query(Prompt))

    def action_pane(self, pane: str) -> None:
        """Bring a pane to the front."""
        raise NotImplementedError

    @property
    def prompt(self) -> Prompt:
        """Where questions are asked."""
        return self.query_one(Prompt)

    def said(self, text: str) -> None:
        """See `Front`."""
        raise NotImplementedError
