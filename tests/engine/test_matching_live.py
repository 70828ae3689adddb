"""The same rules on a run that is going on: events come in as they happen, and commands wait to become events."""

from __future__ import annotations

import pickle

import pytest

from playhead_engine.activation import (
    Cancelled,
    DoUpdate,
    FireTimer,
    InitializeWorkflow,
    Job,
    ResolveActivity,
    Succeeded,
)
from playhead_engine.call_site import CallSite, caller
from playhead_engine.commands import (
    AcceptUpdate,
    ActivityCancellationType,
    CancelTimer,
    Command,
    CompleteUpdate,
    RecordMarker,
    RequestCancelLocalActivity,
    RespondToQuery,
    SetPatchMarker,
    StartTimer,
    UpsertSearchAttributes,
)
from playhead_engine.machines.markers import LocalActivityMarker
from playhead_engine.matching import FatalMismatch, Machines, Nondeterminism, ReplayError
from playhead_engine.messages import Json
from tests.engine.asking import COMPLETE, activity, local_activity, timer
from tests.engine.history_builder import WORKFLOW_ID, HistoryBuilder
from tests.engine.json_values import payload, payloads


class LiveRun:
    """A run that a test plays the server and the code of."""

    def __init__(self, history: HistoryBuilder) -> None:
        self.history = history
        self.machines = Machines(history.parsed, WORKFLOW_ID)
        self._fed = history.last_id

    def told(self) -> tuple[Job, ...]:
        """What the code is told next, after everything that was written since."""
        self.machines.go_on(list(self.history.parsed[self._fed :]))
        self._fed = self.history.last_id
        activation = self.machines.next_activation()
        return () if activation is None else activation.jobs

    def answers(self, *commands: Command) -> tuple[Command, ...]:
        """The code answers; returns what the server is asked to make events of."""
        self.machines.completed(commands)
        return self.machines.outgoing()


@pytest.fixture
def live() -> LiveRun:
    """A run whose first task has just begun."""
    history = HistoryBuilder()
    history.task_open()
    return LiveRun(history)


def test_a_live_run_is_told_what_happened_since(live: LiveRun) -> None:
    """Task by task, as far as the events have come; in between it waits."""
    assert isinstance(live.told()[0], InitializeWorkflow)
    live.answers(timer())
    assert live.machines.next_activation() is None
    live.history.task_completed()
    started = live.history.timer_started()
    live.history.timer_fired(started)
    live.history.task_open()
    assert live.told() == (FireTimer(1),)
    assert not live.machines.replaying
    live.answers(COMPLETE)
    live.history.task_completed()
    live.history.completed()
    assert live.told() == ()
    assert live.machines.closed


def test_commands_wait_until_they_have_become_events(live: LiveRun) -> None:
    """The server accepts them all at once; then none is left."""
    live.told()
    assert live.answers(timer(), activity()) == (timer(), activity())
    live.history.task_completed()
    live.history.timer_started()
    live.history.activity_scheduled()
    live.history.signaled()
    live.history.task_open()
    live.told()
    assert live.machines.outgoing() == ()


def test_what_is_taken_back_in_the_same_task_is_not_sent(live: LiveRun) -> None:
    """Even if the code was told something in between."""
    live.told()
    assert live.answers(timer(1), timer(2), CancelTimer(1)) == (timer(2),)


def test_a_run_that_was_replayed_goes_on_live() -> None:
    """Replay ends where the recording ends; from there the same machines serve the live run."""
    history = HistoryBuilder()
    history.task()
    started = history.timer_started()
    run = LiveRun(history)
    assert len(run.told()) == 1 and run.machines.replaying
    run.answers(timer())
    assert run.told() == ()
    history.timer_fired(started)
    history.task_open()
    assert run.told() == (FireTimer(1),)
    assert not run.machines.replaying
    assert run.answers(COMPLETE) == (COMPLETE,)


def test_id_and_type_are_compared_live_whatever_was_recorded() -> None:
    """What the server made of a command must be the command."""
    history = HistoryBuilder(core_flags=None)
    history.task_open()
    run = LiveRun(history)
    run.told()
    run.answers(activity(1, "1"))
    history.task_completed()
    history.activity_scheduled("2")
    history.signaled()
    history.task_open()
    with pytest.raises(Nondeterminism, match="does not match activity id"):
        run.told()


