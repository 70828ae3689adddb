"""The most useful keys, in one line. Textual's own footer is a widget for each key, and takes its time."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, work
from textual.content import Content
from textual.widgets import Static

from playhead_tui.keys import KEYS, Key, keys_in_use


class KeyBar(Static):
    """See the module."""

    def __init__(self, keys: Sequence[Key] = KEYS, *, id: str | None = None) -> None:
        """
        Args:
            keys: Those of the screen; the ones that have a short name are shown.
            id: Of the widget.
        """
        super().__init__("", id=id)
        self._keys = keys
        self._ends: list[tuple[int, Key]] = []

    def show_keys(self) -> None:
        """Show the keys as they are bound now."""
        pressed = keys_in_use(self.screen)
        parts: list[tuple[str, str]] = []
        self._ends = []
        length = 0
        for key in self._keys:
            if not key.short or key.id not in pressed:
                continue
            shown = pressed[key.id][0]
            parts += [(f" {shown}", "$text-accent bold"), (f" {key.short} ", "$grey")]
            length += len(shown) + len(key.short) + 3
            self._ends.append((length, key))
        self.update(Content.assemble(*parts), layout=False)

    @work
    async def on_click(self, event: events.Click) -> None:
        """Do what the key would do."""
        offset = event.get_content_offset(self)
        key = next((key for end, key in self._ends if offset is not None and offset.x < end), None)
        if key is not None:
            await self.screen.run_action(key.action)
