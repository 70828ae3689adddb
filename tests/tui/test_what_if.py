"""From the playhead, something else happens; and what is worth keeping is written to files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playhead import Agrees, Replayer
from playhead_tui.preferences import Preferences
from playhead_tui.screens.what_if import WhatIfScreen
from tests.tui.desk import Desk, debugging

SAGA = ["examples.saga"]


def rows(desk: Desk, name: str) -> str:
    """A pane of the screen that is on top."""
    return "\n".join(desk.pane(name))


async def choose(desk: Desk, text: str, answer: str | None = None) -> None:
    """Choose the row that has a text in it, and answer what is asked then."""
    found = [at for at, row in enumerate(desk.pane("question-list")) if text in row]
    await desk.press("home", *["down"] * found[0], "enter")
    if answer is not None:
        await desk.type(answer)
        await desk.press("enter")


async def test_an_activity_that_failed_instead_and_what_comes_of_it() -> None:
    """The flight is full: the new future unfolds beside the recorded one, and can itself be stepped through."""
    async with debugging("saga_booked.json", workflows=SAGA, at="13") as desk:
        await desk.press("i")
        await choose(desk, "activity book_flight #2")  # returns
        await desk.press("escape")
        at = next(at for at, row in enumerate(desk.pane("question-list")) if "activity book_flight #2" in row)
        await desk.press("home", *["down"] * (at + 1), "enter")
        await desk.type("NoSeats: none left")
        await desk.press("enter")
        assert "cancel_flight, which waits" in rows(desk, "question-list")
        assert "book_car" in rows(desk, "future") and "pending" in rows(desk, "future")
        await choose(desk, "let what nobody knows give back null")
        assert "TripCancelled" in rows(desk, "future")
        await desk.press("d")
        assert "agrees" in desk.status
        assert any("cancel_hotel" in row for row in desk.pane("events"))
        await desk.press("f", "n")
        assert desk.app.is_running
        await desk.press("H")
        assert "saga_booked" in desk.status


async def test_the_hotfix_is_swapped_in_on_a_stuck_run() -> None:
    """The code of the hotfix goes on from where the run is stuck."""
    async with debugging("orders_stuck.json", workflows=["examples.orders"]) as desk:
        await desk.press("i")
        assert "stuck" in rows(desk, "future") or "ZeroDivisionError" in rows(desk, "future")
        await choose(desk, "other code", "examples.orders_hotfix")
        assert "activity ship" in rows(desk, "future")
        await choose(desk, "answer ship, which waits", '"parcel-7"')
        assert "parcel-7" in rows(desk, "future") and "completed" in rows(desk, "future")
        await desk.press("home", "down", "delete")
        assert "ship returns" not in rows(desk, "question-list")


async def test_a_signal_that_never_came() -> None:
    """The signals that the run knows are offered; what cannot be is said, and leaves the question as it was."""
    async with debugging("approval_open.json", workflows=["examples.approval"]) as desk:
        await desk.press(">", "i")
        await choose(desk, "a signal ", "nonsense")
        assert "signal nonsense() comes" in rows(desk, "question-list")
        await desk.press("home", "down", "delete")
        await choose(desk, "later on, an activity", "no equals sign")
        assert "NAME=value" in desk.status
        assert "signal nonsense" not in rows(desk, "question-list")
        await desk.press("escape")
        assert not isinstance(desk.app.screen, WhatIfScreen)


async def test_a_future_is_kept_as_a_history_and_as_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history replays with the same code; the test is written beside its history, and nothing is written over."""
    async with debugging("orders_completed.json", workflows=["examples.orders"], at="13") as desk:
        await desk.press("i")
        file = tmp_path / "future.json"
        await desk.press("x", "ctrl+u")
        await desk.type(str(file))
        await desk.press("enter")
        from examples.orders import OrderFulfilment

        assert isinstance(Replayer([OrderFulfilment]).replay(file), Agrees)
        await desk.press("x", "ctrl+u")
        await desk.type(str(file))
        await desk.press("enter")
        assert "is there already" in desk.status
        await desk.press("t", "ctrl+u")
        await desk.type(str(tmp_path / "test_kept.py"))
        await desk.press("enter")
        assert "Written" in desk.status
        assert "OrderFulfilment" in (tmp_path / "test_kept.py").read_text()
        assert json.loads((tmp_path / "test_kept.json").read_text())["events"]


async def test_an_event_and_a_history_up_to_here_are_exported(tmp_path: Path) -> None:
    """As files that the other commands, and Temporal's tools, read."""
    async with debugging("orders_completed.json", workflows=["examples.orders"], at="12") as desk:
        for down, name in enumerate(("event.json", "beginning.json", "whole.json")):
            await desk.press("x", *["down"] * down, "enter", "ctrl+u")
            await desk.type(str(tmp_path / name))
            await desk.press("enter")
            assert "Written" in desk.status
    assert json.loads((tmp_path / "event.json").read_text())["eventId"] == "12"
    from examples.orders import OrderFulfilment

    assert isinstance(Replayer([OrderFulfilment]).replay(tmp_path / "beginning.json"), Agrees)
    assert len(json.loads((tmp_path / "whole.json").read_text())["events"]) == 23


async def test_without_code_nothing_can_go_on() -> None:
    """That is said, and nothing is opened."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("i")
        assert "Without code nothing can go on" in desk.status


async def test_what_was_recorded_is_there_to_be_changed() -> None:
    """The recorded result stands in the line to type into; signals that the code takes are offered, got or not."""
    async with debugging("approval_open.json", workflows=["examples.approval"], at="7") as desk:
        await desk.press("i")
        assert any("signal decide" in row for row in desk.pane("question-list"))
        await choose(desk, "activity notify_manager #1", "")  # the line is left as it is
        assert 'notify_manager returns "Grace asks for' in rows(desk, "question-list")


async def test_the_keys_of_what_if_are_shown_and_can_be_others() -> None:
    """Below the screen, and in its help; a key that is remapped is shown as it is."""
    preferences = Preferences(keys={"what-if-debug": "f6"})
    async with debugging("saga_booked.json", workflows=SAGA, at="13", preferences=preferences) as desk:
        await desk.press("i")
        assert "f6 debug the future" in desk.lines[-1]
        await desk.press("?")
        assert any("f6" in line and "what-if-debug" in line for line in desk.lines)
        await desk.press("escape", "f6")
        assert "agrees" in desk.status
