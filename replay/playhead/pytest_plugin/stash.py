"""What is kept with a session of pytest and its tests. Nothing is loaded here, since pytest loads this in every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

if TYPE_CHECKING:
    from playhead.pytest_plugin.session import ReplaySession

SESSION: Final[pytest.StashKey[ReplaySession]] = pytest.StashKey()
"""With the configuration: what the session has to do with histories; there once anybody wants to know."""

NOTES: Final = pytest.StashKey[list[dict[str, Any]]]()
"""What is to be said of the test besides its outcome; travels with its report."""

BEFORE: Final = pytest.StashKey[list[Callable[[], None]]]()
"""What may fail the test once its fixtures are there, before its function runs: so that it fails, and they do not."""

AFTER: Final = pytest.StashKey[list[Callable[[], None]]]()
"""What may fail the test when its function is done."""


def note(item: pytest.Item, **said: Any) -> None:
    """Say something of a test besides its outcome: plain data, since it may travel to another process."""
    item.stash.setdefault(NOTES, []).append(said)


def fail(reason: object) -> NoReturn:
    """Fail a test with words alone, whatever exception is being handled."""
    raise pytest.fail.Exception(str(reason), pytrace=False) from None
