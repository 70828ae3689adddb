"""The engine under fault plans: its invariants hold after every round, and would be missed if they did not."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead_engine import Engine, activity, workflow
from playhead_engine.client import EngineStopped
from playhead_engine.faults import (
    HAVE_ATTEMPTS,
    NEEDS_TIME,
    STRIKES,
    TAKES_TIME,
    Fault,
    FaultLog,
    FaultPlan,
    FaultPoint,
)
from playhead_engine.faults.invariants import INVARIANTS, InvariantBroken, Seen, watch
from playhead_engine.history import History
from playhead_engine.messages import Json
from playhead_engine.stores import RunWrite
from playhead_engine.stores.memory import MemoryStore
from tests.engine.engine_victims import RESULT, Notes, open_engine, travel
from tests.engine.engines import MakeEngine, make_engine

__all__ = ["make_engine"]

EXAMPLES = 5000 if os.environ.get("PLAYHEAD_FUZZ") else 40


class HeardNotes(Notes):
    """Notes in memory."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line)

    def lines(self) -> list[str]:
        return self.written


async def journey(plan: FaultPlan, seed: int, *, looks: bool = True) -> tuple[list[str], FaultLog, list[History]]:
    """A journey with all there is: activities on the loop and in threads, timers, a child, signals, updates, two
    runs."""
    async with open_engine(HeardNotes(), seed=seed, faults=plan) as engine:
        if looks:
            watch(engine)
        async with asyncio.timeout(60):
            result = await travel(engine, "journey", HeardNotes())
        runs = [one async for one in engine.list_workflows()]
        histories = [await engine.get_workflow_handle(one.id, run_id=one.run_id).fetch_history() for one in runs]
        return result, engine.faults, histories


@cache
def points_of_a_journey() -> tuple[FaultPoint, ...]:
    result, log, _ = asyncio.run(journey(FaultPlan(), 0))
    assert result == RESULT
    return tuple(passed.point for passed in log.passed)


