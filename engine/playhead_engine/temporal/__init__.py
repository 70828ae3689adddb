"""Workflow code written for Temporal's own Python SDK, run by driving the SDK's workflow instance without its core.

Everything that imports `temporalio` is in this package, and nothing outside it may need it: `temporalio` is an extra.
So this module itself imports nothing of it; whoever wants the runtime imports `playhead_engine.temporal.runtime`. What
is here tells whose a definition is: the SDK's decorators leave theirs on what they decorate, as ours do.
"""

from __future__ import annotations

from typing import Any, Final

_WORKFLOW: Final = "__temporal_workflow_definition"
_ACTIVITY: Final = "__temporal_activity_definition"
_HANDLERS: Final = {"signal": "__temporal_signal_definition", "query": "__temporal_query_definition", "update": "_defn"}


def is_temporal_workflow(cls: object) -> bool:
    """Whether something is a class decorated with `temporalio.workflow.defn`. Does not import `temporalio`."""
    return isinstance(cls, type) and _WORKFLOW in vars(cls)


def is_temporal_activity(activity: object) -> bool:
    """Whether something is decorated with `temporalio.activity.defn`. Does not import `temporalio`."""
    return hasattr(activity, _ACTIVITY)


def is_of_temporal(thing: object) -> bool:
    """Whether something is an object of one of the SDK's classes, or of one derived from them."""
    return any(cls.__module__.partition(".")[0] == "temporalio" for cls in type(thing).__mro__)


def temporal_workflow(cls: type) -> Any:
    """The SDK's definition of a workflow class; None if it is none of the SDK."""
    return vars(cls).get(_WORKFLOW)


def temporal_run_method(fn: object) -> Any:
    """The SDK's definition of the workflow whose run method this is; None if it is of no workflow of the SDK."""
    return None if isinstance(fn, type) else getattr(fn, _WORKFLOW, None)


def temporal_activity(activity: object) -> Any:
    """The SDK's definition of an activity; None if it is none of the SDK."""
    return getattr(activity, _ACTIVITY, None)


def temporal_handler(handler: object, kind: str) -> Any:
    """The SDK's definition of a handler; None if it is none of the SDK.

    Args:
        handler: The method.
        kind: "signal", "query" or "update".
    """
    definition = getattr(handler, _HANDLERS[kind], None)
    return definition if is_of_temporal(definition) else None
