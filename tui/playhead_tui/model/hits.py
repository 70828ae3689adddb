"""Where in a run breakpoints lead, what logpoints say, and what watches hold.

Finding that out may take another replay, so nothing here is called by whoever must not wait; what was found once is
kept. A breakpoint that means nothing in this run (a line that never runs, an expression that always raises) stops
nothing, and says why.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import assert_never

from playhead.timeline.asking import NotAnswered
from playhead.timeline.capture import Capture
from playhead.timeline.expression import BadExpression, Expression, ExpressionFailed
from playhead.timeline.logpoints import Logged
from playhead.timeline.marks import Line, NoSuchMark
from playhead.timeline.recording import Recording
from playhead.timeline.stand_in import CapturedNames, NotCaptured
from playhead.timeline.state import State
from playhead.timeline.steps import Step
from playhead.timeline.value import Value, same
from playhead_engine.record import record
from playhead_tui.model.breakpoints import (
    Breakpoint,
    Logpoint,
    OnChange,
    OnCondition,
    OnEvents,
    OnLine,
    Trigger,
)
from playhead_tui.model.filter import BadFilter, Filter
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.search import Search, Texts


@record
class Hit:
    """A place at which a breakpoint stops the run.

    Attributes:
        place: Where.
        breakpoint: Which.
    """

    place: Place
    breakpoint: Breakpoint


@record
class Said:
    """What a logpoint says once.

    Attributes:
        place: Where.
        logpoint: Which.
        text: What.
        is_error: Whether that is what was raised instead.
    """

    place: Place
    logpoint: Logpoint
    text: str
    is_error: bool


@record
class Watched:
    """What a watch holds.

    Attributes:
        expression: What is watched.
        value: What it is; None if it has none here.
        problem: Why it has none.
        is_changed: Whether it was something else where the playhead stood before.
    """

    expression: str
    value: Value | None
    problem: str = ""
    is_changed: bool = False


class Hits:
    """The hits in one run.

    Attributes:
        problems: Why breakpoints and logpoints mean nothing in this run, by what they are.
    """

    def __init__(self, run: Run, texts: Texts | None = None) -> None:
        """
        Args:
            run: The run.
            texts: What its events say, where somebody has that at hand.
        """
        self.problems: dict[Trigger | Logpoint, str] = {}
        self._run = run
        self._texts = texts
        self._found: dict[Trigger, list[Place]] = {}
        self._said: dict[Logpoint, list[Said]] = {}

    # -- Breakpoints ---------------------------------------------------------------------------------------------------

    def knows(self, breakpoints: Iterable[Breakpoint]) -> bool:
        """Whether all that there is to find out about some breakpoints is known."""
        return all(one.trigger in self._found for one in breakpoints if one.is_enabled)

    def places(self, trigger: Trigger) -> list[Place]:
        """Where a trigger stops the run, in order; nowhere, if it means nothing here."""
        found = self._found.get(trigger)
        if found is None:
            try:
                found = sorted(set(self._find(trigger)))
            except (BadExpression, BadFilter, NotAnswered, NoSuchMark) as error:
                self.problems[trigger] = str(error).partition("\n")[0]
                found = []
            self._found[trigger] = found
        return found

    def count(self, trigger: Trigger) -> int | None:
        """At how many places a trigger stops the run; None as long as nobody has asked."""
        found = self._found.get(trigger)
        return len(found) if found is not None else None

    def next(self, breakpoints: Iterable[Breakpoint], place: Place, *, forward: bool = True) -> Hit | None:
        """The next place at which a breakpoint stops the run, or the one before; None if there is none.

        Args:
            breakpoints: Those that there are; the ones that are not enabled do not count.
            place: From where.
            forward: Whether to go on, or back.
        """
        hits: list[Hit] = []
        for one in breakpoints:
            if not one.is_enabled:
                continue
            places = self.places(one.trigger)
            at = bisect_right(places, place) if forward else bisect_left(places, place) - 1
            if 0 <= at < len(places):
                hits.append(Hit(places[at], one))
        nearest = min if forward else max
        return nearest(hits, key=lambda hit: hit.place, default=None)

    def at(self, breakpoints: Iterable[Breakpoint], place: Place) -> list[Breakpoint]:
        """The breakpoints that stop the run at a place, of those about which all is known."""
        return [one for one in breakpoints if one.is_enabled and place in self._found.get(one.trigger, ())]

    def _find(self, trigger: Trigger) -> Iterator[Place]:
        match trigger:
            case OnEvents(filter):
                yield from map(Place, self._events(Filter(filter)))
            case OnLine(line, condition):
                yield from map(self._run.place_of, self._steps(line, condition))
            case OnCondition(condition):
                expression = Expression(condition)
                for state in self._recording(trigger).comes_to_hold(condition):
                    yield self._refined(state.task, expression, holds=True)
            case OnChange(text):
                expression = Expression(text)
                for change in self._recording(trigger).changes(text):
                    yield self._refined(change.task, expression, after=change.after)
            case _:
                assert_never(trigger)

    def _events(self, filter: Filter) -> set[int]:
        run = self._run
        if self._texts is None:
            sources = run.recording.sources if run.recording is not None else None
            self._texts = Texts(run.groups, run.decoder.payloads, sources)
        search = Search(self._texts, filter)
        search.advance()
        return search.shown

    def _recording(self, trigger: Trigger) -> Recording:
        recording = self._run.recording
        if recording is None:
            raise NoSuchMark(f"{trigger}: there is no code that could be stopped")
        return recording

    # -- Lines ---------------------------------------------------------------------------------------------------------

    def _steps(self, line: Line, condition: str) -> list[Step]:
        """The steps on a line, as far as something holds at them."""
        recording = self._recording(OnLine(line, condition))
        steps = recording.steps.hits(line)
        if not condition:
            return steps
        logged = list(_logged(steps, recording, line, f"bool({condition})"))
        held = [step for step, one in logged if one.value is not None and one.value.content is True]
        problem = next((one.error for _, one in logged if one.error), "")
        if problem and not held:
            raise ExpressionFailed(condition, problem)
        return held

    def _refined(self, task: int, expression: Expression, *, holds: bool = False, after: Value | None = None) -> Place:
        """The line of a workflow task before which something is so that is so after it; else the event that led to it.

        Only what was captured is looked at: a replay for every line would be too much.
        """
        run = self._run
        told = self._recording(OnCondition(expression.text)).told(run.frames[task - 1])
        place = Place(told[0] if told else run.frames[task - 1].last_event)
        if not run.has_steps or expression.calls_methods:
            return place
        for step in run.steps.of_task(task):
            try:
                value = expression.value(CapturedNames(step.locals, step.attributes))
            except (NotCaptured, ExpressionFailed):
                continue
            if (holds and value) or (after is not None and same(Capture().of(value), after)):
                return run.place_of(step)
        return place

    # -- Logpoints -----------------------------------------------------------------------------------------------------

    def said(self, logpoints: Iterable[Logpoint]) -> list[Said]:
        """What logpoints say, in the order in which they say it."""
        for logpoint in logpoints:
            if logpoint not in self._said:
                self._said[logpoint] = self._log(logpoint)
        found = [said for logpoint in logpoints for said in self._said[logpoint]]
        return sorted(found, key=lambda said: said.place)

    def _log(self, logpoint: Logpoint) -> list[Said]:
        recording, line = self._run.recording, logpoint.line
        try:
            if recording is None:
                raise NoSuchMark(f"{line}: there is no code that could say anything")
            steps = recording.steps.hits(line)
            return [
                Said(self._run.place_of(step), logpoint, one.text, bool(one.error))
                for step, one in _logged(steps, recording, line, logpoint.expression)
            ]
        except (BadExpression, NotAnswered, NoSuchMark) as error:
            self.problems[logpoint] = str(error).partition("\n")[0]
            return []

    # -- Watches -------------------------------------------------------------------------------------------------------

    def watched(self, watches: Iterable[str], place: Place, before: Place | None = None) -> list[Watched]:
        """What watches hold at a place.

        Args:
            watches: Expressions.
            place: Where.
            before: Where the playhead stood before; what has changed since is marked.
        """
        found: list[Watched] = []
        for text in watches:
            value, problem = self._value(text, place)
            is_changed = False
            if before is not None:
                was, _ = self._value(text, before)
                is_changed = not same(was, value)
            found.append(Watched(text, value, problem, is_changed))
        return found

    def _value(self, text: str, place: Place) -> tuple[Value | None, str]:
        try:
            return self._state(place).look(text), ""
        except ExpressionFailed as error:
            return None, error.problem
        except (BadExpression, NotAnswered, NoSuchMark) as error:
            return None, str(error).partition("\n")[0]

    def _state(self, place: Place) -> State:
        recording, step = self._run.recording, self._run.step(place)
        if recording is None:
            raise NoSuchMark("there is no code")
        return recording.at(event=place.event) if step is None else recording.before(step)


def _logged(steps: list[Step], recording: Recording, line: Line, expression: str) -> Iterator[tuple[Step, Logged]]:
    """What an expression gives at each step on a line."""
    of_task: defaultdict[int, list[Step]] = defaultdict(list)
    for step in steps:
        of_task[step.task].append(step)
    for logged in recording.log(str(line), expression):
        following = of_task[logged.task]
        if following:  # of a workflow task with very many lines, not all steps are kept
            yield following.pop(0), logged
