"""Runs that follow each other, and runs that belong to each other."""

from __future__ import annotations

import asyncio
import builtins
from datetime import timedelta
from typing import Any

import pytest

from playhead_engine import workflow
from playhead_engine.client import WorkflowContinuedAsNewError, WorkflowExecutionStatus, WorkflowFailureError
from playhead_engine.common import RetryPolicy, WorkflowIDReusePolicy
from playhead_engine.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
)
from playhead_engine.workflow import ChildWorkflowCancellationType, ParentClosePolicy
from tests.engine.engines import MakeEngine, any_engine, make_engine, tasks_apart  # noqa: F401 - fixtures


@workflow.defn
class Countdown:
    """Continues as new until nothing is left."""

    @workflow.run
    async def run(self, left: int, path: list[str]) -> list[str]:
        """Count down by one."""
        path.append(workflow.info().run_id)
        if left == 0:
            return path
        return workflow.continue_as_new(args=[left - 1, path])


@workflow.defn
class ThirdTime:
    """Fails twice."""

    @workflow.run
    async def run(self) -> int:
        """Return the attempt that worked."""
        attempt = workflow.info().attempt
        if attempt < 3:
            raise ApplicationError(f"attempt {attempt}")
        return attempt


@workflow.defn
class Sleeper:
    """Sleeps until it is over, cancelled or woken."""

    def __init__(self) -> None:
        self.woken_by = ""

    @workflow.run
    async def run(self, seconds: float) -> str:
        """Sleep."""
        try:
            await workflow.wait_condition(lambda: bool(self.woken_by), timeout=seconds)
        except builtins.TimeoutError:
            return "slept"
        return f"woken by {self.woken_by}"

    @workflow.signal
    def wake(self, by: str) -> None:
        """Wake it."""
        self.woken_by = by


@workflow.defn
class Parent:
    """Starts a child, and does with it as it is told."""

    @workflow.run
    async def run(self, what: dict[str, Any]) -> Any:
        """Do it."""
        handle = await workflow.start_child_workflow(
            what.get("type", "Sleeper"),
            args=what.get("args", [100]),
            id="child",
            parent_close_policy=ParentClosePolicy(what.get("close", 1)),
            cancellation_type=ChildWorkflowCancellationType(what.get("cancellation", 2)),
            retry_policy=RetryPolicy(maximum_attempts=what["attempts"]) if "attempts" in what else None,
        )
        if what.get("do") == "leave":
            return "left"
        if what.get("do") == "wake":
            await handle.signal("wake", "parent")
        if what.get("do") == "cancel":
            await asyncio.sleep(10)
            handle.cancel()
        return await handle


@workflow.defn
class Stranger:
    """Talks to a workflow that is not its child."""

    @workflow.run
    async def run(self, what: str) -> str:
        """Wake it, or cancel it."""
        handle = workflow.get_external_workflow_handle("sleeper")
        try:
            if what == "wake":
                await handle.signal("wake", "stranger")
            else:
                await handle.cancel()
        except ApplicationError as error:
            return f"{error.type}: {error}"
        return "done"


WORKFLOWS = [Countdown, ThirdTime, Sleeper, Parent, Stranger]


def test_a_workflow_continues_as_new(any_engine: MakeEngine) -> None:
    """Each run has its own history; the result is that of the last one."""
    engine = any_engine(workflows=WORKFLOWS)
    handle = engine.start_workflow(Countdown.run, args=[3, []], id="count").wait()
    path = handle.result().wait()
    assert len(set(path)) == 4
    assert path[0] == handle.result_run_id
    assert tasks_apart(handle.fetch_history().wait()) == ["WorkflowExecutionStarted", "WorkflowExecutionCompleted"]
    with pytest.raises(WorkflowContinuedAsNewError, match=path[1]):
        handle.result(follow_runs=False).wait()
    first = engine.get_workflow_handle("count", run_id=path[0])
    assert first.describe().wait().status == WorkflowExecutionStatus.CONTINUED_AS_NEW


def test_a_workflow_is_tried_again_by_its_policy(make_engine: MakeEngine) -> None:
    """Each attempt is a run of its own, after a wait."""
    engine = make_engine(workflows=WORKFLOWS)
    began = engine.now()
    handle = engine.start_workflow(
        ThirdTime.run, id="third", retry_policy=RetryPolicy(initial_interval=timedelta(seconds=10))
    ).wait()
    assert handle.result().wait() == 3
    assert (engine.now() - began).total_seconds() == 30
    first = engine.get_workflow_handle("third", run_id=handle.result_run_id)
    closing = list(first.fetch_history().wait())[-1]
    assert closing.attributes["retryState"] == "RETRY_STATE_IN_PROGRESS"


