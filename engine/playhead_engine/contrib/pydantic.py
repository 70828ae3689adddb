"""Payload conversion by pydantic 2: whatever pydantic can write and validate, models and much more.

    data_converter=pydantic_data_converter

Pydantic is imported when the first value is converted. Its JSON is written as pydantic writes it, which is how
Temporal's SDK has it: in the order of the fields, not sorted, and not limited to ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from playhead_engine.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    Payload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import TypeAdapter


@dataclass
class ToJsonOptions:
    """How JSON is written.

    Attributes:
        exclude_unset: Leave out fields that nobody has set.
    """

    exclude_unset: bool = False


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON by pydantic.

    Args:
        to_json_options: How JSON is written; None writes every field.
        max_cached_type_adapters: For how many types to keep what validates them; 0 keeps none, None keeps all.

    Raises:
        ValueError: `max_cached_type_adapters` is negative.
    """

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError(f"max_cached_type_adapters must not be negative, got {max_cached_type_adapters}")
        self._options = to_json_options
        self._max_cached_type_adapters = max_cached_type_adapters

    @property
    def encoding(self) -> str:
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(metadata={"encoding": b"json/plain"}, data=self._to_json(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        hint: Any = Any if type_hint is None else type_hint
        try:
            hash(hint)
        except TypeError:  # such as an Annotated with a list in it: it cannot be kept
            return self._type_adapter.__wrapped__(hint).validate_json(payload.data)
        return self._type_adapter(hint).validate_json(payload.data)

    @cached_property
    def _to_json(self) -> Callable[[Any], bytes]:
        from pydantic_core import SchemaSerializer, core_schema, to_json

        if self._options is None:
            return to_json
        serializer = SchemaSerializer(core_schema.any_schema())
        exclude_unset = self._options.exclude_unset
        return lambda value: serializer.to_json(value, exclude_unset=exclude_unset)

    @cached_property
    def _type_adapter(self) -> Any:
        from pydantic import TypeAdapter

        def type_adapter(hint: Any) -> TypeAdapter[Any]:
            return TypeAdapter(hint)

        return lru_cache(maxsize=self._max_cached_type_adapters)(type_adapter)

    def __getstate__(self) -> dict[str, Any]:
        # What is made on first use is made again on first use.
        return {name: value for name, value in self.__dict__.items() if name not in ("_to_json", "_type_adapter")}


class PydanticPayloadConverter(CompositePayloadConverter):
    """The standard encodings, with JSON by pydantic.

    Args:
        to_json_options: How JSON is written; None writes every field.
        max_cached_type_adapters: For how many types to keep what validates them; 0 keeps none, None keeps all.
    """

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        by_pydantic = PydanticJSONPlainPayloadConverter(
            to_json_options, max_cached_type_adapters=max_cached_type_adapters
        )
        super().__init__(
            *(
                by_pydantic if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""Converts values by pydantic."""
