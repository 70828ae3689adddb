"""However a tool spells, wraps, orders or packs a history: the events are the same, and the document comes back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playhead.readers import read_history
from playhead_engine.history import History
from tests.replay import spellings

RECORDINGS = ("orders_retries.json", "pizza_timed_out.json", "saga_compensated.json")


@pytest.fixture(params=RECORDINGS)
def recording(temporal_fixtures: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A canonical document, with one field that nobody knows in it."""
    document: dict[str, Any] = json.loads((temporal_fixtures / request.param).read_bytes())
    first = document["events"][0]
    first["tomorrow"] = {"some_key": [1, "é\u2028\U0001f600"]}
    return document


def canonical(history: History) -> Any:
    """All events of a history in canonical JSON."""
    return json.loads(history.canonical_json())["events"]


def normal(events: Any) -> Any:
    """Canonical events, where it does not matter whether a whole number is written as 2 or as 2.0."""
    return json.loads(json.dumps(events), parse_float=lambda text: float(text), parse_int=float)


@pytest.mark.parametrize("spell", spellings.DOCUMENTS, ids=lambda spell: spell.__name__)
def test_a_spelling_gives_the_same_events_and_the_same_document_back(
    recording: dict[str, Any], spell: Callable[[Any], Any]
) -> None:
    """What was read is in the events' canonical form, and untouched in the document."""
    spelled = spell(copy.deepcopy(recording))
    history = read_history(json.dumps(spelled).encode())
    assert normal(canonical(history)) == normal(recording["events"])
    assert json.loads(history.to_json()) == spelled
    assert history.problems == ()


@pytest.mark.parametrize("encode", spellings.ENCODINGS, ids=lambda encode: encode.__name__)
def test_an_encoding_gives_the_same_document(recording: dict[str, Any], encode: Callable[[Any], bytes]) -> None:
    """Packing and encoding are taken off; nothing else is."""
    history = read_history(encode(recording))
    assert canonical(history) == recording["events"]
    assert json.loads(history.to_json()) == recording


@pytest.mark.parametrize("write", spellings.SEVERAL, ids=lambda write: write.__name__)
def test_documents_one_after_the_other_are_one_history(
    recording: dict[str, Any], write: Callable[[Any], bytes]
) -> None:
    """They are written as a list, which is the same history again."""
    history = read_history(write(recording))
    assert canonical(history) == recording["events"]
    assert read_history(history.to_json()) == history


@pytest.mark.parametrize("spell", spellings.WITH_TEMPORALIO, ids=lambda spell: spell.__name__)
def test_what_temporals_own_library_writes_is_read(temporal_fixtures: Path, spell: Callable[[Any], Any]) -> None:
    """Binary protobuf, whole or in pieces, and enums as numbers."""
    pytest.importorskip("temporalio")
    recording = json.loads((temporal_fixtures / RECORDINGS[0]).read_bytes())
    spelled = spell(recording)
    history = read_history(spelled if isinstance(spelled, bytes) else json.dumps(spelled).encode())
    assert normal(canonical(history)) == normal(recording["events"])


def test_a_binary_history_with_fields_of_tomorrow_is_remarked(temporal_fixtures: Path) -> None:
    """JSON cannot show what the installed protobuf classes have no name for; a user must be able to know."""
    pytest.importorskip("temporalio")
    known = spellings.binary(json.loads((temporal_fixtures / RECORDINGS[0]).read_bytes()))
    unknown_field = b"\xfa\x06\x01x"  # field 111, one byte long
    assert read_history(known).remarks == ()
    remark = "it holds fields that the installed temporalio does not know yet; they are not shown"
    assert read_history(known + unknown_field).remarks == (remark,)


def test_a_canonical_history_is_taken_as_it_is(recording: dict[str, Any]) -> None:
    """Nothing is copied: the objects of the document are the objects of the events."""
    history = read_history(json.dumps(recording).encode())
    for event, raw in zip(history.events, history.document["events"], strict=True):
        assert event.raw is raw
        assert event.canonical is raw
        assert event.attributes is raw[event.ATTRIBUTES_KEY]


def test_events_keep_the_object_they_were_read_from(recording: dict[str, Any]) -> None:
    """Also where it had to be respelled."""
    history = read_history(json.dumps(spellings.snake_case(recording)).encode())
    for event, raw in zip(history.events, history.document["events"], strict=True):
        assert event.raw is raw
        assert "event_id" in raw
        assert "eventId" in event.canonical


def test_the_workflow_id_beside_a_history_is_kept(recording: dict[str, Any]) -> None:
    """Replay wants it, and some histories do not hold it themselves."""
    assert read_history(json.dumps(spellings.named(recording)).encode()).id == "named-1"


@pytest.mark.parametrize(
    ("spell", "remark"),
    [
        (spellings.with_a_copy, "2 copies of events were left out, the first of them of event 5"),
        (spellings.descending, "its events were not in the order of their ids; they were sorted"),
        (
            spellings.decision_tasks,
            "its events have the names that Cadence and Temporal before 1.0 used; they were translated",
        ),
        (
            lambda document: spellings.pages(document)[0],
            "this is one page of a history; the pages after it are missing",
        ),
    ],
)
def test_what_the_reader_made_of_a_document_is_remarked(
    recording: dict[str, Any], spell: Callable[[Any], Any], remark: str
) -> None:
    """A user must be able to know that events were left out, sorted or translated."""
    assert remark in read_history(json.dumps(spell(recording)).encode()).remarks


def test_a_file_and_its_bytes_read_alike(temporal_fixtures: Path) -> None:
    """By path as text, by path as Path, by content."""
    path = temporal_fixtures / RECORDINGS[0]
    assert read_history(path) == read_history(str(path)) == read_history(path.read_bytes())


def test_an_unknown_event_is_read_and_written(recording: dict[str, Any]) -> None:
    """A younger server's event is kept as it is, in its place."""
    unknown = {"eventId": "2", "eventType": "EVENT_TYPE_COFFEE_BREWED", "coffeeBrewedEventAttributes": {"cups": 2}}
    recording["events"] = [recording["events"][0], unknown]
    history = read_history(json.dumps(recording).encode())
    assert (history.events[1].type_name, history.events[1].attributes) == ("EVENT_TYPE_COFFEE_BREWED", {"cups": 2})
    assert canonical(history)[1] == unknown
    assert json.loads(history.to_json()) == recording


def test_what_temporal_reads_from_our_canonical_json_is_what_it_wrote(temporal_fixtures: Path) -> None:
    """From whatever spelling, the way to Temporal's own tools is open, and nothing is lost on it."""
    pytest.importorskip("temporalio")
    from temporalio.client import WorkflowHistory

    for path in sorted(temporal_fixtures.glob("[!I]*.json")):
        expected = WorkflowHistory.from_json("id", path.read_text())
        history = read_history(json.dumps(spellings.camel_case_enums(json.loads(path.read_bytes()))).encode())
        assert WorkflowHistory.from_json("id", history.canonical_json().decode()).events == expected.events, path.name
