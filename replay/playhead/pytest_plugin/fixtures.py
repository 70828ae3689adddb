"""The fixtures. Each loads what it needs when a test takes it; none of them is there for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playhead.doubles import Doubles
    from playhead.pytest_plugin.fixture_types import MakeEngine, Recorded
    from playhead.replayer import Replayer
    from playhead.timeline.recording import Recording
    from playhead_engine import History


@pytest.fixture(scope="session")
def replayer(pytestconfig: pytest.Config) -> Replayer:
    """Replays histories with the code that `[tool.playhead]` names."""
    from playhead.pytest_plugin.provided import provided_replayer

    return provided_replayer(pytestconfig)


@pytest.fixture(scope="session")
def histories(pytestconfig: pytest.Config) -> Mapping[str, History]:
    """The histories that `[tool.playhead]` names, each by its path or enough of the end of it: `histories["order"]`."""
    from playhead.pytest_plugin.provided import provided_histories

    return provided_histories(pytestconfig)


@pytest.fixture
def playhead_history(request: pytest.FixtureRequest) -> Path:
    """The file of the history that the test is marked with."""
    from playhead.pytest_plugin.marked import history_of_test

    return history_of_test(request)


@pytest.fixture
def replay(request: pytest.FixtureRequest, playhead_history: Path) -> Iterator[Recording]:
    """A recording of the history that the test is marked with: `replay.at(event=7).query("status")`."""
    from playhead.pytest_plugin.marked import replayed

    yield from replayed(request, playhead_history)


@pytest.fixture
def workflow_engine(request: pytest.FixtureRequest) -> Iterator[MakeEngine]:
    """Makes engines in memory, on a virtual clock; they are closed when the test is over."""
    from playhead.pytest_plugin.provided import provided_engines

    yield from provided_engines(request.config)


@pytest.fixture
def doubles(request: pytest.FixtureRequest) -> Callable[..., Doubles]:
    """Makes `playhead.Doubles`; the test fails if they were asked for something that is recorded nowhere."""
    from playhead.pytest_plugin.provided import provided_doubles

    return provided_doubles(request)


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Recorded:
    """Holds a run against the baseline of a name: `recorded("orders/happy", handle)`."""
    from playhead.pytest_plugin.provided import provided_baselines

    return provided_baselines(request)
