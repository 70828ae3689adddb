"""Logpoints: an expression that is evaluated whenever a past run comes to a line, without touching the code."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from playhead.timeline.capture import RECORDED, Capture
from playhead.timeline.expression import Expression, ExpressionFailed, RunChanged
from playhead.timeline.marks import Line
from playhead.timeline.snapshot import Snapshot, captured, differences, variables_of
from playhead.timeline.tracing import Tracer
from playhead.timeline.value import Value
from playhead_engine.record import record
from playhead_engine.runtime import Inspectable, inspectable

if TYPE_CHECKING:
    from playhead.passage import Passage


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


def log(begin: Callable[[], Passage], tasks: int, line: Line, expression: Expression) -> list[Logged]:
    """Pass through a run, and evaluate an expression each time before a line runs.

    Args:
        begin: Makes a passage.
        tasks: How many workflow tasks to go through.
        line: Where.
        expression: What.

    Raises:
        RunChanged: The expression changed the run; it is thrown away, and nothing after that would have been true.
    """
    found: list[Logged] = []
    changed: list[RunChanged] = []
    passage = begin()
    instance = inspectable(passage.instance)
    assert instance is not None, "a runtime that cannot be looked into has no lines"

    def on_line(frame: FrameType) -> None:
        if frame.f_lineno != line.line or changed:
            return
        event = passage.machines.last_event_id
        try:
            value = value_at(frame, instance, expression)
            found.append(Logged(passage.task, event, Capture(RECORDED).of(value)))
        except RunChanged as error:
            changed.append(error)
        except ExpressionFailed as error:
            found.append(Logged(passage.task, event, None, error.problem))

    tracer = Tracer(instance, on_line, lambda code: line.is_in(code.co_filename) and _has_line(code, line.line))
    try:
        tracer.advance_to(passage, tasks)
    finally:
        passage.close()
    if changed:
        raise changed[0]
    return found


def evaluate_at(begin: Callable[[], Passage], task: int, number: int, expression: Expression) -> Any:
    """Evaluate an expression before one line of a workflow task, on a run of its own, which is thrown away.

    Args:
        begin: Makes a passage.
        task: Number of the workflow task.
        number: How many lines run in it before that one.
        expression: What.

    Raises:
        ExpressionFailed: It raised.
        RunChanged: It changed the run.
    """
    values: list[Any] = []
    errors: list[ExpressionFailed] = []
    passage = begin()
    instance = inspectable(passage.instance)
    assert instance is not None, "a runtime that cannot be looked into has no lines"
    left = number

    def on_line(frame: FrameType) -> None:
        nonlocal left
        if left == 0:
            try:
                values.append(value_at(frame, instance, expression))
            except ExpressionFailed as error:
                errors.append(error)
        left -= 1

    try:
        passage.advance_to(task - 1)
        Tracer(instance, on_line).advance_to(passage, task)
    finally:
        passage.close()
    if errors:
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
