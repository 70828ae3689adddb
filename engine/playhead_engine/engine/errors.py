"""What can go wrong between a client and an engine.

The first ones have Temporal's names. The others are an engine's own: it sees more than a client of a cluster does, and
says it.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead_engine.call_site import is_library
from playhead_engine.exceptions import TemporalError

if TYPE_CHECKING:
    from playhead_engine.engine.executions import WorkflowExecutionStatus


class WorkflowFailureError(TemporalError):
    """A workflow did not end well.

    Attributes:
        cause: How it ended: ApplicationError, CancelledError, TerminatedError, TimeoutError, ActivityError and so on.
    """

    def __init__(self, *, cause: BaseException) -> None:
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__

    def __reduce__(self) -> tuple[object, ...]:
        return _failure, (type(self), self.__cause__)

    def __str__(self) -> str:
        return f"Workflow execution failed: {self.__cause__}"


class WorkflowUpdateFailedError(TemporalError):
    """An update was refused, or raised.

    Attributes:
        cause: Why.
    """

    def __init__(self, cause: BaseException) -> None:
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.__cause__,)

    def __str__(self) -> str:
        return f"Workflow update failed: {self.__cause__}"


class WorkflowContinuedAsNewError(TemporalError):
    """A workflow continued as new, and its runs are not to be followed.

    Attributes:
        new_execution_run_id: The run in which it goes on.
    """

    def __init__(self, new_execution_run_id: str) -> None:
        super().__init__(new_execution_run_id)
        self.new_execution_run_id = new_execution_run_id

    def __str__(self) -> str:
        return f"Workflow continued as new in run {self.new_execution_run_id}"


class WorkflowQueryFailedError(TemporalError):
    """A query raised, or there is none of that name.

    Attributes:
        message: What it said.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WorkflowQueryRejectedError(TemporalError):
    """A query was not asked, because of the status of the run.

    Attributes:
        status: The status.
    """

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"Query rejected, status: {self.status.name if self.status is not None else 'unknown'}"


class WorkflowNotFoundError(LookupError):
    """There is no such run, or it has closed and can no longer be told anything.

    Attributes:
        workflow_id: The workflow id.
        run_id: The run; None for the newest.
        status: The status of the run, if there is one.
    """

    def __init__(self, workflow_id: str, run_id: str | None = None, status: str | None = None) -> None:
        super().__init__(workflow_id, run_id, status)
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.status = status

    def __str__(self) -> str:
        run = f"run {self.run_id} of " if self.run_id else ""
        if self.status is None:
            return f"there is no {run}workflow {self.workflow_id!r}"
        words = self.status.removeprefix("WORKFLOW_EXECUTION_STATUS_").replace("_", " ").lower()
        return f"{run}workflow {self.workflow_id!r} has closed already: it is {words}"


class NotReady(RuntimeError):
    """A workflow cannot be asked anything now.

    Attributes:
        workflow_id: Which.
        reason: Why.
    """

    def __init__(self, workflow_id: str, reason: str) -> None:
        super().__init__(workflow_id, reason)
        self.workflow_id = workflow_id
        self.reason = reason

    def __str__(self) -> str:
        return f"workflow {self.workflow_id!r} cannot answer: {self.reason}"


class WorkflowStuckError(RuntimeError):
    """Somebody waits for a workflow that will not go on by itself.

    Attributes:
        workflow_id: Which.
        run_id: Which run of it.
        workflow_type: Its type.
    """

    def __init__(self, workflow_id: str, run_id: str, workflow_type: str, *more: object) -> None:
        super().__init__(workflow_id, run_id, workflow_type, *more)
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.workflow_type = workflow_type


class WorkflowTaskKeepsFailingError(WorkflowStuckError):
    """The code of a workflow raises something that does not fail the workflow, however often it is tried.

    Attributes:
        attempts: How often it was tried.
        problem: What it raised, as text; the exception itself is the `__cause__`.
        place: Where, as `file:line`; None if not in the user's code.
    """

    def __init__(
        self, workflow_id: str, run_id: str, workflow_type: str, attempts: int, problem: str, place: str | None
    ) -> None:
        super().__init__(workflow_id, run_id, workflow_type, attempts, problem, place)
        self.attempts = attempts
        self.problem = problem
        self.place = place

    def __str__(self) -> str:
        place = f"\n  at {self.place}" if self.place else ""
        return (
            f"workflow {self.workflow_id!r} ({self.workflow_type}) is stuck: its workflow task failed "
            f"{self.attempts} times with {self.problem}{place}\n"
            "  It is tried again when something new happens to the run. To fail the workflow instead, raise "
            "ApplicationError, or list the error in failure_exception_types."
        )


class ActivityKeepsFailingError(WorkflowStuckError):
    """An activity is tried again and again, nothing else happens, and under the virtual clock that takes no time.

    Attributes:
        activity_type: The activity.
        attempts: How often it was tried.
        problem: How it failed last.
    """

    def __init__(
        self, workflow_id: str, run_id: str, workflow_type: str, activity_type: str, attempts: int, problem: str
    ) -> None:
        super().__init__(workflow_id, run_id, workflow_type, activity_type, attempts, problem)
        self.activity_type = activity_type
        self.attempts = attempts
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"workflow {self.workflow_id!r} ({self.workflow_type}) is stuck: its activity {self.activity_type!r} was "
            f"tried {self.attempts} times and nothing else happened. It failed with: {self.problem}\n"
            "  A retry policy with maximum_attempts, or a schedule_to_close_timeout, ends such an activity."
        )


class NothingDueError(WorkflowStuckError):
    """Everything waits, and nothing is due: no operation under way can ever end.

    Attributes:
        waits_for: What the run waits for, one sentence each.
        others: The same of other runs that are awaited.
    """

    def __init__(
        self, workflow_id: str, run_id: str, workflow_type: str, waits_for: Sequence[str], others: Sequence[str] = ()
    ) -> None:
        super().__init__(workflow_id, run_id, workflow_type, tuple(waits_for), tuple(others))
        self.waits_for = tuple(waits_for)
        self.others = tuple(others)

    def __str__(self) -> str:
        lines = [
            "everything waits and nothing is due, so this would wait for ever.",
            f"  workflow {self.workflow_id!r} ({self.workflow_type}) waits for:",
            *(f"    {one}" for one in self.waits_for),
        ]
        if self.others:
            lines += ["  also awaited:", *(f"    {one}" for one in self.others)]
        return "\n".join(lines)


def place_of(error: BaseException) -> str | None:
    """Where in the user's code an exception was raised, as `file:line`; None if it was not raised there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_library(frame.filename)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def _failure(kind: type[WorkflowFailureError], cause: BaseException) -> WorkflowFailureError:
    return kind(cause=cause)
