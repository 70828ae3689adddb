"""A recording of a past run: what it looked like at every mark, and what changed where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from playhead.passage import Passage, collector_spared
from playhead.timeline.asking import Answer
from playhead.timeline.capture import Capture
from playhead.timeline.expression import Expression, ExpressionFailed, RunChanged
from playhead.timeline.frame import Frame, Tracks
from playhead.timeline.logpoints import Logged, evaluate_at, log
from playhead.timeline.marks import Line, NoSuchMark, is_told, tasks_of_events
from playhead.timeline.nearby import NearbyStates, NearbySteps
from playhead.timeline.parking import Parking
from playhead.timeline.recorder import MOST_WORK, Recorder, limits_for
from playhead.timeline.rerun import Rerun
from playhead.timeline.snapshot import Snapshot
from playhead.timeline.sources import lines_of_events
from playhead.timeline.state import Moment, State, evaluate, inspectable
from playhead.timeline.steps import Step, Steps, Walk, find
from playhead.timeline.value import Value, same
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, NotReplayable, Verdict
from playhead_engine import commands
from playhead_engine.history import History
from playhead_engine.record import record
from playhead_engine.runtime import Completion, Inspectable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playhead_engine.call_site import CallSite
    from playhead_engine.commands import Command


# What a run waits for that asked so.
_ASKS: Final[dict[type[Any], str]] = {
    commands.StartTimer: "timer",
    commands.ScheduleActivity: "activity",
    commands.ScheduleLocalActivity: "local activity",
    commands.StartChildWorkflow: "child workflow",
    commands.ScheduleNexusOperation: "nexus operation",
    commands.SignalExternal: "signal",
    commands.RequestCancelExternal: "cancel",
}


@record
class Change:
    """Where a value came to be another.

    Attributes:
        task: Number of the workflow task in which it did.
        event: The event that the code was told of there, the first if there were several; 0 if there was none.
        before: What it was; None if it was not there.
        after: What it is; None if it is gone.
    """

    task: int
    event: int
    before: Value | None
    after: Value | None

    def __str__(self) -> str:
        before = self.before.text() if self.before is not None else "(not there)"
        after = self.after.text() if self.after is not None else "(gone)"
        return f"event {self.event}: {before} -> {after}"


class Recording:
    """See the module. Made by `Replayer.record`.

    Attributes:
        history: What was recorded by the server.
        verdict: What the replay came to. A run that diverges or raises is recorded up to there.
        frames: One for each workflow task that was replayed.
    """

    def __init__(self, history: History, begin: Callable[[], Passage], queries: Sequence[str] = ()) -> None:
        """Replay once, and record.

        Args:
            history: The history.
            begin: Makes a new passage through it.
            queries: To be answered after every workflow task.
        """
        self.history = history
        passage = begin()
        is_kept = False
        try:
            recorder = Recorder(passage, queries)
            recorder.record()
            is_kept = recorder.left_it_over
        finally:
            if not is_kept:
                passage.close()
        assert passage.verdict is not None
        self.verdict: Verdict = passage.verdict
        self.frames: list[Frame] = recorder.frames
        self._tracks = recorder.tracks
        self._met = recorder.met
        self._handlers = recorder.handlers
        self._rerun = partial(Rerun, passage.staging, recorder.told)
        self._parking = Parking(self._rerun, len(self.frames), passage if is_kept else None)
        self._nearby_states = NearbyStates(self._parking, limits_for(history))
        self._nearby_steps = NearbySteps(self._parking)

    def close(self) -> None:
        """Let go of the live runs that are kept for questions. What was captured stays."""
        self._parking.close()

    # -- Events, commands and lines ------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> dict[int, CallSite]:
        """The line of the code that each event comes from, by the event's id; workflow tasks come from none."""
        return lines_of_events(self.history, self._met, self._handlers)

    @cached_property
    def commands(self) -> list[tuple[int, Command]]:
        """All commands of the run in order, each with the number of the workflow task in which it was asked for."""
        return [(frame.task, command) for frame in self.frames for command in frame.commands]

    @cached_property
    def asked(self) -> dict[tuple[str, int], int]:
        """The event that records each thing that the code asked for and may wait for, by its kind and number: those of
        `Waiting`."""
        kinds = ((event_id, _ASKS.get(type(command)), command) for event_id, command in self._met.items())
        return {(kind, getattr(command, "seq", 0)): event_id for event_id, kind, command in kinds if kind is not None}

    @property
    def last_event(self) -> int:
        """The last event that the replay came to."""
        if isinstance(self.verdict, Agrees):
            return len(self.history.events)
        reached = self.frames[-1].last_event if self.frames else 0
        if isinstance(self.verdict, Diverges):
            return max(reached, self.verdict.divergence.event_id)
        return reached

    def told(self, frame: Frame) -> list[int]:
        """Ids of the events that the code was told of in a workflow task."""
        events = self.history.events[frame.first_event - 1 : frame.last_event]
        return [event.event_id for event in events if is_told(event)]

    @cached_property
    def _task_of_event(self) -> list[int]:
        return tasks_of_events(self.history.events, self.frames)

    # -- Going to a mark -----------------------------------------------------------------------------------------------

    def at(
        self,
        *,
        event: int | None = None,
        task: int | None = None,
        command: int | None = None,
        line: str | None = None,
        hit: int = 1,
    ) -> State:
        """The state at a mark. Give exactly one; negative numbers count from the end.

        Args:
            event: Id of an event: the state in which the code knows of it, having been told of it or asked for it.
            task: Number of a workflow task: the state after it.
            command: Number of a command: the state after the workflow task in which it was asked for.
            line: `FILE:LINE`: the state right before that line runs.
            hit: For which time it runs.

        Raises:
            NoSuchMark: The run has no such mark, or the replay did not come so far.
            TypeError: Not exactly one mark was given.
        """
        if sum(mark is not None for mark in (event, task, command, line)) != 1:
            raise TypeError("at() takes one mark: event=, task=, command= or line=")
        if not self.frames:
            raise NoSuchMark(f"the code was told of nothing: {_reason(self.verdict)}")
        if line is not None:
            return self._at_line(Line.of(line), hit)
        if event is not None:
            number = self._number(event, self.last_event, "event", len(self.history.events))
            return self._state(self._task_of_event[number - 1], number)
        if command is not None:
            number = self._number(command, len(self.commands), "command", len(self.commands))
            return self._state(self.commands[number - 1][0])
        assert task is not None
        return self._state(self._number(task, len(self.frames), "workflow task", len(self.frames)))

    def __iter__(self) -> Iterator[State]:
        """The states after all workflow tasks, from the first to the last."""
        return (self._state(frame.task) for frame in self.frames)

    def _number(self, given: int, reached: int, what: str, all_there_are: int) -> int:
        number = given if given >= 0 else reached + 1 + given
        if 1 <= number <= reached:
            return number
        if 1 <= number <= all_there_are:
            raise NoSuchMark(f"{what} {given} was not reached: {_reason(self.verdict)}")
        raise NoSuchMark(f"there is no {what} {given}: the run has {what}s 1 to {reached}")

    def _at_line(self, line: Line, hit: int) -> State:
        hits = find(self._rerun(), len(self.frames), line)
        number = hit if hit >= 0 else len(hits) + 1 + hit
        if not 1 <= number <= len(hits):
            raise NoSuchMark(f"{line} is reached {len(hits)} time{'s' if len(hits) > 1 else ''}, not {hit}")
        task, index = hits[number - 1]
        steps = self.lines(task=task)
        if index > len(steps):
            raise NoSuchMark(
                f"{line} is reached in workflow task {task} after {index - 1:,} other lines, and of a workflow task "
                f"only the first {len(steps):,} lines are kept"
            )
        return self.before(steps[index - 1])

    # -- Line by line --------------------------------------------------------------------------------------------------

    @cached_property
    def steps(self) -> Steps:
        """Every line that ran, in order; the first look at it goes through the run once more.

        Raises:
            NotAnswered: Run once more, the code does something else.
        """
        rerun = self._rerun()
        try:
            walk = Walk(rerun)
            walk.advance_to(len(self.frames))
        finally:
            rerun.close()
        return Steps(walk)

    def lines(self, *, task: int) -> list[Step]:
        """The lines that ran in a workflow task, in order. What is far from all that was looked at is run once more.

        Raises:
            NoSuchMark: The run has no such task.
            NotAnswered: Run once more, the code does something else.
        """
        number = self._number(task, len(self.frames), "workflow task", len(self.frames))
        return self.steps.of_task(number) if self._has_steps else self._nearby_steps.of_task(number)

    def is_cut(self, *, task: int) -> bool:
        """Whether a workflow task ran more lines than are kept."""
        return task in self.steps.cut if self._has_steps else self._nearby_steps.is_cut(task)

    @property
    def _has_steps(self) -> bool:
        return "steps" in vars(self)

    def prepare(self) -> None:
        """Do ahead of time what makes every look fast: the states that were left out, all lines, runs to be asked.

        It takes as long as some replays, and is meant for another thread, while somebody looks already.

        Raises:
            NotAnswered: Run once more, the code does something else.
        """
        self._complete()
        len(self.steps)
        self._parking.spread()

    def _complete(self) -> None:
        """Capture the states that were left out."""
        if all(frame.is_captured for frame in self.frames):
            return
        tracks = Tracks(limits_for(self.history))
        for task, instance, completion in self._each_task():
            tracks.note(task, instance, completion)
            if tracks.capture.work > MOST_WORK:
                return  # it would take too much memory
        tracks.answers = self._tracks.answers
        self._tracks = tracks
        for frame in self.frames:
            frame.is_captured = True

    def before(self, step: Step) -> State:
        """The state right before a line runs."""
        frame = self.frames[step.task - 1]
        return State(frame, frame.last_event, step.snapshot, self._parking, self._moment(step))

    def _moment(self, step: Step) -> Moment:
        """Evaluates an expression right before a line runs."""
        return partial(evaluate_at, self._parking, step.task, step.index)

    def log(self, line: str, expression: str) -> list[Logged]:
        """What an expression says each time before a line runs, as if it had been printed there.

        Args:
            line: `FILE:LINE`.
            expression: An expression that only looks: `f"{total=}"`.

        Raises:
            BadExpression: It is none, or not one that only looks.
            NoSuchMark: The line is never reached.
            RunChanged: It changes the run.
        """
        where = Line.of(line)
        found = log(self._rerun(), self.frames, where, Expression(expression))
        if not found:
            find(self._rerun(), len(self.frames), where)  # says which lines are reached
        return found

    def _state(self, task: int, event: int = 0) -> State:
        frame = self.frames[task - 1]
        return State(frame, event or frame.last_event, lambda: self._snapshot(frame), self._parking)

    def _snapshot(self, frame: Frame) -> Snapshot:
        if frame.is_captured:
            return self._tracks.at(frame.task)
        return self._nearby_states.of_task(frame.task)

    # -- Conditions ----------------------------------------------------------------------------------------------------

    def first(self, condition: str) -> State | None:
        """The state after the first workflow task for which a condition holds; None if it never does.

        Where a name in it is not there yet, it does not hold.

        Args:
            condition: An expression that only looks: `self.total > 500`.

        Raises:
            BadExpression: It is none, or not one that only looks.
            ExpressionFailed: It raised after every workflow task, or it changes the run.
        """
        return next(self._holding(Expression(condition)), None)

    def comes_to_hold(self, condition: str) -> list[State]:
        """The states after all workflow tasks with which a condition comes to hold: it did not hold before.

        Args:
            condition: An expression that only looks.

        Raises:
            BadExpression, ExpressionFailed: As of `first`.
        """
        return list(self._holding(Expression(condition)))

    def _holding(self, condition: Expression) -> Iterator[State]:
        has_value = holds = False
        failed: ExpressionFailed | None = None
        for task, instance, completion in self._each_task():
            held, holds = holds, False
            try:
                holds = bool(evaluate(instance, completion, condition))
            except RunChanged:
                raise
            except ExpressionFailed as error:
                failed = error
            else:
                has_value = True
            if holds and not held:
                yield self._state(task)
        if failed is not None and not has_value:
            raise failed

    def changes(self, expression: str) -> list[Change]:
        """Where the value of an expression changes, and to what; the first is where it comes to be there.

        Args:
            expression: An expression that only looks, or the name of an attribute of the workflow object.

        Raises:
            BadExpression: It is none, or not one that only looks.
            ExpressionFailed: It raised after every workflow task, or it changes the run.
        """
        if expression.isidentifier() and expression in self._tracks.attributes.tracks:
            expression = f"self.{expression}"
        wanted = Expression(expression)
        capture = Capture()
        found: list[Change] = []
        before: Value | None = None
        failed: ExpressionFailed | None = None
        for task, instance, completion in self._each_task():
            after: Value | None = None
            try:
                after = capture.of(evaluate(instance, completion, wanted), before)
            except RunChanged:
                raise
            except ExpressionFailed as error:
                failed = error
            if not same(before, after):
                told = self.told(self.frames[task - 1])
                found.append(Change(task, told[0] if told else 0, before, after))
            before = after
        if failed is not None and not found:
            raise failed
        return found

    def _each_task(self) -> Iterator[tuple[int, Inspectable, Completion | None]]:
        """A run of its own after each workflow task, and what the code answered to it."""
        rerun = self._rerun()
        try:
            with collector_spared():
                for frame in self.frames:
                    rerun.advance_to(frame.task)
                    yield frame.task, inspectable(rerun), rerun.completion
        finally:
            rerun.close()

    def answers(self, query: str) -> list[tuple[int, Answer]]:
        """The answers to a query that was asked after every workflow task, each where it changed, with the task's
        number.

        Raises:
            LookupError: It was not asked.
        """
        track = self._tracks.answers.get(query)
        if track is None:
            asked = ", ".join(self._tracks.answers) or "none"
            raise LookupError(f"query {query!r} was not asked while recording; asked were: {asked}")
        return [(task, answer) for task, answer in track if answer is not None]


def _reason(verdict: Verdict) -> str:
    """Why a replay ended where it did, in half a sentence."""
    match verdict:
        case Agrees():
            return "the history ends before it"
        case Diverges():
            return f"the code diverges at event {verdict.divergence.event_id}"
        case CodeRaised():
            return f"the code raises {verdict.error_type} after event {verdict.event_id}"
        case CodeUnfinished():
            return f"the code does not come to rest after event {verdict.event_id}"
        case NeedsValue():
            return f"before it, {verdict}, which cannot be read"
        case NotReplayable():
            return verdict.reason
