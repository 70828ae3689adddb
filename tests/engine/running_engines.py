"""Engines for the tests that run workflows: every such test holds in memory and on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from playhead_engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MakeEngine(Protocol):
    """Makes an engine that is closed when the test is over."""

    def __call__(self, *code: Any, **options: Any) -> Engine:
        """Make one.

        Args:
            code: Workflow classes and activities.
            options: As `Engine` takes them.
        """
        ...


@pytest.fixture(params=["memory", "disk"])
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes engines on the virtual clock, in memory or on disk."""
    made: list[Engine] = []

    def make(*code: Any, **options: Any) -> Engine:
        workflows = [one for one in code if hasattr(one, "run")]
        activities = [one for one in code if one not in workflows]
        if request.param == "disk":
            options.setdefault("path", tmp_path / f"store-{len(made)}")
            options.setdefault("synchronous", "NORMAL")
        options.setdefault("clock", "virtual")
        options.setdefault("seed", 7)
        made.append(Engine(workflows=workflows, activities=activities, **options))
        return made[-1]

    yield make
    for engine in made:
        engine.__exit__(None, None, None)
