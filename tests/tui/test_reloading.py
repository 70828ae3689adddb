"""Code is edited while the debugger is open: it is replayed anew, and the playhead stays where it was."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path
from textwrap import dedent

from playhead_tui.model.place import Place
from tests.tui.desk import Desk, debugging

CODE = """
    from datetime import timedelta

    from playhead_engine import workflow
    from {helper} import patience

    @workflow.defn
    class OrderFulfilment:
        @workflow.run
        async def run(self, order: dict) -> None:
            reserved = await workflow.execute_activity("reserve", order, start_to_close_timeout=patience)
            paid = await workflow.execute_activity("charge", order, start_to_close_timeout=patience)
            parcel = await workflow.execute_activity("ship", order, start_to_close_timeout=patience)
"""
_numbers = itertools.count()


class Shop:
    """Two modules: the workflow, and something that it imports."""

    def __init__(self, folder: Path) -> None:
        number = next(_numbers)
        self.workflow = folder / f"shop_{number}.py"
        self.helper = folder / f"shop_helper_{number}.py"
        self.helper.write_text("from datetime import timedelta\n\npatience = timedelta(seconds=10)\n")
        self.code = dedent(CODE).format(helper=self.helper.stem)
        self.workflow.write_text(self.code)

    def write(self, text: str) -> None:
        """Save the workflow."""
        self.workflow.write_text(text)
        os.utime(self.workflow, ns=(1, next(_numbers) + 10**9))


async def seen_by_itself(desk: Desk, text: str) -> None:
    """Wait until the debugger has noticed by itself that a file is another."""
    for _ in range(500):
        await desk.settled()
        if text in desk.text:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(desk.text)


async def test_saved_code_is_replayed_by_itself(tmp_path: Path) -> None:
    """Edit, look, edit: the verdict and the source follow what is on disk, and nothing else moves."""
    shop = Shop(tmp_path)
    async with debugging("orders_completed.json", workflows=[str(shop.workflow)]) as desk:
        await desk.press("m", "m")
        assert (desk.place, "agrees" in desk.status) == (Place(11), True)
        shop.write(shop.code.replace('"charge"', '"bill"'))
        await seen_by_itself(desk, "diverges at event 11")
        assert desk.place == Place(11)
        assert '"bill"' in desk.text
        shop.write(shop.code)
        await seen_by_itself(desk, "agrees")


async def test_a_line_is_found_again_though_others_were_put_before_it(tmp_path: Path) -> None:
    """The playhead stays before the same line, whatever its number is now."""
    shop = Shop(tmp_path)
    async with debugging(
        "orders_completed.json", workflows=[str(shop.workflow)], at=f"{shop.workflow.name}:12"
    ) as desk:
        assert desk.debugger.deck.session.view().site.line == 12
        shop.write(shop.code.replace("    @workflow.run\n", "    # more\n    # and more\n    @workflow.run\n"))
        await desk.press("ctrl+r")
        assert desk.debugger.deck.session.view().site.line == 14
        assert any("▶" in line and '"charge"' in line for line in desk.lines)
        shop.write(shop.code.replace('"charge", order', '"charge", dict(order)'))
        await desk.press("ctrl+r")
        assert desk.debugger.deck.session.view().site.line == 12


async def test_code_that_is_broken_meanwhile_leaves_what_was_known(tmp_path: Path) -> None:
    """Half a line saved is no reason to lose the run: it is as it was, and the mistake is said."""
    shop = Shop(tmp_path)
    async with debugging("orders_completed.json", workflows=[str(shop.workflow)], at="11") as desk:
        shop.write(shop.code + "\n    def half(")
        await desk.press("ctrl+r")
        assert "SyntaxError" in desk.status
        assert any("reserved" in row for row in desk.pane("variables"))
        shop.write(shop.code)
        await desk.press("ctrl+r")
        assert "SyntaxError" not in desk.status
        assert desk.place == Place(11)


async def test_what_the_code_imports_is_loaded_anew_too(tmp_path: Path) -> None:
    """The mistake may be in another file than the workflow."""
    shop = Shop(tmp_path)
    async with debugging("orders_completed.json", workflows=[str(shop.workflow)]) as desk:
        shop.helper.write_text("patience = 1 / 0\n")
        await desk.press("ctrl+r")
        assert "ZeroDivisionError" in desk.status


async def test_the_editor_is_opened_on_the_line(tmp_path: Path, monkeypatch: object) -> None:
    """$EDITOR is given the file and the line at the cursor of the source."""
    from playhead_tui import editor

    assert editor.command("a.py", 7, "vim -n") == ["vim", "-n", "+7", "a.py"]
    assert editor.command("a.py", 7, "code --wait") == ["code", "--wait", "-g", "a.py:7"]
    assert editor.command("a.py", 7, "/usr/bin/hx") == ["/usr/bin/hx", "a.py:7"]
    assert editor.needs_terminal(["nano"]) and not editor.needs_terminal(["code"])
