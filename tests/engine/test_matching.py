"""How commands are held against the events of a history: which meets which, what is compared, and what is said if not.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine.activation import (
    FireTimer,
)
from playhead_engine.commands import (
    CancelTimer,
    CancelWorkflowExecution,
    Command,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    RequestCancelActivity,
    SetPatchMarker,
    UpsertSearchAttributes,
)
from tests.engine.asking import (
    COMPLETE,
    activity,
    child,
    external_cancel,
    external_signal,
    nexus,
    timer,
)
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import application_failure, payload
from tests.engine.scripted_run import AGREED, CODE_FAILURE, Verdict, fatal, nondeterminism


def test_commands_meet_their_events_in_order() -> None:
    """Whatever the code asked for stands in the history, in the same order."""
    history = HistoryBuilder(core_flags=[1, 3])
    history.task()
    history.timer_started()
    history.activity_scheduled()
    history.child_initiated()
    history.signal_external_initiated()
    history.cancel_external_initiated()
    history.nexus_scheduled()
    history.patch_marker("faster")
    history.search_attributes_upserted(Colour="red")
    history.properties_modified(note=1)
    history.completed()
    answer: list[Command] = [
        timer(),
        activity(),
        child(),
        external_signal(),
        external_cancel(),
        nexus(),
        SetPatchMarker("faster", deprecated=False),
        UpsertSearchAttributes({}),
        ModifyProperties({}),
        COMPLETE,
    ]
    assert replayed(history, answer).verdict == AGREED


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (timer(), "Timer machine does not handle this event: "),
        (activity(), "Activity machine does not handle this event: "),
        (child(), "Child workflow machine does not handle this event: "),
        (external_signal(), "Signal external WF machine does not handle this event: "),
        (external_cancel(), "Cancel external WF machine does not handle this event: "),
        (nexus(), "Nexus operation machine does not handle this event: "),
        (UpsertSearchAttributes({}), "UpsertWorkflowSearchAttributesMachine does not handle "),
        (ModifyProperties({}), "ModifyWorkflowPropertiesMachine does not handle "),
        (COMPLETE, "Complete workflow machine does not handle this event: "),
        (FailWorkflow({}), "Fail workflow machine does not handle this event: "),
        (CancelWorkflowExecution(), "Cancel workflow machine does not handle this event: "),
        (ContinueAsNew({}), "Continue as new workflow machine does not handle this event: "),
    ],
)
def test_another_command_than_the_recorded_one_is_nondeterminism(asked: Command, complaint: str) -> None:
    """The message says which machine waited, and which event came instead."""
    history = HistoryBuilder()
    history.task()
    if asked == timer():
        history.activity_scheduled()
        event = "HistoryEvent(id: 5, ActivityTaskScheduled)"
    else:
        history.timer_started()
        event = "HistoryEvent(id: 5, TimerStarted)"
    assert replayed(history, [asked]).verdict == nondeterminism(complaint + event)


def test_a_command_event_that_nothing_waits_for_is_nondeterminism() -> None:
    """The code asked for less than was recorded."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    verdict = replayed(history).verdict
    assert verdict == nondeterminism("No command scheduled for event HistoryEvent(id: 5, TimerStarted)")


def test_commands_beyond_the_recording_are_no_mismatch() -> None:
    """Where the history ends, code may ask for more: the run might have gone on so."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    assert replayed(history, [timer(), activity(), child()]).verdict == AGREED


def test_what_goes_wrong_beyond_the_recording_is_not_held_against_the_code() -> None:
    """A task that fails live is not a divergence; one that fails in replay is."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    assert replayed(history, [], None).verdict == AGREED
    assert replayed(history, [], [CancelTimer(7)]).verdict == AGREED
    assert replayed(history, None).verdict == Verdict("LANG_FAIL", CODE_FAILURE)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (CancelTimer(7), "Timer"),
        (RequestCancelActivity(7), "Activity"),
    ],
)
def test_cancelling_what_was_never_asked_for_is_nondeterminism(command: Command, name: str) -> None:
    """There is nothing under that number."""
    history = HistoryBuilder()
    history.task()
    history.completed()
    verdict = replayed(history, [command, COMPLETE]).verdict
    assert verdict == nondeterminism(f"Missing associated machine for {name}(7)")


