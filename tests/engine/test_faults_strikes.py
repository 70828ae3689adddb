"""What each strike does to a run: as the world does it to a cluster, its workers and its clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import Engine, activity, workflow
from playhead_engine.client import WorkflowFailureError
from playhead_engine.common import RetryPolicy
from playhead_engine.engine.clock import RealClock
from playhead_engine.engine.handles import WorkflowHandle
from playhead_engine.exceptions import ActivityError, ApplicationError, TimeoutError
from playhead_engine.faults import Deploy, FaultLog
from playhead_engine.faults.invariants import watch
from playhead_engine.history import History
from tests.engine.engines import kinds

TEN_SECONDS = timedelta(seconds=10)


class Bank:
    """The outside world: what was done to it stays done, whatever becomes of processes."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        self.cleaned_up = 0

    @activity.defn
    async def charge(self, card: str) -> str:
        self.charged.append(f"{card}, attempt {activity.info().attempt}")
        return f"receipt for {card}"

    @activity.defn
    async def count_up(self, to: int) -> int:
        """Takes a second for each step, and goes on where the attempt before was."""
        told = activity.info().heartbeat_details
        at = int(told[0]) if told else 0
        while at < to:
            await asyncio.sleep(1)
            at += 1
            self.charged.append(f"step {at}")
            activity.heartbeat(at)
        return at

    @activity.defn
    async def linger(self, seconds: float) -> None:
        """Does its work in two tasks of its own."""

        async def part(name: str) -> None:
            try:
                await asyncio.sleep(seconds)
                self.charged.append(name)
            finally:
                self.cleaned_up += 1

        await asyncio.gather(part("left"), part("right"))

    @activity.defn
    def in_thread(self, seconds: float) -> str:
        time.sleep(seconds)
        self.charged.append(threading.current_thread().name[:16])
        return "done"


@workflow.defn
class Order:
    """One payment, and then one local one."""

    @workflow.run
    async def run(self, card: str) -> list[str]:
        return [
            await workflow.execute_activity_method(Bank.charge, card, start_to_close_timeout=TEN_SECONDS),
            await workflow.execute_local_activity_method(Bank.charge, "own", start_to_close_timeout=TEN_SECONDS),
        ]


@workflow.defn
class OneTry:
    @workflow.run
    async def run(self, card: str) -> str:
        once = RetryPolicy(maximum_attempts=1)
        return await workflow.execute_activity_method(
            Bank.charge, card, start_to_close_timeout=TEN_SECONDS, retry_policy=once
        )


