"""Workflow ids: what happens when one is taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playhead_engine import workflow
from playhead_engine.client import WorkflowFailureError
from playhead_engine.common import WorkflowIDConflictPolicy as Conflict
from playhead_engine.common import WorkflowIDReusePolicy as Reuse
from playhead_engine.exceptions import ApplicationError, TerminatedError, WorkflowAlreadyStartedError
from playhead_engine.server.requests import decide_start
from playhead_engine.server.state import RUNNING
from tests.engine.engines import MakeEngine, any_engine, make_engine  # noqa: F401 - fixtures


@workflow.defn
class Naps:
    """Sleeps, and fails if told to."""

    @workflow.run
    async def run(self, fails: bool) -> str:
        """Sleep a while."""
        await workflow.sleep(timedelta(milliseconds=300))
        if fails:
            raise ApplicationError("bad dream")
        return workflow.info().run_id


def test_an_open_id_is_taken(any_engine: MakeEngine) -> None:
    """Starting another one says who has it; the first goes on."""
    engine = any_engine(workflows=[Naps])
    first = engine.start_workflow(Naps.run, False, id="nap").wait()
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        engine.start_workflow(Naps.run, False, id="nap").wait()
    assert (raised.value.workflow_id, raised.value.workflow_type, raised.value.run_id) == (
        "nap",
        "Naps",
        first.result_run_id,
    )
    assert first.result().wait() == first.result_run_id


def test_an_open_one_can_be_joined(any_engine: MakeEngine) -> None:
    """USE_EXISTING gives the one that runs."""
    engine = any_engine(workflows=[Naps])
    first = engine.start_workflow(Naps.run, False, id="nap").wait()
    second = engine.start_workflow(Naps.run, False, id="nap", id_conflict_policy=Conflict.USE_EXISTING).wait()
    assert second.result_run_id == first.result_run_id
    assert second.result().wait() == first.result_run_id


def test_an_open_one_can_be_replaced(any_engine: MakeEngine) -> None:
    """TERMINATE_EXISTING ends the one that runs."""
    engine = any_engine(workflows=[Naps])
    first = engine.start_workflow(Naps.run, False, id="nap").wait()
    second = engine.start_workflow(Naps.run, False, id="nap", id_conflict_policy=Conflict.TERMINATE_EXISTING).wait()
    assert second.result().wait() == second.result_run_id
    with pytest.raises(WorkflowFailureError) as raised:
        first.result().wait()
    assert isinstance(raised.value.cause, TerminatedError)


def test_a_closed_id_may_be_used_again_or_not(any_engine: MakeEngine) -> None:
    """By default it may; it can be kept from being used again, or only after a failure."""
    engine = any_engine(workflows=[Naps])
    failed = engine.start_workflow(Naps.run, True, id="nap").wait()
    with pytest.raises(WorkflowFailureError):
        failed.result().wait()
    options = {"id": "nap", "id_reuse_policy": Reuse.ALLOW_DUPLICATE_FAILED_ONLY}
    engine.execute_workflow(Naps.run, False, **options).wait()  # type: ignore[arg-type]
    with pytest.raises(WorkflowAlreadyStartedError):
        engine.start_workflow(Naps.run, False, **options).wait()  # type: ignore[arg-type]
    with pytest.raises(WorkflowAlreadyStartedError):
        engine.start_workflow(Naps.run, False, id="nap", id_reuse_policy=Reuse.REJECT_DUPLICATE).wait()
    engine.execute_workflow(Naps.run, False, id="nap").wait()


CLOSED = ("COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT")


@pytest.mark.parametrize("reuse", list(Reuse))
@pytest.mark.parametrize("conflict", list(Conflict))
def test_every_policy_has_an_answer(reuse: Reuse, conflict: Conflict) -> None:
    """A new id always starts; an open one is never started beside itself; reuse decides about closed ones only."""
    assert decide_start(None, reuse, conflict) == "start"
    expected = {
        Conflict.UNSPECIFIED: "already started",
        Conflict.FAIL: "already started",
        Conflict.USE_EXISTING: "use existing",
        Conflict.TERMINATE_EXISTING: "terminate existing",
    }[conflict]
    if reuse == Reuse.TERMINATE_IF_RUNNING:
        expected = "terminate existing"
    assert decide_start(RUNNING, reuse, conflict) == expected
    for status in CLOSED:
        refused = reuse == Reuse.REJECT_DUPLICATE or (
            reuse == Reuse.ALLOW_DUPLICATE_FAILED_ONLY and status == "COMPLETED"
        )
        decision = decide_start(f"WORKFLOW_EXECUTION_STATUS_{status}", reuse, conflict)
        assert decision == ("already started" if refused else "start")
