"""What converts values to payloads and back: the interfaces, and the converter that tries others in turn.

Subclasses live in `encodings`, in `contrib.pydantic` and in users' code written for Temporal's SDK, so names,
signatures and the errors that are part of the contract are that SDK's. This module must not know any encoding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, overload

from playhead_engine.converter.context import SerializationContext, WithSerializationContext
from playhead_engine.payload import Payload, Payloads, RawValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_T = TypeVar("_T")


class PayloadConverter(ABC):
    """Converts several values at once."""

    default: ClassVar[PayloadConverter]
    """The converter of the standard encodings."""

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Values as payloads; a `RawValue` gives its own.

        Returns:
            At least one payload, and not more than there were values.

        Raises:
            Exception: A value cannot be converted.
        """
        raise NotImplementedError

    @abstractmethod
    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values of payloads.

        Args:
            payloads: The payloads.
            type_hints: The type each is wanted as; `RawValue` wants the payload itself.

        Raises:
            Exception: A payload cannot be converted.
        """
        raise NotImplementedError

    def to_payloads_wrapper(self, values: Sequence[Any]) -> Payloads:
        """Values as one message of payloads."""
        return Payloads(self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: Payloads | None) -> list[Any]:
        """The values in one message of payloads."""
        return self.from_payloads(payloads.payloads) if payloads and payloads.payloads else []

    def to_payload(self, value: Any) -> Payload:
        """One value as a payload."""
        return self.to_payloads([value])[0]

    @overload
    def from_payload(self, payload: Payload) -> Any: ...

    @overload
    def from_payload(self, payload: Payload, type_hint: type[_T]) -> _T: ...

    @overload
    def from_payload(self, payload: Payload, type_hint: type | None) -> Any: ...

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value of one payload."""
        return self.from_payloads([payload], [type_hint] if type_hint else None)[0]


class EncodingPayloadConverter(ABC):
    """Converts single values to and from one encoding."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """The encoding, as payloads name it in their metadata."""
        raise NotImplementedError

    @abstractmethod
    def to_payload(self, value: Any) -> Payload | None:
        """A value as a payload, or None if this encoding is not for such values.

        Raises:
            TypeError: This encoding is for such values, but not for this one.
            ValueError: The same.
            RuntimeError: The same.
        """
        raise NotImplementedError

    @abstractmethod
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value of a payload of this encoding.

        Raises:
            RuntimeError: The payload's data is broken.
        """
        raise NotImplementedError


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Asks one converter after another, and takes the first that can.

    Args:
        converters: The converters, in order. A later one replaces an earlier one of the same encoding, in its place.
    """

    converters: Mapping[bytes, EncodingPayloadConverter]
    """The converters by encoding, in order."""

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        self.converters = {converter.encoding.encode(): converter for converter in converters}

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Values as payloads, one for each.

        Raises:
            RuntimeError: No converter takes a value; the message names its type.
        """
        return [self._to_payload(index, value) for index, value in enumerate(values)]

    def _to_payload(self, index: int, value: Any) -> Payload:
        if isinstance(value, RawValue):
            return value.payload
        for converter in self.converters.values():
            payload = converter.to_payload(value)
            if payload is not None:
                return payload
        raise RuntimeError(
            f"no converter takes the value at index {index}, which is of type {type(value).__qualname__}"
        )

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values of payloads, one for each.

        Raises:
            KeyError: No converter knows a payload's encoding.
            RuntimeError: A payload's data is broken.
        """
        pairs = zip_longest(payloads, type_hints or ())
        return [self._from_payload(index, payload, hint) for index, (payload, hint) in enumerate(pairs)]

    def _from_payload(self, index: int, payload: Payload, type_hint: type | None) -> Any:
        if type_hint is RawValue:
            return RawValue(payload)
        encoding = payload.metadata.get("encoding", b"<none>")
        converter = self.converters.get(encoding)
        if converter is None:
            known = ", ".join(name.decode() for name in self.converters)
            raise KeyError(
                f"the payload at index {index} has the encoding {encoding.decode(errors='replace')}, which is none of "
                f"{known}; the data converter may lack the codec it was written with"
            )
        try:
            return converter.from_payload(payload, type_hint)
        except RuntimeError as error:
            raise RuntimeError(
                f"the payload at index {index} of encoding {encoding.decode()} cannot be read: {error}"
            ) from error

    def with_context(self, context: SerializationContext) -> Self:
        """A copy whose converters have this context; the object itself if none of them wants it."""
        converters = [
            converter.with_context(context) if isinstance(converter, WithSerializationContext) else converter
            for converter in self.converters.values()
        ]
        if all(new is old for new, old in zip(converters, self.converters.values(), strict=True)):
            return self
        copy = type(self)()
        CompositePayloadConverter.__init__(copy, *converters)
        return copy
