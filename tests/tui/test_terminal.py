"""The debugger in a real terminal, from the command line to the exit code."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.desk import FIXTURES, ROOT
from tests.tui.terminal import Terminal

DEBUG = f"{sys.executable} -m playhead debug"
Opener = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Opener]:
    """Opens terminals, and closes them in the end."""
    opened: list[Terminal] = []

    def open_terminal(
        command: str, size: tuple[int, int] = (110, 32), folder: Path = ROOT, **environment: str
    ) -> Terminal:
        given = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_CONFIG_HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path),
            **environment,
        }
        opened.append(Terminal(command, folder, size, given))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


@pytest.mark.skipif("PLAYHEAD_TERMINAL" not in os.environ, reason="a busy machine takes keys before it asks for them")
def test_a_stuck_run_is_debugged_edited_and_understood(terminal: Opener, tmp_path: Path) -> None:
    """Open it, step, watch, jump, open the editor on the line, see the new code replayed, resize, leave."""
    code = tmp_path / "orders.py"
    code.write_text((ROOT / "examples" / "orders.py").read_text())
    editor = tmp_path / "mend"
    editor.write_text(f"#!{sys.executable}\n{MEND}")
    editor.chmod(editor.stat().st_mode | stat.S_IEXEC)
    one = terminal(f"{DEBUG} {FIXTURES / 'orders_stuck.json'} --workflows {code}", (170, 40), EDITOR=str(editor))
    one.shows("code raised after event 19")
    one.press("S")
    one.shows("line")
    one.press("w")
    one.type("order.total")
    one.press("Enter")
    one.shows("order.total  0")
    one.press("d", "o")
    screen = one.shows("agrees (19 events")
    assert "order.total or 1" in screen
    assert "▶ 19 WorkflowTaskFailed" in screen
    one.resize(20, 5)
    one.press("e")
    one.resize(160, 40)
    one.shows("Timeline")
    one.press("q")
    assert "left with 0" in one.shows("left with")


MEND = """
import pathlib, sys
line, file = int(sys.argv[1].removeprefix("+")), pathlib.Path(sys.argv[2])
lines = file.read_text().splitlines()
assert "// order.total" in lines[line - 1], (line, lines[line - 1])
lines[line - 1] = lines[line - 1].replace("// order.total", "// (order.total or 1)")
file.write_text("\\n".join(lines))
"""


def test_what_cannot_be_opened_is_said_on_the_terminal(terminal: Opener, tmp_path: Path) -> None:
    """One sentence, and the exit code for wrong input; no screen flashes by, and no traceback."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[1, 2")
    screen = terminal(f"{DEBUG} {wrong}").shows("left with")
    assert "left with 2" in screen
    assert "playhead: " in screen and "Traceback" not in screen


def test_no_colours_where_none_are_wanted_or_there_are_none(terminal: Opener) -> None:
    """NO_COLOR, and terminals without colours, get none; the playhead and the cursor are seen all the same."""
    command = f"{DEBUG} {FIXTURES / 'orders_completed.json'}"
    for environment in ({"NO_COLOR": "1"}, {"TERM": "vt100", "COLORTERM": ""}):
        one = terminal(command, (80, 24), **environment)
        one.shows("▶  1 WorkflowExecutionStarted")
        colours = {code for code in one.codes if re.search(r"[\\[;](3[0-8]|4[0-8]|9[0-7]|10[0-7])", code)}
        assert colours == set(), environment


def test_there_must_be_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """A pipe is told what to use instead."""
    from playhead.__main__ import main

    assert main(["debug", str(FIXTURES / "orders_completed.json")]) == 2
    assert "playhead trace" in capfd.readouterr().err
