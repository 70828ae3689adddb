"""What there is to debug, where it is more than one history: one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from playhead.rendering import headline
from playhead_engine.history import History
from playhead_tui.messages import Chosen
from playhead_tui.model import opening
from playhead_tui.model.errands import Errands
from playhead_tui.model.ink import Ink, Line
from playhead_tui.model.opening import CannotOpen, Target
from playhead_tui.screens.debugger import DebuggerScreen
from playhead_tui.widgets.rows import INK_CLASSES, Rows
from playhead_tui.widgets.status import Status


class Shelf(Rows):
    """The histories, one row each, with what is known of each so far."""

    BORDER_TITLE = "Histories"

    def __init__(self, targets: Sequence[Target], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._targets = targets
        self._known: dict[int, tuple[str, Ink]] = {}

    def on_mount(self) -> None:
        """Show them."""
        self.renew()

    def know(self, index: int, text: str, ink: Ink) -> None:
        """Show what is known of one."""
        self._known[index] = (text, ink)
        self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._targets)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        item = self._targets[index].item
        text, ink = self._known.get(index, (item.about, "dim"))
        return [(f"{item.name:<40}", "name"), ("  ", "plain"), (text, ink)]

    def chosen(self) -> None:
        """See `Rows`."""
        self.post_message(Chosen(self._targets[self.cursor]))


class ChooseScreen(Screen[None]):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._targets = targets
        self._errands = Errands()

    def compose(self) -> ComposeResult:
        """The histories."""
        yield Shelf(self._targets, id="shelf")
        yield Status(id="status")

    def on_mount(self) -> None:
        """Begin to look into them."""
        self.query_one(Shelf).focus()
        self._look_into()

    @work(exclusive=True)
    async def _look_into(self) -> None:
        """Say of each what it is, and, with code, what its replay comes to."""
        shelf, status = self.query_one(Shelf), self.query_one(Status)
        has_code = self._targets[0].code.is_named
        with status.busy("reading"):
            for index, target in enumerate(self._targets):
                try:
                    history = (await self._errands.run(opening.read, target)).history
                except CannotOpen as error:
                    shelf.know(index, str(error), "bad")
                else:
                    shelf.know(index, _about(history), "dim")
        if has_code:
            with status.busy("replaying"):
                await self._replay(shelf)

    async def _replay(self, shelf: Shelf) -> None:
        try:
            replayer = await self._errands.run(opening.load, self._targets[0])
        except CannotOpen as error:
            self.query_one(Status).say(str(error))
            return
        for index, target in enumerate(self._targets):
            try:
                history = (await self._errands.run(opening.read, target)).history
                verdict = await self._errands.run(opening.verdict, target, history, replayer)
            except CannotOpen:
                continue
            said = headline(history, verdict)
            shelf.know(index, f"{said}  {_about(history)}", "good" if said.startswith("agrees") else "bad")

    def on_chosen(self, message: Chosen) -> None:
        """Open one."""
        self.app.push_screen(DebuggerScreen(message.target))


def _about(history: History) -> str:
    closing = history.closing_event
    ended = closing.type_name.removeprefix("WorkflowExecution").lower() if closing is not None else "open"
    return f"{history.workflow_type}  {history.id}  {len(history)} events, {ended}"
