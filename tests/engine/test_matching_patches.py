"""Patches: which markers and which calls go together, and what core adds to them.

Where `temporalio` is installed, its core confirms every case (see `checked_replay`).
"""

from __future__ import annotations

import pytest

from playhead_engine.activation import NotifyHasPatch
from playhead_engine.commands import Command, SetPatchMarker, UpsertSearchAttributes
from tests.engine.asking import COMPLETE, activity, timer
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import payload, payloads, raw_payload
from tests.engine.scripted_run import AGREED, nondeterminism

PATCHED = SetPatchMarker("faster", deprecated=False)
DEPRECATED = SetPatchMarker("faster", deprecated=True)
WITH_UPSERTS = (1, 2, 3)
WITHOUT_UPSERTS = (1, 3)


def marked(*, deprecated: bool = False, core_flags: tuple[int, ...] = WITHOUT_UPSERTS) -> HistoryBuilder:
    """A run that passed the patch `faster` in its first task, and went on to ask for a timer."""
    history = HistoryBuilder(core_flags=core_flags)
    history.task()
    history.patch_marker("faster", deprecated=deprecated)
    if 2 in core_flags:
        history.change_version_upserted("faster")
    history.timer_started()
    history.signaled()
    history.task()
    history.completed()
    return history


def unmarked() -> HistoryBuilder:
    """A run that never passed it."""
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.timer_started()
    history.signaled()
    history.task()
    history.completed()
    return history


NO_CALL = nondeterminism(
    "Non-deprecated patch marker encountered for change faster, but there is no corresponding change command!"
)


@pytest.mark.parametrize(
    ("history", "call", "verdict"),
    [
        (marked(), [PATCHED], AGREED),
        (marked(), [DEPRECATED], AGREED),
        (marked(), [], NO_CALL),
        (marked(deprecated=True), [PATCHED], AGREED),
        (marked(deprecated=True), [DEPRECATED], AGREED),
        (marked(deprecated=True), [], AGREED),
        (unmarked(), [PATCHED], AGREED),
        (unmarked(), [DEPRECATED], AGREED),
        (unmarked(), [], AGREED),
    ],
)
def test_which_markers_and_calls_go_together(history: HistoryBuilder, call: list[Command], verdict: object) -> None:
    """Only a marker that was not deprecated insists on a call; a call insists on nothing."""
    assert replayed(history, [*call, timer()], [COMPLETE]).verdict == verdict


def test_the_code_is_told_of_a_patch_in_the_task_that_passed_it() -> None:
    """The marker stands behind the task, so it is looked for ahead."""
    (first, _) = replayed(marked(), [PATCHED, timer()], [COMPLETE]).told
    assert first[1] == NotifyHasPatch("faster")


def test_a_patch_may_be_asked_for_again_at_no_cost() -> None:
    """One marker for one patch, however often the code passes it, in whatever task."""
    answers: list[list[Command]] = [[PATCHED, PATCHED, timer(), PATCHED], [PATCHED, COMPLETE]]
    assert replayed(marked(), *answers).verdict == AGREED


def test_two_patches_must_come_in_the_recorded_order() -> None:
    """Neither may stand for the other."""
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.patch_marker("faster")
    history.patch_marker("safer")
    safer = SetPatchMarker("safer", deprecated=False)
    assert replayed(history, [PATCHED, safer]).verdict == AGREED
    verdict = replayed(history, [safer, PATCHED]).verdict
    assert verdict == nondeterminism("Change id faster does not match expected id safer")


def test_a_patch_cannot_move_across_another_command_of_its_task() -> None:
    """It waits at its place in the queue; where another event comes by, it is dropped."""
    verdict = replayed(marked(), [timer(), PATCHED], [COMPLETE]).verdict
    assert verdict == NO_CALL
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.activity_scheduled()
    history.patch_marker("faster")
    assert replayed(history, [PATCHED, activity()]).verdict == NO_CALL


def test_a_deprecated_marker_is_skipped_for_whatever_patch_waits() -> None:
    """It may belong to a call that was removed."""
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.patch_marker("older", deprecated=True)
    history.patch_marker("faster")
    assert replayed(history, [PATCHED]).verdict == AGREED


# Core's own upsert


def test_each_patch_is_followed_by_an_upsert_if_the_recording_says_so() -> None:
    """Core's flag 2: the run's patches are kept in a search attribute, so that runs can be found by them."""
    assert replayed(marked(core_flags=WITH_UPSERTS), [PATCHED, timer()], [COMPLETE]).verdict == AGREED


