"""The choices of an attempt where no step of the code fits a recorded one, in the order in which they are worth trying,
and what each costs.

- **catch up**: the code's step in the way is new; it is answered with a guess, and the code goes on to what is next;
- **stand in**: it is the recorded step under another name or of another kind, and gets the recorded outcome;
- **skip**: the recorded step is gone; or, right after a step was caught up with, that one stood in its place.

A renamed step is cheaper than one removed and one added, and so is one that moved. Guessing costs a little, so that of
two explanations the one that rests more on the recording wins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from playhead.diagnosis.outcomes import Outcomes
from playhead.diagnosis.steps import AWAITED, ENDS, Step, StepKind
from playhead_engine.activation import Job
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.machine import Machine
from playhead_engine.messages import Payload

ADDED: Final = 1.0
REMOVED: Final = 1.0
RENAMED: Final = 1.0
OTHER_KIND: Final = 1.6
MOVED: Final = 0.7
UNREACHED: Final = 1.0
RAISED: Final = 3.0
GUESS: Final = 0.05

Key = tuple[StepKind, str]


@dataclass(slots=True, eq=False)
class Asked:
    """A step that the code asked for in an attempt.

    Attributes:
        step: The step.
        order: Its place among the code's steps, from 0.
        machine: Its state machine, for those that have one.
        is_next: It was asked for where the history ends, in a task whose end is not recorded: no difference.
        event: The recorded step that it was laid beside.
        is_guessed: What the code was told of its end was a guess.
        queue: Guessed jobs that it is still to be told.
        has_own_result: It stands in for a recorded step whose result it cannot take, and gets a guess instead.
        asked_at: How many recorded steps were met, and guesses told, by then.
        is_taken_back: The code took it back before anything else was met: a replay never sees it.
    """

    step: Step
    order: int
    machine: Machine | None
    is_next: bool
    event: HistoryEvent | None = None
    is_guessed: bool = False
    queue: deque[Job] = field(default_factory=deque)
    has_own_result: bool = False
    asked_at: int = 0
    is_taken_back: bool = False

    @property
    def can_be_answered(self) -> bool:
        """Whether the code waits for its end, and nobody has told it."""
        return self.event is None and self.step.kind in AWAITED and (not self.is_guessed or bool(self.queue))

    @property
    def is_over(self) -> bool:
        """Whether the code has taken it back, so that nothing can be told of it."""
        return self.machine is not None and self.machine.cancelled_before_sent


@dataclass(frozen=True, slots=True)
class Option:
    """One way on.

    Attributes:
        action: What to do.
        price: What it costs.
        asked: The code's step it is done with; None for `skip`.
        result: A guessed result; None where the recorded outcome is to be told.
        event: The recorded step it is laid beside, where that is not the one at hand.
    """

    action: Literal["catch up", "stand in", "skip", "late", "wait"]
    price: float
    asked: Asked | None = None
    result: Payload | None = None
    event: HistoryEvent | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Where an attempt had to choose.

    Attributes:
        price_before: What it had cost by then.
        prices: What each option costs.
        taken: The number of the option taken.
    """

    price_before: float
    prices: tuple[float, ...]
    taken: int


@dataclass(frozen=True, slots=True)
class Situation:
    """Where an attempt stands when it has to choose.

    Attributes:
        recorded: The recorded step that nothing fits.
        waiting: The code's steps that no recorded one was laid beside, the oldest first.
        ahead: Keys of the recorded steps to come.
        caught_up: The step that was caught up with last while looking for this one.
        known_names: Keys that have stood in for others before.
        may_guess: Whether guesses are left.
    """

    recorded: Step
    waiting: list[Asked]
    ahead: Collection[Key]
    caught_up: Asked | None
    known_names: Mapping[Key, Key]
    may_guess: bool


def options(now: Situation, outcomes: Outcomes, alike: HistoryEvent | None) -> list[Option]:
    """What can be done, the most promising first.

    Args:
        now: Where the attempt stands.
        outcomes: Guesses.
        alike: A recorded step of the same key as the one that would be answered.
    """
    open_ones = [asked for asked in now.waiting if not asked.is_guessed]
    new = [asked for asked in open_ones if asked.step.key not in now.ahead and not asked.step.belongs_to_patch]
    stand_ins = [option for asked in new[:2] for option in _stand_ins(now.recorded, asked, outcomes)]
    catch_ups: list[Option] = []
    answered = to_answer(now.waiting, now.ahead)
    if answered is not None and now.may_guess:
        if answered.queue:
            catch_ups = [Option("catch up", 0.0, answered)]
        else:
            guesses = outcomes.guesses(answered.step, alike)
            catch_ups = [Option("catch up", ADDED + n * GUESS, answered, guess) for n, guess in enumerate(guesses)]
    skip = Option("skip", _price_of_skipping(now))
    if catch_ups and catch_ups[0].price == 0.0:
        return [*catch_ups, *stand_ins, skip]
    first = stand_ins[0].asked if stand_ins else None
    if first is not None and now.known_names.get(now.recorded.key) == first.step.key:
        return [*stand_ins, *catch_ups, skip]
    if now.caught_up is not None or (open_ones and open_ones[0] not in new):
        return [skip, *stand_ins, *catch_ups]
    return [*catch_ups, *stand_ins, skip]


def to_answer(waiting: list[Asked], ahead: Collection[Key]) -> Asked | None:
    """The step to catch up with: timers last, for they most often only limit something else."""
    can_be = [a for a in waiting if a.can_be_answered and (a.is_guessed or a.step.key not in ahead)]
    return min(can_be, key=lambda asked: (not asked.queue, asked.step.kind is StepKind.TIMER), default=None)


def may_stand_in(recorded: StepKind, now: StepKind) -> bool:
    """Whether code may have been changed from the one kind to the other."""
    return (recorded in AWAITED and now in AWAITED) or (recorded in ENDS and now in ENDS)


def _stand_ins(recorded: Step, asked: Asked, outcomes: Outcomes) -> list[Option]:
    if asked.step.kind is not recorded.kind and not may_stand_in(recorded.kind, asked.step.kind):
        return []
    price = RENAMED if asked.step.kind is recorded.kind else OTHER_KIND
    found = [Option("stand in", price, asked)]
    if asked.step.kind in AWAITED:  # the recorded result may be of a type that the code cannot take
        found.append(Option("stand in", price + GUESS, asked, outcomes.guesses(asked.step, None)[0]))
    return found


def _price_of_skipping(now: Situation) -> float:
    """Skipping is paid for in part if the step caught up with last stands in the place of the skipped one."""
    if now.caught_up is None or not may_stand_in(now.recorded.kind, now.caught_up.step.kind):
        return REMOVED
    whole = RENAMED if now.caught_up.step.kind is now.recorded.kind else OTHER_KIND
    return whole - ADDED + GUESS
