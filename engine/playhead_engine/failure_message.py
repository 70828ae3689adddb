"""`FailureMessage`: a failure as users' failure converters see it.

Inside the house a failure is a JSON object (`messages.Failure`). A failure converter written for Temporal's SDK is
given a protobuf message instead: it reads and sets fields by their snake_case names, sees enums as numbers, and finds
the messages inside it without having made them. This module shows the JSON object that way and writes through to it.
Lists of payloads are replaced with `CopyFrom`, not changed in place. It must not know how an exception becomes a
failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import IntEnum
from typing import Any, ClassVar, Self, cast

from playhead_engine.convert import duration_json, enum_json, enum_member, timedelta_of
from playhead_engine.exceptions import ApplicationErrorCategory, RetryState, TimeoutType
from playhead_engine.messages import Json
from playhead_engine.messages import Payload as PayloadJson
from playhead_engine.payload import Payload, Payloads
from playhead_engine.record import record

_Write = Callable[[Any], None]


@record
class _Scalar:
    """A field that is read and set as a value."""

    json_name: str
    default: Any = ""
    read: Callable[[Any], Any] = lambda value: value
    write: Callable[[Any], Any] = lambda value: value


@record
class _Inner:
    """A field that is an object of its own, which writes itself into the message around it when it is changed."""

    json_name: str
    view: Callable[[Any, _Write], Any]


class _Message:
    """A JSON object under the names and with the methods of a protobuf message."""

    __slots__ = ("_write", "json")

    json: Json

    FIELDS: ClassVar[Mapping[str, _Scalar | _Inner]] = {}

    def __init__(self, json: Any = None, write: _Write | None = None) -> None:
        object.__setattr__(self, "json", {} if json is None else json)
        object.__setattr__(self, "_write", write)

    def __getattr__(self, name: str) -> Any:
        field = self._field(name)
        value = self.json.get(field.json_name)
        if isinstance(field, _Inner):
            return field.view(value, lambda made: self._set(field.json_name, made))
        return field.default if value is None else field.read(value)

    def __setattr__(self, name: str, value: Any) -> None:
        field = self._field(name)
        if isinstance(field, _Inner):
            raise AttributeError(f"{name} is a message: change its fields, or replace it with {name}.CopyFrom(...)")
        self._set(field.json_name, None if value == field.default else field.write(value))

    def HasField(self, name: str) -> bool:  # noqa: N802 - protobuf's name
        """Whether a field is there."""
        return self._field(name).json_name in self.json

    def ClearField(self, name: str) -> None:  # noqa: N802 - protobuf's name
        """Take a field away."""
        self.json.pop(self._field(name).json_name, None)

    def SetInParent(self) -> None:  # noqa: N802 - protobuf's name
        """Be there, even if empty."""
        if self._write is not None:
            self._write(self.json)

    def CopyFrom(self, other: Self) -> None:  # noqa: N802 - protobuf's name
        """Become equal to another message."""
        copy = dict(other.json)
        self.json.clear()
        self.json.update(copy)
        self.SetInParent()

    def __eq__(self, other: object) -> bool:
        return self.json == other.json if isinstance(other, _Message) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.json!r})"

    def _field(self, name: str) -> _Scalar | _Inner:
        field = self.FIELDS.get(name)
        if field is None:
            raise AttributeError(f"{type(self).__name__} has no field {name}; there are {', '.join(self.FIELDS)}")
        return field

    def _set(self, json_name: str, value: Any) -> None:
        if value is None:
            self.json.pop(json_name, None)
        else:
            self.json[json_name] = value
        self.SetInParent()


class _Duration:
    """A duration, with what protobuf's has of methods."""

    def __init__(self, json: str | None, write: _Write) -> None:
        self._json = json
        self._write = write

    def ToTimedelta(self) -> timedelta:  # noqa: N802 - protobuf's name
        return timedelta_of(self._json)

    def FromTimedelta(self, value: timedelta) -> None:  # noqa: N802 - protobuf's name
        self._json = duration_json(value)
        self._write(self._json)


class _PayloadField(Payload):
    __slots__ = ("_write",)

    def __init__(self, json: Any, write: _Write) -> None:
        super().__init__()
        super().CopyFrom(Payload.from_json(cast(Any, json or {})))
        self._write = write

    def CopyFrom(self, other: Payload) -> None:  # noqa: N802 - protobuf's name
        super().CopyFrom(other)
        self._write(self.to_json())


class _PayloadsField(Payloads):
    def __init__(self, json: Any, write: _Write) -> None:
        payloads: list[PayloadJson] = json.get("payloads", []) if json else []
        super().__init__(map(Payload.from_json, payloads))
        self._write = write

    def CopyFrom(self, other: Payloads) -> None:  # noqa: N802 - protobuf's name
        self.payloads = list(other.payloads)
        self._write({"payloads": [payload.to_json() for payload in self.payloads]})