def test_an_upsert_that_is_missing_or_uncalled_for_is_nondeterminism() -> None:
    """The recording and its flags contradict each other."""
    history = marked(core_flags=WITH_UPSERTS)
    history.events[3]["workflowTaskCompletedEventAttributes"]["sdkMetadata"] = {"coreUsedFlags": [1, 3]}
    verdict = replayed(history, [PATCHED, timer()], [COMPLETE]).verdict
    event = "HistoryEvent(id: 6, UpsertWorkflowSearchAttributes)"
    assert verdict == nondeterminism(f"Timer machine does not handle this event: {event}")

    history = marked()
    history.events[3]["workflowTaskCompletedEventAttributes"]["sdkMetadata"] = {"coreUsedFlags": [1, 2, 3]}
    verdict = replayed(history, [PATCHED, timer()], [COMPLETE]).verdict
    event = "HistoryEvent(id: 6, TimerStarted)"
    assert verdict == nondeterminism(f"UpsertWorkflowSearchAttributesMachine does not handle {event}")


def test_a_skipped_marker_takes_its_upsert_along() -> None:
    """Both belonged to the call that was removed."""
    history = marked(deprecated=True, core_flags=WITH_UPSERTS)
    assert replayed(history, [timer()], [COMPLETE]).verdict == AGREED


def test_only_cores_upsert_goes_along_with_a_skipped_marker() -> None:
    """An upsert of the user's own still needs its command."""
    history = HistoryBuilder(core_flags=WITH_UPSERTS)
    history.task()
    history.patch_marker("older", deprecated=True)
    history.search_attributes_upserted(Colour="red")
    assert replayed(history, [UpsertSearchAttributes({})]).verdict == AGREED
    verdict = replayed(history).verdict
    event = "HistoryEvent(id: 6, UpsertWorkflowSearchAttributes)"
    assert verdict == nondeterminism(f"No command scheduled for event {event}")


def test_the_upsert_of_a_dropped_patch_is_not_dropped_with_it() -> None:
    """So it collides with whatever was recorded next; that is core's rule."""
    history = HistoryBuilder(core_flags=WITH_UPSERTS)
    history.task()
    history.timer_started()
    history.patch_marker("faster")
    history.change_version_upserted("faster")
    verdict = replayed(history, [PATCHED, timer()]).verdict
    event = "HistoryEvent(id: 5, TimerStarted)"
    assert verdict == nondeterminism(f"UpsertWorkflowSearchAttributesMachine does not handle {event}")


@pytest.mark.parametrize(("length", "is_upserted"), [(2043, True), (2044, False)])
def test_no_upsert_is_made_once_the_list_has_become_too_long(length: int, is_upserted: bool) -> None:
    """A search attribute holds less than 2,048 bytes of JSON; the marker is made all the same."""
    patch_id = "x" * length
    history = HistoryBuilder(core_flags=WITH_UPSERTS)
    history.task()
    history.patch_marker(patch_id)
    if is_upserted:
        history.change_version_upserted(patch_id)
    history.timer_started()
    answer: list[Command] = [SetPatchMarker(patch_id, deprecated=False), timer()]
    assert replayed(history, answer).verdict == AGREED


# Markers as they were written


def test_the_old_form_of_the_marker_is_understood() -> None:
    """Before core wrote JSON it wrote the id in plain bytes, and one byte for whether it was deprecated."""
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.old_patch_marker("faster")
    run = replayed(history, [PATCHED])
    assert run.told[0][1] == NotifyHasPatch("faster")
    assert run.verdict == AGREED
    assert replayed(history).verdict == NO_CALL


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"patch-data": {"payloads": []}},
        {"patch-data": payloads({"id": "faster"})},
        {"patch-data": payloads({"id": 5, "deprecated": True})},
        {"patch-data": {"payloads": [raw_payload(b'{"id": "faster", "deprecated": true}')]}},
        {"patch-data": {"payloads": [{**payload(1), "data": "AAAA"}]}},
        {"patch_id": {"payloads": [raw_payload(b"faster")]}},
        {"patch_id": {"payloads": [raw_payload(b"\xff")]}, "deprecated": {"payloads": [raw_payload(b"\x01")]}},
        {"patch_id": {"payloads": [raw_payload(b"faster")]}, "deprecated": {"payloads": [raw_payload(b"")]}},
    ],
)
def test_a_marker_that_cannot_be_read_is_one_that_nobody_takes(details: dict[str, object]) -> None:
    """It might be encrypted, or a marker of somebody else; then it meets the queue like any command event."""
    history = HistoryBuilder(core_flags=WITHOUT_UPSERTS)
    history.task()
    history.marker("core_patch", details)
    verdict = replayed(history, [timer()]).verdict
    event = "HistoryEvent(id: 5, MarkerRecorded)"
    assert verdict == nondeterminism(f"Timer machine does not handle this event: {event}")


def test_a_marker_of_another_sdk_is_one_that_nobody_takes() -> None:
    """Version and side effect markers of Go and Java have no counterpart here."""
    history = HistoryBuilder()
    history.task()
    history.marker("Version", {"change-id": payloads("faster"), "version": payloads(1)})
    event = "HistoryEvent(id: 5, MarkerRecorded)"
    assert replayed(history).verdict == nondeterminism(f"No command scheduled for event {event}")
