"""What the code is told: which jobs follow from which events, in which order, and what an activation says beside them.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine.activation import (
    CancelWorkflow,
    Deployment,
    DoUpdate,
    InitializeWorkflow,
    NotifyHasPatch,
    ResolveActivity,
    SignalWorkflow,
    Succeeded,
    UpdateRandomSeed,
)
from playhead_engine.commands import (
    AcceptUpdate,
    CompleteUpdate,
)
from playhead_engine.randomness import seed_of_run
from tests.engine.asking import (
    COMPLETE,
    activity,
    local_activity,
    timer,
)
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import RUN_ID, WORKFLOW_ID, HistoryBuilder, ns_of_event
from tests.engine.json_values import payload, payloads
from tests.engine.scripted_run import AGREED, fatal


def kinds(jobs: tuple[Any, ...]) -> list[str]:
    return [type(job).__name__ for job in jobs]


def test_the_first_activation_makes_the_workflow() -> None:
    """The code gets its type and input, the id it runs under, and a seed that follows from the run."""
    history = HistoryBuilder("Greeting", input=payloads("Ada"))
    history.task()
    history.completed()
    run = replayed(history, [COMPLETE])
    first = run.activations[0]
    (job,) = first.jobs
    assert isinstance(job, InitializeWorkflow)
    assert (job.workflow_id, job.randomness_seed, job.start_time_ns) == (
        WORKFLOW_ID,
        seed_of_run(RUN_ID),
        ns_of_event(1),
    )
    assert job.attributes["input"] == payloads("Ada")
    assert (first.run_id, first.timestamp_ns, first.history_length) == (RUN_ID, ns_of_event(3), 3)
    assert run.verdict == AGREED


def test_an_activation_carries_what_the_server_knew_of_the_history() -> None:
    """Size, and whether and why to continue as new, are those of the task that started it."""
    history = HistoryBuilder()
    history.task_open(
        historySizeBytes="4711",
        suggestContinueAsNew=True,
        suggestContinueAsNewReasons=["SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES"],
        targetWorkerDeploymentVersionChanged=True,
    )
    (first,) = replayed(history, [timer()]).activations
    assert first.history_size_bytes == 4711
    assert first.continue_as_new_suggested
    assert first.continue_as_new_reasons == ("SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES",)
    assert first.target_deployment_changed


def test_flags_recorded_at_the_end_of_a_task_hold_during_it() -> None:
    """The flags, SDK version and deployment that completed a task are known when the task is replayed."""
    history = HistoryBuilder()
    history.task(
        sdkMetadata={"coreUsedFlags": [1], "langUsedFlags": [3, 1], "sdkVersion": "1.20"},
        deploymentVersion={"deploymentName": "shop", "buildId": "v1"},
    )
    history.signaled()
    history.task(sdkMetadata={"langUsedFlags": [2]})
    first, second = replayed(history).activations
    assert (first.internal_flags, first.last_sdk_version) == ((1, 3), "1.20")
    assert (second.internal_flags, second.last_sdk_version) == ((1, 2, 3), "1.20")
    assert first.deployment == second.deployment == Deployment("shop", "v1")


@pytest.mark.parametrize(
    ("recorded", "deployment"),
    [
        ({}, None),
        ({"workerVersion": {"buildId": "v1"}}, Deployment("", "v1")),
        ({"workerDeploymentName": "shop", "workerVersion": {"buildId": "v1"}}, Deployment("shop", "v1")),
        ({"workerDeploymentVersion": "shop.v1.2", "workerVersion": {"buildId": "v1"}}, Deployment("shop", "v1.2")),
        ({"workerDeploymentVersion": "no dot", "workerVersion": {"buildId": "v1"}}, Deployment("", "v1")),
        ({"deploymentVersion": {"buildId": "v2"}, "workerDeploymentVersion": "shop.v1"}, Deployment("", "v2")),
        ({"deploymentVersion": {}, "workerVersion": {"buildId": "v1"}}, None),
    ],
)
def test_a_deployment_is_read_from_whichever_field_recorded_it(recorded: Any, deployment: Deployment | None) -> None:
    """Servers of all ages wrote it in different fields; the youngest field that is there wins, even if it is empty."""
    history = HistoryBuilder()
    history.task(**recorded)
    (first,) = replayed(history).activations
    assert first.deployment == deployment


def test_jobs_are_told_by_class_and_within_a_class_by_order() -> None:
    """Patches come before signals and updates, those before the rest, and local activities last."""
    history = HistoryBuilder()
    history.task()
    started = history.timer_started()
    history.timer_fired(started)
    history.signaled("wave")
    history.cancel_requested()
    history.signaled("nod")
    history.task()
    history.local_activity_marker()
    history.update_accepted()
    history.patch_marker("faster")
    second = replayed(history, [timer(), local_activity()]).told[1]
    assert kinds(second) == [
        "NotifyHasPatch",
        "SignalWorkflow",
        "SignalWorkflow",
        "DoUpdate",
        "FireTimer",
        "CancelWorkflow",
        "ResolveActivity",
    ]
    assert second[0] == NotifyHasPatch("faster")
    assert [job.name for job in second if isinstance(job, SignalWorkflow)] == ["wave", "nod"]
    assert second[5] == CancelWorkflow("enough")


def test_a_signal_brings_what_its_sender_sent() -> None:
    """Name, arguments, headers, sender, and the event it stands in."""
    history = HistoryBuilder()
    history.task()
    signal = history.signaled("wave", 1, "two", header={"fields": {"trace": payload("t")}})
    history.task_open()
    (job,) = replayed(history).told[1]
    assert job == SignalWorkflow("wave", [payload(1), payload("two")], "client", {"trace": payload("t")}, signal)


def test_the_workflows_time_is_that_of_its_tasks_and_never_goes_back() -> None:
    """Time stands still between tasks; a clock that was wrong on the server cannot turn it back."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_scheduled()
    history.task_started()
    history.events[-1]["eventTime"] = "2025-12-31T00:00:00Z"
    history.task_completed()
    first, second = replayed(history).activations
    assert first.timestamp_ns == second.timestamp_ns == ns_of_event(3)