def _int64(json_name: str) -> _Scalar:
    return _Scalar(json_name, default=0, read=int, write=str)


def _enum(json_name: str, kind: type[IntEnum]) -> _Scalar:
    return _Scalar(
        json_name,
        default=0,
        read=lambda value: int(enum_member(kind, value) or 0),
        write=lambda number: enum_json(kind(number)),
    )


class _Named(_Message):
    FIELDS = {"name": _Scalar("name")}


class _Execution(_Message):
    FIELDS = {"workflow_id": _Scalar("workflowId"), "run_id": _Scalar("runId")}


class _ApplicationInfo(_Message):
    FIELDS = {
        "type": _Scalar("type"),
        "non_retryable": _Scalar("nonRetryable", default=False),
        "details": _Inner("details", _PayloadsField),
        "next_retry_delay": _Inner("nextRetryDelay", _Duration),
        "category": _enum("category", ApplicationErrorCategory),
    }


class _TimeoutInfo(_Message):
    FIELDS = {
        "timeout_type": _enum("timeoutType", TimeoutType),
        "last_heartbeat_details": _Inner("lastHeartbeatDetails", _PayloadsField),
    }


class _CanceledInfo(_Message):
    FIELDS = {"details": _Inner("details", _PayloadsField)}


class _TerminatedInfo(_Message):
    pass


class _ServerInfo(_Message):
    FIELDS = {"non_retryable": _Scalar("nonRetryable", default=False)}


class _ResetInfo(_Message):
    FIELDS = {"last_heartbeat_details": _Inner("lastHeartbeatDetails", _PayloadsField)}


class _ActivityInfo(_Message):
    FIELDS = {
        "scheduled_event_id": _int64("scheduledEventId"),
        "started_event_id": _int64("startedEventId"),
        "identity": _Scalar("identity"),
        "activity_type": _Inner("activityType", _Named),
        "activity_id": _Scalar("activityId"),
        "retry_state": _enum("retryState", RetryState),
    }


class _ChildInfo(_Message):
    FIELDS = {
        "namespace": _Scalar("namespace"),
        "workflow_execution": _Inner("workflowExecution", _Execution),
        "workflow_type": _Inner("workflowType", _Named),
        "initiated_event_id": _int64("initiatedEventId"),
        "started_event_id": _int64("startedEventId"),
        "retry_state": _enum("retryState", RetryState),
    }


class _NexusOperationInfo(_Message):
    FIELDS = {
        "scheduled_event_id": _int64("scheduledEventId"),
        "endpoint": _Scalar("endpoint"),
        "service": _Scalar("service"),
        "operation": _Scalar("operation"),
        "operation_token": _Scalar("operationToken"),
    }


class _NexusHandlerInfo(_Message):
    FIELDS = {"type": _Scalar("type")}


_INFO: dict[str, _Scalar | _Inner] = {
    "application_failure_info": _Inner("applicationFailureInfo", _ApplicationInfo),
    "timeout_failure_info": _Inner("timeoutFailureInfo", _TimeoutInfo),
    "canceled_failure_info": _Inner("canceledFailureInfo", _CanceledInfo),
    "terminated_failure_info": _Inner("terminatedFailureInfo", _TerminatedInfo),
    "server_failure_info": _Inner("serverFailureInfo", _ServerInfo),
    "reset_workflow_failure_info": _Inner("resetWorkflowFailureInfo", _ResetInfo),
    "activity_failure_info": _Inner("activityFailureInfo", _ActivityInfo),
    "child_workflow_execution_failure_info": _Inner("childWorkflowExecutionFailureInfo", _ChildInfo),
    "nexus_operation_execution_failure_info": _Inner("nexusOperationExecutionFailureInfo", _NexusOperationInfo),
    "nexus_handler_failure_info": _Inner("nexusHandlerFailureInfo", _NexusHandlerInfo),
}


class FailureMessage(_Message):
    """A failure.

    Attributes:
        json: The object that is shown.
    """

    FIELDS = {
        "message": _Scalar("message"),
        "source": _Scalar("source"),
        "stack_trace": _Scalar("stackTrace"),
        "encoded_attributes": _Inner("encodedAttributes", _PayloadField),
        "cause": _Inner("cause", lambda json, write: FailureMessage(json, write)),
        **_INFO,
    }

    def WhichOneof(self, name: str) -> str | None:  # noqa: N802 - protobuf's name
        """Of which kind the failure is.

        Args:
            name: `failure_info`, the only choice there is.
        """
        if name != "failure_info":
            raise ValueError(f"a failure has the choice failure_info, and none named {name}")
        return next((info for info, field in _INFO.items() if self.json.get(field.json_name) is not None), None)
