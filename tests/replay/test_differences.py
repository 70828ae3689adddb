"""`docs/differences.md`, line by line: our verdict is another one than that of Temporal's Replayer, and knows it."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner

import playhead
from playhead import Agrees, CodeRaised, CodeUnfinished, Diverges, NotReplayable, UnreadableHistory
from tests.conftest import ROOT
from tests.replay import parity
from tests.replay.parity import quiet_judge, theirs

__all__ = ["quiet_judge"]
pytestmark = [
    pytest.mark.usefixtures("quiet_judge"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ORDER = ROOT / "fixtures" / "temporal" / "orders_completed.json"
ACTIVITIES = ("reserve", "charge", "ship")
SOON = timedelta(seconds=10)


async def fulfil(*activities: str) -> None:
    """Ask for activities, one after the other."""
    for name in activities:
        await workflow.execute_activity(name, schedule_to_close_timeout=SOON)


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class Order:
    """Does what was recorded."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order."""
        await fulfil(*ACTIVITIES)


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class Bursts:
    """Raises at the end."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order and fail."""
        await fulfil(*ACTIVITIES)
        raise ZeroDivisionError("no")


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class Spins:
    """Never comes to rest at the end."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order and spin."""
        await fulfil(*ACTIVITIES)
        while True:
            pass


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class AsksForMore:
    """Asks for one thing more than was recorded."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Begin to fulfil the order."""
        workflow.start_activity("wrap", schedule_to_close_timeout=SOON)
        await fulfil(*ACTIVITIES)


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class Sleeps:
    """Waits for a timer."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Sleep."""
        await workflow.sleep(5)


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class Exits:
    """Ends the process, if it is let."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """End it."""
        sys.exit(3)


@workflow.defn(name="OrderFulfilment", sandboxed=False)
class ContinuesTooEarly:
    """Continues as new before it has begun."""

    def __init__(self) -> None:
        workflow.continue_as_new()

    @workflow.run
    async def run(self, given: Any) -> None:
        """Do nothing."""


def events() -> list[dict[str, Any]]:
    """Those of a recording, to be changed."""
    found: list[dict[str, Any]] = json.loads(ORDER.read_text())["events"]
    return found


def ours(history: list[dict[str, Any]], cls: type[Any]) -> playhead.Verdict:
    """Our verdict."""
    return playhead.Replayer([cls]).replay(json.dumps({"events": history}).encode())


def judged(history: list[dict[str, Any]], cls: type[Any]) -> str:
    """That of Temporal's Replayer."""
    runner = UnsandboxedWorkflowRunner()
    return theirs(json.dumps({"events": history}), "w", [cls], workflow_runner=runner).verdict


def test_an_error_at_the_end_of_an_open_run() -> None:
    """Temporal passes it, because the task is not replayed but new."""
    verdict = ours(events()[:21], Bursts)
    assert isinstance(verdict, CodeRaised)
    assert verdict.temporal == judged(events()[:21], Bursts) == "ok"


def test_code_that_spins_at_the_end_of_an_open_run() -> None:
    """Temporal passes it for the same reason."""
    verdict = ours(events()[:21], Spins)
    assert isinstance(verdict, CodeUnfinished)
    assert verdict.temporal == judged(events()[:21], Spins) == "ok"


def test_more_commands_than_were_recorded() -> None:
    """Temporal ignores commands that meet no event."""
    verdict = ours(events()[:5], AsksForMore)
    assert isinstance(verdict, Diverges)
    assert verdict.temporal == judged(events()[:5], AsksForMore)


