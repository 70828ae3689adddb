"""What each release of Temporal's core does where the supported ones differ, and which profile is taken when."""

from __future__ import annotations

import importlib.metadata

import pytest

from playhead_engine.profile import (
    LATEST,
    PROFILES,
    Profile,
    UnsupportedRelease,
    installed_profile,
    profile_named,
    profile_of_version,
)
from tests.engine.asking import COMPLETE, local_activity, nexus
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder
from tests.engine.scripted_run import AGREED, Verdict, fatal, nondeterminism

V1_35, V1_34, V1_33 = PROFILES

# The rules on which releases differ


def nexus_operation_in_an_earlier_task() -> HistoryBuilder:
    history = HistoryBuilder(core_flags=[1, 2, 3, 4])
    history.task()
    history.nexus_scheduled()
    history.signaled("wave")
    history.task()
    history.completed()
    return history


@pytest.mark.parametrize(
    ("profile", "verdict"),
    [
        (
            V1_35,
            nondeterminism("Nexus operation of scheduled event 'pay' does not match operation of command 'refund'"),
        ),
        (V1_34, AGREED),
        (V1_33, AGREED),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_a_nexus_operation_is_called_is_compared_since_1_35(profile: Profile, verdict: Verdict) -> None:
    """Older releases do not look at service and operation, whatever the history says about flags."""
    history = nexus_operation_in_an_earlier_task()
    assert replayed(history, [nexus(operation="refund")], [COMPLETE], profile=profile).verdict == verdict


@pytest.mark.parametrize("profile", [V1_34, V1_33], ids=lambda profile: profile.name)
def test_what_a_nexus_operation_is_called_was_not_compared_at_the_end_either(profile: Profile) -> None:
    """In the last task of a history, newer releases compare it whether a flag says so or not."""
    history = HistoryBuilder(core_flags=[])
    history.task()
    history.nexus_scheduled()
    assert replayed(history, [nexus(service="shop")], profile=profile).verdict == AGREED


def paused_before_the_task_started(cause: str = "WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED") -> HistoryBuilder:
    history = HistoryBuilder()
    history.task()
    history.signaled("wave")
    history.task_scheduled()
    history.task_failed(cause)
    history.task()
    history.completed()
    return history


@pytest.mark.parametrize("profile", [V1_34, V1_33], ids=lambda profile: profile.name)
@pytest.mark.parametrize("cause", ["WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED", "BAD_BINARY"])
def test_a_task_could_not_fail_before_it_started(profile: Profile, cause: str) -> None:
    """Up to 1.34, whatever the cause."""
    history = paused_before_the_task_started(cause)
    failed = next(event for event in history.parsed if event.KIND == "WORKFLOW_TASK_FAILED")
    assert replayed(history, [], [COMPLETE], profile=profile).verdict == fatal(
        "WorkflowTaskMachine in state Scheduled says the transition is invalid during event "
        f"EventInfo {{ event_id: {failed.event_id}, event_type: WorkflowTaskFailed }}"
    )


def test_a_task_may_fail_before_it_started_since_1_35_if_the_run_was_paused() -> None:
    """For no other reason."""
    assert replayed(paused_before_the_task_started(), [], [COMPLETE], profile=V1_35).verdict == AGREED
    other = replayed(paused_before_the_task_started("BAD_BINARY"), [], [COMPLETE], profile=V1_35).verdict
    assert other.reason == "FATAL"
    assert "failed before it started" in other.text


def test_local_activities_are_told_in_the_activation_they_ended_in_since_1_34() -> None:
    """Before, both are told at once, and code that asks for something in between gets it too late."""
    history = HistoryBuilder()
    history.task()
    history.local_activity_marker(1, "first", activation_index=1)
    history.local_activity_marker(2, "second", activation_index=2)
    history.completed()
    asked = [local_activity(1), local_activity(2)]
    for profile in (V1_35, V1_34):
        assert [len(jobs) for jobs in replayed(history, asked, [], [COMPLETE], profile=profile).told] == [1, 1, 1]
    assert [len(jobs) for jobs in replayed(history, asked, [COMPLETE], profile=V1_33).told] == [1, 2]


@pytest.mark.parametrize("index", ["1", -1, 1.5, {}])
def test_a_marker_is_read_as_the_release_reads_it(index: object) -> None:
    """What was not known before 1.34 was no reason then to call a marker broken."""
    history = HistoryBuilder()
    history.task()
    history.local_activity_marker(1, "found", activation_index=index)
    history.completed()
    assert replayed(history, [local_activity()], [COMPLETE], profile=V1_33).verdict == AGREED
    broken = replayed(history, [local_activity()], [COMPLETE], profile=V1_34).verdict
    assert broken.reason == "UNSPECIFIED"
    assert "Local activity marker was unparsable" in broken.text


# Which profile is taken


@pytest.mark.parametrize(
    ("version", "profile"),
    [("1.35.0", V1_35), ("1.34.0", V1_34), ("1.34.7", V1_34), ("1.33.0", V1_33), ("1.35.0rc1", V1_35), ("1.35", V1_35)],
)
def test_the_profile_is_that_of_the_minor_release(version: str, profile: Profile) -> None:
    """Patch releases do not change the rules."""
    assert profile_of_version(version) == profile
    assert profile_of_version(version).note == ""


@pytest.mark.parametrize("version", ["1.36.0", "1.100.2", "2.0.0"])
def test_a_release_that_is_not_known_yet_gets_the_newest_profile_which_says_so(version: str) -> None:
    """The rules seldom change; but somebody who meets a difference should not have to guess."""
    profile = profile_of_version(version)
    assert profile == LATEST
    assert profile.note == f"temporalio {version} may differ from temporalio 1.35, the newest rules there are."


@pytest.mark.parametrize("version", ["1.32.0", "1.4.0", "0.9"])
def test_a_release_that_is_too_old_is_refused(version: str) -> None:
    """In a sentence that says what there is and what to do."""
    with pytest.raises(UnsupportedRelease) as refused:
        profile_of_version(version)
    assert str(refused.value) == (
        f"temporalio {version} is older than the releases whose rules are known: temporalio-1.35, temporalio-1.34, "
        "temporalio-1.33. Install one of these, or ask for the rules of one."
    )


def test_what_is_no_version_is_refused() -> None:
    """A build without a version cannot be told from an old one."""
    with pytest.raises(UnsupportedRelease, match="'unknown' is no version of temporalio; one looks like 1.34.0."):
        profile_of_version("unknown")


@pytest.mark.parametrize("name", ["temporalio-1.34", "temporalio 1.34", " Temporalio-1.34 "])
def test_a_profile_can_be_asked_for_by_name(name: str) -> None:
    """As reports call it, or in one word for a command line."""
    assert profile_named(name) == V1_34


@pytest.mark.parametrize("name", ["temporalio-1.36", "1.34", "cadence", ""])
def test_a_name_that_no_profile_has_is_refused(name: str) -> None:
    """With those there are; here a newer release does not pass for the newest."""
    with pytest.raises(UnsupportedRelease) as refused:
        profile_named(name)
    assert str(refused.value) == (
        f"There is no profile {name!r}. There are: temporalio-1.35, temporalio-1.34, temporalio-1.33."
    )


def test_the_installed_release_decides_where_nobody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `temporalio`, there is nothing to agree with but the newest rules."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"temporalio": "1.33.0"}[name])
    assert installed_profile() == V1_33

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert installed_profile() == LATEST
