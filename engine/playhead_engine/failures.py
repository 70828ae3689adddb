"""Failures: errors as a history records them, made from exceptions and turned into exceptions again.

A failure says of which kind it is by which `...Info` field it has; a chain of causes is a chain of failures. This
module works on canonical JSON (`messages.Failure`) and shows it to users' failure converters as `FailureMessage`. It
must not know how values become payloads; a payload converter is handed in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from playhead_engine.convert import duration_json, enum_json, enum_member, timedelta_of
from playhead_engine.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    NexusHandlerError,
    NexusOperationError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from playhead_engine.failure_message import FailureMessage
from playhead_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from playhead_engine import messages
    from playhead_engine.converter.payload_converter import PayloadConverter
    from playhead_engine.messages import Failure, Json

Transform: TypeAlias = "Callable[[list[messages.Payload]], Awaitable[list[messages.Payload]]]"
"""What a codec does to payloads."""

ENCODED_MESSAGE = "Encoded failure"
"""The message of a failure whose real one is encoded; every SDK of Temporal writes this one."""


class FailureConverter(ABC):
    """Turns exceptions into failures and back."""

    default: ClassVar[FailureConverter]
    """The converter used where no other is asked for."""

    @abstractmethod
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
    ) -> None:
        """Say an exception as a failure.

        Args:
            exception: The exception; it must not be changed.
            payload_converter: Converts the values that come with it.
            failure: An empty failure, to be filled.
        """
        raise NotImplementedError

    @abstractmethod
    def from_failure(self, failure: FailureMessage, payload_converter: PayloadConverter) -> BaseException:
        """The exception that a failure says.

        Args:
            failure: The failure; it must not be changed.
            payload_converter: Converts the values that come with it.
        """
        raise NotImplementedError


class DefaultFailureConverter(FailureConverter):
    """Turns an exception that is no `FailureError` into an `ApplicationError` named after its class.

    Args:
        encode_common_attributes: Move message and stack trace into a payload, so that a codec can hide them.
    """

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        super().__init__()
        self._encode_common_attributes = encode_common_attributes

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
    ) -> None:
        recorded = exception.failure if isinstance(exception, FailureError) else None
        if recorded is not None:
            failure.json.clear()
            failure.json.update(recorded)
        else:
            self._write(exception, payload_converter, cast("Failure", failure.json))
        if self._encode_common_attributes:
            _hide(cast("Failure", failure.json), payload_converter)

    def _write(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        message = exception.message if isinstance(exception, FailureError) else str(exception)
        if message:
            failure["message"] = message
        if exception.__traceback__:
            failure["stackTrace"] = _stack_text(exception, exception.__traceback__)
        cause = _cause(exception)
        if cause is not None and not _is_endless(exception):
            failure_of_cause = FailureMessage()
            self.to_failure(cause, payload_converter, failure_of_cause)
            failure["cause"] = cast("Failure", failure_of_cause.json)
        _write_info(exception, payload_converter, failure)

    def from_failure(self, failure: FailureMessage, payload_converter: PayloadConverter) -> BaseException:
        message = _shown(cast("Failure", failure.json), payload_converter)
        error, details = _error(message)
        payloads = details.get("payloads", []) if details else []
        error.remember(message, (lambda: _values(payloads, payload_converter)) if payloads else ())
        if "cause" in message:
            error.__cause__ = self.from_failure(FailureMessage(message["cause"]), payload_converter)
        return error


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """Moves message and stack trace into a payload, so that a codec can hide them."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


async def transformed(failure: Failure, transform: Transform) -> Failure:
    """A copy of a failure whose payloads, and those of its causes, went through a codec.

    Args:
        failure: The failure; it is not changed.
        transform: The codec.
    """
    copy: Json = dict(failure)
    if "encodedAttributes" in copy:
        copy["encodedAttributes"] = (await transform([copy["encodedAttributes"]]))[0]
    for info_name, details_name in _DETAILS.items():
        info: Json = copy.get(info_name, {})
        if details_name in info:
            payloads = await transform(info[details_name].get("payloads", []))
            copy[info_name] = {**info, details_name: {**info[details_name], "payloads": payloads}}
    if "cause" in copy:
        copy["cause"] = await transformed(copy["cause"], transform)
    return cast("Failure", copy)


_DETAILS = {
    "applicationFailureInfo": "details",
    "timeoutFailureInfo": "lastHeartbeatDetails",
    "canceledFailureInfo": "details",
    "resetWorkflowFailureInfo": "lastHeartbeatDetails",
}


