"""Programs: what clients do with some workflows, to be run again and again under fault plans.

    @faults.program(workflows=[Checkout], activities=[charge], properties=[faults.properties.effects_once(effects)])
    def checkout(engine: Engine) -> str:
        return engine.execute_workflow(Checkout.run, "A-1", id="A-1", task_queue="shop").wait()

    checkout.check("activity charge 1.1 lose")

Every trial has an engine of its own, in memory and on the virtual clock. A program is run from its beginning each time,
so what it needs of the outside world it makes, or clears, first. This module knows no Hypothesis: plans come from
`strategies`, from `exploration`, or from a line that somebody kept.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, update_wrapper
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast

from playhead.faults.observation import count_strikes, leave_note
from playhead.faults.properties.property import Property, property_of
from playhead.faults.reproduction import explain
from playhead.faults.survey import Survey, survey_of
from playhead.faults.trial import Trial, TrialStore
from playhead.replayer import Replayer
from playhead_engine import Engine
from playhead_engine.client import NotReady, WorkflowNotFoundError, WorkflowStuckError
from playhead_engine.exceptions import TemporalError
from playhead_engine.faults import Deploy, FaultPlan

_R = TypeVar("_R")
_P = ParamSpec("_P")

TOLD_TO_CLIENTS: Final = (TemporalError, WorkflowNotFoundError, WorkflowStuckError, NotReady)
"""What a client may be told when the world fails. A program need not catch it: it becomes the error of the trial."""

_OURS: Final = frozenset({"path", "store", "clock", "faults", "seed", "workflows", "activities", "deploys"})
_OF_REPLAYERS: Final = frozenset({"data_converter", "interceptors", "plugins"})
_TAKEN: Final = frozenset({"plan", "seed"})


class Program(Generic[_R]):
    """See the module.

    Attributes:
        name: What it is called.
        function: What it does: it is given an engine and perhaps arguments.
        workflows: The workflow classes.
        activities: The activities.
        deploys: The code that faults deploy, in turn.
        properties: What must hold.
        options: What its engines are made of besides; see `Engine`.
    """

    def __init__(
        self,
        function: Callable[..., _R | Awaitable[_R]],
        *,
        workflows: Sequence[type],
        activities: Sequence[Callable[..., Any]] = (),
        deploys: Sequence[Deploy] = (),
        properties: Sequence[Property | Callable[[Trial[Any]], None]] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """See `program`."""
        self.name: str = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.workflows = tuple(workflows)
        self.activities = tuple(activities)
        self.deploys = tuple(deploys)
        self.options = dict(options or {})
        if properties is None:
            from playhead.faults.properties import STANDARD

            properties = STANDARD
        # One that runs the program again leaves the world as that run did, so it comes last.
        self.properties = tuple(sorted(map(property_of, properties), key=lambda one: one.runs_again))
        self._surveys: dict[str, Survey] = {}
        self._replayers: dict[int, Replayer] = {}
        _refuse(self)
        update_wrapper(self, function)

    def __call__(self, engine: Engine, *args: Any, **arguments: Any) -> _R | Awaitable[_R]:
        """Do it with an engine of yours."""
        return self.function(engine, *args, **arguments)

    def run(self, plan: FaultPlan | str = "", *, seed: int = 0, **arguments: Any) -> Trial[_R]:
        """Run it once, and look at nothing.

        Args:
            plan: What is to go wrong, as a plan or as its text.
            seed: What ids, and the order of what happens at the same instant, are made from.
            arguments: Of the function.

        Returns:
            What came of it, also where a client was told an error.

        Raises:
            BadFaultPlan: The text is no plan.
            Exception: What else the program raises, an AssertionError for example; with a note that says how to have it
                again.
        """
        trial = self._trial(plan, seed, arguments)
        count_strikes(trial)
        if trial.raised is not None:
            explain(trial.raised, trial)
            raise trial.raised
        leave_note(trial)
        return trial

    def check(self, plan: FaultPlan | str = "", *, seed: int = 0, **arguments: Any) -> Trial[_R]:
        """Run it once, and see that every property holds and that nothing is stuck.

        Args:
            plan: What is to go wrong, as a plan or as its text.
            seed: As of `run`.
            arguments: Of the function.

        Raises:
            PropertyBroken: A property does not hold; an AssertionError.
            WorkflowStuckError: Somebody waits for a workflow that will not go on.
            BadFaultPlan: The text is no plan.
            Exception: As of `run`. Whatever it is, it has a note that says how to have it again.
        """
        __tracebackhide__ = True
        trial = self._trial(plan, seed, arguments)
        count_strikes(trial)
        try:
            self.judge(trial)
        except Exception as broken:
            explain(broken, trial)
            raise
        return trial

    def judge(self, trial: Trial[_R]) -> None:
        """See that every property holds in a trial that was run.

        Raises:
            PropertyBroken, WorkflowStuckError, Exception: As of `check`.
        """
        __tracebackhide__ = True
        if trial.raised is not None:
            raise trial.raised
        for one in self.properties:
            one.check(trial)
        if isinstance(trial.error, WorkflowStuckError):
            raise trial.error

    def attempt(self, plan: FaultPlan, seed: int, arguments: Mapping[str, Any]) -> tuple[Trial[_R], Exception | None]:
        """Run it once; nothing is raised, and nothing said or saved.

        Returns:
            What came of it, and what `check` would have raised.
        """
        trial = self._trial(plan, seed, arguments)
        try:
            self.judge(trial)
        except Exception as broken:  # noqa: BLE001 - whatever it is, it is what the trial comes to
            return trial, broken
        return trial, None

    def survey(self, *, seed: int = 0, **arguments: Any) -> Survey:
        """All that could go wrong in it: it is run once with nothing going wrong, for each seed and arguments.

        Raises:
            Exception: What it raises when nothing goes wrong.
        """
        key = repr((seed, sorted(arguments.items())))
        if key not in self._surveys:
            trial = self.run(seed=seed, **arguments)
            self._surveys[key] = survey_of(trial.passed, trial.histories, len(self.deploys))
        return self._surveys[key]

    def again(self, trial: Trial[_R], **options: Any) -> Trial[_R]:
        """Run a trial once more, in another engine: same plan, same seed, same arguments.

        Args:
            trial: The trial.
            options: What to make the engine of, instead of what the program says.
        """
        return self._trial(trial.plan, trial.seed, trial.arguments, **options)

    def replayer(self, deployed: int = 0) -> Replayer:
        """What replays its runs.

        Args:
            deployed: With the code of which deploy; 0 for that which it began with.
        """
        if deployed not in self._replayers:
            workflows = self.deploys[deployed - 1].workflows if deployed else self.workflows
            given = {name: self.options[name] for name in _OF_REPLAYERS & self.options.keys()}
            self._replayers[deployed] = Replayer(workflows, **given)
        return self._replayers[deployed]

    # Running

    def _trial(self, plan: FaultPlan | str, seed: int, arguments: Mapping[str, Any], **options: Any) -> Trial[_R]:
        plan = FaultPlan.parse(plan) if isinstance(plan, str) else plan
        store = TrialStore()
        for one in self.properties:
            one.begin()
        engine = Engine(
            workflows=self.workflows,
            activities=self.activities,
            deploys=self.deploys,
            faults=plan,
            seed=seed,
            store=store,
            **(self.options | options),
        )
        trial = Trial(self, plan, seed, arguments, store, engine.faults)
        try:
            with _quiet():
                self._drive(engine, trial, store)
        except Exception as raised:  # noqa: BLE001 - it is raised again by whoever wants to hear of it
            trial.raised = raised
        return trial

    def _drive(self, engine: Engine, trial: Trial[_R], store: TrialStore) -> None:
        if self._is_async:
            asyncio.run(self._go_async(engine, trial, store))
        else:
            self._go(engine, trial, store)

    def _go(self, engine: Engine, trial: Trial[_R], store: TrialStore) -> None:
        with engine:
            try:
                trial.result = cast("_R", self.function(engine, **trial.arguments))
            except TOLD_TO_CLIENTS as error:
                trial.error = error
            if self._patience and store.has_open_runs():
                engine.sleep(self._patience).wait()

    async def _go_async(self, engine: Engine, trial: Trial[_R], store: TrialStore) -> None:
        async with engine:
            try:
                trial.result = await cast("Awaitable[_R]", self.function(engine, **trial.arguments))
            except TOLD_TO_CLIENTS as error:
                trial.error = error
            if self._patience and store.has_open_runs():
                await engine.sleep(self._patience)

    @cached_property
    def _is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @cached_property
    def _patience(self) -> timedelta:
        return max((one.patience for one in self.properties), default=timedelta())


def program(
    *,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]] = (),
    deploys: Sequence[Deploy] = (),
    properties: Sequence[Property | Callable[[Trial[Any]], None]] | None = None,
    **options: Any,
) -> Callable[[Callable[Concatenate[Engine, _P], _R | Awaitable[_R]]], Program[_R]]:
    """Make a function a program.

    Args:
        workflows: The workflow classes, native or written for `temporalio`.
        activities: The activities, likewise.
        deploys: The code that faults deploy in the middle of a run, in turn.
        properties: What must hold, whatever goes wrong: properties of `faults.properties`, and functions of yours that
            are given a `Trial` and raise AssertionError. If not given, `faults.properties.STANDARD`.
        options: What its engines are made of besides, such as `data_converter` and `interceptors`; see `Engine`.

    Raises:
        TypeError: The function is generic in a way that cannot work: an argument is called `plan` or `seed`.
    """

    def made(function: Callable[Concatenate[Engine, _P], _R | Awaitable[_R]]) -> Program[_R]:
        return Program(
            function,
            workflows=workflows,
            activities=activities,
            deploys=deploys,
            properties=properties,
            options=options,
        )

    return made


def _refuse(made: Program[Any]) -> None:
    """Refuse what could not work, where it is written."""
    ours = _OURS & made.options.keys()
    if ours:
        raise TypeError(f"{made.name}: {', '.join(sorted(ours))} of its engines is the business of each trial")
    taken = _TAKEN & inspect.signature(made.function).parameters.keys()
    if taken:
        raise TypeError(f"{made.name}: call its argument {', '.join(sorted(taken))} something else: trials have one")


@contextmanager
def _quiet() -> Generator[None]:
    """Keep the engine from logging that it fails, which it is made to do. What code logs is another matter."""
    logger = logging.getLogger("playhead_engine.engine")
    logger.addFilter(_drop)
    try:
        yield
    finally:
        logger.removeFilter(_drop)


def _drop(_: logging.LogRecord) -> bool:
    return False
