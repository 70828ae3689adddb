"""Workflows written for Temporal's own SDK run on the engine as they are, and do what their native twins do."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio.api.common.v1 import Payload
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from playhead_engine import Engine
from playhead_engine.client import WorkflowFailureError, WorkflowStuckError
from playhead_engine.definitions import ACTIVITY, WORKFLOW
from playhead_engine.temporal.runtime import TemporalRuntime
from tests.conftest import ROOT
from tests.engine import running_programs
from tests.engine.running_programs import ACTIVITIES, PROGRAMS, WORKFLOWS
from tests.engine.temporal_workflows import House, Visit, welcome
from tests.engine.test_running_examples import RUNS, Step, code_of
from tests.engine.test_running_histories import take
from tests.replay.temporal_judge import in_temporalio_form, judge

Left = tuple[str, dict[str, Any]]
"""How a workflow ended, and the histories that it and what it started left, by ids."""


def left_by(
    name: str, args: Sequence[Any], steps: Sequence[Step], keep: Callable[[str, bytes], None], **options: Any
) -> Left:
    """Run a workflow of one kind."""
    with Engine(seed=1, **options) as engine:
        handle = engine.start_workflow(name, args=args, id="program").wait()
        for step in steps:
            take(engine, step)
        try:
            ended = f"returned {json.dumps(handle.result().wait(), sort_keys=True)}"
        except WorkflowFailureError as error:
            ended = f"raised {_words(error.cause)}"
        except WorkflowStuckError as error:
            ended = f"stuck: {type(error).__name__}"
        engine.sleep(10).wait()  # for those who outlive it
        histories: dict[str, Any] = {}
        for run in engine.list_workflows().wait():
            text = engine.get_workflow_handle(run.id, run_id=run.run_id).fetch_history().wait().to_json()
            keep(run.id, text)
            histories[f"{run.id} {run.run_id}"] = json.loads(text, object_hook=_without_places)
        return ended, histories


def _words(error: BaseException | None) -> str:
    return "" if error is None else f"{type(error).__name__}({error}) {_words(error.__cause__)}"


def _without_places(message: dict[str, Any]) -> dict[str, Any]:
    """Lines of code are others in the other kind, and so is how many bytes they take."""
    return {key: value for key, value in message.items() if key not in ("stackTrace", "historySizeBytes")}


def nobody(workflow_id: str, text: bytes) -> None:
    """Keep nothing."""


@pytest.mark.parametrize("store", ["memory", "disk"])
@pytest.mark.parametrize(("module", "name", "arg", "steps"), RUNS, ids=lambda one: one if isinstance(one, str) else "")
def test_an_example_leaves_the_history_of_its_native_twin(
    tmp_path: Path, store: str, module: str, name: str, arg: Any, steps: tuple[Step, ...]
) -> None:
    """It ends in the same way after the same events, and Temporal's Replayer accepts the histories that it leaves."""
    native = importlib.import_module(f"examples.{module}")
    theirs = importlib.import_module(f"examples.temporal.{module}")
    code: dict[str, Any] = {
        "workflows": code_of(theirs, "__temporal_workflow_definition"),
        "activities": code_of(theirs, "__temporal_activity_definition"),
    }
    if store == "disk":
        code |= {"path": tmp_path / "store", "clock": "virtual"}

    def accepted(workflow_id: str, text: bytes) -> None:
        assert judge(text, workflow_id, code["workflows"]).message == ""

    native_code = {"workflows": code_of(native, WORKFLOW), "activities": code_of(native, ACTIVITY)}
    expected = left_by(name, [arg], steps, nobody, **native_code)
    assert left_by(name, [arg], steps, accepted, **code) == expected


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_leaves_the_history_of_its_native_twin(program: type[Any]) -> None:
    """Signals, updates, children, patches, local activities, cancellation: all of it, event by event."""
    theirs = in_temporalio_form(Path(running_programs.__file__))
    workflows = [getattr(theirs, cls.__name__) for cls in WORKFLOWS]
    activities = [getattr(theirs, fn.__name__) for fn in ACTIVITIES]
    # Its module is no file that the sandbox could import.
    runtime = TemporalRuntime(
        workflows, workflow_runner=UnsandboxedWorkflowRunner(), namespace="default", task_queue_of_history=True
    )

    def accepted(workflow_id: str, text: bytes) -> None:
        assert judge(text, workflow_id, workflows).message == ""

    args, steps = getattr(program, "ARGS", ()), getattr(program, "STEPS", ())
    expected = left_by(program.__name__, args, steps, nobody, workflows=WORKFLOWS, activities=ACTIVITIES)
    got = left_by(program.__name__, args, steps, accepted, runtimes=[runtime], activities=activities)
    assert got == expected


