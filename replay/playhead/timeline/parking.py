"""Parked runs: live runs that stand at some workflow task, for what only the code itself can answer.

A run cannot be copied, since coroutines cannot. So to get to a task, the parked run that is nearest before it goes on,
or a new one begins; going forward costs what lies in between, going back what lies before. A few stay parked, and
`spread` puts them evenly over a long run, ahead of time.

Several threads may ask at once: each has the runs to itself while it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import RLock
from typing import Final

from playhead.enactment import Enactment
from playhead.passage import collector_spared
from playhead.timeline.rerun import Rerun

_MOST_PARKED: Final = 12


class Parking:
    """The live runs of one recording."""

    def __init__(self, begin: Callable[[], Rerun], tasks: int, ended: Enactment | None = None) -> None:
        """
        Args:
            begin: Makes a new run.
            tasks: How many workflow tasks there are.
            ended: The run that was recorded, if it can be asked at its end.
        """
        self._begin = begin
        self._tasks = tasks
        self._ended = ended
        self._parked: list[Rerun] = []
        self._lock = RLock()

    @contextmanager
    def at(self, task: int) -> Generator[Enactment]:
        """A run that stands after a workflow task. It stays parked: leave it as it is, or `forget` it.

        Raises:
            NotAnswered: The code does not do what it did when it was recorded.
        """
        with self._lock:
            if self._ended is not None and task >= self._ended.task:
                yield self._ended
                return
            with self.before(task + 1) as rerun, collector_spared():
                rerun.advance_to(task)
            yield rerun

    @contextmanager
    def before(self, task: int) -> Generator[Rerun]:
        """The run that is nearest before a workflow task, to go on from there; it is parked where it comes to stand.

        Raises:
            NotAnswered: As `at`.
        """
        with self._lock:
            nearest = max((one for one in self._parked if one.task < task), key=_task, default=None)
            rerun = self._begin() if nearest is None else nearest
            if nearest is None:
                self._park(rerun)
            try:
                yield rerun
            except BaseException:
                self.forget(rerun)  # nobody knows where it stands
                raise

    def spread(self) -> None:
        """Park runs so that none is far from any workflow task.

        It takes as long as a few reruns. Others may ask meanwhile.
        """
        distance = self._tasks // _MOST_PARKED + 1
        for task in range(distance, self._tasks, distance):
            with self._lock:
                if any(task - distance < rerun.task <= task for rerun in self._parked):
                    continue
            rerun = self._begin()
            with collector_spared():
                rerun.advance_to(task)
            with self._lock:
                self._park(rerun)

    def forget(self, run: Enactment) -> None:
        """Do not go on with a run that is no longer what it was."""
        with self._lock:
            if run is self._ended:
                self._ended = None
            else:
                self._parked = [rerun for rerun in self._parked if rerun is not run]
        run.close()

    def close(self) -> None:
        """Throw all of them out of memory."""
        with self._lock:
            for run in (*self._parked, self._ended):
                if run is not None:
                    self.forget(run)

    def _park(self, rerun: Rerun) -> None:
        self._parked.append(rerun)
        if len(self._parked) > _MOST_PARKED:
            self.forget(self._least_missed(rerun))

    def _least_missed(self, newest: Rerun) -> Rerun:
        """The run without which the ways to all tasks are least longer; never the newest."""
        parked = sorted(self._parked, key=_task)
        ends = [*(rerun.task for rerun in parked[1:]), self._tasks]
        begins = [0, *(rerun.task for rerun in parked)]
        longer = {
            rerun: (rerun.task - begin) * (end - rerun.task)
            for rerun, begin, end in zip(parked, begins, ends, strict=False)
            if rerun is not newest
        }
        return min(longer, key=longer.__getitem__)


def _task(rerun: Rerun) -> int:
    return rerun.task
