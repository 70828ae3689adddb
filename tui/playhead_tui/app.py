"""The application: opens what is to be debugged, and shows the debugger."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from playhead_tui.model.opening import Target
from playhead_tui.screens.debugger import DebuggerScreen


class Debugger(App[None]):
    """See the module."""

    CSS_PATH = "debugger.tcss"
    TITLE = "playhead"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+q", "quit", "Quit", id="quit")]

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def on_mount(self) -> None:
        """Show the debugger."""
        self.push_screen(DebuggerScreen(self._target))
