"""One diagnosis, three renderings: a terminal of any width, JSON by its schema, Markdown for a comment."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from playhead import Replayer
from playhead.diagnosis.alignment import Change
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.document import SCHEMA, document
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.markdown import diagnosis_markdown
from playhead.diagnosis.text import SIDE_BY_SIDE_FROM, diagnosis_text, fix_text
from playhead.terminal import Style
from playhead_engine.history import History
from tests.replay.diagnosis_case import all_cases, load, read_case, recorded, workflows_of
from tests.replay.json_schema import problems

CASES = {case.name: case for case in all_cases()}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def diagnosed(name: str, directory: Path) -> tuple[History, Diagnosis, Fix]:
    """A case, its diagnosis and its fix."""
    case = CASES[name]
    history = recorded(case, directory)
    path = directory / f"{name}.py"
    path.write_text(case.after)
    replayer = Replayer(workflows_of(load(path)))
    diagnosis = replayer.diagnose(history)
    return history, diagnosis, replayer.fix(diagnosis, history)


@pytest.fixture
def renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[History, Diagnosis, Fix]:
    """A run whose code has a new step and a renamed one."""
    monkeypatch.chdir(tmp_path)
    return diagnosed("renamed_and_added", tmp_path)


@pytest.mark.parametrize("width", [60, 80, 99, 100, 120, 160])
@pytest.mark.parametrize("name", ["renamed_and_added", "uuid_shifted_by_random", "patch_rolled_back", "gather_order"])
def test_nothing_is_wider_than_the_terminal(
    name: str, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the width, no line of a diagnosis runs over it, with colours or without."""
    monkeypatch.chdir(tmp_path)
    _, diagnosis, _ = diagnosed(name, tmp_path)
    plain = diagnosis_text(diagnosis, width=width)
    assert max(map(len, plain.splitlines())) <= width
    coloured = diagnosis_text(diagnosis, style=Style(True), width=width)
    assert ESCAPE.search(coloured)
    assert [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()] == plain.splitlines()


def test_a_wide_terminal_shows_both_sides_on_one_line(renamed: tuple[History, Diagnosis, Fix]) -> None:
    """Where there is room, recorded and now stand beside each other, with the line that asks."""
    lines = diagnosis_text(renamed[1], width=SIDE_BY_SIDE_FROM).splitlines()
    line = next(line for line in lines if "activity bill" in line)
    assert line.index("activity charge") < line.index("activity bill") < line.index("renamed_and_added.py:15")


def test_a_narrow_terminal_shows_them_on_two_lines(renamed: tuple[History, Diagnosis, Fix]) -> None:
    """Where there is not, the code's side stands below the recorded one, aligned with it."""
    lines = diagnosis_text(renamed[1], width=SIDE_BY_SIDE_FROM - 1).splitlines()
    number = next(n for n, line in enumerate(lines) if "activity charge" in line)
    assert "activity bill" in lines[number + 1]
    assert lines[number].index("activity") == lines[number + 1].index("activity")


@pytest.mark.parametrize("name", sorted(CASES)[::6])
def test_json_is_what_its_schema_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every diagnosis is valid by the schema that is shipped, and survives being written as JSON."""
    monkeypatch.chdir(tmp_path)
    _, diagnosis, fix = diagnosed(name, tmp_path)
    schema = json.loads(SCHEMA.read_text())
    for shown in (document(diagnosis, fix), document(diagnosis)):
        assert problems(json.loads(json.dumps(shown)), schema) == []


def test_the_schema_lists_every_class() -> None:
    """A class that is added to the code is added to the schema."""
    schema = json.loads(SCHEMA.read_text())
    assert schema["$defs"]["difference"]["properties"]["change"]["enum"] == [change.value for change in Change]


def test_the_schema_refuses_what_it_does_not_describe(renamed: tuple[History, Diagnosis, Fix]) -> None:
    """The schema is closed: a field that nobody described is found."""
    shown = document(renamed[1]) | {"surprise": 1}
    assert problems(shown, json.loads(SCHEMA.read_text())) == ["$.surprise is not described"]


def test_markdown_is_a_table_the_causes_and_the_patch(renamed: tuple[History, Diagnosis, Fix]) -> None:
    """A comment on a pull request has the whole story, with the patch folded away."""
    history, diagnosis, fix = renamed
    text = diagnosis_markdown("order.json", history, diagnosis, fix)
    assert text.startswith("### `order.json`: diverges at event 11\n")
    assert "| 11 | activity charge | activity bill | `renamed_and_added.py:15` | **renamed** |" in text
    assert "**renamed**: The activity of line 15 is called `bill` now; it was `charge`." in text
    assert "<details><summary>Patch</summary>\n\n```diff\n--- a/renamed_and_added.py" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}


def test_what_stands_in_a_table_cannot_break_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names with a bar or an angle bracket in them stay in their cell."""
    monkeypatch.chdir(tmp_path)
    case = tmp_path / "odd_name.case"
    text = (Path(__file__).parent / "diagnosis_cases" / "renamed_activity.case").read_text()
    case.write_text(text.replace("(notify,", '("a|<b>",', 2))
    broken = read_case(case)
    history = recorded(broken, tmp_path)
    path = tmp_path / "odd_name.py"
    path.write_text(broken.after)
    diagnosis = Replayer(workflows_of(load(path))).diagnose(history)
    assert "activity a\\|&lt;b>" in diagnosis_markdown("x", history, diagnosis)


def test_a_fix_is_coloured_as_a_diff(renamed: tuple[History, Diagnosis, Fix]) -> None:
    """Added and removed lines have their colours on a terminal, and none elsewhere."""
    assert "\x1b[32m+        if workflow.patched" in fix_text(renamed[2], style=Style(True))
    assert "\x1b" not in fix_text(renamed[2])
