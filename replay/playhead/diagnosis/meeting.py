"""How a recorded step meets the code's in an attempt: `matching` as it is, with a more forgiving queue.

Nothing here chooses; `attempt` is asked which step of the code a recorded one belongs to, and this module sees to it
that the code is told what was recorded of it, whatever number or kind it has now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playhead.diagnosis.steps import StepKind
from playhead_engine.activation import FireTimer
from playhead_engine.command_queue import CommandQueue, belongs_to_patch
from playhead_engine.commands import Command, ScheduleLocalActivity
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import ReplayError
from playhead_engine.machines.local_activity import LocalActivityMachine
from playhead_engine.machines.machine import CHECK_IDS_AND_TYPES, CHECK_NEXUS_OPERATIONS, Machine
from playhead_engine.machines.markers import PatchMarker, is_local_activity_marker, local_activity_marker
from playhead_engine.matching import Machines

if TYPE_CHECKING:
    from playhead.diagnosis.attempt import Attempt
    from playhead.diagnosis.choices import Asked


class ForgivingMachines(Machines):
    """The rules of matching, without holding ids and types of a step against the recorded ones."""

    def checks(self, flag: int, *, always: bool) -> bool:
        if flag in (CHECK_IDS_AND_TYPES, CHECK_NEXUS_OPERATIONS):
            return False
        return super().checks(flag, always=always)

    def local_activity(self, command: ScheduleLocalActivity) -> LocalActivityMachine:
        """The machine that a command has made."""
        return next(machine for machine in self._intake.local_activities if machine.command is command)


class MeetingQueue(CommandQueue):
    """Lets a recorded step meet the code's step that it fits, wherever it stands."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt
        self._new: list[tuple[Command, Machine]] = []

    def ask(self, command: Command, machine: Machine) -> None:
        self._new.append((command, machine))

    def send(self) -> None:
        new, self._new = self._new, []
        for command, machine in new:
            if not machine.cancelled_before_sent:
                machine.on_sent(command)
                self._attempt.send(command, machine)
        self._attempt.note_taken_back()

    def outgoing(self) -> tuple[Command, ...]:
        steps = (asked.step for asked in self._attempt.unmet())
        return tuple(step.command for step in steps if step.command is not None)

    def meet(
        self,
        event: HistoryEvent,
        patch: PatchMarker | None,
        following: HistoryEvent | None,
        in_last_sequence: bool,
    ) -> bool:
        asked = self._attempt.meet(event, may_be_unmet=patch is not None and patch.deprecated)
        if asked is not None:
            self.begun_by[event.event_id] = told = Told(self._attempt, asked, event)
            told.begin()
            return False
        skipped = self._attempt.skipped.get(event.event_id)
        if skipped is not None:
            self.begun_by[event.event_id] = skipped
        if patch is None or following is None or not belongs_to_patch(following):
            return False
        self._attempt.passed.add(following.event_id)
        return True


class Told(Machine):
    """Tells a step of the code what was recorded of the step it was laid beside."""

    __slots__ = ("asked", "attempt", "event", "is_told")

    def __init__(self, attempt: Attempt, asked: Asked, event: HistoryEvent) -> None:
        self.run = attempt.machines
        self.command = asked.step.command
        self.state = "Told"
        self.cancelled_before_sent = False
        self.attempt, self.asked, self.event = attempt, asked, event
        self.is_told = asked.step.kind is StepKind.LOCAL_ACTIVITY

    def begin(self) -> None:
        """Take the command event."""
        if self._takes_events:
            self._pass_on(self.event, in_last_sequence=False)
        elif local_activity_marker(self.attempt.steps.event(self.event.event_id)) is not None:
            self._tell()
            self.attempt.run_ahead()  # it ended within its task, and the rest of the task rests on it

    @property
    def _takes_events(self) -> bool:
        return (
            not self.asked.has_own_result and self.attempt.steps.step(self.event.event_id).kind is self.asked.step.kind
        )

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        if self._takes_events:
            self._pass_on(event, in_last_sequence)
        elif not event.KIND.endswith("_STARTED"):
            self._tell()

    def _pass_on(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        machine = self.asked.machine
        if self.is_told or machine is None:
            return
        try:
            machine.on_event(event, in_last_sequence)
        except ReplayError:
            # The step is in another state than the recorded one was: its number is another, or it was cancelled.
            if event.KIND == "TIMER_FIRED" and machine.state == "Fired":
                self.attempt.machines.tell(FireTimer(int(getattr(self.command, "seq", 0))))

    def _tell(self) -> None:
        if not self.is_told:
            self.is_told = True
            for job in self.attempt.resolutions(self.asked.step, self.event, takes_guess=self.asked.has_own_result):
                self.attempt.machines.tell(job)


class Skipped(Machine):
    """A recorded step that no step of the code has met; what was recorded of it is kept, should one come later."""

    __slots__ = ("event", "later", "told")

    def __init__(self, attempt: Attempt, event: HistoryEvent) -> None:
        self.run = attempt.machines
        self.command = None
        self.state = "Skipped"
        self.cancelled_before_sent = False
        self.event = event
        self.later: list[HistoryEvent] = []
        self.told: Told | None = None

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        if self.told is not None:
            self.told.on_event(event, in_last_sequence)
        else:
            self.later.append(event)

    def meet(self, asked: Asked, attempt: Attempt) -> None:
        """The step has come; tell it what was recorded."""
        self.told = Told(attempt, asked, self.event)
        self.told.begin()
        for event in self.later:
            self.told.on_event(event, False)


def without_name(event: HistoryEvent) -> HistoryEvent:
    """Markers of local activities under a name that `matching` does not know: here they are steps like any other."""
    if not is_local_activity_marker(event):
        return event
    return type(event)(event.event_id, event.raw, {**event.attributes, "markerName": "local activity"}, event.canonical)
