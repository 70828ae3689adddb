"""Events are typed views of their JSON, and a history gives back the document it came from."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import orjson
import pytest

from playhead_engine.history import EVENT_CLASSES, Event, History, UnknownEvent, event_from_json
from playhead_engine.history.events import (
    ActivityTaskFailed,
    ActivityTaskScheduled,
    MarkerRecorded,
    TimerFired,
    WorkflowExecutionStarted,
)

NOON = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z


def started(**attributes: Any) -> WorkflowExecutionStarted:
    """A first event."""
    return WorkflowExecutionStarted.new(1, NOON, {"workflowType": {"name": "Greeting"}, **attributes})


def test_an_event_reads_its_fields_from_the_json_it_keeps() -> None:
    """Properties have the names of Temporal's fields and Python's types."""
    raw = {
        "eventId": "5",
        "eventTime": "2026-01-01T12:00:00.000000007Z",
        "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED",
        "taskId": "17",
        "workerMayIgnore": True,
        "activityTaskScheduledEventAttributes": {
            "activityId": "1",
            "activityType": {"name": "greet"},
            "startToCloseTimeout": "10s",
            "workflowTaskCompletedEventId": "4",
            "retryPolicy": {"initialInterval": "1s"},
        },
    }
    event = event_from_json(raw)
    assert isinstance(event, ActivityTaskScheduled)
    assert (event.event_id, event.KIND, event.type_name) == (5, "ACTIVITY_TASK_SCHEDULED", "ActivityTaskScheduled")
    assert (event.time_ns, event.task_id, event.worker_may_ignore) == (NOON + 7, 17, True)
    assert (event.activity_id, event.activity_type) == ("1", {"name": "greet"})
    assert (event.start_to_close_timeout, event.workflow_task_completed_event_id) == ("10s", 4)
    assert event.retry_policy == {"initialInterval": "1s"}
    assert event.raw is raw
    assert event.canonical is raw
    assert event.attributes is raw["activityTaskScheduledEventAttributes"]


def test_a_field_that_is_not_there_reads_as_its_default() -> None:
    """What protobuf leaves out is zero, empty, the enum's first value, or None for a message."""
    failed = ActivityTaskFailed.new(7, NOON, {})
    assert (failed.identity, failed.scheduled_event_id, failed.failure) == ("", 0, None)
    assert failed.retry_state == "RETRY_STATE_UNSPECIFIED"
    assert MarkerRecorded.new(8, NOON, {}).details == {}
    first = started()
    assert (first.attempt, first.first_workflow_task_backoff, first.completion_callbacks) == (0, None, [])
    assert first.eager_execution_accepted is False


def test_an_event_without_a_time_has_time_zero() -> None:
    """Some tools leave the times out; that is no reason to fail."""
    event = event_from_json({"eventId": "1", "eventType": "EVENT_TYPE_TIMER_FIRED", "timerFiredEventAttributes": {}})
    assert event.time_ns == 0


def test_an_event_of_an_unknown_type_is_kept_and_named() -> None:
    """A server may be younger than this package."""
    raw = {"eventId": "9", "eventType": "EVENT_TYPE_COFFEE_BREWED", "coffeeBrewedEventAttributes": {"cups": 2}}
    event = event_from_json(raw)
    assert isinstance(event, UnknownEvent)
    assert (event.KIND, event.type_name, event.attributes) == ("UNKNOWN", "EVENT_TYPE_COFFEE_BREWED", {"cups": 2})
    assert History((event,)).to_json() == orjson.dumps({"events": [raw]})


def test_an_event_cannot_be_changed() -> None:
    """An event is a fact."""
    event = TimerFired.new(6, NOON, {"timerId": "1"})
    with pytest.raises(FrozenInstanceError):
        event.event_id = 7  # type: ignore[misc]


def test_an_event_survives_copying_and_pickling() -> None:
    """Replays run in worker processes."""
    event = TimerFired.new(6, NOON, {"timerId": "1"}, taskId="12")
    assert pickle.loads(pickle.dumps(event)) == copy.deepcopy(event) == event
    assert pickle.loads(pickle.dumps(event)).raw == event.raw


def test_a_new_event_is_what_reading_its_json_gives() -> None:
    """`new` and `event_from_json` are two ways to the same event."""
    event = TimerFired.new(6, NOON, {"timerId": "1", "startedEventId": "5"}, taskId="12")
    assert event_from_json(event.raw) == event
    assert event.raw["eventTime"] == "2026-01-01T12:00:00Z"
    assert event.attributes is event.raw["timerFiredEventAttributes"]


def test_events_are_equal_by_type_and_content_not_by_spelling() -> None:
    """What was read from another spelling equals the canonical event."""
    event = TimerFired.new(6, NOON, {"timerId": "1"})
    respelled = TimerFired(
        6, {"event_id": 6, "timer_fired_event_attributes": {"timer_id": "1"}}, event.attributes, event.raw
    )
    assert respelled == event
    assert respelled != TimerFired.new(6, NOON, {"timerId": "2"})


@pytest.mark.parametrize("event_class", EVENT_CLASSES.values())
def test_every_kind_of_event_reads_all_its_fields_when_all_are_absent(event_class: type[Event]) -> None:
    """No property fails on an event that says nothing."""
    event = event_class.new(3, NOON, {})
    names = [name for name in dir(event_class) if not name.startswith("_")]
    assert {name: getattr(event, name) for name in names}["event_id"] == 3
    assert isinstance(event_from_json(event.raw), event_class)


def test_a_history_knows_what_its_first_event_says() -> None:
    """Ids and type come from the started event, unless somebody outside knows better."""
    event = started(workflowId="greeting-1", originalExecutionRunId="run-1")
    history = History((event,))
    assert (history.workflow_type, history.run_id, history.id) == ("Greeting", "run-1", "greeting-1")
    assert History((event,), workflow_id="other").id == "other"
    assert (len(history), list(history), history.started) == (1, [event], event)


def test_a_history_without_a_beginning_knows_nothing_and_does_not_fail() -> None:
    """The middle of a history can be shown, too."""
    history = History((TimerFired.new(6, NOON, {}),))
    assert (history.workflow_type, history.run_id, history.id, history.started) == ("", "", "", None)
    assert (History(()).closing_event, History(()).started) == (None, None)


def test_a_history_is_complete_once_its_run_ended() -> None:
    """An open run, or a file that was cut short, is not."""
    closing = EVENT_CLASSES["WORKFLOW_EXECUTION_CONTINUED_AS_NEW"].new(2, NOON, {})
    assert History((started(), closing)).closing_event is closing
    assert History((started(), closing)).is_complete
    assert not History((started(),)).is_complete


def test_a_history_finds_events_by_id_even_across_a_gap() -> None:
    """Ids are what people name events by."""
    events = (started(), TimerFired.new(2, NOON, {}), TimerFired.new(8, NOON, {}))
    history = History(events)
    assert [history.event(number) for number in (1, 2, 8)] == list(events)
    for missing in (0, -1, 3, 9):
        with pytest.raises(KeyError):
            history.event(missing)


def test_a_history_writes_the_document_it_was_read_from() -> None:
    """Wrapper, unknown fields and spelling included."""
    document = {"history": {"events": [{"event_id": 1}]}, "nextPageToken": None}
    history = History((started(),), document=document)
    assert orjson.loads(history.to_json()) == document
    assert b"\n" in history.to_json(indent=True)
    assert orjson.loads(history.canonical_json()) == {"events": [started().raw]}
