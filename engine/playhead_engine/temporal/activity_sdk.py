"""All that is private in `temporalio` and that running its activities touches, in one place; see `sdk`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, Final

import temporalio.activity
import temporalio.common
from temporalio.converter import DataConverter, StorageDriverStoreContext, StorageDriverWorkflowInfo
from temporalio.worker import _activity

from playhead_engine.server.requests import NAMESPACE
from playhead_engine.temporal.sdk import UnsupportedSdk, installed_version

_CONTEXT_FIELDS: Final = {
    "info",
    "heartbeat",
    "cancelled_event",
    "worker_shutdown_event",
    "shield_thread_cancel_exception",
    "payload_converter_class_or_instance",
    "runtime_metric_meter",
    "client",
    "cancellation_details",
}
_DEFINITION_FIELDS: Final = {"name", "fn", "is_async", "no_thread_cancel_exception", "arg_types", "ret_type"}


@cache
def probe() -> None:
    """Look whether all that is touched is where it is expected.

    Raises:
        UnsupportedSdk: It is not.
    """
    for owner, name, known in (
        (temporalio.activity, "_Context", _CONTEXT_FIELDS),
        (temporalio.activity, "_Definition", _DEFINITION_FIELDS),
        (temporalio.activity, "_CompleteAsyncError", None),
        (temporalio.common, "_CompositeEvent", {"thread_event", "async_event"}),
        (_activity, "_ThreadExceptionRaiser", None),
    ):
        found = getattr(owner, name, None)
        if found is None:
            raise UnsupportedSdk(installed_version(), f"it has no {owner.__name__}.{name}")
        there = {field.name for field in fields(found)} if known else set()
        if known and not known <= there:
            raise UnsupportedSdk(
                installed_version(), f"{owner.__name__}.{name} has no {', '.join(sorted(known - there))}"
            )


def complete_async_error() -> type[BaseException]:
    """What `temporalio.activity.raise_complete_async` raises."""
    return temporalio.activity._CompleteAsyncError


def activity_definition(activity: Callable[..., Any]) -> Any:
    """What the decorator left on an activity, with what to call in it.

    Raises:
        TypeError: It is not decorated.
    """
    return temporalio.activity._Definition.must_from_callable(activity)


def activity_name(activity: Callable[..., Any]) -> str | None:
    """The type under which an activity is known; None for a dynamic one."""
    name: str | None = activity_definition(activity).name
    return name


def make_context(**what: Any) -> Any:
    """What the functions of `temporalio.activity` ask."""
    return temporalio.activity._Context(**what)


def enter_context(context: Any) -> None:
    """Let the functions of `temporalio.activity` ask this, in the current context."""
    temporalio.activity._Context.set(context)


def shutdown_event(thread_event: Any, async_event: Any) -> Any:
    """An event for threads, for tasks, or for both."""
    return temporalio.common._CompositeEvent(thread_event=thread_event, async_event=async_event)


def thread_raiser() -> Any:
    """Raises errors in a thread from outside of it, unless the thread shields itself."""
    return _activity._ThreadExceptionRaiser()


def stored_for_workflow(
    converter: DataConverter, workflow_id: str, workflow_type: str | None, run_id: str | None = None
) -> DataConverter:
    """A converter whose external storage, if it has one, is told for which workflow it stores."""
    target = StorageDriverWorkflowInfo(id=workflow_id, type=workflow_type, run_id=run_id, namespace=NAMESPACE)
    return converter._with_store_context(StorageDriverStoreContext(target=target))
