"""What a decorated function or class is known as: activities, workflows, and a workflow's handlers.

The decorators of `workflow` and `activity` write these objects onto what they decorate; runtimes and executors read
them from there. They are worked out once, at decoration, so that calling something costs one attribute look-up. This
module must not run anything.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from playhead_engine.common import RawValue, VersioningBehavior
from playhead_engine.record import frozen_record
from playhead_engine.temporal import temporal_activity, temporal_handler, temporal_run_method

ACTIVITY = "__playhead_activity__"
WORKFLOW = "__playhead_workflow__"
RUN = "__playhead_workflow_run__"
INIT = "__playhead_workflow_init__"
DYNAMIC_CONFIG = "__playhead_workflow_dynamic_config__"
SIGNAL = "__playhead_signal__"
QUERY = "__playhead_query__"
UPDATE = "__playhead_update__"

Types = list[Any] | None
"""The annotations of a function's parameters; None if values are to be converted without them."""


class HandlerUnfinishedPolicy(Enum):
    """What to do about a signal or update handler that still runs when the workflow ends."""

    WARN_AND_ABANDON = 1  # warn
    ABANDON = 2  # nothing


@frozen_record
class ActivityDefinition:
    """An activity.

    Attributes:
        name: Its type; None if it is dynamic.
        fn: What runs: a function, a method, or a class or object with `__call__`.
        arg_types: Annotations of its parameters.
        ret_type: Annotation of its result.
        is_async: Whether it runs on the event loop; otherwise in a thread.
        dynamic: Whether it takes every activity that no other does.
    """

    name: str | None
    fn: Callable[..., Any]
    arg_types: Types
    ret_type: Any
    is_async: bool
    dynamic: bool = False


def activity_definition(activity: object) -> ActivityDefinition:
    """The definition of something that was decorated as an activity.

    Raises:
        TypeError: It can be no activity.
        ValueError: It is not decorated, or is dynamic and so has no name to call it by.
    """
    definition = getattr(activity, ACTIVITY, None)
    if definition is None:
        other = temporal_activity(activity)
        if other is not None:
            is_dynamic = other.name is None
            definition = ActivityDefinition(
                other.name, other.fn, other.arg_types, other.ret_type, other.is_async, is_dynamic
            )
        elif not callable(activity):
            raise TypeError(f"an activity must be its name or a function, got {type(activity).__name__}: {activity!r}")
        else:
            raise ValueError(f"{_name_of(activity)} is no activity: decorate it with @activity.defn, or give its name")
    assert isinstance(definition, ActivityDefinition)
    if definition.name is None:
        raise ValueError(f"{_name_of(activity)} is a dynamic activity: call it by the name it is to be run under")
    return definition


@frozen_record
class HandlerDefinition:
    """A handler of signals, queries or updates.

    Attributes:
        name: What it handles; None if it is dynamic and handles all that nobody else does.
        fn: The method, not bound; or any function, if it was set while the workflow ran.
        is_method: Whether `fn` needs the workflow object.
        is_async: Whether it is a coroutine function.
        arg_types: Annotations of its parameters.
        ret_type: Annotation of its result.
        unfinished_policy: What to do if it still runs when the workflow ends.
        description: For people.
        takes_values: Dynamic and of the old form, `(self, name, *values)`; otherwise a dynamic handler takes the name
            and a sequence of RawValue.
        validator: Of an update: refuses it by raising.
    """

    name: str | None
    fn: Callable[..., Any]
    is_method: bool = True
    is_async: bool = False
    arg_types: Types = None
    ret_type: Any = None
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    takes_values: bool = False
    validator: Callable[..., None] | None = None

    @staticmethod
    def of(
        name: str | None,
        fn: Callable[..., Any],
        *,
        is_method: bool,
        unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
        description: str | None = None,
    ) -> HandlerDefinition:
        """The definition that follows from a function.

        Raises:
            RuntimeError: It is dynamic and does not take what a dynamic handler is given.
        """
        arg_types, ret_type = annotated_types(fn)
        takes_values = name is None and not _takes_raw_values(fn, arg_types, is_method)
        is_async = inspect.iscoroutinefunction(fn)
        return HandlerDefinition(
            name, fn, is_method, is_async, arg_types, ret_type, unfinished_policy, description, takes_values
        )

    def with_validator(self, validator: Callable[..., None]) -> HandlerDefinition:
        """The same update, refused where the validator raises.

        Raises:
            ValueError: The validator is a coroutine function, which nobody would await.
            RuntimeError: There is a validator already.
        """
        if inspect.iscoroutinefunction(validator):
            raise ValueError(f"the validator of update {self.name} must not be async: it is called, not awaited")
        if self.validator is not None:
            raise RuntimeError(f"update {self.name} has a validator already")
        return replace(self, validator=validator)

    def bound(self, workflow_object: object) -> Callable[..., Any]:
        """What to call."""
        return self.fn.__get__(workflow_object) if self.is_method else self.fn

    def bound_validator(self, workflow_object: object) -> Callable[..., None] | None:
        """What to call before an update is accepted."""
        if self.validator is None or not self.is_method:
            return self.validator
        return self.validator.__get__(workflow_object)  # type: ignore[no-any-return]


Handlers = Mapping[str | None, HandlerDefinition]


