"""Every real download is read, shown and written back equal. Needs the histories of others."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from playhead.readers import UnreadableHistory, read_history
from playhead_engine.history import History

NO_HISTORIES = {
    "temporalio__ui/all-event-types.610d375a.json": "this is an event catalogue",
    "temporalio__ui/all-event-types.8dd93d9e.json": "this is an event catalogue",
    "derived/user_onboarding.truncated_text.json": "truncated at byte 5000",
}


@pytest.fixture(scope="module")
def index(shared_histories: Path) -> dict[str, Any]:
    """What is known about each file, by its path within the folder of Temporal's histories."""
    entries = json.loads((shared_histories / "temporal" / "INDEX.json").read_bytes())
    return {entry["file"]: entry for entry in entries}


@pytest.fixture(scope="module")
def histories(shared_histories: Path, index: dict[str, Any]) -> dict[str, History]:
    """Every history among them."""
    return {name: read_history(shared_histories / "temporal" / name) for name in index if name not in NO_HISTORIES}


def document_in(path: Path) -> Any:
    """The JSON document in a file, parsed by other means than the reader's."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return json.loads(data.decode("utf-16") if data.startswith(b"\xff\xfe") else data)


def test_every_file_but_those_that_are_no_histories_is_read(
    histories: dict[str, History], index: dict[str, Any]
) -> None:
    """As many events, of the same workflow, as the index says."""
    assert len(histories) + len(NO_HISTORIES) == len(index) == 146
    for name, history in histories.items():
        assert len(history) == index[name]["n_events"], name
        assert history.workflow_type == index[name].get("workflow_type", history.workflow_type), name


def test_every_history_is_written_back_as_the_document_it_was(
    shared_histories: Path, histories: dict[str, History]
) -> None:
    """Unknown fields, spelling and wrappers included; a binary one is the same again once it was JSON."""
    for name, history in histories.items():
        if name.endswith(".bin"):
            assert read_history(history.to_json()) == history
        else:
            assert json.loads(history.to_json()) == document_in(shared_histories / "temporal" / name), name


def test_every_property_of_every_event_can_be_read(histories: dict[str, History]) -> None:
    """Whatever shows a history may ask an event for anything."""
    for history in histories.values():
        for event in history:
            assert event.type_name
            for attribute in dir(event):
                if not attribute.startswith("_"):
                    getattr(event, attribute)


@pytest.mark.parametrize("container", ["camelcase", "descending", "dup", "ui_response", "utf16"])
def test_the_same_history_in_another_container_has_the_same_events(
    shared_histories: Path, histories: dict[str, History], container: str
) -> None:
    """Order, copies, spelling, wrappers and encoding are the container's, not the history's."""
    packed = read_history(shared_histories / "temporal" / "derived" / "user_onboarding.json.gz")
    assert histories[f"derived/user_onboarding.{container}.json"].events == packed.events


@pytest.mark.parametrize("container", ["bin", "snake_case.json", "decoded_payloads.json", "plain_inputs.json"])
def test_a_history_that_lost_something_has_the_same_events_but_for_that(
    shared_histories: Path, histories: dict[str, History], container: str
) -> None:
    """Protobuf drops what it does not know; decoding drops how the JSON of a value was spaced and ordered."""
    packed = read_history(shared_histories / "temporal" / "derived" / "user_onboarding.json.gz")
    events = histories[f"derived/user_onboarding.{container}"].events
    assert [(event.event_id, event.KIND, event.time_ns) for event in events] == [
        (event.event_id, event.KIND, event.time_ns) for event in packed
    ]
    for event, original in zip(events, packed, strict=True):
        for name in dir(event):
            value = getattr(event, name)
            if not name.startswith("_") and isinstance(value, str | int | bool):
                assert value == getattr(original, name), name


def test_a_history_with_missing_events_is_read_and_says_why_it_cannot_be_replayed(
    histories: dict[str, History],
) -> None:
    """It can still be shown."""
    history = histories["temporalio__ui/event-history-with-no-activities.528d67bc.json"]
    assert history.problems == ("event ids are not 1, 2, 3, ...: 8 follows 4",)


def test_a_history_of_cadence_is_read_and_says_that_it_is_one(shared_histories: Path) -> None:
    """Its events are Temporal's under other names, its rules are not."""
    for path in sorted((shared_histories / "cadence").glob("*.json")):
        history = read_history(path)
        assert json.loads(history.to_json()) == document_in(path)
        assert any("Cadence" in problem for problem in history.problems), path.name
        with pytest.raises(UnreadableHistory, match="this is a Cadence history"):
            read_history(path, replayable=True)


def test_an_event_that_is_there_twice_is_taken_once(histories: dict[str, History]) -> None:
    """And the user can know."""
    assert histories["derived/user_onboarding.dup.json"].remarks == ("event 8 was there twice; the copy was left out",)


def test_an_open_history_is_no_problem(histories: dict[str, History]) -> None:
    """A run that goes on, or a file cut between two events, can be replayed as far as it goes."""
    cut = [history for name, history in histories.items() if ".head" in name]
    assert len(cut) == 8
    assert all(not history.is_complete and not history.problems for history in cut)


def test_temporal_accepts_the_canonical_json_of_every_history(histories: dict[str, History]) -> None:
    """Also of those that `WorkflowHistory.from_json` does not take as they are."""
    client = pytest.importorskip("temporalio.client")
    for name, history in histories.items():
        accepted = client.WorkflowHistory.from_json("id", history.canonical_json().decode())
        assert [event.event_id for event in accepted.events] == [event.event_id for event in history], name


@pytest.mark.parametrize("name", NO_HISTORIES)
def test_what_is_no_history_is_refused(shared_histories: Path, name: str) -> None:
    """In words, with the path in front."""
    path = shared_histories / "temporal" / name
    with pytest.raises(UnreadableHistory) as caught:
        read_history(path)
    assert str(caught.value).startswith(f"{path}: {NO_HISTORIES[name]}")


@pytest.mark.parametrize(
    ("system", "what"),
    [
        ("stepfunctions", "AWS Step Functions"),
        ("aws-durable", "an AWS Lambda durable execution history"),
        ("azure-durable", "Azure Durable Functions"),
        ("durabletask", "a Durable Task history"),
        ("restate", "a Restate journal"),
        ("dbos", "a DBOS workflow"),
        ("inngest", "an Inngest run"),
        ("cloudflare", "a Cloudflare workflow"),
        ("conductor", "a Conductor workflow"),
    ],
)
def test_the_export_of_another_system_is_named(shared_histories: Path, system: str, what: str) -> None:
    """Nobody should have to find out by a traceback which tool a file came from."""
    paths = [path for path in sorted((shared_histories / system).iterdir()) if path.suffix in (".json", ".pb", ".gz")]
    assert paths
    for path in paths:
        with pytest.raises(UnreadableHistory) as caught:
            read_history(path)
        assert what in caught.value.problem, path.name
        assert "not a Temporal history" in caught.value.problem, path.name
