"""The rules of every supported release, held against what that release's core said when it was asked.

`test_matching_against_core` asks the core that is installed, and as much as one likes; this asks all of them, about the
runs that tell one from another. `scripts/releases.py` records their answers anew.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from playhead_engine.history import event_from_json
from playhead_engine.profile import PROFILES, Profile
from tests.engine.agreement import difference, judged_by_us
from tests.engine.judgements import read
from tests.engine.scripted_run import replay

RECORDED = list(read())


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_runs_are_judged_as_that_release_judged_them(profile: Profile) -> None:
    """With a release's profile, the code is told what that release tells it, and judged alike."""
    for judged in RECORDED:
        events = [event_from_json(event) for event in judged.run.events]
        ours = judged_by_us(replay(events, judged.run.script(), profile))
        found = difference(judged.judgements[profile.name], ours)
        assert found is None, f"run {judged.seed}: {found}"


@pytest.mark.parametrize(("newer", "older"), list(pairwise(PROFILES)), ids=lambda profile: profile.name)
def test_the_recording_tells_releases_apart(newer: Profile, older: Profile) -> None:
    """Releases are recorded because they differ; in verdicts, not only in what the code is told on the way."""
    verdicts = [(run.judgements[newer.name].verdict, run.judgements[older.name].verdict) for run in RECORDED]
    assert sum(ours != theirs for ours, theirs in verdicts) >= 10
    assert any(run.is_judged_alike for run in RECORDED)
