"""What clients say with objects of `temporalio.common`, as the engine takes it.

People who run code written for `temporalio` have its retry policies, search attributes and policies at hand. Where the
engine's own are enums of the same numbers they are taken by their numbers, and everything else field by field.
"""

from __future__ import annotations

from dataclasses import fields
from enum import IntEnum
from typing import Any, Final

import temporalio.common

from playhead_engine import common
from playhead_engine.temporal import is_of_temporal
from playhead_engine.temporal.payloads import payload_json

_ENUMS: Final[dict[type[Any], type[IntEnum]]] = {
    temporalio.common.WorkflowIDReusePolicy: common.WorkflowIDReusePolicy,
    temporalio.common.WorkflowIDConflictPolicy: common.WorkflowIDConflictPolicy,
    temporalio.common.QueryRejectCondition: common.QueryRejectCondition,
}


def native_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options in which everything of `temporalio` has become ours.

    Args:
        options: Of a start, a signal, a query or an update.
    """
    headers = options.get("headers")
    known = {name: _native(value) for name, value in options.items()}
    if headers:
        known["headers"] = {
            name: payload_json(payload) if is_of_temporal(payload) else payload for name, payload in headers.items()
        }
    return known


def _native(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _ENUMS:
        return _ENUMS[kind](int(value))
    if isinstance(value, temporalio.common.RetryPolicy):
        return common.RetryPolicy(**{field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, temporalio.common.Priority):
        return common.Priority(**{field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, temporalio.common.TypedSearchAttributes):
        return common.TypedSearchAttributes(
            [common.SearchAttributePair(_key(pair.key), pair.value) for pair in value.search_attributes]
        )
    return value


def _key(key: Any) -> Any:
    kind = common.SearchAttributeIndexedValueType(int(key.indexed_value_type))
    return common.SearchAttributeKey(key.name, kind, key.value_type)
