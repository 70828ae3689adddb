"""`Payload`: one encoded value as the users' converters and codecs see it.

Inside the house a payload is a JSON object (`messages.Payload`). Converters and codecs written for Temporal's SDK
expect its protobuf class instead, and an encrypting codec encrypts that class's bytes; so this one offers the same
surface and the same bytes (`temporal.api.common.v1.Payload`: map<string, bytes> metadata = 1; bytes data = 2). It must
not know what an encoding means: `converter` does.
"""

from __future__ import annotations

import reprlib
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playhead_engine.record import frozen_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from playhead_engine import messages

_LENGTH_DELIMITED = 2
_FIXED_SIZES = {1: 8, 5: 4}


class _Metadata(dict[str, bytes]):
    """Reading an absent key gives `b""` and keeps it, as reading protobuf's maps does."""

    def __missing__(self, key: str) -> bytes:
        self[key] = b""
        return b""


class Payload:
    """One encoded value.

    Attributes:
        metadata: How it is encoded; `encoding` names the converter that reads it.
        data: The encoded value.
    """

    __slots__ = ("data", "metadata")

    def __init__(self, *, metadata: Mapping[str, bytes] | None = None, data: bytes = b"") -> None:
        self.metadata: dict[str, bytes] = _Metadata(metadata or {})
        self.data = data
        parts: list[tuple[str, object]] = [("data", data)]
        parts += ((f"metadata {key!r}", value) for key, value in self.metadata.items())
        for name, value in parts:
            if not isinstance(value, bytes):
                raise TypeError(f"{name} of a payload must be bytes, got {type(value).__name__}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payload):
            return NotImplemented
        return self.data == other.data and self.metadata == other.metadata

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"Payload(metadata={dict(self.metadata)!r}, data={self.data!r})"

    def CopyFrom(self, other: Payload) -> None:  # noqa: N802 - protobuf's name
        """Become equal to another payload."""
        self.metadata = _Metadata(other.metadata)
        self.data = other.data

    def SerializeToString(self, *, deterministic: bool = True) -> bytes:  # noqa: N802 - protobuf's name
        """The bytes protobuf would write, with the metadata in the order of its keys.

        Args:
            deterministic: Accepted because protobuf has it; the bytes of equal payloads are always equal.
        """
        entries = (_field(1, key.encode()) + _field(2, self.metadata[key]) for key in sorted(self.metadata))
        return b"".join(_field(1, entry) for entry in entries) + (_field(2, self.data) if self.data else b"")

    def ParseFromString(self, serialized: bytes) -> int:  # noqa: N802 - protobuf's name
        """Become what the bytes say; fields that are not known are skipped.

        Returns:
            The number of bytes read.

        Raises:
            ValueError: The bytes are no payload.
        """
        metadata = _Metadata()
        data = b""
        for number, content in _fields(serialized):
            if number == 2:
                data = content
            elif number == 1:
                entry = dict(_fields(content))
                metadata[entry.get(1, b"").decode()] = entry.get(2, b"")
        self.metadata = metadata
        self.data = data
        return len(serialized)

    @classmethod
    def FromString(cls, serialized: bytes) -> Payload:  # noqa: N802 - protobuf's name
        """The payload that the bytes say.

        Raises:
            ValueError: The bytes are no payload.
        """
        payload = cls()
        payload.ParseFromString(serialized)
        return payload

    @classmethod
    def from_json(cls, message: messages.Payload) -> Payload:
        """The payload of a history's JSON object."""
        payload = cls.__new__(cls)
        payload.metadata = _Metadata((key, base64_bytes(value)) for key, value in message.get("metadata", {}).items())
        payload.data = base64_bytes(message.get("data", ""))
        return payload

    def to_json(self) -> messages.Payload:
        """The JSON object that a history holds."""
        message: messages.Payload = {}
        if self.metadata:
            message["metadata"] = {key: base64_text(value) for key, value in self.metadata.items()}
        if self.data:
            message["data"] = base64_text(self.data)
        return message


@frozen_record
class RawValue:
    """A value that is left as it is: as an argument or a result, its payload goes in and comes out unconverted.

    A codec still applies to it.
    """

    payload: Payload


@dataclass
class Payloads:
    """Several payloads in one message, as `PayloadConverter.to_payloads_wrapper` returns them."""

    payloads: list[Payload]

    def __init__(self, payloads: Iterable[Payload] = ()) -> None:
        self.payloads = list(payloads)


def base64_text(data: bytes) -> str:
    """Bytes as JSON has them."""
    return b2a_base64(data, newline=False).decode("ascii")


def base64_bytes(text: str) -> bytes:
    """The bytes that JSON says.

    Raises:
        RuntimeError: It is no base64.
    """
    try:
        return a2b_base64(text, strict_mode=True)
    except (ValueError, TypeError) as error:
        raise RuntimeError(f"a payload is damaged: expected base64, got {reprlib.repr(text)}: {error}") from None


# The wire format, as far as a payload needs it: https://protobuf.dev/programming-guides/encoding/


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | _LENGTH_DELIMITED,)) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    return bytes((value & 0x7F | 0x80,)) + _varint(value >> 7)


def _fields(serialized: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of every length-delimited field; the others are skipped."""
    position = 0
    while position < len(serialized):
        tag, position = _read_varint(serialized, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _LENGTH_DELIMITED:
            length, position = _read_varint(serialized, position)
        elif wire_type in _FIXED_SIZES:
            length = _FIXED_SIZES[wire_type]
        elif wire_type == 0:
            _, position = _read_varint(serialized, position)
            continue
        else:
            raise ValueError(f"not a serialized payload: wire type {wire_type} at byte {position}")
        end = position + length
        if number == 0 or end > len(serialized):
            raise ValueError(f"not a serialized payload: field {number} at byte {position} of {len(serialized)}")
        if wire_type == _LENGTH_DELIMITED:
            yield number, serialized[position:end]
        position = end


def _read_varint(serialized: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if position + index >= len(serialized):
            break
        byte = serialized[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError(f"not a serialized payload: no number at byte {position} of {len(serialized)}")
