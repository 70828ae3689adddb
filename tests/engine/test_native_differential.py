"""The native runtime against `temporalio`'s own workflow instance: the same program, the same activations, and after
each of them the same commands in the same order. This is what lets histories recorded with that SDK be replayed here.
"""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("temporalio")

from playhead_engine import commands as c
from playhead_engine.convert import duration_ns
from playhead_engine.native import NativeRuntime
from playhead_engine.runtime import TaskFailed
from tests.engine.native_driver import RUN_ID, Script, is_over
from tests.engine.temporal_instance import TemporalInstance

PROGRAMS = Path(__file__).parent / "workflow_programs"
ROUNDS = int(os.environ.get("PLAYHEAD_DIFFERENTIAL_ROUNDS", "12"))
STEPS = 40


def load(file: str, package: str) -> ModuleType:
    """A file of programs, with the import replaced."""
    path = PROGRAMS / file
    source = path.read_text().replace("playhead_engine", package)
    name = f"programs_{path.stem}_{package}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


FILES = ("plain.py", "messages.py")
NATIVE = {file: load(file, "playhead_engine") for file in FILES}
TEMPORAL = {file: load(file, "temporalio") for file in FILES}
NAMES = [
    (file, name) for file, module in NATIVE.items() for name, value in vars(module).items() if hasattr(value, "ARGS")
]


@pytest.fixture(autouse=True)
def _quiet_judge() -> Iterator[None]:
    """The SDK leaves a coroutine over when it evicts a run whose task has not begun; that is not what is tested."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "coroutine '_WorkflowInstanceImpl", RuntimeWarning)
        yield
        gc.collect()


@pytest.mark.parametrize(("file", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_program_asks_for_the_same_in_the_same_order_as_under_temporalio(file: str, name: str) -> None:
    """Whatever happens to a workflow, it asks for the same things in the same order as under Temporal's SDK."""
    for seed in range(ROUNDS):
        compare(getattr(NATIVE[file], name), getattr(TEMPORAL[file], name), seed)


def compare(native: Any, temporal: type, seed: int) -> None:
    random = Random(f"{native.__name__}{seed}")
    flags = random.choice([(), (), (1,), (1, 2), (2,)])
    workflow_type = "Whatever" if native.__name__ == "Anything" else native.__name__
    script = Script(random.getrandbits(32), workflow_type, native, replaying=random.random() < 0.5, flags=flags)
    instance = NativeRuntime([native]).create(workflow_type, RUN_ID)
    judge = TemporalInstance(temporal)
    told: list[Any] = []
    jobs = script.first_jobs()
    left = STEPS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of handlers that are not finished when the workflow ends
            while jobs and left:
                activation = script.activation(jobs)
                told.append(activation)
                completion = instance.activate(activation)
                expected, expected_flags = judge.activate(activation)
                found = None if isinstance(completion, TaskFailed) else [comparable(x) for x in completion.commands]
                assert found == expected, report(native, seed, told, completion)
                if isinstance(completion, TaskFailed):
                    break
                assert set(completion.used_flags) == expected_flags, report(native, seed, told, completion)
                script.take(completion.commands)
                left = min(left, 3) if is_over(completion) else left - 1
                jobs = script.next_jobs()
            queries = script.queries()
            if queries:
                activation = script.activation(queries, is_query=True)
                completion = instance.activate(activation)
                assert not isinstance(completion, TaskFailed)
                expected, _ = judge.activate(activation)
                assert expected is not None
                # What the metadata query says differs in its encoding.
                assert [comparable(x) for x in completion.commands if "metadata" not in str(x)] == [
                    x for i, x in enumerate(expected) if "metadata" not in str(completion.commands[i])
                ]
    finally:
        instance.close()
        judge.close()


def report(native: type, seed: int, told: list[Any], completion: Any) -> str:
    """What led to a difference, in full."""
    lines = [f"{native.__name__}, seed {seed}, replaying {told[0].is_replaying}, flags {told[0].internal_flags}"]
    lines += [f"  {i}: {activation.jobs}" for i, activation in enumerate(told)]
    return "\n".join([*lines, f"  native: {completion}"])


def value(payload: Any) -> tuple[str, str]:
    """A payload, as `temporal_instance` compares it."""
    return payload["metadata"]["encoding"], payload.get("data", "")


def values(attributes: Any) -> list[tuple[str, str]]:
    """The input of a command, likewise."""
    return [value(p) for p in attributes.get("input", {}).get("payloads", [])]


