"""Taking things back: in the task that asked for them, later, and while the server is already at it.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine.activation import (
    Cancelled,
    Failed,
    ResolveActivity,
    ResolveChild,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    ResolveSignalExternal,
    Succeeded,
)
from playhead_engine.commands import (
    ActivityCancellationType,
    CancelChildWorkflow,
    CancelSignalExternal,
    CancelTimer,
    ChildWorkflowCancellationType,
    Command,
    NexusCancellationType,
    RequestCancelActivity,
    RequestCancelNexusOperation,
)
from tests.engine.asking import COMPLETE, activity, child, external_signal, nexus, timer
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import application_failure, payload, payloads
from tests.engine.scripted_run import AGREED, Replayed, fatal, nondeterminism

ACTIVITY_TYPES = list(ActivityCancellationType)
CHILD_TYPES = list(ChildWorkflowCancellationType)
NEXUS_TYPES = list(NexusCancellationType)

_ABANDONED_CHILDREN = (ChildWorkflowCancellationType.ABANDON, ChildWorkflowCancellationType.TRY_CANCEL)


def later(history: HistoryBuilder, *answers: list[Command]) -> Replayed:
    """Replay with one more task behind, so that everything before it is still replay."""
    history.signaled()
    history.task()
    history.completed()
    return replayed(history, *answers, [COMPLETE])


def message_of(job: Any) -> str:
    failure: Any = job.failure if isinstance(job, ResolveSignalExternal) else job.result.failure
    return str(failure["message"])


# In the task that asked for it


@pytest.mark.parametrize(
    ("asked", "taken_back", "told", "message"),
    [
        *[
            (activity(how=how), RequestCancelActivity(1), ResolveActivity, "Activity cancelled")
            for how in ACTIVITY_TYPES
        ],
        *[
            (
                child(how=how),
                CancelChildWorkflow(1, "never mind"),
                ResolveChildStart,
                "Child Workflow Execution cancelled before scheduled: never mind",
            )
            for how in CHILD_TYPES
        ],
        *[
            (
                nexus(how=how),
                RequestCancelNexusOperation(1),
                ResolveNexusStart,
                "Nexus Operation cancelled before scheduled",
            )
            for how in NEXUS_TYPES
        ],
        (
            external_signal(),
            CancelSignalExternal(1),
            ResolveSignalExternal,
            "Signal was cancelled before being sent",
        ),
    ],
)
def test_what_is_taken_back_at_once_is_never_sent_and_resolves_at_once(
    asked: Command, taken_back: Command, told: type, message: str
) -> None:
    """The code hears of it in a further activation of the same task, and the history holds nothing of it."""
    history = HistoryBuilder()
    history.task()
    history.completed()
    run = replayed(history, [asked, taken_back], [COMPLETE])
    assert run.verdict == AGREED
    first, second = run.activations
    (job,) = second.jobs
    assert isinstance(job, told)
    assert message_of(job) == message
    assert (second.timestamp_ns, second.history_length) == (first.timestamp_ns, first.history_length)


def test_a_timer_taken_back_at_once_leaves_no_trace_at_all() -> None:
    """The code knows by itself that it cancelled the timer."""
    history = HistoryBuilder()
    history.task()
    history.completed()
    run = replayed(history, [timer(), CancelTimer(1), COMPLETE])
    assert run.verdict == AGREED
    assert len(run.activations) == 1


# Timers


def test_a_running_timer_is_cancelled_by_a_command() -> None:
    """It is recorded, and the code is not told."""
    history = HistoryBuilder()
    history.task()
    started = history.timer_started()
    history.signaled()
    history.task()
    history.timer_canceled(started)
    run = later(history, [timer()], [CancelTimer(1)])
    assert run.verdict == AGREED
    assert len(run.activations) == 3


def test_cancelling_another_timer_is_only_found_out_if_the_first_one_goes_on() -> None:
    """Nothing is compared at the cancel; the timer that was recorded as running is the wrong one when it fires."""
    history = HistoryBuilder()
    history.task()
    first, second = history.timer_started("1"), history.timer_started("2")
    history.signaled()
    history.task()
    history.timer_canceled(first)
    assert later(history, [timer(1), timer(2)], [CancelTimer(2)]).verdict == AGREED

    history = HistoryBuilder()
    history.task()
    first, second = history.timer_started("1"), history.timer_started("2")
    history.signaled()
    history.task()
    history.timer_canceled(first)
    fired = history.timer_fired(second)
    text = (
        "TimerMachine in state Canceled says the transition is invalid during event "
        f"EventInfo {{ event_id: {fired}, event_type: TimerFired }}"
    )
    assert later(history, [timer(1), timer(2)], [CancelTimer(2)]).verdict == fatal(text)


def test_cancelling_a_timer_that_has_fired_does_nothing() -> None:
    """It is too late, and nobody minds."""
    history = HistoryBuilder()
    history.task()
    started = history.timer_started()
    history.timer_fired(started)
    history.task()
    assert later(history, [timer()], [CancelTimer(1)]).verdict == AGREED


# Activities


def cancelled_activity(how: ActivityCancellationType) -> tuple[HistoryBuilder, int, list[list[Command]]]:
    """A history whose second task asked for the running activity of the first to be cancelled."""
    history = HistoryBuilder()
    history.task()
    scheduled = history.activity_scheduled()
    history.signaled()
    history.task()
    if how is not ActivityCancellationType.ABANDON:
        history.activity_cancel_requested(scheduled)
    return history, scheduled, [[activity(how=how)], [RequestCancelActivity(1)]]


@pytest.mark.parametrize("how", [ActivityCancellationType.TRY_CANCEL, ActivityCancellationType.ABANDON])
def test_an_activity_that_is_not_waited_for_resolves_when_it_is_cancelled(how: ActivityCancellationType) -> None:
    """Only TRY_CANCEL asks the activity to stop; neither cares what it does afterwards."""
    history, scheduled, answers = cancelled_activity(how)
    history.activity_ran(scheduled, "too late")
    run = later(history, *answers)
    assert run.verdict == AGREED
    (job,) = run.told[2]
    assert isinstance(job, ResolveActivity) and isinstance(job.result, Cancelled)
    assert len(run.activations) == 4, "the late result is not told"


def test_an_activity_that_is_waited_for_resolves_when_it_has_stopped() -> None:
    """With the details that it gave when it stopped."""
    how = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    history, scheduled, answers = cancelled_activity(how)
    started = history.activity_started(scheduled)
    history.activity_canceled(scheduled, "cleaned up")
    run = later(history, *answers)
    assert run.verdict == AGREED
    assert run.told[2][-1] == ResolveActivity(
        1,
        Cancelled(
            {
                "message": "Activity cancelled",
                "cause": {"canceledFailureInfo": {"details": payloads("cleaned up")}},
                "activityFailureInfo": {
                    "scheduledEventId": str(scheduled),
                    "startedEventId": str(started),
                    "identity": "worker",
                    "activityType": {"name": "greet"},
                    "activityId": "1",
                    "retryState": "RETRY_STATE_CANCEL_REQUESTED",
                },
            }
        ),
    )


def test_an_activity_that_is_waited_for_may_end_otherwise() -> None:
    """It may not have heard, and return."""
    how = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    history, scheduled, answers = cancelled_activity(how)
    history.activity_ran(scheduled, "done")
    run = later(history, *answers)
    assert run.verdict == AGREED
    assert ResolveActivity(1, Succeeded(payload("done"))) in run.told[2]


def test_an_activity_that_was_cancelled_cannot_start_unless_it_was_abandoned() -> None:
    """The server does not start what it has cancelled."""
    how = ActivityCancellationType.TRY_CANCEL
    history, scheduled, answers = cancelled_activity(how)
    history.activity_canceled(scheduled)
    started = history.activity_started(scheduled)
    text = f"Non-Abandon cancel mode activities cannot be started after being cancelled. Seq: {started}"
    assert later(history, *answers).verdict == nondeterminism(text)


def test_cancelling_an_activity_twice_is_nondeterminism() -> None:
    """An SDK remembers that it has asked."""
    how = ActivityCancellationType.TRY_CANCEL
    history, _, answers = cancelled_activity(how)
    answers[1].append(RequestCancelActivity(1))
    assert later(history, *answers).verdict == nondeterminism("Invalid transition in state machine")


def test_cancelling_an_activity_that_has_ended_does_nothing() -> None:
    """It is too late, and nobody minds."""
    history = HistoryBuilder()
    history.task()
    history.activity_ran(history.activity_scheduled())
    history.task()
    assert later(history, [activity()], [RequestCancelActivity(1)]).verdict == AGREED


# Child workflows


def cancelled_child(how: ChildWorkflowCancellationType) -> tuple[HistoryBuilder, int, list[list[Command]]]:
    """A history whose second task asked for the started child of the first to be cancelled."""
    history = HistoryBuilder()
    history.task()
    initiated = history.child_initiated()
    history.child_started(initiated)
    history.task()
    if how is not ChildWorkflowCancellationType.ABANDON:
        history.cancel_external_initiated("child-1")
    return history, initiated, [[child(how=how)], [CancelChildWorkflow(1, "enough")]]


@pytest.mark.parametrize("how", _ABANDONED_CHILDREN)
def test_a_child_that_is_not_waited_for_resolves_when_it_is_cancelled(how: ChildWorkflowCancellationType) -> None:
    """Only TRY_CANCEL asks the child to stop; neither cares how it ends."""
    history, initiated, answers = cancelled_child(how)
    history.child_completed(initiated, "too late")
    run = later(history, *answers)
    assert run.verdict == AGREED
    (job,) = run.told[2]
    assert isinstance(job, ResolveChild)
    assert message_of(job) == "Child Workflow execution cancelled"


@pytest.mark.parametrize("how", [how for how in CHILD_TYPES if how not in _ABANDONED_CHILDREN])
def test_a_child_that_is_waited_for_resolves_with_its_end(how: ChildWorkflowCancellationType) -> None:
    """Both ways of waiting wait for the end."""
    history, initiated, answers = cancelled_child(how)
    history.child_canceled(initiated)
    run = later(history, *answers)
    assert run.verdict == AGREED
    assert "Child Workflow execution cancelled" in [message_of(job) for job in run.told[2] if hasattr(job, "result")]


def test_the_outcome_of_a_cancel_that_core_itself_sent_is_not_told() -> None:
    """Code asked to cancel its child, not to signal another workflow."""
    history, _, answers = cancelled_child(ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED)
    history.external_cancel_requested(history.last_id)
    run = later(history, *answers)
    assert run.verdict == AGREED
    assert [type(job).__name__ for job in run.told[2]] == ["SignalWorkflow"]


def test_a_child_is_cancelled_once_only() -> None:
    """A second report that it was cancelled is impossible."""
    history, initiated, answers = cancelled_child(ChildWorkflowCancellationType.TRY_CANCEL)
    history.child_canceled(initiated)
    history.child_canceled(initiated)
    text = (
        "Child workflow has already seen a ChildWorkflowExecutionCanceledEvent, and now another is being applied! "
        "This is a bug, please report."
    )
    assert later(history, *answers).verdict == fatal(text)


def test_a_child_that_was_waited_for_cannot_end_a_second_time() -> None:
    """Having been cancelled was its end."""
    history, initiated, answers = cancelled_child(ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED)
    history.child_canceled(initiated)
    history.child_completed(initiated, 1)
    text = "Child workflows which don't resolve immediately on cancellation cannot complete after being cancelled."
    assert later(history, *answers).verdict == nondeterminism(text)


def test_cancelling_a_child_that_has_ended_does_nothing_unless_it_was_terminated() -> None:
    """Core forgot that state; its verdict is ours."""
    too_late: list[Command] = [CancelChildWorkflow(1, "enough"), COMPLETE]
    for end in (HistoryBuilder.child_failed, HistoryBuilder.child_timed_out, HistoryBuilder.child_canceled):
        assert replayed(ended_child(end), [child()], [], too_late).verdict == AGREED
    verdict = replayed(ended_child(HistoryBuilder.child_terminated), [child()], [], too_late).verdict
    assert verdict == nondeterminism("Invalid transition in state machine")


def ended_child(end: Any) -> HistoryBuilder:
    history = HistoryBuilder()
    history.task()
    initiated = history.child_initiated()
    history.child_started(initiated)
    history.task()
    end(history, initiated)
    history.task()
    history.completed()
    return history


# Signals to other workflows


def test_a_signal_on_its_way_cannot_be_taken_back() -> None:
    """Nothing happens, and its delivery is told."""
    history = HistoryBuilder()
    history.task()
    initiated = history.signal_external_initiated()
    history.signaled()
    history.task()
    history.external_signaled(initiated)
    run = later(history, [external_signal()], [CancelSignalExternal(1)])
    assert run.verdict == AGREED
    assert ResolveSignalExternal(1, None) in run.told[2]


# Nexus operations


def cancelled_operation(how: NexusCancellationType) -> tuple[HistoryBuilder, int, list[list[Command]]]:
    """A history whose second task asked for the started operation of the first to be cancelled."""
    history = HistoryBuilder()
    history.task()
    scheduled = history.nexus_scheduled()
    history.nexus_started(scheduled)
    history.task()
    if how is not NexusCancellationType.ABANDON:
        history.nexus_cancel_requested(scheduled)
    return history, scheduled, [[nexus(how=how)], [RequestCancelNexusOperation(1)]]


@pytest.mark.parametrize("how", [NexusCancellationType.ABANDON, NexusCancellationType.TRY_CANCEL])
def test_an_operation_that_is_not_waited_for_resolves_when_it_is_cancelled(how: NexusCancellationType) -> None:
    """Only TRY_CANCEL asks the operation to stop."""
    history, _, answers = cancelled_operation(how)
    run = later(history, *answers)
    assert run.verdict == AGREED
    (job,) = run.told[2]
    assert isinstance(job, ResolveNexus)
    assert message_of(job) == "Nexus operation cancelled after starting"


def test_an_operation_may_be_waited_for_until_its_cancel_was_received() -> None:
    """WAIT_REQUESTED resolves with the answer to the cancel, not with the end of the operation."""
    how = NexusCancellationType.WAIT_REQUESTED
    history, _, answers = cancelled_operation(how)
    history.nexus_cancel_answered(history.last_id)
    jobs = later(history, *answers).told[2]
    assert [message_of(job) for job in jobs if isinstance(job, ResolveNexus)] == [
        "Nexus operation cancellation request completed"
    ]
    history, _, answers = cancelled_operation(how)
    history.nexus_cancel_answered(history.last_id, well=False)
    (job,) = [job for job in later(history, *answers).told[2] if isinstance(job, ResolveNexus)]
    assert isinstance(job.result, Failed)
    assert job.result.failure["message"] == "Nexus operation cancellation request failed"
    assert job.result.failure["cause"] == application_failure("it will not stop")


def test_an_operation_may_be_waited_for_until_it_has_ended() -> None:
    """WAIT_COMPLETED, the default, takes no notice of the answer to the cancel."""
    history, scheduled, answers = cancelled_operation(NexusCancellationType.WAIT_COMPLETED)
    history.nexus_cancel_answered(history.last_id)
    history.nexus_completed(scheduled, "done")
    run = later(history, *answers)
    assert run.verdict == AGREED
    assert ResolveNexus(1, Succeeded(payload("done"))) in run.told[2]


def test_a_late_end_is_only_refused_of_an_abandoned_operation() -> None:
    """The words say the opposite; both the rule and the words are core's."""
    history, scheduled, answers = cancelled_operation(NexusCancellationType.TRY_CANCEL)
    history.nexus_completed(scheduled)
    assert later(history, *answers).verdict == AGREED
    history, scheduled, answers = cancelled_operation(NexusCancellationType.ABANDON)
    history.nexus_completed(scheduled)
    text = "Nexus operation which don't have the ABANDON cancellation type cannot complete after being cancelled."
    assert later(history, *answers).verdict == nondeterminism(text)


def test_cancelling_an_operation_twice_asks_once() -> None:
    """The second time does nothing."""
    history, _, answers = cancelled_operation(NexusCancellationType.WAIT_COMPLETED)
    answers[1].append(RequestCancelNexusOperation(1))
    assert later(history, *answers).verdict == AGREED
