"""Real downloads by SDKs of other languages, replayed by code for our own API; Temporal's Replayer is the judge.

The histories belong to others and are not part of the repository: without them these tests are skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import playhead
from playhead import Agrees, Diverges, Replayer
from tests.replay import foreign_workflows as code
from tests.replay.temporal_judge import in_temporalio_form, judge

# File, workflow id, the class that does what was recorded, a careless change of it.
CASES = [
    ("temporalio__samples-java/hello_activity_replay.*.json", "wid", code.Greeting, code.GreetingAfterAPause),
    ("temporalio__sdk-core/evict_while*-16_history.*.json", "fake", code.LocalThenRemote, code.OnlyLocal),
    ("temporalio__sdk-core/evict_while*-85_history.*.json", "fake", code.LocalThenRemote, code.OnlyLocal),
    ("temporalio__sdk-core/old_change_marker_format.*.json", "fake", code.Patched, code.PatchForgotten),
    (
        "temporalio__sdk-go/reset-workflow-with-child-failed.*.json",
        "w",
        code.ParentOfFailingChild,
        code.ForgivingParent,
    ),
    ("temporalio__sdk-go/continue-as-new.*.json", "w", code.Again, code.NeverAgain),
    ("temporalio__sdk-go/upsert-memo-workflow.*.json", "w", code.Memo, code.OneMemo),
    (
        "temporalio__sdk-typescript/lang_flags_replay_correctly_1_11_1.*.json",
        "w",
        code.TimerAgainstActivity,
        code.TimerForgotten,
    ),
    ("temporalio__sdk-typescript/signal_workflow_1_13_1.*.json", "w", code.SignalsItsChild, code.OtherChild),
    (
        "temporalio__sdk-dotnet/multi-signal-order.pre-dotnet-flag.*.json",
        "w",
        code.SignalledByItsActivity,
        code.WaitsForThreeSignals,
    ),
]
IDS = [f"{Path(pattern).name.partition('.')[0]}" for pattern, *_ in CASES]


def _only(shared_histories: Path, pattern: str) -> Path:
    found = list((shared_histories / "temporal").glob(pattern))
    assert len(found) == 1, f"{pattern} names {len(found)} files"
    return found[0]


def _temporal_form(workflow: type[Any]) -> type[Any]:
    module = in_temporalio_form(Path(code.__file__))
    found: type[Any] = getattr(module, workflow.__name__)
    return found


@pytest.mark.parametrize(("pattern", "workflow_id", "faithful", "careless"), CASES, ids=IDS)
def test_code_that_does_what_another_sdk_recorded_agrees(
    shared_histories: Path, pattern: str, workflow_id: str, faithful: type[Any], careless: type[Any]
) -> None:
    """A history of another SDK agrees with our code for the same workflow, as Temporal says too."""
    path = _only(shared_histories, pattern)
    verdict = Replayer([faithful]).replay(path, workflow_id=workflow_id)
    assert isinstance(verdict, Agrees), playhead.report(path.name, None, verdict)
    assert judge(path.read_text(), workflow_id, [_temporal_form(faithful)]).verdict == verdict.temporal == "ok"


@pytest.mark.parametrize(("pattern", "workflow_id", "faithful", "careless"), CASES, ids=IDS)
def test_a_careless_change_is_caught_at_the_event_that_temporal_names(
    shared_histories: Path, pattern: str, workflow_id: str, faithful: type[Any], careless: type[Any]
) -> None:
    """The changed code diverges at the very event at which Temporal's Replayer refuses it."""
    path = _only(shared_histories, pattern)
    verdict = Replayer([careless]).replay(path, workflow_id=workflow_id)
    assert isinstance(verdict, Diverges), playhead.report(path.name, None, verdict)
    judgement = judge(path.read_text(), workflow_id, [_temporal_form(careless)])
    assert (verdict.temporal, judgement.verdict) == ("nondeterminism", "nondeterminism")
    if judgement.event_id is not None:
        assert verdict.divergence.event_id == judgement.event_id
