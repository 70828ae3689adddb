"""A run as the debugger has it: its history, what a replay recorded of it, and the ways from one place to another.

Without code there is a history alone; it can be read and stepped through all the same. Everything here is a look-up but
`steps`, which replays once more when it is first needed: see `has_steps`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from playhead.timeline.frame import Frame
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import Snapshot
from playhead.timeline.steps import Step, Steps
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, NotReplayable, Verdict
from playhead_engine.call_site import CallSite
from playhead_engine.history import History, HistoryEvent
from playhead_engine.tasks import COMMAND_EVENTS
from playhead_tui.model.decoded import Decoder
from playhead_tui.model.groups import Groups
from playhead_tui.model.overview import Course
from playhead_tui.model.payloads import Payloads, payloads_in
from playhead_tui.model.place import Place, Unit

if TYPE_CHECKING:
    from playhead_engine.engine.wire import Wire
    from playhead_tui.model.why import Why

Way: TypeAlias = Literal["over", "into", "out"]
"""How one goes by lines: over the calls in them, into these, or out of the function."""

_FAILS: Final = ("_FAILED", "_TIMED_OUT", "_TERMINATED")


class Run:
    """See the module.

    Attributes:
        name: How the user calls the history.
        groups: Its events, grouped by what belongs together.
        history: The history.
        recording: What the replay of it was like; None without code.
        problem: Why there is none, or none of the code as it is now; empty if all is well.
        decoder: Reads events.
        why: What a diagnosis found; None without one, or as long as there is none yet.
    """

    def __init__(
        self,
        name: str,
        groups: Groups,
        recording: Recording | None = None,
        problem: str = "",
        decoder: Decoder | None = None,
    ) -> None:
        self.name = name
        self.groups = groups
        self.history: History = groups.history
        self.recording = recording
        self.problem = problem
        self.decoder = decoder or Decoder(groups)
        self._read: set[int] = set()
        self.why: Why | None = None
        self._is_gapless = all(event.event_id == at for at, event in enumerate(self.history.events, 1))
        self._ids = [] if self._is_gapless else [event.event_id for event in self.history.events]

    def with_recording(self, recording: Recording, wire: Wire | None) -> Run:
        """The same history with another recording, and with what reads its values."""
        return self._with(recording, "", Decoder(self.groups, Payloads(wire)))

    def with_problem(self, problem: str) -> Run:
        """The same, with something that keeps it from being replayed anew."""
        return self._with(self.recording, problem, self.decoder)

    def _with(self, recording: Recording | None, problem: str, decoder: Decoder) -> Run:
        return Run(self.name, self.groups, recording, problem, decoder).with_course(self.course)

    def with_course(self, course: Course) -> Run:
        """The same; what went on in its history is known already."""
        self.course = course
        return self

    @property
    def verdict(self) -> Verdict | None:
        """What the replay came to; None without code."""
        return self.recording.verdict if self.recording is not None else None

    @cached_property
    def course(self) -> Course:
        """What went on in it, for a timeline."""
        return Course(self.groups)

    # -- Events --------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.history.events)

    def index_of(self, event_id: int) -> int:
        """Where an event stands in the history; the nearest one if there is none of that id."""
        found = event_id - 1 if self._is_gapless else bisect_left(self._ids, event_id)
        return max(0, min(found, len(self) - 1))

    def event(self, event_id: int) -> HistoryEvent:
        """The event of this id, or the nearest one."""
        return self.history.events[self.index_of(event_id)]

    def event_at(self, index: int) -> HistoryEvent:
        """The event that stands there."""
        return self.history.events[index]

    def is_read(self, event: HistoryEvent) -> bool:
        """Whether the values of an event can be shown without asking a codec of the user's, who may take its time."""
        return not self.decoder.payloads.asks_code or event.event_id in self._read

    def read(self, event: HistoryEvent) -> None:
        """Read the values of an event, whatever it takes."""
        payloads = self.decoder.payloads
        for payload in payloads_in(event.attributes):
            payloads.value(payload)
        self._read.add(event.event_id)

    @property
    def first(self) -> Place:
        """The beginning."""
        return Place(self.history.events[0].event_id)

    @property
    def last(self) -> Place:
        """The end of the history."""
        return Place(self.history.events[-1].event_id)

    @cached_property
    def begins(self) -> Place:
        """Where a debugger opens: at what is wrong, else at the beginning."""
        return Place(self.wrong_at) if self.wrong_at else self.first

    @property
    def wrong_at(self) -> int:
        """The event at which code and history part, or after which the code fails; 0 if they agree."""
        match self.verdict:
            case None | Agrees():
                return 0
            case Diverges() as verdict:
                return verdict.divergence.event_id
            case CodeRaised() | CodeUnfinished() | NeedsValue() | NotReplayable() as verdict:
                return verdict.event_id

    # -- Ways ----------------------------------------------------------------------------------------------------------

    @cached_property
    def tasks(self) -> list[int]:
        """Ids of the events with which workflow tasks started."""
        return [event.event_id for event in self.history.events if event.KIND == "WORKFLOW_TASK_STARTED"]

    @cached_property
    def commands(self) -> list[int]:
        """Ids of the events that commands became."""
        return [event.event_id for event in self.history.events if event.KIND in COMMAND_EVENTS]

    @cached_property
    def failures(self) -> list[int]:
        """Ids of the events that say that something failed, timed out or was ended; and where the code fails today."""
        found = {event.event_id for event in self.history.events if event.KIND.endswith(_FAILS)}
        if isinstance(self.verdict, CodeRaised | CodeUnfinished):
            found.add(self.verdict.event_id)
        return sorted(found)

    @cached_property
    def retries(self) -> list[int]:
        """Ids of the events that say that something was tried again."""
        return [event.event_id for event in self.history.events if int(event.attributes.get("attempt") or 1) > 1]

    def next(self, place: Place, unit: Unit, *, forward: bool = True) -> Place | None:
        """The next place of a kind, or the one before; None if there is none."""
        match unit:
            case Unit.EVENT:
                return self._next_event(place, forward)
            case Unit.TASK:
                return self.nearest(place, self.tasks, forward=forward)
            case Unit.COMMAND:
                return self.nearest(place, self.commands, forward=forward)

    def _next_event(self, place: Place, forward: bool) -> Place | None:
        index = self.index_of(place.event)
        if not forward and place.step:
            return Place(place.event)
        index += 1 if forward else -1
        return Place(self.event_at(index).event_id) if 0 <= index < len(self) else None

    def nearest(self, place: Place, events: list[int], *, forward: bool = True) -> Place | None:
        """The next of some events, in order, or the one before; None if there is none."""
        if forward:
            index = bisect_right(events, place.event)
            return Place(events[index]) if index < len(events) else None
        index = bisect_right(events, place.event) if place.step else bisect_left(events, place.event)
        return Place(events[index - 1]) if index else None

    def _task_of(self, event_id: int) -> int:
        """Number of the workflow task whose lines run next after an event; one more beyond the last."""
        return bisect_left(self._starts, event_id) + 1

    @cached_property
    def _starts(self) -> list[int]:
        """For each workflow task, the event after which its lines run: the last attempt at it began there."""
        starts: list[int] = []
        for frame in self.frames:
            before = bisect_right(self.tasks, frame.last_event)
            started = self.tasks[before - 1] if before else 0
            starts.append(started if started >= frame.first_event else frame.last_event)
        return starts

    @property
    def frames(self) -> list[Frame]:
        """The workflow tasks of the replay."""
        return self.recording.frames if self.recording is not None else []

    # -- Lines ---------------------------------------------------------------------------------------------------------

    @property
    def has_steps(self) -> bool:
        """Whether the lines are known already, so that asking for them takes no time."""
        return self.recording is None or "steps" in vars(self.recording)

    @property
    def steps(self) -> Steps:
        """Every line that ran.

        Raises:
            LookupError: There is no code.
        """
        if self.recording is None:
            raise LookupError("there is no code whose lines could be stepped through")
        return self.recording.steps

    def step(self, place: Place) -> Step | None:
        """The line before which a place stands."""
        return self.steps[place.step - 1] if place.step and self.recording is not None else None

    def walk(self, place: Place, way: Way, *, forward: bool = True) -> Place | None:
        """The next line, or the one before; None if there is none.

        Args:
            place: From where.
            way: The very next line, the next of the same function or those that called it, or only of those.
            forward: Whether to go on, or back.
        """
        here, steps = self.step(place), self.steps
        if here is None:
            task = self._task_of(place.event)
            number = bisect_left(steps, task, key=lambda step: step.task) + (1 if forward else 0)
            if not 1 <= number <= len(steps):
                return None
            step = steps[number - 1]
            while (
                way == "over"
                and not forward
                and step.depth
                and step.number > 1
                and steps[step.number - 2].task == task - 1
            ):
                step = steps[step.number - 2]  # over what the run method called, too
            return self.place_of(step)
        numbers = range(here.number, len(steps)) if forward else range(here.number - 2, -1, -1)
        for number in numbers:
            step = steps[number]
            if way == "into" or step.is_in_call_of(here, outside=way == "out"):
                return self.place_of(step)
        return None

    def place_of(self, step: Step) -> Place:
        """Right before a line runs."""
        return Place(self._starts[step.task - 1], step.number)

    # -- States --------------------------------------------------------------------------------------------------------

    def is_at_hand(self, place: Place) -> bool:
        """Whether `snapshot` is a look-up, and no replay."""
        if place.step or self.recording is None or not self._was_reached(place):
            return True
        return self.recording.at(event=place.event).frame.is_captured

    def snapshot(self, place: Place) -> Snapshot | None:
        """What the run looked like; None without code, and where the replay did not get."""
        step = self.step(place)
        if step is not None:
            return step.snapshot()
        if self.recording is None or not self._was_reached(place):
            return None
        return self.recording.at(event=place.event).snapshot

    def _was_reached(self, place: Place) -> bool:
        return bool(self.frames) and self.recording is not None and place.event <= self.recording.last_event

    def site(self, place: Place) -> CallSite | None:
        """The line that a place has to do with: the one about to run, or the one that an event comes from."""
        step = self.step(place)
        if step is not None:
            return step.site
        if self.recording is None:
            return None
        wrong = self.verdict
        if isinstance(wrong, Diverges) and wrong.divergence.event_id == place.event and wrong.divergence.site:
            return wrong.divergence.site
        if isinstance(wrong, CodeRaised | CodeUnfinished | NeedsValue) and wrong.event_id == place.event and wrong.site:
            return wrong.site
        return self.recorded_site(place.event)

    def recorded_site(self, event_id: int) -> CallSite | None:
        """The line that an event comes from."""
        return self.recording.sources.get(event_id) if self.recording is not None else None
