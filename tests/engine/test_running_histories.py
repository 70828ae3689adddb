"""What the engine writes down is what Temporal would: its own tools take it, and its Replayer agrees with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("temporalio.worker")

from google.protobuf.json_format import MessageToDict
from temporalio.api.history.v1 import History as ProtoHistory
from temporalio.client import WorkflowHistory

from playhead import Agrees, Replayer
from playhead_engine import Engine, History
from playhead_engine.engine.errors import WorkflowFailureError, WorkflowUpdateFailedError
from tests.engine import running_programs
from tests.engine.running_programs import ACTIVITIES, PROGRAMS, WORKFLOWS
from tests.replay.temporal_judge import in_temporalio_form, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def take(engine: Engine, step: tuple[Any, ...]) -> None:
    """Do one step of a program's client."""
    handle = engine.get_workflow_handle("program")
    match step:
        case ("sleep", seconds):
            engine.sleep(seconds).wait()
        case ("signal", name, *args):
            handle.signal(name, args=args).wait()
        case ("update", name, *args):
            try:
                handle.execute_update(name, args=args).wait()
            except WorkflowUpdateFailedError as error:
                assert "negative" in str(error) or "not that" in str(error)
        case ("cancel",):
            handle.cancel(reason="enough").wait()
        case ("terminate",):
            handle.terminate("details", reason="enough").wait()
        case ("reset", event_id):
            engine.reset_workflow("program", event_id, reason="again").wait()
        case _:
            raise ValueError(f"there is no such step: {step}")


def histories(program: type[Any], **options: Any) -> Iterator[History]:
    """Run a program, and export it and all that it started: ended or not."""
    with Engine(workflows=WORKFLOWS, activities=ACTIVITIES, seed=1, **options) as engine:
        engine.start_workflow(program.run, args=getattr(program, "ARGS", ()), id="program").wait()
        for step in getattr(program, "STEPS", ()):
            take(engine, step)
        try:
            engine.get_workflow_handle("program").result().wait()
        except WorkflowFailureError:
            assert program.__name__ in ("FailsWithActivity", "Raises", "CleansUp", "Stopped")
        engine.sleep(10).wait()  # for those who outlive it
        for run in engine.list_workflows().wait():
            yield engine.get_workflow_handle(run.id, run_id=run.run_id).fetch_history().wait()


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda program: program.__name__)
def exported(request: pytest.FixtureRequest) -> list[tuple[str, bytes]]:
    """The workflow ids and the exported histories of one program."""
    return [(history.id, history.to_json()) for history in histories(request.param)]


def test_temporals_tools_take_an_exported_history(exported: list[tuple[str, bytes]]) -> None:
    """An export is the JSON that Temporal's own classes write, and goes through its protobuf unchanged."""
    for workflow_id, text in exported:
        theirs = WorkflowHistory.from_json(workflow_id, text.decode())
        message = ProtoHistory.FromString(ProtoHistory(events=theirs.events).SerializeToString())
        assert MessageToDict(message)["events"] == json.loads(text)["events"]


def test_temporals_replayer_agrees_with_an_exported_history(exported: list[tuple[str, bytes]]) -> None:
    """The same code written for Temporal's SDK replays what the engine recorded."""
    module = in_temporalio_form(Path(running_programs.__file__))
    workflows = [getattr(module, program.__name__) for program in WORKFLOWS]
    for workflow_id, text in exported:
        assert judge(text, workflow_id, workflows).message == ""


def test_our_replayer_agrees_with_an_exported_history(exported: list[tuple[str, bytes]]) -> None:
    """The same code replays what the engine recorded, from the exported file."""
    for workflow_id, text in exported:
        verdict = Replayer(WORKFLOWS).replay(text, workflow_id=workflow_id)
        assert isinstance(verdict, Agrees), (workflow_id, verdict)
        assert verdict.events == len(json.loads(text)["events"])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_nothing_that_is_written_depends_on_what_is_kept(program: type[Any], tmp_path: Path) -> None:
    """A run writes the same whether its code is kept between tasks or replayed at each, in memory or on disk."""
    kept = [history.to_json() for history in histories(program)]
    assert [history.to_json() for history in histories(program, max_cached_workflows=0)] == kept
    assert [history.to_json() for history in histories(program, path=tmp_path, clock="virtual")] == kept


def every_export() -> bytes:
    """All programs' histories, one a line."""
    return b"\n".join(history.to_json() for program in PROGRAMS for history in histories(program))


def test_the_same_seed_writes_the_same_histories() -> None:
    """Histories follow from the seed, byte for byte, however strings are hashed."""
    here = every_export()
    code = (
        "import sys; from tests.engine.test_running_histories import every_export; "
        "sys.stdout.buffer.write(every_export())"
    )
    for hash_seed in "1", "2":
        paths = os.pathsep.join([str(ROOT), *(str(ROOT / part) for part in ("engine", "replay", "tui"))])
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
        done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout == here


def test_another_seed_gives_other_ids() -> None:
    """What follows from the seed does not follow from anything else."""
    run_ids = set()
    for seed in 1, 2:
        with Engine(workflows=WORKFLOWS, seed=seed) as engine:
            engine.start_workflow(running_programs.Nothing.run, id="program").wait()
            run_ids.add(engine.get_workflow_handle("program").describe().wait().run_id)
    assert len(run_ids) == 2
