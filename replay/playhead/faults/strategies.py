"""Hypothesis strategies: fault plans, seeds, arguments of workflows, and messages to them.

Everything is drawn so that it stays what it is while Hypothesis shrinks: faults come from a fixed list, by their place
in it, so a plan with a fault taken out of it is a plan, and the shortest plan of the earliest points is what shrinking
ends with. Nothing is kept between examples, so that the database and `@reproduce_failure` mean today what they meant
when they were written.

This module needs Hypothesis, and is loaded when one of its strategies is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from playhead.faults.message import Message, handlers_of, run_types_of
from playhead.faults.programs import Program
from playhead.faults.survey import Flavour, Survey, refuse_unknown
from playhead_engine.faults import Fault, FaultLog, FaultPlan, FaultPoint, Passed

Source: TypeAlias = "Program[Any] | Survey | FaultLog | Iterable[Passed] | None"
"""Where the fault points are known from."""

_MOST_FAULTS: Final = 4
_MOST_SEEDS: Final = 2**16
_SWITCHES: Final = 16
"""How many things one number turns on and off. Hypothesis draws numbers of more bits than 24 small, by preference."""


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

    def flavours() -> tuple[Flavour, ...]:
        known = _survey(source, arguments)
        return known.flavours(only=only, without=without, lengths=lengths, beyond=True)

    # A program is run when the first example is drawn, not when a module of tests is imported.
    return st.deferred(lambda: _plans(flavours(), max_faults, swarm))


def _plans(flavours: tuple[Flavour, ...], max_faults: int, swarm: bool) -> st.SearchStrategy[FaultPlan]:
    if not flavours:
        return st.just(FaultPlan())
    places = range(len(flavours))
    details = [(st.sampled_from(one.points), st.sampled_from(one.lengths)) for one in flavours]
    switches = st.tuples(*(st.integers(0, 2**_SWITCHES - 1) for _ in range(0, len(flavours), _SWITCHES)))

    @st.composite
    def faults(draw: st.DrawFn) -> tuple[int, Fault]:
        place = draw(st.sampled_from(places))
        points, lengths = details[place]
        return place, Fault(draw(points), flavours[place].strike, draw(lengths))

    # What is off is drawn all the same and then left out: so each choice means the same whatever is off, and shrinking
    # can turn everything on and take faults away independently.
    lists = st.lists(faults(), max_size=max_faults * (2 if swarm else 1), unique_by=_point)

    @st.composite
    def plans(draw: st.DrawFn) -> FaultPlan:
        off = [word >> bit & 1 for word in draw(switches) for bit in range(_SWITCHES)] if swarm else []
        drawn = [(place, fault) for place, fault in draw(lists) if not swarm or not off[place]]
        kept = sorted(drawn[:max_faults], key=lambda one: (one[0], one[1].point.number, one[1].point.attempt))
        return FaultPlan(tuple([fault for _, fault in kept]))

    return plans()


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


def _point(drawn: tuple[int, Fault]) -> FaultPoint:
    """At one point one fault strikes."""
    return drawn[1].point
