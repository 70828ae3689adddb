"""Search attributes: the typed values by which runs can be found, and their JSON.

A history keeps them as a map from name to payload whose metadata names the index type. This module has Temporal's typed
keys, pairs and updates, and turns whole sets of them into that map and back. It must not know how runs are searched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import pairwise
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, cast, get_origin, overload

from playhead_engine import messages
from playhead_engine.convert import enum_member
from playhead_engine.converter.standard import decode_standard, encode_standard
from playhead_engine.payload import base64_bytes, base64_text
from playhead_engine.record import frozen_record

SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]
SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]
"""The old, untyped form: a list of values of one type for each name."""

SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]

SearchAttributeValueType = TypeVar("SearchAttributeValueType", str, int, float, bool, datetime, Sequence[str])
_Default = TypeVar("_Default")


class SearchAttributeIndexedValueType(IntEnum):
    """How a search attribute is indexed."""

    TEXT = 1  # found by any word in it
    KEYWORD = 2  # found by the whole string
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7  # found by any of its strings


_METADATA_TYPES = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}

_VALUE_TYPES: dict[SearchAttributeIndexedValueType, Any] = {
    SearchAttributeIndexedValueType.TEXT: str,
    SearchAttributeIndexedValueType.KEYWORD: str,
    SearchAttributeIndexedValueType.INT: int,
    SearchAttributeIndexedValueType.DOUBLE: float,
    SearchAttributeIndexedValueType.BOOL: bool,
    SearchAttributeIndexedValueType.DATETIME: datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: Sequence[str],
}


@dataclass(frozen=True, slots=True)
class SearchAttributeKey(Generic[SearchAttributeValueType]):
    """Name and type of a search attribute. Made by one of the `for_...` methods.

    Attributes:
        name: Its name.
        indexed_value_type: How it is indexed.
        value_type: Type of its values; possibly a generic, which `isinstance` refuses.
    """

    name: str
    indexed_value_type: SearchAttributeIndexedValueType
    value_type: type[SearchAttributeValueType]

    @property
    def origin_value_type(self) -> type:
        """Type of its values, without what a generic is made of."""
        return get_origin(self.value_type) or self.value_type

    def value_set(self, value: SearchAttributeValueType) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that sets it."""
        return SearchAttributeUpdate(self, value)

    def value_unset(self) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that removes it."""
        return SearchAttributeUpdate(self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """Text, found by any word in it."""
        return _key(name, SearchAttributeIndexedValueType.TEXT)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """A string, found as a whole."""
        return _key(name, SearchAttributeIndexedValueType.KEYWORD)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        """A whole number."""
        return _key(name, SearchAttributeIndexedValueType.INT)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        """A number."""
        return _key(name, SearchAttributeIndexedValueType.DOUBLE)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        """True or false."""
        return _key(name, SearchAttributeIndexedValueType.BOOL)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        """A time, which must have a time zone."""
        return _key(name, SearchAttributeIndexedValueType.DATETIME)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """Strings, found by any of them."""
        return _key(name, SearchAttributeIndexedValueType.KEYWORD_LIST)


def _key(name: str, indexed_value_type: SearchAttributeIndexedValueType) -> SearchAttributeKey[Any]:
    return SearchAttributeKey(name, indexed_value_type, _VALUE_TYPES[indexed_value_type])


class SearchAttributePair(NamedTuple, Generic[SearchAttributeValueType]):
    """A search attribute and its value."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType


@dataclass(frozen=True, slots=True)
class SearchAttributeUpdate(Generic[SearchAttributeValueType]):
    """A search attribute and its new value; None removes it."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType | None


@frozen_record
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """A set of search attributes with their values; it never changes.

    Attributes:
        search_attributes: The pairs, sorted by name.

    Raises:
        ValueError: A name occurs twice.
    """

    search_attributes: Sequence[SearchAttributePair[Any]]

    empty: ClassVar[TypedSearchAttributes]
    """No search attributes."""

    def __post_init__(self) -> None:
        pairs = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        for pair, next_pair in pairwise(pairs):
            if pair.key.name == next_pair.key.name:
                raise ValueError(f"search attribute {pair.key.name} is given twice")
        object.__setattr__(self, "search_attributes", pairs)

    def __len__(self) -> int:
        return len(self.search_attributes)

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        """Whether there is a value for this key: same name and same type."""
        return any(pair.key == key for pair in self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType:
        """The value of a key.

        Raises:
            KeyError: There is none.
        """
        for pair in self.search_attributes:
            if pair.key == key:
                return cast(SearchAttributeValueType, pair.value)
        raise KeyError(key.name)

    @overload
    def get(self, key: SearchAttributeKey[SearchAttributeValueType]) -> SearchAttributeValueType | None: ...

    @overload
    def get(
        self, key: SearchAttributeKey[SearchAttributeValueType], default: _Default
    ) -> SearchAttributeValueType | _Default: ...

    def get(self, key: SearchAttributeKey[Any], default: Any = None) -> Any:
        """The value of a key, or a default."""
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy in which these values replace those of the same name, or are added."""
        pairs = {pair.key.name: pair for pair in (*self.search_attributes, *search_attributes)}
        return TypedSearchAttributes(list(pairs.values()))


