"""Programs that nobody wrote: Temporal's Replayer accepts what they leave on the engine, and whatever is changed
in program or history, both replayers say the same.

`PLAYHEAD_FUZZ=N` tries N times as many.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead_engine import Engine
from playhead_engine.client import WorkflowStuckError, WorkflowUpdateStage
from tests.replay import spoilt_histories
from tests.replay.generated_program import ACTIVITIES, Child, Interpreter, Program, instead
from tests.replay.parity import Opinion, ours, quiet_judge, theirs
from tests.replay.test_temporal_parity import FUZZ, is_read_as_by_temporal

__all__ = ["quiet_judge"]
pytestmark = [
    pytest.mark.usefixtures("quiet_judge"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

EXAMPLES = 15
CHANGES = 3
WORKFLOWS = [Interpreter, Child]

seconds = st.integers(0, 6)
patch_ids = st.sampled_from(["a", "b", "c"])
simple = st.one_of(
    st.tuples(st.just("activity"), st.integers(0, 4), st.integers(0, 2)),
    st.tuples(st.just("retried")),
    st.tuples(st.just("local"), st.integers(0, 2)),
    st.tuples(st.just("local_retried")),
    st.tuples(st.just("timer"), seconds),
    st.tuples(st.just("child"), st.integers(0, 4), st.integers(0, 3)),
    st.tuples(st.just("signal"), st.integers(1, 5)),
    st.tuples(st.just("external"), st.booleans()),
    st.tuples(st.just("deprecate"), patch_ids),
    st.tuples(st.just("stage"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("draw")),
)
endings = st.sampled_from([[], [], [["fail"]], [["again"]], [["burst"]]])


def _holding(steps: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    programs = st.lists(steps, min_size=1, max_size=3)
    several = st.lists(programs, min_size=2, max_size=3)
    return st.one_of(
        st.tuples(st.just("gather"), several),
        st.tuples(st.just("race"), several),
        st.tuples(st.just("cancelled"), seconds, programs),
        st.tuples(st.just("shielded"), programs),
        st.tuples(st.just("limited"), st.integers(1, 6), programs),
        st.tuples(st.just("loop"), st.integers(1, 3), programs),
        st.tuples(st.just("cleanup"), programs, programs),
        st.tuples(st.just("patch"), patch_ids, programs),
        st.tuples(st.just("left"), programs),
    )


steps = st.recursive(simple, _holding, max_leaves=8)
programs = st.lists(steps, min_size=1, max_size=5)
says = st.sampled_from(["tell", "tell", "tell", "work_for", "ask", "cancel"])
clients = st.lists(st.tuples(seconds, says), max_size=4)


def run(program: Program, client: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """Run a program, while its client says something now and then.

    Returns:
        The ids and histories of the runs it leaves; the program's may be open.
    """
    with Engine(workflows=WORKFLOWS, activities=ACTIVITIES, seed=5) as engine:
        handle = engine.start_workflow(Interpreter.run, program, id="program").wait()
        for wait, word in client:
            engine.sleep(wait).wait()
            status = handle.describe().wait().status
            if status is None or status.name != "RUNNING":
                break
            match word:
                case "tell":
                    handle.signal("tell").wait()
                case "work_for":
                    handle.signal("work_for", 2).wait()
                case "ask":
                    with suppress(WorkflowStuckError):
                        handle.start_update("ask", 2, wait_for_stage=WorkflowUpdateStage.ACCEPTED).wait()
                case _:
                    handle.cancel().wait()
        engine.sleep(120).wait()
        handles = [engine.get_workflow_handle(one.id, run_id=one.run_id) for one in engine.list_workflows().wait()]
        return [(one.id, one.fetch_history().wait().to_json().decode()) for one in handles]


def opinions(text: str, workflow_id: str) -> tuple[Opinion, Opinion]:
    """Theirs and ours."""
    options = {"workflow_runner": UnsandboxedWorkflowRunner()}
    we = ours(text, workflow_id, WORKFLOWS, **options)
    # To find out that Temporal's Replayer does not come back takes long; `test_differences` does it.
    return (we if we.verdict == "hangs" else theirs(text, workflow_id, WORKFLOWS, **options)), we


def changed(program: Any, chance: random.Random) -> Any:
    """The program with a step dropped, doubled, moved, or another number or name in it."""
    program = json.loads(json.dumps(program))
    at = program
    while True:
        inner = [one for step in at for one in step if isinstance(one, list) and one]
        inner = [one for found in inner for one in (found if isinstance(found[0][0], list) else [found])]
        if not inner or chance.random() < 0.5:
            break
        at = chance.choice(inner)
    place = chance.randrange(len(at))
    match chance.randrange(6):
        case 0:
            at.pop(place)
        case 1:
            at.insert(place, at[place])
        case 2:
            at.append(at.pop(place))
        case 3:
            at.insert(place, chance.choice(_INSERTED))
        case 4:
            at[place] = ["left", [at[place]]]
        case _:
            numbers = [i for i, value in enumerate(at[place]) if i and type(value) is int]
            if numbers:
                at[place][chance.choice(numbers)] = chance.randint(0, 2)
    return program


_INSERTED: Program = [
    ["fail"],
    ["burst"],
    ["again"],
    ["timer", 1],
    ["activity", 1, 0],
    ["local", 0],
    ["child", 1, 0],
    ["patch", "a", [["timer", 1]]],
    ["patch", "z", [["timer", 1]]],
    ["deprecate", "b"],
    ["external", True],
    ["stage", "three"],
]


@settings(
    max_examples=EXAMPLES * FUZZ,
    deadline=None,
    derandomize=FUZZ == 1,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(program=programs, ending=endings, client=clients, seed=st.integers(0, 2**32))
def test_both_replayers_say_the_same(program: Any, ending: Program, client: Any, seed: int) -> None:
    """Of the run as it was recorded, of its code changed, of its history changed, and of both."""
    program = json.loads(json.dumps([*program, *ending]))
    for workflow_id, text in run(program, client):
        they, we = opinions(text, workflow_id)
        assert they == we
        assert they.verdict == "ok" or ending == [["burst"]]
        if workflow_id != "program":
            continue
        chance = random.Random(seed)
        for _ in range(CHANGES):
            document = json.loads(text)
            if chance.random() < 0.5:
                spoilt = spoilt_histories.spoilt(document["events"], chance.randrange(2**32))
                if is_read_as_by_temporal({"events": spoilt}):
                    document["events"] = spoilt
            other = changed(program, chance) if chance.random() < 0.7 else program
            note(f"changed: {other} {document}")
            with instead(other):
                they, we = opinions(json.dumps(document), workflow_id)
            assert they == we


def test_a_task_that_cancels_the_timer_which_ends_it_goes_on() -> None:
    """The local activity that it waited for still runs, and ends in a workflow task of its own."""
    program = [["cancelled", 5, [["limited", 3, [["retried"]]], ["limited", 1, [["local", 2]]]]]]
    for workflow_id, text in run(program, []):
        they, we = opinions(text, workflow_id)
        assert they == we == Opinion("ok")
        assert json.loads(text)["events"][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"
