"""The user's `temporalio.converter.DataConverter`, for the engine and for native code beside `temporalio` code.

Inside the house payloads and failures are JSON; the SDK's converters take and give protobuf messages. So what a client
says and is told goes through `TemporalWire`, and native code is given the SDK's parts under the interfaces of
`playhead_engine.converter`. Workflow code of the SDK needs neither: its own instance converts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import temporalio.common
import temporalio.converter
import temporalio.exceptions
from temporalio.api.common.v1 import Payload as PayloadProto
from temporalio.api.failure.v1 import Failure as FailureProto

from playhead_engine import converter as native
from playhead_engine.common import RawValue
from playhead_engine.engine.wire import Wire, settle, settle_apart
from playhead_engine.exceptions import FailureError
from playhead_engine.failure_message import FailureMessage
from playhead_engine.messages import Failure, Payload
from playhead_engine.payload import Payload as PayloadObject
from playhead_engine.server.requests import NAMESPACE
from playhead_engine.temporal.payloads import as_json, parsed, payload_json, payload_proto
from playhead_engine.temporal.sdk.activities import stored_for_workflow

SdkConverter = temporalio.converter.DataConverter


def sdk_converter(given: Any) -> SdkConverter:
    """What converts the values of `temporalio` code.

    Args:
        given: What the user gave as data converter; None if nothing.

    Raises:
        TypeError: It is a native one, with more in it than the default. SDK code cannot use it.
    """
    if given is None or _is_default(given):
        return SdkConverter.default
    if isinstance(given, SdkConverter):
        return given
    raise TypeError(
        "code written for temporalio needs a temporalio.converter.DataConverter, got "
        f"{type(given).__module__}.{type(given).__qualname__}: give the engine the converter of your Temporal client; "
        "native code beside it will use it too"
    )


def _is_default(given: Any) -> bool:
    default = native.DataConverter.default
    parts = ("payload_converter_class", "payload_codec", "failure_converter_class")
    return type(given) is type(default) and all(getattr(given, part) is getattr(default, part) for part in parts)


def native_converter(sdk: SdkConverter) -> native.DataConverter:
    """The same for native code. The standard parts stay the native ones, which write the same."""
    parts = (sdk.payload_converter_class, sdk.failure_converter_class)
    standard = (temporalio.converter.DefaultPayloadConverter, temporalio.converter.DefaultFailureConverter)
    if parts == standard and sdk.payload_codec is None:
        return native.DataConverter.default
    return native.DataConverter(
        payload_converter_class=cast(Any, lambda: _Payloads(sdk.payload_converter)),
        payload_codec=None if sdk.payload_codec is None else _Codec(sdk.payload_codec),
        failure_converter_class=cast(Any, lambda: _Failures(sdk)),
    )


def knows_contexts(sdk: SdkConverter) -> bool:
    """Whether what comes of a value depends on the workflow or activity that it is for."""
    probe = temporalio.converter.WorkflowSerializationContext(namespace=NAMESPACE, workflow_id="any")
    return sdk.with_context(probe) is not sdk


class TemporalWire(Wire):
    """Converts what clients say to `temporalio` code and are told by it, codec and external storage included."""

    def __init__(self, sdk: SdkConverter) -> None:
        """Begin.

        Args:
            sdk: The user's data converter.
        """
        super().__init__(native_converter(sdk))
        self.sdk = sdk
        self.has_codec = sdk.payload_codec is not None or sdk.external_storage is not None
        self._has_contexts = knows_contexts(sdk) or sdk.external_storage is not None
        self.encode_value, self.encode_values = self._encode_value, self._encode_values
        self.decode_value, self.decode_values = self._decode_value, self._decode_values
        self.errors = temporalio.exceptions
        # A storage begins tasks of its own, which need a loop that goes on turning.
        self._settle = settle if sdk.external_storage is None else settle_apart

    def for_workflow(self, workflow_id: str, workflow_type: str | None = None) -> TemporalWire:
        """The same for values of one workflow."""
        if not self._has_contexts:
            return self
        context = temporalio.converter.WorkflowSerializationContext(namespace=NAMESPACE, workflow_id=workflow_id)
        return TemporalWire(stored_for_workflow(self.sdk.with_context(context), workflow_id, workflow_type))

    def _encode_value(self, value: Any) -> Payload:
        return self._encode_values([value])[0]

    def _encode_values(self, values: Sequence[Any]) -> list[Payload]:
        if not values:
            return []
        known = [_sdk_raw(value) if isinstance(value, RawValue) else value for value in values]
        if self.has_codec:
            return [payload_json(payload) for payload in self._settle(lambda: self.sdk.encode(known))]
        return [payload_json(payload) for payload in self.sdk.payload_converter.to_payloads(known)]

    def _decode_value(self, payload: Payload, hint: Any = None) -> Any:
        return self._decode_values([payload], None if hint is None else [hint])[0]

    def _decode_values(self, payloads: Sequence[Payload], hints: Sequence[Any] | None = None) -> list[Any]:
        if not payloads:
            return []
        wanted: Any = None if hints is None else [_sdk_hint(hint) for hint in hints]
        protos = [payload_proto(payload) for payload in payloads]
        if self.has_codec:
            values = self._settle(lambda: self.sdk.decode(protos, wanted))
        else:
            values = self.sdk.payload_converter.from_payloads(protos, wanted)
        if hints is None or RawValue not in hints:
            return values
        return [_native_raw(value) if hint is RawValue else value for value, hint in zip(values, hints, strict=False)]

    def encode_failure(self, error: BaseException) -> Failure:
        """An exception as a history holds it."""
        known = sdk_error(error, self.sdk)

        async def encode() -> FailureProto:
            failure = FailureProto()
            await self.sdk.encode_failure(known, failure)
            return failure

        try:
            return cast(Failure, as_json(self._settle(encode)))
        except Exception as raised:  # noqa: BLE001 - a converter of the user's; its error is told instead
            return Failure(message=f"the error cannot be encoded: {raised}", applicationFailureInfo={})

    def decode_failure(self, failure: Failure) -> BaseException:
        """The exception that a failure of a history says: one of `temporalio.exceptions`, or the user's own."""
        return self._settle(lambda: self.sdk.decode_failure(parsed(failure, FailureProto())))


