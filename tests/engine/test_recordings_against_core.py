"""The rules and Temporal's own core, held together on histories that were really recorded, by all kinds of SDKs."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.readers import UnreadableHistory, read_history
from playhead_engine.matching import InvalidHistory
from playhead_engine.profile import installed_profile
from tests.conftest import ROOT, SHARED
from tests.engine.agreement import difference_from_core
from tests.engine.made_up_runs import MadeUpRun
from tests.engine.recorded_code import answers_behind
from tests.engine.scripted_run import AGREED, replay

_ENOUGH_EVENTS = 2_000  # core needs quadratic time
_OWN = sorted((ROOT / "fixtures" / "temporal").glob("*_*.json"))
_OTHERS = sorted((SHARED / "histories" / "temporal").rglob("*.json"))


def judged(path: Path) -> bool | None:
    """Whether history and guessed code agree, in core's judgement as in ours; None if there is nothing to judge."""
    try:
        history = read_history(path)
    except UnreadableHistory:
        return None
    if history.problems or len(history) > _ENOUGH_EVENTS:
        return None
    run = MadeUpRun([event.canonical for event in history], answers_behind(history))
    try:
        ours = replay(history.events, run.script(), installed_profile())
    except InvalidHistory:
        return None
    difference = difference_from_core(run.events, run.script(), ours)
    assert difference is None, f"{path}: {difference}"
    return ours.verdict == AGREED


@pytest.mark.parametrize("path", _OWN, ids=lambda path: path.stem)
def test_our_recordings_are_judged_as_core_judges_them(path: Path) -> None:
    """Every one of them can be replayed."""
    assert judged(path) is not None


def test_recordings_of_others_are_judged_as_core_judges_them() -> None:
    """Of all SDKs and many years; the guessed code is right for those that hold no markers of other SDKs."""
    if not _OTHERS:
        pytest.skip("the histories of others are not here: set PLAYHEAD_SHARED to the directory that holds them")
    verdicts = [judged(path) for path in _OTHERS]
    assert verdicts.count(True) > 60
