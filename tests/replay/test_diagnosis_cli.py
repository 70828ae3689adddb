"""The diagnosis on the command line: what `playhead replay` shows of it, in which format, and what it writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from playhead.__main__ import main
from playhead.diagnosis.document import SCHEMA
from tests.replay.json_schema import problems

ROOT = Path(__file__).parents[2]
BROKEN = ["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders_broken"]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given at the root of the repository, to a plain terminal."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_a_divergence_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Below the first difference stands the whole one, and why."""
    assert main(BROKEN) == 1
    out = capsys.readouterr().out
    assert "activity check_fraud  examples/orders_broken.py:88  added" in out
    assert "A new step at line 88, before the activity charge of line 92" in out


def test_brief_shows_the_first_difference_only(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--brief` nothing is looked for."""
    assert main([*BROKEN, "--brief"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["recorded", "now", "at", "rules"]


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_holds_the_diagnosis(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Both ways of asking for JSON give one object with the diagnosis in it, by its schema."""
    assert main([*BROKEN, *option]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["event_id"] == 11
    assert problems(shown["diagnosis"], json.loads(SCHEMA.read_text())) == []
    assert [row["change"] for row in shown["diagnosis"]["differences"]] == ["added"]
    assert shown["diagnosis"]["fix"] is None


def test_markdown_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`--format markdown` prints a section for each history, agreeing ones included."""
    assert main([*BROKEN, "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("### `fixtures/temporal/orders_completed.json`: diverges at event 11\n")
    assert main([*BROKEN[:3], "examples.orders", "--format", "markdown"]) == 0
    assert capsys.readouterr().out == "### `fixtures/temporal/orders_completed.json`: agrees (23 events)\n\n"


def test_the_fix_is_shown_with_its_proof(capsys: pytest.CaptureFixture[str]) -> None:
    """`--fix` prints the patch, and says that it was replayed with."""
    assert main([*BROKEN, "--fix"]) == 1
    out = capsys.readouterr().out
    assert '+        if workflow.patched("add-check-fraud"):' in out
    assert "Proved: with it the recorded run agrees" in out


def test_the_fix_can_be_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--fix FILE` writes a patch that `git apply` takes, and the code it gives agrees with the run."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    assert main([*BROKEN, "--fix", str(tmp_path / "fix.diff")]) == 1
    subprocess.run(["git", "apply", "fix.diff"], cwd=tmp_path, check=True, capture_output=True)
    fixed = tmp_path / "fixed" / "orders_fixed_by_a_patch.py"
    fixed.parent.mkdir()
    shutil.copy(tmp_path / "examples" / "orders_broken.py", fixed)
    capsys.readouterr()
    assert main([*BROKEN[:3], str(fixed)]) == 0, capsys.readouterr().out


def test_warnings_are_looked_for_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that agrees is looked at for other arguments, timeouts and results with `--warnings`, and counts as
    before."""
    patient = tmp_path / "orders_patient.py"
    patient.write_text((ROOT / "examples" / "orders.py").read_text().replace("seconds=10", "seconds=30"))
    arguments = [*BROKEN[:3], str(patient)]
    assert main(arguments) == 0
    assert "warning" not in capsys.readouterr().out
    assert main([*arguments, "--warnings"]) == 0
    assert "activity reserve: the start-to-close timeout was 10s, now 30s" in capsys.readouterr().out


def test_strict_counts_them(tmp_path: Path) -> None:
    """With `--strict` as well, they make the command fail."""
    patient = tmp_path / "orders_more_patient.py"
    patient.write_text((ROOT / "examples" / "orders.py").read_text().replace("seconds=10", "seconds=40"))
    assert main([*BROKEN[:3], str(patient), "--warnings", "--strict", "--quiet"]) == 1
