"""All keys, made from the bindings: what is shown is what is bound, remapped keys included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from playhead_tui.keys import APP_KEYS, KEYS, ROW_KEYS, WHAT_IF_KEYS
from playhead_tui.model.ink import Line
from playhead_tui.widgets.rows import INK_CLASSES, Rows


class KeyList(Rows):
    """The keys."""

    BORDER_TITLE = "Keys"
    BORDER_SUBTITLE = "escape to close"

    def __init__(self, in_use: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._lines = list(_lines(in_use))

    def on_mount(self) -> None:
        """Show them."""
        self.renew()

    def count(self) -> int:
        """See `Rows`."""
        return len(self._lines)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return self._lines[index]


def _lines(in_use: Mapping[str, Sequence[str]]) -> list[Line]:
    lines: list[Line] = []
    group = ""
    for key in (*KEYS, *WHAT_IF_KEYS, *APP_KEYS, *ROW_KEYS):
        pressed = in_use.get(key.id)
        if not pressed:
            continue
        if key.group != group:
            group = key.group
            if lines:
                lines.append([])
            lines.append([(group, "title")])
        lines.append([(f"  {' or '.join(pressed):<16} ", "name"), (f"{key.says}  ", "plain"), (key.id, "dim")])
    return lines


class HelpScreen(ModalScreen[None]):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "dismiss", "close", id="help-close")]

    def __init__(self, in_use: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._in_use = in_use

    def compose(self) -> ComposeResult:
        """The keys."""
        yield KeyList(self._in_use)
