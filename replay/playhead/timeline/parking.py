"""Parked passages: live runs that stand at some workflow task, for what only the code itself can answer.

A run cannot be copied, since coroutines cannot. So to get to a task, the parked passage that is nearest before it goes
on, or a new one begins; going forward costs what lies in between, going back what lies before. A few stay parked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playhead.passage import Passage, collector_spared

_MOST_PARKED: Final = 4


class Parking:
    """The live runs of one recording."""

    def __init__(self, begin: Callable[[], Passage]) -> None:
        """
        Args:
            begin: Makes a new passage through the history.
        """
        self._begin = begin
        self._parked: list[Passage] = []

    def at(self, task: int) -> Passage:
        """A passage that stands after a workflow task. It stays parked: leave the run as it is, or `forget` it."""
        before = [passage for passage in self._parked if passage.task <= task]
        passage = max(before, key=lambda passage: passage.task, default=None)
        if passage is None:
            passage = self._begin()
        else:
            self._parked.remove(passage)
        self._parked.append(passage)
        if len(self._parked) > _MOST_PARKED:
            self._parked.pop(0).close()
        with collector_spared():
            passage.advance_to(task)
        return passage

    def forget(self, passage: Passage) -> None:
        """Do not go on with a passage whose run is no longer what it was."""
        self._parked.remove(passage)
        passage.close()

    def close(self) -> None:
        """Throw all of them out of memory."""
        while self._parked:
            self._parked.pop().close()