TypedSearchAttributes.empty = TypedSearchAttributes([])


def encode_search_attributes(attributes: TypedSearchAttributes | SearchAttributes) -> dict[str, messages.Payload]:
    """Search attributes as the `indexedFields` of a history.

    Raises:
        TypeError: A value does not suit its type.
        ValueError: A datetime has no time zone.
    """
    if isinstance(attributes, TypedSearchAttributes):
        return {pair.key.name: encode_search_attribute_value(pair.key, pair.value) for pair in attributes}
    return {name: _untyped_payload(name, values) for name, values in attributes.items()}


def encode_search_attribute_updates(updates: Iterable[SearchAttributeUpdate[Any]]) -> dict[str, messages.Payload]:
    """Updates as `indexedFields`, in which null removes an attribute.

    Raises:
        TypeError: A value does not suit its type.
        ValueError: A datetime has no time zone.
    """
    return {update.key.name: encode_search_attribute_value(update.key, update.value) for update in updates}


def encode_search_attribute_value(
    key: SearchAttributeKey[SearchAttributeValueType], value: SearchAttributeValueType | None
) -> messages.Payload:
    """One value as a payload. None gives a payload without a type, since the server wants it so.

    Raises:
        TypeError: The value does not suit the key.
        ValueError: A datetime has no time zone.
    """
    if value is None:
        return encode_standard(None)
    kind = _METADATA_TYPES[key.indexed_value_type]
    if not isinstance(value, key.origin_value_type):
        raise TypeError(f"search attribute {key.name} is of type {kind}, got {type(value).__name__}: {value!r}")
    if kind == "KeywordList":
        for word in cast(Sequence[object], value):
            if not isinstance(word, str):
                raise TypeError(
                    f"search attribute {key.name} is a list of strings, got {type(word).__name__}: {word!r}"
                )
    payload = encode_standard(_zoned_text(key.name, value) if isinstance(value, datetime) else value)
    payload.setdefault("metadata", {})["type"] = base64_text(kind.encode())
    return payload


def decode_typed_search_attributes(fields: Mapping[str, messages.Payload]) -> TypedSearchAttributes:
    """Search attributes from `indexedFields`; a field without a type we know, or of a wrong type, is left out."""
    pairs: list[SearchAttributePair[Any]] = []
    for name, payload in fields.items():
        kind = enum_member(SearchAttributeIndexedValueType, _metadata_type(payload))
        if kind is None:
            continue
        value: Any = decode_standard(payload)
        if kind is not SearchAttributeIndexedValueType.KEYWORD_LIST:
            values = _as_list(value)
            if len(values) != 1:
                continue
            value = values[0]
        if kind is SearchAttributeIndexedValueType.DATETIME:
            value = datetime.fromisoformat(value)
        elif kind is SearchAttributeIndexedValueType.DOUBLE and type(value) is int:
            value = float(value)  # a server writes 2.0 as 2
        key = _key(name, kind)
        if isinstance(value, key.origin_value_type):
            pairs.append(SearchAttributePair[Any](key, value))
    return TypedSearchAttributes(pairs)


def decode_search_attributes(fields: Mapping[str, messages.Payload]) -> SearchAttributes:
    """Search attributes from `indexedFields` in the old, untyped form."""
    attributes: dict[str, Any] = {}
    for name, payload in fields.items():
        values = _as_list(decode_standard(payload))
        if enum_member(SearchAttributeIndexedValueType, _metadata_type(payload)) is (
            SearchAttributeIndexedValueType.DATETIME
        ):
            values = [datetime.fromisoformat(text) for text in values]
        attributes[name] = values
    return attributes


def _as_list(value: Any) -> list[Any]:
    return cast(Any, value) if isinstance(value, list) else [value]


def _metadata_type(payload: messages.Payload) -> str:
    return base64_bytes(payload.get("metadata", {}).get("type", "")).decode()


def _zoned_text(name: str, value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"search attribute {name} needs a time with a time zone, got {value.isoformat()}")
    return value.isoformat()


def _untyped_payload(name: str, values: object) -> messages.Payload:
    if not isinstance(values, list):
        raise TypeError(f"search attribute {name} needs a list of values, got {type(values).__name__}: {values!r}")
    values = cast(list[object], values)
    for value in values:
        if not isinstance(value, (str, int, float, bool, datetime)):
            got = f"{type(value).__name__}: {value!r}"
            raise TypeError(f"search attribute {name} takes str, int, float, bool or datetime, got {got}")
        if type(value) is not type(values[0]):
            raise TypeError(
                f"search attribute {name} needs values of one type, "
                f"got {type(values[0]).__name__} and {type(value).__name__}"
            )
    return encode_standard([_zoned_text(name, value) if isinstance(value, datetime) else value for value in values])
