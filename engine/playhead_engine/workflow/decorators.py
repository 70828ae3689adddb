"""The decorators that make a class a workflow.

They check at import what would otherwise go wrong at run time, under the rules of Temporal's Python SDK, and leave a
definition on what they decorate. They must not change what the decorated thing does.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, cast, overload

from playhead_engine.common import VersioningBehavior
from playhead_engine.definitions import (
    DYNAMIC_CONFIG,
    INIT,
    QUERY,
    RUN,
    SIGNAL,
    UPDATE,
    WORKFLOW,
    HandlerDefinition,
    HandlerUnfinishedPolicy,
    WorkflowDefinition,
    annotated_types,
    takes_only_raw_values,
)
from playhead_engine.record import frozen_record
from playhead_engine.workflow.members import Members

_Class = TypeVar("_Class", bound=type)
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Coroutine = TypeVar("_Coroutine", bound=Callable[..., Awaitable[Any]])
_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Result_co = TypeVar("_Result_co", covariant=True)
_Self = TypeVar("_Self")

WARN_AND_ABANDON = HandlerUnfinishedPolicy.WARN_AND_ABANDON


@overload
def defn(cls: _Class) -> _Class: ...


@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[_Class], _Class]: ...


@overload
def defn(
    *,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[_Class], _Class]: ...


def defn(
    cls: type | None = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Any:
    """Make a class a workflow.

    Args:
        cls: The class.
        name: Its type; the class's name if not given.
        sandboxed: Whether to watch its code for what would break replay.
        dynamic: Take every type that no other workflow takes. Its run method takes one `Sequence[RawValue]`.
        failure_exception_types: Errors that fail the workflow; any other error of the code only fails the workflow
            task, which is tried again until the code is mended.
        versioning_behavior: When a run may move to another version of its worker.

    Raises:
        ValueError: The class is not a workflow that could run; the message lists what is wrong.
        TypeError: It is dynamic, and its run method takes something else.
    """

    def decorate(cls: type) -> type:
        if name is not None and dynamic:
            raise ValueError("a workflow has a name or is dynamic, not both")
        if WORKFLOW in cls.__dict__:
            raise ValueError(f"{cls.__qualname__} is decorated with @workflow.defn already")
        members = Members(cls)
        members.look_at_bases()
        if dynamic is False and members.dynamic_config_fn is not None:
            members.problems.append("@workflow.dynamic_config needs @workflow.defn(dynamic=True)")
        if members.problems:
            raise ValueError(f"{cls.__qualname__} cannot be a workflow: {'; '.join(members.problems)}")
        assert members.run_fn is not None
        arg_types, ret_type = annotated_types(members.run_fn)
        if dynamic and not takes_only_raw_values(arg_types):
            raise TypeError(
                f"the run method of the dynamic workflow {cls.__qualname__} must take one Sequence[RawValue]"
            )
        definition = WorkflowDefinition(
            name=None if dynamic else name or cls.__name__,
            cls=cls,
            run_fn=members.run_fn,
            init_takes_args=members.init_fn is not None,
            signals=members.signals,
            queries=members.queries,
            updates=members.updates,
            failure_exception_types=tuple(failure_exception_types),
            sandboxed=sandboxed,
            arg_types=arg_types,
            ret_type=ret_type,
            versioning_behavior=versioning_behavior,
            dynamic_config_fn=members.dynamic_config_fn,
        )
        setattr(cls, WORKFLOW, definition)
        setattr(members.run_fn, WORKFLOW, definition)
        return cls

    return decorate if cls is None else decorate(cls)


def init(init_fn: _Function) -> _Function:
    """Let `__init__` take the workflow's arguments, the same as the run method.

    Raises:
        ValueError: It is some other method.
    """
    if init_fn.__name__ != "__init__":
        raise ValueError(f"@workflow.init is for __init__, not for {init_fn.__qualname__}")
    setattr(init_fn, INIT, True)
    return init_fn


def run(fn: _Coroutine) -> _Coroutine:
    """The method that is the workflow. There is one, and it is defined on the class that has `@workflow.defn`.

    Raises:
        ValueError: It is not async, or its class is local to a function and so cannot be found by name.
    """
    if not inspect.iscoroutinefunction(fn):
        raise ValueError(f"the run method of a workflow must be async, {fn.__qualname__} is not")
    if "<locals>" in fn.__qualname__:
        raise ValueError(f"a workflow class must not be local to a function: {fn.__qualname__}")
    setattr(fn, RUN, True)
    return fn  # type: ignore[return-value] # iscoroutinefunction narrows it too far


@frozen_record
class DynamicWorkflowConfig:
    """How a dynamic workflow is to be treated, now that its type is known.

    Attributes:
        failure_exception_types: Replaces those of `@workflow.defn`, if given.
        versioning_behavior: Replaces that of `@workflow.defn`, if specified.
    """

    failure_exception_types: Sequence[type[BaseException]] | None = None
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


def dynamic_config(fn: Callable[[_Self], DynamicWorkflowConfig]) -> Callable[[_Self], DynamicWorkflowConfig]:
    """A method of a dynamic workflow that configures it after `__init__` and before its run method.

    Raises:
        ValueError: It is async, or takes more than `self`.
    """
    if inspect.iscoroutinefunction(fn) or len(inspect.signature(fn).parameters) != 1:
        raise ValueError(f"@workflow.dynamic_config is for a method that is not async and takes only self, not {fn!r}")
    setattr(fn, DYNAMIC_CONFIG, True)
    return fn


@overload
def signal(fn: _Function) -> _Function: ...


@overload
def signal(
    *, name: str, unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[_Function], _Function]: ...


@overload
def signal(
    *, dynamic: Literal[True], unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[_Function], _Function]: ...


@overload
def signal(
    *, unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[_Function], _Function]: ...


def signal(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """A method that handles a signal. It may be async, and may change the workflow.

    Args:
        fn: The method.
        name: The signal it handles; the method's name if not given.
        dynamic: Handle every signal that no other method does. Takes the name and a `Sequence[RawValue]`.
        unfinished_policy: What to do if it still runs when the workflow ends.
        description: For people.

    Raises:
        RuntimeError: It has a name and is dynamic, or takes what a dynamic handler is not given.
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        definition = _handler("signal", fn, name, dynamic, unfinished_policy, description)
        setattr(fn, SIGNAL, definition)
        return fn

    return decorate if fn is None else decorate(fn)


