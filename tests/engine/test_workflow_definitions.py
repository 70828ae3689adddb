"""What the decorators accept, and what they say about what they do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from playhead_engine import activity, workflow
from playhead_engine.common import RawValue, VersioningBehavior
from playhead_engine.definitions import (
    ActivityDefinition,
    WorkflowDefinition,
    activity_definition,
    annotated_types,
    handler_name,
)
from playhead_engine.native import NativeRuntime


class Base:
    """Not a workflow itself, but full of handlers."""

    @workflow.signal
    def poke(self, n: int) -> None:
        """Do nothing."""

    @workflow.query(name="how-much", description="How much there is")
    def amount(self) -> int:
        """Nothing."""
        return 0


@workflow.defn(name="full", failure_exception_types=[KeyError], versioning_behavior=VersioningBehavior.PINNED)
class Full(Base):
    """One of everything."""

    @workflow.init
    def __init__(self, n: int) -> None:
        """Take the argument."""
        self.n = n

    @workflow.run
    async def run(self, n: int) -> str:
        """Return it."""
        return str(n)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def change(self, n: int) -> int:
        """Change it."""
        self.n = n
        return n

    @change.validator
    def check(self, n: int) -> None:
        """Accept it."""

    @workflow.signal(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> None:
        """Take any signal."""


def test_a_definition_says_what_the_decorators_said() -> None:
    """A workflow class knows its type, its handlers, inherited ones included, and its annotations."""
    found = WorkflowDefinition.of_class(Full)
    assert (found.name, found.arg_types, found.ret_type, found.init_takes_args) == ("full", [int], str, True)
    assert found.failure_exception_types == (KeyError,)
    assert found.versioning_behavior is VersioningBehavior.PINNED
    assert set(found.signals) == {"poke", None}
    assert found.queries["how-much"].description == "How much there is"
    assert found.updates["change"].validator is not None
    assert found.updates["change"].unfinished_policy is workflow.HandlerUnfinishedPolicy.ABANDON
    assert found.signals[None].is_async
    assert WorkflowDefinition.of_run_method(Full.run) is found


async def _run(self: Any) -> None:
    """A run method for classes that tests make up."""


def _class(**members: Any) -> type:
    """A class with these members, as if it were written in a module."""
    for name, member in members.items():
        if callable(member):
            member.__qualname__ = f"Made.{name}"
    return type("Made", (), {"__module__": __name__, **members})


def _made_run() -> Any:
    async def run(self: Any, n: int) -> None:
        """Do nothing."""

    run.__qualname__ = "Made.run"
    return workflow.run(run)


def _method(decorator: Any, name: str = "handler", **annotations: Any) -> Any:
    def handler(self: Any, n: int) -> None:
        """Do nothing."""

    handler.__qualname__ = f"Made.{name}"
    handler.__name__ = name
    return decorator(handler)


def test_a_class_without_a_run_method_is_refused() -> None:
    """The message says what is missing."""
    with pytest.raises(ValueError, match=r"Made cannot be a workflow: it has no method decorated with @workflow\.run"):
        workflow.defn(_class())


def test_two_run_methods_are_refused() -> None:
    """The message names both."""
    with pytest.raises(ValueError, match=r"two methods are decorated with @workflow\.run: Made\.again and run"):
        workflow.defn(_class(run=_made_run(), again=_made_run()))


def test_a_run_method_of_a_base_class_does_not_count() -> None:
    """It must be defined on the class itself, or else the class would have two definitions."""
    base = _class(run=_made_run())
    with pytest.raises(ValueError, match="must be defined on the class itself"):
        workflow.defn(type("Derived", (base,), {}))


def test_an_override_must_be_decorated_as_what_it_overrides() -> None:
    """Otherwise a signal would be lost without a word."""
    base = _class(poke=_method(workflow.signal, "poke"))
    made = type("Derived", (base,), {"run": _made_run(), "poke": lambda self, n: None})
    with pytest.raises(ValueError, match=r"poke overrides a @workflow\.signal method of Made undecorated"):
        workflow.defn(made)


def test_two_handlers_of_one_name_are_refused() -> None:
    """The message names the signal and both methods."""
    twice = {name: _method(workflow.signal(name="same"), name) for name in ("a", "b")}
    with pytest.raises(ValueError, match="two methods handle signal same: a and b"):
        workflow.defn(_class(run=_made_run(), **twice))


def test_init_must_take_what_run_takes() -> None:
    """Both are given the workflow's arguments."""

    def __init__(self: Any, n: str) -> None:  # noqa: N807 - it becomes one
        """Take something else."""

    with pytest.raises(ValueError, match="must take the same parameters"):
        workflow.defn(_class(run=_made_run(), __init__=workflow.init(__init__)))
    with pytest.raises(ValueError, match="@workflow.init is for __init__"):
        workflow.init(_run)


def test_a_validator_must_take_what_its_update_takes() -> None:
    """Both are given the update's arguments."""
    update = _method(workflow.update)

    def check(self: Any) -> None:
        """Take nothing."""

    update.validator(check)
    with pytest.raises(ValueError, match="update handler and its validator must take the same parameters"):
        workflow.defn(_class(run=_made_run(), handler=update))


def test_a_validator_must_not_be_async_nor_set_twice() -> None:
    """It is called, not awaited; an async one would accept everything."""
    update = _method(workflow.update)
    with pytest.raises(ValueError, match="must not be async"):
        update.validator(_run)
    update.validator(lambda self, n: None)
    with pytest.raises(RuntimeError, match="has a validator already"):
        update.validator(lambda self, n: None)


