"""Captured runs: every run of the built-in engine, whoever made the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from examples import batch, orders
from examples.temporal import orders as temporal_orders

from playhead import Answers, Doubles, Hotfix, Replayer
from playhead.capture import Capture, active_capture
from playhead_engine import Engine, workflow
from tests.replay.project import FIXTURES, ORDER

SEEN: list[str] = []


@workflow.defn
class Remembers:
    """Does something else once it has run in this process."""

    @workflow.run
    async def run(self) -> None:
        """Wait, the first time."""
        SEEN.append("a run")
        await workflow.sleep(len(SEEN))
        if len(SEEN) > 1:
            await workflow.sleep(1)


def order(form: Any, engine: Engine, number: int = 1) -> None:
    """Carry one order through."""
    given = form.Order(f"A-{number}", "tea", 1, 100)
    engine.execute_workflow(form.OrderFulfilment.run, given, id=given.id, task_queue="q").wait()


@pytest.mark.parametrize("form", [orders, temporal_orders], ids=["native", "temporalio"])
def test_runs_of_every_engine_are_replayed_whole_and_in_part(form: Any) -> None:
    """Closed or not, in memory, one run or several; each is looked at once."""
    with Capture() as capture:
        with Engine(workflows=[form.OrderFulfilment], activities=[form.reserve, form.charge, form.ship]) as engine:
            order(form, engine)
            order(form, engine, 2)
            checked = capture.check()
            assert (checked.runs, checked.prefixes, checked.unsound) == (2, 8, ())
        assert capture.check().runs == 0


def test_a_run_on_disk_is_captured_from_its_beginning(tmp_path: Path) -> None:
    """Also where an engine before this one began it."""

    def signal_it(engine: Engine) -> None:
        engine.get_workflow_handle("w").signal("go_on").wait()

    with Engine(tmp_path, workflows=[Waits], clock="virtual") as engine:
        engine.start_workflow(Waits.run, id="w", task_queue="q").wait()
    with Capture() as capture, Engine(tmp_path, workflows=[Waits], clock="virtual") as engine:
        signal_it(engine)
        engine.get_workflow_handle("w").result().wait()
        checked = capture.check()
    assert (checked.runs, checked.unsound) == (1, ())
    assert checked.prefixes >= 2


@workflow.defn
class Waits:
    """Waits for a signal."""

    def __init__(self) -> None:
        """Nothing has come."""
        self.is_told = False

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await workflow.wait_condition(lambda: self.is_told)

    @workflow.signal
    def go_on(self) -> None:
        """It has come."""
        self.is_told = True


def test_a_run_that_does_not_replay_is_given_with_its_verdict() -> None:
    """As far as it went, so that it can be looked into."""
    SEEN.clear()
    with Capture() as capture, Engine(workflows=[Remembers]) as engine:
        engine.execute_workflow(Remembers.run, id="r", task_queue="q").wait()
        (unsound,) = capture.check().unsound
    assert unsound.history.id == "r"
    assert not unsound.is_prefix
    assert type(unsound.verdict).__name__ == "Diverges"


def test_what_is_made_with_answers_is_left_alone_and_what_goes_by_them_is_not() -> None:
    """A preview is no run of the user's; a parent whose children are answered is one, its children are not."""
    history = FIXTURES / "orders_stuck.json"
    with Capture() as capture:
        Hotfix([orders.OrderFulfilment], answers=Answers(anything=True)).preview(history)
        assert capture.check().runs == 0
        doubles = Doubles(FIXTURES / "batch_parent.json")
        with doubles.engine([batch.BatchImport]) as engine:
            given = batch.Batch("monday", ["rows-12.csv", "rows-30.csv", "rows-7.csv"])
            engine.execute_workflow(batch.BatchImport.run, given, id="batch", task_queue="q").wait()
        checked = capture.check()
    assert (checked.runs, checked.unsound) == (1, ())


def test_nothing_is_captured_when_nobody_asks() -> None:
    """Once a capture is left, engines are nobody's business, and the one outside of it goes on."""
    with Capture() as outer:
        with Capture() as inner:
            assert active_capture() is inner
        assert active_capture() is outer
    assert active_capture() is None
    with Engine(workflows=[orders.OrderFulfilment], activities=[orders.reserve, orders.charge, orders.ship]) as engine:
        order(orders, engine)
    assert outer.check().runs == 0


def test_runs_that_are_forgotten_are_not_replayed() -> None:
    """What a test left behind that failed by itself, say; the same run is looked at once it goes on."""
    with Capture() as capture, Engine(workflows=[Waits]) as engine:
        handle = engine.start_workflow(Waits.run, id="w", task_queue="q").wait()
        capture.forget()
        assert capture.check().runs == 0
        handle.signal(Waits.go_on).wait()
        handle.result().wait()
        assert capture.check().runs == 1


def test_the_history_of_a_fixture_is_no_run() -> None:
    """Replaying is not running."""
    with Capture() as capture:
        Replayer([orders.OrderFulfilment]).replay(ORDER)
        assert capture.check().runs == 0
