"""Whoever has the plugin installed and does not use it does not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.replay.plugin.suite import ORDERS, ROOT, Suite, suite

__all__ = ["suite"]

SAY_WHAT_IS_LOADED = """
    import json, sys
    from pathlib import Path

    def test_loaded():
        Path("loaded.json").write_text(json.dumps(sorted(sys.modules)))
"""
ALWAYS = {"hooks", "fixtures", "folders", "stash"}
HEAVY = {"textual", "temporalio", "hypothesis", "orjson", "diskcache", "asyncio", "google"}


def loaded(suite: Suite, *arguments: str) -> tuple[set[str], set[str]]:
    """The modules of ours that a run of pytest has loaded, and the packages of others."""
    ran = suite.pytest(*arguments)
    assert ran.outcomes["passed"] >= 1, ran.output
    names = json.loads((suite.root / "loaded.json").read_text())
    return {name for name in names if name.startswith("playhead")}, {name.partition(".")[0] for name in names}


def test_it_loads_nothing_for_those_who_do_not_use_it(suite: Suite) -> None:
    """Four small modules, in projects without histories, whatever JSON lies about."""
    suite.write("tests/test_loaded.py", SAY_WHAT_IS_LOADED)
    suite.write("tests/data.json", "{}")
    suite.write("pyproject.toml", '[project]\nname = "app"\ndependencies = ["playhead"]\n')
    ours, others = loaded(suite)
    assert ours == {"playhead", "playhead.pytest_plugin", *(f"playhead.pytest_plugin.{name}" for name in ALWAYS)}
    assert not others & HEAVY


def test_it_loads_no_replayer_before_there_is_something_to_replay(suite: Suite) -> None:
    """Who runs other tests of a project with histories waits for none of that."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    suite.write("tests/unit/test_loaded.py", SAY_WHAT_IS_LOADED)
    ours, others = loaded(suite, "tests/unit")
    assert "playhead.pytest_plugin.session" in ours
    assert not ours & {"playhead.replayer", "playhead.readers", "playhead.loading", "playhead.diagnosis"}
    assert not others & HEAVY


def test_replaying_native_code_needs_neither_temporalio_nor_textual(suite: Suite) -> None:
    """Nor Hypothesis: a replay in pytest loads what a replay needs."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    suite.write("tests/test_loaded.py", SAY_WHAT_IS_LOADED)
    ours, others = loaded(suite)
    assert "playhead.replayer" in ours
    assert not others & {"textual", "temporalio", "hypothesis"}


def test_loading_it_takes_less_than_twenty_milliseconds(tmp_path: Path) -> None:
    """On top of what pytest itself loads. Processor time is measured, since other programs may be running as well."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users have compiled it once

    def milliseconds() -> float:
        command = [sys.executable, "-c", HOW_LONG]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    assert any(milliseconds() < 20 for _ in range(5))


HOW_LONG = """
import time, tomllib, pytest
begun = time.process_time()
import playhead.pytest_plugin.hooks
print((time.process_time() - begun) * 1000)
"""
