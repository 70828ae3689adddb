"""Faults strike code written for Temporal's own SDK as they strike native code, and Temporal reads what they leave."""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio.worker import UnsandboxedWorkflowRunner

from playhead_engine import Engine
from playhead_engine.client import CannotReset, WorkflowFailureError, WorkflowNotFoundError, WorkflowStuckError
from playhead_engine.faults import NEEDS_TIME, Fault, FaultPlan
from playhead_engine.faults.invariants import watch
from playhead_engine.temporal.runtime import TemporalRuntime
from tests.engine import running_programs
from tests.engine.running_programs import ACTIVITIES, PROGRAMS, WORKFLOWS
from tests.engine.test_running_histories import take
from tests.replay.temporal_judge import in_temporalio_form, judge

PLANS = 60 if os.environ.get("PLAYHEAD_FUZZ") else 2
"""Plans for each program."""

THEIRS = in_temporalio_form(Path(running_programs.__file__))


def native() -> dict[str, Any]:
    """The programs as they are written."""
    return {"workflows": WORKFLOWS, "activities": ACTIVITIES}


def temporal() -> dict[str, Any]:
    """The same for Temporal's SDK."""
    workflows = [getattr(THEIRS, cls.__name__) for cls in WORKFLOWS]
    # Its module is no file that the sandbox could import.
    runtime = TemporalRuntime(
        workflows, workflow_runner=UnsandboxedWorkflowRunner(), namespace="default", task_queue_of_history=True
    )
    return {"runtimes": [runtime], "activities": [getattr(THEIRS, fn.__name__) for fn in ACTIVITIES]}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Of each fault there is a line in the log, as there should be."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


Left = tuple[str, dict[str, bytes], Engine]
"""How a program ended, and the histories that it and what it started left."""


def left_by(program: type[Any], plan: FaultPlan, code: dict[str, Any]) -> Left:
    """Run a program and its client under a plan."""
    with Engine(seed=1, faults=plan, **code) as engine:
        watch(engine)
        try:
            handle = engine.start_workflow(program.__name__, args=getattr(program, "ARGS", ()), id="program").wait()
            for step in getattr(program, "STEPS", ()):
                take(engine, step)
            ended = f"returned {json.dumps(handle.result().wait(), sort_keys=True)}"
        except (WorkflowFailureError, WorkflowNotFoundError, WorkflowStuckError, CannotReset) as error:
            ended = f"raised {error!r} {error.__cause__!r}"
        engine.sleep(10).wait()  # for those who outlive it
        histories: dict[str, bytes] = {}
        for run in engine.list_workflows().wait():
            history = engine.get_workflow_handle(run.id, run_id=run.run_id).fetch_history().wait()
            histories[f"{run.id} {run.run_id}"] = history.to_json()
        return ended, histories, engine


def comparable(text: bytes) -> Any:
    """A history without what must differ: places in code, and how many bytes they take."""

    def drop(message: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in message.items() if key not in ("stackTrace", "historySizeBytes")}

    return json.loads(text, object_hook=drop)


def plans(program: type[Any]) -> Iterator[FaultPlan]:
    """Some plans for a program, from the points that it passes."""
    _, _, engine = left_by(program, FaultPlan(), native())
    passed = engine.faults.passed
    chance = random.Random(program.__name__)
    for _ in range(PLANS):
        faults: list[Fault] = []
        for _ in range(chance.randrange(1, 4)):
            point = chance.choice(passed)
            strike = chance.choice([one for one in point.strikes if one != "deploy"])
            faults.append(Fault(point.point, strike, chance.choice([0.5, 90]) if strike in NEEDS_TIME else 0))
        yield FaultPlan(tuple(faults))


@pytest.mark.filterwarnings("ignore:.*TMPRL1102")  # a run may end sooner than its handlers, as one is told
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_for_temporal_is_struck_as_its_native_twin_is(program: type[Any]) -> None:
    """The same plan has both end in the same way after the same events, and Temporal's own Replayer accepts every
    history that is left, with its lost workflow tasks and its attempts that timed out."""
    for plan in plans(program):
        ended, expected, ours = left_by(program, plan, native())
        got, histories, theirs = left_by(program, plan, temporal())
        assert got.split("(")[0] == ended.split("(")[0], str(plan)
        assert {key: comparable(text) for key, text in histories.items()} == {
            key: comparable(text) for key, text in expected.items()
        }, str(plan)
        assert theirs.faults.passed == ours.faults.passed
        for key, text in histories.items():
            verdict = judge(text, key.split()[0], [getattr(THEIRS, cls.__name__) for cls in WORKFLOWS])
            assert verdict.message == "", str(plan)
