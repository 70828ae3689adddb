"""Activities whose end is reported by somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine import activity
from playhead_engine.client import (
    ActivityNotFoundError,
    AsyncActivityCancelledError,
    NothingDueError,
    WorkflowFailureError,
)
from playhead_engine.exceptions import ActivityError, ApplicationError
from tests.engine.engines import MakeEngine, any_engine, make_engine  # noqa: F401 - fixtures
from tests.engine.test_activity_attempts import Calls
from tests.engine.test_activity_cancellation import WAIT, CancelsActivity

tokens: list[bytes] = []


@activity.defn(name="work")
async def approval() -> str:
    """Somebody else will say."""
    tokens.append(activity.info().task_token)
    activity.raise_complete_async()


@activity.defn(name="work")
def approval_in_thread() -> str:
    """Somebody else will say, and a thread is not kept waiting."""
    activity.raise_complete_async()


def waiting(make: MakeEngine, code: Any = approval, **options: Any) -> tuple[Any, Any]:
    """An engine, and a workflow whose activity waits for somebody."""
    engine = make(workflows=[Calls, CancelsActivity], activities=[code])
    handle = engine.start_workflow(Calls.run, {"start_to_close": 600, **options}, id="w").wait()
    engine.sleep(0.05).wait()
    return engine, handle


@pytest.mark.parametrize("code", [approval, approval_in_thread], ids=["async", "thread"])
def test_somebody_else_completes_an_activity(any_engine: MakeEngine, code: Any) -> None:
    """By the ids of workflow and activity; the workflow goes on with that result."""
    engine, handle = waiting(any_engine, code)
    engine.get_async_activity_handle(workflow_id="w", activity_id="1").complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_a_token_is_enough(make_engine: MakeEngine) -> None:
    """It names one attempt, and is of no use for the next."""
    tokens.clear()
    engine, handle = waiting(make_engine)
    first = engine.get_async_activity_handle(task_token=tokens[0])
    first.fail(ApplicationError("not today"), last_heartbeat_details=["read it"]).wait()
    engine.sleep(2).wait()
    assert len(tokens) == 2
    with pytest.raises(ActivityNotFoundError):
        first.complete("too late").wait()
    engine.get_async_activity_handle(task_token=tokens[1]).complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_somebody_else_fails_an_activity(make_engine: MakeEngine) -> None:
    """The workflow gets the error."""
    engine, handle = waiting(make_engine, retry={"maximum_attempts": 1})
    engine.get_async_activity_handle(workflow_id="w", activity_id="1").fail(ValueError("refused")).wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "ValueError"


def test_somebody_else_keeps_it_alive(make_engine: MakeEngine) -> None:
    """Heartbeats count, whoever makes them."""
    engine, handle = waiting(make_engine, heartbeat=10)
    activity_handle = engine.get_async_activity_handle(workflow_id="w", activity_id="1")
    for _ in range(3):
        engine.sleep(8).wait()
        activity_handle.heartbeat("still waiting").wait()
    activity_handle.complete("approved").wait()
    assert handle.result().wait() == "approved"


def test_somebody_else_hears_of_a_cancellation(make_engine: MakeEngine) -> None:
    """At the heartbeat; and reports that the activity has stopped. Nobody can report that who was not asked to."""
    engine = make_engine(workflows=[CancelsActivity], activities=[approval])
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


def test_nobody_waits_for_an_activity_that_is_not_there(make_engine: MakeEngine) -> None:
    """The error says which."""
    engine, _ = waiting(make_engine)
    with pytest.raises(ActivityNotFoundError, match="'2' of workflow 'w'"):
        engine.get_async_activity_handle(workflow_id="w", activity_id="2").complete().wait()
    with pytest.raises(ActivityNotFoundError, match="'1' of workflow 'v'"):
        engine.get_async_activity_handle(workflow_id="v", activity_id="1").complete().wait()


def test_waiting_for_somebody_is_named(make_engine: MakeEngine) -> None:
    """A workflow that waits for somebody's report says so, instead of hanging."""
    engine = make_engine(workflows=[Calls], activities=[approval])
    handle = engine.start_workflow(Calls.run, {"start_to_close": 10**11}, id="w").wait()
    with pytest.raises(NothingDueError, match="to be completed by somebody else"):
        handle.result().wait()
