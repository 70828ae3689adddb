"""What pytest loads: options, and hooks that do nothing until somebody wants something of this plugin.

It is loaded in every run of pytest of everybody who has Playhead installed. So it imports nothing of Playhead that
takes time, and each hook asks first whether there is anything to do.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

from playhead.pytest_plugin.fixtures import (
    doubles,
    histories,
    playhead_history,
    recorded,
    replay,
    replayer,
    workflow_engine,
)
from playhead.pytest_plugin.folders import project_folders
from playhead.pytest_plugin.stash import AFTER, BEFORE, SESSION

__all__ = ["doubles", "histories", "playhead_history", "recorded", "replay", "replayer", "workflow_engine"]

_MARKER: Final = (
    "playhead(*histories, *workflows, verdict='agrees', event=None, error=None, allow=reason, until=day, at={}, "
    "queries=(), strict=False, always_replay=True): what replays of these histories with these classes come to."
)
_TABLE: Final = rb"(?m)tool\s*\.\s*[\"']?playhead|^\s*[\"']?playhead[\"']?\s*[.=]"
_ENDINGS: Final = (".json", ".gz", ".bin", ".pb")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; each that says something of the project stands for a key of `[tool.playhead]`."""
    group = parser.getgroup("playhead", "replay of workflow histories (Playhead)")
    add = group.addoption
    add(
        "--playhead-update", action="store_true", help="write baselines and watched states that are new or have changed"
    )
    add(
        "--playhead-keep",
        action="store_true",
        help="with --playhead-update: keep a changed baseline beside the new one",
    )
    add("--playhead-always-replay", action="store_true", help="replay every workflow run that a test makes")
    add("--playhead-strict", action="store_true", help="other arguments, timeouts and results fail, too")
    add("--playhead-require-coverage", action="store_true", help="fail if there is a workflow without a history")
    add("--playhead-histories", action="append", metavar="PATH", help="histories; may be repeated")
    add("--playhead-workflows", action="append", metavar="MODULE", help="workflow code; may be repeated")
    add("--playhead-worker", metavar="MODULE", help="the function that makes the worker")
    add("--playhead-codec-auth", metavar="VALUE", help="what to send to the codec server as Authorization")
    parser.addini("playhead_histories", "files, folders and globs of histories", type="linelist")
    parser.addini("playhead_workflows", "modules with workflow code", type="linelist")
    parser.addini("playhead_worker", "the function that makes the worker", default="")
    parser.addini("playhead_always_replay", "replay every workflow run that a test makes", type="bool", default=False)
    parser.addini("playhead_strict", "other arguments, timeouts and results fail, too", type="bool", default=False)
    parser.addini(
        "playhead_require_coverage", "fail if there is a workflow without a history", type="bool", default=False
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Find out whether there is anything to do, and which histories are meant."""
    config = session.config
    if not _is_wanted(config):
        return
    from playhead.pytest_plugin.reporting import Reporting
    from playhead.pytest_plugin.session import session_of

    replays = session_of(config)
    replays.take_up()
    config.pluginmanager.register(Reporting(replays), "playhead-reporting")
    if replays.always_replays:
        from playhead.pytest_plugin.capturing import Capturing

        config.pluginmanager.register(Capturing(replays), "playhead-always-replay")


def _is_wanted(config: pytest.Config) -> bool:
    """Whether anybody has said anything of histories, as far as that can be told without reading TOML."""
    options = ("histories", "workflows", "worker", "always_replay", "update")
    if any(config.getoption(f"playhead_{name}") for name in options):
        return True
    if any(config.getini(f"playhead_{name}") for name in options[:-1]):
        return True
    for folder in project_folders(config):
        try:
            text = (folder / "pyproject.toml").read_bytes()
        except OSError:
            continue
        if b"playhead" in text and re.search(_TABLE, text):
            return True
    return False


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A history becomes a test."""
    session = parent.config.stash.get(SESSION, None)
    if session is None or not file_path.name.lower().endswith(_ENDINGS):
        return None
    if not session.means(file_path, is_named=parent.session.isinitpath(file_path)):
        return None
    from playhead.pytest_plugin.items import HistoryFile

    made: pytest.Collector = HistoryFile.from_parent(parent, path=file_path)
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked with several histories runs once for each."""
    if metafunc.definition.get_closest_marker("playhead") is not None:
        from playhead.pytest_plugin.marked import parametrize

        parametrize(metafunc)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let fixtures have their say on whether the test fails."""
    for check in item.stash.get(BEFORE, ()):
        check()
    result = yield
    for check in item.stash.get(AFTER, ()):
        check()
    return result
