"""What is no history is refused with a sentence that says what it is instead, and where it went wrong."""

from __future__ import annotations

import gzip
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from playhead.readers import UnreadableHistory, read_history


def event(event_id: Any, kind: str = "TIMER_FIRED", key: str = "timerFired", **attributes: Any) -> dict[str, Any]:
    """An event in canonical JSON."""
    return {"eventId": event_id, "eventType": f"EVENT_TYPE_{kind}", f"{key}EventAttributes": attributes}


def started() -> dict[str, Any]:
    """A first event."""
    return event("1", "WORKFLOW_EXECUTION_STARTED", "workflowExecutionStarted", workflowType={"name": "Greeting"})


def refusal(document: Any, **options: Any) -> UnreadableHistory:
    """How a document, or bytes, are refused."""
    with pytest.raises(UnreadableHistory) as caught:
        read_history(document if isinstance(document, bytes) else json.dumps(document).encode(), **options)
    return caught.value


def changed(**fields: Any) -> dict[str, Any]:
    """A second event with other fields than it should have."""
    return {key: value for key, value in {**event("2"), **fields}.items() if value != "absent"}


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (changed(eventType=None, timerFiredEventAttributes="absent"), "event 2 has no eventType"),
        (changed(eventId=None), "event 2 has no eventId"),
        (changed(eventId="two"), 'event two: eventId must be a whole number, not "two"'),
        (changed(eventId=True), "event 2: eventId must be a whole number, not true"),
        (changed(eventType=["x"]), "event 2: eventType must be a name, not a list"),
        (
            changed(eventTime="yesterday"),
            'event 2: eventTime must be a time such as "2026-01-31T12:00:00Z", not "yesterday"',
        ),
        (
            changed(eventTime="2026-02-30T00:00:00Z"),
            'event 2: eventTime must be a time such as "2026-01-31T12:00:00Z", not "2026-02-30T00:00:00Z"',
        ),
        (changed(workerMayIgnore=3), "event 2: workerMayIgnore must be true or false, not 3"),
        (changed(links={}), "event 2: links must be a list, not an object"),
        (changed(timerFiredEventAttributes=7), "event 2: timerFiredEventAttributes must be an object, not 7"),
        (
            changed(timerFiredEventAttributes={"startedEventId": 1.5}),
            "event 2: startedEventId must be a whole number, not 1.5",
        ),
        (changed(timerFiredEventAttributes={"timerId": {}}), "event 2: timerId must be a text, not an object"),
        (
            changed(eventType="EVENT_TYPE_TIMER_STARTED"),
            "event 2 is of type TimerStarted, but holds timerFiredEventAttributes",
        ),
        (
            event("2", "TIMER_STARTED", "timerStarted", startToFireTimeout="soon"),
            'event 2: startToFireTimeout must be a duration such as "10s", not "soon"',
        ),
        (
            event("2", "ACTIVITY_TASK_SCHEDULED", "activityTaskScheduled", retryPolicy={"backoffCoefficient": "2"}),
            'event 2: retryPolicy.backoffCoefficient must be a number, not "2"',
        ),
        (
            event("2", "ACTIVITY_TASK_FAILED", "activityTaskFailed", failure={"cause": {"cause": "x" * 99}}),
            f'event 2: failure.cause.cause must be an object, not "{"x" * 36}...',
        ),
        (
            changed(timerStartedEventAttributes={}),
            "event 2 holds both timerFiredEventAttributes and timerStartedEventAttributes",
        ),
        (17, "event 2 is not an object but 17"),
    ],
)
def test_an_event_that_cannot_be_meant_is_named_with_its_field(second: Any, problem: str) -> None:
    """Which event, which field, what was expected, what came."""
    assert refusal({"events": [started(), second]}).problem == problem


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        (["1", "2", "4"], "event ids are not 1, 2, 3, ...: 4 follows 2"),
        ([*map(str, range(1, 40)), "41"], "event ids are not 1, 2, 3, ...: 41 follows 39"),
        (["3", "4"], "event ids are not 1, 2, 3, ...: the first is 3"),
        (["0", "1"], "event ids are not 1, 2, 3, ...: the first is 0"),
        (["-1", "1"], "event ids are not 1, 2, 3, ...: the first is -1"),
    ],
)
def test_ids_with_a_gap_are_told_and_refused_where_replay_is_wanted(ids: list[str], problem: str) -> None:
    """Such a history can be shown; code cannot be replayed against it."""
    document = {"events": [event(number) for number in ids]}
    assert read_history(json.dumps(document).encode()).problems == (problem,)
    assert refusal(document, replayable=True).problem == problem


