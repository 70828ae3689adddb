"""An update: requested, accepted or rejected, completed.

Its two commands are made by one machine, and stand in the queue one after the other; so an accepted update that
completes in the same task passes through states of its own. Ids are not compared: two updates that swapped places pass.
"""

from __future__ import annotations

from typing import Final

from playhead_engine.commands import AcceptUpdate, Command, CompleteUpdate, RejectUpdate
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import Machine, Run

_ON_SENT: Final = {
    "Accepted": "AcceptCommandCreated",
    "Completed": "CompletedCommandCreated",
    "CompletedImmediately": "CompletedImmediatelyAcceptCreated",
    "CompletedImmediatelyAcceptCreated": "CompletedImmediatelyCompleteCreated",
}
_ON_COMPLETED: Final = {
    "Accepted": "CompletedImmediately",
    "AcceptCommandCreated": "CompletedImmediatelyAcceptCreated",
    "AcceptCommandRecorded": "Completed",
}


class UpdateMachine(Machine):
    """Made by a request, not by a command."""

    __slots__ = ("update_id",)

    NAME = "UpdateMachine"
    DOES_NOT_HANDLE = "Update machine does not handle this event: "
    INITIAL = "RequestInitiated"
    TRANSITIONS = {
        ("AcceptCommandCreated", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"): "AcceptCommandRecorded",
        ("CompletedImmediatelyCompleteCreated", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"): "CompletedCommandCreated",
        ("CompletedCommandCreated", "WORKFLOW_EXECUTION_UPDATE_COMPLETED"): "CompletedCommandRecorded",
    }
    FINAL = frozenset({"CompletedCommandRecorded"})

    def __init__(self, run: Run, update_id: str) -> None:
        super().__init__(run, None)
        self.update_id = update_id

    def on_sent(self, command: Command) -> None:
        after = _ON_SENT.get(self.state)
        if after is None:
            raise Nondeterminism(
                f"Unexpected command producing an invalid transition ProtocolMessage in state {self.state}",
                None,
                command,
            )
        self.state = after

    def respond(self, command: AcceptUpdate | RejectUpdate | CompleteUpdate) -> None:
        """The code answers the request."""
        self.command = command
        match command, self.state:
            case AcceptUpdate(), "RequestInitiated":
                self.state = "Accepted"
                self.run.ask(command, self)
            case RejectUpdate(), "RequestInitiated":
                self.state = "Rejected"
            case RejectUpdate() | CompleteUpdate(), state if state in _ON_COMPLETED:
                self.state = _ON_COMPLETED[state]
                self.run.ask(command, self)
            case _:
                raise Nondeterminism(
                    f"Invalid transition while handling update response (id {self.update_id}) in state {self.state}",
                    None,
                    command,
                )
