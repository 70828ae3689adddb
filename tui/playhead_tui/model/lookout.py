"""The lookout: what the user wants to be told of in a run, and what there is to tell.

Where breakpoints lead, what logpoints say and what watches hold may take another replay to find out; so all of that is
an errand, and whoever shows it is told when it is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from playhead_tui.model.breakpoints import Logpoint, OnEvents, Stops, Trigger
from playhead_tui.model.errands import Errands
from playhead_tui.model.hits import Hit, Hits, Said, Watched
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run


class Lookout:
    """See the module.

    Attributes:
        stops: Breakpoints, logpoints and watches.
        watched: What the watches hold where the playhead is.
        said: What the logpoints say.
        events: Ids of the events at which a breakpoint on events stops the run.
    """

    def __init__(self, errands: Errands, busy: Callable[[str], AbstractContextManager[None]]) -> None:
        """
        Args:
            errands: Runs what takes time.
            busy: Says that something does.
        """
        self.stops = Stops()
        self.watched: list[Watched] = []
        self.said: list[Said] = []
        self.events: set[int] = set()
        self._errands = errands
        self._busy = busy
        self._run: Run | None = None
        self._hits: Hits | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def problems(self) -> dict[Trigger | Logpoint, str]:
        """Why breakpoints and logpoints mean nothing in this run."""
        return self._hits.problems if self._hits is not None else {}

    def count(self, trigger: Trigger) -> int | None:
        """How often a breakpoint stops the run; None as long as nobody has found out."""
        return self._hits.count(trigger) if self._hits is not None else None

    def hits_of(self, run: Run) -> Hits:
        """The hits in a run."""
        if self._hits is None or run is not self._run:
            self._run, self._hits = run, Hits(run)
        return self._hits

    async def next(self, run: Run, place: Place, *, forward: bool) -> Hit | None:
        """The next place at which a breakpoint stops the run, or the one before."""
        hits, breakpoints = self.hits_of(run), self.stops.breakpoints
        with self._busy("looking for breakpoints"):
            return await self._errands.run(hits.next, breakpoints, place, forward=forward)

    def ask(self, run: Run, place: Place, since: Place | None, told: Callable[[], None]) -> None:
        """Find out what there is to tell at a place.

        Args:
            run: The run.
            place: Where the playhead is.
            since: Where it was before.
            told: Called when it is known.
        """
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        hits, stops = self.hits_of(run), self.stops
        if not (stops.breakpoints or stops.logpoints or stops.watches):
            self.watched, self.said, self.events = [], [], set()
            told()
            return
        self._asking = asyncio.ensure_future(self._ask(hits, stops, place, since, told))

    async def _ask(self, hits: Hits, stops: Stops, place: Place, since: Place | None, told: Callable[[], None]) -> None:
        def find() -> tuple[list[Watched], list[Said], set[int]]:
            events: set[int] = set()
            for one in stops.breakpoints:
                if one.is_enabled and isinstance(one.trigger, OnEvents):
                    events.update(found.event for found in hits.places(one.trigger))
            return hits.watched(stops.watches, place, since), hits.said(stops.logpoints), events

        with self._busy("looking at watches"):
            self.watched, self.said, self.events = await self._errands.run(find)
        told()
