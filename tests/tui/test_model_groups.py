"""Events as rows: what belongs together stands together, folds, and says how it stands where the playhead is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from playhead.readers import read_history
from playhead_engine.history import History
from playhead_tui.model.groups import EventRows, FlatRows, GroupedRows, Groups, Row, event_line, group_line, row_line
from playhead_tui.model.ink import text_of
from tests.engine.history_builder import HistoryBuilder
from tests.tui.longest import longest

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "temporal").glob("[a-z]*.json"))


def recorded(name: str) -> Groups:
    """The groups of one of our own histories."""
    return Groups(read_history(FIXTURES[0].with_name(f"{name}.json")))


def everything() -> HistoryBuilder:
    """A history with one of each thing that has a group, and what became of it."""
    history = HistoryBuilder()
    history.task()
    activity = history.activity_scheduled()
    timer = history.timer_started("t")
    child = history.child_initiated()
    signal = history.signal_external_initiated()
    cancel = history.cancel_external_initiated()
    nexus = history.nexus_scheduled()
    history.patch_marker("polite")
    history.change_version_upserted("polite")
    history.local_activity_marker(1)
    history.activity_cancel_requested(activity)
    cancel_nexus = history.nexus_cancel_requested(nexus)
    history.activity_canceled(activity)
    history.timer_fired(timer)
    history.child_started(child)
    history.child_failed(child)
    history.external_signaled(signal)
    history.cancel_external_failed(cancel)
    history.nexus_cancel_answered(cancel_nexus, well=False)
    history.nexus_timed_out(nexus)
    history.signaled("wave", 1)
    history.update_admitted("u-1", "rename")
    history.task()
    accepted = history.update_accepted("u-1", "rename")
    history.update_completed(accepted, "done")
    history.completed("bye")
    return history


def lines(rows: EventRows, groups: Groups, now: int | None = None) -> list[str]:
    """What is on the screen."""
    return [text_of(row_line(rows[index], groups, now)) for index in range(len(rows))]


def test_each_thing_is_one_row_with_its_name_and_its_end() -> None:
    """An activity, a timer, a child, what is sent and received, markers: kind, title and outcome of each."""
    groups = Groups(everything().history())
    told = {
        (one.kind, one.title): (one.outcome, len(one.events)) for one in groups.groups if one.kind != "workflow task"
    }
    assert told == {
        ("workflow", "Greeting"): ("completed", 2),
        ("activity", "greet"): ("cancelled", 3),
        ("timer", "t 1s"): ("fired", 2),
        ("child workflow", "Child child-1"): ("failed", 3),
        ("signal sent", "wave"): ("delivered", 2),
        ("cancel sent", "other"): ("failed", 2),
        ("nexus", "bank pay"): ("timed out", 4),
        ("patch", "polite"): ("", 2),
        ("local activity", "lookup"): ("completed", 1),
        ("signal", "wave"): ("", 1),
        ("update", "rename"): ("completed", 3),
    }


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_event_is_in_one_row_and_its_row_is_found(path: Path) -> None:
    """In both lists, whether groups are folded or not, every event is somewhere and `index_of` leads there."""
    groups = Groups(read_history(path))
    ids = [event.event_id for event in groups.history]
    flat, grouped = FlatRows(groups), GroupedRows(groups)
    assert [flat[flat.index_of(event_id)].event_id for event_id in ids] == ids
    for event_id in ids:
        assert event_id in {event.event_id for event in grouped[grouped.index_of(event_id)].group.events}
    grouped.fold_all(unfold=True)
    assert [grouped[grouped.index_of(event_id)].event_id for event_id in ids] == ids


def test_a_group_unfolds_into_its_events_and_folds_again() -> None:
    """Unfolding shows the events below their group; a single event has nothing to unfold."""
    groups = recorded("orders_completed")
    rows = GroupedRows(groups)
    folded = lines(rows, groups)
    at = rows.index_of(6)
    assert folded[at].startswith(" 5 ▸ activity reserve #1  completed")
    assert rows.fold(at, unfold=True)
    assert not rows.fold(at, unfold=True)
    assert [line.split()[:2] for line in lines(rows, groups)[at + 1 : at + 4]] == [
        ["5", "ActivityTaskScheduled"],
        ["6", "ActivityTaskStarted"],
        ["7", "ActivityTaskCompleted"],
    ]
    assert rows[rows.index_of(6)].event_id == 6
    assert rows.fold(rows.index_of(6), unfold=False)
    assert lines(rows, groups) == folded
    assert not rows.fold(0, unfold=True)


def test_what_comes_after_the_playhead_has_not_happened_yet() -> None:
    """An activity is pending until the playhead comes to its end, and nothing is said of one that has not begun."""
    groups = recorded("orders_completed")
    charge = groups.of(11)
    assert "pending" in text_of(group_line(charge, 2, 12))
    assert "4500" not in text_of(group_line(charge, 2, 12))
    assert "completed" in text_of(group_line(charge, 2, 13))
    assert text_of(group_line(charge, 2, 10)).strip() == "11 ▸ activity charge #2"
    assert all(ink in ("dim", "plain") for _, ink in event_line(charge.events[0], 2, 10))


def test_attempts_and_the_last_failure_are_told() -> None:
    """An activity that was tried three times says so."""
    groups = recorded("orders_retries")
    assert any("ship" in line and "3 attempts" in line for line in lines(GroupedRows(groups), groups))


def test_the_end_of_the_run_stands_where_it_came() -> None:
    """The run's own events are rows at both ends of the list, with the input and the result."""
    groups = recorded("saga_compensated")
    shown = lines(GroupedRows(groups), groups)
    assert "workflow TripBooking" in shown[0]
    assert "Venice" in shown[0]
    assert "failed" in shown[-1]
    assert "TripCancelled: Ada stays at home" in shown[-1]


