"""The longest history that a server lets a run write, read once for all tests of a process."""

from __future__ import annotations

from functools import cache

from benchmarks.histories import sequential_activities

from playhead.readers import read_history
from playhead_engine.history import History


@cache
def longest() -> History:
    """51,203 events: 8,533 activities, one after the other."""
    return read_history(sequential_activities(8_533))