@pytest.fixture(scope="module")
def caplog_off() -> Iterator[None]:
    """Of each fault there is a line in the log, as there should be; of thousands nobody reads them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    """A fault at a point that a journey passes, or at one that it may pass when something else went wrong."""
    point = draw(st.sampled_from(points_of_a_journey()))
    if draw(st.integers(0, 3)) == 0:
        attempt = draw(st.integers(1, 2)) if point.kind in HAVE_ATTEMPTS else 1
        point = FaultPoint(point.kind, "*", draw(st.integers(1, 30)), attempt)
    strike = draw(st.sampled_from([one for one in STRIKES[point.kind] if one not in ("fail-for-good", "deploy")]))
    takes_time = strike in NEEDS_TIME or (strike in TAKES_TIME and draw(st.booleans()))
    return Fault(point, strike, draw(st.sampled_from([0.001, 1.0, 40.0, 7200.0])) if takes_time else 0)


plans = st.lists(faults(), max_size=6).map(tuple).map(FaultPlan)
seeds = st.integers(0, 2**32)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, seed=seeds)
def test_whatever_strikes_a_journey_ends_as_if_nothing_had(plan: FaultPlan, seed: int, caplog_off: None) -> None:
    """No plan loses or doubles anything that was committed or acknowledged, nor leaves anything undone."""
    result, log, _ = asyncio.run(journey(plan, seed))
    assert result == RESULT
    assert set(log.struck) | set(log.unused) == set(plan)


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, seed=seeds)
def test_what_happens_follows_from_seed_and_plan(plan: FaultPlan, seed: int, caplog_off: None) -> None:
    """However fast threads are, and whoever awaits: the same histories, byte for byte, and the same log."""
    (_, log, histories), (_, log_again, again) = (asyncio.run(journey(plan, seed, looks=False)) for _ in range(2))
    assert log.passed == log_again.passed
    assert [one.to_json() for one in histories] == [one.to_json() for one in again]


# Would they be missed?


@activity.defn
async def never() -> None:
    await asyncio.Event().wait()


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=400))


@workflow.defn
class Busy:
    """Waits for an activity, a timer and a child, and has taken a signal and an update."""

    def __init__(self) -> None:
        self.told = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(1)
        await asyncio.gather(
            workflow.execute_activity(never, start_to_close_timeout=timedelta(days=500)),
            workflow.sleep(timedelta(days=300)),
            workflow.execute_child_workflow(Child.run, id="child"),
        )

    @workflow.signal
    def tell(self) -> None:
        self.told += 1

    @workflow.update
    def ask(self) -> int:
        return self.told


@workflow.defn
class Short:
    @workflow.run
    async def run(self) -> None:
        pass


class Tampered(MemoryStore):
    """A store that gives back something else than it was given, once somebody wants it to."""

    def __init__(self) -> None:
        super().__init__()
        self.edit_events: Callable[[list[Json]], list[Json]] = lambda events: events
        self.edit_summary: Callable[[Json], Json] = lambda summary: summary
        self.edit_summaries: Callable[[list[Json]], list[Json]] = lambda summaries: summaries

    def events(self, run_id: str) -> list[Json]:
        return self.edit_events(super().events(run_id))

    def summaries(self) -> Iterator[Json]:
        return iter(self.edit_summaries([self.edit_summary(one) for one in super().summaries()]))


@pytest.fixture
def busy(make_engine: MakeEngine) -> tuple[Engine, Tampered]:
    """An engine in the middle of its work, and its store."""
    store = Tampered()
    engine = make_engine(store=store, workflows=[Busy, Child, Short], activities=[never], seed=1, faults="")
    watch(engine)
    handle = engine.start_workflow(Busy.run, id="busy").wait()
    handle.signal(Busy.tell).wait()
    assert handle.execute_update(Busy.ask).wait() == 1
    engine.sleep(2).wait()
    engine.start_workflow(Child.run, id="lone").wait().cancel().wait()
    engine.execute_workflow(Short.run, id="short").wait()
    return engine, store


def broken(engine: Engine, store: MemoryStore) -> set[str]:
    """The invariants that do not hold."""
    seen = Seen(engine.injector.core, store, engine.faults.acknowledged)
    return {name for name, invariant in INVARIANTS.items() if any(invariant(seen))}


def kind(event: Json) -> str:
    return str(event["eventType"]).removeprefix("EVENT_TYPE_")


def without(*kinds: str) -> Callable[[list[Json]], list[Json]]:
    """All events but those of some types, numbered as if they had never been."""

    def edit(events: list[Json]) -> list[Json]:
        kept = [event for event in events if kind(event) not in kinds]
        return [{**event, "eventId": str(number)} for number, event in enumerate(kept, start=1)]

    return edit


def doubled(*kinds: str) -> Callable[[list[Json]], list[Json]]:
    """All events, those of some types twice."""

    def edit(events: list[Json]) -> list[Json]:
        twice = [one for event in events for one in ([event, event] if kind(event) in kinds else [event])]
        return [{**event, "eventId": str(number)} for number, event in enumerate(twice, start=1)]

    return edit


def late_start(events: list[Json]) -> list[Json]:
    return [{**events[0], "eventTime": "2040-01-01T00:00:00Z"}, *events[1:]]


SABOTAGE: dict[str, dict[str, Callable[[Any], Any]]] = {
    "events are numbered": {"edit_events": lambda events: events[:2] + events[3:]},
    "time goes on": {"edit_events": late_start},
    "begins and ends once": {"edit_events": doubled("WORKFLOW_EXECUTION_COMPLETED")},
    "one open task": {"edit_events": without("WORKFLOW_TASK_COMPLETED")},
    "ends follow beginnings": {"edit_events": doubled("TIMER_FIRED")},
    "one open run": {"edit_summaries": lambda summaries: [*summaries, summaries[0]]},
    "families agree": {
        "edit_summaries": lambda summaries: [one for one in summaries if one["execution"]["workflowId"] != "child"]
    },
    "summaries agree": {"edit_summary": lambda one: {**one, "status": "WORKFLOW_EXECUTION_STATUS_FAILED"}},
    "acknowledged is kept": {"edit_events": without("WORKFLOW_EXECUTION_SIGNALED")},
    "memory is what is stored": {"edit_events": without("TIMER_FIRED")},
    "nothing before its commit": {"edit_events": without("ACTIVITY_TASK_SCHEDULED")},
}


@pytest.mark.parametrize("invariant", SABOTAGE)
def test_an_invariant_that_does_not_hold_is_named(busy: tuple[Engine, Tampered], invariant: str) -> None:
    """All hold in the middle of everything, and each finds its own damage."""
    engine, store = busy
    assert broken(engine, store) == set()
    vars(store).update(SABOTAGE[invariant])
    assert invariant in broken(engine, store)


@pytest.mark.parametrize("kinds", ["WORKFLOW_EXECUTION_UPDATE_ACCEPTED", "WORKFLOW_EXECUTION_CANCEL_REQUESTED"])
def test_whatever_was_acknowledged_would_be_missed(busy: tuple[Engine, Tampered], kinds: str) -> None:
    """Not only signals: updates and requests to cancel as well."""
    engine, store = busy
    store.edit_events = without(kinds)
    assert "acknowledged is kept" in broken(engine, store)


def test_what_nobody_sees_to_is_found(busy: tuple[Engine, Tampered]) -> None:
    """A timer without its alarm would be waited for until the end of time."""
    engine, store = busy
    for run in engine.injector.core.runs.open_runs():
        run.timers.clear()
    assert broken(engine, store) == {"nothing is forgotten"}


class Forgetful(MemoryStore):
    """Says that it has written what it has not."""

    def __init__(self, forgets: str) -> None:
        super().__init__()
        self._forgets = forgets

    def commit(self, writes: Sequence[RunWrite]) -> None:
        if any(kind(event) == self._forgets for write in writes for event in write.events):
            return
        super().commit(writes)


@pytest.mark.parametrize("forgets", ["WORKFLOW_EXECUTION_SIGNALED", "ACTIVITY_TASK_SCHEDULED", "TIMER_STARTED"])
def test_an_engine_that_is_watched_stops_at_the_first_thing_that_is_not_so(
    make_engine: MakeEngine, forgets: str
) -> None:
    """Whoever waits is told which invariant is broken, and how."""
    engine = make_engine(store=Forgetful(forgets), workflows=[Busy, Child], activities=[never], seed=1, faults="")
    watch(engine)
    with pytest.raises(EngineStopped) as stopped:
        handle = engine.start_workflow(Busy.run, id="busy").wait()
        handle.signal(Busy.tell).wait()
        engine.sleep(1000).wait()
    assert isinstance(stopped.value.__cause__, InvariantBroken)
    assert stopped.value.__cause__.invariant in INVARIANTS
    assert "the engine has stopped: memory is what is stored: run" in str(stopped.value)
