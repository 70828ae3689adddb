"""Our verdict is that of Temporal's own Replayer: on recorded histories, on changed code and on changed histories.

`PLAYHEAD_FUZZ=N` tries N times as many changes.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from playhead import UnreadableHistory, read_history
from playhead_engine.history import CLOSING_KINDS
from tests.conftest import ROOT
from tests.replay import spoilt_code, spoilt_histories
from tests.replay.parity import differences, ours, quiet_judge

pytestmark = [
    pytest.mark.usefixtures("quiet_judge"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FUZZ = int(os.environ.get("PLAYHEAD_FUZZ", "1"))
BATCH = 25
"""How many changes one test tries."""

FIXTURES = ROOT / "fixtures" / "temporal"
SHARED = ROOT.parent / "shared" / "histories" / "temporal"
RUNNERS = {"sandboxed": SandboxedWorkflowRunner, "unsandboxed": UnsandboxedWorkflowRunner}


@dataclass(frozen=True)
class Case:
    """A history and code for it.

    Attributes:
        name: For the names of tests.
        history: The file of the history.
        workflow_id: The id to replay it under.
        code: The file of the code.
        module: The same as a module's name.
        folder: Where that module is imported from.
        workflow: Name of the class.
        verdict: What the index says that Temporal's Replayer says.
    """

    name: str
    history: Path
    workflow_id: str
    code: Path
    module: str
    folder: Path
    workflow: str
    verdict: str


def _cases() -> Iterator[Case]:
    for recording in json.loads((FIXTURES / "INDEX.json").read_text()):
        for code in [recording, *recording.get("variants", [])]:
            module = code["module"].replace("examples.", "examples.temporal.")
            yield Case(
                f"{recording['file']}-{module}",
                FIXTURES / recording["file"],
                recording["workflow_id"],
                ROOT / (module.replace(".", "/") + ".py"),
                module,
                ROOT,
                code["class"],
                code["temporal_replayer"],
            )
    index = SHARED / "INDEX.json"
    for recording in json.loads(index.read_text()) if index.exists() else []:
        for port in recording.get("ports") or []:
            yield Case(
                recording["file"],
                SHARED / recording["file"],
                port["workflow_id"],
                SHARED / port["code"],
                port["code"].removesuffix(".py").replace("/", "."),
                SHARED,
                port["class"],
                port["temporal_replayer_1_35"],
            )


CASES = list(_cases())
__all__ = ["quiet_judge"]


def workflow_of(case: Case) -> Any:
    """The class of a case."""
    if str(case.folder) not in sys.path:
        sys.path.append(str(case.folder))
    return getattr(importlib.import_module(case.module), case.workflow)


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_recording_has_the_verdict_that_temporal_gives_it(case: Case, runner: str) -> None:
    """Verdict, event and words, in the sandbox and outside; and the verdict is the one that was noted for it."""
    text, workflows, options = case.history.read_text(), [workflow_of(case)], {"workflow_runner": RUNNERS[runner]()}
    assert differences(text, case.workflow_id, workflows, **options) == []
    assert ours(text, case.workflow_id, workflows, **options).verdict == case.verdict


@pytest.mark.parametrize("batch", range(6 * FUZZ))
def test_changed_code_has_the_verdict_that_temporal_gives_it(batch: int) -> None:
    """Calls dropped, doubled, swapped, renamed, wrapped, cancelled; errors raised; early ends; more after the end."""
    found = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        chance = random.Random(seed)
        case = chance.choice(CASES)
        document = json.loads(case.history.read_text())
        if chance.random() < 0.3:
            del document["events"][chance.randint(2, len(document["events"])) :]
        source = spoilt_code.spoilt(case.code.read_text(), seed, changes=chance.choice((1, 1, 1, 2, 3)))
        try:
            module = spoilt_code.module_of(source, f"spoilt_{seed}")
        except spoilt_code.NO_PROGRAM:
            continue  # no program any more
        try:
            if "continue_as_new" in source and "__init__" in source and ours_hangs(document, case, module):
                continue
            differ = differences(
                json.dumps(document),
                case.workflow_id,
                [getattr(module, case.workflow)],
                workflow_runner=UnsandboxedWorkflowRunner(),
            )
            found += [f"seed {seed}, {case.name}: {difference}" for difference in differ]
        finally:
            del sys.modules[module.__name__]
    assert found == []


def ours_hangs(document: Any, case: Case, module: Any) -> bool:
    """Whether we say that Temporal's Replayer would not come back, which takes long to find out."""
    workflows = [getattr(module, case.workflow)]
    verdict = ours(
        json.dumps(document), case.workflow_id, workflows, workflow_runner=UnsandboxedWorkflowRunner()
    ).verdict
    return verdict == "hangs"


@pytest.mark.parametrize("batch", range(4 * FUZZ))
def test_a_changed_history_has_the_verdict_that_temporal_gives_it(batch: int) -> None:
    """Cut, with events dropped, doubled, swapped, added, of other types, and with any value in them changed."""
    found = []
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        chance = random.Random(seed)
        case = chance.choice(CASES)
        document = json.loads(case.history.read_text())
        document["events"] = spoilt_histories.spoilt(document["events"], seed, changes=chance.choice((1, 1, 2)))
        text = json.dumps(document)
        if not is_read_as_by_temporal(document):
            continue
        workflows = [workflow_of(case)]
        options = {"workflow_runner": UnsandboxedWorkflowRunner()}
        if ours(text, case.workflow_id, workflows, **options).verdict == "hangs":
            continue  # `test_differences` looks at each of the forms; here it would take too long
        differ = differences(text, case.workflow_id, workflows, **options)
        found += [f"seed {seed}, {case.name}: {difference}" for difference in differ]
    assert found == []


def is_read_as_by_temporal(document: Any) -> bool:
    """Whether Temporal's SDK can read a document, our reader repairs nothing in it, and nothing comes after its end."""
    from google.protobuf.json_format import ParseError
    from temporalio.client import WorkflowHistory

    try:
        history = read_history(json.dumps(document).encode())
        WorkflowHistory.from_json("w", json.dumps(document))
    except (UnreadableHistory, ParseError, TypeError, ValueError, AttributeError, KeyError, IndexError):
        return False
    spelled = [event.get("eventType") for event in document["events"]]
    if any(event.KIND in CLOSING_KINDS for event in history.events[:-1]):
        return False
    return not history.remarks and spelled == [f"EVENT_TYPE_{event.KIND}" for event in history]
