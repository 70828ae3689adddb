"""What becomes of each thing the code asked for: what is compared, which events may follow, and what the code is told.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playhead_engine.activation import (
    Cancelled,
    ChildStarted,
    ChildStartFailed,
    Failed,
    NexusStarted,
    ResolveActivity,
    ResolveCancelExternal,
    ResolveChild,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    ResolveSignalExternal,
    Succeeded,
    TimedOut,
)
from playhead_engine.commands import AcceptUpdate, Command, CompleteUpdate, RejectUpdate
from tests.engine.asking import COMPLETE, activity, child, external_cancel, external_signal, nexus, timer
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import application_failure, cancellation, payload
from tests.engine.scripted_run import AGREED, Replayed, fatal, nondeterminism


def asked_for(record: Callable[[HistoryBuilder], int], **started: Any) -> tuple[HistoryBuilder, int]:
    """A history whose first task asked for one thing, and the id of the event that recorded it."""
    history = HistoryBuilder(**started)
    history.task()
    return history, record(history)


def told_next(history: HistoryBuilder, *commands: Command) -> Any:
    """The only job of the second activation, where that is still replay."""
    history.task()
    history.completed()
    run = replayed(history, commands, [COMPLETE])
    assert run.verdict == AGREED
    (job,) = run.told[1]
    return job


def replayed_on(history: HistoryBuilder, *commands: Command) -> Replayed:
    """Replay with one more task behind, so that everything before it is still replay."""
    history.signaled()
    history.task()
    history.completed()
    return replayed(history, commands, [COMPLETE])


# Activities


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (activity(1, "2"), "Activity id of scheduled event '1' does not match activity id of activity command '2'"),
        (
            activity(1, "1", "scold"),
            "Activity type of scheduled event 'greet' does not match activity type of activity command 'scold'",
        ),
    ],
)
def test_id_and_type_of_an_activity_are_compared_if_the_recording_says_so(asked: Command, difference: str) -> None:
    """Core's flag 1 stands for the check; recordings without it passed any activity for any other."""
    history, _ = asked_for(HistoryBuilder.activity_scheduled)
    assert replayed_on(history, asked).verdict == nondeterminism(difference)
    history, _ = asked_for(HistoryBuilder.activity_scheduled, core_flags=[3])
    assert replayed_on(history, asked).verdict == AGREED
    history, _ = asked_for(HistoryBuilder.activity_scheduled, core_flags=None)
    assert replayed(history, [asked]).verdict == nondeterminism(difference), (
        "in the last sequence it is always compared"
    )


def test_an_activity_that_returned_resolves_with_its_result() -> None:
    """The one value it returned, or nothing where the history holds no result."""
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    history.activity_ran(scheduled, "Hello")
    assert told_next(history, activity()) == ResolveActivity(1, Succeeded(payload("Hello")))
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    history.activity_ran(scheduled)
    del history.attributes_of(history.last_id)["result"]
    assert told_next(history, activity()) == ResolveActivity(1, Succeeded(None))


@pytest.mark.parametrize(("values", "complaint"), [((), "NoPayload"), ((1, 2), "MoreThanOnePayload")])
def test_a_result_is_one_value(values: tuple[int, ...], complaint: str) -> None:
    """Code could not make anything of more."""
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    history.activity_started(scheduled)
    ended = history.activity_completed(scheduled, *values)
    text = (
        f"Not exactly one payload in activity result ({complaint}) for event: "
        f"Some(EventInfo {{ event_id: {ended}, event_type: ActivityTaskCompleted }})"
    )
    assert replayed_on(history, activity()).verdict == fatal(text)


def test_a_failed_activity_says_which_one_and_why() -> None:
    """The failure the activity raised is the cause of one that tells id, type, events and who ran it."""
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    started = history.activity_started(scheduled)
    history.activity_failed(scheduled, application_failure("no luck"))
    assert told_next(history, activity()) == ResolveActivity(
        1,
        Failed(
            {
                "message": "Activity task failed",
                "cause": application_failure("no luck"),
                "activityFailureInfo": {
                    "scheduledEventId": str(scheduled),
                    "startedEventId": str(started),
                    "identity": "worker",
                    "activityType": {"name": "greet"},
                    "activityId": "1",
                    "retryState": "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED",
                },
            }
        ),
    )


