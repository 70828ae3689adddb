"""Changes to recorded histories: cut, with an event too few or too many, and with anything in them changed.

Many come out as histories that no server writes. Nothing here knows what a change should lead to.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from tests.engine.json_values import attributes_key

_Chance: TypeAlias = random.Random
_Event: TypeAlias = dict[str, Any]

_KINDS = (
    "WORKFLOW_EXECUTION_STARTED",
    "WORKFLOW_EXECUTION_COMPLETED",
    "WORKFLOW_EXECUTION_FAILED",
    "WORKFLOW_EXECUTION_TIMED_OUT",
    "WORKFLOW_TASK_SCHEDULED",
    "WORKFLOW_TASK_STARTED",
    "WORKFLOW_TASK_COMPLETED",
    "WORKFLOW_TASK_TIMED_OUT",
    "WORKFLOW_TASK_FAILED",
    "ACTIVITY_TASK_SCHEDULED",
    "ACTIVITY_TASK_STARTED",
    "ACTIVITY_TASK_COMPLETED",
    "ACTIVITY_TASK_FAILED",
    "ACTIVITY_TASK_TIMED_OUT",
    "ACTIVITY_TASK_CANCEL_REQUESTED",
    "ACTIVITY_TASK_CANCELED",
    "TIMER_STARTED",
    "TIMER_FIRED",
    "TIMER_CANCELED",
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "WORKFLOW_EXECUTION_CANCELED",
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
    "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "MARKER_RECORDED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_TERMINATED",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
    "START_CHILD_WORKFLOW_EXECUTION_FAILED",
    "CHILD_WORKFLOW_EXECUTION_STARTED",
    "CHILD_WORKFLOW_EXECUTION_COMPLETED",
    "CHILD_WORKFLOW_EXECUTION_FAILED",
    "CHILD_WORKFLOW_EXECUTION_CANCELED",
    "CHILD_WORKFLOW_EXECUTION_TIMED_OUT",
    "CHILD_WORKFLOW_EXECUTION_TERMINATED",
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
    "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
    "WORKFLOW_EXECUTION_UPDATE_REJECTED",
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
    "WORKFLOW_PROPERTIES_MODIFIED",
    "NEXUS_OPERATION_SCHEDULED",
    "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
    "WORKFLOW_EXECUTION_PAUSED",
    "WORKFLOW_EXECUTION_UNPAUSED",
)


def _renumbered(events: list[_Event]) -> None:
    """Give the events the numbers of their places, and move what refers to them along."""
    new = {int(event["eventId"]): at + 1 for at, event in enumerate(events)}
    for at, event in enumerate(events):
        event["eventId"] = str(at + 1)
        for key, attributes in event.items():
            if key.endswith("EventAttributes") and isinstance(attributes, dict):
                for name, value in attributes.items():
                    if name.endswith("EventId") and str(value).isdecimal() and int(value) in new:
                        attributes[name] = str(new[int(value)])


def _cut(chance: _Chance, events: list[_Event]) -> None:
    del events[chance.randint(1, len(events)) :]


def _drop(chance: _Chance, events: list[_Event]) -> None:
    events.pop(chance.randrange(len(events)))
    if chance.random() < 0.9:
        _renumbered(events)


def _double(chance: _Chance, events: list[_Event]) -> None:
    at = chance.randrange(len(events))
    again = copy.deepcopy(events[at])
    again["eventId"] = "1000000"
    events.insert(chance.choice((at + 1, chance.randint(0, len(events)))), again)
    if chance.random() < 0.9:
        _renumbered(events)


def _swap(chance: _Chance, events: list[_Event]) -> None:
    if len(events) > 1:
        at = chance.randrange(len(events) - 1)
        events[at], events[at + 1] = events[at + 1], events[at]
        if chance.random() < 0.9:
            _renumbered(events)


def _move(chance: _Chance, events: list[_Event]) -> None:
    event = events.pop(chance.randrange(len(events)))
    events.insert(chance.randint(0, len(events)), event)
    _renumbered(events)


def _retype(chance: _Chance, events: list[_Event]) -> None:
    """Another type, with the attributes it had under the name that the new type has for them."""
    event = chance.choice(events)
    kind = chance.choice(_KINDS)
    key = next((key for key in event if key.endswith("EventAttributes")), None)
    attributes = event.pop(key) if key is not None else {}
    event["eventType"] = f"EVENT_TYPE_{kind}"
    if chance.random() < 0.9:
        event[attributes_key(kind)] = attributes
    if chance.random() < 0.2:
        event["workerMayIgnore"] = True


def _add(chance: _Chance, events: list[_Event]) -> None:
    """A plausible event that was not there."""
    at = chance.randint(1, len(events))
    started = [e for e in events if e["eventType"].endswith(("ACTIVITY_TASK_SCHEDULED", "TIMER_STARTED", "INITIATED"))]
    about = int(chance.choice(started)["eventId"]) if started else 5
    kind, attributes = chance.choice(_ADDED)(about)
    event = {
        "eventId": "1000000",
        "eventTime": events[at - 1].get("eventTime", "2026-01-01T00:00:00Z"),
        "eventType": f"EVENT_TYPE_{kind}",
        attributes_key(kind): attributes,
    }
    events.insert(at, event)
    _renumbered(events)


_ADDED: tuple[Callable[[int], tuple[str, dict[str, Any]]], ...] = (
    lambda _: ("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "spoilt"}),
    lambda _: ("WORKFLOW_EXECUTION_CANCEL_REQUESTED", {"cause": "spoilt"}),
    lambda _: ("WORKFLOW_EXECUTION_TERMINATED", {}),
    lambda _: ("WORKFLOW_EXECUTION_OPTIONS_UPDATED", {}),
    lambda _: ("WORKFLOW_TASK_SCHEDULED", {}),
    lambda about: ("TIMER_FIRED", {"startedEventId": str(about), "timerId": "1"}),
    lambda about: ("TIMER_STARTED", {"timerId": "1", "startToFireTimeout": "1s"}),
    lambda about: ("TIMER_CANCELED", {"startedEventId": str(about), "timerId": "1"}),
    lambda about: ("ACTIVITY_TASK_SCHEDULED", {"activityId": "1", "activityType": {"name": "spoilt"}}),
    lambda about: ("ACTIVITY_TASK_COMPLETED", {"scheduledEventId": str(about), "startedEventId": str(about + 1)}),
    lambda about: ("ACTIVITY_TASK_TIMED_OUT", {"scheduledEventId": str(about), "startedEventId": str(about + 1)}),
    lambda about: (
        "ACTIVITY_TASK_FAILED",
        {"scheduledEventId": str(about), "failure": {"message": "no", "applicationFailureInfo": {"type": "Spoilt"}}},
    ),
    lambda about: ("ACTIVITY_TASK_CANCELED", {"scheduledEventId": str(about)}),
    lambda about: ("ACTIVITY_TASK_CANCEL_REQUESTED", {"scheduledEventId": str(about)}),
    lambda about: ("CHILD_WORKFLOW_EXECUTION_TERMINATED", {"initiatedEventId": str(about)}),
    lambda about: ("CHILD_WORKFLOW_EXECUTION_CANCELED", {"initiatedEventId": str(about)}),
    lambda about: ("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED", {"initiatedEventId": str(about)}),
    lambda _: ("MARKER_RECORDED", {"markerName": "spoilt"}),
    lambda _: ("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", {"searchAttributes": {}}),
    lambda _: (
        "MARKER_RECORDED",
        {
            "markerName": "core_patch",
            "details": {
                "patch-data": {
                    "payloads": [
                        {
                            "metadata": {"encoding": "anNvbi9wbGFpbg=="},
                            "data": "eyJpZCI6InNwb2lsdCIsImRlcHJlY2F0ZWQiOmZhbHNlfQ==",
                        }
                    ]
                }
            },
        },
    ),
)


def _flags(chance: _Chance, events: list[_Event]) -> None:
    """Other flags of the SDK than were recorded."""
    way = chance.randrange(4)
    for event in events:
        attributes = event.get("workflowTaskCompletedEventAttributes")
        if attributes is None:
            continue
        if way == 0:
            attributes.pop("sdkMetadata", None)
        else:
            metadata = attributes.setdefault("sdkMetadata", {}) or {}
            attributes["sdkMetadata"] = metadata
            field = "langUsedFlags" if way == 1 else "coreUsedFlags"
            metadata[field] = chance.choice(([], [1], [2], [1, 2], [3], [1, 3], [1, 2, 3], [1, 2, 3, 4], [4]))
            if way == 3:
                return


def _leaf(chance: _Chance, events: list[_Event]) -> None:
    """Change or remove one value somewhere inside an event."""
    at: Any = chance.choice(events)
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = chance.choice(keys)
        value = at[key]
        if isinstance(value, dict | list) and value and chance.random() < 0.85:
            at = value
            continue
        if chance.random() < 0.3:
            del at[key]
        else:
            at[key] = _other(chance, value)
        return


def _other(chance: _Chance, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    if isinstance(value, str):
        if value.isdecimal():
            return str(max(0, int(value) + chance.choice((-2, -1, 1, 2))))
        return chance.choice((value + "x", "", value[:-1], value[::-1]))
    if isinstance(value, list):
        return chance.choice(([], value * 2))
    return {} if isinstance(value, dict) else None


def _fields(chance: _Chance, events: list[_Event]) -> None:
    """Change one of the fields that are compared, or that say what an event is about."""
    found = [
        (attributes, name)
        for event in events
        for key, attributes in event.items()
        if key.endswith("EventAttributes") and isinstance(attributes, dict)
        for name in attributes
        if name in _TELLING or name.endswith("EventId")
    ]
    if not found:
        return
    attributes, name = chance.choice(found)
    value = attributes[name]
    if isinstance(value, dict) and "name" in value:
        value["name"] += "x"
    elif isinstance(value, dict | list):
        attributes[name] = {}
    else:
        attributes[name] = _other(chance, value)


_TELLING = frozenset(
    {
        "activityId",
        "activityType",
        "timerId",
        "workflowId",
        "workflowType",
        "markerName",
        "details",
        "signalName",
        "protocolInstanceId",
        "service",
        "operation",
        "input",
        "result",
        "failure",
        "outcome",
        "acceptedRequest",
        "header",
        "cause",
    }
)

WAYS: tuple[Callable[[_Chance, list[_Event]], None], ...] = (
    _cut,
    _cut,
    _drop,
    _double,
    _swap,
    _move,
    _retype,
    _add,
    _add,
    _flags,
    _leaf,
    _leaf,
    _fields,
    _fields,
)


def spoilt(events: list[_Event], seed: int, *, changes: int = 1) -> list[_Event]:
    """The events with something changed.

    Args:
        events: Of a history in canonical JSON.
        seed: Which change.
        changes: How many.
    """
    chance = random.Random(seed)
    events = copy.deepcopy(events)
    for _ in range(changes):
        if events:
            chance.choice(WAYS)(chance, events)
    return events