@workflow.defn
class Letters:
    """Keeps what it is told, in order, until it has been told enough."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.run
    async def run(self, count: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self.told) >= count)
        return self.told

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told.append(text)

    @workflow.update
    def ask(self, text: str) -> int:
        self.told.append(text)
        return len(self.told)


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, seconds: int) -> str:
        await workflow.sleep(seconds)
        return workflow.now().isoformat()[11:19]


@dataclass
class Ran:
    """What came of a run."""

    result: Any
    bank: Bank
    seconds: float
    history: History
    log: FaultLog


def run(workflow_run: Callable[..., Any], argument: object, plan: str, **options: Any) -> Ran:
    """Run a workflow under a plan, and look at the engine after every round."""
    bank = Bank()
    engine = Engine(
        workflows=[Order, OneTry, Letters, Sleeper, Counting, Lingering, Threaded],
        activities=[bank.charge, bank.count_up, bank.linger, bank.in_thread],
        faults=plan,
        **{"seed": 1, **options},
    )
    with engine:
        watch(engine)
        began = engine.now()
        handle = engine.start_workflow(workflow_run, argument, id="it").wait()
        try:
            result = handle.result().wait()
        except WorkflowFailureError as error:
            result = error.cause
        seconds = (engine.now() - began).total_seconds()
        return Ran(result, bank, seconds, handle.fetch_history().wait(), engine.faults)


RECEIPTS = ["receipt for visa", "receipt for own"]


@pytest.mark.parametrize(
    ("plan", "charged", "seconds"),
    [
        ("", ["visa, attempt 1", "own, attempt 1"], 0),
        # An activity whose code did nothing yet, or whose end was heard of at once, is tried again after a second.
        ("activity charge 1.1 fail", ["visa, attempt 2", "own, attempt 1"], 1),
        ("activity charge 1.1 fail-after", ["visa, attempt 1", "visa, attempt 2", "own, attempt 1"], 1),
        # One that nobody hears of has to time out first.
        ("activity charge 1.1 time-out", ["visa, attempt 2", "own, attempt 1"], 11),
        ("activity charge 1.1 lose", ["visa, attempt 1", "visa, attempt 2", "own, attempt 1"], 11),
        ("activity charge 1.1 lose-worker", ["visa, attempt 1", "visa, attempt 2", "own, attempt 1"], 11),
        ("activity charge 1.1 slow 4s", ["visa, attempt 1", "own, attempt 1"], 4),
        ("activity charge 1.1 slow 40s", ["visa, attempt 1", "visa, attempt 2", "own, attempt 1"], 11),
        # The attempt that was taken for dead runs its code when the next one does.
        ("activity charge 1.1 twice", ["visa, attempt 2", "visa, attempt 1", "own, attempt 1"], 11),
        # A process that takes over tries again at once what the one before had begun.
        ("activity charge 1.1 crash-before", ["visa, attempt 1", "own, attempt 1"], 0),
        ("activity charge 1.1 crash-after", ["visa, attempt 1", "visa, attempt 1", "own, attempt 1"], 0),
        ("activity charge 1.1 crash-after 60s", ["visa, attempt 1", "visa, attempt 1", "own, attempt 1"], 60),
        # What was committed is not done again, what was not, is.
        ("commit ActivityTaskScheduled 1 crash-before", ["visa, attempt 1", "own, attempt 1"], 0),
        ("commit ActivityTaskScheduled 1 crash-after", ["visa, attempt 1", "own, attempt 1"], 0),
        ("commit ActivityTaskScheduled 1 torn", ["visa, attempt 1", "own, attempt 1"], 0),
        ("commit WorkflowTaskScheduled 2 error", ["visa, attempt 1", "visa, attempt 1", "own, attempt 1"], 0),
        ("commit WorkflowTaskScheduled 2 crash-after", ["visa, attempt 1", "own, attempt 1"], 0),
        ("task Order 2 evict", ["visa, attempt 1", "own, attempt 1"], 0),
        ("task Order 2 lose", ["visa, attempt 1", "own, attempt 1"], 10),
        ("task Order 2 crash-after", ["visa, attempt 1", "visa, attempt 1", "own, attempt 1"], 0),
        # A local activity is part of its workflow task: lost with it, and done again with it.
        ("local charge 1.1 fail", ["visa, attempt 1", "own, attempt 2"], 1),
        ("local charge 1.1 lose", ["visa, attempt 1", "own, attempt 1", "own, attempt 1"], 10),
        ("local charge 1.1 time-out", ["visa, attempt 1", "own, attempt 2"], 11),
        ("local charge 1.1 crash-after", ["visa, attempt 1", "own, attempt 1", "own, attempt 1"], 0),
        ("local charge 1.2 fail; local charge 1.1 fail", ["visa, attempt 1", "own, attempt 3"], 3),
        # A client that hears nothing asks again.
        ("start Order 1 late 90s", ["visa, attempt 1", "own, attempt 1"], 0),
        ("commit WorkflowTaskScheduled 1 crash-before", ["visa, attempt 1", "own, attempt 1"], 0),
        ("commit WorkflowTaskScheduled 1 crash-after", ["visa, attempt 1", "own, attempt 1"], 0),
    ],
)
def test_a_payment_under_one_fault(plan: str, charged: list[str], seconds: float) -> None:
    """The order comes to its end all the same; what is done how often, and how long it takes, depends on the fault."""
    ran = run(Order.run, "visa", plan)
    assert ran.result == RECEIPTS
    assert ran.bank.charged == charged
    assert ran.seconds == seconds + (90 if "start" in plan else 0)
    assert ran.log.unused == ()
    assert ran.log.restarts == ("crash" in plan or "torn" in plan or "error" in plan)


@pytest.mark.parametrize(
    ("plan", "charged", "cause"),
    [
        ("activity charge 1.1 lose", ["visa, attempt 1"], TimeoutError),
        ("activity charge 1.1 time-out", [], TimeoutError),
        ("activity charge 1.1 twice", ["visa, attempt 1"], TimeoutError),
        ("activity charge 1.1 fail", [], ApplicationError),
        ("activity charge 1.1 fail-after", ["visa, attempt 1"], ApplicationError),
        ("activity * 1.1 fail-for-good", [], ApplicationError),
    ],
)
def test_without_a_retry_the_workflow_hears_of_it(plan: str, charged: list[str], cause: type[Exception]) -> None:
    """An activity that may be tried once fails or times out, whether its code has run or not."""
    ran = run(OneTry.run, "visa", plan)
    assert isinstance(ran.result, ActivityError)
    assert isinstance(ran.result.cause, cause)
    if cause is ApplicationError:
        assert "the fault plan says so: activity" in str(ran.result.cause)
    assert ran.bank.charged == charged


def test_an_error_that_is_not_to_be_tried_again_is_not() -> None:
    """`fail-for-good` ends an activity that had many attempts left."""
    ran = run(Order.run, "visa", "activity charge 1.1 fail-for-good")
    assert isinstance(ran.result, ActivityError)
    assert ran.bank.charged == []
    assert ran.seconds == 0


def test_a_lost_workflow_task_times_out_in_the_history() -> None:
    """What the worker took with it is written as Temporal writes it, and the next attempt does the task."""
    ran = run(Order.run, "visa", "task Order 1 lose")
    assert kinds(ran.history)[:6] == [
        "WorkflowExecutionStarted",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
        "WorkflowTaskTimedOut",
        "WorkflowTaskScheduled",
        "WorkflowTaskStarted",
    ]
    assert ran.history.events[4].attributes["attempt"] == 2


def test_a_workflow_task_can_be_lost_again_and_again() -> None:
    """Further attempts leave no events, as further attempts that fail leave none."""
    ran = run(Order.run, "visa", "task Order 1 lose; task Order 2 lose; task Order 3 lose")
    assert ran.result == RECEIPTS
    assert ran.seconds == 30
    assert kinds(ran.history).count("WorkflowTaskTimedOut") == 1
    assert ran.history.events[4].attributes["attempt"] == 4


def ask_letters(plan: str, talk: Callable[[WorkflowHandle[Letters, list[str]]], None], count: int = 2) -> list[str]:
    with Engine(workflows=[Letters], seed=1, faults=plan) as engine:
        watch(engine)
        handle = engine.start_workflow(Letters.run, count, id="letters").wait()
        talk(handle)
        result = handle.result().wait()
        assert engine.faults.unused == ()
        return result


def test_a_signal_that_comes_twice_is_two_signals() -> None:
    """As when a client asks again because it heard nothing."""

    def talk(handle: WorkflowHandle[Letters, list[str]]) -> None:
        handle.signal(Letters.tell, "a").wait()
        handle.signal(Letters.tell, "b").wait()

    assert ask_letters("", talk) == ["a", "b"]
    assert ask_letters("signal tell 1 twice", talk, count=3) == ["a", "a", "b"]


def test_an_update_that_comes_twice_is_one_if_it_has_an_id() -> None:
    """Without an id nobody can know that it is the same; with one it is done once. The client hears of the first."""

    def talk(handle: WorkflowHandle[Letters, list[str]]) -> None:
        assert handle.execute_update(Letters.ask, "a", id="first").wait() == 1
        assert handle.execute_update(Letters.ask, "b").wait() == 2
        handle.signal(Letters.tell, "end").wait()

    assert ask_letters("update ask 1 twice", talk, count=3) == ["a", "b", "end"]
    assert ask_letters("update ask 2 twice", talk, count=4) == ["a", "b", "b", "end"]


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("", ["a", "b", "c"]),
        ("signal tell 1 reorder", ["b", "c", "a"]),
        ("signal tell 2 reorder", ["a", "c", "b"]),
        ("signal tell 1 late 60s; signal tell 2 late 30s", ["c", "b", "a"]),
    ],
)
def test_requests_that_are_under_way_at_once_can_overtake_each_other(plan: str, told: list[str]) -> None:
    """A late request comes after others that were sent later, and so does one that is behind in its instant."""

    async def talk() -> list[str]:
        async with Engine(workflows=[Letters], seed=1, shuffle=False, faults=plan) as engine:
            handle = await engine.start_workflow(Letters.run, 3, id="letters")
            await asyncio.gather(*[handle.signal(Letters.tell, text) for text in "abc"])
            return await handle.result()

    assert asyncio.run(talk()) == told


@pytest.mark.parametrize(
    ("plan", "woke"), [("", "01:00:00"), ("timer Sleeper 1 late 90s", "01:01:30"), ("clock * 1 jump 1800s", "01:30:00")]
)
def test_time_is_late(plan: str, woke: str) -> None:
    """A timer rings late, or the clock jumps beyond it."""
    assert run(Sleeper.run, 3600, plan).result == woke


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, to: int) -> int:
        return await workflow.execute_activity_method(
            Bank.count_up, to, start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=timedelta(seconds=2.5)
        )


def test_heartbeats_can_be_lost() -> None:
    """An attempt whose heartbeats nobody hears times out while it works, and the next one begins anew."""
    ran = run(Counting.run, 5, "activity count_up 1.1 lose-heartbeats")
    assert ran.result == 5
    assert ran.bank.charged == [f"step {at}" for at in (1, 2, 1, 2, 3, 4, 5)]


def test_a_crash_keeps_the_heartbeats_that_were_stored() -> None:
    """An activity goes on after a crash where its last stored heartbeat was."""
    ran = run(Counting.run, 5, "commit Pending 1 crash-after")
    assert ran.result == 5
    assert ran.bank.charged == [f"step {at}" for at in (1, 2, 3, 4, 5)]
    assert ran.log.restarts == 1


@workflow.defn
class Lingering:
    @workflow.run
    async def run(self, seconds: float) -> None:
        other = workflow.start_activity_method(
            Bank.linger, seconds, start_to_close_timeout=timedelta(hours=1), heartbeat_timeout=timedelta(minutes=5)
        )
        await workflow.sleep(10)
        await workflow.execute_activity_method(Bank.charge, "visa", start_to_close_timeout=TEN_SECONDS)
        await other


@pytest.mark.parametrize(
    ("plan", "seconds"), [("task Lingering 2 crash-before", 70), ("activity charge 1.1 lose-worker", 361)]
)
def test_what_runs_in_a_process_that_ends_stops_where_it_is(plan: str, seconds: float) -> None:
    """Neither the activity nor the tasks that it made go on, and none of them runs a `finally`, until the engine is
    closed. The next process, or the next attempt after a timeout, does the work once."""
    bank = Bank()
    with Engine(workflows=[Lingering], activities=[bank.linger, bank.charge], seed=1, faults=plan) as engine:
        watch(engine)
        began = engine.now()
        engine.execute_workflow(Lingering.run, 60.0).wait()
        assert (engine.now() - began).total_seconds() == seconds
        engine.sleep(timedelta(days=1)).wait()
        assert sorted(bank.charged)[:2] == ["left", "right"]
        assert bank.charged.count("left") == 1
        assert bank.cleaned_up == 2
    assert bank.cleaned_up == 4


@workflow.defn
class Threaded:
    @workflow.run
    async def run(self, seconds: float) -> str:
        other = workflow.start_activity_method(Bank.in_thread, seconds, start_to_close_timeout=TEN_SECONDS)
        await workflow.execute_activity_method(Bank.charge, "visa", start_to_close_timeout=TEN_SECONDS)
        return await other


def test_a_thread_of_a_process_that_ends_does_its_work_for_nobody() -> None:
    """Nobody can stop a thread. The next process waits for it, and does the work again, since it was told of no end."""
    ran = run(Threaded.run, 0.05, "activity charge 1.1 crash-after")
    assert ran.result == "done"
    assert ran.bank.charged.count("playhead-activit") == 2
    assert ran.seconds == 0


@workflow.defn
class Sender:
    @workflow.run
    async def run(self) -> str:
        await workflow.get_external_workflow_handle("letters").signal("tell", "hello")
        return workflow.now().isoformat()[11:19]


def test_a_signal_between_workflows_can_be_late() -> None:
    """What one workflow sends to another is a point of its own, named after the signal."""
    with Engine(workflows=[Letters, Sender], seed=1, faults="delivery tell 1 late 60s") as engine:
        watch(engine)
        letters = engine.start_workflow(Letters.run, 1, id="letters").wait()
        assert engine.execute_workflow(Sender.run).wait() == "00:01:00"
        assert letters.result().wait() == ["hello"]


@workflow.defn(name="Order")
class NewOrder:
    """The same, with a patch."""

    @workflow.run
    async def run(self, card: str) -> list[str]:
        first = await workflow.execute_activity_method(Bank.charge, card, start_to_close_timeout=TEN_SECONDS)
        if not workflow.patched("no-fee"):
            await workflow.execute_local_activity_method(Bank.charge, "own", start_to_close_timeout=TEN_SECONDS)
        return [first, "new"]


@workflow.defn(name="Order")
class BadOrder:
    """The same, with another activity where runs that are under way had a payment, and no patch."""

    @workflow.run
    async def run(self, card: str) -> list[str]:
        await workflow.execute_activity_method(Bank.linger, 1.0, start_to_close_timeout=TEN_SECONDS)
        return ["bad"]


def test_new_code_takes_over_in_the_middle() -> None:
    """From the task on at which it is deployed, the run goes on with the new code; deploys come in turn."""
    deploys = [Deploy([NewOrder]), Deploy([Order])]
    ran = run(Order.run, "visa", "task Order 2 deploy", deploys=deploys)
    assert ran.result == ["receipt for visa", "new"]
    ran = run(Order.run, "visa", "task Order 1 deploy; task Order 2 deploy", deploys=deploys)
    assert ran.result == RECEIPTS


def test_code_that_does_not_fit_gets_a_run_stuck() -> None:
    """A deploy without a patch fails the workflow task, as it would in production."""
    with pytest.raises(Exception, match="is stuck: its workflow task failed 3 times with Nondeterminism"):
        run(Order.run, "visa", "task Order 2 deploy", deploys=[Deploy([BadOrder])])


def test_a_deploy_without_code_is_an_unused_fault() -> None:
    """There has to be something to deploy."""
    ran = run(Order.run, "visa", "task Order 2 deploy")
    assert ran.result == RECEIPTS
    assert [str(fault) for fault in ran.log.unused] == ["task Order 2 deploy"]


def test_faults_that_meet_no_point_are_told() -> None:
    """A plan stays a plan when its points are not there; of two faults at one point the first strikes."""
    plan = "activity charge 7.1 fail; activity charge 1.1 fail; activity charge 1.1 lose; timer * 1 late 5s"
    ran = run(Order.run, "visa", plan)
    assert [str(fault) for fault in ran.log.struck] == ["activity charge 1.1 fail"]
    assert [str(fault) for fault in ran.log.unused] == [
        "activity charge 7.1 fail",
        "activity charge 1.1 lose",
        "timer * 1 late 5s",
    ]


def test_the_log_of_a_run_without_faults_is_the_list_of_all_that_could_be() -> None:
    """Every point of it, given to a plan, is met again, also by its number among all of its kind."""
    clean = run(Order.run, "visa", "")
    assert [str(one) for one in clean.log.passed] == [
        "start Order 1 of it",
        "commit WorkflowTaskScheduled 1 of it",
        "task Order 1 of it",
        "commit ActivityTaskScheduled 1 of it",
        "activity charge 1.1 of it",
        "task Order 2 of it",
        "commit WorkflowTaskScheduled 2 of it",
        "local charge 1.1 of it",
        "commit WorkflowExecutionCompleted 1 of it",
    ]
    tried = 0
    for before, passed in enumerate(clean.log.passed):
        for strike in passed.strikes:
            time_of_it = {"late": " 30s", "slow": " 4s"}.get(strike, "")
            numbers = str(passed.point).rsplit(" ", 1)[1]
            attempt = numbers.partition(".")[1:]
            for point in (str(passed.point), f"{passed.point.kind} * {passed.number_of_any}{''.join(attempt)}"):
                ran = run(Order.run, "visa", f"{point} {strike}{time_of_it}", deploys=[Deploy([Order])])
                assert ran.log.unused == ()
                assert ran.log.passed[:before] == clean.log.passed[:before]
                tried += 1
    assert tried > 80


def test_the_same_seed_and_plan_give_the_same_run() -> None:
    """Byte for byte, crashes and all; another seed gives other ids."""
    plan = "activity charge 1.1 lose; commit * 2 crash-after 3s; task Order 2 lose-worker; local * 1.1 fail-after"
    first, again = run(Order.run, "visa", plan), run(Order.run, "visa", plan)
    assert first.log.unused == ()
    assert first.history.to_json() == again.history.to_json()
    assert first.log.passed == again.log.passed
    assert run(Order.run, "visa", plan, seed=2).history.to_json() != first.history.to_json()


def test_faults_need_the_virtual_clock() -> None:
    """Under the real one nothing would follow from the plan alone."""
    with pytest.raises(ValueError, match="faults need the virtual clock"):
        Engine(faults="", clock=RealClock())
    with pytest.raises(ValueError, match="make it with faults"):
        _ = Engine().faults
