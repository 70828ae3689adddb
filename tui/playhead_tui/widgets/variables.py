"""The variables, with those marked that changed since the playhead was moved."""

from __future__ import annotations

from playhead_tui.model.variables import variable_nodes
from playhead_tui.model.view import View
from playhead_tui.widgets.outline_rows import OutlineRows


class Variables(OutlineRows):
    """See the module."""

    BORDER_TITLE = "Variables"

    def look(self, view: View) -> None:
        """See `Pane`."""
        if view.is_pending:
            self.border_subtitle = "replaying to here …"
            return
        self.show_nodes(variable_nodes(view))
        changed = len(view.changes)
        self.border_subtitle = f"{changed} changed since {view.since}" if changed else ""
