"""Where a history is cut, so that each piece is what the code was told at once; and histories that cannot be cut."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from playhead_engine.matching import InvalidHistory
from playhead_engine.tasks import next_sequence, outline
from tests.engine.history_builder import HistoryBuilder


def ends_of_sequences(history: HistoryBuilder) -> list[int]:
    """Ids of the last events of all sequences; the last id is negative if its sequence is not complete."""
    events = history.parsed
    ends: list[int] = []
    position = 0
    while position < len(events):
        sequence = next_sequence(events, position)
        assert sequence.start == position
        position = sequence.end + 1
        ends.append(position if sequence.is_complete else -position)
    return ends


# Ends of sequences


def test_a_sequence_ends_where_a_task_was_started_and_completed() -> None:
    """What happened before a workflow task is told in that task."""
    history = HistoryBuilder()
    history.task()
    timer = history.timer_started()
    history.timer_fired(timer)
    history.task()
    history.completed()
    assert ends_of_sequences(history) == [3, 8, 10]


def test_the_end_of_the_run_ends_a_sequence() -> None:
    """Nothing may be left over behind the event that closes the run."""
    history = HistoryBuilder()
    history.task()
    history.failed()
    assert ends_of_sequences(history) == [3, 5]


@pytest.mark.parametrize("fail", [HistoryBuilder.task_failed, HistoryBuilder.task_timed_out])
def test_attempts_that_came_to_nothing_melt_into_the_next(fail: Callable[[HistoryBuilder], int]) -> None:
    """Code that failed a task is told everything anew in the next attempt, as if there had been one task only."""
    history = HistoryBuilder()
    history.task_open()
    fail(history)
    history.signaled()
    history.task()
    history.completed()
    assert ends_of_sequences(history) == [7, 9]


def test_heartbeats_melt_into_the_next_task() -> None:
    """A task that asked for nothing and was followed by another at once only kept local activities alive."""
    history = HistoryBuilder()
    history.task()
    history.task()
    history.task()
    history.completed()
    assert ends_of_sequences(history) == [9, 11]


def test_a_task_after_commands_is_no_heartbeat() -> None:
    """Once the code has asked for something, the next task ends the sequence, whatever follows it."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    history.task()
    history.task()
    history.completed()
    assert ends_of_sequences(history) == [3, 7, 10, 12]


def test_an_open_task_ends_the_sequence_that_has_commands() -> None:
    """A history downloaded while a task runs still ends with the piece that this task is told."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    history.task_open()
    assert ends_of_sequences(history) == [3, 7]


def test_without_commands_an_open_task_does_not_end_a_sequence() -> None:
    """It might still turn out to be a heartbeat; then the rest of the history is one piece."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    assert ends_of_sequences(history) == [3, -7]


def test_the_very_first_task_counts_even_without_commands() -> None:
    """Starting the workflow is reason enough."""
    history = HistoryBuilder()
    history.task_open()
    assert ends_of_sequences(history) == [3]
    history.task_completed()
    assert ends_of_sequences(history) == [3, -4]


def test_what_follows_the_last_task_is_an_incomplete_sequence() -> None:
    """An open run's history often ends with things the code has not been told yet."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    history.signaled()
    assert ends_of_sequences(history) == [3, -6]


@pytest.mark.parametrize("close", [HistoryBuilder.terminated, HistoryBuilder.timed_out])
def test_a_task_that_the_server_closed_the_run_over_does_not_count(close: Callable[[HistoryBuilder], int]) -> None:
    """Terminated in the middle of a task: the task's events belong to the last piece."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    close(history)
    assert ends_of_sequences(history) == [3, 8]


