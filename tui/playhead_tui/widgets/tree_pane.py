"""The call and await tree at the playhead."""

from __future__ import annotations

from playhead_tui.model.tree import await_tree
from playhead_tui.model.view import View
from playhead_tui.widgets.outline_rows import OutlineRows


class TreePane(OutlineRows):
    """See the module."""

    BORDER_TITLE = "Tree"

    def look(self, view: View) -> None:
        """See `Pane`."""
        if not view.is_pending:
            self.show_nodes(await_tree(view.run, view.place, view.state))
