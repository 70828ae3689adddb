"""The sample in `examples/shop`, in copies of its own, and the edits that it lists."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "examples" / "shop"
_HEAD = re.compile(r"(?P<sentence>.+)\n\nannotation: (?P<file>[^:\n]+):(?P<line>\d+): (?P<words>.+)\n\n--- a/")
_ANNOTATION = re.compile(
    r"^::error file=(?P<file>[^,]+),line=(?P<line>\d+),title=[^:]*::(?P<message>.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Edit:
    """One of the listed edits.

    Attributes:
        patch: Its file.
        sentence: What somebody wanted.
        line: The file and line that are to be annotated.
        words: What the annotation is to say.
    """

    patch: Path
    sentence: str
    line: str
    words: str


@dataclass(frozen=True)
class Ran:
    """What a command came to: its exit code, and what it printed."""

    code: int
    said: str

    def annotations(self) -> list[tuple[str, str]]:
        """The lines that GitHub is told to mark as errors, each with what is said there."""
        found = _ANNOTATION.finditer(self.said)
        return [(f"{one['file']}:{one['line']}", one["message"].replace("%0A", "\n")) for one in found]


def listed_edits() -> list[Edit]:
    """All edits that the sample lists."""
    edits: list[Edit] = []
    for patch in sorted((SAMPLE / "edits").glob("*.patch")):
        head = _HEAD.match(patch.read_text())
        assert head is not None, f"{patch.name} does not say what it is and what is to be annotated"
        edits.append(Edit(patch, head["sentence"], f"{head['file']}:{head['line']}", head["words"]))
    return edits


def copied(folder: Path, edit: Edit | None = None) -> Path:
    """A copy of the sample, as it was committed or with an edit."""
    unwanted = shutil.ignore_patterns(".playhead_cache", ".pytest_cache", "__pycache__", ".venv")
    shutil.copytree(SAMPLE, folder, ignore=unwanted)
    if edit is not None:
        subprocess.run(["git", "apply", str(edit.patch)], cwd=folder, check=True)
    return folder


def gate(folder: Path) -> Ran:
    """Run `playhead check` in a copy as a job of GitHub does."""
    environment = {
        **os.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "PYTHONHASHSEED": "0",  # a loop over a set would break only most of the time
    }
    command = [sys.executable, "-m", "playhead", "check"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout + done.stderr)


def suite(folder: Path, *arguments: str) -> Ran:
    """Run the tests of a copy in this very process, which must have loaded no other copy."""
    os.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments])
    return Ran(int(code), said.getvalue())
