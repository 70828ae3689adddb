"""Clients of workflows written for Temporal's own SDK, and families in which both kinds live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import temporalio.exceptions
from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from playhead_engine import Engine, exceptions, workflow
from playhead_engine.client import (
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from playhead_engine.common import RetryPolicy as NativeRetryPolicy
from tests.engine import temporal_workflows as theirs
from tests.engine.running_engines import MakeEngine, make_engine  # noqa: F401 - a fixture
from tests.engine.temporal_workflows import House, Visit, welcome

ADA = Visit(1, {"Ada"})
BOB = Visit(1, {"Bob"})


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    """An engine for workflows of both kinds."""
    workflows = [House, theirs.Fails, theirs.Parent, theirs.Child, NativeParent, NativeChild]
    return make_engine(*workflows, welcome)


def test_a_workflow_is_talked_to_by_its_methods(engine: Engine) -> None:
    """Start, signal, query, update and result by the SDK's methods; values have the types of their annotations."""
    handle = engine.start_workflow(House.run, ADA, id="h", task_queue="q").wait()
    handle.signal(House.knock, BOB).wait()
    assert handle.query(House.inside).wait() == Visit(2, {"Ada", "Bob"})
    assert handle.execute_update(House.leave, ADA).wait() == BOB
    update = handle.start_update(House.leave, BOB, wait_for_stage=WorkflowUpdateStage.ACCEPTED).wait()
    assert update.result().wait() == Visit(0, set())
    handle.signal(House.close).wait()
    assert handle.result().wait() == Visit(1, {"host"})
    again = engine.get_workflow_handle_for(House.run, "h")
    assert again.result().wait() == Visit(1, {"host"})


def test_names_do_as_well(engine: Engine) -> None:
    """Without annotations values come as JSON has them."""
    handle = engine.start_workflow("House", ADA, id="h").wait()
    handle.signal("shut").wait()
    assert handle.result().wait() == {"guests": 2, "names": handle.result().wait()["names"]}
    assert sorted(handle.result().wait()["names"]) == ["Ada", "host"]


def test_a_start_may_carry_a_signal(engine: Engine) -> None:
    """The signal is there before the run method begins."""
    handle = engine.start_workflow(House.run, ADA, id="h", start_signal=House.knock, start_signal_args=[BOB]).wait()
    assert handle.query(House.inside).wait() == Visit(2, {"Ada", "Bob"})


def test_options_may_be_the_sdks(engine: Engine) -> None:
    """Retry policies, search attributes, priorities and policies of `temporalio.common` mean what they say."""
    city = SearchAttributeKey.for_keyword("City")
    tags = SearchAttributeKey.for_keyword_list("Tags")
    handle = engine.start_workflow(
        House.run,
        ADA,
        id="h",
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=3), maximum_attempts=2),
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(city, "Bern"), SearchAttributePair(tags, ["a", "b"])]
        ),
        priority=Priority(priority_key=3),
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    ).wait()
    started = next(iter(handle.fetch_history().wait())).attributes
    assert started["retryPolicy"]["initialInterval"] == "3s"
    assert started["priority"] == {"priorityKey": 3}
    assert [run.id for run in engine.list_workflows("City = 'Bern' AND Tags = 'a'").wait()] == ["h"]
    with pytest.raises(exceptions.WorkflowAlreadyStartedError):
        engine.start_workflow(House.run, ADA, id="h", id_conflict_policy=WorkflowIDConflictPolicy.FAIL).wait()
    other = engine.start_workflow(
        House.run, ADA, id="h", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    ).wait()
    assert other.result_run_id == handle.result_run_id


# Errors


def cause_of(engine: Engine, workflow: Any, *args: Any) -> Any:
    """Why a workflow failed."""
    with pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(workflow, args=args, id="f").wait()
    return raised.value.cause


def test_the_cause_is_an_error_of_the_sdk(engine: Engine) -> None:
    """Who runs the SDK's code catches the SDK's errors; a native workflow beside it fails with native ones."""
    cause = cause_of(engine, theirs.Fails.run, "error")
    assert isinstance(cause, temporalio.exceptions.ApplicationError)
    assert (cause.type, list(cause.details), cause.non_retryable) == ("Luck", [{"tries": 3}], True)
    assert isinstance(cause.cause, temporalio.exceptions.ApplicationError) and cause.cause.type == "ValueError"
    native = cause_of(engine, NativeChild.run, "fail at once")
    assert isinstance(native, exceptions.ApplicationError)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (lambda handle: handle.cancel(), temporalio.exceptions.CancelledError),
        (lambda handle: handle.terminate("details", reason="enough"), temporalio.exceptions.TerminatedError),
    ],
    ids=["cancelled", "terminated"],
)
def test_other_ends_are_errors_of_the_sdk_too(engine: Engine, end: Any, kind: type[BaseException]) -> None:
    """Cancelled and terminated workflows."""
    handle = engine.start_workflow(theirs.Fails.run, "wait", id="f").wait()
    end(handle).wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    assert isinstance(raised.value.cause, kind)