def test_a_task_that_does_not_say_when_it_started_is_fatal() -> None:
    """The workflow would not know what time it is."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    del history.events[-1]["eventTime"]
    text = "Workflow task started event must contain timestamp: HistoryEvent(id: 7, WorkflowTaskStarted)"
    history.task_completed()
    history.completed()
    assert replayed(history).verdict == fatal(text)


def test_what_happened_after_the_last_task_is_told_live() -> None:
    """The code never saw it, so it is no replay any more; and there is no new task that could move time."""
    history = HistoryBuilder()
    history.task()
    scheduled = history.activity_scheduled()
    history.activity_ran(scheduled, "Hello")
    first, second = replayed(history, [activity()]).activations
    assert (first.is_replaying, second.is_replaying) == (True, False)
    assert second.jobs == (ResolveActivity(1, Succeeded(payload("Hello"))),)
    assert second.timestamp_ns == ns_of_event(3)
    assert second.history_length == history.last_id


def test_an_open_first_task_is_no_replay_at_all() -> None:
    """A run that was never answered has nothing to be repeated."""
    history = HistoryBuilder()
    history.task_open()
    (first,) = replayed(history).activations
    assert not first.is_replaying


def test_a_failed_attempt_is_told_once_with_the_time_of_the_one_that_counted() -> None:
    """The code sees a single first activation, at the second start."""
    history = HistoryBuilder()
    history.task_open()
    history.task_failed()
    history.task()
    history.completed()
    (first,) = replayed(history, [COMPLETE]).activations
    assert kinds(first.jobs) == ["InitializeWorkflow"]
    assert first.timestamp_ns == ns_of_event(6)


def test_a_reset_goes_on_with_another_seed() -> None:
    """Random numbers after the reset follow from the id of the new run, and the run id stays that of the first."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    history.task_failed("RESET_WORKFLOW", newRunId="the-new-run")
    history.task_open()
    second = replayed(history).activations[1]
    assert kinds(second.jobs) == ["UpdateRandomSeed", "SignalWorkflow"]
    assert second.jobs[0] == UpdateRandomSeed(seed_of_run("the-new-run"))
    assert second.run_id == RUN_ID


def test_a_task_without_news_is_not_told() -> None:
    """Where nothing happened between two tasks, the code is not bothered."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    history.task()
    history.signaled()
    history.task()
    history.completed()
    run = replayed(history, [timer()], [COMPLETE])
    assert [activation.history_length for activation in run.activations] == [3, 11]


def test_what_is_left_when_the_run_closes_is_never_told() -> None:
    """Temporal drops it, so code that would have reacted to it is not held to that."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.terminated()
    run = replayed(history)
    assert len(run.activations) == 1
    assert run.verdict == AGREED


def test_a_run_that_closed_before_its_first_task_still_makes_the_workflow() -> None:
    """That one activation is told, whatever came of the run."""
    history = HistoryBuilder()
    history.task_scheduled()
    history.terminated()
    run = replayed(history)
    assert [kinds(jobs) for jobs in run.told] == [["InitializeWorkflow"]]
    assert run.verdict == AGREED


# Updates


def test_an_accepted_update_is_told_in_the_task_that_accepted_it() -> None:
    """Its event stands behind the task, so it is looked for ahead; validators do not run again."""
    history = HistoryBuilder()
    history.task()
    accepted = history.update_accepted("update-1", "rename", "Ada")
    history.update_completed(accepted)
    run = replayed(history, [AcceptUpdate("update-1"), CompleteUpdate("update-1", payload(None))])
    job = run.told[0][1]
    assert job == DoUpdate("update-1", "update-1", "rename", [payload("Ada")], {}, "client", run_validator=False)
    assert run.verdict == AGREED


def test_an_admitted_update_is_told_when_it_was_accepted() -> None:
    """The request stands in the event that admitted it; the one that accepted it need not repeat it."""
    history = HistoryBuilder()
    history.task()
    history.update_admitted("update-1", "rename", "Ada")
    history.task()
    history.update_accepted("update-1")
    del history.attributes_of(history.last_id)["acceptedRequest"]
    run = replayed(history, [], [AcceptUpdate("update-1")])
    (job,) = run.told[1]
    assert isinstance(job, DoUpdate)
    assert (job.name, job.input, job.run_validator) == ("rename", [payload("Ada")], False)
    assert run.verdict == AGREED


def test_an_admitted_update_without_acceptance_is_told_live() -> None:
    """Nobody has decided on it, so its validator runs."""
    history = HistoryBuilder()
    history.task()
    history.update_admitted("update-1")
    history.task_open()
    (job,) = replayed(history).told[1]
    assert isinstance(job, DoUpdate) and job.run_validator


def test_an_acceptance_without_a_request_is_impossible() -> None:
    """Nobody knows what was accepted."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task()
    history.update_accepted()
    del history.attributes_of(history.last_id)["acceptedRequest"]
    text = "Failed to create protocol message from WorkflowExecutionUpdateAcceptedEvent"
    assert replayed(history).verdict == fatal(text)
