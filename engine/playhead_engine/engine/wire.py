"""Values, payloads and the codec, at the border between user code and histories.

Histories hold payloads as the codec left them; workflow and activity code get values. A codec is async because it may
have to wait for a key, but an engine must not do anything else in the middle of a workflow task. So codecs are run to
their end here: at once where they never wait, as nearly all do, and otherwise on an event loop in a thread, while the
engine stands still.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, Self, TypeVar, cast

from playhead_engine import exceptions
from playhead_engine.activation import (
    Activation,
    Cancelled,
    DoUpdate,
    Failed,
    InitializeWorkflow,
    Job,
    QueryWorkflow,
    ResolveActivity,
    ResolveCancelExternal,
    ResolveChild,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    ResolveSignalExternal,
    SignalWorkflow,
    Succeeded,
    TimedOut,
)
from playhead_engine.commands import Command, CompleteUpdate, RecordMarker, RejectUpdate, RespondToQuery
from playhead_engine.common import RawValue
from playhead_engine.converter import DataConverter
from playhead_engine.messages import Failure, Json, Payload, part
from playhead_engine.payload import Payload as PayloadObject
from playhead_engine.runtime import Completion, TaskCompleted

_T = TypeVar("_T")
_Codec = Callable[[Sequence[Payload]], Coroutine[Any, Any, list[Payload]]]
_FailureCodec = Callable[[Failure], Coroutine[Any, Any, Failure]]

_LISTS: Final = ("input", "result", "details", "lastCompletionResult")
_FAILURES: Final = ("failure", "continuedFailure")
_MAPS: Final = ("memo", "upsertedMemo")


def settle(begin: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine to its end, here and now.

    Args:
        begin: Makes the coroutine; called again if the first one turns out to wait for something.
    """
    coroutine = begin()
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    except RuntimeError as error:
        if str(error) != "no running event loop":
            raise
    coroutine.close()
    return settle_apart(begin)


def settle_apart(begin: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    results: list[_T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(begin()))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, name="playhead-codec")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


class DecodeValue(Protocol):
    def __call__(self, payload: Payload, hint: Any = None) -> Any: ...


class DecodeValues(Protocol):
    def __call__(self, payloads: Sequence[Payload], hints: Sequence[Any] | None = None) -> list[Any]: ...


