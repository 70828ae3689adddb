"""The past of code written for `temporalio`, in the SDK's sandbox and outside of it: looked into like any other."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead import Replayer
from playhead.__main__ import main
from playhead.timeline.asking import NotAnswered
from playhead.timeline.capture import Capture
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import Snapshot, look
from playhead_engine.runtime import inspectable

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "temporal"
RECORDED = json.loads((FIXTURES / "INDEX.json").read_text())
FROM_OUTSIDE = {"WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT", "WORKFLOW_EXECUTION_CANCEL_REQUESTED"}


def recorded(entry: dict[str, Any], *, sandboxed: bool = True) -> Recording:
    """The recording of one of our own histories by the `temporalio` form of its workflow."""
    module = importlib.import_module(entry["module"].replace("examples.", "examples.temporal."))
    options: Any = {} if sandboxed else {"workflow_runner": UnsandboxedWorkflowRunner()}
    return Replayer([getattr(module, entry["class"])], **options).record(FIXTURES / entry["file"])


def orders(*, sandboxed: bool = True) -> Recording:
    """The order that was completed."""
    return recorded(RECORDED[0], sandboxed=sandboxed)


def unordered(snapshot: Snapshot) -> list[str]:
    """A snapshot in words. The SDK keeps its tasks in a set, so handlers of one name have no order."""
    words = [f"self.{name}={value.text()}" for name, value in snapshot.attributes.items()]
    for coroutine in snapshot.coroutines:
        stack = [(frame.site.line, {n: v.text() for n, v in frame.locals.items()}) for frame in coroutine.stack]
        words.append(f"{coroutine.name} {stack}")
    return sorted(words)


@pytest.mark.parametrize("entry", RECORDED, ids=lambda e: e["file"])
def test_every_recorded_run_can_be_looked_into(entry: dict[str, Any]) -> None:
    """What was captured is what a fresh replay holds, and every event of a green run knows its line."""
    recording = recorded(entry)
    assert len(recording.frames) > 0
    for state in recording:
        with recording._parking.at(state.task) as run:
            instance = inspectable(run.instance)
            assert instance is not None
            assert unordered(state.snapshot) == unordered(look(instance, run.completion, Capture()))
            assert [(w.kind, w.seq) for w in state.waits] == [(w.kind, w.seq) for w in instance.pending()]
    if entry["verdict"] == "agrees":
        for event in recording.history.events[: recording.last_event]:
            site = recording.sources.get(event.event_id)
            if event.KIND.startswith("WORKFLOW_TASK_") or event.KIND in FROM_OUTSIDE:
                assert site is None
            else:
                assert site is not None, event
                assert "examples/temporal" in site.file
    recording.close()


@pytest.mark.parametrize("entry", RECORDED[::4], ids=lambda e: e["file"])
def test_both_forms_of_a_workflow_have_the_same_past(entry: dict[str, Any]) -> None:
    """Attributes, locals and what is waited for are those of the native form, task by task."""
    native = Replayer([getattr(importlib.import_module(entry["module"]), entry["class"])])
    ours, theirs = native.record(FIXTURES / entry["file"]), recorded(entry)
    assert len(ours.frames) == len(theirs.frames)
    for mine, other in zip(ours, theirs, strict=True):
        assert {n: v.text() for n, v in mine.attributes.items()} == {n: v.text() for n, v in other.attributes.items()}
        # Errors are told apart by what each SDK keeps in them.
        assert mine.locals.keys() == other.locals.keys()
        for name, value in mine.locals.items():
            assert value.type == other.locals[name].type
            assert "Error" in value.type or value.text() == other.locals[name].text()
        assert sorted((w.kind, w.seq) for w in mine.waits) == sorted((w.kind, w.seq) for w in other.waits)


@pytest.mark.parametrize("sandboxed", [True, False])
def test_questions_are_answered(sandboxed: bool) -> None:
    """Queries, expressions, conditions and changes, inside of the sandbox and outside."""
    recording = orders(sandboxed=sandboxed)
    assert recording.at(event=7).query("status") == "charging"
    assert recording.at(event=5).query("status") == "reserving"
    assert recording.at(event=7).eval("order.total") == 5000
    first = recording.first("self.stage == 'shipping'")
    assert first is not None
    assert first.task == 3
    assert [change.event for change in recording.changes("stage")] == [1, 7, 13, 19]
    with pytest.raises(NotAnswered, match="nothing"):
        recording.at(event=7).query("nothing")


@pytest.mark.parametrize("sandboxed", [True, False])
def test_lines_are_traced(sandboxed: bool) -> None:
    """Line by line, with the variables at each, and logpoints; the SDK's own lines are not shown."""
    recording = orders(sandboxed=sandboxed)
    assert all("examples/temporal/orders.py" in step.site.file for step in recording.steps)
    state = recording.at(line="orders.py:86")
    assert state.eval("paid") == 4500
    assert state.eval("order.total") == 5000
    assert [one.text for one in recording.log("orders.py:86", 'f"{paid=} {order.total=}"')] == [
        "paid=4500 order.total=5000"
    ]


def test_a_stuck_run_shows_where_it_raised() -> None:
    """With the variables there."""
    entry = next(e for e in RECORDED if e["file"] == "orders_stuck.json")
    state = recorded(entry).at(event=-1)
    assert isinstance(state.error, ZeroDivisionError)
    assert state.locals["paid"].content == 0
    assert state.coroutines[0].stack[-1].site.line == 86


def test_the_command_line_does_it_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commands, on `temporalio` code."""
    monkeypatch.chdir(ROOT)
    arguments = ["fixtures/temporal/orders_completed.json", "-w", "examples.temporal.orders"]
    assert main(["replay", *arguments, "--at", "7", "--print", "order.total", "--query", "status"]) == 0
    assert capsys.readouterr().out == "order.total = 5000\nstatus() = charging\n"
    assert main(["trace", *arguments, "--lines", "--task", "2"]) == 0
    assert "examples/temporal/orders.py:83" in capsys.readouterr().out