def test_a_filter_leaves_the_groups_that_have_a_part_of_it() -> None:
    """Of the flat list the events themselves stay; of the grouped list, whole groups; others are next to them."""
    groups = recorded("orders_completed")
    shown = {7, 13}
    assert [row.event_id for row in _all(FlatRows(groups, shown))] == [7, 13]
    grouped = GroupedRows(groups, shown)
    assert [row.group.title for row in _all(grouped)] == ["reserve", "charge"]
    assert grouped.index_of(9) == 0
    assert grouped.index_of(1) == 0
    assert GroupedRows(groups, {99}).index_of(1) == -1
    assert FlatRows(groups, {99}).index_of(1) == -1


def test_workflow_tasks_can_be_left_out() -> None:
    """Whoever wants to see what the run did, and not when its code ran, hides them."""
    groups = recorded("orders_completed")
    kinds = {row.group.kind for row in _all(GroupedRows(groups, tasks=False))}
    assert "workflow task" not in kinds
    assert "activity" in kinds


def test_a_history_with_pieces_missing_is_shown_all_the_same() -> None:
    """An event whose beginning is not there is a group of its own."""
    whole = everything().history()
    groups = Groups(History(whole.events[6:]))
    assert sum(len(group.events) for group in groups.groups) == len(whole) - 6
    assert lines(GroupedRows(groups), groups)


def test_the_longest_histories_are_grouped_at_once() -> None:
    """51,200 events are grouped well within a second, and folding a group is not felt."""
    history = longest()
    begun = time.process_time()
    groups = Groups(history)
    rows = GroupedRows(groups)
    grouped = time.process_time()
    rows.fold_all(unfold=True)
    rows.fold(30_000, unfold=False)
    for index in range(30_000, 30_060):
        row_line(rows[index], groups, 1000)
    folded = time.process_time()
    assert len(history) > 51_200
    assert grouped - begun < 1
    assert folded - grouped < 0.2


def _all(rows: EventRows) -> list[Row]:
    return [rows[index] for index in range(len(rows))]
