"""Workflows that start, signal and cancel each other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from playhead_engine import workflow
from playhead_engine.common import RetryPolicy, WorkflowIDReusePolicy
from playhead_engine.engine.errors import WorkflowFailureError
from playhead_engine.engine.executions import WorkflowExecutionStatus
from playhead_engine.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from tests.engine.running_engines import MakeEngine, make_engine

if TYPE_CHECKING:
    from playhead_engine import Engine

__all__ = ["make_engine"]

Policy = workflow.ParentClosePolicy
Cancellation = workflow.ChildWorkflowCancellationType


@workflow.defn
class Child:
    """Does what it is told to."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, order: str) -> str:
        """Obey."""
        match order:
            case "fail":
                raise ApplicationError("disobeyed", type="Disobedience")
            case "fail twice" if workflow.info().attempt < 3:
                raise ApplicationError(f"attempt {workflow.info().attempt}")
            case "listen":
                await workflow.wait_condition(lambda: bool(self.words))
                return self.words[0]
            case "linger":
                await self.linger()
            case _:
                await workflow.sleep(1)
        return f"did {order}"

    async def linger(self) -> None:
        """Stay for an hour; if cancelled, take ten seconds to leave."""
        try:
            await workflow.sleep(3600)
        except asyncio.CancelledError:
            await workflow.sleep(10)
            raise

    @workflow.signal
    def say(self, word: str) -> None:
        """Hear."""
        self.words.append(word)


@workflow.defn
class Parent:
    """Starts one child, waits, and says what came of it, and when."""

    @workflow.run
    async def run(self, order: str, options: dict[str, Any]) -> list[Any]:
        """Have a child."""
        began = workflow.time()
        if options.pop("once", False):
            options["id_reuse_policy"] = WorkflowIDReusePolicy.REJECT_DUPLICATE
        if options.pop("retry", False):
            options["retry_policy"] = RetryPolicy()
        if "run_timeout" in options:
            options["run_timeout"] = timedelta(seconds=options["run_timeout"])
        try:
            came: Any = await workflow.execute_child_workflow(Child.run, order, id="child", **options)
        except ChildWorkflowError as error:
            cause: Any = error.cause
            came = [type(cause).__name__, str(cause), error.workflow_id, error.retry_state and error.retry_state.name]
        except WorkflowAlreadyStartedError as error:
            came = [type(error).__name__, error.workflow_id]
        return [came, workflow.time() - began]


@workflow.defn
class Leaver:
    """Starts a child and ends."""

    @workflow.run
    async def run(self, policy: int) -> None:
        """Leave it behind."""
        await workflow.start_child_workflow(Child.run, "linger", id="child", parent_close_policy=Policy(policy))


@workflow.defn
class Canceller:
    """Cancels its child after a second, in one of the ways."""

    @workflow.run
    async def run(self, kind: int) -> list[Any]:
        """Cancel it."""
        handle = await workflow.start_child_workflow(
            Child.run, "linger", id="child", cancellation_type=Cancellation(kind), parent_close_policy=Policy.ABANDON
        )
        await workflow.sleep(1)
        began = workflow.time()
        handle.cancel()
        try:
            await handle
        except ChildWorkflowError as error:
            came = [type(error.cause).__name__, workflow.time() - began]
        # A request to cancel that has not been delivered when its sender ends is not delivered, as on Temporal's
        # server.
        await workflow.sleep(1)
        return came


@workflow.defn
class Talker:
    """Signals and cancels others."""

    @workflow.run
    async def run(self, other: str, what: str) -> str:
        """Talk."""
        handle = workflow.get_external_workflow_handle_for(Child.run, other)
        try:
            if what == "cancel":
                await handle.cancel()
            else:
                await handle.signal(Child.say, what)
        except ApplicationError as error:
            return f"{error.type}: {error.message}"
        return "told"


