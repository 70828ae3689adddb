"""Playhead: replay testing and debugging for durable workflows.

    from playhead import Replayer

    verdict = Replayer([OrderFulfilment]).replay("fixtures/temporal/orders_completed.json")

Names are imported when they are first used, so that `import playhead` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playhead.divergence import Divergence, DivergenceKind
    from playhead.hotfix.answers import Answers
    from playhead.hotfix.future import Future
    from playhead.hotfix.preview import Hotfix, preview
    from playhead.readers import UnreadableHistory, read_history
    from playhead.replayer import NoHistories, Replayed, Replayer
    from playhead.report import report
    from playhead.verdict import (
        Agrees,
        CodeRaised,
        CodeUnfinished,
        Diverges,
        NotReplayable,
        ReplayFailed,
        ReplayWarning,
        Verdict,
    )

_HOME = {
    "Agrees": "verdict",
    "Answers": "hotfix.answers",
    "CodeRaised": "verdict",
    "CodeUnfinished": "verdict",
    "Divergence": "divergence",
    "DivergenceKind": "divergence",
    "Diverges": "verdict",
    "Future": "hotfix.future",
    "Hotfix": "hotfix.preview",
    "NoHistories": "replayer",
    "NotReplayable": "verdict",
    "ReplayFailed": "verdict",
    "ReplayWarning": "verdict",
    "Replayed": "replayer",
    "Replayer": "replayer",
    "UnreadableHistory": "readers",
    "Verdict": "verdict",
    "preview": "hotfix.preview",
    "read_history": "readers",
    "report": "report",
}

__all__ = [
    "Agrees",
    "Answers",
    "CodeRaised",
    "CodeUnfinished",
    "Divergence",
    "DivergenceKind",
    "Diverges",
    "Future",
    "Hotfix",
    "NoHistories",
    "NotReplayable",
    "ReplayFailed",
    "ReplayWarning",
    "Replayed",
    "Replayer",
    "UnreadableHistory",
    "Verdict",
    "preview",
    "read_history",
    "report",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"playhead.{_HOME[name]}"), name)
    raise AttributeError(f"module 'playhead' has no attribute {name!r}")
