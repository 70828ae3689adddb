"""Replays a history in a test, and lets Temporal's core confirm the outcome where `temporalio` is installed.

So a test that names a rule proves both: that the rule holds here, and that it is core's. Core is asked about the rules
of the release that is installed, not about those of another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from playhead_engine.messages import Json
from playhead_engine.profile import LATEST, Profile, installed_profile
from tests.engine.history_builder import HistoryBuilder
from tests.engine.scripted_run import Answer, Replayed, Script, in_order, replay

difference_from_core: Callable[[Sequence[Json], Script, Replayed], str | None] | None
try:
    from tests.engine.agreement import difference_from_core
except pytest.skip.Exception:
    difference_from_core = None  # then our word must do


def replayed(history: HistoryBuilder, *answers: Answer, profile: Profile = LATEST) -> Replayed:
    """Replay a history.

    Args:
        history: What was recorded.
        answers: What the code answers to the first activation, to the second, and so on; to further ones, nothing.
        profile: The release whose rules apply.
    """
    script = in_order(*answers)
    ours = replay(history.parsed, script, profile)
    if difference_from_core is not None and profile == installed_profile():
        difference = difference_from_core(history.events, script, ours)
        assert difference is None, difference
    return ours
