"""`--playhead-update`: baselines that tests record, and states that are watched, written only when somebody says so."""

from __future__ import annotations

import json

from examples.orders import OrderFulfilment
from temporalio.client import WorkflowHistory

from playhead import Agrees, Replayer
from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]

BASELINES = f'{ORDERS}    baselines = "tests/baselines"\n'.replace('    histories = ["tests/histories"]\n', "")
TEST = """
    from app import orders

    def test_order(workflow_engine, recorded):
        engine = workflow_engine()
        order = orders.Order("A-1", "teapot", 2, 2500)
        handle = engine.start_workflow(orders.OrderFulfilment.run, order, id="a", task_queue="q").wait()
        handle.result().wait()
        recorded("orders/happy", handle)
"""


def test_a_baseline_is_written_once_and_held_against_later_runs(suite: Suite) -> None:
    """Without it the test fails and says how to get one; once it is there, it is a history like any other."""
    suite.configure(BASELINES)
    suite.write("tests/test_orders.py", TEST)
    first = suite.pytest()
    assert first.outcomes == {"failed": 1}
    assert (
        "There is no baseline tests/baselines/orders/happy.json yet: `pytest --playhead-update` writes it"
        in first.output
    )
    written = suite.pytest("--playhead-update")
    assert written.outcomes == {"passed": 1}
    assert written.section("histories") == ["written: tests/baselines/orders/happy.json"]
    text = (suite.root / "tests/baselines/orders/happy.json").read_bytes()
    again = suite.pytest("-v", "--playhead-update")
    assert again.outcomes == {"passed": 2}
    assert "tests/baselines/orders/happy.json::OrderFulfilment PASSED" in again.output
    assert again.section("histories") == ["1 history: 1 agrees"]
    assert (suite.root / "tests/baselines/orders/happy.json").read_bytes() == text


def test_a_run_that_changed_fails_until_it_is_taken(suite: Suite) -> None:
    """The difference is shown, then written; the old run can stay, so that the code must still replay it."""
    suite.configure(BASELINES)
    suite.write("tests/test_orders.py", TEST)
    suite.pytest("--playhead-update", "-q")
    code = (suite.root / "app/orders.py").read_text()
    patched = code.replace(
        '        self.stage = "packing"\n',
        '        if workflow.patched("weigh"):\n            await workflow.sleep(60)\n        self.stage = "packing"\n',
    )
    assert patched != code
    suite.write("app/orders.py", patched)
    changed = suite.pytest("tests/test_orders.py")
    assert changed.outcomes == {"failed": 1}
    assert "The run is not the one that tests/baselines/orders/happy.json holds:" in changed.output
    assert "E         +timer of 60s: fired" in changed.output
    taken = suite.pytest("--playhead-update", "--playhead-keep")
    assert taken.outcomes == {"passed": 2}, taken.output
    said = taken.section("histories")
    assert said[:3] == [
        "1 history: 1 agrees",
        "kept: tests/baselines/orders/happy.1.json",
        "changed: tests/baselines/orders/happy.json",
    ]
    assert "    +timer of 60s: fired" in said
    after = suite.pytest()
    assert after.outcomes == {"passed": 3}, after.output
    suite.write("app/orders.py", code)  # the patch is taken back: the new run cannot go on, the old one can
    assert suite.pytest("tests/baselines").outcomes == {"failed": 1, "passed": 1}


def test_a_baseline_that_nothing_records_any_more_is_stale(suite: Suite) -> None:
    """It is named when all tests have run, and stays."""
    suite.configure(BASELINES)
    suite.write("tests/test_orders.py", TEST)
    suite.pytest("--playhead-update", "-q")
    (suite.root / "tests/baselines/orders/happy.json").rename(suite.root / "tests/baselines/orders/old.json")
    ran = suite.pytest("--playhead-update")
    assert "stale: no test records tests/baselines/orders/old.json any more" in ran.section("histories")
    assert "stale" not in suite.pytest("tests/test_orders.py").output
    assert (suite.root / "tests/baselines/orders/old.json").exists()


def test_mistakes_about_baselines_are_told_in_a_sentence(suite: Suite) -> None:
    """Two tests of one name, a name that leaves the folder, and no folder at all."""
    suite.configure(BASELINES)
    suite.write(
        "tests/test_orders.py",
        f"""{TEST}
    def test_again(workflow_engine, recorded):
        test_order(workflow_engine, recorded)

    def test_outside(histories, recorded):
        recorded("../happy", b"")
    """,
    )
    ran = suite.pytest("--playhead-update")
    assert ran.outcomes == {"passed": 1, "failed": 2}, ran.output
    assert "Two tests record 'orders/happy': tests/test_orders.py::test_order and tests/test_orders.py::test_again" in (
        ran.output
    )
    assert "A baseline has a name such as orders/happy, not '../happy'." in ran.output
    suite.configure('workflows = ["app.orders"]')
    assert (
        'Say where histories that tests record are to be kept: `baselines = "tests/baselines"`' in suite.pytest().output
    )


def test_watched_states_are_kept_beside_each_history(suite: Suite) -> None:
    """A replay that agrees may still think otherwise than before: that fails, until it is taken."""
    suite.configure(f'{ORDERS}    watch = ["status()", "self.stage", "self.mood"]\n')
    suite.take("orders_completed")
    missing = suite.pytest()
    assert missing.outcomes == {"failed": 1}
    assert "There is no tests/histories/orders_completed.states.json yet" in missing.output
    written = suite.pytest("--playhead-update")
    assert written.section("histories")[1] == "written: tests/histories/orders_completed.states.json"
    kept = json.loads((suite.root / "tests/histories/orders_completed.states.json").read_text())
    stages = {"1": "reserving", "7": "charging", "13": "shipping", "19": "shipped"}
    assert kept == {"status()": stages, "self.stage": stages}
    code = (suite.root / "app/orders.py").read_text()
    suite.write("app/orders.py", code.replace('self.stage = "charging"', 'self.stage = "billing"'))
    changed = suite.pytest()
    assert changed.outcomes == {"failed": 1}
    line = 'status() at event 7: was "charging", is "billing"'
    assert f"  {line}" in changed.section("OrderFulfilment, tests/histories/orders_completed.json")
    assert f"    {line}" in suite.pytest("--playhead-update").section("histories")
    assert suite.pytest().outcomes == {"passed": 1}


def test_what_cannot_be_watched_is_told_in_a_sentence(suite: Suite) -> None:
    """An expression that is none, or one that changes the run."""
    suite.take("orders_completed")
    for text, sentence in (
        ("self.stage =", "self.stage =: invalid syntax"),
        ("self.__dict__.clear()", "it changes the run"),
    ):
        suite.configure(f'{ORDERS}    watch = ["{text}"]\n')
        ran = suite.pytest("--playhead-update")
        assert ran.outcomes == {"failed": 1}
        assert sentence in ran.section("OrderFulfilment, tests/histories/orders_completed.json")[0], ran.output


def test_what_tests_record_is_a_history_of_temporal(suite: Suite) -> None:
    """Every tool of Temporal's reads a baseline; its own Replayer agrees with it."""
    suite.configure(BASELINES)
    suite.write("tests/test_orders.py", TEST)
    suite.pytest("--playhead-update", "-q")
    text = (suite.root / "tests/baselines/orders/happy.json").read_text()
    history = WorkflowHistory.from_json("a", text)
    assert len(history.events) == 23
    assert isinstance(Replayer([OrderFulfilment]).replay(history), Agrees)