@frozen_record
class WorkflowDefinition:
    """A workflow class.

    Attributes:
        name: Its type; None if it is dynamic.
        cls: The class.
        run_fn: Its run method, not bound.
        init_takes_args: Whether `__init__` takes the workflow's arguments.
        signals: Handlers by name; that of None is dynamic. Likewise `queries` and `updates`.
        failure_exception_types: Errors that fail the workflow rather than its task.
        sandboxed: Whether its code is watched for what would break replay.
        arg_types: Annotations of the run method's parameters.
        ret_type: Annotation of its result.
        versioning_behavior: When a run may move to another version of its worker.
        dynamic_config_fn: Configures a dynamic workflow when its type is known.
    """

    name: str | None
    cls: type
    run_fn: Callable[..., Any]
    init_takes_args: bool
    signals: Handlers
    queries: Handlers
    updates: Handlers
    failure_exception_types: tuple[type[BaseException], ...] = ()
    sandboxed: bool = True
    arg_types: Types = None
    ret_type: Any = None
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    dynamic_config_fn: Callable[..., Any] | None = None

    @staticmethod
    def of_class(workflow_class: type) -> WorkflowDefinition:
        """The definition of a workflow class.

        Raises:
            ValueError: It is not decorated itself; that a base class is does not count.
        """
        definition = workflow_class.__dict__.get(WORKFLOW)
        if definition is None:
            raise ValueError(f"{workflow_class.__qualname__} is no workflow: decorate it with @workflow.defn")
        assert isinstance(definition, WorkflowDefinition)
        return definition

    @staticmethod
    def of_run_method(fn: object) -> WorkflowDefinition:
        """The definition of the class whose run method this is.

        Raises:
            TypeError: It can be no run method.
            ValueError: It is none.
        """
        if not callable(fn):
            raise TypeError(f"a workflow must be its name or its run method, got {type(fn).__name__}: {fn!r}")
        definition = getattr(fn, WORKFLOW, None)
        other = temporal_run_method(fn) if definition is None else None
        if other is not None:
            return WorkflowDefinition(
                other.name, other.cls, fn, False, {}, {}, {}, arg_types=other.arg_types, ret_type=other.ret_type
            )
        if definition is None or isinstance(fn, type):
            raise ValueError(
                f"{_name_of(fn)} is no workflow's run method: decorate it with @workflow.run, and its class with "
                "@workflow.defn"
            )
        assert isinstance(definition, WorkflowDefinition)
        return definition


def handler_name(handler: object, attribute: str, kind: str) -> str:
    """The name under which to reach a handler that is given by its method or by its name.

    Args:
        handler: The method, or the name.
        attribute: Where the decorator of its kind left the definition.
        kind: How to call the kind in an error: "signal", "query", "update".

    Raises:
        RuntimeError: The method is not such a handler, or is dynamic and so has no name.
    """
    if not callable(handler):
        return str(handler)
    definition = getattr(handler, attribute, None) or temporal_handler(handler, kind)
    if definition is None:
        raise RuntimeError(
            f"{_name_of(handler)} is no {kind} handler: decorate it with @workflow.{kind}, or give a name"
        )
    name: str | None = definition.name
    if name is None:
        raise RuntimeError(f"{_name_of(handler)} is a dynamic {kind} handler: give the name it is to be called under")
    return name


def handler_result(handler: object, attribute: str, kind: str) -> Any:
    """What the annotation of a handler says that it returns; None if it says nothing, or the handler is given by name.

    Args:
        handler: As for `handler_name`, as are the others.
        attribute: Where the decorator of its kind left the definition.
        kind: How to call the kind.
    """
    definition = getattr(handler, attribute, None) or temporal_handler(handler, kind)
    return getattr(definition, "ret_type", None)


def annotated_types(fn: Callable[..., Any]) -> tuple[Types, Any]:
    """Annotations of a function's parameters, without `self`, and of its result.

    Returns:
        None for the parameters if one of them is not annotated or cannot be given by position: then values are
        converted without annotations. Likewise for the result.
    """
    if not inspect.isroutine(fn):
        fn = getattr(fn if isinstance(fn, type) else type(fn), "__call__")  # noqa: B004, B009 - a class's own, not type's
    hints = typing.get_type_hints(fn)
    result = hints.get("return")
    types: list[Any] = []
    for index, parameter in enumerate(inspect.signature(fn).parameters.values()):
        if index == 0 and parameter.name == "self" and parameter.name not in hints:
            continue
        by_position = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        if not by_position or parameter.name not in hints:
            return None, result
        types.append(hints[parameter.name])
    return types, result


def same_parameters(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether two functions take the same, whatever the names."""

    def anonymous(fn: Callable[..., Any]) -> list[inspect.Parameter]:
        return [parameter.replace(name="_") for parameter in inspect.signature(fn).parameters.values()]

    return anonymous(one) == anonymous(other)


def takes_only_raw_values(arg_types: Types) -> bool:
    """Whether the one parameter is a sequence of RawValue, as that of a dynamic workflow or activity must be."""
    return arg_types == [Sequence[RawValue]] or arg_types == [typing.Sequence[RawValue]]


def _takes_raw_values(fn: Callable[..., Any], arg_types: Types, is_method: bool) -> bool:
    parameters = list(inspect.signature(fn).parameters.values())
    if len(parameters) == 2 + is_method and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        return False
    if arg_types is None or arg_types[:1] != [str] or not takes_only_raw_values(arg_types[1:]):
        raise RuntimeError(
            "a dynamic handler takes the name as a str and the values as a Sequence[RawValue], "
            f"but {_name_of(fn)} takes {inspect.signature(fn)}"
        )
    return True


def _name_of(thing: object) -> str:
    return str(getattr(thing, "__qualname__", None) or repr(thing))
