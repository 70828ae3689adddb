"""The state of a past run at a mark, and what may be asked of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from playhead.timeline.asking import Answer, NotAnswered, ask
from playhead.timeline.capture import FULL, Capture
from playhead.timeline.expression import Expression, ExpressionFailed, RunChanged
from playhead.timeline.frame import Frame
from playhead.timeline.snapshot import Coroutine, Difference, Snapshot, differences, look
from playhead.timeline.stacks import raised_frames, user_frames
from playhead.timeline.stand_in import CapturedNames, NotCaptured, is_rebuilt
from playhead.timeline.value import NOTHING, Value
from playhead_engine import runtime
from playhead_engine.commands import Command
from playhead_engine.runtime import Completion, Inspectable, TaskFailed, Waiting

if TYPE_CHECKING:
    from playhead.enactment import Enactment
    from playhead.timeline.parking import Parking

_T = TypeVar("_T")
_IMMUTABLE: Final = (int, str, float, bool, type(None), bytes)


class Moment(Protocol):
    """Evaluates an expression in the middle of a workflow task, and makes of its value what is kept of it."""

    def __call__(self, expression: Expression, keep: Callable[[Any], _T], /) -> _T: ...


class State:
    """A past run after one of its workflow tasks, or before one of its lines.

    Attributes:
        frame: The workflow task.
        event: The event that was asked for; the last of the frame if none was.
    """

    def __init__(
        self,
        frame: Frame,
        event: int,
        snapshot: Callable[[], Snapshot],
        parking: Parking,
        moment: Moment | None = None,
    ) -> None:
        """
        Args:
            frame: The workflow task.
            event: The event that was asked for.
            snapshot: Gives what was captured.
            parking: Gives a live run after the task.
            moment: Evaluates an expression, where the state lies within the task.
        """
        self.frame = frame
        self._moment = moment
        self.event = event
        self._make_snapshot = snapshot
        self._snapshot: Snapshot | None = None
        self._parking = parking

    # -- What was captured ---------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """All that was captured."""
        if self._snapshot is None:
            self._snapshot = self._make_snapshot()
        return self._snapshot

    @property
    def task(self) -> int:
        """Number of the workflow task, from 1."""
        return self.frame.task

    @property
    def events(self) -> range:
        """Ids of the events that were applied for the task."""
        return range(self.frame.first_event, self.frame.last_event + 1)

    @property
    def commands(self) -> tuple[Command, ...]:
        """What the code asked for in the task."""
        return self.frame.commands

    @property
    def attributes(self) -> Mapping[str, Value]:
        """Attributes of the workflow object."""
        return self.snapshot.attributes

    @property
    def locals(self) -> Mapping[str, Value]:
        """Variables of the innermost function of the run method, or of the line that raised."""
        return self.snapshot.locals

    @property
    def coroutines(self) -> tuple[Coroutine, ...]:
        """All that is suspended: the run method, handlers, tasks; each with its stack and the variables in it."""
        return self.snapshot.coroutines

    @property
    def waits(self) -> tuple[Waiting, ...]:
        """What the run waits for, and which line asked for it."""
        return self.snapshot.waits

    @property
    def error(self) -> BaseException | None:
        """What the code raised, if that failed the task."""
        return self.frame.error

    def diff(self, other: State) -> list[Difference]:
        """What is different in another state: variables by name, before and after."""
        return differences(self.snapshot, other.snapshot)

    # -- What the code is asked ----------------------------------------------------------------------------------------

    def query(self, name: str, *args: Any, result_type: Any = None) -> Any:
        """The answer of a query, as a client would have got it at this point.

        Args:
            name: Name of the query.
            args: Its arguments.
            result_type: What to convert the answer to; by default what its JSON says.

        Raises:
            NotAnswered: The run has no such query, its handler raised, or it changed the run.
        """
        if self._moment is not None:
            raise NotAnswered(
                f"query {name!r}: queries are answered between workflow tasks; ask at(task={self.task}) or "
                f"at(task={max(self.task - 1, 1)})"
            )
        with self._parking.at(self.frame.task) as run:
            instance = inspectable(run)
            if isinstance(run.completion, TaskFailed):
                raise NotAnswered(
                    f"query {name!r}: the code raised after event {self.frame.last_event}, and a run that is stuck "
                    f"there answers as it did before: at(task={max(self.task - 1, 1)})"
                )
            before = look(instance, None, Capture())
            answer: Answer = ask(run, name, args, result_type)
            changed = [str(one) for one in differences(before, look(instance, None, Capture()))]
            if changed or answer.changed:
                self._parking.forget(run)
        if changed or answer.changed:
            raise NotAnswered(
                f"query {name!r} changed the run, and a query must not: " + "; ".join([*answer.changed, *changed])
            )
        if answer.error:
            raise NotAnswered(f"query {name!r} after event {self.frame.last_event}: {answer.error}")
        return answer.value

    def eval(self, expression: str | Expression) -> Any:
        """The value of an expression that only looks.

        `self` is the workflow object; the other names are the variables of the innermost function of the run method,
        and the globals of its module. Captured values are enough for most expressions; others are evaluated on a run
        that is replayed to this point.

        Raises:
            BadExpression: It is none, or not one that only looks.
            ExpressionFailed: It raised, or it changed the run.
        """
        wanted = expression if isinstance(expression, Expression) else Expression(expression)
        value = self._of_captured(wanted)
        if value is not NOTHING:
            return value
        if self._moment is not None:
            return self._moment(wanted, _copy)
        with self._parking.at(self.frame.task) as run:
            value = self._evaluate(run, wanted)
            if type(value) not in _IMMUTABLE:
                self._parking.forget(run)  # the object belongs to whoever asked for it now
        return value

    def look(self, expression: str | Expression) -> Value:
        """The value of an expression, captured as far as reasonable: for showing it, with all its parts.

        Raises:
            BadExpression, ExpressionFailed: As `eval`.
        """
        wanted = expression if isinstance(expression, Expression) else Expression(expression)
        value = self._of_captured(wanted)
        if value is not NOTHING:
            return Capture(FULL).of(value)
        if self._moment is not None:
            return self._moment(wanted, Capture(FULL).of)
        with self._parking.at(self.frame.task) as run:
            return Capture(FULL).of(self._evaluate(run, wanted))

    def _of_captured(self, expression: Expression) -> Any:
        """The value as far as what was captured is enough for it; else NOTHING."""
        if expression.calls_methods:  # a method may change what it belongs to, and that must be found out
            return NOTHING
        try:
            value = expression.value(CapturedNames(self.locals, self.attributes))
        except (NotCaptured, ExpressionFailed):
            return NOTHING  # of the run itself, more can be asked
        return value if is_rebuilt(value) else NOTHING

    def _evaluate(self, run: Enactment, expression: Expression) -> Any:
        try:
            return evaluate(inspectable(run), run.completion, expression)
        except RunChanged:
            self._parking.forget(run)
            raise


def _copy(value: Any) -> Any:
    """A value as it is now, of a run that goes on; the object itself, where it cannot be copied."""
    try:
        return value if type(value) in _IMMUTABLE else copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - what copying runs is the user's
        return value


def evaluate(instance: Inspectable, completion: Completion | None, expression: Expression) -> Any:
    """Evaluate an expression on a run that stands between two activations.

    Raises:
        ExpressionFailed: It raised.
        RunChanged: It changed the run.
    """
    names = names_of(instance, completion)
    if not expression.calls:
        return expression.value(names)
    before = look(instance, completion, Capture())
    value = expression.value(names)
    changed = differences(before, look(instance, completion, Capture()))
    if changed:
        raise RunChanged(
            expression.text, "it changes the run, and a past run can only be looked at: " + "; ".join(map(str, changed))
        )
    return value


def names_of(instance: Inspectable, completion: Completion | None) -> dict[str, Any]:
    """What names mean in a run: globals and variables of the innermost function of its first coroutine, and `self`.

    Where the code raised, those of the function that did.
    """
    stacks = [user_frames(suspended.coroutine) for suspended in instance.coroutines()]
    if isinstance(completion, TaskFailed):
        stacks.insert(0, [frame for frame, _ in raised_frames(completion.error.__traceback__)])
    for frames in stacks:
        if frames:
            return {"self": instance.workflow_object, **frames[-1].f_globals, **frames[-1].f_locals}
    return {"self": instance.workflow_object, **getattr(instance.handler("run", ""), "__globals__", {})}


def inspectable(run: Enactment) -> Inspectable:
    """A run, to be looked into.

    Raises:
        NotAnswered: Its runtime cannot do that.
    """
    instance = runtime.inspectable(run.instance)
    if instance is None:
        raise NotAnswered("the runtime of this workflow cannot be looked into")
    return instance
