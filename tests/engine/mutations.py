"""Spoils made-up runs: code that asks for something else than was recorded, and events that no server would write so.

Nothing here leads to a history that `tasks.outline` refuses more often than by accident: core hangs on those.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from playhead_engine.commands import (
    AcceptUpdate,
    CancelChildWorkflow,
    CancelSignalExternal,
    CancelTimer,
    Command,
    CompleteUpdate,
    FailWorkflow,
    ModifyProperties,
    RequestCancelActivity,
    RequestCancelLocalActivity,
    RequestCancelNexusOperation,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    SetPatchMarker,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
    UpsertSearchAttributes,
)
from playhead_engine.messages import Json
from tests.engine import asking
from tests.engine.json_values import application_failure, attributes_key, attributes_of, in_base64, payloads
from tests.engine.made_up_requests import REQUESTS
from tests.engine.made_up_runs import Author, MadeUpRun

_Chance: TypeAlias = random.Random


def run_of_seed(seed: int) -> MadeUpRun:
    """A run: half of them with other commands than were recorded, a fifth with spoilt events, some cut short."""
    chance = random.Random(seed)
    run = Author(chance, REQUESTS).tell()
    events = run.events
    if chance.random() < 0.25:
        events = events[: chance.randint(2, len(events))]
    if chance.random() < 0.5:
        for _ in range(chance.randint(1, 2)):
            spoil_commands(chance, run.answers)
    if chance.random() < 0.2:
        events = copy.deepcopy(events)
        chance.choice(_SPOIL_EVENTS)(chance, events)
    fails_at = chance.randint(0, 4) if chance.random() < 0.06 else None
    return replace(run, events=events, fails_at=fails_at)


# Commands


def spoil_commands(chance: _Chance, answers: dict[int, list[list[Command]]]) -> None:
    """Change one answer: a command less, another one, two exchanged, or one changed."""
    if not answers:
        return
    answer = chance.choice(answers[chance.choice(list(answers))])
    way = chance.random()
    if way < 0.25:
        answer.insert(chance.randint(0, len(answer)), chance.choice(_UNCALLED_FOR)(chance))
    elif way < 0.45:
        asked = [command for given in answers.values() for part in given for command in part]
        if asked:
            answer.insert(chance.randint(0, len(answer)), _cancelling(chance.choice(asked)))
    elif not answer:
        return
    elif way < 0.65:
        answer.pop(chance.randrange(len(answer)))
    elif way < 0.85:
        position = chance.randrange(len(answer))
        answer[position - 1], answer[position] = answer[position], answer[position - 1]
    else:
        position = chance.randrange(len(answer))
        answer[position] = _changed(chance, answer[position])


_UNCALLED_FOR: list[Callable[[_Chance], Command]] = [
    lambda chance: asking.activity(chance.randint(90, 93)),
    lambda chance: asking.local_activity(95),
    lambda chance: asking.timer(chance.randint(90, 93)),
    lambda chance: asking.child(90),
    lambda chance: asking.external_signal(90),
    lambda chance: asking.external_cancel(90),
    lambda chance: asking.nexus(90),
    lambda chance: SetPatchMarker(f"patch-{chance.randint(1, 6)}", chance.random() < 0.3),
    lambda chance: SetPatchMarker(f"patch-{chance.randint(1, 6)}", chance.random() < 0.3),
    lambda chance: UpsertSearchAttributes({}),
    lambda chance: ModifyProperties({}),
    lambda chance: AcceptUpdate(f"update-{chance.randint(1, 2)}"),
    lambda chance: CompleteUpdate(f"update-{chance.randint(1, 2)}", None),
    lambda chance: asking.COMPLETE,
    lambda chance: FailWorkflow({"failure": application_failure("no luck")}),
    lambda chance: CancelTimer(chance.randint(1, 4)),
    lambda chance: RequestCancelActivity(chance.randint(1, 4)),
    lambda chance: RequestCancelLocalActivity(chance.randint(1, 4)),
    lambda chance: CancelChildWorkflow(chance.randint(1, 3), "enough"),
    lambda chance: CancelSignalExternal(chance.randint(1, 2)),
    lambda chance: RequestCancelNexusOperation(chance.randint(1, 2)),
]


def _cancelling(command: Command) -> Command:
    """What takes a command back; the command again if nothing does."""
    match command:
        case StartTimer(seq):
            return CancelTimer(seq)
        case ScheduleActivity(seq):
            return RequestCancelActivity(seq)
        case ScheduleLocalActivity(seq):
            return RequestCancelLocalActivity(seq)
        case StartChildWorkflow(seq):
            return CancelChildWorkflow(seq, "enough")
        case SignalExternal(seq):
            return CancelSignalExternal(seq)
        case ScheduleNexusOperation(seq):
            return RequestCancelNexusOperation(seq)
        case _:
            return command


def _changed(chance: _Chance, command: Command) -> Command:
    match command:
        case ScheduleActivity() | ScheduleLocalActivity():
            other: Json = chance.choice([{"activityId": "other"}, {"activityType": {"name": "other"}}])
            return replace(command, attributes={**command.attributes, **other})
        case StartChildWorkflow():
            other = chance.choice([{"workflowId": "other"}, {"workflowType": {"name": "Other"}}])
            return replace(command, attributes={**command.attributes, **other})
        case ScheduleNexusOperation():
            other = {chance.choice(["endpoint", "service", "operation"]): "other"}
            return replace(command, attributes={**command.attributes, **other})
        case SetPatchMarker():
            return chance.choice(
                [replace(command, patch_id="other"), replace(command, deprecated=not command.deprecated)]
            )
        case StartTimer():
            return replace(command, seq=command.seq + 1)
        case _:
            return command


# Events


def _not_of_tasks(chance: _Chance, events: list[Json]) -> Json:
    others = [event for event in events[1:] if "WORKFLOW_TASK" not in event["eventType"]]
    return chance.choice(others or events[1:])


def _exchange_neighbours(chance: _Chance, events: list[Json]) -> None:
    if len(events) < 5:
        return
    position = chance.randrange(3, len(events) - 1)
    first, second = events[position], events[position + 1]
    if "WORKFLOW_TASK" in first["eventType"] + second["eventType"]:
        return
    first["eventId"], second["eventId"] = second["eventId"], first["eventId"]
    events[position], events[position + 1] = second, first


def _change_ids(chance: _Chance, events: list[Json]) -> None:
    attributes = attributes_of(_not_of_tasks(chance, events))
    for key in ("timerId", "activityId", "workflowId", "service", "operation", "protocolInstanceId"):
        if key in attributes:
            attributes[key] = "9"


def _change_references(chance: _Chance, events: list[Json]) -> None:
    attributes = attributes_of(_not_of_tasks(chance, events))
    for key in ("scheduledEventId", "startedEventId", "initiatedEventId", "acceptedRequestSequencingEventId"):
        if key in attributes:
            attributes[key] = str(chance.randint(1, len(events)))


def _change_task_references(chance: _Chance, events: list[Json]) -> None:
    tasks = [event for event in events[1:] if "WORKFLOW_TASK" in event["eventType"]]
    attributes = attributes_of(chance.choice(tasks or events[1:]))
    for key in ("scheduledEventId", "startedEventId"):
        if key in attributes:
            attributes[key] = str(chance.randint(1, len(events)))


def _change_payloads(chance: _Chance, events: list[Json]) -> None:
    for event in chance.sample(events[1:], len(events) - 1):
        attributes = attributes_of(event)
        if "payloads" in attributes.get("result", {}):
            attributes["result"] = chance.choice([payloads(), payloads(1, 2), {}])
            return


def _drop_attribute(chance: _Chance, events: list[Json]) -> None:
    attributes = attributes_of(_not_of_tasks(chance, events))
    if attributes:
        del attributes[chance.choice(list(attributes))]


def _drop_attributes(chance: _Chance, events: list[Json]) -> None:
    event = _not_of_tasks(chance, events)
    for key in [key for key in event if key.endswith("EventAttributes")]:
        del event[key]
    event["workerMayIgnore"] = chance.random() < 0.5


def _change_type(chance: _Chance, events: list[Json]) -> None:
    event = _not_of_tasks(chance, events)
    for key in [key for key in event if key.endswith("EventAttributes")]:
        del event[key]
    kinds = [
        "WORKFLOW_EXECUTION_PAUSED",
        "WORKFLOW_EXECUTION_UPDATE_REJECTED",
        "ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY",
    ]
    kind = chance.choice([*kinds, "OF_THE_FUTURE"])
    event["eventType"], event[attributes_key(kind)] = f"EVENT_TYPE_{kind}", {}
    event["workerMayIgnore"] = chance.random() < 0.5


def _one_more(chance: _Chance, events: list[Json]) -> None:
    """Something is reported a second time, or ends in another way as well."""
    families = {index: _family(event) for index, event in enumerate(events)}
    reports = [(index, family) for index, family in families.items() if family is not None]
    if not reports:
        return
    report, family = chance.choice(reports)
    attributes = copy.deepcopy(attributes_of(events[report]))
    position = chance.randint(report + 1, len(events))
    if events[position - 1]["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_STARTED":
        return
    for event in events[position:]:
        event["eventId"] = str(int(event["eventId"]) + 1)
        given = attributes_of(event)
        for key in [key for key in given if key.endswith("EventId")]:
            if int(given[key]) > position:
                given[key] = str(int(given[key]) + 1)
    kind = f"{family}_{chance.choice(_FAMILIES[family])}"
    more = {"eventId": str(position + 1), "eventType": f"EVENT_TYPE_{kind}", attributes_key(kind): attributes}
    events.insert(position, more)


def _family(event: Json) -> str | None:
    if not {"scheduledEventId", "initiatedEventId", "startedEventId"} & attributes_of(event).keys():
        return None
    return next((family for family in _FAMILIES if event["eventType"].startswith(f"EVENT_TYPE_{family}")), None)


_FAMILIES = {
    "ACTIVITY_TASK": ["STARTED", "COMPLETED", "FAILED", "TIMED_OUT", "CANCELED"],
    "CHILD_WORKFLOW_EXECUTION": ["STARTED", "COMPLETED", "FAILED", "TIMED_OUT", "CANCELED", "TERMINATED"],
    "NEXUS_OPERATION": ["STARTED", "COMPLETED", "FAILED", "TIMED_OUT", "CANCELED", "CANCEL_REQUEST_COMPLETED"],
    "TIMER": ["FIRED"],
}


def _change_order_of_ids(chance: _Chance, events: list[Json]) -> None:
    position = chance.randrange(1, len(events))
    for event in events[position:]:
        event["eventId"] = str(int(event["eventId"]) + 1)


def _change_time(chance: _Chance, events: list[Json]) -> None:
    event = chance.choice(events)
    if chance.random() < 0.8:
        event["eventTime"] = "2025-12-31T23:59:59.123456789Z"
    else:
        del event["eventTime"]


def _change_marker(chance: _Chance, events: list[Json]) -> None:
    markers = [event for event in events if event["eventType"] == "EVENT_TYPE_MARKER_RECORDED"]
    if not markers:
        return
    attributes = attributes_of(chance.choice(markers))
    details: Json = attributes["details"]
    key = chance.choice(list(details))
    spoilt: list[Any] = [b"", b"{", b"[]", b"{}", b'{"id":"patch-1"}', b'{"id":1,"deprecated":true}', b"\xff", b"null"]
    if attributes["markerName"] == "core_local_activity" and key == "data" and chance.random() < 0.7:
        fields = {"seq": 1, "attempt": 1, "activity_id": "1", "activity_type": "lookup"}
        times = {"complete_time": None, "backoff": None, "original_schedule_time": None}
        whole = {**fields, **times, "activation_index": 1}
        other = chance.choice(list(whole))
        if chance.random() < 0.5:
            del whole[other]
        else:
            whole[other] = chance.choice(["1", -1, 1.5, None, {}, {"seconds": 5}, [1], True])
        details[key] = payloads(whole)
    elif chance.random() < 0.2:
        details[key] = {"payloads": []}
    elif chance.random() < 0.2:
        details[key]["payloads"][0]["metadata"] = {"encoding": in_base64(b"binary/encrypted")}
    elif chance.random() < 0.2:
        attributes["markerName"] = chance.choice(["Version", "core_patch", "core_local_activity"])
    else:
        details[key]["payloads"][0]["data"] = in_base64(chance.choice(spoilt))


def _change_task_failure(chance: _Chance, events: list[Json]) -> None:
    for event in events:
        if event["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_FAILED":
            cause = chance.choice(["BAD_BINARY", "RESET_WORKFLOW", "WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED"])
            attributes_of(event)["cause"] = f"WORKFLOW_TASK_FAILED_CAUSE_{cause}"


_SPOIL_EVENTS: list[Callable[[_Chance, list[Json]], None]] = [
    *[_exchange_neighbours] * 4,
    *[_change_ids] * 3,
    *[_change_references] * 3,
    *[_one_more] * 5,
    *[_change_marker] * 2,
    _change_task_references,
    _change_payloads,
    _drop_attribute,
    _drop_attributes,
    _change_type,
    _change_order_of_ids,
    _change_time,
    _change_task_failure,
]
