"""Holds what workflow code asks for against what a history says happened.

`Machines` is one run in the middle of its history. It feeds on events, hands out activations, and takes the commands
that came back; each command becomes a state machine at the end of a queue, and each command event of the history must
be met by the machine at the queue's front. It is the same for a replay and for a live run: a live run merely has no
more events yet.

    events --apply--> machines --tell--> jobs --next_activation--> the code --completed--> machines --queue--> events

The rules are those of Temporal's core, in the release that a `Profile` stands for. This module must not know what runs
the code, what time it is, or what a verdict is; whoever drives it decides what an error means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as AnySequence
from typing import Final

from playhead_engine.activation import (
    Activation,
    CancelWorkflow,
    DoUpdate,
    InitializeWorkflow,
    Job,
    NotifyHasPatch,
    ResolveActivity,
    SignalWorkflow,
    UpdateRandomSeed,
    payload_list,
)
from playhead_engine.command_queue import CommandQueue
from playhead_engine.commands import Command
from playhead_engine.history import CLOSING_KINDS, HistoryEvent
from playhead_engine.intake import Intake
from playhead_engine.machines.errors import FatalMismatch, InvalidHistory, Nondeterminism, ReplayError
from playhead_engine.machines.local_activity import LocalActivityMachine
from playhead_engine.machines.machine import Machine, described
from playhead_engine.machines.markers import (
    LocalActivityMarker,
    is_local_activity_marker,
    local_activity_marker,
    patch_marker,
)
from playhead_engine.machines.workflow_task import WorkflowTaskMachine
from playhead_engine.messages import Json, part
from playhead_engine.profile import LATEST, Profile
from playhead_engine.randomness import seed_of_run
from playhead_engine.task_records import TaskRecords
from playhead_engine.tasks import COMMAND_EVENTS, Sequence, next_sequence, outline

__all__ = ["FatalMismatch", "InvalidHistory", "Machines", "Nondeterminism", "ReplayError"]

# Events about something that an earlier event began, and the attribute that names that event.
_BEGUN_BY: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "WORKFLOW_TASK_STARTED",
            "WORKFLOW_TASK_COMPLETED",
            "WORKFLOW_TASK_FAILED",
            "WORKFLOW_TASK_TIMED_OUT",
            "ACTIVITY_TASK_STARTED",
            "ACTIVITY_TASK_COMPLETED",
            "ACTIVITY_TASK_FAILED",
            "ACTIVITY_TASK_TIMED_OUT",
            "ACTIVITY_TASK_CANCELED",
            "NEXUS_OPERATION_STARTED",
            "NEXUS_OPERATION_COMPLETED",
            "NEXUS_OPERATION_FAILED",
            "NEXUS_OPERATION_TIMED_OUT",
            "NEXUS_OPERATION_CANCELED",
            "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED",
            "NEXUS_OPERATION_CANCEL_REQUEST_FAILED",
        ),
        "scheduledEventId",
    ),
    "TIMER_FIRED": "startedEventId",
    **dict.fromkeys(
        (
            "START_CHILD_WORKFLOW_EXECUTION_FAILED",
            "CHILD_WORKFLOW_EXECUTION_STARTED",
            "CHILD_WORKFLOW_EXECUTION_COMPLETED",
            "CHILD_WORKFLOW_EXECUTION_FAILED",
            "CHILD_WORKFLOW_EXECUTION_CANCELED",
            "CHILD_WORKFLOW_EXECUTION_TIMED_OUT",
            "CHILD_WORKFLOW_EXECUTION_TERMINATED",
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
            "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
            "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
        ),
        "initiatedEventId",
    ),
}

# Events that a worker may skip if the server says so; the others must be understood.
_MAY_BE_IGNORED: Final = frozenset(
    {
        "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
        "WORKFLOW_EXECUTION_PAUSED",
        "WORKFLOW_EXECUTION_UNPAUSED",
        "WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED",
    }
)
_TASK_KINDS: Final = frozenset({"WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED"})
_CLOSED_BY_SERVER: Final = frozenset({"WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT"})

# The order in which one activation tells its jobs; within a class, the order in which they came about.
_FIRST, _PATCHES, _SEED, _MESSAGES, _REST, _LOCAL = range(6)
_JOB_CLASS: Final[Mapping[type[Job], int]] = {
    InitializeWorkflow: _FIRST,
    NotifyHasPatch: _PATCHES,
    UpdateRandomSeed: _SEED,
    SignalWorkflow: _MESSAGES,
    DoUpdate: _MESSAGES,
}


def _told_in_order(job: Job) -> int:
    if isinstance(job, ResolveActivity) and job.is_local:
        return _LOCAL
    return _JOB_CLASS.get(type(job), _REST)


class Machines:
    """One run of a workflow, somewhere in its history.

    Attributes:
        workflow_id: Id of the workflow, which its own history need not hold.
        profile: The release of Temporal's core whose rules apply.
        run_id: Id from which the run's randomness comes: that of the first run where a run was reset.
        replaying: Whether what the code does now has been done, and recorded, before.
        closed: Whether the event that ends the run was applied.
        time_ns: The workflow's time, in nanoseconds since the epoch.
        last_event_id: Id of the last event that was applied.
        records: What the completed workflow tasks recorded about themselves.
        activation_index: How many activations there have been since events were last applied.
    """

    def __init__(self, events: AnySequence[HistoryEvent], workflow_id: str, profile: Profile = LATEST) -> None:
        """Begin a run.

        Args:
            events: The history as far as it is known, two events at least; `feed` appends more.
            workflow_id: Id of the workflow.
            profile: The release of Temporal's core whose rules apply.

        Raises:
            InvalidHistory: No server writes such a history.
        """
        self._events: list[HistoryEvent] = list(events)
        shape = outline(self._events)
        self.workflow_id = workflow_id
        self.profile = profile
        self.run_id = str(self._events[0].attributes.get("originalExecutionRunId", ""))
        self.replaying = shape.previous_started > 0
        self.closed = False
        self.time_ns = 0
        self.last_event_id = 0
        self.activation_index = 0
        self.records = TaskRecords()
        self._queue = CommandQueue()
        self._intake = Intake(self, self._queue)
        self._jobs: list[Job] = []
        self._is_initialized = False
        # Where the next sequence begins, and where it ends if that was looked up already.
        self._previous_started = shape.previous_started
        self._position = 0
        self._next: Sequence | None = None
        self._noted = 0
        self._is_live = False
        self._sequence_target = 0
        self._task_attributes: Json = {}
        # Updates that were requested and are not told yet: by admission events of the history, or by a client, live.
        self._admitted: list[tuple[str, Json, int]] = []
        self._requested: list[DoUpdate] = []
        for event in self._events:
            if event.KIND == "WORKFLOW_TASK_COMPLETED":
                self.records.note_flags(event.attributes)
                break

    # Driving

    def feed(self, events: Iterable[HistoryEvent]) -> None:
        """Append what has happened since, up to the WorkflowTaskStarted of the task to run."""
        self._events.extend(events)
        self._next = None

    def go_on(self, events: list[HistoryEvent]) -> None:
        """The same for a live run, whose workflow tasks are started and completed by whoever drives it.

        Args:
            events: What has happened since the last task was started; they become part of the run.
        """
        if self._position < len(self._events):
            self.feed(events)
            return
        # What went before was told and is not needed any more, and these lead up to one task.
        self._events = events
        self._position = 0
        self._next = Sequence(0, len(events) - 1, True, ())
        self._noted = len(events)
        self._is_live = True

    def next_activation(self) -> Activation | None:
        """What the code is to be told next.

        Returns:
            None when there is nothing more to tell: the run is closed, or it waits.

        Raises:
            ReplayError: The history and the commands so far do not go together.
        """
        while not self._jobs:
            was_replaying = self.replaying
            if not self._apply_next_sequence() or (was_replaying and not self.replaying):
                break
        if not self._jobs or (self.closed and self._is_initialized):
            return None  # what is left to tell when the run is closed is never told, except to make the workflow
        self._is_initialized = True
        return self._activation()

    def completed(self, commands: Iterable[Command]) -> None:
        """Take what the code asked for in answer to the last activation.

        Raises:
            ReplayError: The commands make no sense in the state the run is in.
        """
        self._intake.take(commands)
        self._intake.deliver_markers()
        self._release_held_markers()
        self._queue.send()

    def outgoing(self) -> tuple[Command, ...]:
        """The commands of a live task that no event has met yet: what a server is asked to make events of."""
        return self._queue.outgoing()

    def request_update(self, request: DoUpdate) -> None:
        """Put an update that a client asks for, live, into the workflow task whose events are fed next."""
        self._requested.append(request)

    def activity_id(self, seq: int) -> str:
        """The id of the activity that the code knows under a number."""
        command = self._intake.find("Activity", seq, None).command
        return str(command.attributes.get("activityId", ""))

    def local_activities_to_run(self) -> list[LocalActivityMachine]:
        """The local activities that a live task waits for."""
        return [machine for machine in self._intake.local_activities if machine.state == "RequestSent"]

    def resolve_local_activity(self, seq: int, marker: LocalActivityMarker) -> None:
        """A local activity that was run in this task has come to its end."""
        self._intake.local_activity(seq).resolve_live(marker)
        self._queue.send()

    # What machines may do

    def tell(self, job: Job) -> None:
        """Put a job into the next activation."""
        self._jobs.append(job)

    def ask(self, command: Command, machine: Machine) -> None:
        """Put a command behind those of the current task."""
        self._queue.ask(command, machine)

    def checks(self, flag: int, *, always: bool) -> bool:
        """Whether a check of core applies."""
        return always or flag in self.records.core_flags

    def advance_time(self, time_ns: int) -> None:
        """Move the workflow's time forward."""
        if time_ns > self.time_ns:
            self.time_ns = time_ns

    def task_started(self, time_ns: int) -> None:
        """A workflow task began."""
        self.advance_time(time_ns)
        if not self.replaying and self._intake.local_activities:
            self._intake.forget_finished_local_activities()
            for machine in self._intake.local_activities:
                machine.go_live()

    def deliver_marker_seen_ahead(self, machine: LocalActivityMachine) -> None:
        """Resolve a local activity from its marker now, if the marker was seen and is not held back."""
        self._intake.deliver_marker_of(machine)

    # Activations

    def _activation(self) -> Activation:
        jobs = self._jobs
        if len(jobs) > 1:
            jobs.sort(key=_told_in_order)
        self._jobs = []
        self.activation_index += 1
        task, records = self._task_attributes, self.records
        return Activation(
            self.run_id,
            self.time_ns,
            self.replaying,
            self.last_event_id,
            max(int(task.get("historySizeBytes", 0)), 0),
            bool(task.get("suggestContinueAsNew", False)),
            tuple(jobs),
            records.lang_flags,
            records.sdk_version,
            records.deployment if self.replaying else None,
            tuple(task.get("suggestContinueAsNewReasons", ())),
            bool(task.get("targetWorkerDeploymentVersionChanged", False)),
        )

    # Applying events

    def _apply_next_sequence(self) -> bool:
        """Apply the events up to the next workflow task that counts; False if there are none."""
        if self.closed:
            self.replaying = False
            return False
        events, start = self._events, self._position
        count = len(events)
        if start >= count:
            self.replaying = False
            return False
        sequence = self._next or next_sequence(events, start)
        self._next = None
        end = sequence.end
        if not sequence.is_complete and end == start:
            self.replaying = False  # a single trailing event, which can only close a task: nothing to tell
            return False
        stop = end + 1
        self._position = stop
        self.activation_index = 0
        self._note_tasks_completed(stop)
        if events[end].KIND == "WORKFLOW_TASK_STARTED":
            self._sequence_target = events[end].event_id
        admitted = self._apply(start, stop, in_last_sequence=stop >= count)
        if self._requested:
            requested, self._requested = self._requested, []
            for request in requested:
                self._tell_update(request)
        self._look_ahead(stop, admitted)
        self._release_held_markers()
        return True

    def _apply(self, start: int, stop: int, *, in_last_sequence: bool) -> dict[str, Json]:
        """Apply events one by one; returns the update requests that were admitted, by update id."""
        events, machines = self._events, self._queue.begun_by
        admitted: dict[str, Json] = {}
        may_go_live, is_live = in_last_sequence and self.replaying, self._is_live
        skip = False
        for index in range(start, stop):
            event = events[index]
            kind, event_id = event.KIND, event.event_id
            if event_id != self.last_event_id + 1:
                raise FatalMismatch(
                    f"History is out of order. Last processed event: {self.last_event_id}, event id: {event_id}", event
                )
            if (
                may_go_live
                and event_id > self._previous_started
                and kind != "WORKFLOW_TASK_COMPLETED"
                and kind not in COMMAND_EVENTS
            ):
                self.replaying = may_go_live = False
            if self._admitted:
                self._tell_admitted_before(event_id)
            if is_live and kind in _TASK_KINDS:
                self._note_live_task(event)
                self.last_event_id = event_id
                continue
            attributes = event.attributes
            begun_by = _BEGUN_BY.get(kind)
            if skip:
                skip = False
            elif (not attributes or kind == "UNKNOWN") and _says_nothing(event):
                pass
            elif begun_by is not None:
                if kind == "WORKFLOW_TASK_STARTED":
                    self._task_attributes = attributes
                machine = machines.get(int(attributes.get(begun_by, 0)))
                if machine is not None:
                    machine.on_event(event, in_last_sequence)
                else:
                    raise Nondeterminism(
                        "During event handling, this event had an initial command ID but we could not find a matching "
                        f"command for it: {described(event)}",
                        event,
                    )
            elif kind == "WORKFLOW_TASK_SCHEDULED":
                machines[event_id] = WorkflowTaskMachine(self, self._sequence_target)
            elif kind in COMMAND_EVENTS:
                following = events[index + 1] if index + 1 < stop else None
                skip = self._apply_command_event(event, following, in_last_sequence)
            elif kind == "WORKFLOW_EXECUTION_UPDATE_ADMITTED":
                request = _update_request(event, "request")
                update_id = str(part(request, "meta").get("updateId", ""))
                if self.replaying:
                    admitted[update_id] = request
                else:
                    self._admitted.append((update_id, request, event_id))
            else:
                self._apply_event(event, is_last=in_last_sequence and index + 1 == stop)
            self.last_event_id = event_id
        return admitted

    def _apply_event(self, event: HistoryEvent, *, is_last: bool) -> None:
        """Apply an event that neither an earlier event nor the code began."""
        kind, attributes = event.KIND, event.attributes
        if kind in _CLOSED_BY_SERVER:
            self.closed = True
            if not is_last:
                raise FatalMismatch(
                    "Machines were fed a history which has an event after workflow execution was terminated!", event
                )
        elif kind == "WORKFLOW_EXECUTION_STARTED":
            self.advance_time(event.time_ns)
            seed = seed_of_run(self.run_id)
            self._jobs.append(InitializeWorkflow(self.workflow_id, attributes, seed, event.time_ns))
        elif kind == "WORKFLOW_EXECUTION_SIGNALED":
            self._jobs.append(_signal(event))
        elif kind == "WORKFLOW_EXECUTION_CANCEL_REQUESTED":
            self._jobs.append(CancelWorkflow(str(attributes.get("cause", ""))))
        elif not (event.worker_may_ignore and kind in _MAY_BE_IGNORED):
            raise FatalMismatch(
                f"The event is not a non-stateful event, but we tried to handle it as one: {described(event)}", event
            )

    def _apply_command_event(self, event: HistoryEvent, following: HistoryEvent | None, in_last_sequence: bool) -> bool:
        """Apply an event that the code asked for; True if the following one belongs to it and must be skipped."""
        if event.KIND in CLOSING_KINDS:
            self.closed = True
        if event.KIND != "MARKER_RECORDED":
            return self._queue.meet(event, None, following, in_last_sequence)
        if is_local_activity_marker(event):
            machine = self._intake.local_activity(_readable(event, self.profile).seq, event)
            if machine.takes_marker_out_of_order(event):
                machine.on_event(event, in_last_sequence)
                return False
        return self._queue.meet(event, patch_marker(event), following, in_last_sequence)

    def _note_live_task(self, event: HistoryEvent) -> None:
        """What a workflow task means to a live run. Its order needs no check as that of a recorded one does."""
        if event.KIND == "WORKFLOW_TASK_STARTED":
            self._task_attributes = event.attributes
            self.task_started(event.time_ns)
        elif event.KIND == "WORKFLOW_TASK_COMPLETED":
            self.records.note(event.attributes)

    # Looking ahead

    def _note_tasks_completed(self, stop: int) -> None:
        """Learn what the tasks before an index, and the one completed next after it, recorded about themselves."""
        if self._noted > stop:
            return
        events = self._events
        for index in range(self._noted, len(events)):
            if events[index].KIND == "WORKFLOW_TASK_COMPLETED":
                self._noted = index + 1
                self.records.note(events[index].attributes)
                if index >= stop:
                    return

    def _look_ahead(self, start: int, admitted: dict[str, Json]) -> None:
        """Tell now what the next sequence will record of this task: patches, local activities, accepted updates."""
        events = self._events
        if start >= len(events):
            return
        self._next = next_sequence(events, start)
        later: list[LocalActivityMarker | tuple[str, Json]] = []
        for index in self._next.told_ahead:
            event = events[index]
            if event.KIND == "MARKER_RECORDED":
                patch = patch_marker(event)
                if patch is not None:
                    self._intake.patches[patch.patch_id] = False
                    self._jobs.append(NotifyHasPatch(patch.patch_id))
                elif is_local_activity_marker(event):
                    later.append(_readable(event, self.profile))
            elif event.ATTRIBUTES_KEY in event.canonical:
                later.append(_accepted_request(event, admitted))
        for item in later:
            if isinstance(item, LocalActivityMarker):
                self._intake.marker_seen_ahead(item)
            else:
                self._tell_update(self._update(*item))

    def _update(self, protocol_instance_id: str, request: Json) -> DoUpdate:
        meta, given = part(request, "meta"), part(request, "input")
        return DoUpdate(
            str(meta.get("updateId", "")),
            protocol_instance_id,
            str(given.get("name", "")),
            payload_list(given.get("args")),
            dict(part(part(given, "header"), "fields")),
            str(meta.get("identity", "")),
            run_validator=not self.replaying,
        )

    def _tell_update(self, request: DoUpdate) -> None:
        self._intake.request_update(request)
        self._jobs.append(request)

    def _tell_admitted_before(self, event_id: int) -> None:
        waiting, self._admitted = self._admitted, []
        for update_id, request, admitted_at in waiting:
            if admitted_at < event_id:
                self._tell_update(self._update(update_id, request))
            else:
                self._admitted.append((update_id, request, admitted_at))

    def _release_held_markers(self) -> None:
        if not self._jobs:
            self._intake.deliver_markers(also_held=True)


