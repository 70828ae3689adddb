"""Typed conversion of values and exceptions, under the names of `temporalio.converter`.

    values ──payload converter──▶ payloads ──codec──▶ payloads on the wire or in a store

`payload_converter` has the interfaces, `encodings` the standard encodings, `type_hints` the way from JSON to annotated
types, `standard` the short way through all of them, `data_converter` what the rest of the house holds in its hand.
"""

from __future__ import annotations

from playhead_engine.converter.codec import PayloadCodec
from playhead_engine.converter.context import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from playhead_engine.converter.data_converter import DataConverter
from playhead_engine.converter.encodings import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    JSONProtoPayloadConverter,
)
from playhead_engine.converter.json_encoding import AdvancedJSONEncoder
from playhead_engine.converter.payload_converter import (
    CompositePayloadConverter,
    EncodingPayloadConverter,
    PayloadConverter,
)
from playhead_engine.converter.type_hints import JSONTypeConverter, JSONTypeConverterUnhandled, value_to_type
from playhead_engine.failure_message import FailureMessage
from playhead_engine.failures import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
)
from playhead_engine.payload import Payload, Payloads

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "FailureConverter",
    "FailureMessage",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "NexusSerializationContext",
    "Payload",
    "PayloadCodec",
    "PayloadConverter",
    "Payloads",
    "SerializationContext",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "default",
    "value_to_type",
]

DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter


def default() -> DataConverter:
    """The data converter used where no other is asked for."""
    return DataConverter.default
