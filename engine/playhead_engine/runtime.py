"""The seam between the rules and the code: what drives the workflow code of one SDK.

A runtime takes activations and gives commands back. It must not look at histories, decide verdicts, keep time or do
I/O; everything it may know comes in the activation.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from playhead_engine.activation import Activation
from playhead_engine.commands import Command
from playhead_engine.messages import Failure
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
        """Tell the code what happened and let it run until everything in it waits."""
        ...

    def close(self) -> None:
        """Throw the run out of memory. No code of the workflow may run after this, and no command comes of it."""
        ...


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

    def create(self, workflow_type: str, run_id: str) -> WorkflowInstance:
        """A new instance, whose first activation holds an `InitializeWorkflow` job.

        Raises:
            LookupError: It has no such type.
        """
        ...
