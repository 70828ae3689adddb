"""Explorations: every fault that could strike a program, one at a time, and then several up to a bound.

    print(faults.explore(checkout))
    faults.explore(checkout, up_to=2, at_most=500).check()

Where the strategies look at random, an exploration misses nothing up to its bound, and says what the bound was. Faults
are taken from a run in which nothing goes wrong; for two, each second fault is taken from the run that the first has
struck, behind it. So each set of faults is tried in the one order in which they strike, and none that cannot strike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from playhead.faults.programs import Program
from playhead.faults.pruning import redundant, rule_for
from playhead.faults.reproduction import told
from playhead.faults.survey import Flavour, Survey
from playhead.faults.trial import Trial
from playhead_engine.faults import Fault, FaultPlan
from playhead_engine.record import frozen_record

_NUMBERS: Final = {1: "one fault", 2: "two faults", 3: "three faults"}


@frozen_record
class Tried:
    """What was done about the plans of one size.

    Attributes:
        faults: How many faults each plan has.
        tried: How many plans were tried.
        pruned: How many were left out by which rule, because they come to the same as others.
        left: How many were left out because there were too many.
    """

    faults: int
    tried: int
    pruned: Mapping[str, int]
    left: int = 0

    @property
    def total(self) -> int:
        """How many such plans there are."""
        return self.tried + self.left + sum(self.pruned.values())


@frozen_record
class Broken:
    """One way in which a program breaks.

    Attributes:
        plan: The first plan that breaks it so: of the fewest faults, at the earliest points.
        error: What `check` raises.
        count: How many of the plans that were tried break it so.
    """

    plan: FaultPlan
    error: Exception
    count: int


class ExplorationFailed(AssertionError):
    """An exploration found something; the text is its report."""


@frozen_record
class Exploration:
    """What came of one.

    Attributes:
        program: The name of the program.
        points: How many fault points it passes when nothing goes wrong.
        delays: The delays that were tried, in seconds.
        sizes: What was tried, by the number of faults.
        broken: What was found, the simplest first.
        again: How to have the first of it again.
    """

    program: str
    points: int
    delays: tuple[float, ...]
    sizes: tuple[Tried, ...]
    broken: tuple[Broken, ...] = ()
    again: str = ""

    @property
    def complete_up_to(self) -> int:
        """Up to how many faults every plan was tried that could come to something else."""
        return next((size.faults - 1 for size in self.sizes if size.left), self.sizes[-1].faults)

    def check(self) -> None:
        """Fail if anything was found.

        Raises:
            ExplorationFailed: It was.
        """
        __tracebackhide__ = True
        if self.broken:
            raise ExplorationFailed(str(self))

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def explore(
    program: Program[Any],
    *,
    up_to: int = 1,
    at_most: int | None = None,
    only: Collection[str] = (),
    without: Collection[str] = (),
    lengths: Sequence[float] = (),
    seed: int = 0,
    watch: Callable[[Iterable[FaultPlan], int], Iterable[FaultPlan]] | None = None,
    **arguments: Any,
) -> Exploration:
    """Try every fault.

    Args:
        program: What to try it on.
        up_to: How many faults may strike in one run.
        at_most: How many plans of more than one fault to try, for each number of faults; all if not given. Of more,
            some are chosen, evenly.
        only: Kinds, strikes, or both as in "activity lose"; all if empty.
        without: The same, of what is not to go wrong.
        lengths: The delays to try, in seconds, instead of those that matter to the program.
        seed: As of `Program.run`.
        watch: Is handed the plans of each size as they are tried, and how many there are, and hands them on.
        arguments: Of the program.

    Raises:
        ValueError: There is no such kind or strike, or nothing to do.
        Exception: What the program raises, or which property it breaks, when nothing goes wrong.
    """
    if up_to < 1:
        raise ValueError(f"up_to= is to be at least 1, got {up_to}: without a fault there is nothing to explore")
    survey = program.survey(seed=seed, **arguments)
    whole = program.check(seed=seed, **arguments)

    def faults_in(trial: Trial[Any], behind: int) -> Iterator[tuple[Fault, str]]:
        passed = trial.passed
        rules = redundant(passed)
        here = Survey(passed[behind:], survey.thresholds, survey.deploys)
        for flavour in _flavours(here, only, without, lengths):
            for fault in flavour.faults():
                yield fault, rule_for(fault, rules)

    sizes: list[Tried] = []
    found: dict[str, list[tuple[FaultPlan, Exception, Trial[Any]]]] = {}
    leaves: list[tuple[FaultPlan, Trial[Any]]] = [(FaultPlan(), whole)]
    for size in range(1, up_to + 1):
        pruned: Counter[str] = Counter()
        plans: list[FaultPlan] = []
        for plan, trial in leaves:
            for fault, rule in faults_in(trial, _behind_the_last(plan, trial)):
                if rule:
                    pruned[rule] += 1
                else:
                    plans.append(FaultPlan((*plan, fault)))
        chosen = _spread(plans, at_most) if size > 1 else plans
        leaves = []
        for plan in chosen if watch is None else watch(chosen, len(chosen)):
            trial, broken = program.attempt(plan, seed, arguments)
            if broken is not None:
                found.setdefault(_way(broken), []).append((plan, broken, trial))
            elif size < up_to and len(trial.struck) == size:
                leaves.append((plan, trial))
        sizes.append(Tried(size, len(chosen), dict(pruned), len(plans) - len(chosen)))
    broken_ways = sorted(found.values(), key=lambda ways: len(ways[0][0]))
    return Exploration(
        program.name,
        len(survey.passed),
        tuple(sorted(lengths)) or survey.lengths,
        tuple(sizes),
        tuple([Broken(ways[0][0], ways[0][1], len(ways)) for ways in broken_ways]),
        told(broken_ways[0][0][2]) if broken_ways else "",
    )


def _flavours(
    survey: Survey, only: Collection[str], without: Collection[str], lengths: Sequence[float]
) -> tuple[Flavour, ...]:
    longest = max(lengths or survey.lengths)
    return survey.flavours(only=only, without=without, lengths=lengths, downtimes=(0.0, longest))


def _behind_the_last(plan: FaultPlan, trial: Trial[Any]) -> int:
    """From which of the points on that a run passed a further fault may strike it."""
    struck = [place for place, here in enumerate(trial.passed) if here.fault is not None]
    return struck[-1] + 1 if len(plan) else 0


def _spread(plans: list[FaultPlan], at_most: int | None) -> list[FaultPlan]:
    if at_most is None or len(plans) <= at_most:
        return plans
    return [plans[place * len(plans) // at_most] for place in range(at_most)]


def _way(broken: Exception) -> str:
    """What tells one way to break from another: the property, or the kind of error and where it was raised."""
    name = getattr(broken, "name", None)
    if isinstance(name, str):
        return name
    frames = broken.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    return f"{type(broken).__name__} {frames.tb_lineno if frames is not None else 0}"


def _lines(it: Exploration) -> Iterator[str]:
    yield f"{it.program}: {it.points} fault points"
    for size in it.sizes:
        what = "single faults" if size.faults == 1 else f"sets of {_NUMBERS.get(size.faults, str(size.faults))}"
        yield f"  {size.total:>6}  {what}: {size.tried} tried"
        for rule, count in size.pruned.items():
            yield f"  {count:>6}    not tried, since they {rule}"
        if size.left:
            yield f"  {size.left:>6}    not tried, since there are too many"
    yield f"  delays   {', '.join(f'{one:g} s' for one in it.delays)}"
    for one in it.broken:
        yield ""
        yield f"  {one.count} of them break it: {type(one.error).__name__}"
        yield from (f"    {line}" for line in str(one.error).splitlines())
        yield f"    the first  {one.plan}"
    if it.again:
        yield ""
        yield it.again
    yield ""
    yield f"{_verdict(it)}"


def _verdict(it: Exploration) -> str:
    upto = it.complete_up_to
    said = f"complete up to {_NUMBERS.get(upto, f'{upto} faults')}, with these delays"
    partly = it.sizes[-1]
    if partly.left:
        said += (
            f"; of {partly.total} sets of {_NUMBERS.get(partly.faults, str(partly.faults))}, {partly.tried} were tried"
        )
    return f"{said}: {'every property holds' if not it.broken else f'{len(it.broken)} ways to break it'}"
