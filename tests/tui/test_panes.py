"""Panes, keys and colours: what is where, and how users make it theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.configuration import BadConfiguration, Configuration
from playhead_engine import Engine
from playhead_tui.keys import APP_KEYS, KEYS, ROW_KEYS
from playhead_tui.model.code import Code
from playhead_tui.model.opening import Target
from playhead_tui.model.place import Place
from playhead_tui.model.shelf import from_store
from playhead_tui.preferences import Preferences, preferences_of
from playhead_tui.screens.layout import LOWER, PANES, Wanted, arranged
from tests.tui.desk import ROOT, debugging

ORDERS = ["examples.orders"]


@pytest.mark.parametrize("current", PANES)
def test_the_pane_that_is_wanted_is_always_there(current: str) -> None:
    """At every size that a terminal can have, and alone where there is no room for two."""
    wanted = Wanted().choosing(current)
    for width in (1, 20, 59, 60, 80, 109, 110, 179, 180, 500):
        for height in (1, 5, 15, 16, 24, 60):
            shown = arranged(wanted, width, height).panes
            assert current in shown or current == "variables"
            assert (width >= 60 and height >= 16) or shown == {current}


def test_two_panes_share_the_place_below_the_source_where_there_is_room() -> None:
    """The variables, and the one that was chosen last."""
    assert arranged(Wanted(), 80, 24).panes & set(LOWER) == {"variables"}
    assert arranged(Wanted().choosing("tree"), 80, 24).panes & set(LOWER) == {"tree"}
    assert arranged(Wanted().choosing("tree"), 120, 24).panes & set(LOWER) == {"variables", "tree"}


async def test_numbers_bring_panes_to_the_front_and_z_shows_one_alone() -> None:
    """As they are numbered in the line of their names, which can be clicked as well."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        for number, pane in enumerate(PANES, start=1):
            await desk.press(str(number))
            assert desk.app.screen.focused is not None and desk.app.screen.focused.id == pane
        await desk.press("5", "z")
        assert not any("Source" in line and "╭" in line for line in desk.lines)
        await desk.press("z")
        await desk.click(desk.lines.index(next(line for line in desk.lines if " 6 Watches" in line)), 50)
        assert "Watches" in "".join(line for line in desk.lines if "╭" in line)


async def test_the_mouse_does_what_keys_do() -> None:
    """Click an event, a line's breakpoint, the timeline, a key."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.click(next(at for at, line in enumerate(desk.lines) if "  7 ActivityTaskCompleted" in line), 8)
        assert desk.place == Place(7)
        line = next(at for at, line in enumerate(desk.lines) if "82   " in line)
        await desk.click(line, desk.lines[line].index("82   ") + 2)
        assert "82●" in desk.lines[line]
        ruler = next(at for at, line in enumerate(desk.lines) if "121 ms" in line)
        await desk.click(ruler, 112)
        assert desk.place.event > 15
        keys = desk.lines.index(next(line for line in desk.lines if " e event " in line))
        before = desk.place.event
        await desk.click(keys, 3)
        assert desk.place.event == before + 1


async def test_the_help_shows_the_keys_that_are_bound() -> None:
    """Remapped ones as they are now; every key of the tables is there."""
    async with debugging("orders_completed.json", preferences=Preferences(keys={"next-event": "ctrl+n,X"})) as desk:
        await desk.press("ctrl+n")
        assert desk.place == Place(2)
        await desk.press("e")
        assert desk.place == Place(2)
        await desk.press("question_mark")
        rows = [
            "".join(text for text, _ in desk.app.screen.focused.row(at))
            for at in range(desk.app.screen.focused.count())
        ]
        shown = "\n".join(rows)
        assert "^n or X" in shown
        assert [key.id for key in (*KEYS, *ROW_KEYS) if key.says not in shown] == []


def test_the_keys_in_the_readme_are_the_keys() -> None:
    """What the first table says of a key is what it does."""
    section = (ROOT / "README.md").read_text().partition("## Debug a run")[2].partition("\n## ")[0]
    bound = {part for key in (*KEYS, *APP_KEYS) for part in key.keys.split(",")}
    shown = {
        key for line in section.splitlines() if line.startswith("| `") for key in line.split("|")[1].split("`")[1::2]
    }
    names = {"/": "slash", "&": "ampersand", "?": "question_mark", ":": "colon"}
    assert shown and {names.get(key, key) for key in shown} <= bound
    table = section.partition("keys = {")[2].partition("}")[0]
    keys = dict(pair.replace('"', "").split(" = ") for pair in table.strip().split(", "))
    assert preferences_of(Configuration(debug={"theme": "light", "keys": keys})).keys == keys


async def test_every_command_is_in_the_palette() -> None:
    """By what it does, with its key."""
    async with debugging("orders_completed.json") as desk:
        commands = {command.title: command.help for command in desk.app.get_system_commands(desk.debugger)}
        assert all(key.says in commands for key in KEYS)
        assert commands["Go to the next event"] == "e"
        await desk.press("colon")
        await desk.type("next retry")
        await desk.press("enter", "enter")
        assert "Nothing was tried again" in desk.status


async def test_light_and_dark() -> None:
    """A key changes between them; a theme of Textual's can be preferred."""
    async with debugging("orders_completed.json", preferences=Preferences(theme="nord")) as desk:
        assert desk.app.theme == "nord"
        await desk.press("ctrl+t")
        assert desk.app.theme == "textual-light"
        await desk.press("ctrl+t")
        assert desk.app.theme == "textual-dark"


