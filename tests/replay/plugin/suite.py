"""Somebody's project with a test suite of its own, on which real pytest is run in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "fixtures" / "temporal"

# Plugins of others that are installed here, and take longer to load than the test.
_UNWANTED = ("CI", "PYTHONDONTWRITEBYTECODE")
_WITHOUT = ("-p", "no:hypothesispytest", "-p", "no:platformdirs")


@dataclass(frozen=True)
class Ran:
    """What a run of pytest came to.

    Attributes:
        code: What it exited with.
        output: What it wrote.
    """

    code: int
    output: str

    @property
    def outcomes(self) -> dict[str, int]:
        """How many tests passed, failed, and so on."""
        last = next((line for line in reversed(self.output.splitlines()) if re.search(r" in [\d.]+s", line)), "")
        return {
            kind.rstrip("s") if kind == "errors" else kind: int(n) for n, kind in re.findall(r"(\d+) ([a-z]+)", last)
        }

    def section(self, title: str) -> list[str]:
        """The lines below a headline of the terminal, up to the next one, without empty ones."""
        lines = self.output.splitlines()
        start = next(
            (at for at, line in enumerate(lines) if re.fullmatch(rf"[=_]+ {re.escape(title)} [=_]+", line)), None
        )
        assert start is not None, f"no section {title!r} in:\n{self.output}"
        rest = lines[start + 1 :]
        end = next((at for at, line in enumerate(rest) if re.match(r"[=_]{3,}| *\d+ (passed|failed)", line)), len(rest))
        return [line for line in rest[:end] if line]


class Suite:
    """The project.

    Attributes:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cache = root.parent / "bytecode"
        (root / "tests").mkdir()
        self.take_code("orders", "orders_broken")

    def configure(self, playhead: str = "", pytest_options: str = 'testpaths = ["tests"]') -> None:
        """Write `pyproject.toml`.

        Args:
            playhead: What stands below `[tool.playhead]`; no such table if empty.
            pytest_options: What stands below `[tool.pytest.ini_options]`.
        """
        table = f"[tool.playhead]\n{dedent(playhead)}\n" if playhead else ""
        self.write("pyproject.toml", f"{table}[tool.pytest.ini_options]\n{dedent(pytest_options)}\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def take_code(self, *names: str) -> None:
        """Copy examples of our own into its package `app`."""
        (self.root / "app").mkdir(exist_ok=True)
        for name in names:
            (self.root / "app" / f"{name}.py").write_bytes((ROOT / "examples" / f"{name}.py").read_bytes())

    def take(self, *names: str, folder: str = "tests/histories") -> None:
        """Copy recordings of our own into a folder."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (self.root / folder / f"{name}.json").write_bytes((FIXTURES / f"{name}.json").read_bytes())

    def pytest(self, *arguments: str, columns: int = 120, cwd: str = ".", **environment: str) -> Ran:
        """Run pytest, as its user does.

        Args:
            arguments: Of the command.
            columns: How wide the terminal is.
            cwd: In which folder.
            environment: What is set besides.
        """
        return self._run(["-m", "pytest", *_WITHOUT, *arguments], columns, cwd, environment)

    def lists(self, many: list[list[str]]) -> list[list[str]]:
        """Which tests pytest would run, for each of several command lines; all in one process."""
        program = (
            f"import pytest\nfor one in {many!r}:\n    pytest.main([*{_WITHOUT!r}, '-q', '--collect-only', *one])\n"
        )
        listed: list[list[str]] = [[]]
        for line in self._run(["-c", program]).output.splitlines():
            if "::" in line:
                listed[-1].append(line)
            elif line.endswith("s") and " in " in line:  # the last line of each
                listed.append([])
        return listed[:-1]

    def _run(
        self, command: list[str], columns: int = 120, cwd: str = ".", environment: dict[str, str] | None = None
    ) -> Ran:
        given = {**os.environ, "COLUMNS": str(columns), "PYTHONPYCACHEPREFIX": str(self._cache), **(environment or {})}
        given = {
            name: value for name, value in given.items() if not name.startswith("PYTEST_") and name not in _UNWANTED
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root / cwd,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """An empty project."""
    return Suite(tmp_path)


ORDERS = """
    workflows = ["app.orders"]
    histories = ["tests/histories"]
"""
BROKEN = ORDERS.replace("app.orders", "app.orders_broken")