def test_an_update_is_told_in_the_task_it_came_with() -> None:
    """An update that arrived with an empty task, and was accepted a task later, makes the empty task count."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task()
    history.task()
    history.update_accepted(sequencing_id=8)
    assert ends_of_sequences(history) == [3, 7, 10, -12]


def test_an_update_that_came_with_the_last_task_leaves_heartbeats_merged() -> None:
    """Normally it was accepted in the very task it came with."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task()
    history.task()
    history.update_accepted(sequencing_id=11)
    assert ends_of_sequences(history) == [3, 10, -12]


def test_an_update_is_not_told_in_a_task_that_failed() -> None:
    """The code never got to see the update there."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    history.task_failed()
    history.task()
    history.update_accepted(sequencing_id=8)
    assert ends_of_sequences(history) == [3, 10, -12]


def test_markers_and_accepted_updates_are_known_ahead() -> None:
    """The code must know of them in the task that led to them, so they are listed with the sequence they stand in."""
    history = HistoryBuilder()
    history.task()
    patch = history.patch_marker("faster")
    history.timer_started()
    update = history.update_accepted()
    history.task()
    history.local_activity_marker()
    second = next_sequence(history.parsed, 3)
    assert [index + 1 for index in second.told_ahead] == [patch, update]


# How far the recording had come


def test_a_history_that_ends_in_a_started_task_is_live_there() -> None:
    """What came with the open task has not been seen by the code yet."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task_open()
    shape = outline(history.parsed)
    assert (shape.previous_started, shape.started) == (3, 7)


def test_a_history_that_ends_anywhere_else_was_seen_to_its_last_task() -> None:
    """Closed or cut short, everything up to the last completed task happened before."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    shape = outline(history.parsed)
    assert (shape.previous_started, shape.started) == (3, 3)


def test_attempts_that_came_to_nothing_do_not_count_as_seen() -> None:
    """Only completed tasks, and the open one at the end, count."""
    history = HistoryBuilder()
    history.task_open()
    history.task_failed()
    history.task_open()
    history.task_timed_out()
    history.task_scheduled()
    shape = outline(history.parsed)
    assert (shape.previous_started, shape.started) == (0, 0)


# Illegal histories


def without_events() -> HistoryBuilder:
    history = HistoryBuilder()
    history.events.clear()
    return history


def without_beginning() -> HistoryBuilder:
    history = HistoryBuilder()
    history.task()
    del history.events[0]
    return history


def with_interrupted_task() -> HistoryBuilder:
    history = HistoryBuilder()
    history.task_open()
    history.signaled()
    return history


def with_life_after_death() -> HistoryBuilder:
    history = HistoryBuilder()
    history.task()
    history.completed()
    history.signaled()
    return history


@pytest.mark.parametrize(
    ("history", "sentence", "event_id"),
    [
        (without_events(), "The history has no events", None),
        (
            without_beginning(),
            "The first event of a run must be WorkflowExecutionStarted, not WorkflowTaskScheduled",
            2,
        ),
        (
            HistoryBuilder(),
            "The history holds only its first event: no workflow task was ever scheduled",
            None,
        ),
        (
            with_interrupted_task(),
            "A started workflow task (event 3) must be completed, fail or time out before anything else happens, but "
            "WorkflowExecutionSignaled follows it",
            4,
        ),
        (
            with_life_after_death(),
            "Event 6 (WorkflowExecutionSignaled) comes after the run ended with event 5 (WorkflowExecutionCompleted)",
            6,
        ),
    ],
)
def test_a_history_that_no_server_writes_is_refused_with_a_sentence(
    history: HistoryBuilder, sentence: str, event_id: int | None
) -> None:
    """Temporal's own Replayer hangs on these; we say what is wrong, and with which event."""
    with pytest.raises(InvalidHistory) as refusal:
        outline(history.parsed)
    assert str(refusal.value) == f"Not a legal history: {sentence}"
    event = refusal.value.event
    assert (None if event is None else event.event_id) == event_id
    again = pickle.loads(pickle.dumps(refusal.value))
    assert (str(again), again.event) == (str(refusal.value), event)
