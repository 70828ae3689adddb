"""`Deploy`: the code that takes over in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from playhead_engine.record import frozen_record


@frozen_record
class Deploy:
    """Code that is deployed while runs are under way. All else about the engine stays.

    Attributes:
        workflows: The workflow classes from then on.
        activities: The activities from then on; None if they stay.
    """

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]] | None = None