def test_an_activity_can_time_out_before_and_after_it_started() -> None:
    """Nobody may have been there to run it."""
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    history.activity_timed_out(scheduled, "SCHEDULE_TO_START")
    waiting = told_next(history, activity())
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    history.activity_started(scheduled)
    history.activity_timed_out(scheduled)
    running = told_next(history, activity())
    for job in (waiting, running):
        assert isinstance(job, ResolveActivity) and isinstance(job.result, Failed)
        assert job.result.failure["message"] == "Activity task timed out"


@pytest.mark.parametrize("end", [HistoryBuilder.activity_completed, HistoryBuilder.activity_failed])
def test_an_activity_cannot_end_before_it_started(end: Callable[[HistoryBuilder, int], int]) -> None:
    """The server writes the start beside the end."""
    history, scheduled = asked_for(HistoryBuilder.activity_scheduled)
    ended = end(history, scheduled)
    text = (
        "ActivityMachine in state ScheduledEventRecorded says the transition is invalid during event "
        f"EventInfo {{ event_id: {ended}, event_type: {history.parsed[-1].type_name} }}"
    )
    assert replayed_on(history, activity()).verdict == fatal(text)


# Timers


def test_the_id_of_a_timer_is_compared_when_it_fires() -> None:
    """When it starts it is not; a timer that never fires may be any other."""
    history, started = asked_for(lambda history: history.timer_started("7"))
    assert replayed_on(history, timer(1)).verdict == AGREED
    history, started = asked_for(lambda history: history.timer_started("7"))
    history.timer_fired(started)
    text = "Timer fired event did not have expected timer id 1, it was 7!"
    assert replayed_on(history, timer(1)).verdict == nondeterminism(text)


# Child workflows


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (
            child(1, "child-2"),
            "Child workflow id of scheduled event 'child-1' does not match child workflow id of command 'child-2'",
        ),
        (
            child(1, "child-1", "Other"),
            "Child workflow type of scheduled event 'Child' does not match child workflow type of command 'Other'",
        ),
    ],
)
def test_id_and_type_of_a_child_are_compared_if_the_recording_says_so(asked: Command, difference: str) -> None:
    """The same flag as for activities."""
    history, _ = asked_for(HistoryBuilder.child_initiated)
    assert replayed_on(history, asked).verdict == nondeterminism(difference)
    history, _ = asked_for(HistoryBuilder.child_initiated, core_flags=None)
    assert replayed_on(history, asked).verdict == AGREED


def test_a_child_is_started_or_is_not() -> None:
    """The code learns the run id, or why there is none."""
    history, initiated = asked_for(HistoryBuilder.child_initiated)
    history.child_started(initiated, "the-run")
    assert told_next(history, child()) == ResolveChildStart(1, ChildStarted("the-run"))
    history, initiated = asked_for(HistoryBuilder.child_initiated)
    history.child_not_started(initiated)
    cause = "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
    assert told_next(history, child()) == ResolveChildStart(1, ChildStartFailed("child-1", "Child", cause))


def test_a_child_that_started_nowhere_is_fatal() -> None:
    """Without a run there is nothing to speak of."""
    history, initiated = asked_for(HistoryBuilder.child_initiated)
    history.child_started(initiated)
    del history.attributes_of(history.last_id)["workflowExecution"]
    text = "ChildWorkflowExecutionStarted attributes were unset or malformed"
    assert replayed_on(history, child()).verdict == fatal(text)


def child_end(write: Callable[[HistoryBuilder, int], int]) -> Any:
    history, initiated = asked_for(HistoryBuilder.child_initiated)
    history.child_started(initiated)
    history.task()
    write(history, initiated)
    history.task()
    history.completed()
    run = replayed(history, [child()], [], [COMPLETE])
    assert run.verdict == AGREED
    (job,) = run.told[2]
    assert isinstance(job, ResolveChild)
    return job.result


def test_a_child_that_returned_resolves_with_its_result() -> None:
    """The one value it returned."""
    result = child_end(lambda history, initiated: history.child_completed(initiated, "Hello"))
    assert result == Succeeded(payload("Hello"))


