"""What each command does to a run: it makes a machine, or speaks to one that is there.

This module must not look at events; `matching` does, and hands the machines what concerns them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from playhead_engine.activation import DoUpdate
from playhead_engine.command_queue import CommandQueue
from playhead_engine.commands import (
    AcceptUpdate,
    CancelChildWorkflow,
    CancelSignalExternal,
    CancelTimer,
    CancelWorkflowExecution,
    Command,
    CompleteUpdate,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    RecordMarker,
    RejectUpdate,
    RequestCancelActivity,
    RequestCancelExternal,
    RequestCancelLocalActivity,
    RequestCancelNexusOperation,
    RespondToQuery,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    SetPatchMarker,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
    UpsertSearchAttributes,
)
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.activity import ActivityMachine
from playhead_engine.machines.child import ChildWorkflowMachine
from playhead_engine.machines.errors import FatalMismatch, Nondeterminism
from playhead_engine.machines.external import CancelExternalMachine, SignalExternalMachine
from playhead_engine.machines.local_activity import LocalActivities, LocalActivityMachine
from playhead_engine.machines.machine import MOVE_TERMINAL_COMMANDS, UPSERT_ON_PATCH, Machine
from playhead_engine.machines.markers import (
    LocalActivityMarker,
    change_version_attributes,
    patch_marker_attributes,
)
from playhead_engine.machines.nexus import NexusOperationMachine
from playhead_engine.machines.patch import PatchMachine
from playhead_engine.machines.single import SingleEventMachine
from playhead_engine.machines.timer import TimerMachine
from playhead_engine.machines.update import UpdateMachine

_TERMINAL: Final = (CompleteWorkflow, FailWorkflow, CancelWorkflowExecution, ContinueAsNew)


class Intake:
    """The machines of one run, by what made them.

    Attributes:
        patches: Patches by id: whether the code has asked for the marker, or False where it was only seen ahead.
        local_activities: Those of the run that are not over, in the order in which they were asked for.
        markers_ahead: Ends of local activities that the history will record and the code has not been told yet.
    """

    def __init__(self, run: LocalActivities, queue: CommandQueue) -> None:
        self.patches: dict[str, bool] = {}
        self.local_activities: list[LocalActivityMachine] = []
        self._run = run
        self._queue = queue
        self._machines: dict[tuple[str, int], Machine] = {}
        self._updates: dict[str, UpdateMachine] = {}
        self.markers_ahead: deque[LocalActivityMarker] = deque()

    def take(self, commands: Iterable[Command]) -> None:
        """Take the code's answer to an activation.

        Raises:
            ReplayError: A command makes no sense in the state the run is in.
        """
        for command in self._in_accepted_order(commands):
            handler = _HANDLERS.get(type(command))
            if handler is None:
                raise TypeError(f"{type(command).__name__} is no command that workflow code gives")
            handler(self, command)

    def request_update(self, request: DoUpdate) -> None:
        """An update is about to be told to the code."""
        self._updates[request.protocol_instance_id] = UpdateMachine(self._run, request.id)

    def find(self, name: str, seq: int, command: Command | None, event: HistoryEvent | None = None) -> Any:
        """The machine of a kind that was made under a number.

        Raises:
            Nondeterminism: There is none.
        """
        machine = self._machines.get((name, seq))
        if machine is None:
            raise Nondeterminism(f"Missing associated machine for {name}({seq})", event, command)
        return machine

    # Local activities: their markers are seen before the code has asked for them, and wait here in their order.

    def local_activity(self, seq: int, event: HistoryEvent | None = None) -> LocalActivityMachine:
        """The local activity under a number.

        Raises:
            Nondeterminism: There is none.
        """
        machine: LocalActivityMachine = self.find("LocalActivity", seq, None, event)
        return machine

    def forget_finished_local_activities(self) -> None:
        """Those whose marker is in the history are never asked about again, except by their number."""
        self.local_activities = [machine for machine in self.local_activities if not machine.is_final]

    def marker_seen_ahead(self, marker: LocalActivityMarker) -> None:
        """The history will record the end of a local activity at the end of this task."""
        machine = self._machines.get(("LocalActivity", marker.seq))
        if machine is None or machine.state == "WaitingResolveFromMarkerLookAhead":
            self.markers_ahead.append(marker)
            self.deliver_markers()

    def deliver_markers(self, *, also_held: bool = False) -> None:
        """Resolve local activities from the markers seen ahead, in their order, as far as the code has asked for
        them."""
        while self.markers_ahead:
            marker = self.markers_ahead[0]
            if self._is_held(marker) and not also_held:
                return
            machine = self._machines.get(("LocalActivity", marker.seq))
            if machine is None:
                return
            assert isinstance(machine, LocalActivityMachine)
            self.markers_ahead.popleft()
            machine.resolve_from_marker(marker)

    def deliver_marker_of(self, machine: LocalActivityMachine) -> None:
        """Resolve one local activity out of turn, because it was cancelled."""
        for marker in self.markers_ahead:
            if marker.seq == machine.seq:
                if not self._is_held(marker):
                    self.markers_ahead.remove(marker)
                    machine.resolve_from_marker(marker)
                return

    def _is_held(self, marker: LocalActivityMarker) -> bool:
        """A marker may say in which activation of its task the activity ended."""
        index = marker.data.get("activation_index")
        return index is not None and index > self._run.activation_index

    # What the commands do.

    def _in_accepted_order(self, commands: Iterable[Command]) -> list[Command]:
        """Commands beyond the end of the workflow: dropped by old recordings, moved before the end by newer ones."""
        asked: list[Command] = [command for command in commands if type(command) is not RespondToQuery]
        if len(asked) < 2:
            return asked
        if not any(isinstance(command, _TERMINAL) for command in asked[:-1]):
            return asked
        end = next(i for i, command in enumerate(asked) if isinstance(command, _TERMINAL))
        if not self._run.checks(MOVE_TERMINAL_COMMANDS, always=not self._run.replaying):
            return asked[: end + 1]
        return [*(command for command in asked if not isinstance(command, _TERMINAL)), asked[end]]

    def _add(self, name: str, seq: int, command: Command, machine: Machine) -> None:
        self._machines[name, seq] = machine
        self._queue.ask(command, machine)

    def _local_activity(self, command: ScheduleLocalActivity) -> None:
        machine = LocalActivityMachine(self._run, command)
        self.local_activities.append(machine)
        self._machines["LocalActivity", command.seq] = machine

    def _patch(self, command: SetPatchMarker) -> None:
        if self.patches.get(command.patch_id):
            return
        was_seen_ahead = command.patch_id in self.patches
        self.patches[command.patch_id] = True
        marker = RecordMarker(patch_marker_attributes(command.patch_id, command.deprecated), command.site)
        self._queue.ask(marker, PatchMachine(self._run, command))
        live = not self._run.replaying
        if (live or was_seen_ahead) and self._run.checks(UPSERT_ON_PATCH, always=live):
            attributes = change_version_attributes([patch for patch, asked in self.patches.items() if asked])
            if attributes is not None:
                self._single(UpsertSearchAttributes(attributes, command.site))

    def _single(self, command: Command) -> None:
        self._queue.ask(command, SingleEventMachine(self._run, command))

    def _respond(self, command: AcceptUpdate | RejectUpdate | CompleteUpdate) -> None:
        machine = self._updates.get(command.protocol_instance_id)
        if machine is None:
            raise FatalMismatch(
                f"Missing associated machine for protocol message {command.protocol_instance_id}", None, command
            )
        machine.respond(command)


def _made_by(name: str, machine: Callable[[LocalActivities, Any], Machine]) -> Callable[[Intake, Any], None]:
    return lambda intake, command: intake._add(name, command.seq, command, machine(intake._run, command))


def _cancels(name: str) -> Callable[[Intake, Any], None]:
    return lambda intake, command: intake.find(name, command.seq, command).cancel(command)


_HANDLERS: Final[Mapping[type[Command], Callable[[Intake, Any], None]]] = {
    StartTimer: _made_by("Timer", TimerMachine),
    CancelTimer: _cancels("Timer"),
    ScheduleActivity: _made_by("Activity", ActivityMachine),
    RequestCancelActivity: _cancels("Activity"),
    ScheduleLocalActivity: Intake._local_activity,
    RequestCancelLocalActivity: _cancels("LocalActivity"),
    StartChildWorkflow: _made_by("ChildWorkflowStart", ChildWorkflowMachine),
    CancelChildWorkflow: _cancels("ChildWorkflowStart"),
    SignalExternal: _made_by("SignalExternal", SignalExternalMachine),
    CancelSignalExternal: _cancels("SignalExternal"),
    RequestCancelExternal: _made_by("CancelExternal", CancelExternalMachine),
    ScheduleNexusOperation: _made_by("NexusOperation", NexusOperationMachine),
    RequestCancelNexusOperation: _cancels("NexusOperation"),
    SetPatchMarker: Intake._patch,
    UpsertSearchAttributes: Intake._single,
    ModifyProperties: Intake._single,
    AcceptUpdate: Intake._respond,
    RejectUpdate: Intake._respond,
    CompleteUpdate: Intake._respond,
    CompleteWorkflow: Intake._single,
    FailWorkflow: Intake._single,
    CancelWorkflowExecution: Intake._single,
    ContinueAsNew: Intake._single,
}
