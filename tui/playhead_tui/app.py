"""The application: what is chosen to be debugged, the theme and the keys; everything else is on its screens."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.color import Color
from textual.screen import Screen

from playhead_tui.keys import APP_KEYS, KEYS, bindings, keys_in_use
from playhead_tui.model.opening import Target
from playhead_tui.preferences import Preferences
from playhead_tui.screens.choose import ChooseScreen
from playhead_tui.screens.debugger import DebuggerScreen

_DARK, _LIGHT, _PLAIN = "textual-dark", "textual-light", "ansi-dark"


class Debugger(App[None]):
    """See the module.

    Attributes:
        problem: Why it was closed, to be said on the terminal; empty if the user wanted it.
    """

    CSS_PATH = "debugger.tcss"
    TITLE = "playhead"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(APP_KEYS)]

    def __init__(self, targets: Sequence[Target], *, at: str = "", preferences: Preferences | None = None) -> None:
        """
        Args:
            targets: What can be debugged; at least one.
            at: A mark to begin at; empty for what is wrong, or for the beginning.
            preferences: What the user wants it to be like.
        """
        # Textual makes greys of colours that it may not use, unless they are the terminal's own.
        self._is_plain = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if self._is_plain else None)
        self.problem = ""
        self._targets = targets
        self._at = at
        self._preferences = preferences or Preferences()

    def on_mount(self) -> None:
        """Show the debugger, or what there is to choose from."""
        self.theme = _PLAIN if self._is_plain else self._preferences.theme or _DARK
        if self._preferences.keys:
            self.set_keymap(self._preferences.keys)
        if len(self._targets) == 1:
            self.push_screen(DebuggerScreen(self._targets[0], self._at))
        else:
            self.push_screen(ChooseScreen(self._targets))

    def get_css_variables(self) -> dict[str, str]:
        """Textual's, and two greys: rows are painted in whole colours, which Textual's own greys are not."""
        variables = super().get_css_variables()
        if self.current_theme.ansi:
            return {**variables, "grey": "ansi_default", "line": "ansi_default"}
        dark, light = Color.parse(variables["background"]), Color.parse(variables["foreground"])
        return {**variables, "grey": dark.blend(light, 0.6).hex, "line": dark.blend(light, 0.3).hex}

    def close_with(self, problem: str, return_code: int = 2) -> None:
        """Leave, and say why."""
        self.problem = problem
        self.exit(return_code=return_code)

    def _fatal_error(self) -> None:
        """A mistake of our own. Textual would show everything that the run holds."""
        self.problem = f"this is a mistake of the debugger, and worth a report:\n{traceback.format_exc()}"
        self._close_messages_no_wait()

    def action_light_or_dark(self) -> None:
        """Change between the light theme and the dark one."""
        if not self._is_plain:
            self.theme = _LIGHT if self.current_theme.dark else _DARK

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that a key does, and themes."""
        if isinstance(screen, DebuggerScreen):
            pressed = keys_in_use(screen)
            for key in KEYS:
                shown = " or ".join(pressed.get(key.id, ()))
                yield SystemCommand(key.says, shown, partial(screen.run_action, key.action))
        yield SystemCommand("Theme", "Choose another theme", self.action_change_theme)
        yield SystemCommand("Quit", "Leave the debugger", self.action_quit)