def status(engine: Engine, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Where a workflow stands."""
    return engine.get_workflow_handle(workflow_id).describe().wait().status


def test_a_child_returns_to_its_parent(make_engine: MakeEngine) -> None:
    """A child's result is what the parent awaits."""
    engine = make_engine(Parent, Child)
    assert engine.execute_workflow(Parent.run, args=["work", {}], id="p").wait() == ["did work", 1]
    child = engine.get_workflow_handle("child").describe().wait()
    assert (child.parent_id, child.root_id, child.workflow_type) == ("p", "p", "Child")


def test_a_child_that_fails_fails_for_its_parent(make_engine: MakeEngine) -> None:
    """The parent gets a ChildWorkflowError whose cause is what the child raised."""
    engine = make_engine(Parent, Child)
    came, seconds = engine.execute_workflow(Parent.run, args=["fail", {}]).wait()
    assert came[:3] == ["ApplicationError", "Disobedience: disobeyed", "child"]
    assert seconds == 0


def test_a_child_is_tried_again_by_its_policy(make_engine: MakeEngine) -> None:
    """A child with a retry policy begins again after 1 and 2 seconds, and works for one; its parent only sees the
    end."""
    engine = make_engine(Parent, Child)
    came, seconds = engine.execute_workflow(Parent.run, args=["fail twice", {"retry": True}]).wait()
    assert (came, seconds) == ("did fail twice", 1 + 2 + 1)
    assert engine.count_workflows("WorkflowId = 'child'").wait().count == 3


def test_a_child_times_out_for_its_parent(make_engine: MakeEngine) -> None:
    """A child's run timeout is a TimeoutError in its parent."""
    engine = make_engine(Parent, Child)
    came, seconds = engine.execute_workflow(Parent.run, args=["linger", {"run_timeout": 7}]).wait()
    assert came[0] == TimeoutError.__name__
    assert seconds == 7


def test_a_child_that_is_terminated_fails_for_its_parent(make_engine: MakeEngine) -> None:
    """Terminating a child is a TerminatedError in its parent."""
    engine = make_engine(Parent, Child)
    handle = engine.start_workflow(Parent.run, args=["linger", {}]).wait()
    engine.sleep(1).wait()
    engine.get_workflow_handle("child").terminate(reason="enough").wait()
    assert handle.result().wait()[0][0] == TerminatedError.__name__


def test_a_child_cannot_have_an_id_that_is_taken(make_engine: MakeEngine) -> None:
    """Starting a child under the id of a running workflow, or of one whose id must not be reused, raises."""
    engine = make_engine(Parent, Child)
    engine.start_workflow(Child.run, "linger", id="child").wait()
    assert engine.execute_workflow(Parent.run, args=["work", {}]).wait()[0] == ["WorkflowAlreadyStartedError", "child"]
    engine.get_workflow_handle("child").terminate().wait()
    assert (
        engine.execute_workflow(Parent.run, args=["work", {"once": True}]).wait()[0][0] == "WorkflowAlreadyStartedError"
    )
    assert engine.execute_workflow(Parent.run, args=["work", {}]).wait()[0] == "did work"


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (Policy.ABANDON, WorkflowExecutionStatus.RUNNING),
        (Policy.TERMINATE, WorkflowExecutionStatus.TERMINATED),
        (Policy.REQUEST_CANCEL, WorkflowExecutionStatus.CANCELED),
    ],
)
def test_a_child_is_left_as_its_parent_wanted(
    make_engine: MakeEngine, policy: workflow.ParentClosePolicy, wanted: WorkflowExecutionStatus
) -> None:
    """When the parent ends, the child goes on, is terminated, or is asked to cancel itself."""
    engine = make_engine(Leaver, Child)
    engine.execute_workflow(Leaver.run, int(policy)).wait()
    engine.sleep(60).wait()
    assert status(engine, "child") is wanted


@pytest.mark.parametrize(
    ("kind", "seconds", "wanted"),
    [
        (Cancellation.ABANDON, 0, WorkflowExecutionStatus.RUNNING),
        (Cancellation.TRY_CANCEL, 0, WorkflowExecutionStatus.CANCELED),
        (
            Cancellation.WAIT_CANCELLATION_REQUESTED,
            10,
            WorkflowExecutionStatus.CANCELED,
        ),  # Temporal's core waits here too
        (Cancellation.WAIT_CANCELLATION_COMPLETED, 10, WorkflowExecutionStatus.CANCELED),
    ],
)
def test_a_parent_waits_for_a_cancelled_child_as_long_as_it_wants(
    make_engine: MakeEngine,
    kind: workflow.ChildWorkflowCancellationType,
    seconds: float,
    wanted: WorkflowExecutionStatus,
) -> None:
    """The cancellation type says whether the child is told, and whether its parent waits for the end of its
    clean-up."""
    engine = make_engine(Canceller, Child)
    assert engine.execute_workflow(Canceller.run, int(kind)).wait() == [CancelledError.__name__, seconds]
    engine.sleep(60).wait()
    assert status(engine, "child") is wanted


def test_a_workflow_signals_another(make_engine: MakeEngine) -> None:
    """A signal by an external handle reaches a workflow that is no child."""
    engine = make_engine(Talker, Child)
    other = engine.start_workflow(Child.run, "listen", id="other").wait()
    assert engine.execute_workflow(Talker.run, args=["other", "hello"]).wait() == "told"
    assert other.result().wait() == "hello"


def test_a_workflow_cancels_another(make_engine: MakeEngine) -> None:
    """A cancellation by an external handle reaches a workflow that is no child."""
    engine = make_engine(Talker, Child)
    other = engine.start_workflow(Child.run, "linger", id="other").wait()
    assert engine.execute_workflow(Talker.run, args=["other", "cancel"]).wait() == "told"
    with pytest.raises(WorkflowFailureError) as caught:
        other.result().wait()
    assert isinstance(caught.value.cause, CancelledError)


@pytest.mark.parametrize("what", ["hello", "cancel"])
def test_telling_nobody_fails(make_engine: MakeEngine, what: str) -> None:
    """Signalling or cancelling a workflow that does not exist, or has ended, is an error that the sender sees."""
    engine = make_engine(Talker, Child)
    said = engine.execute_workflow(Talker.run, args=["nobody", what]).wait()
    assert "nobody" in said or "NotFound" in said or "not found" in said.lower()
    engine.execute_workflow(Child.run, "work", id="ended").wait()
    assert engine.execute_workflow(Talker.run, args=["ended", what]).wait() != "told" or what == "cancel"


def test_hundreds_of_children_end(make_engine: MakeEngine) -> None:
    """A parent may have very many children at once."""
    engine = make_engine(Crowd, Child)
    assert engine.execute_workflow(Crowd.run, 300, id="crowd").wait() == 300
    assert engine.count_workflows("ParentWorkflowId = 'crowd' AND ExecutionStatus = 'Completed'").wait().count == 300


@workflow.defn
class Crowd:
    """Has many children."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Have them."""
        said = await asyncio.gather(*(workflow.execute_child_workflow(Child.run, "work") for _ in range(count)))
        return len(said)