def test_a_timeout_is_an_error_of_the_sdk(engine: Engine) -> None:
    """A run that took too long."""
    handle = engine.start_workflow(theirs.Fails.run, "wait", id="f", run_timeout=timedelta(seconds=5)).wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    assert isinstance(raised.value.cause, temporalio.exceptions.TimeoutError)


def test_a_refused_update_raises_what_the_validator_raised(engine: Engine) -> None:
    """With type and details."""
    handle = engine.start_workflow(House.run, ADA, id="h").wait()
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        handle.execute_update(House.leave, BOB).wait()
    cause: Any = raised.value.cause
    assert isinstance(cause, temporalio.exceptions.ApplicationError)
    assert (cause.type, list(cause.details)) == ("NotInside", ["Bob"])


def test_what_is_no_workflow_is_said(engine: Engine) -> None:
    """A method that is no handler, or a class that is no run method."""
    handle = engine.start_workflow(House.run, ADA, id="h").wait()
    with pytest.raises(RuntimeError, match="no signal handler"):
        handle.signal(House.inside)
    with pytest.raises(ValueError, match="no workflow's run method"):
        engine.start_workflow(House.knock, ADA, id="x").wait()


# Families


@workflow.defn
class NativeParent:
    """As `temporal_workflows.Parent`."""

    @workflow.run
    async def run(self, child_type: str, value: Any) -> list[Any]:
        """Tell how the child ended."""
        try:
            child = await workflow.start_child_workflow(child_type, value, id=f"child of {workflow.info().workflow_id}")
            await child.signal("go_on", "signalled")
            return ["returned", await child]
        except exceptions.ChildWorkflowError as error:
            cause = error.cause
            assert isinstance(cause, exceptions.ApplicationError)
            return ["raised", cause.type, cause.message, *cause.details]


@workflow.defn
class NativeChild:
    """As `temporal_workflows.Child`."""

    def __init__(self) -> None:
        self.told = ""

    @workflow.run
    async def run(self, value: Any) -> list[Any]:
        """Wait for the signal."""
        if value == "fail at once":
            raise exceptions.ApplicationError("no")
        await workflow.wait_condition(lambda: bool(self.told))
        if value == "fail":
            raise exceptions.ApplicationError("the child is tired", "since noon", type="Tired")
        return [self.told, value]

    @workflow.signal
    def go_on(self, word: str) -> None:
        """Go on."""
        self.told = word


@pytest.mark.parametrize(
    ("parent", "child"),
    [(NativeParent, "Child"), (theirs.Parent, "NativeChild"), (theirs.Parent, "Child")],
    ids=["native parent", "native child", "both the SDK's"],
)
def test_parents_and_children_may_be_of_either_kind(engine: Engine, parent: Any, child: str) -> None:
    """A parent starts a child of the other kind, signals it, and is told how it ended."""
    told = engine.execute_workflow(parent.run, args=[child, {"a": 1}], id="1").wait()
    assert told == ["returned", ["signalled", {"a": 1}]]
    told = engine.execute_workflow(parent.run, args=[child, "fail"], id="2").wait()
    assert told == ["raised", "Tired", "the child is tired", "since noon"]


@workflow.defn
class ByReference:
    """Uses the SDK's definitions themselves."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Run an activity, and start a child and tell it to go on."""
        visit: Visit = await workflow.execute_activity(
            welcome,
            ADA,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=NativeRetryPolicy(maximum_attempts=1),
        )
        child = await workflow.start_child_workflow(theirs.Child.run, "value", id="child")
        await child.signal(theirs.Child.go_on, "by reference")
        return [type(visit).__name__, sorted(visit.names), await child]


def test_native_code_may_name_the_sdks_definitions(make_engine: MakeEngine) -> None:
    """An activity, a run method or a signal of the SDK says its name and types to native code as native ones do."""
    engine = make_engine(ByReference, theirs.Child, welcome)
    assert engine.execute_workflow(ByReference.run, id="w").wait() == [
        "Visit",
        ["Ada", "host"],
        ["by reference", "value"],
    ]


def test_a_dynamic_workflow_takes_what_nobody_knows(make_engine: MakeEngine) -> None:
    """One of the SDK leaves to native code what native code has a name for."""
    engine = make_engine(theirs.Anything, NativeChild)
    assert engine.execute_workflow("Unheard", args=[1, "two"], id="u").wait() == ["Unheard", 1, "two"]
    with pytest.raises(WorkflowFailureError) as raised:
        engine.execute_workflow(NativeChild.run, "fail at once", id="n").wait()
    assert isinstance(raised.value.cause, exceptions.ApplicationError)


@workflow.defn(name="Child")
class Twin:
    """Has the name of one of the SDK's."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


def test_two_kinds_cannot_share_a_name(make_engine: MakeEngine) -> None:
    """Which of them would run would depend on chance."""
    with pytest.raises(ValueError, match="two workflows named 'Child'"):
        make_engine(Twin, theirs.Child)
