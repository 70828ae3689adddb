"""A user's project in a directory of its own: files are written, and its modules are forgotten afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "temporal"
ORDER = FIXTURES / "orders_completed.json"

APP = """
    from datetime import timedelta

    from temporalio import activity, workflow


    @activity.defn
    async def greet(name: str) -> str:
        return f"Hello, {name}"


    @workflow.defn
    class Greeting:
        @workflow.run
        async def run(self, name: str) -> str:
            return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=5))


    @workflow.defn
    class Parting:
        @workflow.run
        async def run(self, name: str) -> str:
            return f"Farewell, {name}"
"""


class Project:
    """The directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def run(
        self, *arguments: str, has_temporalio: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Give a command in the directory, as a user does, with or without the extra, in an environment with more."""
        path = [str(ROOT)]
        if not has_temporalio:
            self.write("without/sitecustomize.py", "import sys\nsys.modules['temporalio'] = None\n")
            path.insert(0, str(self.root / "without"))
        return subprocess.run(
            [sys.executable, "-m", "playhead", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path),
                "PYTHONDONTWRITEBYTECODE": "1",
                **(environment or {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with one module of workflows for `temporalio`, which is the current directory."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Project(tmp_path)
    made.write("app/__init__.py", "")
    made.write("app/workflows.py", APP)
    yield made
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file is not None and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]