class Tracing(Interceptor):
    """Hands a trace on from the workflow to its activity, in a header, as tracers do."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return TracedWorkflow

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        seen = self.seen

        class Inbound(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                seen.append(input.headers["trace"].data.decode())
                return await super().execute_activity(input)

        return Inbound(next)


class TracedWorkflow(WorkflowInboundInterceptor):
    """Stands around the workflow."""

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(TracedOutbound(outbound))


class TracedOutbound(WorkflowOutboundInterceptor):
    """Stands around what the workflow asks for."""

    def start_activity(self, input: StartActivityInput) -> Any:
        trace = Payload(metadata={"encoding": b"text/trace"}, data=f"trace of {input.activity}".encode())
        input.headers = {**input.headers, "trace": trace}
        return super().start_activity(input)


def test_interceptors_stand_around_workflows_and_activities() -> None:
    """One list for both, as a worker has it: what one side puts into a header the other side finds there."""
    tracing = Tracing()
    with Engine(workflows=[House], activities=[welcome], interceptors=[tracing]) as engine:
        house = engine.start_workflow(House.run, Visit(1, {"Ada"}), id="h").wait()
        house.signal(House.close).wait()
        house.result().wait()
        scheduled = [one for one in house.fetch_history().wait() if one.type_name == "ActivityTaskScheduled"]
    assert tracing.seen == ["trace of welcome"]
    assert list(scheduled[0].attributes["header"]["fields"]) == ["trace"]


def test_a_run_goes_on_after_the_process_that_began_it(tmp_path: Path) -> None:
    """On disk: another engine replays the SDK's code to where it was, and goes on."""
    options: dict[str, Any] = {"workflows": [House], "activities": [welcome], "clock": "virtual"}
    with Engine(tmp_path / "store", **options) as engine:
        house = engine.start_workflow(House.run, Visit(1, {"Ada"}), id="h").wait()
        house.signal(House.knock, Visit(1, {"Bob"})).wait()
        assert house.query(House.inside).wait() == Visit(2, {"Ada", "Bob"})
    with Engine(tmp_path / "store", **options) as engine:
        house = engine.get_workflow_handle_for(House.run, "h")
        assert house.query(House.inside).wait() == Visit(2, {"Ada", "Bob"})
        house.signal(House.close).wait()
        assert house.result().wait() == Visit(3, {"Ada", "Bob", "host"})


def test_a_run_may_be_thrown_out_of_memory() -> None:
    """It is replayed when something happens to it."""
    with Engine(workflows=[House], activities=[welcome], max_cached_workflows=1) as engine:
        houses = [engine.start_workflow(House.run, Visit(n, {"Ada"}), id=f"h{n}").wait() for n in range(3)]
        for house in houses:
            house.signal(House.close).wait()
        assert [house.result().wait().guests for house in houses] == [1, 2, 3]


def test_an_async_caller_may_wait() -> None:
    """Under the real clock the engine turns on the caller's own event loop, where workflow code of the SDK runs too."""

    async def talk() -> Any:
        async with Engine(workflows=[House], activities=[welcome], clock="real") as engine:
            house = await engine.start_workflow(House.run, Visit(1, {"Ada"}), id="h")
            await house.signal(House.close)
            return await house.result()

    assert asyncio.run(talk()) == Visit(2, {"Ada", "host"})


SAY_EVERYTHING = """
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec
from playhead_engine import Engine
from playhead_engine.client import WorkflowFailureError
from tests.engine.temporal_workflows import Fails, Labels

class Labelled(PayloadCodec):
    async def encode(self, payloads):
        return [Payload(metadata={**p.metadata, "a": b"1", "b": b"2", "c": b"3"}, data=p.data) for p in payloads]
    async def decode(self, payloads):
        return list(payloads)

with Engine(workflows=[Labels, Fails], seed=1, data_converter=DataConverter(payload_codec=Labelled())) as engine:
    handle = engine.start_workflow(Labels.run, id="w", memo={"x": 1, "y": 2, "z": 3}).wait()
    try:
        handle.result().wait()
    except WorkflowFailureError:
        print(handle.fetch_history().wait().to_json().decode())
"""


def test_the_same_program_writes_the_same_history_in_every_process() -> None:
    """Byte for byte, though the maps of protobuf have another order in each process."""
    written = {
        subprocess.run(
            [sys.executable, "-c", SAY_EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(4)
    }
    assert len(written) == 1
    [text] = written
    assert len(text) > 3000, "it said everything"
