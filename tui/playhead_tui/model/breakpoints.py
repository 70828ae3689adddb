"""Breakpoints, logpoints and watches: what the user wants to be told of, as data and as one writes it.

    activity:charge is:failed            an event that a filter lets through
    orders.py:86                         a line, every time it is about to run
    orders.py:86 if order.total > 500    the same, while something holds
    when self.total > 500                where something comes to hold
    change self.stage                    where a value becomes another

Each is kept as the text that it is written with, so that a session file can be read, and mended, by people. Where in a
run they lead is worked out in `hits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, TypeAlias, assert_never

from playhead.timeline.expression import BadExpression, Expression
from playhead.timeline.marks import Line
from playhead_engine.record import record
from playhead_tui.model.filter import BadFilter, Filter

_LINE: Final = re.compile(r"(\S+\.py):([1-9][0-9]*)(?:\s+if\s+(.+))?")
_UNFINISHED: Final = re.compile(r"(\S+\.py):\S*.*")


class BadBreakpoint(ValueError):
    """The text is no breakpoint, logpoint or watch; it says what is wrong with it."""


@record
class OnEvents:
    """Events that a filter lets through.

    Attributes:
        filter: As in a search.
    """

    filter: str

    def __str__(self) -> str:
        return self.filter


@record
class OnLine:
    """A line that is about to run.

    Attributes:
        line: Which.
        condition: An expression that must hold there; empty for always.
    """

    line: Line
    condition: str = ""

    def __str__(self) -> str:
        return f"{self.line} if {self.condition}" if self.condition else str(self.line)


@record
class OnCondition:
    """Where something comes to hold.

    Attributes:
        condition: An expression.
    """

    condition: str

    def __str__(self) -> str:
        return f"when {self.condition}"


@record
class OnChange:
    """Where a value becomes another.

    Attributes:
        expression: Of the value.
    """

    expression: str

    def __str__(self) -> str:
        return f"change {self.expression}"


Trigger: TypeAlias = OnEvents | OnLine | OnCondition | OnChange


@record
class Breakpoint:
    """A breakpoint.

    Attributes:
        trigger: Where the run is to be stopped.
        is_enabled: Whether it is.
    """

    trigger: Trigger
    is_enabled: bool = True

    @property
    def needs_code(self) -> bool:
        """Whether it means anything only where there is code."""
        match self.trigger:
            case OnEvents():
                return False
            case OnLine() | OnCondition() | OnChange():
                return True
            case _:
                assert_never(self.trigger)


@record
class Logpoint:
    """Something that is said whenever a line is about to run.

    Attributes:
        line: Which.
        expression: What is said: `f"{order.total=}"`.
    """

    line: Line
    expression: str

    def __str__(self) -> str:
        return f"{self.line} {self.expression}"


def trigger_of(text: str) -> Trigger:
    """What a user writes as a breakpoint.

    Raises:
        BadBreakpoint: It is none.
    """
    text = text.strip()
    word, _, rest = text.partition(" ")
    if not text:
        raise BadBreakpoint(
            "a breakpoint is a filter (activity:charge), a line (orders.py:86, orders.py:86 if total > 5), "
            "`when self.total > 500` or `change self.stage`"
        )
    if word == "when":
        return OnCondition(_expression(rest))
    if word == "change":
        return OnChange(_expression(rest))
    found = _LINE.fullmatch(text)
    if found is not None:
        return OnLine(Line(found[1], int(found[2])), _expression(found[3]) if found[3] else "")
    if _UNFINISHED.fullmatch(text):
        raise BadBreakpoint(f"a breakpoint on a line is orders.py:86, or orders.py:86 if total > 5, not {text!r}")
    try:
        return OnEvents(Filter(text).text)
    except BadFilter as error:
        raise BadBreakpoint(str(error)) from None


def logpoint_of(text: str) -> Logpoint:
    """What a user writes as a logpoint: `orders.py:86 f"{order.total=}"`.

    Raises:
        BadBreakpoint: It is none.
    """
    where, _, expression = text.strip().partition(" ")
    found = _LINE.fullmatch(where)
    if found is None or not expression.strip():
        raise BadBreakpoint(f'a logpoint is a line and what to say there: orders.py:86 f"{{total=}}", not {text!r}')
    return Logpoint(Line(found[1], int(found[2])), _expression(expression))


def watch_of(text: str) -> str:
    """What a user writes as a watch: an expression that only looks.

    Raises:
        BadBreakpoint: It is none.
    """
    return _expression(text)


def _expression(text: str) -> str:
    try:
        return Expression(text).text
    except BadExpression as error:
        raise BadBreakpoint(str(error).partition("\n")[0]) from None


@record
class Stops:
    """All that a user wants to be told of. A change makes another one.

    Attributes:
        breakpoints: In the order in which they were set.
        logpoints: The same.
        watches: Expressions that are shown wherever the playhead stands.
    """

    breakpoints: tuple[Breakpoint, ...] = ()
    logpoints: tuple[Logpoint, ...] = ()
    watches: tuple[str, ...] = ()

    def toggled(self, trigger: Trigger) -> Stops:
        """With a breakpoint there, or without it if there was one."""
        left = tuple(one for one in self.breakpoints if one.trigger != trigger)
        if len(left) < len(self.breakpoints):
            return replace(self, breakpoints=left)
        return replace(self, breakpoints=(*left, Breakpoint(trigger)))

    def toggled_line(self, line: Line) -> Stops:
        """With a breakpoint on a line; without any, conditional ones too, if there was one."""
        left = tuple(one for one in self.breakpoints if not _is_on(one, line))
        if len(left) < len(self.breakpoints):
            return replace(self, breakpoints=left)
        return replace(self, breakpoints=(*left, Breakpoint(OnLine(line))))

    def changed(self, number: int, changed: Breakpoint | None) -> Stops:
        """With a breakpoint in the place of another.

        Args:
            number: Of the breakpoint, from 0.
            changed: The other one; None for none.
        """
        middle = () if changed is None else (changed,)
        return replace(self, breakpoints=(*self.breakpoints[:number], *middle, *self.breakpoints[number + 1 :]))

    def enabled(self, number: int, *, enable: bool) -> Stops:
        """With a breakpoint that stops the run, or does not for now."""
        return self.changed(number, replace(self.breakpoints[number], is_enabled=enable))

    def with_logpoint(self, logpoint: Logpoint) -> Stops:
        """With a logpoint; instead of another on the same line."""
        return replace(self, logpoints=(*(one for one in self.logpoints if one.line != logpoint.line), logpoint))

    def without_logpoint(self, number: int) -> Stops:
        """Without one of the logpoints."""
        return replace(self, logpoints=(*self.logpoints[:number], *self.logpoints[number + 1 :]))

    def with_watch(self, expression: str) -> Stops:
        """With a watch."""
        return self if expression in self.watches else replace(self, watches=(*self.watches, expression))

    def without_watch(self, number: int) -> Stops:
        """Without one of the watches."""
        return replace(self, watches=(*self.watches[:number], *self.watches[number + 1 :]))

    def on_line(self, file: str, number: int) -> Breakpoint | Logpoint | None:
        """What is set on a line of a file, if anything is; a breakpoint before a logpoint."""
        for one in self.breakpoints:
            if isinstance(one.trigger, OnLine) and one.trigger.line.line == number and one.trigger.line.is_in(file):
                return one
        return next((one for one in self.logpoints if one.line.line == number and one.line.is_in(file)), None)

    # -- As a session keeps them ---------------------------------------------------------------------------------------

    def as_data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "breakpoints": [
                {"at": str(one.trigger), **({} if one.is_enabled else {"enabled": False})} for one in self.breakpoints
            ],
            "logpoints": list(map(str, self.logpoints)),
            "watches": list(self.watches),
        }

    @classmethod
    def of_data(cls, data: Any) -> tuple[Stops, list[str]]:
        """From JSON that somebody may have changed.

        Returns:
            What could be read, and a sentence for each thing that could not.
        """
        stops, problems = cls(), list[str]()
        if not isinstance(data, dict):
            return stops, [f"breakpoints are kept in an object, not in {type(data).__name__}"]
        for one in _listed(data, "breakpoints", problems):
            at, is_enabled = (one.get("at"), one.get("enabled", True)) if isinstance(one, dict) else (one, True)
            try:
                stops = replace(
                    stops, breakpoints=(*stops.breakpoints, Breakpoint(trigger_of(_text(at)), is_enabled is not False))
                )
            except BadBreakpoint as error:
                problems.append(f"a breakpoint was left out: {error}")
        for one in _listed(data, "logpoints", problems):
            try:
                stops = replace(stops, logpoints=(*stops.logpoints, logpoint_of(_text(one))))
            except BadBreakpoint as error:
                problems.append(f"a logpoint was left out: {error}")
        for one in _listed(data, "watches", problems):
            try:
                stops = stops.with_watch(watch_of(_text(one)))
            except BadBreakpoint as error:
                problems.append(f"a watch was left out: {error}")
        return stops, problems


def _is_on(breakpoint: Breakpoint, line: Line) -> bool:
    return isinstance(breakpoint.trigger, OnLine) and breakpoint.trigger.line == line


def _listed(data: dict[str, Any], name: str, problems: list[str]) -> Iterable[Any]:
    found = data.get(name, [])
    if isinstance(found, list):
        return found
    problems.append(f"{name} are kept in a list, not in {type(found).__name__}")
    return ()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise BadBreakpoint(f"it is a text, not {value!r}")
