"""Whatever is wrong with a history, the code or the terminal is said in words, and never ends the debugger."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from playhead_tui.model.place import Place
from tests.tui.desk import FIXTURES, debugging

ORDERS = ["examples.orders"]


def code(tmp_path: Path, text: str, name: str = "orders_here.py") -> str:
    """A file with code; what to name it by."""
    file = tmp_path / name
    file.write_text(dedent(text))
    return str(file)


async def test_a_file_that_is_no_history_closes_the_debugger_with_a_sentence(tmp_path: Path) -> None:
    """There is nothing to show, and the shell is told so."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"hello": "world"}')
    async with debugging(wrong) as desk:
        assert desk.app.return_code == 2
        assert "hello" in desk.app.problem or "no Temporal history" in desk.app.problem


async def test_code_that_cannot_be_imported_leaves_the_history(tmp_path: Path) -> None:
    """The history is there to be read; what is wrong with the code stands below it."""
    broken = code(tmp_path, "import there_is_no_such_thing_at_all\n")
    async with debugging("orders_completed.json", workflows=[broken]) as desk:
        assert "there_is_no_such_thing_at_all" in desk.status
        await desk.press("e", "e")
        assert desk.place == Place(3)
        await desk.press("7", "z")
        assert "there_is_no_such_thing_at_all" in "".join(desk.pane("divergence")).replace(" ", "")


async def test_code_with_a_mistake_in_its_syntax_says_where(tmp_path: Path) -> None:
    """With the line, as one would fix it."""
    broken = code(tmp_path, "def f(:\n")
    async with debugging("orders_completed.json", workflows=[broken]) as desk:
        assert "SyntaxError" in desk.status and ":1" in desk.status


async def test_code_for_another_workflow_is_said_to_be_that() -> None:
    """The types that there is code for are named."""
    async with debugging("orders_completed.json", workflows=["examples.onboarding"]) as desk:
        assert "no code for workflow type 'OrderFulfilment'" in desk.status
        await desk.press("n")
        assert "Without code there are no lines" in desk.status


async def test_code_that_does_something_else_from_the_beginning(tmp_path: Path) -> None:
    """A divergence at the first command shows both sides, before any variable is known."""
    other = code(
        tmp_path,
        """
        from playhead_engine import workflow

        @workflow.defn
        class OrderFulfilment:
            @workflow.run
            async def run(self, order: dict) -> None:
                await workflow.sleep(5)
        """,
    )
    async with debugging("orders_completed.json", workflows=[other]) as desk:
        assert desk.place == Place(5)
        assert "diverges at event 5" in desk.status
        await desk.press("7", "d", "n", "N", "E", "e", ">", "<")
        assert any("timer" in row for row in desk.pane("divergence"))


async def test_values_that_raise_when_they_are_shown(tmp_path: Path) -> None:
    """Nothing of the user's is called to show a value: not `__repr__`, not `__eq__`, not a property."""
    nasty = code(
        tmp_path,
        """
        from playhead_engine import workflow

        class Nasty:
            def __init__(self) -> None:
                self.inner = 42
            def __repr__(self) -> str:
                raise RuntimeError("do not look at me")
            __str__ = __eq__ = __hash__ = __bool__ = __len__ = __repr__

        class Broken(Exception):
            def __str__(self) -> str:
                raise RuntimeError("nor at me")

        @workflow.defn
        class OrderFulfilment:
            def __init__(self) -> None:
                self.nasty = Nasty()
            @workflow.run
            async def run(self, order: dict) -> None:
                nasty = Nasty()
                raise Broken()
        """,
    )
    async with debugging("orders_completed.json", workflows=[nasty]) as desk:
        await desk.press("3", "right", "s", "s", "s", "s")
        assert any("Nasty" in row for row in desk.pane("variables"))


async def test_text_in_a_history_is_only_text(tmp_path: Path) -> None:
    """Markup is shown as it stands, and control characters cannot get out."""
    document = json.loads((FIXTURES / "orders_completed.json").read_text())
    nasty = "[bold red]x[/] [/nothing] \x1b[31m\x07\u202egnp.exe\r\n\tend"
    for event in document["events"]:
        if event["eventType"].endswith("ACTIVITY_TASK_SCHEDULED"):
            event["activityTaskScheduledEventAttributes"]["activityType"]["name"] = nasty
    file = tmp_path / "[bold]nasty[red].json"
    file.write_text(json.dumps(document))
    async with debugging(file, size=(140, 40)) as desk:
        await desk.press("m", "4", "u", "v", "z", "v", "z")
        assert "[bold red]x[/]" in desk.text
        assert not any(ord(letter) < 32 or letter == "\u202e" for line in desk.lines for letter in line)


async def test_a_terminal_of_twenty_by_five() -> None:
    """Everything works, one pane at a time; and all of it is there again when there is room."""
    async with debugging("orders_stuck.json", workflows=ORDERS, size=(20, 5)) as desk:
        assert any("▶" in line for line in desk.lines)
        await desk.press("2", "n", "N", "3", "4", "7", "8", "z", "g")
        await desk.press("escape", "?", "escape", "slash")
        await desk.type("charge")
        await desk.press("enter")
        for size in ((120, 36), (1, 1), (20, 5), (300, 90), (80, 24)):
            await desk.resize(*size)
            await desk.press("e", "E")
        assert any("Source" in line for line in desk.lines)


async def test_every_key_at_every_stage_is_harmless(tmp_path: Path) -> None:
    """Keys pressed before anything is read, and on a history alone, do what they can."""
    from playhead_tui.keys import KEYS

    async with debugging("approval_open.json") as desk:
        for key in KEYS:
            if key.id not in ("edit", "export", "what-if"):
                await desk.press(key.keys.split(",")[0])
                if key.asks or key.id == "help":
                    await desk.press("escape")
        assert desk.app.is_running
