"""A user at the debugger: presses keys, and looks at the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from playhead.configuration import Configuration
from playhead.loading import CodeNames
from playhead_tui.app import Debugger
from playhead_tui.model.code import Code
from playhead_tui.model.opening import Target
from playhead_tui.model.place import Place
from playhead_tui.model.shelf import from_files
from playhead_tui.preferences import Preferences
from playhead_tui.screens.debugger import DebuggerScreen
from playhead_tui.widgets.rows import Rows
from playhead_tui.widgets.status import Status

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "temporal"
HERE = Path("fixtures") / "temporal"
"""The same, as seen from the root: what is shown on the screen."""


class Desk:
    """See the module.

    Attributes:
        app: The application.
        pilot: Textual's own, for what is not here.
    """

    def __init__(self, app: Debugger, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def debugger(self) -> DebuggerScreen:
        """The debugger's screen."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, DebuggerScreen))

    @property
    def place(self) -> Place:
        """Where the playhead is."""
        return self.debugger.deck.session.place

    @property
    def lines(self) -> list[str]:
        """The screen, line by line."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines) + "\n"

    @property
    def status(self) -> str:
        """The line at the bottom."""
        return str(self.app.screen.query_one(Status).render())

    def pane(self, name: str) -> list[str]:
        """All rows of a pane, those that are scrolled out of sight too."""
        rows = self.app.screen.query_one(f"#{name}", Rows)
        return ["".join(text for text, _ in [rows.mark(at), *rows.row(at)]) for at in range(rows.count())]

    async def press(self, *keys: str) -> None:
        """Press keys, and wait after each until everything is shown that follows."""
        for key in keys:
            self.strike(key)
            await self.settled()

    async def resize(self, columns: int, lines: int) -> None:
        """Make the terminal another size."""
        await self.pilot.resize_terminal(columns, lines)
        await self.settled()

    async def click(self, line: int, column: int) -> None:
        """Click somewhere on the screen."""
        await self.pilot.click(offset=(column, line))
        await self.settled()

    def strike(self, key: str) -> None:
        """Press a key, and wait for nothing. Textual's own pilot takes fifty times as long, to be sure."""
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        event = events.Key(name, key if len(key) == 1 else None)
        event.set_sender(self.app)
        self.app.post_message(event)

    async def type(self, text: str) -> None:
        """Type a text."""
        for letter in text:
            self.strike(letter)
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is being worked out, and everything is on the screen."""
        for _ in range(3000):
            for _ in range(_ROUNDS):
                await self.pilot._wait_for_screen()
            if not self._is_busy:
                self.app.screen._on_timer_update()
                return
            while self._is_busy:  # noqa: ASYNC110 - that is what a user does
                await asyncio.sleep(0.005)
        raise AssertionError("the debugger does not come to rest")

    @property
    def _is_busy(self) -> bool:
        status = self.app.screen.query(Status)
        return bool(status) and status.first().is_busy


_ROUNDS = 4
"""A key is a message that leads to a message that leads to a task that leads to one."""


@asynccontextmanager
async def debugging(
    *histories: str | Path,
    workflows: Sequence[str] = (),
    size: tuple[int, int] = (120, 36),
    at: str = "",
    preferences: Preferences | None = None,
    targets: Sequence[Target] = (),
) -> AsyncIterator[Desk]:
    """Open the debugger.

    Args:
        histories: Files; a name alone is that of a fixture.
        workflows: The code.
        size: Columns and lines of the terminal.
        at: The mark to begin at.
        preferences: What the user wants it to be like.
        targets: What is debugged, where it is no history file.
    """
    code = Code(Configuration(code=CodeNames(workflows=tuple(workflows))))
    paths = [HERE / one if isinstance(one, str) else one for one in histories]
    given = [*targets, *(Target(item, code) for item in from_files(paths))]
    app = Debugger(given, at=at, preferences=preferences)
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot)
        await desk.settled()
        yield desk