def test_preferences_are_the_users_before_the_projects(tmp_path: Path) -> None:
    """From [tool.playhead.debug] and from the user's own file; nonsense in either is said with its place."""
    project = Configuration(
        debug={"theme": "light", "keys": {"next-event": "X", "next-task": "ctrl+j"}}, path=tmp_path / "p"
    )
    assert preferences_of(project).theme == "textual-light"
    own = tmp_path / "playhead" / "debug.toml"
    own.parent.mkdir()
    own.write_text('theme = "dark"\n[keys]\nnext-event = "ctrl+n"\n')
    found = preferences_of(project)
    assert (found.theme, found.keys) == ("textual-dark", {"next-event": "ctrl+n", "next-task": "ctrl+j"})
    own.write_text('[keys]\nnext-evnt = "ctrl+n"\n')
    with pytest.raises(BadConfiguration, match="did you mean 'next-event'"):
        preferences_of(project)
    own.write_text('[keys]\nnext-event = "ctrl+n, ?"\n')
    with pytest.raises(BadConfiguration, match="stands for next-event and for help"):
        preferences_of(project)
    own.write_text('theme = "pink"\n')
    with pytest.raises(BadConfiguration, match="there is no theme 'pink'"):
        preferences_of(project)


async def test_one_of_several_histories_is_chosen() -> None:
    """Each says what it is and what its replay comes to; one comes back to them with a key."""
    async with debugging("orders_completed.json", "orders_stuck.json", workflows=ORDERS) as desk:
        assert "agrees (23 events)" in desk.text and "code raised after event 19" in desk.text
        await desk.press("down", "enter")
        assert desk.place == Place(19)
        await desk.press("H", "up", "enter")
        assert desk.place == Place(1)


async def test_runs_in_a_store_are_debugged(tmp_path: Path) -> None:
    """What the engine keeps on disk is read without disturbing it."""
    from examples.orders import OrderFulfilment, charge, reserve, ship

    order = {"id": "A-1", "item": "teapot", "quantity": 2, "unit_price": 2500, "voucher": 500, "card": "valid"}
    async with Engine(
        str(tmp_path / "store"), workflows=[OrderFulfilment], activities=[reserve, charge, ship], clock="virtual"
    ) as engine:
        await engine.execute_workflow("OrderFulfilment", order, id="order-1", task_queue="t")
    items = from_store(str(tmp_path / "store"))
    assert [(item.name.split()[0], "completed" in item.about) for item in items] == [("order-1", True)]
    code = Code(Configuration())
    async with debugging(targets=[Target(item, code) for item in items]) as desk:
        await desk.press(">")
        assert "WorkflowExecutionCompleted" in desk.text


async def test_a_value_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, however much of it is on the screen."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.press("3", *["down"] * 3, "y")
        assert desk.app.clipboard.startswith("Order(id='A-1', item='teapot', quantity=2, unit_price=2500")
        await desk.press("4", "y")
        assert desk.app.clipboard == "WorkflowExecutionStarted"