# Updates


def test_an_update_is_told_in_the_task_whose_events_come_next(live: LiveRun) -> None:
    """Beside what else happened, in order; its answers become events."""
    live.told()
    live.answers()
    live.history.task_completed()
    live.history.task_open()
    request = DoUpdate("update-1", "update-1", "rename", [payload("Ada")], {}, "client", run_validator=True)
    live.machines.request_update(request)
    assert live.told() == (request,)
    accepted, done = AcceptUpdate("update-1"), CompleteUpdate("update-1", payload(None))
    assert live.answers(accepted, done) == (accepted, done)
    live.history.task_completed()
    live.history.update_completed(live.history.update_accepted())
    live.history.signaled()
    live.history.task_open()
    assert len(live.told()) == 1, "an acceptance that is news to nobody is not told again"
    assert live.machines.outgoing() == ()


# Patches and queries


def test_a_patch_is_recorded_together_with_the_list_of_all(live: LiveRun) -> None:
    """The marker for replay, the search attribute for people."""
    live.told()
    live.answers(SetPatchMarker("safer", deprecated=False))
    marker, upsert, second_marker, second_upsert = live.answers(SetPatchMarker("faster", deprecated=False))
    assert isinstance(marker, RecordMarker) and isinstance(second_marker, RecordMarker)
    details = second_marker.attributes["details"]
    assert details == {"patch-data": payloads({"id": "faster", "deprecated": False})}
    assert isinstance(upsert, UpsertSearchAttributes) and isinstance(second_upsert, UpsertSearchAttributes)
    versions = second_upsert.attributes["searchAttributes"]["indexedFields"]["TemporalChangeVersion"]
    assert versions["data"] == payload(["faster", "safer"])["data"]


def test_answers_to_queries_are_no_commands(live: LiveRun) -> None:
    """They go to whoever asked, and leave no event."""
    live.told()
    assert live.answers(RespondToQuery("query-1", payload(1), None)) == ()


def test_code_cannot_ask_for_a_marker(live: LiveRun) -> None:
    """Markers come of patches and local activities; a runtime that sends one is at fault."""
    live.told()
    with pytest.raises(TypeError, match="RecordMarker is no command that workflow code gives"):
        live.answers(RecordMarker({}))


# Local activities


def marker_of(seq: int, value: str) -> LocalActivityMarker:
    data: Json = {
        "seq": seq,
        "attempt": 1,
        "activity_id": str(seq),
        "activity_type": "lookup",
        "complete_time": None,
        "backoff": None,
        "original_schedule_time": None,
    }
    return LocalActivityMarker(data, payload(value), None)


def test_a_local_activity_is_run_in_its_task_and_recorded_at_its_end(live: LiveRun) -> None:
    """The code hears the result in the same task; the marker says in which activation."""
    live.told()
    assert live.answers(local_activity()) == ()
    (machine,) = live.machines.local_activities_to_run()
    assert machine.command == local_activity()
    live.machines.resolve_local_activity(1, marker_of(1, "found"))
    assert live.machines.local_activities_to_run() == []
    assert live.told() == (ResolveActivity(1, Succeeded(payload("found")), is_local=True),)
    marker, end = live.answers(COMPLETE)
    assert end == COMPLETE
    assert isinstance(marker, RecordMarker)
    expected = HistoryBuilder()
    written = expected.local_activity_marker(1, "found", activation_index=1)
    assert marker.attributes == {
        key: value for key, value in expected.attributes_of(written).items() if key != "workflowTaskCompletedEventId"
    }
    live.history.task_completed()
    live.history.local_activity_marker(1, "found", activation_index=1)
    live.history.completed()
    assert live.told() == ()
    assert live.machines.closed