def test_attempts_at_a_workflow_are_limited(make_engine: MakeEngine) -> None:
    """The failure of the last attempt is the failure of the workflow."""
    engine = make_engine(workflows=WORKFLOWS)
    with pytest.raises(WorkflowFailureError, match="attempt 2"):
        engine.execute_workflow(ThirdTime.run, id="third", retry_policy=RetryPolicy(maximum_attempts=2)).wait()


@pytest.mark.parametrize("option", ["run_timeout", "execution_timeout"])
def test_a_workflow_that_takes_too_long_times_out(make_engine: MakeEngine, option: str) -> None:
    """The run, or the whole chain of runs, has a limit."""
    engine = make_engine(workflows=WORKFLOWS)
    options: dict[str, Any] = {option: timedelta(seconds=50)}
    with pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(Sleeper.run, 100, id="sleeper", **options).wait()
    assert isinstance(raised.value.cause, TimeoutError)
    assert engine.get_workflow_handle("sleeper").describe().wait().status == WorkflowExecutionStatus.TIMED_OUT


def test_the_time_of_a_chain_is_not_begun_anew(make_engine: MakeEngine) -> None:
    """Retries end when the execution timeout does."""
    engine = make_engine(workflows=WORKFLOWS)
    began = engine.now()
    with pytest.raises(WorkflowFailureError):
        engine.execute_workflow(
            Sleeper.run,
            100,
            id="sleeper",
            run_timeout=timedelta(seconds=30),
            execution_timeout=timedelta(seconds=80),
            retry_policy=RetryPolicy(),
        ).wait()
    assert (engine.now() - began).total_seconds() <= 80


def test_a_start_can_be_delayed(make_engine: MakeEngine) -> None:
    """The first workflow task waits; a signal ends the wait."""
    engine = make_engine(workflows=WORKFLOWS)
    began = engine.now()
    day = timedelta(days=1)
    assert engine.execute_workflow(Sleeper.run, 100, id="a", start_delay=day).wait() == "slept"
    assert engine.now() - began == day + timedelta(seconds=100)
    handle = engine.start_workflow(Sleeper.run, 100, id="b", start_delay=day).wait()
    handle.signal(Sleeper.wake, "alarm").wait()
    assert handle.result().wait() == "woken by alarm"
    assert engine.now() - began == day + timedelta(seconds=100)


def test_a_parent_waits_for_its_child(any_engine: MakeEngine) -> None:
    """The child is a workflow of its own, with its own history."""
    engine = any_engine(workflows=WORKFLOWS)
    handle = engine.start_workflow(Parent.run, {"args": [0.01]}, id="parent").wait()
    assert handle.result().wait() == "slept"
    assert tasks_apart(handle.fetch_history().wait()) == [
        "WorkflowExecutionStarted",
        "StartChildWorkflowExecutionInitiated",
        "ChildWorkflowExecutionStarted",
        "ChildWorkflowExecutionCompleted",
        "WorkflowExecutionCompleted",
    ]
    child = engine.get_workflow_handle("child").describe().wait()
    assert (child.parent_id, child.root_id, child.workflow_type) == ("parent", "parent", "Sleeper")


def test_a_parent_signals_its_child(any_engine: MakeEngine) -> None:
    """The signal is delivered before the parent goes on."""
    engine = any_engine(workflows=WORKFLOWS)
    handle = engine.start_workflow(Parent.run, {"do": "wake"}, id="parent").wait()
    assert handle.result().wait() == "woken by parent"


@pytest.mark.parametrize(("how", "cause"), [("fail", ApplicationError), ("terminate", TerminatedError)])
def test_the_failure_of_a_child_reaches_its_parent(make_engine: MakeEngine, how: str, cause: type) -> None:
    """As a ChildWorkflowError, whose cause says how."""
    engine = make_engine(workflows=WORKFLOWS)
    what = {"type": "ThirdTime", "args": []} if how == "fail" else {}
    handle = engine.start_workflow(Parent.run, what, id="parent").wait()
    if how == "terminate":
        engine.sleep(1).wait()
        engine.get_workflow_handle("child").terminate(reason="enough").wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    error = raised.value.cause
    assert isinstance(error, ChildWorkflowError)
    assert isinstance(error.cause, cause)


def test_a_chain_of_child_runs_is_one_child(make_engine: MakeEngine) -> None:
    """A child that continues as new, or is tried again, ends when its last run does."""
    engine = make_engine(workflows=WORKFLOWS)
    path = engine.execute_workflow(Parent.run, {"type": "Countdown", "args": [2, []]}, id="a").wait()
    assert len(path) == 3
    assert engine.execute_workflow(Parent.run, {"type": "ThirdTime", "args": [], "attempts": 5}, id="b").wait() == 3


