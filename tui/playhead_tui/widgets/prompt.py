"""A line to type into, at the bottom, which is there while somebody is asked something."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label

from playhead_tui.widgets.status import Status


class Prompt(Horizontal):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", show=False, id="prompt-cancel")]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._answer: asyncio.Future[str | None] | None = None
        self._typed: Callable[[str], None] | None = None
        self._came_from: Widget | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        """The question, a line for the answer, and what it comes to so far."""
        yield Label(id="question")
        yield Input(id="answer", compact=True, select_on_focus=False)
        yield Label(id="so-far")

    def ask(
        self, question: str, *, example: str = "", given: str = "", typed: Callable[[str], None] | None = None
    ) -> Awaitable[str | None]:
        """Ask for a text. From this call on, not from the first await, all keys are part of the answer.

        Args:
            question: What is asked.
            example: Shown where nothing has been typed.
            given: What to begin with.
            typed: Called with what has been typed so far, at every stroke.

        Returns:
            The text; None if the user does not want to say.
        """
        self._settle(None)
        answer = self._answer = asyncio.get_running_loop().create_future()
        self.query_one("#question", Label).update(Content(f"{question} "))
        self.so_far("")
        line = self.query_one(Input)
        self._typed = None
        line.value, line.placeholder = given, example
        line.cursor_position = len(given)
        if not self.display:
            self._came_from = self.screen.focused
        self._show(True)
        self.screen.set_focus(line)
        self._typed = typed
        return self._answered(answer)

    async def _answered(self, answer: asyncio.Future[str | None]) -> str | None:
        try:
            return await answer
        finally:
            if answer is self._answer:  # else somebody has asked something else meanwhile
                self._typed = None
                self._show(False)
                if self._came_from is not None and self._came_from.is_mounted:
                    self.screen.set_focus(self._came_from)

    def _show(self, is_shown: bool) -> None:
        """Take the place of the status, so that nothing else moves."""
        self.display = is_shown
        self.screen.query_one(Status).display = not is_shown

    def so_far(self, text: str) -> None:
        """Say what the answer comes to so far."""
        self.query_one("#so-far", Label).update(Content(text))

    def on_descendant_blur(self) -> None:
        """The user goes on elsewhere. Another window is not elsewhere: something may be copied there."""
        if self.app.app_focus:
            self._settle(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another letter."""
        event.stop()
        if self._typed is not None:
            self._typed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That is the answer."""
        event.stop()
        self._settle(event.value)

    def action_give_up(self) -> None:
        """No answer."""
        self._settle(None)

    def _settle(self, answer: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
