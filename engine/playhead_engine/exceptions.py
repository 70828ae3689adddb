"""The errors of workflows and activities, under Temporal's names.

An error of this module can cross a process boundary: `failures` turns it into the failure message of a history and
back. Errors keep their fields as attributes and survive pickling, cause included. This module must not know how values
or failures are encoded; a decoded error holds a function that gets its details when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from datetime import timedelta

    from playhead_engine.messages import Failure

Details: TypeAlias = Sequence[Any] | Callable[[], Sequence[Any]]
"""The values somebody attached to an error, or what decodes them."""


class TemporalError(Exception):
    """Base of every error here."""

    @property
    def cause(self) -> BaseException | None:
        """What caused this error; the same as `__cause__`."""
        return self.__cause__


class FailureError(TemporalError):
    """An error that a history can record.

    Args:
        message: What went wrong.
        failure: The failure message it was decoded from.
        exc_args: What `Exception.args` becomes; the message alone if not given.
    """

    def __init__(
        self, message: str, *, failure: Failure | None = None, exc_args: tuple[Any, ...] | None = None
    ) -> None:
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure
        self._details: Details = ()

    @property
    def message(self) -> str:
        """What went wrong."""
        return self._message

    @property
    def failure(self) -> Failure | None:
        """The failure message this error was decoded from, in canonical JSON; None for an error raised here."""
        return self._failure

    def remember(self, failure: Failure, details: Details = ()) -> None:
        """Note what this error was decoded from.

        Args:
            failure: The failure message.
            details: What decodes the values that came with it, if any came.
        """
        self._failure = failure
        if details:
            self._details = details

    def hide_message(self, message: Any) -> None:
        """Put something in the place of a message that cannot be read; see `opaque`."""
        self._message = message
        self.args = (message,)

    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(self.__dict__)
        state["_details"] = _decoded(self._details)
        return _restored, (type(self), self.args, state, self.__cause__, self.__suppress_context__)


def _restored(
    kind: type[FailureError], args: tuple[Any, ...], state: dict[str, Any], cause: BaseException | None, suppress: bool
) -> FailureError:
    # Past __init__, whose signature a subclass in the user's code may have changed.
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = cause
    error.__suppress_context__ = suppress
    return error


def _decoded(details: Details) -> Sequence[Any]:
    return tuple(details()) if callable(details) else details


class WorkflowAlreadyStartedError(FailureError):
    """A workflow with this id is running, or has run, and the policies forbid another.

    Attributes:
        workflow_id: Id of the workflow that was in the way.
        workflow_type: Its type.
        run_id: Its run, where known.
        first_run_id: The first run of its chain, where known.
    """

    def __init__(
        self, workflow_id: str, workflow_type: str, *, run_id: str | None = None, first_run_id: str | None = None
    ) -> None:
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id


class ActivityAlreadyStartedError(FailureError):
    """An activity with this id is running already.

    Attributes:
        activity_id: Id of the activity that was in the way.
        activity_type: Its type.
        run_id: Its run, where known.
    """

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class NexusOperationAlreadyStartedError(FailureError):
    """A nexus operation with this id is running already.

    Attributes:
        operation_id: Id of the operation that was in the way.
        run_id: Its run, where known.
    """

    def __init__(self, operation_id: str, *, run_id: str | None = None) -> None:
        super().__init__("Nexus operation execution already started")
        self.operation_id = operation_id
        self.run_id = run_id


class InvalidVersioningOverrideError(FailureError):
    """A child workflow could not be started because its versioning override is invalid."""

    def __init__(self) -> None:
        super().__init__("Invalid versioning override")


class ApplicationErrorCategory(IntEnum):
    """How seriously an application error is to be taken."""

    UNSPECIFIED = 0
    BENIGN = 1  # expected: logged at DEBUG level, and counted nowhere


class ApplicationError(FailureError):
    """What workflow and activity code raises to fail on purpose.

    Args:
        message: What went wrong.
        details: Values for whoever handles the error, converted like arguments.
        type: A name that retry policies and handlers can refer to.
        non_retryable: Never try again, whatever the retry policy says.
        next_retry_delay: Wait this long before the next attempt, whatever the retry policy says.
        category: How seriously to take it.
    """

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        """Values for whoever handles the error. Those of a recorded error are decoded when first asked for.

        Raises:
            Exception: The data converter cannot decode them.
        """
        self._details = _decoded(self._details)
        return self._details

    @property
    def type(self) -> str | None:
        """The name that retry policies and handlers can refer to."""
        return self._type

    @property
    def non_retryable(self) -> bool:
        """Whether the raiser forbade another attempt; a retry policy may forbid it as well."""
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        """How long to wait before the next attempt, where the raiser said so."""
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        """How seriously to take it."""
        return self._category


class CancelledError(FailureError):
    """A workflow, an activity or an operation was cancelled."""

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values the cancelled party left behind, decoded when first asked for."""
        self._details = _decoded(self._details)
        return self._details


