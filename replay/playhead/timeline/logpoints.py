"""Logpoints: an expression that is evaluated whenever a past run comes to a line, without touching the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, TypeVar

from playhead.passage import collector_spared
from playhead.timeline.capture import RECORDED, Capture
from playhead.timeline.expression import Expression, ExpressionFailed, RunChanged
from playhead.timeline.frame import Frame
from playhead.timeline.marks import Line
from playhead.timeline.parking import Parking
from playhead.timeline.rerun import Rerun
from playhead.timeline.snapshot import Snapshot, captured, differences, variables_of
from playhead.timeline.tracing import Tracer
from playhead.timeline.value import Value
from playhead_engine.record import record
from playhead_engine.runtime import Inspectable, inspectable

_T = TypeVar("_T")


@record
class Logged:
    """What a logpoint says once.

    Attributes:
        task: Number of the workflow task in which the line ran.
        event: The last event that was applied for it.
        value: What the expression gave; None if it raised.
        error: What it raised, in words; empty if it did not.
    """

    task: int
    event: int
    value: Value | None
    error: str = ""

    @property
    def text(self) -> str:
        """As a print statement would have said it."""
        if self.value is None:
            return self.error
        return self.value.content if type(self.value.content) is str else self.value.text(500)


def log(rerun: Rerun, frames: Sequence[Frame], line: Line, expression: Expression) -> list[Logged]:
    """Go through a run, and evaluate an expression each time before a line runs.

    Args:
        rerun: At its beginning; it is thrown away.
        frames: The workflow tasks to go through.
        line: Where.
        expression: What.

    Raises:
        RunChanged: The expression changed the run; it is thrown away, and nothing after that would have been true.
    """
    found: list[Logged] = []
    changed: list[RunChanged] = []
    instance = inspectable(rerun.instance)
    assert instance is not None, "a runtime that cannot be looked into has no lines"

    def on_line(frame: FrameType) -> None:
        if frame.f_lineno != line.line or changed:
            return
        task = rerun.task
        event = frames[task - 1].last_event
        try:
            value = value_at(frame, instance, expression)
            found.append(Logged(task, event, Capture(RECORDED).of(value)))
        except RunChanged as error:
            changed.append(error)
        except ExpressionFailed as error:
            found.append(Logged(task, event, None, error.problem))

    tracer = Tracer(instance, on_line, lambda code: line.is_in(code.co_filename) and _has_line(code, line.line))
    try:
        tracer.advance_to(rerun, len(frames))
    finally:
        rerun.close()
    if changed:
        raise changed[0]
    return found


def evaluate_at(parking: Parking, task: int, index: int, expression: Expression, keep: Callable[[Any], _T]) -> _T:
    """Evaluate an expression before one line of a workflow task.

    Args:
        parking: Gives a run.
        task: Number of the workflow task.
        index: The number of the line in it, from 1.
        expression: What.
        keep: Makes of the value what is to be kept of it, since the run goes on and may change it.

    Raises:
        ExpressionFailed: It raised.
        RunChanged: It changed the run.
    """
    values: list[_T] = []
    errors: list[ExpressionFailed] = []
    left = index

    with parking.before(task) as rerun:
        instance = inspectable(rerun.instance)
        assert instance is not None, "a runtime that cannot be looked into has no lines"

        def on_line(frame: FrameType) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                try:
                    values.append(keep(value_at(frame, instance, expression)))
                except ExpressionFailed as error:
                    errors.append(error)

        with collector_spared():
            rerun.advance_to(task - 1)
        Tracer(instance, on_line).advance_to(rerun, task)
        if errors:
            parking.forget(rerun)
            raise errors[0]
    return values[0]


def value_at(frame: FrameType, instance: Inspectable, expression: Expression) -> Any:
    """Evaluate an expression where a line is about to run.

    Raises:
        ExpressionFailed: It raised.
        RunChanged: It changed a variable there, or an attribute of the workflow object.
    """
    names = {"self": instance.workflow_object, **frame.f_globals, **frame.f_locals}
    if not expression.calls:
        return expression.value(names)
    before = _look(frame, instance)
    value = expression.value(names)
    changes = differences(before, _look(frame, instance))
    if changes:
        raise RunChanged(
            expression.text, "it changes the run, and a past run can only be looked at: " + "; ".join(map(str, changes))
        )
    return value


def _look(frame: FrameType, instance: Inspectable) -> Snapshot:
    capture = Capture(RECORDED)
    attributes = captured(capture.attributes(instance.workflow_object), capture)
    variables = captured(variables_of(frame, instance.workflow_object), capture)
    return Snapshot(attributes | variables, (), ())


def _has_line(code: CodeType, line: int) -> bool:
    return any(number == line for _, _, number in code.co_lines())