def test_a_run_method_must_be_async_and_findable() -> None:
    """A class that is local to a function cannot be found by name when the run goes on elsewhere."""

    async def run(self: Any) -> None:
        """Do nothing."""

    with pytest.raises(ValueError, match="must not be local to a function"):
        workflow.run(run)
    with pytest.raises(ValueError, match="must be async"):
        workflow.run(lambda self: None)  # type: ignore[type-var]


def test_a_class_is_decorated_once() -> None:
    """Twice is a mistake."""
    made = workflow.defn(_class(run=_made_run()))
    with pytest.raises(ValueError, match="decorated with @workflow.defn already"):
        workflow.defn(made)


def test_a_name_and_dynamic_exclude_each_other() -> None:
    """A dynamic thing has no name of its own."""
    with pytest.raises(ValueError, match="has a name or is dynamic, not both"):
        workflow.defn(name="x", dynamic=True)(_class(run=_made_run()))  # type: ignore[call-overload]
    decorators: list[Any] = [workflow.signal, workflow.query, workflow.update]
    for decorator in decorators:
        with pytest.raises(RuntimeError, match="has a name or is dynamic, not both"):
            _method(decorator(name="x", dynamic=True))


def test_dynamic_things_take_raw_values() -> None:
    """Nobody knows what types they would be."""
    with pytest.raises(TypeError, match="must take one Sequence"):
        workflow.defn(dynamic=True)(_class(run=_made_run()))
    with pytest.raises(RuntimeError, match=r"a dynamic handler takes the name as a str.*Made.handler takes \(self"):
        _method(workflow.signal(dynamic=True))


def test_the_old_form_of_dynamic_handlers_warns() -> None:
    """Temporal's SDK still takes it for signals and queries, and so does this one; not for updates."""

    def old(self: Any, name: str, *args: Any) -> None:
        """Take the values."""

    with pytest.warns(DeprecationWarning, match="should take a Sequence"):
        workflow.signal(dynamic=True)(old)
    with pytest.raises(RuntimeError, match="a dynamic update takes a Sequence"):
        workflow.update(dynamic=True)(old)


def test_an_async_query_warns() -> None:
    """It could never be answered if it waited."""
    with pytest.warns(DeprecationWarning, match="must answer at once"):
        workflow.query(_run)


def test_dynamic_config_needs_a_dynamic_workflow() -> None:
    """Another workflow says all of it in its decorator."""
    config = _method(lambda fn: fn)
    config = workflow.dynamic_config(lambda self: workflow.DynamicWorkflowConfig())
    with pytest.raises(ValueError, match=r"@workflow.dynamic_config needs @workflow.defn\(dynamic=True\)"):
        workflow.defn(_class(run=_made_run(), config=config))


def test_a_runtime_refuses_what_is_no_workflow_and_two_of_one_type() -> None:
    """The messages say which classes are meant."""
    with pytest.raises(ValueError, match="Base is no workflow: decorate it with @workflow.defn"):
        NativeRuntime([Base])
    other = workflow.defn(name="full")(_class(run=_made_run()))
    with pytest.raises(ValueError, match=r"Full and .*Made are both of type full"):
        NativeRuntime([Full, other])


def test_a_runtime_says_what_it_has_when_it_lacks_a_type() -> None:
    """The user sees at once what was misspelled."""
    runtime = NativeRuntime([Full])
    assert runtime.workflow_types() == {"full"}
    assert runtime.accepts("full")
    assert not runtime.accepts("Full")
    with pytest.raises(LookupError, match="there is no workflow of type 'Full'; there are: full"):
        runtime.create("Full", "r")


@activity.defn(name="greeting")
async def greet(name: str, times: int = 1) -> str:
    """Greet."""
    return name * times


def test_activities_are_called_by_function_or_by_name() -> None:
    """Their definition hangs on the function."""
    found = activity_definition(greet)
    assert isinstance(found, ActivityDefinition)
    assert (found.name, found.arg_types, found.ret_type, found.is_async) == ("greeting", [str, int], str, True)
    with pytest.raises(ValueError, match="_run is no activity: decorate it with @activity.defn"):
        activity_definition(_run)
    with pytest.raises(TypeError, match="an activity must be its name or a function, got int"):
        activity_definition(5)


def test_handlers_are_called_by_method_or_by_name() -> None:
    """A method that handles something else is refused."""
    assert handler_name(Base.poke, "__playhead_signal__", "signal") == "poke"
    assert handler_name("any", "__playhead_signal__", "signal") == "any"
    with pytest.raises(RuntimeError, match=r"Base.amount is no signal handler: decorate it with @workflow.signal"):
        handler_name(Base.amount, "__playhead_signal__", "signal")
    with pytest.raises(RuntimeError, match="dynamic signal handler"):
        handler_name(Full.anything, "__playhead_signal__", "signal")


class _Callable:
    def __call__(self, n: int) -> str:
        """Convert."""
        return str(n)


def test_annotations_are_used_only_if_all_parameters_have_them() -> None:
    """A half-annotated function is converted without annotations, as under Temporal's SDK."""

    def half(a: int, b) -> str:  # type: ignore[no-untyped-def]
        """Half annotated."""
        return str(a)

    def keywords(a: int, *, b: int) -> None:
        """Not all of it can be given by position."""

    assert annotated_types(half) == (None, str)
    assert annotated_types(keywords) == (None, type(None))
    assert annotated_types(_Callable) == ([int], str)
    assert annotated_types(_Callable()) == ([int], str)
    assert annotated_types(Full.run) == ([int], str)
