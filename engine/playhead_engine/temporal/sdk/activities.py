"""What running activities of the SDK touches that is private in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from playhead_engine.server.requests import NAMESPACE
from playhead_engine.temporal.sdk.release import probe

probe()  # before what follows is imported, since it may not be there

import temporalio.activity  # noqa: E402
import temporalio.common  # noqa: E402
from temporalio.converter import (  # noqa: E402
    DataConverter,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from temporalio.worker import _activity  # noqa: E402

FAILURE_LOGGED: Final = {"__temporal_error_identifier": "ActivityFailure"}
"""By which the SDK's own logging knows the record of an activity's failure."""


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
