"""The seam between the rules and the code: what drives the workflow code of one SDK.

A runtime takes activations and gives commands back. It must not look at histories, decide verdicts, keep time or do
I/O; everything it may know comes in the activation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, cast

from playhead_engine.activation import Activation
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.messages import Failure
from playhead_engine.opaque import StandIns
from playhead_engine.record import record


@record
class TaskCompleted:
    """The workflow code ran until everything in it waits.

    Attributes:
        commands: What it asked for, in order.
        used_flags: Flags of the SDK that this task relied on, to be recorded on the task.
    """

    commands: tuple[Command, ...]
    used_flags: tuple[int, ...] = ()


@record
class TaskFailed:
    """The workflow code raised something that fails the workflow task, not the workflow.

    Attributes:
        failure: As it would be recorded in a WorkflowTaskFailed event.
        error: The exception itself, with its traceback.
    """

    failure: Failure
    error: BaseException


Completion: TypeAlias = TaskCompleted | TaskFailed


class WorkflowInstance(Protocol):
    """One run of one workflow, somewhere in the middle of its code."""

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened and let it run until everything in it waits.

        Raises:
            LookedInside: The code needs a value that cannot be read.
        """
        ...

    def close(self) -> None:
        """Throw the run out of memory. No code of the workflow may run after this, and no command comes of it."""
        ...


@record
class Waiting:
    """Something the code asked for that has not come to its end.

    Attributes:
        kind: "timer", "activity", "local activity", "child workflow", "nexus operation", "signal", "cancel",
            "condition".
        seq: Its number among those of its kind; 0 for a condition.
        name: Its type, or its id where it has no type.
        summary: What it is for, where the code said so.
        site: The line that asked.
    """

    kind: str
    seq: int
    name: str
    summary: str | None
    site: CallSite | None


@record
class Suspended:
    """A task of the run that waits.

    Attributes:
        name: `run` for the run method, `signal: NAME` and `update: NAME` for handlers, else what asyncio calls it.
        coroutine: The outermost coroutine, or generator, of the task.
    """

    name: str
    coroutine: Any


HandlerKind: TypeAlias = Literal["run", "signal", "update", "query"]


class Inspectable(Protocol):
    """What an instance offers beside `WorkflowInstance`, if it can be looked into between two activations.

    Nothing of it may run code of the workflow, or change what the run does next.
    """

    @property
    def workflow_object(self) -> Any:
        """The object of the workflow class; None before the first activation."""
        ...

    def pending(self) -> list[Waiting]:
        """What the code has asked for and waits for."""
        ...

    def coroutines(self) -> list[Suspended]:
        """The tasks that wait: the run method first, the others in the order in which they were made."""
        ...

    def handler(self, kind: HandlerKind, name: str) -> Callable[..., Any] | None:
        """The function that takes a signal, an update or a query of this name, or the run method."""
        ...


def inspectable(instance: WorkflowInstance) -> Inspectable | None:
    """An instance as something to be looked into, if it can be."""
    return cast(Inspectable, instance) if hasattr(instance, "coroutines") else None


class Runtime(Protocol):
    """Makes instances of the workflow classes it was given."""

    name: str
    """How reports call it: `native`, `temporal`."""

    def workflow_types(self) -> frozenset[str]:
        """Types it can make. A dynamic workflow makes it answer `accepts` with True for any type."""
        ...

    def accepts(self, workflow_type: str) -> bool:
        """Whether it has code for this type."""
        ...

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> WorkflowInstance:
        """A new instance, whose first activation holds an `InitializeWorkflow` job.

        Args:
            workflow_type: Its type.
            run_id: Its run id.
            stand_ins: Stand in for values that cannot be read; without, such a value fails the workflow task.

        Raises:
            LookupError: It has no such type.
        """
        ...
