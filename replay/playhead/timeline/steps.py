"""The run line by line: every line of the user's that ran, with the variables before it.

Made by one more passage, under a tracer, when somebody first asks for it. Going forwards and backwards is then a matter
of looking up. A step stands before its line, as in a debugger: what the line does is seen at the step after it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from playhead.timeline.capture import SPARING, Capture
from playhead.timeline.marks import Line, NoSuchMark
from playhead.timeline.snapshot import Coroutine, Snapshot, StackFrame, site_of, variables_of
from playhead.timeline.tracing import Tracer, callers
from playhead.timeline.tracks import Scope
from playhead.timeline.value import Value
from playhead_engine.call_site import CallSite
from playhead_engine.runtime import inspectable

if TYPE_CHECKING:
    from playhead.passage import Passage

_MOST_STEPS: Final = 500_000
_MOST_STEPS_OF_TASK: Final = 20_000


class Step:
    """A line that is about to run.

    Attributes:
        number: Its number in the run, from 1.
        task: Number of the workflow task it runs in.
        site: Where it is.
    """

    __slots__ = ("_attributes", "_outer", "_scope", "number", "site", "task")

    def __init__(
        self,
        number: int,
        task: int,
        site: CallSite,
        scope: Scope,
        attributes: Scope,
        outer: tuple[tuple[CallSite, Scope], ...],
    ) -> None:
        self.number = number
        self.task = task
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


class Steps(Sequence[Step]):
    """All steps of a run.

    Attributes:
        cut: Numbers of the workflow tasks that ran more lines than are kept.
    """

    def __init__(self, begin: Callable[[], Passage], tasks: int) -> None:
        """Go through the run.

        Args:
            begin: Makes a passage.
            tasks: How many workflow tasks there are.
        """
        self.cut: set[int] = set()
        self._steps: list[Step] = []
        self._attributes = Scope()
        self._scopes: dict[tuple[int, int], Scope] = {}
        self._capture = Capture(SPARING)
        self._task = 0
        self._in_task = 0
        self._passage = passage = begin()
        try:
            instance = inspectable(passage.instance)
            if instance is not None:
                self._instance = instance
                Tracer(instance, self._note).advance_to(passage, tasks)
        finally:
            passage.close()
            del self._passage

    def _note(self, frame: FrameType) -> None:
        task = self._passage.task
        self._in_task = self._in_task + 1 if task == self._task else 1
        self._task = task
        if self._in_task > _MOST_STEPS_OF_TASK or len(self._steps) >= _MOST_STEPS:
            self.cut.add(task)
            return
        number = len(self._steps) + 1
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
        self._steps.append(Step(number, task, site, scope, self._attributes, tuple(outer)))

    def _scope_of(self, frame: FrameType) -> Scope:
        key = (id(frame), id(frame.f_code))
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope()
        return scope

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
        if found:
            return found
        reached = sorted({step.site.line for step in self._steps if line.is_in(step.site.file)})
        if not reached:
            files = sorted({step.site.file for step in self._steps})
            raise NoSuchMark(f"{line} is never reached: no line of that file is. The run goes through: {_list(files)}")
        raise NoSuchMark(f"{line} is never reached. The lines of it that are: {_list([str(one) for one in reached])}")

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: Any) -> Any:
        return self._steps[index]


def _list(items: list[str]) -> str:
    return ", ".join(items) if len(items) <= 40 else f"{', '.join(items[:40])} and {len(items) - 40} more"
