"""Hypothesis strategies: fault plans, seeds, arguments of workflows, and messages to them.

Everything is drawn so that it stays what it is while Hypothesis shrinks: faults come from a fixed list, by their place
in it, so a plan with a fault taken out of it is a plan, and the shortest plan of the earliest points is what shrinking
ends with. Nothing is kept between examples, so that the database and `@reproduce_failure` mean today what they meant
when they were written.

This module needs Hypothesis, and is loaded when one of its strategies is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, TypeAlias, TypeVar

from hypothesis import strategies as st

from playhead.faults.message import Message, handlers_of, run_types_of
from playhead.faults.programs import Program
from playhead.faults.survey import Flavour, Survey, in_order, refuse_unknown
from playhead_engine.faults import Fault, FaultLog, FaultPlan, Passed
from playhead_engine.faults.kinds import Kind, Strike

Source: TypeAlias = "Program[Any] | Survey | FaultLog | Iterable[Passed] | None"
"""Where the fault points are known from."""

_T = TypeVar("_T")

_MOST_FAULTS: Final = 4
_MOST_SEEDS: Final = 2**16
_DENSEST: Final = 3
"""Of what can go wrong, one in two to the power of this is on where swarm turns most of it off."""


def fault_plans(
    source: Source = None,
    *,
    only: Collection[str] = (),
    without: Collection[str] = (),
    lengths: Sequence[float] = (),
    max_faults: int = _MOST_FAULTS,
    swarm: bool = True,
    **arguments: Any,
) -> st.SearchStrategy[FaultPlan]:
    """Fault plans. They shrink to the fewest faults at the earliest points; the simplest plan is that nothing happens.

    Args:
        source: A program: faults are drawn from the points that it passes when nothing goes wrong, and those next to
            them. Or the fault log of such a run, or the points. Without it, faults are at any point of a number.
        only: Kinds, strikes, or both as in "activity lose"; all if empty.
        without: The same, of what is not to go wrong.
        lengths: The delays to draw from, in seconds, instead of those that matter to the program.
        max_faults: How many faults a plan may have.
        swarm: Whether each example turns a subset of what can go wrong off. What one kind of fault makes unlikely,
            another example finds.
        arguments: Of the program, for finding out its points.

    Raises:
        ValueError: There is no such kind or strike.
    """
    refuse_unknown((*only, *without))

    def plans() -> st.SearchStrategy[FaultPlan]:
        survey = _survey(source, arguments)
        flavours = survey.flavours(only=only, without=without, lengths=lengths, beyond=True)
        return _plans(survey, flavours, max_faults, swarm)

    # A program is run when the first example is drawn, not when a module of tests is imported.
    return st.deferred(plans)


def _plans(survey: Survey, flavours: tuple[Flavour, ...], max_faults: int, swarm: bool) -> st.SearchStrategy[FaultPlan]:
    known: dict[tuple[Kind, Strike], Flavour] = {(one.kind, one.strike): one for one in flavours}
    strikes: tuple[Strike, ...] = tuple(sorted({one.strike for one in flavours}, key=in_order))
    points = survey.points(beyond=True)
    lengths = tuple(sorted({length for one in flavours for length in one.lengths}))
    if not strikes:
        return st.just(FaultPlan())
    places = {point: place for place, point in enumerate(points)}
    numbers = st.binary(min_size=(size := len(strikes) + len(points) + len(lengths)), max_size=size)
    lists = st.lists(numbers, max_size=2 * max_faults)
    switches = st.lists(st.integers(0, 2 ** len(strikes) - 1), max_size=_DENSEST if swarm else 0)

    def fault(drawn: bytes, is_on: Sequence[Strike | None]) -> Fault | None:
        strike: Strike | None = _chosen(is_on, drawn)
        if strike is None:
            return None
        able = [point if (point.kind, strike) in known else None for point in points]
        point = _chosen(able, drawn[len(strikes) :])
        if point is None:
            return None
        allowed = known[point.kind, strike].lengths
        length = _chosen([one if one in allowed else None for one in lengths], drawn[len(strikes) + len(points) :])
        return None if length is None else Fault(point, strike, length)

    @st.composite
    def plans(draw: st.DrawFn) -> FaultPlan:
        off = reduce(or_, draw(switches), 0)
        is_on: list[Strike | None] = [None if off >> place & 1 else strike for place, strike in enumerate(strikes)]
        drawn = [fault(one, is_on if any(is_on) else strikes) for one in draw(lists)]
        # Of two faults at one point the second counts: so one can come to where another is, and then be the only one.
        kept = {one.point: one for one in drawn if one is not None}
        return FaultPlan(tuple(sorted(list(kept.values())[:max_faults], key=lambda one: places[one.point])))

    return plans()


def _chosen(choices: Sequence[_T | None], numbers: bytes) -> _T | None:
    """One of the choices, each as likely as any other. None among them is no choice.

    Each has a number of its own, and the first is chosen whose number can be divided by how many are left. So the
    shrinker, which tries 0 for each number, tries every choice before the one it has. Given one number that says which,
    it would look for a smaller one by halves, and miss one that fails where those in between do not.

    Returns:
        None if the number of something that is no choice is 0. That happens seldom, and to keep it so the shrinker
        leaves those numbers alone: they mean something when something else is chosen.
    """
    left = sum(choice is not None for choice in choices)
    for choice, number in zip(choices, numbers, strict=False):
        if choice is None:
            if number == 0:
                return None
        elif number % left == 0:
            return choice
        else:
            left -= 1
    raise AssertionError("the last is always chosen")


def seeds() -> st.SearchStrategy[int]:
    """Seeds: what ids, and the order of what happens at the same instant, are made from. They shrink to 0."""
    return st.integers(0, _MOST_SEEDS - 1)


def inputs(run: Callable[..., Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Arguments of a workflow, by the annotations of its run method.

    Args:
        run: The run method, native or written for `temporalio`, as in `Checkout.run`.

    Raises:
        TypeError: A parameter is not annotated: draw it with a strategy of yours.
    """
    return _values(run_types_of(run))


