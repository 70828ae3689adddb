"""What may know of what: the contracts between the packages, and what an import or a `--help` drags along.

Each of these is tried in a process of its own: this one has loaded half of everything already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.conftest import ROOT

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("engine", "replay", "tui")),
    "PYTHONDONTWRITEBYTECODE": "1",
}
TEST_TOOLS_AND_SDKS = {"pytest", "hypothesis", "textual", "temporalio"}
TOO_HEAVY_FOR_HELP = TEST_TOOLS_AND_SDKS | {"asyncio", "diskcache", "google", "orjson", "pydantic", "sqlite3"}

IMPORT_EVERY_MODULE = """
import importlib, pkgutil
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.startswith({optional!r}) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
USE_EVERY_NAME = """
import importlib
package = importlib.import_module({package!r})
for name in package.__all__:
    getattr(package, name)
"""
SAY_WHAT_WAS_LOADED = """
import json, sys
print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Names of the top-level modules that a program has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", program + SAY_WHAT_WAS_LOADED, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(loaded)


def test_the_packages_know_only_those_below_them() -> None:
    """The debugger knows the product, the product knows the engine, and never the other way round."""
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("package", "optional"),
    [
        ("playhead_engine", ("playhead_engine.contrib", "playhead_engine.temporal.")),
        ("playhead", ("playhead.pytest_plugin", "playhead.temporal.", "playhead.faults.strategies")),
    ],
)
def test_no_module_needs_test_tools_or_an_sdk(package: str, optional: str) -> None:
    """Whoever runs workflows in production need not install what tests them, and nobody needs Temporal's SDK."""
    loaded = loaded_by(IMPORT_EVERY_MODULE.format(package=package, optional=optional))
    assert package in loaded
    assert not loaded & TEST_TOOLS_AND_SDKS


@pytest.mark.parametrize("package", ["playhead_engine", "playhead"])
def test_every_public_name_is_there_without_test_tools_or_an_sdk(package: str) -> None:
    """Names are looked up when they are first used; each of them must be found."""
    loaded = loaded_by(USE_EVERY_NAME.format(package=package))
    assert not loaded & TEST_TOOLS_AND_SDKS


@pytest.mark.parametrize("package", ["playhead_engine", "playhead", "playhead_tui"])
def test_importing_a_package_alone_loads_nothing_else(package: str) -> None:
    """A test that imports us for one function must not wait for the rest."""
    loaded = loaded_by(f"import {package}")
    assert package in loaded
    assert not loaded & TOO_HEAVY_FOR_HELP


def test_help_loads_nothing_that_takes_time() -> None:
    """People ask for help often, and shells complete words by asking for it."""
    program = """
import contextlib, runpy
with contextlib.suppress(SystemExit):
    runpy.run_module("playhead", run_name="__main__", alter_sys=True)
"""
    loaded = loaded_by(program, "--help")
    assert "argparse" in loaded, "it did not even get as far as its arguments"
    assert not loaded & TOO_HEAVY_FOR_HELP


def test_help_answers_at_once() -> None:
    """In less than 0.15 s; processor time is measured, since other programs may be running as well."""
    assert min(processor_seconds(["-m", "playhead", "--help"]) for _ in range(3)) < 0.15


def processor_seconds(arguments: Sequence[str]) -> float:
    before = os.times()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
