"""Activities whose end is reported by somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine.client import (
    ActivityNotFoundError,
    AsyncActivityCancelledError,
    NothingDueError,
    WorkflowFailureError,
)
from playhead_engine.exceptions import ActivityError, ApplicationError
from tests.engine.activity_kinds import Kind, kind  # noqa: F401 - a fixture
from tests.engine.engines import MakeEngine, any_engine, make_engine  # noqa: F401 - fixtures
from tests.engine.test_activity_attempts import Calls
from tests.engine.test_activity_cancellation import WAIT, CancelsActivity

tokens: list[bytes] = []


def approval(kind: Kind) -> Any:
    """Somebody else will say."""

    @kind.activity.defn(name="work")
    async def approval() -> str:
        tokens.append(kind.activity.info().task_token)
        kind.activity.raise_complete_async()

    return approval


def approval_in_thread(kind: Kind) -> Any:
    """Somebody else will say, and a thread is not kept waiting."""

    @kind.activity.defn(name="work")
    def approval() -> str:
        kind.activity.raise_complete_async()

    return approval


def waiting(make: MakeEngine, code: Any, **options: Any) -> tuple[Any, Any]:
    """An engine, and a workflow whose activity waits for somebody."""
    engine = make(workflows=[Calls, CancelsActivity], activities=[code])
    handle = engine.start_workflow(Calls.run, {"start_to_close": 600, **options}, id="w").wait()
    engine.sleep(0.05).wait()
    return engine, handle


@pytest.mark.parametrize("code", [approval, approval_in_thread], ids=["async", "thread"])
def test_somebody_else_completes_an_activity(kind: Kind, any_engine: MakeEngine, code: Any) -> None:
    """By the ids of workflow and activity; the workflow goes on with that result."""
    engine, handle = waiting(any_engine, code(kind))
    engine.get_async_activity_handle(workflow_id="w", activity_id="1").complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_a_token_is_enough(kind: Kind, make_engine: MakeEngine) -> None:
    """It names one attempt, and is of no use for the next."""
    tokens.clear()
    engine, handle = waiting(make_engine, approval(kind))
    first = engine.get_async_activity_handle(task_token=tokens[0])
    first.fail(kind.errors.ApplicationError("not today"), last_heartbeat_details=["read it"]).wait()
    engine.sleep(2).wait()
    assert len(tokens) == 2
    with pytest.raises(ActivityNotFoundError):
        first.complete("too late").wait()
    engine.get_async_activity_handle(task_token=tokens[1]).complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_somebody_else_fails_an_activity(kind: Kind, make_engine: MakeEngine) -> None:
    """The workflow gets the error."""
    engine, handle = waiting(make_engine, approval(kind), retry={"maximum_attempts": 1})
    engine.get_async_activity_handle(workflow_id="w", activity_id="1").fail(ValueError("refused")).wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "ValueError"


def test_somebody_else_keeps_it_alive(kind: Kind, make_engine: MakeEngine) -> None:
    """Heartbeats count, whoever makes them."""
    engine, handle = waiting(make_engine, approval(kind), heartbeat=10)
    activity_handle = engine.get_async_activity_handle(workflow_id="w", activity_id="1")
    for _ in range(3):
        engine.sleep(8).wait()
        activity_handle.heartbeat("still waiting").wait()
    activity_handle.complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_somebody_else_hears_of_a_cancellation(kind: Kind, make_engine: MakeEngine) -> None:
    """At the heartbeat; and reports that the activity has stopped. Nobody can report that who was not asked to."""
    engine = make_engine(workflows=[CancelsActivity], activities=[approval(kind)])
    handle = engine.start_workflow(CancelsActivity.run, args=[WAIT, 15], id="w").wait()
    engine.sleep(1).wait()
    activity_handle = engine.get_async_activity_handle(workflow_id="w", activity_id="1")
    with pytest.raises(ValueError, match="not told to stop"):
        activity_handle.report_cancellation().wait()
    engine.sleep(19).wait()
    with pytest.raises(AsyncActivityCancelledError, match="cancel_requested=True"):
        activity_handle.heartbeat().wait()
    activity_handle.report_cancellation("halfway").wait()
    assert handle.result().wait() == ["CancelledError ('halfway',)", "20.0"]


def test_nobody_waits_for_an_activity_that_is_not_there(kind: Kind, make_engine: MakeEngine) -> None:
    """The error says which."""
    engine, _ = waiting(make_engine, approval(kind))
    with pytest.raises(ActivityNotFoundError, match="'2' of workflow 'w'"):
        engine.get_async_activity_handle(workflow_id="w", activity_id="2").complete().wait()
    with pytest.raises(ActivityNotFoundError, match="'1' of workflow 'v'"):
        engine.get_async_activity_handle(workflow_id="v", activity_id="1").complete().wait()


def test_waiting_for_somebody_is_named(kind: Kind, make_engine: MakeEngine) -> None:
    """A workflow that waits for somebody's report says so, instead of hanging."""
    engine = make_engine(workflows=[Calls], activities=[approval(kind)])
    handle = engine.start_workflow(Calls.run, {"start_to_close": 10**11}, id="w").wait()
    with pytest.raises(NothingDueError, match="to be completed by somebody else"):
        handle.result().wait()