def messages(
    workflow: type,
    *,
    only: Collection[str] = (),
    kinds: Collection[str] = ("signal",),
    lengths: Sequence[float] = (0.0, 1.0, 60.0, 3600.0),
    max_size: int = 5,
) -> st.SearchStrategy[list[Message]]:
    """Messages to a workflow: what a client sends it, and how long it waits before each. See `deliver`.

    Args:
        workflow: The class, native or written for `temporalio`. Its handlers' annotations say what they take.
        only: Names of handlers; all if empty.
        kinds: "signal", "update" and "query".
        lengths: How long to wait before each, in seconds.
        max_size: How many to send at most.

    Raises:
        ValueError: The class has no such handler.
        TypeError: A parameter is not annotated.
    """
    choices = [
        st.builds(
            Message,
            st.just(handler.kind),
            st.just(handler.name),
            _values(handler.types),
            st.sampled_from(lengths),
        )
        for handler in handlers_of(workflow, kinds, only)
    ]
    return st.lists(st.one_of(choices), max_size=max_size)


def signals(workflow: type, **options: Any) -> st.SearchStrategy[list[Message]]:
    """The same, signals only."""
    return messages(workflow, kinds=("signal",), **options)


def _values(types: Sequence[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*map(_from_type, types))


def _from_type(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type that JSON can hold: what cannot be sent is no input."""
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if hint is str:
        return st.text(st.characters(codec="utf-8"))
    return st.from_type(hint)


def _survey(source: Source, arguments: dict[str, Any]) -> Survey:
    match source:
        case None:
            return Survey()
        case Program():
            return source.survey(**arguments)
        case Survey():
            return source
        case FaultLog():
            return Survey(source.passed)
        case _:
            return Survey(tuple(source))