@overload
def query(fn: _Function) -> _Function: ...


@overload
def query(*, name: str, description: str | None = ...) -> Callable[[_Function], _Function]: ...


@overload
def query(*, dynamic: Literal[True], description: str | None = ...) -> Callable[[_Function], _Function]: ...


@overload
def query(*, description: str) -> Callable[[_Function], _Function]: ...


def query(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    description: str | None = None,
) -> Any:
    """A method that answers a query. It must not change the workflow.

    Args:
        fn: The method.
        name: The query it answers; the method's name if not given.
        dynamic: Answer every query that no other method does. Takes the name and a `Sequence[RawValue]`.
        description: For people.

    Raises:
        RuntimeError: It has a name and is dynamic, or takes what a dynamic handler is not given.
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        definition = _handler("query", fn, name, dynamic, WARN_AND_ABANDON, description)
        if definition.is_async:
            warn_of_async_query()
        setattr(fn, QUERY, definition)
        return fn

    return decorate if fn is None else decorate(fn)


def warn_of_async_query() -> None:
    """A query that waits is never answered."""
    warnings.warn("a query handler must answer at once: do not make it async", DeprecationWarning, stacklevel=4)


class UpdateMethod(Protocol, Generic[_Params, _Result_co]):
    """A method that handles an update; its `validator` decorates the method that may refuse it."""

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result_co:
        """Handle the update."""
        ...

    @overload
    def __get__(self, instance: None, owner: Any = None) -> UpdateMethod[_Params, _Result_co]: ...

    @overload
    def __get__(
        self: UpdateMethod[Concatenate[_Self, _BoundParams], _BoundResult], instance: _Self, owner: Any = None
    ) -> Callable[_BoundParams, _BoundResult]: ...

    def validator(self, fn: Callable[_Params, None]) -> Callable[_Params, None]:
        """Decorate the method, not async, that is called first and refuses the update by raising."""
        ...


_BoundParams = ParamSpec("_BoundParams")
_BoundResult = TypeVar("_BoundResult")


@overload
def update(fn: Callable[_Params, _Result]) -> UpdateMethod[_Params, _Result]: ...


@overload
def update(
    *, name: str, unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[Callable[_Params, _Result]], UpdateMethod[_Params, _Result]]: ...


@overload
def update(
    *, dynamic: Literal[True], unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[Callable[_Params, _Result]], UpdateMethod[_Params, _Result]]: ...


@overload
def update(
    *, unfinished_policy: HandlerUnfinishedPolicy = ..., description: str | None = ...
) -> Callable[[Callable[_Params, _Result]], UpdateMethod[_Params, _Result]]: ...


def update(
    fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """A method that handles an update: it may be async, may change the workflow, and has a result.

    Args:
        fn: The method.
        name: The update it handles; the method's name if not given.
        dynamic: Handle every update that no other method does. Takes the name and a `Sequence[RawValue]`.
        unfinished_policy: What to do if it still runs when the workflow ends.
        description: For people.

    Raises:
        RuntimeError: It has a name and is dynamic, or takes what a dynamic handler is not given.
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        definition = _handler("update", fn, name, dynamic, unfinished_policy, description)

        def validator(validator_fn: Callable[..., None]) -> Callable[..., None]:
            setattr(fn, UPDATE, cast(HandlerDefinition, getattr(fn, UPDATE)).with_validator(validator_fn))
            return validator_fn

        setattr(fn, UPDATE, definition)
        setattr(fn, "validator", validator)  # noqa: B010 - functions have no such attribute to a type checker
        return fn

    return decorate if fn is None else decorate(fn)


def _handler(
    kind: str,
    fn: Callable[..., Any],
    name: str | None,
    dynamic: bool,
    unfinished_policy: HandlerUnfinishedPolicy,
    description: str | None,
) -> HandlerDefinition:
    if name is not None and dynamic:
        raise RuntimeError(f"a {kind} handler has a name or is dynamic, not both: {fn.__qualname__}")
    definition = HandlerDefinition.of(
        None if dynamic else name or fn.__name__,
        fn,
        is_method=True,
        unfinished_policy=unfinished_policy,
        description=description,
    )
    if definition.takes_values and kind == "update":
        raise RuntimeError(f"a dynamic update takes a Sequence[RawValue], not *values: {fn.__qualname__}")
    if definition.takes_values:
        warnings.warn(
            f"the dynamic {kind} handler {fn.__qualname__} should take a Sequence[RawValue], not *values",
            DeprecationWarning,
            stacklevel=3,
        )
    return definition
