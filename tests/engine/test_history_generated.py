"""The generated half of the history model is Temporal's, whole and up to date. Needs `temporalio`."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("temporalio")

from google.protobuf.json_format import MessageToDict
from scripts.generate_events import HISTORY, generate
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent as HistoryEventMessage
from temporalio.client import WorkflowHistory

from playhead_engine.history import EVENT_CLASSES, Event, History

NOON = 1_767_268_800_000_000_000


def filled(message: Any, seed: random.Random, depth: int = 0) -> Any:
    """The message with something in every field: nested, repeated and mapped ones included."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            target = getattr(message, field.name)
            if value.message_type is None:
                target["key"] = b"\x00\xff" if value.type == value.TYPE_BYTES else "text"
            elif depth < 4:
                filled(target["key"], seed, depth + 1)
        elif field.message_type is not None:
            if depth < 4 and field.is_repeated:
                filled(getattr(message, field.name).add(), seed, depth + 1)
            elif depth < 4:
                getattr(message, field.name).SetInParent()
                filled(getattr(message, field.name), seed, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).append(scalar(field, seed))
        else:
            setattr(message, field.name, scalar(field, seed))
    return message


def scalar(field: Any, seed: random.Random) -> Any:
    """A value for a field that holds neither a message nor several."""
    if field.enum_type is not None:
        return seed.choice(field.enum_type.values).number
    if field.cpp_type == field.CPPTYPE_STRING:
        return b"\x00\xff" if field.type == field.TYPE_BYTES else "text"
    if field.cpp_type == field.CPPTYPE_BOOL:
        return True
    return seed.randrange(1, 999_999_999)


def event_message(event_class: type[Event], seed: random.Random) -> Any:
    """A protobuf event of a type, with all its fields filled."""
    message: Any = HistoryEventMessage(event_id=1)
    snake_case = f"{event_class.KIND.lower()}_event_attributes"
    getattr(message, snake_case).SetInParent()
    filled(getattr(message, snake_case), seed)
    message.event_type = EventType.Value(f"EVENT_TYPE_{event_class.KIND}")
    message.event_time.FromNanoseconds(NOON)
    return message


def test_the_generated_files_are_what_the_script_writes_today() -> None:
    """If this fails, run `python scripts/generate_events.py`: Temporal has a new event type or field."""
    stale = [path.name for path, text in generate().items() if path.read_text(encoding="utf-8") != text]
    assert stale == []
    written = {path.name for path in generate()}
    assert {path.name for path in (HISTORY / "events").glob("*.py")} <= written


@pytest.mark.parametrize("event_class", EVENT_CLASSES.values(), ids=lambda event_class: event_class.__name__)
def test_every_property_reads_what_temporals_own_json_holds(event_class: type[Event]) -> None:
    """Each field of each event type, filled and written by Temporal's protobuf, comes out with the same value."""
    message = event_message(event_class, random.Random(event_class.KIND))
    raw = MessageToDict(message)
    event = event_class(1, raw, raw[event_class.ATTRIBUTES_KEY])
    attributes: Any = getattr(message, message.WhichOneof("attributes"))
    for field in attributes.DESCRIPTOR.fields:
        value = getattr(event, field.name)
        written = MessageToDict(attributes)[field.json_name] if field.json_name in event.attributes else None
        if field.message_type is not None or field.enum_type is not None:
            assert value == (field.enum_type.values_by_number[0].name if written is None else written), field.name
        elif field.is_repeated:
            assert value == written, field.name
        else:
            assert value == pytest.approx(getattr(attributes, field.name)), field.name
            assert type(value) is type(getattr(attributes, field.name)), field.name


@pytest.mark.parametrize("event_class", EVENT_CLASSES.values(), ids=lambda event_class: event_class.__name__)
def test_a_new_event_of_every_kind_is_accepted_by_temporal(event_class: type[Event]) -> None:
    """What `new` makes, `WorkflowHistory.from_json` reads, equal to what it was made from."""
    message = event_message(event_class, random.Random(event_class.KIND))
    attributes = MessageToDict(message)[event_class.ATTRIBUTES_KEY]
    event: Any = event_class.new(1, NOON, attributes, taskId="7", workerMayIgnore=True)
    message.task_id, message.worker_may_ignore = 7, True
    accepted = WorkflowHistory.from_json("greeting-1", History((event,)).to_json().decode())
    assert list(accepted.events) == [message]
