"""The sample application: its tests and its gate pass, and fail at the right line after any of the edits it lists."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.replay.sample_edits import SAMPLE, Edit, Ran, copied, gate, listed_edits, suite

pytest.importorskip("temporalio.worker")
pytest.importorskip("pydantic")

REPOSITORY = Path(__file__).parents[2]
EDITS = listed_edits()
AS_COMMITTED = "as committed"
# Loaded once, and then forked for each copy: only the sample itself is another one each time.
PRELOADED = ["tests.replay.sample_edits", "temporalio.worker", "temporalio.contrib.pydantic", "playhead.explanation"]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the sample: one for each edit, and one as it is."""
    folder = tmp_path_factory.mktemp("sample")
    edited = {edit.patch.stem: copied(folder / edit.patch.stem, edit) for edit in EDITS}
    return {AS_COMMITTED: copied(folder / "committed"), **edited}


@pytest.fixture(scope="module")
def gates(copies: dict[str, Path]) -> Iterator[dict[str, Future[Ran]]]:
    """What `playhead check` says of each copy."""
    with ThreadPoolExecutor(2) as threads:
        yield {name: threads.submit(gate, folder) for name, folder in copies.items()}


@pytest.fixture(scope="module")
def suites(copies: dict[str, Path]) -> Iterator[dict[str, Future[Ran]]]:
    """What the tests of each copy come to, each in a process of its own: all of them, or the first one that fails."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch, ProcessPoolExecutor(2, context, max_tasks_per_child=1) as processes:
        patch.setenv("PYTHONHASHSEED", "0")  # a loop over a set would break only most of the time
        arguments = {name: () if name == AS_COMMITTED else ("--exitfirst", "histories") for name in copies}
        yield {name: processes.submit(suite, folder, *arguments[name]) for name, folder in copies.items()}


def test_the_gate_passes(gates: dict[str, Future[Ran]]) -> None:
    """All histories agree with the code, every workflow has one, and nothing is annotated."""
    ran = gates[AS_COMMITTED].result()
    assert ran.code == 0, ran.said
    assert "16 histories" in ran.said
    assert "::" not in ran.said


def test_its_tests_pass(suites: dict[str, Future[Ran]]) -> None:
    """Histories are collected beside the functions, and none is left out."""
    ran = suites[AS_COMMITTED].result()
    assert ran.code == 0, ran.said
    assert "16 histories: 16 agrees" in ran.said
    assert "22 passed" in ran.said


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.patch.stem)
def test_the_gate_annotates_an_edit(edit: Edit, gates: dict[str, Future[Ran]]) -> None:
    """The gate fails with one annotation, at the line and with the words that the list promises."""
    ran = gates[edit.patch.stem].result()
    assert ran.code == 1, ran.said
    [(line, message)] = ran.annotations()
    assert line == edit.line
    assert edit.words in message


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.patch.stem)
def test_its_tests_fail_with_an_edit(edit: Edit, suites: dict[str, Future[Ran]]) -> None:
    """The same is said where somebody runs the tests before they push."""
    ran = suites[edit.patch.stem].result()
    assert ran.code == 1, ran.said
    assert f"at        {edit.line} in " in ran.said


def test_its_workflow_file_runs_its_tests_and_the_action_of_this_repository() -> None:
    """With nothing that the action does not take, and in an environment with what the sample needs."""
    yaml = pytest.importorskip("yaml")
    jobs = yaml.safe_load((SAMPLE / ".github/workflows/replay.yml").read_text())["jobs"]
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    tests, histories = (job["steps"] for job in jobs.values())
    assert [step["run"].split()[0] for step in tests if "run" in step] == ["pip", "pytest"]
    assert [step["run"] for step in histories if "run" in step] == ["pip install '.[test]'"]
    assert histories[-1]["uses"].startswith("playhead/playhead@")
    assert set(histories[-1].get("with", {})) <= set(action["inputs"])


def test_ten_edits_are_listed() -> None:
    """The README lists every edit by the sentence that its patch begins with."""
    readme = (SAMPLE / "README.md").read_text()
    listed = re.findall(r"^\| \[`(.+?)`\]\(edits/\1\.patch\) \| (.+?) \|$", readme, re.MULTILINE)
    assert listed == [(edit.patch.stem, edit.sentence) for edit in EDITS]
    assert len(EDITS) == 10


@pytest.mark.skipif("PLAYHEAD_FRESH_ENVIRONMENT" not in os.environ, reason="installs packages; takes a minute")
def test_what_the_readme_says_works_in_a_fresh_environment(tmp_path: Path) -> None:
    """Its commands, typed as they stand there into a new checkout: first all is well, then the edit is found."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    folder = tmp_path / SAMPLE.relative_to(REPOSITORY)
    install, edit = re.findall(r"(?ms)^```sh\n(.*?)^```", (folder / "README.md").read_text())
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def typed(commands: str) -> Ran:
        done = subprocess.run(
            ["bash", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    ran = typed(install)
    assert ran.code == 0, ran.said
    assert "22 passed" in ran.said
    assert "16 histories" in ran.said

    ran = typed(edit.replace("; ", " || true; ").replace("--github", "--github || true"))
    assert ran.code == 0, ran.said
    [(line, message)] = ran.annotations()
    assert line.endswith(EDITS[0].line)
    assert EDITS[0].words in message
    assert re.search(r"\d+ failed", ran.said)
