"""Looking for runs: which of them a filter means, and in which order.

Filters are applied to the summaries that the store keeps; the language is `list_filter`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from playhead_engine.convert import datetime_ns, enum_member, time_ns
from playhead_engine.engine.executions import WorkflowExecutionStatus
from playhead_engine.engine.list_filter import parse
from playhead_engine.messages import Json, part
from playhead_engine.search_attributes import decode_typed_search_attributes


def _time(name: str) -> Callable[[Json], Any]:
    return lambda info: time_ns(info[name]) if name in info else None


def _execution(name: str, field: str) -> Callable[[Json], Any]:
    return lambda info: part(info, name).get(field)


def _number(name: str) -> Callable[[Json], Any]:
    return lambda info: int(info[name]) if name in info else None


def _duration(info: Json) -> Any:
    if "closeTime" not in info:
        return None
    return time_ns(info["closeTime"]) - time_ns(info["executionTime"])


_ATTRIBUTES: Final[Mapping[str, Callable[[Json], Any]]] = {
    "WorkflowId": _execution("execution", "workflowId"),
    "RunId": _execution("execution", "runId"),
    "WorkflowType": _execution("type", "name"),
    "ExecutionStatus": lambda info: info["status"],
    "StartTime": _time("startTime"),
    "ExecutionTime": _time("executionTime"),
    "CloseTime": _time("closeTime"),
    "ExecutionDuration": _duration,
    "HistoryLength": _number("historyLength"),
    "HistorySizeBytes": _number("historySizeBytes"),
    "TaskQueue": lambda info: info["taskQueue"],
    "ParentWorkflowId": _execution("parentExecution", "workflowId"),
    "ParentRunId": _execution("parentExecution", "runId"),
    "RootWorkflowId": _execution("rootExecution", "workflowId"),
    "RootRunId": _execution("rootExecution", "runId"),
}
_TIMES: Final = frozenset({"StartTime", "ExecutionTime", "CloseTime"})


def select(summaries: Iterable[Json], query: str | None) -> list[Json]:
    """The runs that a filter means; newest first, unless it says otherwise.

    Args:
        summaries: All runs, in the order in which they were started.
        query: The filter; None or empty means all.

    Raises:
        BadFilter: The filter cannot be read.
    """
    found = parse(query or "", _literal)
    chosen = [info for info in summaries if found.accepts(lambda name, info=info: _value(info, name))]  # type: ignore[misc]
    if not found.order:
        chosen.reverse()
    for name, descends in reversed(found.order):
        chosen.sort(key=lambda info, name=name: _sortable(_value(info, name)), reverse=descends)  # type: ignore[misc]
    return chosen


def _value(info: Json, name: str) -> Any:
    known = _ATTRIBUTES.get(name)
    if known is not None:
        return known(info)
    fields = part(info, "searchAttributes").get("indexedFields") or {}
    if name not in fields:
        return None
    for pair in decode_typed_search_attributes({name: fields[name]}):
        value = pair.value
        if isinstance(value, datetime):
            return datetime_ns(value)
        return value if isinstance(value, (str, int, float)) else list(value)
    return None


def _literal(name: str, literal: Any) -> Any:
    if name == "ExecutionStatus":
        member = enum_member(WorkflowExecutionStatus, literal)
        if member is None:
            names = ", ".join(one.name.title().replace("_", "") for one in WorkflowExecutionStatus)
            raise ValueError(f"there is no status {literal!r}; there are: {names}")
        return f"WORKFLOW_EXECUTION_STATUS_{member.name}"
    if name in _TIMES:
        if not isinstance(literal, str):
            raise ValueError(f"{name} is compared with a time, such as '2030-01-01T00:00:00Z'")
        return time_ns(literal)
    if isinstance(literal, str) and name not in _ATTRIBUTES and _looks_like_time(literal):
        return _TimeText(literal)
    return literal


class _TimeText(str):
    """Beside a time it is the time it says; beside text it is text. Only the run's attribute can tell which was
    meant."""

    __slots__ = ()

    def _beside(self, other: object) -> Any:
        return time_ns(self) if isinstance(other, int) else str(self)

    def __eq__(self, other: object) -> bool:
        return bool(self._beside(other) == other)

    def __lt__(self, other: Any) -> bool:
        return bool(self._beside(other) < other)

    def __le__(self, other: Any) -> bool:
        return bool(self._beside(other) <= other)

    def __gt__(self, other: Any) -> bool:
        return bool(self._beside(other) > other)

    def __ge__(self, other: Any) -> bool:
        return bool(self._beside(other) >= other)

    __hash__ = str.__hash__


def _looks_like_time(text: str) -> bool:
    try:
        time_ns(text)
    except (ValueError, IndexError):
        return False
    return True


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)