class TerminatedError(FailureError):
    """A workflow was terminated."""

    def __init__(self, message: str, *details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values the terminator left behind."""
        self._details = _decoded(self._details)
        return self._details


class TimeoutType(IntEnum):
    """Which of the timeouts ran out."""

    START_TO_CLOSE = 1  # one attempt took too long
    SCHEDULE_TO_START = 2  # nobody began in time
    SCHEDULE_TO_CLOSE = 3  # all attempts together took too long
    HEARTBEAT = 4  # no sign of life in time


class TimeoutError(FailureError):
    """Something did not end in time.

    Args:
        message: What went wrong.
        type: Which timeout ran out.
        last_heartbeat_details: What an activity said in its last heartbeat.
    """

    def __init__(self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Details) -> None:
        super().__init__(message)
        self._type = type
        self._details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        """Which timeout ran out."""
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        """What an activity said in its last heartbeat, decoded when first asked for."""
        self._details = _decoded(self._details)
        return self._details


class ServerError(FailureError):
    """The server itself failed.

    Attributes:
        non_retryable: Whether trying again is pointless.
    """

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        super().__init__(message)
        self.non_retryable = non_retryable


class RetryState(IntEnum):
    """Why something that failed is, or is not, tried again."""

    IN_PROGRESS = 1  # it is tried again
    NON_RETRYABLE_FAILURE = 2  # the failure forbids it
    TIMEOUT = 3  # there is no time left for it
    MAXIMUM_ATTEMPTS_REACHED = 4  # the retry policy's attempts are used up
    RETRY_POLICY_NOT_SET = 5  # nobody asked for it
    INTERNAL_SERVER_ERROR = 6  # the server failed
    CANCEL_REQUESTED = 7  # somebody asked for it to stop


class ActivityError(FailureError):
    """An activity failed; its cause says how.

    Attributes:
        scheduled_event_id: Event that scheduled it.
        started_event_id: Event that started its last attempt, or 0.
        identity: Worker that ran it.
        activity_type: Its type.
        activity_id: Its id.
        retry_state: Why it is not tried again.
    """

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self.scheduled_event_id = scheduled_event_id
        self.started_event_id = started_event_id
        self.identity = identity
        self.activity_type = activity_type
        self.activity_id = activity_id
        self.retry_state = retry_state


class ChildWorkflowError(FailureError):
    """A child workflow failed; its cause says how.

    Attributes:
        namespace: Namespace of the child.
        workflow_id: Its id.
        run_id: Its run.
        workflow_type: Its type.
        initiated_event_id: Event in the parent that asked for it.
        started_event_id: Event in the parent that says it was started, or 0.
        retry_state: Why it is not tried again.
    """

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self.namespace = namespace
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.workflow_type = workflow_type
        self.initiated_event_id = initiated_event_id
        self.started_event_id = started_event_id
        self.retry_state = retry_state


class NexusOperationError(FailureError):
    """A nexus operation failed; its cause says how.

    Attributes:
        scheduled_event_id: Event that scheduled the operation.
        endpoint: Its endpoint.
        service: Its service.
        operation: Its name.
        operation_token: The token it was started under, or an empty string.
    """

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str,
    ) -> None:
        super().__init__(message)
        self.scheduled_event_id = scheduled_event_id
        self.endpoint = endpoint
        self.service = service
        self.operation = operation
        self.operation_token = operation_token


class NexusHandlerError(FailureError):
    """A nexus handler refused or failed a request. Temporal's SDK has it as `nexusrpc.HandlerError`.

    Attributes:
        type: Kind of refusal, such as "NOT_FOUND" or "INTERNAL".
        retryable_override: Whether to try again; None leaves it to the type.
    """

    def __init__(self, message: str, *, type: str, retryable_override: bool | None = None) -> None:
        super().__init__(message)
        self.type = type
        self.retryable_override = retryable_override


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether an exception means that something was cancelled.

    True for `asyncio.CancelledError`, for `CancelledError`, and for an error of an activity, a child workflow or a
    nexus operation that a `CancelledError` caused.
    """
    from asyncio import CancelledError as TaskCancelled  # costs 30 ms, which a workflow's process has paid already

    if isinstance(exception, (ActivityError, ChildWorkflowError, NexusOperationError)):
        return isinstance(exception.cause, CancelledError)
    return isinstance(exception, (TaskCancelled, CancelledError))
