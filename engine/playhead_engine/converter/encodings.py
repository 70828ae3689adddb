"""The standard encodings, which every SDK of Temporal reads and writes: null, bytes, protobuf messages, JSON.

Messages of protobuf are converted where the user's code has protobuf loaded; this package does not need it. This module
must not know the fast path beside it (`standard`).
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from playhead_engine.converter.json_encoding import AdvancedJSONEncoder, json_text, json_value
from playhead_engine.converter.payload_converter import CompositePayloadConverter, EncodingPayloadConverter
from playhead_engine.converter.type_hints import JSONTypeConverter, TypeHints, type_converter
from playhead_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """None."""

    @property
    def encoding(self) -> str:
        return "binary/null"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(metadata={"encoding": b"binary/null"}) if value is None else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        if payload.data:
            raise RuntimeError(f"null has no data, and there are {len(payload.data)} bytes")


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """Bytes."""

    @property
    def encoding(self) -> str:
        return "binary/plain"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(metadata={"encoding": b"binary/plain"}, data=value) if isinstance(value, bytes) else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return payload.data


class JSONProtoPayloadConverter(EncodingPayloadConverter):
    """Messages of protobuf, as JSON.

    Args:
        ignore_unknown_fields: Read messages with fields that their type does not have.
    """

    def __init__(self, ignore_unknown_fields: bool = False) -> None:
        super().__init__()
        self._ignore_unknown_fields = ignore_unknown_fields

    @property
    def encoding(self) -> str:
        return "json/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        if not _is_message(value):
            return None
        fields = import_module("google.protobuf.json_format").MessageToDict(value)
        return _message_payload(value, b"json/protobuf", json_text(fields).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        json_format: Any = _protobuf("json_format")
        message = _message_of(payload)
        try:
            return json_format.Parse(payload.data, message, ignore_unknown_fields=self._ignore_unknown_fields)
        except json_format.ParseError as error:
            raise RuntimeError(f"it is no {message.DESCRIPTOR.full_name}: {error}") from error


class BinaryProtoPayloadConverter(EncodingPayloadConverter):
    """Messages of protobuf, as bytes."""

    @property
    def encoding(self) -> str:
        return "binary/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        return _message_payload(value, b"binary/protobuf", value.SerializeToString()) if _is_message(value) else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        message = _message_of(payload)
        try:
            message.ParseFromString(payload.data)
        except _protobuf("message").DecodeError as error:
            raise RuntimeError(f"it is no {message.DESCRIPTOR.full_name}: {error}") from error
        return message


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Whatever JSON can hold: text, numbers, lists, mappings, dataclasses and more.

    Args:
        encoder: Class that writes JSON; None takes `json`'s own.
        decoder: Class that reads JSON; None takes `json`'s own.
        encoding: Name of the encoding.
        custom_type_converters: Asked in turn, before the usual rules, to turn a part of the JSON into the type it is
            wanted as.
    """

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = (),
    ) -> None:
        super().__init__()
        self._encoding = encoding
        self._decoder = decoder
        self._text: Callable[[Any], str] = json_text
        if encoder is not AdvancedJSONEncoder:
            self._text = (encoder or json.JSONEncoder)(separators=(",", ":"), sort_keys=True).encode
        self._type_converter = TypeHints(custom_type_converters).converter if custom_type_converters else type_converter

    @property
    def encoding(self) -> str:
        return self._encoding

    def to_payload(self, value: Any) -> Payload | None:
        if hasattr(value, "parse_obj"):
            warnings.warn(
                "a pydantic model goes through the standard data converter without validation and with pydantic's own "
                "types as plain JSON; pydantic_data_converter of playhead_engine.contrib.pydantic keeps both",
                stacklevel=2,
            )
        return Payload(metadata={"encoding": self._encoding.encode()}, data=self._text(value).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        value = parsed_json(payload.data) if self._decoder is None else _loaded(payload.data, self._decoder)
        return self._type_converter(type_hint)(value) if type_hint else value


class DefaultPayloadConverter(CompositePayloadConverter):
    """All standard encodings."""

    default_encoding_payload_converters: tuple[EncodingPayloadConverter, ...] = (
        BinaryNullPayloadConverter(),
        BinaryPlainPayloadConverter(),
        JSONProtoPayloadConverter(),
        BinaryProtoPayloadConverter(),
        JSONPlainPayloadConverter(),  # last, because it takes every value or raises
    )
    """A converter for each, in the order in which they are asked."""

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)


def parsed_json(data: bytes) -> Any:
    """The value in JSON text.

    Raises:
        RuntimeError: It is no JSON.
    """
    try:
        return json_value(data)
    except ValueError as error:
        raise RuntimeError(f"it is no JSON: {error}") from error
    except RecursionError:
        raise RuntimeError("it is JSON nested too deeply to be read") from None


def _loaded(data: bytes, decoder: type[json.JSONDecoder]) -> Any:
    try:
        return json.loads(data, cls=decoder)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"it is no JSON: {error}") from error


def _is_message(value: object) -> bool:
    # Whoever has a message has protobuf loaded.
    module: Any = sys.modules.get("google.protobuf.message")
    return module is not None and isinstance(value, module.Message)


def _message_payload(message: Any, encoding: bytes, data: bytes) -> Payload:
    metadata = {"encoding": encoding, "messageType": message.DESCRIPTOR.full_name.encode()}
    return Payload(metadata=metadata, data=data)


def _message_of(payload: Payload) -> Any:
    name = payload.metadata.get("messageType", b"").decode()
    database: Any = _protobuf("symbol_database").Default()
    try:
        return database.GetSymbol(name)()
    except KeyError:
        raise RuntimeError(
            f"it is a protobuf message of type {name or '<none>'}, which is not known here; "
            f"import the module that was generated for it"
        ) from None


def _protobuf(module: str) -> Any:
    try:
        return import_module(f"google.protobuf.{module}")
    except ImportError:
        raise RuntimeError("it is a protobuf message, and the package protobuf is not installed") from None