# To a failure. What is zero, false or empty is left out, as canonical JSON leaves it out.


def _cause(exception: BaseException) -> BaseException | None:
    """What an exception was raised from, or for a `FailureError` also what was being handled when it was raised."""
    if exception.__cause__ is not None or exception.__suppress_context__ or not isinstance(exception, FailureError):
        return exception.__cause__
    return exception.__context__


def _is_endless(exception: BaseException) -> bool:
    """Whether an exception is among its own causes, as after `raise error from error`."""
    seen: set[int] = set()
    cause: BaseException | None = exception
    while cause is not None:
        if id(cause) in seen:
            return True
        seen.add(id(cause))
        cause = _cause(cause)
    return False


def _write_info(exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
    def details(values: Sequence[Any]) -> messages.Payloads | None:
        payloads = payload_converter.to_payloads(values) if values else []
        return {"payloads": [payload.to_json() for payload in payloads]} if payloads else None

    match exception:
        case ApplicationError():
            failure["applicationFailureInfo"] = _present(
                type=exception.type,
                nonRetryable=exception.non_retryable,
                details=details(exception.details),
                nextRetryDelay=duration_json(exception.next_retry_delay) if exception.next_retry_delay else None,
                category=_enum(exception.category),
            )
        case TimeoutError():
            failure["timeoutFailureInfo"] = _present(
                timeoutType=_enum(exception.type), lastHeartbeatDetails=details(exception.last_heartbeat_details)
            )
        case CancelledError():
            failure["canceledFailureInfo"] = _present(details=details(exception.details))
        case TerminatedError():
            failure["terminatedFailureInfo"] = {}
        case ServerError():
            failure["serverFailureInfo"] = _present(nonRetryable=exception.non_retryable)
        case ActivityError():
            failure["activityFailureInfo"] = _present(
                scheduledEventId=_int64(exception.scheduled_event_id),
                startedEventId=_int64(exception.started_event_id),
                identity=exception.identity,
                activityType=_present(name=exception.activity_type),
                activityId=exception.activity_id,
                retryState=_enum(exception.retry_state),
            )
        case ChildWorkflowError():
            failure["childWorkflowExecutionFailureInfo"] = _present(
                namespace=exception.namespace,
                workflowExecution=_present(workflowId=exception.workflow_id, runId=exception.run_id),
                workflowType=_present(name=exception.workflow_type),
                initiatedEventId=_int64(exception.initiated_event_id),
                startedEventId=_int64(exception.started_event_id),
                retryState=_enum(exception.retry_state),
            )
        case NexusOperationError():
            failure["nexusOperationExecutionFailureInfo"] = _present(
                scheduledEventId=_int64(exception.scheduled_event_id),
                endpoint=exception.endpoint,
                service=exception.service,
                operation=exception.operation,
                operationToken=exception.operation_token,
            )
        case NexusHandlerError():
            behavior = {True: "RETRYABLE", False: "NON_RETRYABLE"}.get(cast(bool, exception.retryable_override))
            failure["nexusHandlerFailureInfo"] = _present(
                type=exception.type, retryBehavior=behavior and _RETRY_BEHAVIOR + behavior
            )
        case FailureError():
            pass  # such as WorkflowAlreadyStartedError: there is no field for it
        case _:
            failure["applicationFailureInfo"] = {"type": type(exception).__name__}


_RETRY_BEHAVIOR = "NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_"


def _hide(failure: Failure, payload_converter: PayloadConverter) -> None:
    attributes = {"message": failure.get("message", ""), "stack_trace": failure.pop("stackTrace", "")}
    failure["encodedAttributes"] = payload_converter.to_payloads([attributes])[0].to_json()
    failure["message"] = ENCODED_MESSAGE


def _present(**fields: Any) -> Any:
    # A message that is there stays, even if it is empty.
    return {name: value for name, value in fields.items() if value or value == {}}


def _int64(value: int) -> str | None:
    return str(value) if value else None


def _enum(member: IntEnum | None) -> str | None:
    return enum_json(member) if member else None


def _stack_text(exception: BaseException, trace: TracebackType) -> str:
    from traceback import format_exception, format_tb  # not needed where nothing fails

    if isinstance(exception, BaseExceptionGroup):
        # A failure has room for one cause, so this is where its members are seen. Temporal's SDK shows none of them.
        return "".join(format_exception(exception, chain=False))
    return "\n".join(format_tb(trace))


# From a failure.


def _shown(failure: Failure, payload_converter: PayloadConverter) -> Failure:
    """The failure with the message and the stack trace that its encoded attributes hold."""
    encoded = failure.get("encodedAttributes")
    if encoded is None:
        return failure
    try:
        attributes: object = payload_converter.from_payloads([Payload.from_json(encoded)])[0]
    except Exception:  # noqa: BLE001 - without its codec or key a failure is still worth showing as it is
        return failure
    shown: Json = dict(failure)
    if isinstance(attributes, dict):
        for name, field in (("message", "message"), ("stack_trace", "stackTrace")):
            text = cast("Json", attributes).get(name)
            if isinstance(text, str):
                shown.pop(field, None)
                shown.update({field: text} if text else {})
    return cast("Failure", shown)


def _values(payloads: list[messages.Payload], payload_converter: PayloadConverter) -> list[Any]:
    return payload_converter.from_payloads([Payload.from_json(payload) for payload in payloads])


def _error(failure: Failure) -> tuple[FailureError, messages.Payloads | None]:
    """The error without its cause, and the details that come with it."""
    message = failure.get("message", "")
    if "applicationFailureInfo" in failure:
        application = failure["applicationFailureInfo"]
        delay = application.get("nextRetryDelay")
        return ApplicationError(
            message or "Application error",
            type=application.get("type") or None,
            non_retryable=application.get("nonRetryable", False),
            next_retry_delay=None if delay is None else timedelta_of(delay),
            category=enum_member(ApplicationErrorCategory, application.get("category"))
            or ApplicationErrorCategory.UNSPECIFIED,
        ), application.get("details")
    if "timeoutFailureInfo" in failure:
        timeout = failure["timeoutFailureInfo"]
        kind = enum_member(TimeoutType, timeout.get("timeoutType"))
        error = TimeoutError(message or "Timeout", type=kind, last_heartbeat_details=())
        return error, timeout.get("lastHeartbeatDetails")
    if "canceledFailureInfo" in failure:
        return CancelledError(message or "Cancelled"), failure["canceledFailureInfo"].get("details")
    if "terminatedFailureInfo" in failure:
        return TerminatedError(message or "Terminated"), None
    if "serverFailureInfo" in failure:
        non_retryable = failure["serverFailureInfo"].get("nonRetryable", False)
        return ServerError(message or "Server error", non_retryable=non_retryable), None
    if "activityFailureInfo" in failure:
        activity = failure["activityFailureInfo"]
        return ActivityError(
            message or "Activity error",
            scheduled_event_id=int(activity.get("scheduledEventId", 0)),
            started_event_id=int(activity.get("startedEventId", 0)),
            identity=activity.get("identity", ""),
            activity_type=activity.get("activityType", {}).get("name", ""),
            activity_id=activity.get("activityId", ""),
            retry_state=enum_member(RetryState, activity.get("retryState")),
        ), None
    if "childWorkflowExecutionFailureInfo" in failure:
        child = failure["childWorkflowExecutionFailureInfo"]
        execution = child.get("workflowExecution", {})
        return ChildWorkflowError(
            message or "Child workflow error",
            namespace=child.get("namespace", ""),
            workflow_id=execution.get("workflowId", ""),
            run_id=execution.get("runId", ""),
            workflow_type=child.get("workflowType", {}).get("name", ""),
            initiated_event_id=int(child.get("initiatedEventId", 0)),
            started_event_id=int(child.get("startedEventId", 0)),
            retry_state=enum_member(RetryState, child.get("retryState")),
        ), None
    if "nexusOperationExecutionFailureInfo" in failure:
        operation = failure["nexusOperationExecutionFailureInfo"]
        return NexusOperationError(
            message or "Nexus operation error",
            scheduled_event_id=int(operation.get("scheduledEventId", 0)),
            endpoint=operation.get("endpoint", ""),
            service=operation.get("service", ""),
            operation=operation.get("operation", ""),
            operation_token=operation.get("operationToken", ""),
        ), None
    if "nexusHandlerFailureInfo" in failure:
        handler = failure["nexusHandlerFailureInfo"]
        behavior = str(handler.get("retryBehavior", "")).removeprefix(_RETRY_BEHAVIOR)
        retryable = {"RETRYABLE": True, "Retryable": True, "NON_RETRYABLE": False, "NonRetryable": False}.get(behavior)
        handler_type = handler.get("type", "")
        return NexusHandlerError(
            message or "Nexus handler error", type=handler_type, retryable_override=retryable
        ), None
    return FailureError(message or "Failure error"), None
