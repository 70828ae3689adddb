"""Replaying a run from every moment at which a worker might have had to take it up anew."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from examples import orders

from playhead import Agrees, CodeRaised, Diverges, Replayer, read_history
from playhead.prefixes import how_many, is_sound, replay_prefixes
from playhead_engine import workflow
from playhead_engine.history import History
from tests.replay.project import FIXTURES, ORDER
from tests.replay.test_fixtures import RECORDINGS

DUE = [recording for recording in RECORDINGS if recording["verdict"] == "agrees"]


@pytest.mark.parametrize("recording", DUE, ids=[recording["file"].removesuffix(".json") for recording in DUE])
def test_real_runs_replay_from_every_task(recording: dict[str, Any]) -> None:
    """Each run that a server recorded went on, live, with what its code asks for there; never a false alarm."""
    workflow_class = getattr(import_module(recording["module"]), recording["class"])
    history = read_history(FIXTURES / recording["file"])
    replays = list(replay_prefixes(Replayer([workflow_class]), history, workflow_id=recording["workflow_id"]))
    assert len(replays) == how_many(history)[0] == how_many(history)[1]
    assert [one for one in replays if not isinstance(one.verdict, Agrees)] == []


def test_a_prefix_ends_where_a_task_is_about_to_be_done() -> None:
    """At WorkflowTaskStarted, of each task that was completed."""
    replays = list(replay_prefixes(Replayer([orders.OrderFulfilment]), read_history(ORDER)))
    assert [one.events for one in replays] == [3, 9, 15, 21]


@workflow.defn(name="OrderFulfilment")
class AsksForSomethingElseWhenLive:
    """Replays any recording, as it replays nothing: it is told the truth about replay, and uses it."""

    @workflow.run
    async def run(self, order: orders.Order) -> orders.Receipt:
        """Do as was recorded on replay, and something else where it is live."""
        if not workflow.unsafe.is_replaying():
            await workflow.sleep(1)
        return await orders.OrderFulfilment().run(order)


def test_code_that_does_other_things_live_is_found() -> None:
    """A replay of the whole run agrees, since nothing in it is live; the first prefix does not."""
    replayer = Replayer([AsksForSomethingElseWhenLive])
    history = read_history(ORDER)
    assert replayer.replay(history) == Agrees(23)
    first = next(replay_prefixes(replayer, history))
    assert first.events == 3
    assert isinstance(first.verdict, Diverges)
    divergence = first.verdict.divergence
    assert (divergence.event_id, divergence.recorded.kind, divergence.now.kind) == (
        5,
        "ActivityTaskScheduled",
        "TimerStarted",
    )
    assert not is_sound(first.verdict)


def test_a_long_run_is_replayed_from_some_of_its_tasks() -> None:
    """As many as the budget allows, spread evenly; none without a budget."""
    history = read_history(FIXTURES / "onboarding_year.json")
    count, of = how_many(history, budget=of_all(history) // 3)
    assert 0 < count < of
    assert how_many(history, budget=0) == (0, of)


def of_all(history: History) -> int:
    """How many events the replays of all prefixes come to."""
    return sum(event.event_id for event in history.events if event.KIND == "WORKFLOW_TASK_STARTED")


def test_a_run_that_was_stuck_may_be_stuck() -> None:
    """An error that the run met while it ran is no failure to replay it; any other is."""
    stuck = Replayer([orders.OrderFulfilment]).replay(FIXTURES / "orders_stuck.json")
    assert isinstance(stuck, CodeRaised)
    assert stuck.is_recorded
    assert is_sound(stuck)
