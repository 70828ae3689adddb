"""Which line of code asked for which event of a future: a passage through it that takes notes."""

from __future__ import annotations

from playhead.passage import Passage, collector_spared
from playhead_engine.call_site import CallSite, noting_origins
from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent


def sites_of(passage: Passage) -> dict[int, CallSite]:
    """The lines that asked for events, by the ids of these, as far as the code comes along with the history.

    Args:
        passage: At its beginning; it is closed.
    """
    sites: dict[int, CallSite] = {}

    def note(event: HistoryEvent, command: Command) -> None:
        site: CallSite | None = getattr(command, "site", None)
        if site is not None:
            sites[event.event_id] = site

    passage.machines.on_met(note)
    try:
        with noting_origins(), collector_spared():
            while passage.advance():
                pass
    finally:
        passage.close()
    return sites
