"""What a property is: a name, and a look at a trial that raises where it does not hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from playhead_engine.record import frozen_record

if TYPE_CHECKING:
    from playhead.faults.trial import Trial

Check: TypeAlias = "Callable[[Trial[Any]], None]"
"""Looks at a trial, and raises AssertionError where something does not hold."""


class PropertyBroken(AssertionError):
    """A property does not hold.

    Attributes:
        name: The property.
        problem: What is wrong, as a sentence.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def _nothing() -> None:
    """Nothing has to be done before a trial."""


@frozen_record
class Property:
    """Something that must hold, whatever goes wrong.

    Attributes:
        name: What it is called in reports.
        check: Raises where it does not hold.
        begin: What has to be done before each trial.
        patience: For how long, in virtual time, runs that the program leaves open may go on before they are judged.
        holds_always: Whether it holds at every moment of a trial, and not only at its end.
        runs_again: Whether `check` runs the program again.
    """

    name: str
    check: Check
    begin: Callable[[], None] = _nothing
    patience: timedelta = timedelta()
    holds_always: bool = False
    runs_again: bool = False


def property_of(given: Property | Check) -> Property:
    """The property that a user means: one, or a function that looks at a trial."""
    if isinstance(given, Property):
        return given
    return Property(getattr(given, "__name__", repr(given)).replace("_", " "), given)
