"""The table of broken workflows: each is diagnosed as its golden file says.

Rewrite the golden files with `PLAYHEAD_REWRITE_GOLDEN=1`, and read what has changed before committing it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from playhead import Replayer
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.text import diagnosis_text, fix_text
from playhead.rendering import report
from playhead.verdict import Diverges
from playhead_engine.history import History
from tests.replay.diagnosis_case import WORKFLOW_ID, BrokenCase, all_cases, load, recorded, workflows_of

REWRITE = bool(os.environ.get("PLAYHEAD_REWRITE_GOLDEN"))
WIDTH = 120


def summary(case: BrokenCase, history: History, diagnosis: Diagnosis, fix: Fix) -> str:
    """What a golden file holds: class and line of each difference, the report of a terminal, and the fix."""
    lines = [case.sentence, f"from: {case.directives['from']}", ""]
    code = case.after.splitlines()
    for number in diagnosis.alignment.differences():
        row = diagnosis.alignment.rows[number]
        line = code[row.site.line - 1].strip() if row.site is not None else "-"
        lines.append(f"{row.change}: event {row.event_id or '-'}: {line}")
    lines += ["", report(case.name, history, diagnosis.verdict, width=WIDTH), diagnosis_text(diagnosis, width=WIDTH)]
    lines += ["", fix_text(fix, width=WIDTH)]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_broken_workflow_is_diagnosed(case: BrokenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Class, line, cause and fix are those of the golden file, and the verdict is Temporal's."""
    monkeypatch.chdir(tmp_path)
    history = recorded(case, tmp_path)
    path = tmp_path / f"{case.name}.py"
    path.write_text(case.after)
    replayer = Replayer(workflows_of(load(path)))
    diagnosis = replayer.diagnose(history)
    shown = summary(case, history, diagnosis, replayer.fix(diagnosis, history))
    if REWRITE:
        case.golden.write_text(shown)
    assert shown == case.golden.read_text()
    agree_with_temporal(history, path, diagnosis)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_the_same_code_for_temporalio_is_diagnosed_alike(
    case: BrokenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that differs in nothing but its imports gets the same diagnosis and the same fix, letter by letter."""
    runners = pytest.importorskip("temporalio.worker")
    monkeypatch.chdir(tmp_path)
    history = recorded(case, tmp_path)
    path = tmp_path / f"{case.name}.py"
    path.write_text(re.sub(r"(?m)^(from|import) playhead_engine", r"\1 temporalio", case.after))
    replayer = Replayer(workflows_of(load(path)), workflow_runner=runners.UnsandboxedWorkflowRunner())
    diagnosis = replayer.diagnose(history)
    shown = summary(case, history, diagnosis, replayer.fix(diagnosis, history))
    assert without_names(shown) == without_names(case.golden.read_text())


def without_names(text: str) -> str:
    """The SDK does not keep what a condition is called; its line tells."""
    return re.sub(r"for condition \S+ at", "for condition at", text)


def agree_with_temporal(history: History, path: Path, diagnosis: Diagnosis) -> None:
    """Temporal's Replayer says the same of the same code, and names the same event."""
    pytest.importorskip("temporalio.worker")
    from tests.replay.temporal_judge import in_temporalio_form, judge

    module = in_temporalio_form(path)
    theirs = judge(history.canonical_json(), WORKFLOW_ID, [module.Order])
    verdict = diagnosis.verdict
    assert theirs.verdict == getattr(verdict, "temporal", "error"), theirs.message
    if theirs.event_id is not None:
        assert isinstance(verdict, Diverges)
        assert theirs.event_id == verdict.divergence.event_id
