"""For whom a value is converted: what converters and codecs may know of the workflow, activity or operation.

A converter that implements `WithSerializationContext` is asked for a copy of itself before each conversion whose
context is known, for example to encrypt with a key per workflow. Nothing here converts.
"""

from __future__ import annotations

from abc import ABC
from typing import Self

from playhead_engine.record import frozen_record


class SerializationContext(ABC):  # noqa: B024 - a common base without a method, as Temporal has it
    """Base of the contexts."""


@frozen_record
class WorkflowSerializationContext(SerializationContext):
    """The value goes into or comes out of a workflow.

    Attributes:
        namespace: Namespace of the workflow.
        workflow_id: Its id; that of the child where a workflow talks to one.
    """

    namespace: str
    workflow_id: str


@frozen_record
class ActivitySerializationContext(SerializationContext):
    """The value goes into or comes out of an activity.

    Attributes:
        namespace: Namespace of the activity.
        activity_id: Its id, where it was chosen.
        activity_type: Its type; not always known.
        activity_task_queue: Its task queue; not always known.
        workflow_id: The workflow that asked for it.
        workflow_type: Type of that workflow.
        is_local: Whether it is a local activity.
    """

    namespace: str
    activity_id: str | None
    activity_type: str | None
    activity_task_queue: str | None
    workflow_id: str | None
    workflow_type: str | None
    is_local: bool


@frozen_record
class NexusSerializationContext(SerializationContext):
    """The value goes into or comes out of a nexus operation."""

    endpoint: str
    service: str
    operation: str


class WithSerializationContext(ABC):  # noqa: B024 - the method must stay optional, as in Temporal's SDK
    """What converters and codecs inherit from that want to know the context."""

    def with_context(self, context: SerializationContext) -> Self:
        """A copy for this context, or the object itself where the context changes nothing.

        Args:
            context: For whom the values are.
        """
        raise NotImplementedError(f"{type(self).__qualname__} inherits WithSerializationContext without with_context")
