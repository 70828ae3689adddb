"""The run line by line: every line of the user's that ran, with the variables before it.

Steps are made by one more run of the code, under a tracer: of the whole run when somebody first asks for all of them,
of a task and of what lies right before it when somebody asks for that. Going forwards and backwards is then a matter of
looking up. A step stands before its line, as in a debugger: what the line does is seen at the step after it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any, Final

from playhead.timeline.capture import SPARING, Capture
from playhead.timeline.marks import Line, NoSuchMark
from playhead.timeline.rerun import Rerun
from playhead.timeline.snapshot import Coroutine, Snapshot, StackFrame, site_of, variables_of
from playhead.timeline.stacks import user_frames
from playhead.timeline.tracing import Tracer, callers
from playhead.timeline.tracks import Scope
from playhead.timeline.value import Value
from playhead_engine.call_site import CallSite
from playhead_engine.runtime import inspectable

_MOST_STEPS: Final = 500_000
_MOST_STEPS_OF_TASK: Final = 20_000


class Step:
    """A line that is about to run.

    Attributes:
        number: Its number, from 1, among those that were walked together; in `Recording.steps`, in the run.
        task: Number of the workflow task it runs in.
        index: Its number in this task, from 1.
        site: Where it is.
    """

    __slots__ = ("_attributes", "_outer", "_scope", "index", "number", "site", "task")

    def __init__(
        self,
        number: int,
        task: int,
        index: int,
        site: CallSite,
        scope: Scope,
        attributes: Scope,
        outer: tuple[tuple[CallSite, Scope], ...],
    ) -> None:
        self.number = number
        self.task = task
        self.index = index
        self.site = site
        self._scope = scope
        self._attributes = attributes
        self._outer = outer

    @property
    def depth(self) -> int:
        """How many functions of the user's called it."""
        return len(self._outer)

    @property
    def locals(self) -> dict[str, Value]:
        """The variables of its function before it runs."""
        return self._scope.at(self.number)

    @property
    def attributes(self) -> dict[str, Value]:
        """The attributes of the workflow object before it runs."""
        return self._attributes.at(self.number)

    @property
    def changed(self) -> dict[str, Value]:
        """What the line before it in its function changed: locals by name, attributes as `self.NAME`."""
        found = {f"self.{name}": value for name, value in self._attributes.changed_at(self.number).items()}
        return found | self._scope.changed_at(self.number)

    def is_in_call_of(self, inner: Step, *, outside: bool = False) -> bool:
        """Whether it runs in the call in which another step runs, or in one of those that led there.

        Args:
            inner: The other step.
            outside: Whether only those that led there count.
        """
        if not outside and self._scope is inner._scope:
            return True
        return any(self._scope is scope for _, scope in inner._outer)

    def snapshot(self) -> Snapshot:
        """All that was captured there; what the run waits for is known only between workflow tasks."""
        stack = [StackFrame(site, scope.at(self.number)) for site, scope in self._outer]
        stack.append(StackFrame(self.site, self.locals))
        return Snapshot(self.attributes, (Coroutine("here", tuple(stack)),), ())

    def __repr__(self) -> str:
        return f"<Step {self.number} {self.site}>"