class Wire:
    """Converts, and applies the codec.

    Attributes:
        converter: The user's data converter.
        has_codec: Whether payloads in histories differ from those that workflow code sees.
        encode_value: A value as a history holds it; `encode_values` several.
        decode_value: The value of a payload of a history; `decode_values` several.
        errors: The module whose errors `decode_failure` gives.
    """

    errors: Any = exceptions

    def __init__(self, converter: DataConverter) -> None:
        self.converter = converter
        self.has_codec = converter.payload_codec is not None
        self.encode_value: Callable[[Any], Payload] = converter.encode_value
        self.encode_values: Callable[[Sequence[Any]], list[Payload]] = converter.encode_values
        self.decode_value: DecodeValue = converter.decode_value
        self.decode_values: DecodeValues = converter.decode_values
        if self.has_codec:
            self.encode_value, self.encode_values = self._encode_value, self._encode_values
            self.decode_value, self.decode_values = self._decode_value, self._decode_values

    def for_workflow(self, workflow_id: str, workflow_type: str | None = None) -> Self:
        """The same for the values of one workflow, where that makes a difference."""
        return self

    def _encode_value(self, value: Any) -> Payload:
        return self._encode([self.converter.encode_value(value)])[0]

    def _encode_values(self, values: Sequence[Any]) -> list[Payload]:
        return self._encode(self.converter.encode_values(values))

    def _decode_value(self, payload: Payload, hint: Any = None) -> Any:
        return self.converter.decode_value(self._decode([payload])[0], hint)

    def _decode_values(self, payloads: Sequence[Payload], hints: Sequence[Any] | None = None) -> list[Any]:
        return self.converter.decode_values(self._decode(payloads), hints)

    def raw_values(self, payloads: Sequence[Payload]) -> list[RawValue]:
        """Payloads of a history as they are given to those who convert for themselves."""
        if self.has_codec:
            payloads = self._decode(payloads)
        return [RawValue(PayloadObject.from_json(payload)) for payload in payloads]

    def encode_failure(self, error: BaseException) -> Failure:
        """An exception as a history holds it."""
        try:
            failure = self.converter.encode_failure(error)
        except Exception as raised:  # noqa: BLE001 - a converter of the user's; its error is told instead
            failure = Failure(message=f"the error cannot be encoded: {raised}", applicationFailureInfo={})
        return settle(lambda: self.converter.wire_encode_failure(failure)) if self.has_codec else failure

    def decode_failure(self, failure: Failure) -> BaseException:
        """The exception that a failure of a history says."""
        if self.has_codec:
            failure = settle(lambda: self.converter.wire_decode_failure(failure))
        return self.converter.decode_failure(failure)

    def _encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return settle(lambda: self.converter.wire_encode(payloads))

    def _decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return settle(lambda: self.converter.wire_decode(payloads))

    # What workflow code is told, and what it asks for

    def decoded(self, activation: Activation) -> Activation:
        """An activation as workflow code is to see it."""
        if not self.has_codec:
            return activation
        return replace(activation, jobs=tuple(self._decoded_job(job) for job in activation.jobs))

    def decoded_attributes(self, attributes: Json) -> Json:
        """Attributes of an event with their values as the data converter takes them."""
        if not self.has_codec:
            return attributes
        return _through(attributes, self.converter.wire_decode, self.converter.wire_decode_failure)

    def encoded(self, completion: Completion) -> Completion:
        """What workflow code asked for, as histories are to hold it."""
        if not self.has_codec:
            return completion
        if isinstance(completion, TaskCompleted):
            return replace(completion, commands=tuple(self._encoded_command(one) for one in completion.commands))
        failure = completion.failure
        return replace(completion, failure=settle(lambda: self.converter.wire_encode_failure(failure)))

    def _decoded_job(self, job: Job) -> Job:
        match job:
            case InitializeWorkflow():
                attributes = _through(job.attributes, self.converter.wire_decode, self.converter.wire_decode_failure)
                return replace(job, attributes=attributes)
            case SignalWorkflow() | DoUpdate() | QueryWorkflow():
                return replace(job, input=self._decode(job.input))
            case ResolveActivity() | ResolveChild() | ResolveChildStart() | ResolveNexus() | ResolveNexusStart():
                return replace(job, result=self._decoded_result(job.result))
            case ResolveSignalExternal() | ResolveCancelExternal() if job.failure is not None:
                return replace(job, failure=self._decoded_failure(job.failure))
            case _:
                return job

    def _decoded_result(self, result: Any) -> Any:
        match result:
            case Succeeded() if result.result is not None:
                return Succeeded(self._decode([result.result])[0])
            case Failed() | Cancelled() | TimedOut():
                return replace(result, failure=self._decoded_failure(result.failure))
            case _:
                return result

    def _decoded_failure(self, failure: Failure) -> Failure:
        return settle(lambda: self.converter.wire_decode_failure(failure))

    def _encoded_command(self, command: Command) -> Command:
        encode_failure = self.converter.wire_encode_failure
        match command:
            case RecordMarker():
                return command  # core's own data; the result in it went through the codec when the activity ended
            case CompleteUpdate():
                return command if command.result is None else replace(command, result=self._encode([command.result])[0])
            case RejectUpdate():
                failure = command.failure
                return replace(command, failure=settle(lambda: encode_failure(failure)))
            case RespondToQuery():
                result = None if command.result is None else self._encode([command.result])[0]
                failed = command.failure
                return replace(
                    command, result=result, failure=None if failed is None else settle(lambda: encode_failure(failed))
                )
            case _:
                attributes: Json | None = getattr(command, "attributes", None)
                if attributes is None:
                    return command
                changed = _through(attributes, self.converter.wire_encode, encode_failure)
                return cast(Command, replace(cast(Any, command), attributes=changed))


def _through(attributes: Json, codec: _Codec, failure_codec: _FailureCodec) -> Json:
    """A copy of an event's attributes whose values went through a codec. Headers and search attributes do not."""
    copy = dict(attributes)
    for name in _LISTS:
        payloads = part(copy, name).get("payloads")
        if payloads:
            copy[name] = {"payloads": settle(lambda payloads=payloads: codec(payloads))}  # type: ignore[misc]
    for name in _MAPS:
        fields = part(copy, name).get("fields")
        if fields:
            copy[name] = {"fields": {key: settle(lambda one=one: codec([one]))[0] for key, one in fields.items()}}  # type: ignore[misc]
    for name in _FAILURES:
        failure = copy.get(name)
        if failure:
            copy[name] = settle(lambda failure=failure: failure_codec(failure))  # type: ignore[misc]
    return copy
