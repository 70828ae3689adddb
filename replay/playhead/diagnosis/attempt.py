"""One attempt to lay the code's steps beside the recorded ones, beyond the first place where they differ.

A replay stops at its first mismatch: the recorded side is known to the end, but what the code does next depends on
answers that were never recorded. An attempt goes on. It is an ordinary run of the rules in `matching`, with another
queue: a recorded step is met by the step of the code that it fits, wherever that stands, and gets what was recorded of
it. Where none fits, the attempt must choose (see `choices`), and each choice has its price. `alignment` tries choices
until it has found the cheapest way to explain the whole history.
This module must not explain anything, and it never runs an activity.
"""

from __future__ import annotations

import time
from typing import Final

from playhead.diagnosis.choices import (
    ADDED,
    GUESS,
    MOVED,
    OTHER_KIND,
    RAISED,
    REMOVED,
    RENAMED,
    UNREACHED,
    Asked,
    Key,
    Option,
    Point,
    Situation,
    may_stand_in,
    options,
    to_answer,
)
from playhead.diagnosis.meeting import ForgivingMachines, MeetingQueue, Skipped, without_name
from playhead.diagnosis.outcomes import Outcomes, resolutions
from playhead.diagnosis.recorded import RecordedSteps
from playhead.diagnosis.steps import ENDS, Step, StepKind, asked_step, likeness
from playhead_engine.activation import Activation, Job
from playhead_engine.commands import Command, ScheduleLocalActivity
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import ReplayError
from playhead_engine.machines.local_activity import LocalActivityMachine
from playhead_engine.machines.machine import Machine
from playhead_engine.machines.markers import is_local_activity_marker, local_activity_marker
from playhead_engine.machines.patch import PatchMachine
from playhead_engine.messages import Payload
from playhead_engine.profile import Profile
from playhead_engine.runtime import TaskFailed, WorkflowInstance

_LOOK_AHEAD: Final = 40
_MOST_GUESSES: Final = 1000


class Stopped(Exception):
    """The attempt cannot go on; the text says why."""


class TooDear(Stopped):
    """Another attempt explains more at a lower price, or time is up."""