def failure(message: Any) -> tuple[Any, ...]:
    """A failure, likewise."""
    kind = next((k for k in message if k.endswith("Info")), "")
    cause = failure(message["cause"]) if "cause" in message else ()
    name = message.get("applicationFailureInfo", {}).get("type", "")
    return kind.lower(), message.get("message", ""), name, cause


def comparable(command: c.Command) -> tuple[Any, ...]:
    """A command of ours, down to what tells it from others, in the words of the SDK."""
    match command:
        case c.StartTimer(seq, a):
            return "start_timer", seq, duration_ns(a["startToFireTimeout"])
        case c.CancelTimer(seq):
            return "cancel_timer", seq
        case c.ScheduleActivity(seq, a, kind):
            activity = (seq, a["activityId"], a["activityType"]["name"], int(kind), values(a))
            return "schedule_activity", *activity, a["taskQueue"]["name"]
        case c.ScheduleLocalActivity(seq, a, kind, attempt, first):
            activity = (seq, a["activityId"], a["activityType"]["name"], int(kind), values(a))
            # The SDK leaves the number of the first attempt to core.
            return "schedule_local_activity", *activity, attempt if first else 0, (first or {"nanos": 0})["nanos"]
        case c.RequestCancelActivity(seq):
            return "request_cancel_activity", seq
        case c.RequestCancelLocalActivity(seq):
            return "request_cancel_local_activity", seq
        case c.StartChildWorkflow(seq, a, child_kind):
            policy = c_policy(a["parentClosePolicy"])
            name, queue = a["workflowType"]["name"], a["taskQueue"]["name"]
            start = (seq, a["workflowId"], name, queue, int(child_kind), policy, values(a))
            return "start_child_workflow_execution", *start
        case c.CancelChildWorkflow(seq, reason):
            return "cancel_child_workflow_execution", seq, reason
        case c.SignalExternal(seq, a):
            target = a["workflowExecution"]
            is_child = a.get("childWorkflowOnly", False)
            signal = (seq, target["workflowId"], target.get("runId", ""), is_child, a["signalName"], values(a))
            return "signal_external_workflow_execution", *signal
        case c.CancelSignalExternal(seq):
            return "cancel_signal_workflow", seq
        case c.RequestCancelExternal(seq, a):
            target = a["workflowExecution"]
            return "request_cancel_external_workflow_execution", seq, target["workflowId"], target.get("runId", "")
        case c.ScheduleNexusOperation(seq, a, nexus_kind):
            operation = (seq, a["endpoint"], a["service"], a["operation"], value(a["input"]), int(nexus_kind))
            return "schedule_nexus_operation", *operation
        case c.RequestCancelNexusOperation(seq):
            return "request_cancel_nexus_operation", seq
        case c.SetPatchMarker(patch_id, deprecated):
            return "set_patch_marker", patch_id, deprecated
        case c.UpsertSearchAttributes(a):
            fields = a["searchAttributes"]["indexedFields"]
            return "upsert_workflow_search_attributes", sorted((k, *value(p)) for k, p in fields.items())
        case c.ModifyProperties(a):
            fields = a["upsertedMemo"]["fields"]
            return "modify_workflow_properties", sorted((k, *value(p)) for k, p in fields.items())
        case c.AcceptUpdate(protocol_id):
            return "update_response", protocol_id, "accepted", None
        case c.RejectUpdate(protocol_id):
            return "update_response", protocol_id, "rejected", None
        case c.CompleteUpdate(protocol_id, result):
            return "update_response", protocol_id, "completed", value(result)
        case c.CompleteWorkflow(a):
            return "complete_workflow_execution", value(a["result"]["payloads"][0])
        case c.FailWorkflow(a):
            return "fail_workflow_execution", failure(a["failure"])
        case c.CancelWorkflowExecution():
            return ("cancel_workflow_execution",)
        case c.ContinueAsNew(a):
            memo = sorted(a.get("memo", {}).get("fields", {}))
            return "continue_as_new_workflow_execution", values(a), a["taskQueue"]["name"], memo
        case c.RespondToQuery(query_id, result):
            return "respond_to_query", query_id, value(result) if result is not None else "failed"
        case _:
            raise AssertionError(f"workflow code cannot ask for {command}")


def c_policy(name: str) -> int:
    """The number of a parent close policy."""
    return ["UNSPECIFIED", "TERMINATE", "ABANDON", "REQUEST_CANCEL"].index(name.removeprefix("PARENT_CLOSE_POLICY_"))
