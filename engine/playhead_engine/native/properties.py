"""The run's memo and search attributes: what can be read without replaying it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from playhead_engine.commands import ModifyProperties, UpsertSearchAttributes
from playhead_engine.native.activities import UNSET
from playhead_engine.native.site import asking_line
from playhead_engine.payload import Payload
from playhead_engine.search_attributes import (
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeUpdate,
    TypedSearchAttributes,
    decode_typed_search_attributes,
    encode_search_attribute_updates,
    encode_search_attributes,
)

if TYPE_CHECKING:
    from playhead_engine.native.run import Run


def memo(run: Run) -> Mapping[str, Any]:
    """All values of the memo, converted without annotations."""
    if run.memo_values is None:
        decode = run.converter.decode_value
        run.memo_values = {key: decode(payload.to_json()) for key, payload in run.info.raw_memo.items()}
    return run.memo_values


def memo_value(run: Run, key: str, default: Any, type_hint: Any) -> Any:
    """One value of the memo.

    Raises:
        KeyError: There is none, and no default.
    """
    payload = run.info.raw_memo.get(key)
    if payload is not None:
        return run.converter.decode_value(payload.to_json(), type_hint)
    if default is UNSET:
        raise KeyError(f"the memo has no value for {key!r}")
    return default


def upsert_memo(run: Run, updates: Mapping[str, Any]) -> None:
    """Set values of the memo; None removes one."""
    fields = {key: run.converter.encode_value(value) for key, value in updates.items() if value is not None}
    removed = [key for key, value in updates.items() if value is None]
    if not fields and not removed:
        return
    null = run.converter.encode_value(None)
    run.ask(ModifyProperties({"upsertedMemo": {"fields": fields | dict.fromkeys(removed, null)}}, asking_line(2)))
    raw = cast(dict[str, Payload], run.info.raw_memo)
    for key, payload in fields.items():
        raw[key] = Payload.from_json(payload)
    for key in removed:
        raw.pop(key, None)
    run.memo_values = None


def upsert_search_attributes(run: Run, attributes: SearchAttributes | Sequence[SearchAttributeUpdate[Any]]) -> None:
    """Set search attributes.

    Args:
        run: The run.
        attributes: What `value_set` and `value_unset` of their keys give; or, in the old form, lists of values by name.

    Raises:
        TypeError: A value does not suit its key.
    """
    if not attributes:
        return
    typed = cast(list[SearchAttributePair[Any]], run.info.typed_search_attributes.search_attributes)
    untyped = cast(dict[str, Any], run.info.search_attributes)
    if isinstance(attributes, Mapping):
        warn_of_untyped_attributes(attributes)
        fields = encode_search_attributes(attributes)
        run.ask(UpsertSearchAttributes({"searchAttributes": {"indexedFields": fields}}, asking_line(2)))
        untyped.update(attributes)
        # Without types nobody knows what they are: only those stay whose payloads say it.
        _replace(typed, list(attributes), list(decode_typed_search_attributes(fields)))
        return
    fields = encode_search_attribute_updates(attributes)
    run.ask(UpsertSearchAttributes({"searchAttributes": {"indexedFields": fields}}, asking_line(2)))
    for update in attributes:
        name, value = update.key.name, update.value
        _replace(typed, [name], [] if value is None else [SearchAttributePair(update.key, value)])
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        untyped[name] = [] if value is None else list(cast(Sequence[Any], value)) if is_list else [value]


def warn_of_untyped_attributes(attributes: SearchAttributes | TypedSearchAttributes | None) -> None:
    """Say that a mapping of search attributes is the old form."""
    if attributes and not isinstance(attributes, TypedSearchAttributes):
        warnings.warn("search attributes without types are deprecated: use SearchAttributeKey", DeprecationWarning, 4)


def _replace(
    pairs: list[SearchAttributePair[Any]], names: Sequence[str], with_pairs: Sequence[SearchAttributePair[Any]]
) -> None:
    kept = [pair for pair in pairs if pair.key.name not in names]
    pairs[:] = sorted([*kept, *with_pairs], key=lambda pair: pair.key.name)