class Attempt:
    """One run of the code along a history, by choices.

    Attributes:
        price: What the differences found so far cost.
        points: Where it had to choose.
        asked: The code's steps.
        skipped: Recorded steps that no step of the code met.
        in_place_of: Steps that were answered by guesses and stand in the place of a skipped one, by its event id.
        passed: Ids of recorded steps that no step of the code needs to meet.
        stopped: Why it did not reach the end; empty if it did.
        reached: Id of the last event that was compared.
        compared_to: The same, where the code was not stopped but waits for good; else 0.
    """

    def __init__(
        self,
        recorded: RecordedSteps,
        workflow_id: str,
        instance: WorkflowInstance,
        profile: Profile,
        outcomes: Outcomes,
        choices: tuple[int, ...] = (),
        limit: float = float("inf"),
        deadline: float = float("inf"),
    ) -> None:
        """
        Args:
            recorded: The whole history.
            workflow_id: Id of the workflow.
            instance: The code, which has not begun.
            profile: The release of Temporal's core whose rules apply.
            outcomes: Guesses.
            choices: Numbers of the options to take, point by point; after them the first one is taken.
            limit: Give up at this price.
            deadline: Give up at this time of `time.monotonic`.
        """
        self.price = 0.0
        self.points: list[Point] = []
        self.asked: list[Asked] = []
        self.skipped: dict[int, Skipped] = {}
        self.passed: set[int] = set()
        self.stopped = ""
        self.is_cut_short = False
        self.compared_to = 0
        self.reached = 0
        self.guesses = 0
        self._choices, self._limit, self._deadline = choices, limit, deadline
        self._instance, self._outcomes = instance, outcomes
        self.steps = recorded
        self._events = events = recorded.events
        self._ends_with_completed_task = events[-1].KIND == "WORKFLOW_TASK_COMPLETED"
        self._queue = MeetingQueue(self)
        self.machines = ForgivingMachines([without_name(event) for event in events], workflow_id, profile, self._queue)
        self._is_told_live = False
        self._highest_order_met = -1
        self._open: list[Asked] = []  # what no recorded step has been laid beside
        self._last_event_met = 0
        self._moves = 0
        self._caught_up: Asked | None = None
        self._skipped_by_key: dict[Key, list[Skipped]] = {}
        self._known_names: dict[Key, Key] = {}
        self.in_place_of: dict[int, Asked] = {}
        self._reserved: dict[int, Asked] = {}

    def run(self) -> None:
        """Go as far as one can."""
        try:
            while (activation := self.machines.next_activation()) is not None:
                self._activate(activation)
            self._end()
        except TooDear as error:
            self.is_cut_short = True
            self.stopped = str(error)
        except (ReplayError, Stopped) as error:
            self.stopped = str(error)
        self.reached = self.machines.last_event_id if self.stopped else len(self._events)
        if self.compared_to:
            self.reached = self.compared_to
        elif self.stopped:
            self.price += RAISED + UNREACHED * len(self.steps.behind(self.reached))
        unpaid = (a for a in self.unmet() if not a.is_guessed and not a.step.belongs_to_patch)
        self.price += ADDED * sum(1 for _ in unpaid)

    def _end(self) -> None:
        """Let the code go on to its end, where the recorded run came to its own."""
        if not self.machines.closed:
            return
        while not any(asked.step.kind in ENDS for asked in self.asked):
            waiting = [asked for asked in self.unmet() if asked.can_be_answered]
            if not waiting:
                self._stays_waiting()
                return
            if not waiting[0].queue:
                self.price += ADDED
            self._answer(waiting[0], self._outcomes.guesses(waiting[0].step, None)[0])

    def _stays_waiting(self) -> None:
        """The code waits for what was never recorded: what comes behind its last step cannot be compared."""
        last = max((asked.event.event_id for asked in self.asked if asked.event is not None), default=0)
        behind = [event_id for event_id in self.steps.behind(last) if event_id in self.skipped]
        if behind:
            self.compared_to = behind[0]
            self.stopped = "the code waits, and nothing that was recorded lets it go on"

    def go_on(self, most: int) -> None:
        """Answer what the code waits for where its history ends, with what was recorded elsewhere or with guesses.

        Args:
            most: How many steps to go at most.
        """
        try:
            while len(self.asked) < most and not any(asked.step.kind in ENDS for asked in self.asked):
                waiting = [asked for asked in self.asked if asked.can_be_answered and not asked.is_over]
                if not waiting:
                    return
                asked = min(waiting, key=lambda one: one.step.kind is StepKind.TIMER)
                self._answer(asked, self._outcomes.guesses(asked.step, self.steps.first(asked.step.key))[0])
        except (ReplayError, Stopped) as error:
            self.stopped = str(error)

    def unmet(self) -> list[Asked]:
        """The code's steps that were recorded nowhere."""
        return [a for a in self.asked if a.event is None and not a.is_next and not a.is_taken_back]

    # What the queue asks

    def send(self, command: Command, machine: Machine) -> None:
        """Take a command of the code."""
        if isinstance(machine, LocalActivityMachine):
            return  # asked for before; this is the marker of its end
        if isinstance(machine, PatchMachine) and machine.command is not None:
            command = machine.command
        asked = Asked(asked_step(command), len(self.asked), machine, self._is_told_live, asked_at=self._moves)
        self.asked.append(asked)
        self._open.append(asked)
        self._meet_late(asked)

    def note_taken_back(self) -> None:
        """See which steps the code has taken back."""
        for asked in self._open:
            if asked.asked_at == self._moves and asked.is_over:
                asked.is_taken_back = True

    def meet(self, event: HistoryEvent, *, may_be_unmet: bool) -> Asked | None:
        """Find the step of the code for a recorded step; None if there is none.

        Args:
            event: The recorded step.
            may_be_unmet: It is no difference if there is none.
        """
        self._moves += 1
        self._caught_up = None
        reserved = self._reserved.pop(event.event_id, None)
        if reserved is not None:
            return reserved
        recorded = self.steps.step(event.event_id)
        while True:
            waiting = [a for a in self._open if not a.is_over]
            fitting = [a for a in waiting if a.step.key == recorded.key and not a.is_guessed]
            if fitting:
                return self._laid(max(fitting, key=lambda a: likeness(recorded, a.step)), event)
            if may_be_unmet:
                self.passed.add(event.event_id)
                return None
            now = self._situation(recorded, event, waiting)
            answered = to_answer(waiting, now.ahead)
            alike = self.steps.first(answered.step.key) if answered is not None else None
            option = self._choose(options(now, self._outcomes, alike))
            if option.action == "skip":
                self._skip(event, recorded)
                return None
            assert option.asked is not None
            if option.action == "stand in":
                self._known_names[recorded.key] = option.asked.step.key
                option.asked.has_own_result = option.result is not None
                return self._laid(option.asked, event)
            if not option.asked.is_guessed:
                self._caught_up = option.asked
            self._answer(option.asked, option.result)

    def _skip(self, event: HistoryEvent, recorded: Step) -> None:
        self.skipped[event.event_id] = skipped = Skipped(self, event)
        self._skipped_by_key.setdefault(recorded.key, []).append(skipped)
        caught_up = self._caught_up
        if caught_up is not None and may_stand_in(recorded.kind, caught_up.step.kind):
            self.in_place_of[event.event_id] = caught_up
            if caught_up.step.kind is recorded.kind:
                self._known_names[recorded.key] = caught_up.step.key

    def resolutions(self, step: Step, instead_of: HistoryEvent, *, takes_guess: bool) -> list[Job]:
        """What tells the code of the end of a step that stands in for a recorded one of another kind."""
        recorded = None if takes_guess else self._outcomes.result_of(self.steps.event(instead_of.event_id))
        result = recorded[0] if recorded is not None else self._outcomes.guesses(step, None)[0]
        return resolutions(step, result)

    def _laid(self, asked: Asked, event: HistoryEvent) -> Asked:
        self._pair(asked, event)
        if asked.order < self._highest_order_met and not asked.step.belongs_to_patch:
            self.price += MOVED
        self._highest_order_met = max(self._highest_order_met, asked.order)
        return asked

    def _pair(self, asked: Asked, event: HistoryEvent) -> None:
        asked.event = event
        self._open.remove(asked)
        self._last_event_met = max(self._last_event_met, event.event_id)

    def _meet_late(self, asked: Asked) -> None:
        """A step that was recorded earlier, and skipped."""
        for skipped in self._skipped_by_key.get(asked.step.key, ()):
            if skipped.told is not None:
                continue
            has_moved = skipped.event.event_id < self._last_event_met
            late = Option("late", (MOVED if has_moved else 0.0) - REMOVED, asked, event=skipped.event)
            ahead = self.steps.behind(self.machines.last_event_id, _LOOK_AHEAD)
            if any(self.steps.step(event_id).key == asked.step.key for event_id in ahead):
                late = self._choose([Option("wait", 0.0, asked), late])
            else:
                self.price += late.price
            if late.action == "late":
                self._pair(asked, skipped.event)
                self.in_place_of.pop(skipped.event.event_id, None)
                skipped.meet(asked, self)
                return

    def _situation(self, recorded: Step, event: HistoryEvent, waiting: list[Asked]) -> Situation:
        ahead = {self.steps.step(other).key for other in self.steps.behind(event.event_id, _LOOK_AHEAD)}
        may_guess = self.guesses < _MOST_GUESSES
        return Situation(recorded, waiting, ahead, self._caught_up, self._known_names, may_guess)

    def _choose(self, options: list[Option]) -> Option:
        number = len(self.points)
        wanted = self._choices[number] if number < len(self._choices) else 0
        taken = wanted if wanted < len(options) else 0
        self.points.append(Point(self.price, tuple(option.price for option in options), taken))
        self.price += options[taken].price
        if self.price >= self._limit:
            raise TooDear("another explanation is simpler")
        if time.monotonic() > self._deadline:
            raise TooDear("time is up")
        return options[taken]

    # Running the code

    def _activate(self, activation: Activation) -> None:
        self._is_told_live = not activation.is_replaying or (
            self._ends_with_completed_task and self.machines.last_event_id >= len(self._events) - 1
        )
        completion = self._instance.activate(activation)
        if isinstance(completion, TaskFailed):
            error = completion.error
            raise Stopped(f"the code raised {type(error).__name__}: {error}")
        self.machines.completed(completion.commands)
        for command in completion.commands:
            if isinstance(command, ScheduleLocalActivity):
                self._local_activity(command)

    def run_ahead(self) -> None:
        """Let the code take what it was told in the middle of applying events."""
        while (activation := self.machines.activation_so_far()) is not None:
            self._activate(activation)

    def _answer(self, asked: Asked, result: Payload | None) -> None:
        """Tell the code a guess of what came of a step."""
        self._moves += 1
        if not asked.is_guessed:
            self.guesses += 1
            if self.guesses > _MOST_GUESSES:
                raise Stopped(f"the code asks for more than {_MOST_GUESSES} things that were never recorded")
            asked.is_guessed = True
            asked.queue.extend(resolutions(asked.step, result))
        if asked.queue:
            self.machines.tell(asked.queue.popleft())
        self.run_ahead()

    def _local_activity(self, command: ScheduleLocalActivity) -> None:
        """A local activity ends within its workflow task, so its marker is looked for at once."""
        machine = self.machines.local_activity(command)
        asked = Asked(asked_step(command), len(self.asked), machine, self._is_told_live)
        self.asked.append(asked)
        self._open.append(asked)
        following = self.steps.behind(self.machines.last_event_id, _LOOK_AHEAD)
        ahead = [self.steps.event(event_id) for event_id in following if event_id not in self._reserved]
        marked = [e for e in ahead if is_local_activity_marker(e)]
        event = next((e for e in marked if self.steps.step(e.event_id).key == asked.step.key), None)
        if event is None:
            if asked.is_next:
                return
            guesses = self._outcomes.guesses(asked.step, self.steps.first(asked.step.key))
            ways = [
                *(Option("stand in", RENAMED, asked, event=e) for e in marked[:1]),
                *(
                    Option("stand in", OTHER_KIND, asked, event=e)
                    for e in ahead[:1]
                    if may_stand_in(self.steps.step(e.event_id).kind, StepKind.LOCAL_ACTIVITY)
                ),
                *(Option("catch up", ADDED + n * GUESS, asked, guess) for n, guess in enumerate(guesses)),
            ]
            option = self._choose(ways)
            event = option.event
            if event is None:
                machine.state = "MarkerCommandRecorded"
                asked.is_guessed = True
                self.guesses += 1
                self.machines.tell(resolutions(asked.step, option.result)[0])
                return
        self._reserved[event.event_id] = self._laid(asked, event)
        marker = local_activity_marker(event)
        if marker is not None:
            machine.state = machine.INITIAL
            machine.resolve_from_marker(marker)
        else:
            result = self._outcomes.result_of(event)
            self.machines.tell(resolutions(asked.step, result[0] if result is not None else None)[0])
        machine.state = "MarkerCommandRecorded"