def test_a_mismatch_after_the_last_workflow_task() -> None:
    """Temporal no longer looks, because what comes is new to the code."""
    timer = {"timerId": "9", "startToFireTimeout": "5s", "workflowTaskCompletedEventId": "4"}
    fired = {"timerId": "9", "startedEventId": "5"}
    history = [
        *events()[:4],
        {**events()[4], "eventType": "EVENT_TYPE_TIMER_STARTED", "timerStartedEventAttributes": timer},
        {**events()[5], "eventType": "EVENT_TYPE_TIMER_FIRED", "timerFiredEventAttributes": fired},
    ]
    del history[4]["activityTaskScheduledEventAttributes"], history[5]["activityTaskStartedEventAttributes"]
    verdict = ours(history, Sleeps)
    assert isinstance(verdict, Diverges)
    assert (verdict.divergence.event_id, verdict.temporal) == (6, judged(history, Sleeps))
    assert verdict.temporal == "ok"


def test_events_after_the_end() -> None:
    """Temporal does not look at them."""
    late = {**events()[1], "eventId": "24"}
    verdict = ours([*events(), late], Order)
    assert isinstance(verdict, NotReplayable)
    assert verdict.event_id == 24
    assert verdict.temporal == judged([*events(), late], Order) == "ok"


def test_missing_events() -> None:
    """What differs before them differs; else nothing can be said."""
    history = [event for event in events() if event["eventId"] != "12"]
    verdict = ours(history, Order)
    assert isinstance(verdict, NotReplayable)
    assert (verdict.event_id, verdict.temporal) == (13, judged(history, Order))
    before = ours(history, AsksForMore)
    assert isinstance(before, Diverges)
    assert before.temporal == judged(history, AsksForMore) == "nondeterminism"


def test_events_out_of_order_are_sorted() -> None:
    """A download may begin with the newest; Temporal's SDK takes it as it comes."""
    assert isinstance(ours(events()[::-1], Order), Agrees)
    assert isinstance(ours([*events()[:7], events()[6], *events()[7:]], Order), Agrees)


def test_an_event_type_in_another_spelling_is_known() -> None:
    """Temporal's SDK takes it for no type at all."""
    history = events()
    history[4]["eventType"] = "activity_task_scheduled"
    assert isinstance(ours(history, Order), Agrees)
    assert judged(history, Order) == "error"


def test_an_event_without_an_id_is_refused() -> None:
    """Temporal's SDK takes it for event 0."""
    history = events()
    del history[4]["eventId"]
    with pytest.raises(UnreadableHistory, match="eventId"):
        ours(history, Order)
    assert judged(history, Order) == "error"


def _without(name: str) -> list[dict[str, Any]]:
    history = events()
    del history[0]["workflowExecutionStartedEventAttributes"][name]
    return history


HANGING: dict[str, tuple[list[dict[str, Any]], type[Any]]] = {
    "one event only": (events()[:1], Order),
    "another first event": ([{**event, "eventId": str(at)} for at, event in enumerate(events()[1:], 1)], Order),
    "no workflow type": (_without("workflowType"), Order),
    "no task queue": (_without("taskQueue"), Order),
    "a task that does not end": (
        [{**event, "eventId": str(at)} for at, event in enumerate([*events()[:3], *events()[4:]], 1)],
        Order,
    ),
    "continue-as-new in __init__": (events(), ContinuesTooEarly),
}


@pytest.mark.parametrize("name", HANGING)
def test_what_temporal_never_returns_from(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """We do, and say what is wrong."""
    history, cls = HANGING[name]
    verdict = ours(history, cls)
    assert isinstance(verdict, CodeRaised if cls is ContinuesTooEarly else NotReplayable)
    assert verdict.temporal == "hangs"
    assert judged(events(), Order) == "ok"  # it is awake
    monkeypatch.setattr(parity, "PATIENCE", 3.0)
    assert judged(history, cls) == "hangs"


def test_a_history_without_events_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal never returns from it."""
    with pytest.raises(UnreadableHistory, match="list of events is empty"):
        ours([], Order)
    monkeypatch.setattr(parity, "PATIENCE", 3.0)
    assert judged([], Order) == "hangs"


def test_code_that_ends_the_process() -> None:
    """It does not end ours; Temporal's Replayer is not asked, because it would end the tests."""
    verdict = ours(events(), Exits)
    assert isinstance(verdict, CodeRaised)
    assert (verdict.error_type, verdict.temporal) == ("SystemExit", "hangs")
