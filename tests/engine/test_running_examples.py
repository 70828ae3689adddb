"""Every example runs on the engine, and both replayers agree with the history that it leaves."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from google.protobuf.json_format import MessageToDict
from temporalio.api.history.v1 import History as ProtoHistory
from temporalio.client import WorkflowHistory

from playhead import Agrees, Replayer
from playhead_engine import Engine
from playhead_engine.definitions import ACTIVITY, WORKFLOW
from playhead_engine.engine.errors import WorkflowFailureError, WorkflowStuckError
from tests.engine.test_running_histories import take
from tests.replay.temporal_judge import judge

EXAMPLES = Path(__file__).parents[2] / "examples"

Step = tuple[Any, ...]

ORDER = {"id": "A-1", "item": "kettle", "quantity": 2, "unit_price": 30, "voucher": 6}
SAMPLE = {**ORDER, "unit_price": 0}
YES = {"manager": "Grace", "approved": True}

RUNS: list[tuple[str, str, Any, tuple[Step, ...]]] = [
    (
        "agent",
        "Agent",
        {"turns_per_run": 2},
        (*(("signal", "prompt", f"count {n}") for n in "abc"), ("signal", "finish")),
    ),
    (
        "approval",
        "ExpenseApproval",
        {"employee": "Ada", "purpose": "train", "amount": 90},
        (("update", "amend", 80), ("sleep", 3600), ("signal", "decide", YES)),
    ),
    (
        "auction",
        "Auction",
        {"title": "a lighthouse"},
        (("signal", "place", {"auction_id": "program", "bidder": "Ida", "amount": 400}),),
    ),
    ("auction", "Bidder", {"auction_id": "nowhere", "bidder": "Kim", "amount": 1}, ()),
    ("auction", "CallOff", "nowhere", ()),
    ("batch", "BatchImport", {"name": "monday", "files": ["rows-12.csv", "rows-30.csv"]}, ()),
    ("exchange", "CurrencyExchange", {"amount": 100, "currency": "CHF"}, ()),
    ("exchange", "CurrencyExchange", {"amount": 1, "currency": "XAU", "bank_takes_seconds": 30}, ()),
    ("newsletter_v1", "Newsletter", "bees", ()),
    ("newsletter_v2", "Newsletter", "bees", ()),
    ("newsletter_v3", "Newsletter", "bees", ()),
    ("onboarding", "Onboarding", {"name": "Mika"}, ()),
    ("onboarding", "Onboarding", {"name": "Noor"}, (("sleep", 5_000_000), ("signal", "upgrade", "pro"))),
    ("orders", "OrderFulfilment", ORDER, ()),
    ("orders", "OrderFulfilment", SAMPLE, ()),
    ("orders_broken", "OrderFulfilment", ORDER, ()),
    ("orders_hotfix", "OrderFulfilment", SAMPLE, ()),
    ("pizza", "PizzaOrder", {"name": "Diavola", "address": "Elm St. 1"}, (("sleep", 900), ("signal", "delivered"))),
    ("pizza", "PizzaOrder", {"name": "Diavola", "address": "Elm St. 1"}, ()),
    ("quotes", "CheapestQuote", {"object": "barn", "thinking_seconds": {"Abc": 1, "Def": 5, "Ghi": 0.5}}, ()),
    ("raffle", "RaffleDraw", {"players": ["Ida", "Jon", "Kim"]}, ()),
    ("saga", "TripBooking", {"traveller": "Ada", "city": "Lisbon"}, ()),
    ("saga", "TripBooking", {"traveller": "Ada", "city": "Venice"}, ()),
    ("transcode", "Transcoding", {"title": "Metropolis", "frames": 9, "crashes": True}, ()),
    ("transcode", "Transcoding", {"title": "Metropolis", "frames": 600}, (("sleep", 5), ("cancel",))),
]
"""What is run: module, workflow, argument, and the steps of its client."""


def code_of(module: Any, attribute: str) -> list[Any]:
    """What a module defines, and what it takes from other examples."""
    return [one for one in vars(module).values() if attribute in getattr(one, "__dict__", {})]


def histories(module: Any, name: str, arg: Any, steps: tuple[Step, ...]) -> list[tuple[str, bytes]]:
    """Run an example, and export it and all that it started."""
    with Engine(workflows=code_of(module, WORKFLOW), activities=code_of(module, ACTIVITY), seed=1) as engine:
        handle = engine.start_workflow(name, arg, id="program").wait()
        for step in steps:
            take(engine, step)
        try:
            handle.result().wait()
        except WorkflowFailureError:
            assert (module.__name__, steps) != ("examples.orders", ())
        except WorkflowStuckError as error:
            assert "ZeroDivisionError" in str(error)
        return [
            (run.id, engine.get_workflow_handle(run.id, run_id=run.run_id).fetch_history().wait().to_json())
            for run in engine.list_workflows().wait()
        ]


@pytest.mark.parametrize(("module", "name", "arg", "steps"), RUNS, ids=lambda one: one if isinstance(one, str) else "")
def test_an_example_runs_and_replays(module: str, name: str, arg: Any, steps: tuple[Step, ...]) -> None:
    """The engine runs the example; Temporal's classes take the export unchanged, and both replayers agree with it."""
    native = importlib.import_module(f"examples.{module}")
    theirs = importlib.import_module(f"examples.temporal.{module}")
    their_workflows = [one for _, one in inspect.getmembers(theirs) if hasattr(one, "__temporal_workflow_definition")]
    for workflow_id, text in histories(native, name, arg, steps):
        history = WorkflowHistory.from_json(workflow_id, text.decode())
        message = ProtoHistory.FromString(ProtoHistory(events=history.events).SerializeToString())
        assert ProtoHistory(events=history.events) == message
        assert len(MessageToDict(message)["events"]) == len(history.events)
        verdict = Replayer(code_of(native, WORKFLOW)).replay(text, workflow_id=workflow_id)
        if b"WORKFLOW_TASK_FAILED" in text:
            assert module == "orders"
        else:
            assert isinstance(verdict, Agrees), verdict
        assert judge(text, workflow_id, their_workflows).message == ""


def test_every_example_is_run() -> None:
    """No example that defines a workflow is left out."""
    modules = {path.stem for path in EXAMPLES.glob("*.py") if "@workflow.defn" in path.read_text()}
    assert modules - {module for module, *_ in RUNS} == set()
