"""Local activities on replay: they resolve from their markers, ahead of time, in the markers' order.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

from typing import Any

import pytest

from playhead_engine.activation import Backoff, Cancelled, Failed, FireTimer, ResolveActivity, Succeeded
from playhead_engine.commands import ActivityCancellationType, Command, RequestCancelLocalActivity
from playhead_engine.messages import Failure
from tests.engine.asking import COMPLETE, local_activity, timer
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder, ns_of_event, seconds_of_event
from tests.engine.json_values import application_failure, cancellation, payload, payloads
from tests.engine.scripted_run import AGREED, Verdict, fatal, nondeterminism


def resolved(seq: int, value: Any = None) -> ResolveActivity:
    return ResolveActivity(seq, Succeeded(payload(value)), is_local=True)


def one_task(**started: Any) -> HistoryBuilder:
    history = HistoryBuilder(**started)
    history.task()
    return history


def test_a_local_activity_resolves_in_the_task_that_asked_for_it() -> None:
    """Its marker stands behind the task; the code is told at once, in a further activation without any events."""
    history = one_task()
    history.local_activity_marker(1, "found")
    history.completed()
    run = replayed(history, [local_activity()], [COMPLETE])
    assert run.told[1] == (resolved(1, "found"),)
    assert run.activations[0].history_length == run.activations[1].history_length == 3
    assert run.verdict == AGREED


def test_time_moves_on_to_the_end_of_a_local_activity() -> None:
    """It ran within a task, and took its time; but time never goes back."""
    history = one_task()
    history.local_activity_marker(1, complete_time=seconds_of_event(100))
    history.local_activity_marker(2, complete_time=seconds_of_event(1))
    history.completed()
    run = replayed(history, [local_activity(1)], [local_activity(2)], [COMPLETE])
    assert [activation.timestamp_ns for activation in run.activations] == [
        ns_of_event(3),
        ns_of_event(100),
        ns_of_event(100),
    ]


ACTIVITY_FAILURE: Failure = {
    "message": "Local Activity cancelled",
    "cause": cancellation(),
    "activityFailureInfo": {
        "activityType": {"name": "lookup"},
        "activityId": "1",
        "retryState": "RETRY_STATE_CANCEL_REQUESTED",
    },
}
WRAPPED: Failure = {"message": "wrapped", "cause": cancellation()}


@pytest.mark.parametrize(
    ("failure", "data", "outcome"),
    [
        (application_failure("no luck"), {}, Failed(application_failure("no luck"))),
        (cancellation(), {}, Cancelled(ACTIVITY_FAILURE)),
        (WRAPPED, {}, Cancelled(WRAPPED)),
        (
            application_failure("try later"),
            {"backoff": {"seconds": 70, "nanos": 5}, "original_schedule_time": seconds_of_event(2)},
            Backoff(2, 70_000_000_005, seconds_of_event(2)),
        ),
    ],
)
def test_a_local_activity_that_did_not_return(failure: Failure, data: dict[str, Any], outcome: object) -> None:
    """It failed, was cancelled, or is to be tried again after a timer."""
    history = one_task()
    history.local_activity_marker(1, failure=failure, **data)
    history.completed()
    run = replayed(history, [local_activity()], [COMPLETE])
    assert run.told[1] == (ResolveActivity(1, outcome, is_local=True),)  # type: ignore[arg-type]
    assert run.verdict == AGREED


def test_without_a_result_it_returned_an_empty_payload() -> None:
    """Core knows no other way to say nothing."""
    history = one_task()
    history.local_activity_marker(1)
    del history.attributes_of(5)["details"]["result"]
    history.completed()
    assert replayed(history, [local_activity()], [COMPLETE]).told[1] == (
        ResolveActivity(1, Succeeded({}), is_local=True),
    )


# Order


def test_local_activities_resolve_in_the_order_of_their_markers() -> None:
    """That is the order in which they ended; old recordings say no more, so all are told at once."""
    history = one_task()
    for seq in (2, 3, 1):
        history.local_activity_marker(seq, seq)
    history.completed()
    run = replayed(history, [local_activity(1), local_activity(2), local_activity(3)], [COMPLETE])
    assert run.told[1] == (resolved(2, 2), resolved(3, 3), resolved(1, 1))
    assert run.verdict == AGREED


def test_a_marker_waits_for_those_before_it() -> None:
    """As long as the code has not asked for the first, the second is held back."""
    history = one_task()
    history.local_activity_marker(2, "second")
    history.local_activity_marker(1, "first")
    history.completed()
    run = replayed(history, [local_activity(1)])
    assert len(run.activations) == 1
    assert run.verdict == nondeterminism("Missing associated machine for LocalActivity(2)")


def test_newer_markers_say_in_which_activation_of_the_task_they_resolved() -> None:
    """So that code which went on in between goes on in the same way."""
    history = one_task()
    history.local_activity_marker(1, "first", activation_index=1)
    history.local_activity_marker(2, "second", activation_index=2)
    history.completed()
    run = replayed(history, [local_activity(1), local_activity(2)], [], [COMPLETE])
    assert run.told[1:] == [(resolved(1, "first"),), (resolved(2, "second"),)]
    assert run.verdict == AGREED


def test_a_held_marker_is_released_where_nothing_else_happens() -> None:
    """Code that asks for less now has fewer activations; it must not wait for ever."""
    history = one_task()
    history.local_activity_marker(1, "first", activation_index=5)
    history.completed()
    run = replayed(history, [local_activity(1)], [COMPLETE])
    assert run.told[1] == (resolved(1, "first"),)
    assert run.verdict == AGREED


def test_a_marker_may_stand_anywhere_among_the_events_of_its_task() -> None:
    """It takes no place in the queue of commands."""
    history = one_task()
    history.timer_started("1")
    history.local_activity_marker(1)
    history.timer_started("2")
    answers: list[list[Command]] = [[local_activity(1), timer(1), timer(2)]]
    assert replayed(history, *answers).verdict == AGREED


def test_a_local_activity_may_end_in_a_later_task() -> None:
    """Other things woke the workflow in between."""
    history = one_task()
    history.timer_started()
    history.timer_fired(5)
    history.task()
    history.local_activity_marker(1, "found")
    history.completed()
    run = replayed(history, [local_activity(1), timer()], [COMPLETE])
    assert run.told[1] == (FireTimer(1), resolved(1, "found"))
    assert run.verdict == AGREED


# What is compared


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (
            local_activity(1, "x"),
            "Activity id of recorded marker '1' does not match activity id of local activity command 'x'",
        ),
        (
            local_activity(1, "1", "search"),
            "Activity type of recorded marker 'lookup' does not match activity type of local activity command 'search'",
        ),
    ],
)
def test_id_and_type_are_compared_if_the_recording_says_so(asked: Command, difference: str) -> None:
    """The same flag as for activities; but not even in the last sequence without it."""
    history = one_task()
    history.local_activity_marker(1)
    history.completed()
    assert replayed(history, [asked], [COMPLETE]).verdict == nondeterminism(difference)
    history = one_task(core_flags=[3])
    history.local_activity_marker(1)
    history.completed()
    assert replayed(history, [asked], [COMPLETE]).verdict == AGREED


def test_a_marker_for_a_number_that_was_not_asked_for_is_nondeterminism() -> None:
    """The code asked for other local activities, or for fewer."""
    history = one_task()
    history.local_activity_marker(1)
    history.completed()
    verdict = replayed(history, [local_activity(2), COMPLETE]).verdict
    assert verdict == nondeterminism("Missing associated machine for LocalActivity(1)")


def test_a_second_marker_for_one_local_activity_is_fatal() -> None:
    """It ended already: whether the second marker is known ahead with the first, or comes a task later."""
    history = one_task()
    history.local_activity_marker(1)
    history.local_activity_marker(1)
    text = (
        "Invalid transition resolving local activity (seq 1, from marker: true) in "
        "ResolvedFromMarkerLookAheadWaitingMarkerEvent"
    )
    assert replayed(history, [local_activity(1)]).verdict == fatal(text)

    history = one_task()
    history.local_activity_marker(1)
    history.signaled()
    history.task()
    history.local_activity_marker(1)
    text = "Attempted to check for LA marker handling in invalid state MarkerCommandRecorded"
    assert replayed(history, [local_activity(1)]).verdict == fatal(text)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"seq": "1"},
        {"seq": -1},
        {"seq": 1.0},
        {"seq": True},
        {"attempt": None},
        {"activity_id": 1},
        {"activity_type": None},
        {"complete_time": "2026-01-01T00:00:00Z"},
        {"complete_time": {"seconds": 5}},
        {"backoff": {}},
        {"original_schedule_time": 5},
        {"activation_index": -1},
        {"activation_index": "1"},
    ],
)
def test_a_marker_that_cannot_be_read_is_fatal_from_the_start(data: dict[str, Any]) -> None:
    """Nobody knows which local activity it speaks of, so the run cannot even begin."""
    history = one_task()
    if data:
        history.local_activity_marker(**{"seq": 1, **data})
    else:
        history.marker("core_local_activity", {"data": payloads("nothing")})
    verdict = replayed(history).verdict
    text = "Fatal error in workflow machines: Local activity marker was unparsable: "
    assert verdict == Verdict("UNSPECIFIED", text + "HistoryEvent(id: 5, MarkerRecorded)")


@pytest.mark.parametrize("key", ["complete_time", "backoff", "original_schedule_time"])
def test_a_marker_must_hold_even_what_is_null(key: str) -> None:
    """Core writes all of these, and refuses a marker without them."""
    history = one_task()
    data = {"seq": 1, "attempt": 1, "activity_id": "1", "activity_type": "lookup"}
    times = {"complete_time": None, "backoff": None, "original_schedule_time": None}
    del times[key]
    history.marker("core_local_activity", {"data": payloads(data | times), "result": payloads(1)})
    assert replayed(history).verdict.reason == "UNSPECIFIED"


# Cancelling


@pytest.mark.parametrize("how", list(ActivityCancellationType))
def test_cancelling_a_local_activity_takes_its_marker_out_of_turn(how: ActivityCancellationType) -> None:
    """However it is waited for, replay tells what was recorded."""
    history = one_task()
    history.local_activity_marker(2, failure=cancellation())
    history.local_activity_marker(1, "found")
    history.timer_started()
    answers: list[list[Command]] = [
        [local_activity(1, how=how), RequestCancelLocalActivity(1)],
        [local_activity(2), timer()],
    ]
    run = replayed(history, *answers)
    assert run.told[1] == (resolved(1, "found"),)
    assert run.verdict == AGREED


def test_a_marker_of_a_later_activation_is_not_taken_out_of_turn() -> None:
    """It was recorded when it resolved, and then it had not."""
    history = one_task()
    history.local_activity_marker(2, "second", activation_index=1)
    history.local_activity_marker(1, "first", activation_index=2)
    history.completed()
    answers: list[list[Command]] = [
        [local_activity(1), local_activity(2), RequestCancelLocalActivity(1)],
        [],
        [COMPLETE],
    ]
    run = replayed(history, *answers)
    assert run.told[1:] == [(resolved(2, "second"),), (resolved(1, "first"),)]
    assert run.verdict == AGREED