@pytest.mark.parametrize(
    ("write", "message", "cause", "retry_state"),
    [
        (
            HistoryBuilder.child_failed,
            "Child Workflow execution failed",
            application_failure("no luck"),
            "RETRY_STATE_RETRY_POLICY_NOT_SET",
        ),
        (
            HistoryBuilder.child_timed_out,
            "Child Workflow execution timed out",
            {"message": "Timed out", "timeoutFailureInfo": {"timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}},
            "RETRY_STATE_TIMEOUT",
        ),
        (
            HistoryBuilder.child_terminated,
            "Child Workflow execution terminated",
            {"message": "Terminated", "terminatedFailureInfo": {}},
            "RETRY_STATE_NON_RETRYABLE_FAILURE",
        ),
        (
            HistoryBuilder.child_canceled,
            "Child Workflow execution cancelled",
            {"canceledFailureInfo": {}},
            "RETRY_STATE_NON_RETRYABLE_FAILURE",
        ),
    ],
)
def test_a_child_that_did_not_return_says_which_one_and_why(
    write: Callable[[HistoryBuilder, int], int], message: str, cause: Any, retry_state: str
) -> None:
    """What ended it is the cause of a failure that tells its ids, type and events."""
    result = child_end(write)
    assert isinstance(result, Cancelled if write is HistoryBuilder.child_canceled else Failed)
    assert result.failure == {
        "message": message,
        "cause": cause,
        "childWorkflowExecutionFailureInfo": {
            "namespace": "default",
            "workflowExecution": {"workflowId": "child-1", "runId": "child-run"},
            "workflowType": {"name": "Child"},
            "initiatedEventId": "5",
            "startedEventId": "6",
            "retryState": retry_state,
        },
    }


def test_a_child_cannot_end_before_it_started() -> None:
    """There was nothing that could end."""
    history, initiated = asked_for(HistoryBuilder.child_initiated)
    ended = history.child_completed(initiated, 1)
    text = (
        "ChildWorkflowMachine in state StartEventRecorded says the transition is invalid during event "
        f"EventInfo {{ event_id: {ended}, event_type: ChildWorkflowExecutionCompleted }}"
    )
    assert replayed_on(history, child()).verdict == fatal(text)


# Other workflows


@pytest.mark.parametrize(
    ("cause", "message", "failure_type"),
    [
        ("EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND", "it was not found", "ExternalWorkflowExecutionNotFound"),
        ("NAMESPACE_NOT_FOUND", "it was not found", "NamespaceNotFound"),
        ("SIGNAL_COUNT_LIMIT_EXCEEDED", "The per-workflow signal limit was exceeded", "SignalCountLimitExceeded"),
        ("UNSPECIFIED", "unknown", "Unspecified"),
    ],
)
def test_a_signal_to_another_workflow_is_delivered_or_says_why_not(cause: str, message: str, failure_type: str) -> None:
    """The reason is the type of the failure."""
    history, initiated = asked_for(HistoryBuilder.signal_external_initiated)
    history.external_signaled(initiated)
    assert told_next(history, external_signal()) == ResolveSignalExternal(1, None)
    history, initiated = asked_for(HistoryBuilder.signal_external_initiated)
    history.signal_external_failed(initiated, cause)
    failure = application_failure(f"Unable to signal external workflow because {message}", failure_type)
    assert told_next(history, external_signal()) == ResolveSignalExternal(1, failure)


def test_a_cancel_of_another_workflow_is_delivered_or_says_why_not() -> None:
    """As for a signal."""
    history, initiated = asked_for(HistoryBuilder.cancel_external_initiated)
    history.external_cancel_requested(initiated)
    assert told_next(history, external_cancel()) == ResolveCancelExternal(1, None)
    history, initiated = asked_for(HistoryBuilder.cancel_external_initiated)
    history.cancel_external_failed(initiated)
    message = "Unable to cancel external workflow because not found"
    failure = application_failure(message, "ExternalWorkflowExecutionNotFound")
    assert told_next(history, external_cancel()) == ResolveCancelExternal(1, failure)


# Nexus operations


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (
            nexus(service="shop"),
            "Nexus operation service of scheduled event 'bank' does not match service of command 'shop'",
        ),
        (
            nexus(operation="refund"),
            "Nexus operation of scheduled event 'pay' does not match operation of command 'refund'",
        ),
    ],
)
def test_service_and_operation_are_compared_if_the_recording_says_so(asked: Command, difference: str) -> None:
    """Core's flag 4 stands for this check; the endpoint is never compared."""
    history, _ = asked_for(HistoryBuilder.nexus_scheduled)
    assert replayed_on(history, asked).verdict == nondeterminism(difference)
    history, _ = asked_for(HistoryBuilder.nexus_scheduled, core_flags=[1, 2, 3])
    assert replayed_on(history, asked).verdict == AGREED
    history, _ = asked_for(HistoryBuilder.nexus_scheduled)
    assert replayed_on(history, nexus(endpoint="elsewhere")).verdict == AGREED