def test_nothing_but_order_is_compared_where_nothing_identifies_a_command() -> None:
    """Timers, signals, upserts, memo and results may have changed their content: core does not look at it."""
    history = HistoryBuilder()
    history.task()
    history.timer_started("1")
    history.signal_external_initiated("other", "wave")
    history.search_attributes_upserted(Colour="red")
    history.properties_modified(note=1)
    history.completed("result")
    answer: list[Command] = [
        timer(2),
        external_signal(1, "somebody else", "nod"),
        UpsertSearchAttributes({"searchAttributes": {"indexedFields": {"Size": payload(3)}}}),
        ModifyProperties({}),
        COMPLETE,
    ]
    assert replayed(history, answer).verdict == AGREED


# Event kinds that no machine takes


def test_an_event_about_something_unknown_is_nondeterminism() -> None:
    """It refers to an event that began nothing."""
    history = HistoryBuilder()
    history.task()
    history.activity_started(4)
    history.task()
    verdict = replayed(history).verdict
    assert verdict.reason == "UNSPECIFIED" or verdict.reason == "NONDETERMINISM"
    assert "this event had an initial command ID but we could not find a matching command" in verdict.text


def test_an_event_of_the_future_is_skipped_only_if_it_says_so() -> None:
    """A newer server marks what older workers need not understand."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.add("WORKFLOW_EXECUTION_TRANSCENDED", {}, workerMayIgnore=True)
    history.task()
    assert replayed(history).verdict == AGREED
    del history.events[5]["workerMayIgnore"]
    verdict = replayed(history).verdict
    assert verdict.text.startswith("Fatal error in workflow machines: Event type is unspecified!")


@pytest.mark.parametrize("what", ["OPTIONS_UPDATED", "PAUSED", "UNPAUSED", "TIME_SKIPPING_TRANSITIONED"])
def test_events_about_the_running_of_a_run_are_skipped_only_if_they_say_so(what: str) -> None:
    """They mean nothing to the code; an event that does not say so is refused all the same."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.add(f"WORKFLOW_EXECUTION_{what}", {}, workerMayIgnore=True)
    history.task()
    assert replayed(history).verdict == AGREED
    del history.events[5]["workerMayIgnore"]
    text = "The event is not a non-stateful event, but we tried to handle it as one: "
    event = f"HistoryEvent(id: 6, {history.parsed[5].type_name})"
    assert replayed(history).verdict == fatal(text + event)


def test_a_gap_in_the_event_ids_is_fatal() -> None:
    """A part of the history is missing."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task()
    for event in history.events[5:]:
        event["eventId"] = str(int(event["eventId"]) + 1)
    assert replayed(history).verdict == fatal("History is out of order. Last processed event: 5, event id: 7")


# The end of the workflow


def test_commands_behind_the_end_are_moved_before_it_if_the_recording_did_so() -> None:
    """With core's flag 3 nothing that was asked for gets lost; without it, whatever came after the end was dropped."""
    history = HistoryBuilder(core_flags=[1, 3])
    history.task()
    history.timer_started()
    history.completed()
    assert replayed(history, [COMPLETE, timer()]).verdict == AGREED

    old = HistoryBuilder(core_flags=[1])
    old.task()
    old.completed()
    assert replayed(old, [COMPLETE, timer()]).verdict == AGREED


def test_only_the_first_end_counts() -> None:
    """Two coroutines may both end the workflow; the first one wins."""
    history = HistoryBuilder()
    history.task()
    history.completed()
    assert replayed(history, [COMPLETE, FailWorkflow({"failure": application_failure("too late")})]).verdict == AGREED


@pytest.mark.parametrize(
    ("command", "write"),
    [
        (COMPLETE, HistoryBuilder.completed),
        (FailWorkflow({}), HistoryBuilder.failed),
        (CancelWorkflowExecution(), HistoryBuilder.canceled),
        (ContinueAsNew({}), HistoryBuilder.continued_as_new),
    ],
)
def test_each_way_to_end_meets_its_own_event(command: Command, write: Any) -> None:
    """How the run ended is compared, not with what."""
    history = HistoryBuilder()
    history.task()
    write(history)
    assert replayed(history, [command]).verdict == AGREED


def test_an_open_timer_that_fires_is_told_under_its_number() -> None:
    """Jobs speak of things by the number that the code gave them."""
    history = HistoryBuilder()
    history.task()
    started = history.timer_started("5")
    history.timer_fired(started)
    history.task()
    history.completed()
    run = replayed(history, [timer(5)], [COMPLETE])
    assert run.told[1] == (FireTimer(5),)
    assert run.verdict == AGREED
