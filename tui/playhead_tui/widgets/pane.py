"""What the screen knows of a pane: that it can be shown a view."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from playhead_tui.model.view import View


@runtime_checkable
class Pane(Protocol):
    """A widget that shows something of a view."""

    def look(self, view: View) -> None:
        """Show what there is to see. Called whenever the playhead has moved, and when the run is another."""
        ...