class Walk:
    """Goes through workflow tasks line by line.

    Attributes:
        steps: All steps, in order.
        cut: Numbers of the workflow tasks that ran more lines than are kept.
    """

    def __init__(self, rerun: Rerun) -> None:
        """
        Args:
            rerun: At its beginning, or between two workflow tasks.
        """
        self.steps: list[Step] = []
        self.cut: set[int] = set()
        self._rerun = rerun
        self._capture = Capture(SPARING)
        self._attributes = Scope()
        self._scopes: dict[tuple[int, int], Scope] = {}
        self._task = 0
        self._in_task = 0
        self._instance = inspectable(rerun.instance)
        if rerun.task:
            self._look_around()

    def _look_around(self) -> None:
        """Note what is there already, lest it counts as changed by the first line."""
        instance = self._instance
        if instance is None:
            return
        workflow_object = instance.workflow_object
        self._attributes.note(0, self._capture.attributes(workflow_object), self._capture)
        for suspended in instance.coroutines():
            for frame in user_frames(suspended.coroutine):
                self._scope_of(frame).note(0, variables_of(frame, workflow_object), self._capture)

    def advance_to(self, task: int) -> None:
        """Go on until a workflow task is over."""
        if self._instance is None:
            self._rerun.advance_to(task)
        else:
            Tracer(self._instance, self._note).advance_to(self._rerun, task)

    def _note(self, frame: FrameType) -> None:
        task = self._rerun.task
        self._in_task = self._in_task + 1 if task == self._task else 1
        self._task = task
        if self._in_task > _MOST_STEPS_OF_TASK or len(self.steps) >= _MOST_STEPS:
            self.cut.add(task)
            return
        assert self._instance is not None
        number = len(self.steps) + 1
        workflow_object = self._instance.workflow_object
        scope = self._scope_of(frame)
        scope.note(number, variables_of(frame, workflow_object), self._capture)
        self._attributes.note(number, self._capture.attributes(workflow_object), self._capture)
        outer: list[tuple[CallSite, Scope]] = []
        for caller in callers(frame):
            of_caller = self._scope_of(caller)
            of_caller.note(number, variables_of(caller, workflow_object), self._capture)
            outer.append((site_of(caller.f_code, caller.f_lasti), of_caller))
        site = site_of(frame.f_code, frame.f_lasti)
        self.steps.append(Step(number, task, self._in_task, site, scope, self._attributes, tuple(outer)))

    def _scope_of(self, frame: FrameType) -> Scope:
        key = (id(frame), id(frame.f_code))
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope()
        return scope


class Steps(Sequence[Step]):
    """Steps of successive workflow tasks.

    Attributes:
        cut: Numbers of the workflow tasks that ran more lines than are kept.
    """

    def __init__(self, walk: Walk) -> None:
        self.cut = walk.cut
        self._steps = walk.steps

    def of_task(self, task: int) -> list[Step]:
        """The steps of one workflow task."""
        start = bisect_left(self._steps, task, key=lambda step: step.task)
        return self._steps[start : bisect_right(self._steps, task, lo=start, key=lambda step: step.task)]

    def hits(self, line: Line) -> list[Step]:
        """The steps on a line.

        Raises:
            NoSuchMark: It is never reached; the message says which lines of the file are.
        """
        found = [step for step in self._steps if line.names(step.site)]
        if not found:
            raise never_reached(line, {(step.site.file, step.site.line) for step in self._steps})
        return found

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: Any) -> Any:
        return self._steps[index]


def find(rerun: Rerun, tasks: int, line: Line) -> list[tuple[int, int]]:
    """Where a run comes to a line: the workflow task, and the number of the step in it, each time.

    Args:
        rerun: At its beginning; it is thrown away.
        tasks: How many workflow tasks to go through.
        line: Which line.

    Raises:
        NoSuchMark: It is never reached; the message says which lines of the file are.
    """
    found: list[tuple[int, int]] = []
    reached: dict[tuple[str, int], None] = {}
    task = in_task = 0
    instance = inspectable(rerun.instance)
    assert instance is not None, "a runtime that cannot be looked into has no lines"

    def on_line(frame: FrameType) -> None:
        nonlocal task, in_task
        in_task = in_task + 1 if rerun.task == task else 1
        task = rerun.task
        here = (frame.f_code.co_filename, frame.f_lineno)
        reached[here] = None
        if here[1] == line.line and line.is_in(here[0]):
            found.append((task, in_task))

    try:
        Tracer(instance, on_line).advance_to(rerun, tasks)
    finally:
        rerun.close()
    if not found:
        raise never_reached(line, reached)
    return found


def never_reached(line: Line, reached: Iterable[tuple[str, int]]) -> NoSuchMark:
    """The refusal of a line that never runs, with those that do."""
    numbers = sorted({number for file, number in reached if line.is_in(file)})
    if numbers:
        return NoSuchMark(f"{line} is never reached. The lines of it that are: {_list([str(one) for one in numbers])}")
    files = sorted({file for file, _ in reached})
    return NoSuchMark(f"{line} is never reached: no line of that file is. The run goes through: {_list(files)}")


def _list(items: list[str]) -> str:
    return ", ".join(items) if len(items) <= 40 else f"{', '.join(items[:40])} and {len(items) - 40} more"
