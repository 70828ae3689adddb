"""`DataConverter`: everything that happens to a value between the user's code and a history.

A payload converter turns values into payloads, a failure converter exceptions into failures, and a codec changes both
on their way out of the process. The rest of the house calls `encode_value` and its sisters, which speak the history's
JSON and take the short way (`standard`) where the standard encodings are in use. This module must not know any
encoding.
"""

from __future__ import annotations

from dataclasses import field, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from playhead_engine.converter.context import SerializationContext, WithSerializationContext
from playhead_engine.converter.encodings import DefaultPayloadConverter
from playhead_engine.converter.standard import decode_standard, encode_standard, is_standard
from playhead_engine.failure_message import FailureMessage
from playhead_engine.failures import DefaultFailureConverter, FailureConverter, transformed
from playhead_engine.payload import Payload
from playhead_engine.record import frozen_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playhead_engine import messages
    from playhead_engine.converter.codec import PayloadCodec
    from playhead_engine.converter.payload_converter import PayloadConverter


_Part = TypeVar("_Part")


@frozen_record
class DataConverter(WithSerializationContext):
    """Converts values and exceptions.

    Attributes:
        payload_converter_class: Called without arguments to make the payload converter.
        payload_codec: Changes payloads on their way out and in; None leaves them.
        failure_converter_class: Called without arguments to make the failure converter.
        payload_converter: Converts values.
        failure_converter: Converts exceptions.
    """

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    payload_converter: PayloadConverter = field(init=False)
    failure_converter: FailureConverter = field(init=False)
    _standard: bool = field(init=False, repr=False)

    default: ClassVar[DataConverter]
    """The standard encodings, and no codec."""

    def __post_init__(self) -> None:
        self._use(self.payload_converter_class(), self.failure_converter_class())

    def _use(self, payload_converter: PayloadConverter, failure_converter: FailureConverter) -> None:
        object.__setattr__(self, "payload_converter", payload_converter)
        object.__setattr__(self, "failure_converter", failure_converter)
        object.__setattr__(self, "_standard", is_standard(payload_converter))

    # Values as the payloads of a history, not touched by the codec.

    def encode_value(self, value: Any) -> messages.Payload:
        """A value as a payload.

        Raises:
            TypeError: There is no encoding for it; the message names its type.
        """
        if self._standard:
            return encode_standard(value)
        return self.payload_converter.to_payloads([value])[0].to_json()

    def encode_values(self, values: Sequence[Any]) -> list[messages.Payload]:
        """Values as payloads; a converter of the user's may make fewer of them.

        Raises:
            TypeError: There is no encoding for one of them; the message names its type.
        """
        if self._standard:
            return [encode_standard(value) for value in values]
        return [payload.to_json() for payload in self.payload_converter.to_payloads(values)] if values else []

    def decode_value(self, payload: messages.Payload, hint: Any = None) -> Any:
        """The value of a payload.

        Args:
            payload: The payload.
            hint: Type it is wanted as; None takes it as it comes.

        Raises:
            KeyError: Nobody knows the payload's encoding.
            RuntimeError: Its data is broken.
            TypeError: It does not suit the hint; the message says where in the value.
        """
        if self._standard:
            return decode_standard(payload, hint)
        return self.decode_values([payload], None if hint is None else [hint])[0]

    def decode_values(self, payloads: Sequence[messages.Payload], hints: Sequence[Any] | None = None) -> list[Any]:
        """The values of payloads.

        Args:
            payloads: The payloads.
            hints: Type each is wanted as; None takes all as they come.

        Raises:
            KeyError: Nobody knows a payload's encoding.
            RuntimeError: Its data is broken.
            TypeError: It does not suit its hint; the message says where in the value.
        """
        if self._standard:
            return list(map(decode_standard, payloads, chain(hints or (), repeat(None))))
        if not payloads:
            return []
        return self.payload_converter.from_payloads(
            [Payload.from_json(payload) for payload in payloads], None if hints is None else list(hints)
        )

    def encode_failure(self, exception: BaseException) -> messages.Failure:
        """An exception as a failure."""
        failure = FailureMessage()
        self.failure_converter.to_failure(exception, self.payload_converter, failure)
        return cast("messages.Failure", failure.json)

    def decode_failure(self, failure: messages.Failure) -> BaseException:
        """The exception that a failure says."""
        return self.failure_converter.from_failure(FailureMessage(failure), self.payload_converter)

    # The codec, which may wait for something: a key, for example.

    async def wire_encode(self, payloads: Sequence[messages.Payload]) -> list[messages.Payload]:
        """Payloads as they leave the process."""
        if self.payload_codec is None or not payloads:
            return list(payloads)
        encoded = await self.payload_codec.encode([Payload.from_json(payload) for payload in payloads])
        return [payload.to_json() for payload in encoded]

    async def wire_decode(self, payloads: Sequence[messages.Payload]) -> list[messages.Payload]:
        """Payloads as they were before they left a process."""
        if self.payload_codec is None or not payloads:
            return list(payloads)
        decoded = await self.payload_codec.decode([Payload.from_json(payload) for payload in payloads])
        return [payload.to_json() for payload in decoded]

    async def wire_encode_failure(self, failure: messages.Failure) -> messages.Failure:
        """A failure as it leaves the process."""
        return failure if self.payload_codec is None else await transformed(failure, self.wire_encode)

    async def wire_decode_failure(self, failure: messages.Failure) -> messages.Failure:
        """A failure as it was before it left a process."""
        return failure if self.payload_codec is None else await transformed(failure, self.wire_decode)

    # What users call by Temporal's names.

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Values as payloads that went through the codec."""
        payloads = self.payload_converter.to_payloads(values)
        return payloads if self.payload_codec is None else await self.payload_codec.encode(payloads)

    async def decode(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values of payloads that went through the codec."""
        if self.payload_codec is not None:
            payloads = await self.payload_codec.decode(payloads)
        return self.payload_converter.from_payloads(payloads, type_hints)

    def with_context(self, context: SerializationContext) -> Self:
        """A copy whose parts have this context; the object itself if none of them wants it."""
        payload_converter = _in_context(self.payload_converter, context)
        failure_converter = _in_context(self.failure_converter, context)
        codec = _in_context(self.payload_codec, context)
        if (
            payload_converter is self.payload_converter
            and failure_converter is self.failure_converter
            and codec is self.payload_codec
        ):
            return self
        copy = replace(self, payload_codec=codec)
        copy._use(payload_converter, failure_converter)
        return copy


def _in_context(part: _Part, context: SerializationContext) -> _Part:
    return part.with_context(context) if isinstance(part, WithSerializationContext) else part