def test_two_different_events_of_one_id_are_told() -> None:
    """Copies are left out, but these are none."""
    document = {"events": [started(), event("2", timerId="1"), event("2", timerId="2")]}
    assert read_history(json.dumps(document).encode()).problems == ("two different events have the id 2",)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"events": []}, "its list of events is empty"),
        ([], "this is an empty list: it has no events"),
        ({}, "this is JSON, but no history: it has no events (its keys: none)"),
        ({"a": 1, "b": 2}, "this is JSON, but no history: it has no events (its keys: a, b)"),
        ([1, 2], "this is JSON, but no history: it has no events"),
        ({"events": [{"id": 1, "name": "x"}]}, "this is JSON, but no history: it has no events (its keys: events)"),
        (
            {"TimerFired": event("5")},
            "this is an event catalogue: single events under their names, not a Temporal history",
        ),
        (event("5"), "this is a single event, not a Temporal history"),
        ({"workflowExecutionInfo": {}}, "this is the description of a workflow, not a Temporal history"),
        ([{"execution": {}, "type": {}}], "this is a list of workflows, not a Temporal history"),
        ({"code": 5, "message": "not found"}, "this is an error that a server answered with: not found"),
        (
            {"events": [{"type": "ExecutionStarted", "id": 1, "previousEventId": 0}]},
            "this is an AWS Step Functions history, not a Temporal history",
        ),
        (
            {"Events": [{"EventTimestamp": 1}]},
            "this is an AWS Lambda durable execution history, not a Temporal history",
        ),
    ],
)
def test_a_document_without_events_is_named(document: Any, problem: str) -> None:
    """What it is instead."""
    assert refusal(document).problem == problem


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (b" \n\t ", "it is empty"),
        (b" " * 9000, "it is empty"),
        (
            b"Progress:\n  ID   Time   Type\n",
            "this is the text output of `temporal workflow show`, not a history in JSON",
        ),
        (b"<!DOCTYPE html><html>", "this is a web page, not a history in JSON"),
        (b"PK\x03\x04rest", "this is a zip archive, not a history in JSON"),
        (b"SQLite format 3\x00", "this is a SQLite database, not a history in JSON"),
        (b"import asyncio\n", "this is Python code, not a history in JSON"),
        (b"\x89PNG\r\n\x1a\n", "this is an image, not a history in JSON"),
        (b"\x00\x01\x02\x03", "these are bytes of no format that is known here"),
        (b"hello there", "this is not JSON: it begins with 'hello there'"),
        (b'"text"', "this is not JSON: it begins with '\"text\"'"),
        (
            b"{'events': []}",
            "it is not JSON: unexpected character, expected a string key at byte 1, where it says \"'events': []}\"",
        ),
        (b'{"events": []} x', 'it is not JSON: Expecting value at byte 15, where it says "x"'),
    ],
)
def test_bytes_that_are_no_json_are_named(data: bytes, problem: str) -> None:
    """By how they begin, or by where they stop making sense."""
    assert refusal(data).problem == problem


def test_a_text_that_was_cut_is_called_truncated_wherever_it_was_cut() -> None:
    """At every byte of it, inside of characters, too."""
    text = json.dumps(
        {"events": [started(), {**event("2"), "é": [1.5, True, None, "\U0001f600\n"]}]}, ensure_ascii=False
    )
    data = text.encode()
    for size in range(1, len(data)):
        assert refusal(data[:size]).problem == f"truncated at byte {size}", data[:size][-20:]
    assert refusal(data[:77]).offset == 77


def test_packed_and_wide_text_that_was_cut_is_called_truncated() -> None:
    """In the bytes of the file where that is where the cut is, else in the text."""
    data = json.dumps({"events": [started()]}).encode()
    packed = gzip.compress(data)
    assert refusal(packed[:40]).problem == "truncated at byte 40: its gzip packing has no end"
    assert refusal(gzip.compress(data[:40])).problem == "truncated at byte 40 of the unpacked text"
    assert refusal(data.decode().encode("utf-16")[:41]).problem == "truncated at byte 41"
    assert refusal(data.decode()[:40].encode("utf-16")).problem == "truncated at byte 40 of the text in UTF-8"


def test_a_damaged_binary_history_is_refused() -> None:
    """With what to do about it."""
    pytest.importorskip("temporalio")
    from temporalio.api.enums.v1 import EventType
    from temporalio.api.history.v1 import History, HistoryEvent

    whole: bytes = History(
        events=[HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_TIMER_FIRED, task_id=77)]
    ).SerializeToString()
    assert refusal(whole[:-1]).problem == "this is a binary history, but damaged or cut short"
    assert (
        refusal(History(events=[HistoryEvent(event_id=1)]).SerializeToString()).problem
        == "this is protobuf, but not a Temporal history"
    )


def test_a_binary_history_without_temporalio_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra has a name."""
    monkeypatch.setitem(sys.modules, "temporalio.api.history.v1", None)
    error = refusal(b"\n\x04\x08\x01\x18\x01")
    assert error.problem == "this is a binary history, and reading one needs the package `temporalio`"
    assert "playhead[temporal]" in error.advice


def test_a_refusal_is_one_or_two_plain_sentences_that_begin_with_the_path(tmp_path: Path) -> None:
    """As a compiler would say it."""
    path = tmp_path / "history.json"
    path.write_bytes(b'{"events": [')
    with pytest.raises(UnreadableHistory) as caught:
        read_history(path)
    assert str(caught.value) == f"{path}: truncated at byte 12. Download it again"
    assert (caught.value.path, caught.value.offset) == (str(path), 12)


def test_a_refusal_survives_pickling() -> None:
    """Histories are read in worker processes."""
    error = UnreadableHistory("truncated at byte 5", "Download it again", 5, "a.json")
    again = pickle.loads(pickle.dumps(error))
    assert (again.problem, again.advice, again.offset, again.path) == (
        "truncated at byte 5",
        "Download it again",
        5,
        "a.json",
    )
    assert str(again) == str(error)
