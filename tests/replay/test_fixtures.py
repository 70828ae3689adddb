"""Our own recordings of a real Temporal server, replayed by the native form of the code that made them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import playhead
from playhead import Replayer
from playhead.rendering import label
from tests.replay.temporal_judge import judge

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
RECORDINGS: list[dict[str, Any]] = json.loads((FIXTURES / "INDEX.json").read_text())
PAIRS = [(recording, code) for recording in RECORDINGS for code in [recording, *recording.get("variants", [])]]
IDS = [f"{recording['file'].removesuffix('.json')}-{code['module'].rpartition('.')[2]}" for recording, code in PAIRS]


@pytest.mark.parametrize(("recording", "code"), PAIRS, ids=IDS)
def test_the_verdict_is_the_one_the_index_gives(recording: dict[str, Any], code: dict[str, Any]) -> None:
    """Each recording, replayed by the code that made it and by variants of it, has the verdict that was noted for
    it."""
    workflow = getattr(import_module(code["module"]), code["class"])
    path = FIXTURES / recording["file"]
    verdict = Replayer([workflow]).replay(path, workflow_id=recording["workflow_id"])
    assert label(verdict) == code["verdict"], playhead.report(path.name, None, verdict)
    assert verdict.temporal == code["temporal_replayer"]
    if "event_id" in code:
        assert isinstance(verdict, playhead.Diverges)
        assert verdict.divergence.event_id == code["event_id"]


@pytest.mark.parametrize(("recording", "code"), PAIRS, ids=IDS)
def test_temporal_says_what_we_say_it_says(recording: dict[str, Any], code: dict[str, Any]) -> None:
    """Temporal's Replayer, given the temporalio form of the same code, gives the verdict that ours predicts for it."""
    module = import_module(code["module"].replace("examples.", "examples.temporal."))
    text = (FIXTURES / recording["file"]).read_text()
    judgement = judge(text, recording["workflow_id"], [getattr(module, code["class"])])
    assert judgement.verdict == code["temporal_replayer"], judgement.message
    if "event_id" in code and judgement.event_id is not None:
        assert judgement.event_id == code["event_id"]


def test_there_are_recordings_of_every_way_a_run_can_go() -> None:
    """The recordings cover completed, failed, cancelled, terminated, timed out, continued and open runs."""
    ended = {recording["ended"] for recording in RECORDINGS}
    assert len(RECORDINGS) >= 10
    assert {"completed", "failed", "terminated", "open"} <= ended


def test_the_two_forms_of_an_example_differ_in_their_imports_only() -> None:
    """What runs here runs on a Temporal cluster after its import lines are changed, and nothing else."""
    examples = FIXTURES.parents[1] / "examples"
    for native in sorted(examples.glob("*.py")):
        other = examples / "temporal" / native.name
        if native.name in ("__init__.py", "demo.py"):
            continue
        expected = [
            line.replace("playhead_engine", "temporalio") if line.startswith(("from ", "import ")) else line
            for line in native.read_text().splitlines()
        ]
        assert other.read_text().splitlines() == expected, native.name
