"""What there is to see with the playhead where it stands. A view never changes: moving the playhead makes a new one."""

from __future__ import annotations

from functools import cached_property

from playhead.timeline.snapshot import Difference, Snapshot
from playhead_engine.call_site import CallSite
from playhead_engine.history import HistoryEvent
from playhead_tui.model.comparison import changes
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run


class View:
    """See the module.

    Attributes:
        run: The run.
        place: Where the playhead stands.
        state: What the run looked like there; None if that is not known.
        since: Where the playhead stood before; None at first.
        before: What the run looked like there.
        is_pending: Whether the state is still being worked out.
    """

    def __init__(
        self,
        run: Run,
        place: Place,
        state: Snapshot | None = None,
        since: Place | None = None,
        before: Snapshot | None = None,
        *,
        is_pending: bool = False,
    ) -> None:
        self.run = run
        self.place = place
        self.state = state
        self.since = since
        self.before = before
        self.is_pending = is_pending

    @property
    def event(self) -> HistoryEvent:
        """The event at the playhead."""
        return self.run.event(self.place.event)

    @cached_property
    def site(self) -> CallSite | None:
        """The current line: about to run, or what the event comes from; else where the run is suspended."""
        site = self.run.site(self.place)
        if site is None and self.state is not None:
            site = next((one.stack[-1].site for one in self.state.coroutines if one.stack), None)
        return site

    @cached_property
    def awaits(self) -> list[CallSite]:
        """The lines that the run waits at."""
        return [wait.site for wait in self.state.waits if wait.site is not None] if self.state is not None else []

    @cached_property
    def changes(self) -> dict[str, Difference]:
        """What is not as it was where the playhead stood before, by name: `self.total`, `run.order.items[2]`."""
        if self.state is None or self.before is None:
            return {}
        is_alike_captured = self.since is None or bool(self.since.step) == bool(self.place.step)
        return changes(self.before, self.state, is_alike_captured=is_alike_captured)
