"""Searching and filtering while the user types: a little of the history at a time, so that no key has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from playhead_tui.model.filter import Filter
from playhead_tui.model.run import Run
from playhead_tui.model.search import Search, Texts

_SLICE: Final = 0.008
"""Seconds after which others are let through."""


class Finding:
    """What is looked for in a run.

    Attributes:
        search: The search that was begun last; None if nothing is looked for.
    """

    def __init__(self) -> None:
        self.search: Search | None = None
        self._run: Run | None = None
        self._texts: Texts | None = None
        self._task: asyncio.Task[None] | None = None

    def look_for(self, text: str, run: Run, changed: Callable[[], None]) -> None:
        """Look for something else from now on.

        Args:
            text: A filter; an empty one looks for nothing.
            run: Where.
            changed: Called when more has been found, and when all was looked at.

        Raises:
            BadFilter: The filter means nothing; what was looked for before still is.
        """
        wanted = Filter(text)
        self._stop()
        if not wanted:
            self.search = None
            changed()
            return
        self.search = Search(self._texts_of(run), wanted, self.search)
        self._task = asyncio.ensure_future(self._go_on(self.search, changed))

    async def finish(self) -> None:
        """Wait until all was looked at."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def anew(self, run: Run, changed: Callable[[], None]) -> None:
        """Look for the same in another replay of the run."""
        if self.search is not None:
            self.look_for(self.search.filter.text, run, changed)

    async def _go_on(self, search: Search, changed: Callable[[], None]) -> None:
        while not search.advance(_SLICE):
            changed()
            await asyncio.sleep(0)
        changed()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _texts_of(self, run: Run) -> Texts:
        if self._texts is None or run is not self._run:
            sources = run.recording.sources if run.recording is not None else None
            self._run, self._texts = run, Texts(run.groups, run.decoder.payloads, sources)
        return self._texts
