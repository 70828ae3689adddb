"""Engines for tests: in memory and on disk, under both clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from playhead_engine import Engine
from playhead_engine.history import History

MakeEngine = Callable[..., Engine]

KINDS = ("memory", "disk", "memory, real clock", "disk, real clock")


def options_of(kind: str, path: Path) -> dict[str, Any]:
    """What makes an engine of this kind."""
    options: dict[str, Any] = {"clock": "real" if "real" in kind else "virtual"}
    if kind.startswith("disk"):
        options |= {"path": path / "store", "synchronous": "NORMAL"}
    return options


@pytest.fixture(params=KINDS)
def any_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes an engine of each kind; closes it when the test is over."""
    with ExitStack() as closing:
        yield lambda **options: closing.enter_context(Engine(**(options_of(request.param, tmp_path) | options)))


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    """Makes engines in memory, under the virtual clock unless told otherwise; closes them when the test is over."""
    with ExitStack() as closing:
        yield lambda **options: closing.enter_context(Engine(**options))


def kinds(history: History) -> list[str]:
    """What happened, in order."""
    return [event.type_name for event in history]


def tasks_apart(history: History) -> list[str]:
    """What happened besides workflow tasks."""
    return [kind for kind in kinds(history) if not kind.startswith("WorkflowTask")]