def _says_nothing(event: HistoryEvent) -> bool:
    """Whether an event is of an unknown type, or without attributes, and may be passed over.

    Raises:
        FatalMismatch: It is, and a worker must not pass over it.
    """
    kind = event.KIND
    if kind in _CLOSED_BY_SERVER or (
        kind != "UNKNOWN" and (event.attributes or event.ATTRIBUTES_KEY in event.canonical)
    ):
        return False
    if not event.worker_may_ignore:
        text = "Event type is unspecified! This history is invalid. Event detail: "
        raise FatalMismatch(text + described(event), event)
    return True


def _signal(event: HistoryEvent) -> SignalWorkflow:
    attributes = event.attributes
    return SignalWorkflow(
        str(attributes.get("signalName", "")),
        payload_list(attributes.get("input")),
        str(attributes.get("identity", "")),
        dict(part(part(attributes, "header"), "fields")),
        event.event_id,
    )


def _readable(event: HistoryEvent, profile: Profile) -> LocalActivityMarker:
    marker = local_activity_marker(event, profile)
    if marker is None:
        raise FatalMismatch(f"Local activity marker was unparsable: {described(event)}", event)
    return marker


def _accepted_request(event: HistoryEvent, admitted: dict[str, Json]) -> tuple[str, Json]:
    """The request that an accepted update answers: in the event itself, or in the one that admitted it."""
    attributes = event.attributes
    protocol_instance_id = str(attributes.get("protocolInstanceId", ""))
    request = admitted.pop(protocol_instance_id, None)
    if request is None:
        request = _update_request(event, "acceptedRequest")
    return protocol_instance_id, request


def _update_request(event: HistoryEvent, key: str) -> Json:
    request = part(event.attributes, key)
    if request.get("meta") is None or request.get("input") is None:
        raise FatalMismatch(f"Failed to create protocol message from {event.type_name}Event", event)
    return request
