"""The queue in which the code's commands wait for the events that record them.

A command event of the history must be met by the machine at the front. This module knows that rule and its exceptions
for patches and local activities, and nothing else about events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import Machine, described
from playhead_engine.machines.markers import PatchMarker, upserts_change_version
from playhead_engine.machines.patch import PatchMachine


class CommandQueue:
    """Commands in the order in which they must be met, each with its machine.

    Attributes:
        begun_by: The machine that an event began, by the id of the event; later events refer to it so.
        on_met: Told of every command that an event has met, for whoever wants to know where events come from.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Command, Machine]] = deque()
        self._asked: list[tuple[Command, Machine]] = []
        self.begun_by: dict[int, Machine] = {}
        self.on_met: Callable[[HistoryEvent, Command], None] | None = None

    def ask(self, command: Command, machine: Machine) -> None:
        """Hold a command until the code's whole answer has been taken; it may still be taken back."""
        self._asked.append((command, machine))

    def send(self) -> None:
        """The answer is complete: what was not taken back joins the queue."""
        if self._waiting and any(machine.cancelled_before_sent for _, machine in self._waiting):
            self._waiting = deque(entry for entry in self._waiting if not entry[1].cancelled_before_sent)
        asked, self._asked = self._asked, []
        for command, machine in asked:
            if not machine.cancelled_before_sent:
                machine.on_sent(command)
                self._waiting.append((command, machine))

    def outgoing(self) -> tuple[Command, ...]:
        """The commands that no event has met yet."""
        return tuple(command for command, _ in self._waiting)

    def meet(
        self,
        event: HistoryEvent,
        patch: PatchMarker | None,
        following: HistoryEvent | None,
        in_last_sequence: bool,
    ) -> bool:
        """Let a command event meet the machine at the front.

        Args:
            event: The command event.
            patch: The patch that it marks, if it is the marker of one.
            following: The event after it in its sequence.
            in_last_sequence: Whether nothing follows that sequence.

        Returns:
            Whether the following event belongs to this one and must be skipped.

        Raises:
            ReplayError: They do not go together, or nobody waits.
        """
        waiting = self._waiting
        while True:
            front = waiting[0][1] if waiting else None
            if patch is not None:
                if isinstance(front, PatchMachine):
                    if patch.deprecated and front.patch_id != patch.patch_id:
                        return belongs_to_patch(following)
                elif patch.deprecated:
                    return belongs_to_patch(following)
                else:
                    raise Nondeterminism(
                        f"Non-deprecated patch marker encountered for change {patch.patch_id}, but there is no "
                        "corresponding change command!",
                        event,
                        waiting[0][0] if waiting else None,
                    )
            elif isinstance(front, PatchMachine):
                waiting.popleft()  # the code passed a patch that this run had already passed
                continue
            if not waiting:
                raise Nondeterminism(f"No command scheduled for event {described(event)}", event)
            command, machine = waiting.popleft()
            if machine.cancelled_before_sent:
                continue
            machine.on_event(event, in_last_sequence)
            if self.on_met is not None:
                self.on_met(event, command)
            if not machine.is_final:
                self.begun_by[event.event_id] = machine
            return False


def belongs_to_patch(event: HistoryEvent | None) -> bool:
    """Whether an event that follows a patch's marker is the upsert that goes with it."""
    return event is not None and upserts_change_version(event)
