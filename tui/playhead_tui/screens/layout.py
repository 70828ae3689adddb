"""Which panes are on the screen: as many as there is room for, the one that is wanted always among them."""

from __future__ import annotations

from typing import Final

from playhead_engine.record import record

PANES: Final = {
    "events": "Events",
    "source": "Source",
    "variables": "Variables",
    "detail": "Event",
    "tree": "Tree",
    "watches": "Watches",
    "divergence": "Why",
    "overview": "Timeline",
}
"""The panes by their ids, in the order of their keys."""

LOWER: Final = ("variables", "detail", "tree", "watches", "divergence")
"""Those that share the place below the source."""

ALONE_WIDTH: Final = 60
ALONE_HEIGHT: Final = 16
PAIR_WIDTH: Final = 110
COLUMN_WIDTH: Final = 180


@record
class Wanted:
    """What the user wants to see.

    Attributes:
        current: The pane that was chosen last.
        lower: The pane below the source that was chosen last.
        companion: The one that was chosen last that does not show the variables.
        is_alone: Whether the current pane is to be alone.
        has_source: Whether there is source to show at all.
    """

    current: str = "events"
    lower: str = "variables"
    companion: str = "detail"
    is_alone: bool = False
    has_source: bool = True

    def choosing(self, pane: str) -> Wanted:
        """With another pane in front."""
        lower = pane if pane in LOWER else self.lower
        companion = lower if lower != "variables" else self.companion
        return Wanted(pane, lower, companion, self.is_alone, self.has_source)


@record
class Arrangement:
    """What is on the screen.

    Attributes:
        panes: Ids of the panes.
        has_bar: Whether the names of the panes are shown.
        has_footer: Whether the keys are.
    """

    panes: frozenset[str]
    has_bar: bool
    has_footer: bool


def arranged(wanted: Wanted, width: int, height: int) -> Arrangement:
    """What fits on a screen of a size, in columns and lines."""
    if wanted.is_alone or width < ALONE_WIDTH or height < ALONE_HEIGHT:
        return Arrangement(frozenset([wanted.current]), height >= 4, height >= 8)
    panes = {"events", "overview"}
    if wanted.has_source:
        panes.add("source")
        panes |= {"variables", wanted.companion} if width >= PAIR_WIDTH else {wanted.lower}
    else:
        panes.add(wanted.lower if wanted.lower in ("detail", "watches") else wanted.companion)
    if height < 24 and wanted.current != "overview":
        panes.discard("overview")
    return Arrangement(frozenset(panes), True, True)