def test_an_operation_that_answers_at_once_is_started_and_done_in_one() -> None:
    """A synchronous operation has no start of its own in the history."""
    history, scheduled = asked_for(HistoryBuilder.nexus_scheduled)
    history.nexus_completed(scheduled, 3)
    history.task()
    history.completed()
    run = replayed(history, [nexus()], [COMPLETE])
    assert run.told[1] == (ResolveNexusStart(1, NexusStarted(None)), ResolveNexus(1, Succeeded(payload(3))))


def test_an_operation_that_takes_its_time_is_started_first() -> None:
    """Then the code has a token for it."""
    history, scheduled = asked_for(HistoryBuilder.nexus_scheduled)
    history.nexus_started(scheduled, "token")
    assert told_next(history, nexus()) == ResolveNexusStart(1, NexusStarted("token"))


@pytest.mark.parametrize(
    ("write", "outcome", "failure"),
    [
        (HistoryBuilder.nexus_failed, Failed, application_failure("no luck")),
        (HistoryBuilder.nexus_canceled, Cancelled, cancellation()),
        (HistoryBuilder.nexus_timed_out, TimedOut, {"message": "late", "timeoutFailureInfo": {}}),
    ],
)
def test_an_operation_that_did_not_return_failed_to_start_if_it_had_not_started(
    write: Callable[[HistoryBuilder, int], int], outcome: Any, failure: Any
) -> None:
    """Otherwise it ends with the failure that was recorded."""
    history, scheduled = asked_for(HistoryBuilder.nexus_scheduled)
    write(history, scheduled)
    assert told_next(history, nexus()) == ResolveNexusStart(1, Failed(failure))
    history, scheduled = asked_for(HistoryBuilder.nexus_scheduled)
    history.nexus_started(scheduled)
    history.task()
    write(history, scheduled)
    history.task()
    history.completed()
    assert replayed(history, [nexus()], [], [COMPLETE]).told[2] == (ResolveNexus(1, outcome(failure)),)


# Updates


def test_an_update_must_be_accepted_before_it_is_completed() -> None:
    """Answers out of order are a fault of the SDK."""
    history = HistoryBuilder()
    history.task()
    history.update_accepted()
    verdict = replayed(history, [CompleteUpdate("update-1", None)]).verdict
    text = "Invalid transition while handling update response (id update-1) in state RequestInitiated"
    assert verdict == nondeterminism(text)


def test_an_update_that_code_now_rejects_leaves_its_acceptance_unanswered() -> None:
    """A rejection makes no command, so the recorded acceptance meets nothing."""
    history = HistoryBuilder()
    history.task()
    history.update_accepted()
    verdict = replayed(history, [RejectUpdate("update-1", application_failure("no"))]).verdict
    text = "No command scheduled for event HistoryEvent(id: 5, WorkflowExecutionUpdateAccepted)"
    assert verdict == nondeterminism(text)


def test_an_update_may_complete_tasks_after_it_was_accepted_and_may_fail() -> None:
    """Failing after acceptance is recorded as a completion."""
    history = HistoryBuilder()
    history.task()
    accepted = history.update_accepted()
    history.signaled()
    history.task()
    history.update_completed(accepted)
    failed = RejectUpdate("update-1", application_failure("no"))
    assert replayed(history, [AcceptUpdate("update-1")], [failed]).verdict == AGREED


def test_the_ids_of_updates_are_not_compared() -> None:
    """Two updates that swapped places pass."""
    history = HistoryBuilder()
    history.task()
    history.update_accepted("update-1")
    history.update_accepted("update-2")
    assert replayed(history, [AcceptUpdate("update-2"), AcceptUpdate("update-1")]).verdict == AGREED


def test_an_answer_to_an_update_that_nobody_asked_for_is_fatal() -> None:
    """There is no request under that id."""
    history = HistoryBuilder()
    history.task()
    history.completed()
    verdict = replayed(history, [AcceptUpdate("update-7"), COMPLETE]).verdict
    assert verdict == fatal("Missing associated machine for protocol message update-7")


def test_interleaving_updates_otherwise_than_recorded_is_fatal() -> None:
    """Acceptance and completion of one task stand together."""
    history = HistoryBuilder()
    history.task()
    first = history.update_accepted("update-1")
    history.update_completed(first)
    history.update_accepted("update-2")
    answer: list[Command] = [
        AcceptUpdate("update-1"),
        AcceptUpdate("update-2"),
        CompleteUpdate("update-1", None),
    ]
    assert replayed(history, answer).verdict.reason == "FATAL"
