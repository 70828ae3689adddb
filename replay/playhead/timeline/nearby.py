"""What lies around a workflow task, and was not kept when the run was recorded: worked out when somebody asks for it.

A run goes there from where the nearest one is parked. The longer that way, the more of what is right before the task is
worked out as well: whoever goes on backwards does not have to go that way again for each task. What was worked out
longest ago is forgotten.
"""

from __future__ import annotations

from typing import Final

from playhead.passage import collector_spared
from playhead.timeline.capture import Capture, Limits
from playhead.timeline.parking import Parking
from playhead.timeline.snapshot import Snapshot, look
from playhead.timeline.state import inspectable
from playhead.timeline.steps import Step, Steps, Walk

_PART_BEHIND: Final = 8
_MOST_BEHIND: Final = 200
_MOST_STATES: Final = 1_000
_MOST_STEPS: Final = 50_000


def _behind(task: int, parked_at: int) -> int:
    """How many tasks before one are worked out as well."""
    return min((task - parked_at) // _PART_BEHIND, _MOST_BEHIND)


class NearbyStates:
    """States after workflow tasks."""

    def __init__(self, parking: Parking, limits: Limits) -> None:
        """
        Args:
            parking: Gives runs.
            limits: How much of each variable is captured.
        """
        self._parking = parking
        self._limits = limits
        self._known: dict[int, Snapshot] = {}

    def of_task(self, task: int) -> Snapshot:
        """The state after a workflow task.

        Raises:
            NotAnswered: Run once more, the code does something else.
        """
        known = self._known
        if task not in known:
            with self._parking.before(task + 1) as rerun, collector_spared():
                for number in range(max(task - _behind(task, rerun.task), rerun.task), task + 1):
                    rerun.advance_to(number)
                    known.pop(number, None)
                    known[number] = look(inspectable(rerun), rerun.completion, Capture(self._limits))
            while len(known) > _MOST_STATES:
                del known[next(iter(known))]
        return known[task]


class NearbySteps:
    """The lines of workflow tasks."""

    def __init__(self, parking: Parking) -> None:
        """
        Args:
            parking: Gives runs.
        """
        self._parking = parking
        self._known: dict[int, Steps] = {}

    def of_task(self, task: int) -> list[Step]:
        """The steps of one workflow task.

        Raises:
            NotAnswered: Run once more, the code does something else.
        """
        return self._around(task).of_task(task)

    def is_cut(self, task: int) -> bool:
        """Whether it ran more lines than are kept."""
        return task in self._around(task).cut

    def _around(self, task: int) -> Steps:
        steps = self._known.get(task)
        if steps is None:
            with self._parking.before(task) as rerun:
                with collector_spared():
                    rerun.advance_to(task - 1 - _behind(task, rerun.task))
                first = rerun.task + 1
                walk = Walk(rerun)
                walk.advance_to(task)
            steps = Steps(walk)
            self._forget_some(len(steps))
            self._known.update(dict.fromkeys(range(first, task + 1), steps))
        return steps

    def _forget_some(self, room: int) -> None:
        walks = dict.fromkeys(self._known.values())
        kept = sum(map(len, walks))
        for steps in walks:
            if kept + room <= _MOST_STEPS:
                return
            kept -= len(steps)
            self._known = {task: known for task, known in self._known.items() if known is not steps}
