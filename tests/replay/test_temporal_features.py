"""Everything that Temporal's SDK can do, one program after the other: both replayers accept what the engine recorded,
and say the same about changed code.

`PLAYHEAD_FUZZ=N` tries N times as many changes.
"""

from __future__ import annotations

import ast
import json
import random
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio.worker import UnsandboxedWorkflowRunner

from playhead_engine import Engine
from playhead_engine.client import WorkflowFailureError
from playhead_engine.temporal.runtime import TemporalRuntime
from tests.engine.history_builder import WORKFLOW_ID, HistoryBuilder
from tests.engine.test_running_histories import take
from tests.replay import nexus_program, spoilt_code, temporal_programs
from tests.replay.parity import Opinion, differences, ours, quiet_judge, theirs
from tests.replay.temporal_programs import ACTIVITIES, PROGRAMS, WORKFLOWS
from tests.replay.test_temporal_parity import FUZZ, RUNNERS

__all__ = ["quiet_judge"]
pytestmark = [
    pytest.mark.usefixtures("quiet_judge"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CHANGES = 5
"""How many changes of its code each program is tried with."""


@cache
def recorded(program: type[Any]) -> tuple[tuple[str, str], ...]:
    """The workflow ids and histories of a program and of all that it starts."""
    options = dict(getattr(program, "OPTIONS", {}))
    if "workflow_failure_exception_types" in options:
        options["failure_exception_types"] = options.pop("workflow_failure_exception_types")
    runtime = TemporalRuntime(WORKFLOWS, namespace="default", task_queue_of_history=True, **options)
    with Engine(runtimes=[runtime], activities=ACTIVITIES, seed=1) as engine:
        name = getattr(program, "TYPE", program.__name__)
        handle = engine.start_workflow(name, args=list(getattr(program, "ARGS", ())), id="program").wait()
        for step in getattr(program, "STEPS", ()):
            take(engine, step)
        with suppress(WorkflowFailureError):  # some are meant to fail
            handle.result().wait()
        engine.sleep(100).wait()
        runs = engine.list_workflows().wait()
        handles = [engine.get_workflow_handle(run.id, run_id=run.run_id) for run in runs]
        return tuple((one.id, one.fetch_history().wait().to_json().decode()) for one in handles)


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_both_replayers_accept_what_the_engine_recorded(program: type[Any], runner: str) -> None:
    """Of the program and of every workflow that it starts, in the sandbox and outside."""
    options = {"workflow_runner": RUNNERS[runner](), **getattr(program, "OPTIONS", {})}
    for workflow_id, text in recorded(program)[:3]:
        workflow_type = type_in(json.loads(text))
        workflows = [getattr(temporal_programs, workflow_type, program)]
        assert ours(text, workflow_id, workflows, **options) == Opinion("ok")
        assert theirs(text, workflow_id, workflows, **options) == Opinion("ok")


def type_in(document: Any) -> str:
    """The workflow type of a history."""
    return str(document["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"])


_TREE = ast.parse(Path(temporal_programs.__file__).read_text())


def changed_programs(workflow_type: str, seed: int) -> list[type[Any]] | None:
    """All programs, with a change in one of them; None if that is no program any more."""
    lists = [node for node in _TREE.body if not isinstance(node, ast.AnnAssign)]
    one = next(node for node in lists if isinstance(node, ast.ClassDef) and node.name == workflow_type)
    others = "\n".join(ast.unparse(node) for node in lists if node is not one)
    changes = random.Random(seed).choice((1, 1, 2, 3))
    name = f"changed_{workflow_type}_{seed}"
    try:
        module = spoilt_code.module_of(f"{others}\n{spoilt_code.spoilt(ast.unparse(one), seed, changes=changes)}", name)
    except spoilt_code.NO_PROGRAM:
        return None
    del sys.modules[name]
    return [cls for cls in vars(module).values() if hasattr(cls, "__temporal_workflow_definition")]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_both_replayers_say_the_same_of_a_changed_program(program: type[Any]) -> None:
    """The verdict, the event and the words; of whole runs, and of runs that are not over."""
    found = []
    for seed in range(CHANGES * FUZZ):
        chance = random.Random(f"{program.__name__} {seed}")
        workflow_id, text = chance.choice(recorded(program))
        document = json.loads(text)
        workflow_type = type_in(document)
        if chance.random() < 0.3:
            del document["events"][chance.randint(2, len(document["events"])) :]
        known = workflow_type if hasattr(temporal_programs, workflow_type) else program.__name__
        workflows = changed_programs(known, seed)
        if workflows is None:
            continue
        options = {"workflow_runner": UnsandboxedWorkflowRunner(), **getattr(program, "OPTIONS", {})}
        try:
            verdict = ours(json.dumps(document), workflow_id, workflows, **options).verdict
        except ValueError:
            continue  # Temporal's Replayer does not take such a class either
        if verdict != "hangs":
            differ = differences(json.dumps(document), workflow_id, workflows, **options)
            found += [f"seed {seed}: {difference}" for difference in differ]
    assert found == []


def nexus_history(cancelled_after: int | None, ended: str, *, started: bool) -> str:
    """A run that asks for a nexus operation, and for an activity when it knows how that ended."""
    history = HistoryBuilder("CallsNexus")
    history.task()
    operation = history.nexus_scheduled()
    timer = history.timer_started("1") if cancelled_after else None
    if started:
        history.nexus_started(operation)
    if timer is not None:
        history.timer_fired(timer)
        history.task()
        history.nexus_cancel_answered(history.nexus_cancel_requested(operation))
    if ended:
        getattr(history, f"nexus_{ended}")(operation)
    history.task()
    history.activity_scheduled("x", "after")
    history.task()
    return history.history().to_json().decode()


@pytest.mark.parametrize("service", ["bank", "shop"])
@pytest.mark.parametrize("kind", nexus_program.KINDS)
def test_both_replayers_say_the_same_of_nexus_operations(kind: str, service: str) -> None:
    """Started or not, ended in every way, cancelled or not, of every cancellation type, and of another service."""
    found = []
    for cancelled_after in (None, 0, 5):
        for started in (True, False):
            for ended in ("completed", "failed", "canceled", "timed_out", ""):
                text = nexus_history(cancelled_after, ended, started=started)
                with nexus_program.calling(service, kind, cancelled_after):
                    found += differences(
                        text, WORKFLOW_ID, [nexus_program.CallsNexus], workflow_runner=UnsandboxedWorkflowRunner()
                    )
    assert found == []
