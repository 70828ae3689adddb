"""A rerun: the code of a recorded passage once more, for what only the code itself can answer.

The recording knows what the code was told, so a rerun is told the same, and nothing is held against the history again:
that is most of what a replay costs. What the code asks for is compared in kind and number only. Code that asks for
something else the second time is not the code that was recorded, and nothing it said would be true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead.enactment import Enactment, Staging
from playhead.timeline.asking import NotAnswered
from playhead_engine.record import record
from playhead_engine.runtime import Completion, TaskCompleted

if TYPE_CHECKING:
    from playhead_engine.activation import Activation


@record
class Told:
    """What the code was told once, and what it answered.

    Attributes:
        task: Number of the workflow task.
        activation: What it was told.
        asked: The kinds of the commands that it answered with; None if it answered with something else.
    """

    task: int
    activation: Activation
    asked: tuple[type, ...] | None


def kinds_asked(completion: Completion | None) -> tuple[type, ...] | None:
    """The kinds of the commands in an answer; None if there are none because there is no answer."""
    return tuple(map(type, completion.commands)) if isinstance(completion, TaskCompleted) else None


class Rerun(Enactment):
    """See the module."""

    def __init__(self, staging: Staging, told: Sequence[Told]) -> None:
        """
        Args:
            staging: Begins the run of the code.
            told: All that the code was told when it was recorded.
        """
        super().__init__(staging)
        self._told = told
        self._next = 0

    def advance_to(self, task: int) -> None:
        """Go on until a workflow task is over, or until there is nothing more to tell.

        Raises:
            NotAnswered: The code asks for something else than it did when it was recorded.
        """
        told = self._told
        while self._next < len(told) and told[self._next].task <= task:
            once = told[self._next]
            self._next += 1
            self.task = once.task
            self.tell(once.activation)
            if kinds_asked(self.completion) != once.asked:
                self._next = len(told)
                raise NotAnswered(
                    f"run once more, the code did not do in workflow task {once.task} what it did before: it depends "
                    "on something that no history records. `playhead replay --hunt` looks for what that is"
                )