def test_markers_of_a_live_task_keep_their_place_among_its_commands(live: LiveRun) -> None:
    """On replay a marker may stand anywhere; what the server wrote just now must be what it was asked for."""
    live.told()
    live.answers(local_activity())
    live.machines.resolve_local_activity(1, marker_of(1, "found"))
    live.told()
    live.answers(timer())
    live.history.task_completed()
    live.history.timer_started()
    live.history.local_activity_marker(1, "found", activation_index=1)
    live.history.task_open()
    with pytest.raises(Nondeterminism, match="Local activity machine cannot handle this event"):
        live.told()


def test_a_local_activity_without_a_marker_is_run_again() -> None:
    """The worker died before it could record the end; so the code asks for it in replay, and it runs when live."""
    history = HistoryBuilder()
    history.task()
    history.timer_started()
    history.signaled()
    run = LiveRun(history)
    run.told()
    run.answers(local_activity(), timer())
    assert run.machines.local_activities_to_run() == []
    history.task_open()
    run.told()
    assert [machine.seq for machine in run.machines.local_activities_to_run()] == [1]


@pytest.mark.parametrize("how", [ActivityCancellationType.TRY_CANCEL, ActivityCancellationType.ABANDON])
def test_cancelling_a_running_local_activity_resolves_it_unless_it_is_waited_for(
    how: ActivityCancellationType,
) -> None:
    """What it returns in the end no longer matters, and its cancellation is recorded."""
    history = HistoryBuilder()
    history.task_open()
    run = LiveRun(history)
    run.told()
    run.answers(local_activity(how=how))
    (marker,) = run.answers(RequestCancelLocalActivity(1))
    assert isinstance(marker, RecordMarker)
    assert marker.attributes["failure"] == {"message": "Activity cancelled", "canceledFailureInfo": {}}
    assert marker.attributes["details"].keys() == {"data"}
    (job,) = run.told()
    assert isinstance(job, ResolveActivity) and isinstance(job.result, Cancelled)
    run.machines.resolve_local_activity(1, marker_of(1, "too late"))
    assert run.told() == ()
    with pytest.raises(Nondeterminism, match="Invalid transition in state machine"):
        run.answers(RequestCancelLocalActivity(1))


def test_a_local_activity_that_is_waited_for_is_asked_to_stop(live: LiveRun) -> None:
    """Whoever runs it sees the request, and says when it has stopped."""
    live.told()
    live.answers(local_activity(how=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED))
    live.answers(RequestCancelLocalActivity(1))
    (machine,) = live.machines.local_activities_to_run()
    assert machine.is_cancel_requested
    assert live.told() == ()
    live.machines.resolve_local_activity(1, marker_of(1, "done all the same"))
    assert live.told() == (ResolveActivity(1, Succeeded(payload("done all the same")), is_local=True),)


# Errors


def diverging(command: Command) -> ReplayError:
    history = HistoryBuilder()
    history.task()
    history.activity_scheduled()
    history.signaled()
    history.task()
    run = LiveRun(history)
    run.told()
    run.answers(command)
    with pytest.raises(ReplayError) as error:
        run.told()
    return error.value


def test_an_error_says_what_met_what() -> None:
    """So that whoever explains it need not parse the sentence."""
    error = diverging(activity(1, "2"))
    assert isinstance(error, Nondeterminism)
    assert error.text == "Activity id of scheduled event '1' does not match activity id of activity command '2'"
    assert error.event is not None and error.event.event_id == 5
    assert error.command == activity(1, "2")
    assert str(error) == f"[TMPRL1100] Nondeterminism error: {error.text}"


def test_an_error_survives_being_sent_to_another_process() -> None:
    """With its fields, and the line of code that asked."""
    site = caller()
    assert isinstance(site, CallSite)
    error = diverging(StartTimer(1, {}, site))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.event) == (type(error), str(error), error.event)
    assert isinstance(again.command, StartTimer)
    assert str(again.command.site) == str(site)


def test_fatal_errors_are_told_apart_from_nondeterminism() -> None:
    """Their words begin differently, as core's do."""
    history = HistoryBuilder()
    history.task()
    history.signaled()
    history.task()
    run = LiveRun(history)
    run.told()
    with pytest.raises(FatalMismatch, match=r"^Fatal error in workflow machines: Missing associated machine"):
        run.answers(AcceptUpdate("update-7"))