def test_a_parent_cancels_its_child(make_engine: MakeEngine) -> None:
    """And waits until it is cancelled."""
    engine = make_engine(workflows=WORKFLOWS)
    handle = engine.start_workflow(Parent.run, {"do": "cancel"}, id="parent").wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    assert isinstance(raised.value.cause, (ChildWorkflowError, CancelledError))
    assert engine.get_workflow_handle("child").describe().wait().status == WorkflowExecutionStatus.CANCELED
    kinds = tasks_apart(handle.fetch_history().wait())
    assert "ExternalWorkflowExecutionCancelRequested" in kinds
    assert "ChildWorkflowExecutionCanceled" in kinds


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (ParentClosePolicy.TERMINATE, WorkflowExecutionStatus.TERMINATED),
        (ParentClosePolicy.REQUEST_CANCEL, WorkflowExecutionStatus.CANCELED),
        (ParentClosePolicy.ABANDON, WorkflowExecutionStatus.COMPLETED),
    ],
)
def test_what_becomes_of_children_when_their_parent_ends(
    any_engine: MakeEngine, policy: ParentClosePolicy, status: WorkflowExecutionStatus
) -> None:
    """They are terminated, asked to cancel, or left alone."""
    engine = any_engine(workflows=WORKFLOWS)
    what = {"do": "leave", "close": int(policy), "args": [0.05]}
    assert engine.execute_workflow(Parent.run, what, id="parent").wait() == "left"
    engine.sleep(0.2).wait()
    assert engine.get_workflow_handle("child").describe().wait().status == status


def test_a_child_whose_id_is_taken_is_not_started(make_engine: MakeEngine) -> None:
    """The parent is told."""
    engine = make_engine(workflows=WORKFLOWS)
    engine.start_workflow(Sleeper.run, 1000, id="child").wait()
    handle = engine.start_workflow(Parent.run, {}, id="parent").wait()
    with pytest.raises(WorkflowFailureError, match="already started"):
        handle.result().wait()
    assert "StartChildWorkflowExecutionFailed" in tasks_apart(handle.fetch_history().wait())


def test_workflows_talk_to_strangers(any_engine: MakeEngine) -> None:
    """By id: signals, and requests to cancel."""
    engine = any_engine(workflows=WORKFLOWS)
    sleeper = engine.start_workflow(Sleeper.run, 100, id="sleeper").wait()
    assert engine.execute_workflow(Stranger.run, "wake", id="a").wait() == "done"
    assert sleeper.result().wait() == "woken by stranger"
    sleeper = engine.start_workflow(Sleeper.run, 100, id="sleeper").wait()
    assert engine.execute_workflow(Stranger.run, "cancel", id="b").wait() == "done"
    with pytest.raises(WorkflowFailureError) as raised:
        sleeper.result().wait()
    assert isinstance(raised.value.cause, CancelledError)


@pytest.mark.parametrize("what", ["wake", "cancel"])
def test_a_stranger_who_is_not_there_is_an_error(make_engine: MakeEngine, what: str) -> None:
    """Whoever talks to nobody is told."""
    engine = make_engine(workflows=WORKFLOWS)
    told = engine.execute_workflow(Stranger.run, what, id="a").wait()
    assert told.startswith("ExternalWorkflowExecutionNotFound")


def test_cancelling_terminating(any_engine: MakeEngine) -> None:
    """A workflow can cancel itself when asked; terminating does not ask."""
    engine = any_engine(workflows=WORKFLOWS)
    asked = engine.start_workflow(Sleeper.run, 100, id="asked").wait()
    asked.cancel(reason="changed my mind").wait()
    with pytest.raises(WorkflowFailureError) as raised:
        asked.result().wait()
    assert isinstance(raised.value.cause, CancelledError)
    ended = engine.start_workflow(Sleeper.run, 100, id="ended").wait()
    ended.terminate("detail", reason="enough").wait()
    with pytest.raises(WorkflowFailureError) as raised:
        ended.result().wait()
    cause = raised.value.cause
    assert isinstance(cause, TerminatedError)
    assert (cause.message, cause.details) == ("enough", ("detail",))


def test_a_handle_may_be_bound_to_one_chain(make_engine: MakeEngine) -> None:
    """A handle from a start does not cancel a later workflow of the same id."""
    engine = make_engine(workflows=WORKFLOWS)
    first = engine.start_workflow(Sleeper.run, 10, id="sleeper").wait()
    first.result().wait()
    second = engine.start_workflow(Sleeper.run, 10, id="sleeper").wait()
    with pytest.raises(LookupError):
        first.cancel().wait()
    assert second.result().wait() == "slept"


def test_reuse_policy_terminates_the_child_that_runs(make_engine: MakeEngine) -> None:
    """TERMINATE_IF_RUNNING makes way for a new run."""
    engine = make_engine(workflows=WORKFLOWS)
    old = engine.start_workflow(Sleeper.run, 1000, id="sleeper").wait()
    new = engine.start_workflow(
        Sleeper.run, 1, id="sleeper", id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING
    ).wait()
    assert new.result().wait() == "slept"
    with pytest.raises(WorkflowFailureError) as raised:
        old.result().wait()
    assert isinstance(raised.value.cause, TerminatedError)
