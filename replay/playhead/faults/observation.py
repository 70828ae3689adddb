"""What Hypothesis is told of a trial, where one of its tests runs; and nothing at all elsewhere.

Hypothesis shows notes of the failing example only, when it has shrunk it. This module must not load Hypothesis: where
it is not loaded, no test of its runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from playhead.faults.reproduction import told

if TYPE_CHECKING:
    from playhead.faults.trial import Trial


def leave_note(trial: Trial[Any]) -> None:
    """Leave a note of how to have a trial again, should the example fail."""
    hypothesis: Any = sys.modules.get("hypothesis")
    if hypothesis is not None and hypothesis.currently_in_test_context():
        hypothesis.note(_WhenShown(trial))


def count_strikes(trial: Trial[Any]) -> None:
    """Count what struck for `--hypothesis-show-statistics`."""
    hypothesis: Any = sys.modules.get("hypothesis")
    if hypothesis is not None and hypothesis.currently_in_test_context():
        for strike in sorted({f"{fault.point.kind} {fault.strike}" for fault in trial.struck}):
            hypothesis.event(f"struck: {strike}")


def target(trial: Trial[Any]) -> None:
    """Have Hypothesis look for examples in which more faults strike and histories are longer.

    Call it in a test, once for each example; it is `hypothesis.target` twice.

    Args:
        trial: What `run` or `check` gave.
    """
    import hypothesis

    hypothesis.target(len(trial.struck), label="faults that struck")
    hypothesis.target(sum(map(len, trial.histories)), label="events in histories")


class _WhenShown:
    """Saves histories when it is shown, and not for each of the hundreds of examples that nobody is shown."""

    def __init__(self, trial: Trial[Any]) -> None:
        self._trial = trial

    def __repr__(self) -> str:
        return told(self._trial)