# The two families of errors


def sdk_error(error: BaseException, sdk: SdkConverter) -> BaseException:
    """An error as the SDK's failure converters know it: a native one becomes its like in `temporalio.exceptions`."""
    if not any(isinstance(one, FailureError) for one in _chain(error)):
        return error
    message = FailureMessage()
    native.DefaultFailureConverter().to_failure(error, _Payloads(sdk.payload_converter), message)
    failure = parsed(message.json, FailureProto())
    return temporalio.converter.DefaultFailureConverter().from_failure(failure, sdk.payload_converter)


def native_error(error: BaseException, sdk: SdkConverter) -> BaseException:
    """An error that the SDK's failure converter gave, as native code knows it. What the user made of it stays."""
    if not isinstance(error, temporalio.exceptions.FailureError) or error.failure is None:
        return error
    recorded = as_json(error.failure)
    recorded.pop("encodedAttributes", None)  # message and stack trace are in the clear here
    alone = {name: value for name, value in recorded.items() if name != "cause"}
    known = native.DefaultFailureConverter().from_failure(FailureMessage(alone), _Payloads(sdk.payload_converter))
    assert isinstance(known, FailureError)
    known.remember(cast(Failure, recorded))
    if error.__cause__ is not None:
        known.__cause__ = native_error(error.__cause__, sdk)
    return known


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


# The SDK's parts under the native interfaces


class _Payloads(native.PayloadConverter):
    """A payload converter of the SDK."""

    def __init__(self, sdk: temporalio.converter.PayloadConverter) -> None:
        self._sdk = sdk

    def to_payloads(self, values: Sequence[Any]) -> list[PayloadObject]:
        known = [_sdk_raw(value) if isinstance(value, RawValue) else value for value in values]
        return [_object(payload) for payload in self._sdk.to_payloads(known)]

    def from_payloads(self, payloads: Sequence[PayloadObject], type_hints: list[type] | None = None) -> list[Any]:
        hints: Any = None if type_hints is None else [_sdk_hint(hint) for hint in type_hints]
        values = self._sdk.from_payloads([_proto(payload) for payload in payloads], hints)
        if type_hints is None or RawValue not in type_hints:
            return values
        return [
            _native_raw(value) if hint is RawValue else value for value, hint in zip(values, type_hints, strict=False)
        ]


class _Codec(native.PayloadCodec):
    """A codec of the SDK."""

    def __init__(self, sdk: temporalio.converter.PayloadCodec) -> None:
        self._sdk = sdk

    async def encode(self, payloads: Sequence[PayloadObject]) -> list[PayloadObject]:
        return [_object(payload) for payload in await self._sdk.encode([_proto(payload) for payload in payloads])]

    async def decode(self, payloads: Sequence[PayloadObject]) -> list[PayloadObject]:
        return [_object(payload) for payload in await self._sdk.decode([_proto(payload) for payload in payloads])]


class _Failures(native.FailureConverter):
    """A failure converter of the SDK. Native code is given native errors, and may raise them."""

    def __init__(self, sdk: SdkConverter) -> None:
        self._sdk = sdk

    def to_failure(
        self, exception: BaseException, payload_converter: native.PayloadConverter, failure: FailureMessage
    ) -> None:
        message = FailureProto()
        known = sdk_error(exception, self._sdk)
        self._sdk.failure_converter.to_failure(known, self._sdk.payload_converter, message)
        failure.json.clear()
        failure.json.update(as_json(message))

    def from_failure(self, failure: FailureMessage, payload_converter: native.PayloadConverter) -> BaseException:
        message = parsed(failure.json, FailureProto())
        error = self._sdk.failure_converter.from_failure(message, self._sdk.payload_converter)
        return native_error(error, self._sdk)


def _proto(payload: PayloadObject) -> PayloadProto:
    return PayloadProto(metadata=payload.metadata, data=payload.data)


def _object(payload: PayloadProto) -> PayloadObject:
    return PayloadObject(metadata=dict(sorted(payload.metadata.items())), data=payload.data)  # as in `payloads`


def _sdk_raw(value: RawValue) -> temporalio.common.RawValue:
    return temporalio.common.RawValue(_proto(value.payload))


def _native_raw(value: temporalio.common.RawValue) -> RawValue:
    return RawValue(_object(value.payload))


def _sdk_hint(hint: Any) -> Any:
    return temporalio.common.RawValue if hint is RawValue else hint
