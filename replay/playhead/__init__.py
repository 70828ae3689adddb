"""Playhead: replay testing and debugging for durable workflows.

    from playhead import Replayer

    verdict = Replayer([OrderFulfilment]).replay("fixtures/temporal/orders_completed.json")

Names are imported when they are first used, so that `import playhead` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playhead.allowances import Allowance
    from playhead.assertions import assert_replays
    from playhead.capture import always_replay
    from playhead.checking.checking import NothingToCheck, check
    from playhead.checking.outcome import Check, Outcome, Standing
    from playhead.diagnosis.alignment import Change
    from playhead.diagnosis.diagnosis import Diagnosis
    from playhead.diagnosis.fix import Fix
    from playhead.divergence import Divergence, DivergenceKind
    from playhead.doubles import Doubles, NotRecorded
    from playhead.hotfix.answers import Answers
    from playhead.hotfix.future import Future
    from playhead.hotfix.preview import Hotfix, preview
    from playhead.pytest_plugin.fixture_types import MakeEngine, Recorded
    from playhead.readers import UnreadableHistory, read_history
    from playhead.rendering import report
    from playhead.replayer import NoHistories, Replayed, Replayer
    from playhead.timeline.asking import NotAnswered
    from playhead.timeline.expression import BadExpression, ExpressionFailed
    from playhead.timeline.marks import NoSuchMark
    from playhead.timeline.recording import Recording
    from playhead.timeline.state import State
    from playhead.verdict import (
        Agrees,
        CodeRaised,
        CodeUnfinished,
        Diverges,
        NeedsValue,
        NotReplayable,
        ReplayFailed,
        ReplayWarning,
        Verdict,
    )

_HOME = {
    "Agrees": "verdict",
    "Allowance": "allowances",
    "Answers": "hotfix.answers",
    "BadExpression": "timeline.expression",
    "Change": "diagnosis.alignment",
    "Check": "checking.outcome",
    "CodeRaised": "verdict",
    "CodeUnfinished": "verdict",
    "Diagnosis": "diagnosis.diagnosis",
    "Divergence": "divergence",
    "DivergenceKind": "divergence",
    "Diverges": "verdict",
    "Doubles": "doubles",
    "ExpressionFailed": "timeline.expression",
    "Fix": "diagnosis.fix",
    "Future": "hotfix.future",
    "Hotfix": "hotfix.preview",
    "MakeEngine": "pytest_plugin.fixture_types",
    "NeedsValue": "verdict",
    "NoHistories": "replayer",
    "NoSuchMark": "timeline.marks",
    "NotAnswered": "timeline.asking",
    "NotRecorded": "doubles",
    "NotReplayable": "verdict",
    "NothingToCheck": "checking.checking",
    "Outcome": "checking.outcome",
    "Recorded": "pytest_plugin.fixture_types",
    "Recording": "timeline.recording",
    "ReplayFailed": "verdict",
    "ReplayWarning": "verdict",
    "Replayed": "replayer",
    "Replayer": "replayer",
    "Standing": "checking.outcome",
    "State": "timeline.state",
    "UnreadableHistory": "readers",
    "Verdict": "verdict",
    "check": "checking.checking",
    "always_replay": "capture",
    "assert_replays": "assertions",
    "preview": "hotfix.preview",
    "read_history": "readers",
    "report": "rendering",
}

__all__ = [
    "Agrees",
    "Allowance",
    "Answers",
    "BadExpression",
    "Change",
    "Check",
    "CodeRaised",
    "CodeUnfinished",
    "Diagnosis",
    "Divergence",
    "DivergenceKind",
    "Diverges",
    "Doubles",
    "ExpressionFailed",
    "Fix",
    "Future",
    "Hotfix",
    "MakeEngine",
    "NeedsValue",
    "NoHistories",
    "NoSuchMark",
    "NotAnswered",
    "NotRecorded",
    "NotReplayable",
    "NothingToCheck",
    "Outcome",
    "Recorded",
    "Recording",
    "ReplayFailed",
    "ReplayWarning",
    "Replayed",
    "Replayer",
    "Standing",
    "State",
    "UnreadableHistory",
    "Verdict",
    "always_replay",
    "assert_replays",
    "check",
    "preview",
    "read_history",
    "report",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"playhead.{_HOME[name]}"), name)
    raise AttributeError(f"module 'playhead' has no attribute {name!r}")
