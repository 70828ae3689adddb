"""What is taken out of the debugger can be read again: by Playhead, and by Temporal's own tools."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from playhead import Agrees, Replayer
from playhead.readers import read_history
from playhead_tui.model.exports import NotExported, event_json, name_for, prefix, write
from tests.engine.history_builder import HistoryBuilder

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
RECORDINGS: list[dict[str, Any]] = json.loads((FIXTURES / "INDEX.json").read_text())
AGREEING = [one for one in RECORDINGS if one["verdict"] == "agrees"]


def test_an_event_is_exported_as_it_was_recorded() -> None:
    """Its JSON object, whole."""
    event = read_history(FIXTURES / "saga_compensated.json").event(19)
    assert json.loads(event_json(event)) == event.raw


@pytest.mark.parametrize("recording", AGREEING, ids=lambda one: one["file"])
def test_every_beginning_of_a_history_replays(recording: dict[str, Any]) -> None:
    """Wherever the playhead stands, what was recorded up to there agrees with the code that recorded it."""
    history = read_history(FIXTURES / recording["file"])
    replayer = Replayer([getattr(importlib.import_module(recording["module"]), recording["class"])])
    beginnings = {len(begun.history): begun for event in history if (begun := prefix(history, event.event_id))}
    assert min(beginnings) >= 2
    for begun in beginnings.values():
        verdict = replayer.replay(read_history(begun.json), workflow_id=recording["workflow_id"])
        assert isinstance(verdict, Agrees), begun.note
    assert prefix(history, history.events[-1].event_id).history.events == history.events


@pytest.mark.parametrize("name", ["saga_compensated", "approval_updated"])
def test_temporal_replays_every_beginning(name: str) -> None:
    """Temporal's own Replayer takes each of them, too."""
    from tests.replay.temporal_judge import judge

    recording = next(one for one in RECORDINGS if one["file"] == f"{name}.json")
    history = read_history(FIXTURES / recording["file"])
    module = importlib.import_module(recording["module"].replace("examples.", "examples.temporal."))
    for begun in {len(one.history): one for event in history if (one := prefix(history, event.event_id))}.values():
        judgement = judge(begun.json, recording["workflow_id"], [getattr(module, recording["class"])])
        assert judgement.verdict == "ok", (len(begun.history), judgement.message)


def test_what_one_workflow_task_did_stays_together() -> None:
    """A mark in the middle of several commands takes the rest along, and says so."""
    history = HistoryBuilder()
    history.task()
    first = history.activity_scheduled("1")
    history.activity_scheduled("2")
    last = history.timer_started()
    history.activity_started(first)
    parsed = history.history()
    begun = prefix(parsed, first)
    assert begun.history.events[-1].event_id == last
    assert begun.note == f"It goes up to event {last}: what one workflow task did stays together."
    assert prefix(parsed, last).note == ""
    assert len(prefix(parsed, 4).history) == last  # the workflow task that asked for them
    assert len(prefix(parsed, 3).history) == 3
    assert len(prefix(parsed, 99).history) == len(parsed)
    assert prefix(parsed, 1).note == "It goes up to event 2: before that no code had run."


def test_a_file_is_not_written_over_by_chance(tmp_path: Path) -> None:
    """Unless that is wanted; and what cannot be written is said in a sentence."""
    path = tmp_path / "event.json"
    assert write(path, b"one") == path
    with pytest.raises(NotExported, match=r"event\.json is there already"):
        write(path, b"two")
    assert path.read_bytes() == b"one"
    write(path, b"two", over=True)
    assert path.read_bytes() == b"two"
    with pytest.raises(NotExported, match="cannot be written: No such file or directory"):
        write(tmp_path / "nowhere" / "event.json", b"one")
    with pytest.raises(NotExported, match="cannot be written"):
        write(tmp_path, b"one", over=True)


def test_a_file_is_named_after_the_run() -> None:
    """Whatever its id holds."""
    assert name_for(read_history(FIXTURES / "orders_completed.json"), "to-12") == "order-A-1.to-12.json"
    history = HistoryBuilder(workflowId="../a b/\x1b[2J")
    assert name_for(history.history(), "event-3") == "greeting-1.event-3.json"
    unknown = history.history()
    assert "/" not in name_for(type(unknown)(unknown.events, "../../etc/a b"), "x")
