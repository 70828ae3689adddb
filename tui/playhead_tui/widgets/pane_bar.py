"""The names of the panes, with the keys that bring them to the front."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.content import Content
from textual.widgets import Static

from playhead_tui.messages import ShowPane


class PaneBar(Static):
    """See the module."""

    def __init__(self, panes: Mapping[str, str], *, id: str | None = None) -> None:
        """
        Args:
            panes: Names of the panes by their ids, in the order of their keys.
            id: Of the widget.
        """
        super().__init__("", id=id)
        self._panes = panes
        self._ends: list[tuple[int, str]] = []

    def mark(self, shown: set[str]) -> None:
        """Show which panes are on the screen."""
        parts: list[tuple[str, str]] = []
        self._ends = []
        length = 0
        for number, (pane, name) in enumerate(self._panes.items(), start=1):
            text = f" {number} {name} "
            parts.append((text, "$text-primary bold reverse" if pane in shown else "$grey"))
            length += len(text)
            self._ends.append((length, pane))
        self.update(Content.assemble(*parts), layout=False)

    def on_click(self, event: events.Click) -> None:
        """Show the pane whose name was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        pane = next((pane for end, pane in self._ends if offset.x < end), None)
        if pane is not None:
            self.post_message(ShowPane(pane))
