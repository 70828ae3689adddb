"""Looking into a past run from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playhead.__main__ import main

ROOT = Path(__file__).parents[2]
COMPLETED = "fixtures/temporal/orders_completed.json"
STUCK = "fixtures/temporal/orders_stuck.json"
ORDERS = ["-w", "examples.orders"]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given at the root of the repository, to a plain terminal."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_print_shows_an_expression_at_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """One expression is just its value, several are named."""
    assert main(["replay", COMPLETED, *ORDERS, "--at", "7", "--print", "order.total"]) == 0
    assert capsys.readouterr().out == "5000\n"
    assert main(["replay", COMPLETED, *ORDERS, "--at", "7", "--print", "order.id", "--query", "status"]) == 0
    assert capsys.readouterr().out == "order.id = A-1\nstatus() = charging\n"


def test_print_without_a_mark_looks_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """The end is where the replay ended."""
    assert main(["replay", COMPLETED, *ORDERS, "--print", "self.stage"]) == 0
    assert capsys.readouterr().out == "shipped\n"


def test_at_alone_shows_the_whole_state(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the run is, what its variables hold, what it waits for; or what it raised."""
    assert main(["replay", COMPLETED, *ORDERS, "--at", "task:2"]) == 0
    out = capsys.readouterr().out
    assert "after event 9, in workflow task 2\n  self.stage = 'charging'\n" in out
    assert "examples/orders.py:83 in OrderFulfilment.run" in out
    assert "waits for activity charge  examples/orders.py:83" in out
    assert main(["replay", STUCK, *ORDERS, "--at", "19"]) == 0
    assert "raised  ZeroDivisionError: integer division or modulo by zero" in capsys.readouterr().out


def test_a_state_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has the variables by name, and the answers."""
    assert main(["replay", COMPLETED, *ORDERS, "--at", "orders.py:86", "--print", "paid", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["attributes"]["stage"]["value"] == "packing"
    assert shown["coroutines"][0]["stack"][0]["locals"]["paid"]["value"] == 4500
    assert shown["answers"] == [{"of": "paid", "type": "int", "text": "4500", "value": 4500}]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--at", "99"], "there is no event 99: the run has events 1 to 23"),
        (["--at", "soon"], "'soon' is no mark: write the id of an event (42), task:3, command:2, or a line"),
        (["--at", "orders.py:1"], "orders.py:1 is never reached. The lines of it that are: 33, 74,"),
        (["--print", "self.stage ="], "self.stage =: invalid syntax"),
        (["--print", "self.stagee"], "self.stagee: AttributeError: 'OrderFulfilment' object has no attribute 'stagee'"),
        (["--print", "self.__dict__.clear()"], "it changes the run, and a past run can only be looked at"),
        (["--query", "nothing"], "OrderFulfilment has no handler for query 'nothing'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, and what there is instead; never a traceback."""
    assert main(["replay", COMPLETED, *ORDERS, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("playhead: ")
    assert problem in err
    assert "Traceback" not in err


def test_a_state_is_that_of_one_history(capsys: pytest.CaptureFixture[str]) -> None:
    """Several histories have no event in common."""
    assert main(["replay", COMPLETED, STUCK, *ORDERS, "--at", "3"]) == 2
    assert "name one history: there are 2" in capsys.readouterr().err


def test_trace_tells_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What the code was told, what it asked for, from which lines, and what changed."""
    assert main(["trace", COMPLETED, *ORDERS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[4] == (
        "         run.order: (not there) -> Order(id='A-1', item='teapot', quantity=2, unit_price=2500, voucher=500, "
        "card='valid', … 1 more)"
    )
    assert lines[5:9] == [
        "task 2  events 4-9",
        '      7  ActivityTaskCompleted  result=["2 x teapot"]  examples/orders.py:80',
        "     ->  ActivityTaskScheduled  activityType=charge  activityId=2  examples/orders.py:83",
        "         self.stage: 'reserving' -> 'charging'",
    ]
    assert lines[-1] == f"{COMPLETED}: agrees"


def test_trace_shows_lines_and_logpoints(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines with their source and what changed before them; logpoints where they are."""
    arguments = ["--task", "3", "--lines", "--logpoint", "orders.py:86", 'f"{paid=}"']
    assert main(["trace", COMPLETED, *ORDERS, *arguments]) == 0
    out = capsys.readouterr().out
    assert "examples/orders.py:86  discount_percent = order.voucher * 100 // order.total  # self.stage='packing'" in out
    assert "log  orders.py:86  paid=4500" in out
    assert "task 2" not in out


def test_trace_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """One object for each workflow task, each with its lines and stacks."""
    assert main(["trace", COMPLETED, *ORDERS, "--lines", "--logpoint", "orders.py:86", "paid", "--json"]) == 0
    tasks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [task["task"] for task in tasks] == [1, 2, 3, 4]
    assert tasks[1]["told"][0]["event_id"] == 7
    assert tasks[1]["commands"][0]["stack"][0]["line"] == 83
    assert tasks[2]["logged"] == [
        {
            "at": "orders.py:86",
            "event": 15,
            "text": "4500",
            "value": {"type": "int", "text": "4500", "value": 4500},
            "error": None,
        }
    ]
    assert {step["line"] for step in tasks[2]["lines"]} >= {85, 86, 88}


def test_trace_ends_with_the_verdict_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that diverges is told up to there."""
    assert main(["trace", COMPLETED, "-w", "examples.orders_broken"]) == 1
    out = capsys.readouterr().out
    assert "-> ActivityTaskScheduled  activityType=check_fraud".replace("-> ", "->  ") in out
    assert "diverges at event 11" in out
    assert "task 3" not in out
    assert main(["trace", STUCK, *ORDERS]) == 3
    assert "!   ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--task", "7"], "there is no workflow task 7: the run has workflow tasks 1 to 4"),
        (["--logpoint", "orders.py:40", "paid"], "orders.py:40 is never reached"),
        (["--logpoint", "orders.py:86", "paid = 3"], "a statement does more than look"),
    ],
)
def test_wrong_usage_of_trace(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and exit code 2."""
    assert main(["trace", COMPLETED, *ORDERS, *arguments]) == 2
    assert problem in capsys.readouterr().err
