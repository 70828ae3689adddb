"""A timer: started, then fired or cancelled."""

from __future__ import annotations

from playhead_engine.activation import FireTimer
from playhead_engine.commands import CancelTimer, Command, StartTimer
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import Machine, Run


class TimerMachine(Machine):
    """Nothing of the command is compared when the timer starts; its id is when it fires."""

    __slots__ = ("seq",)

    NAME = "TimerMachine"
    DOES_NOT_HANDLE = "Timer machine does not handle this event: "
    INITIAL = "StartCommandCreated"
    TRANSITIONS = {
        ("StartCommandCreated", "TIMER_STARTED"): "StartCommandRecorded",
        ("StartCommandRecorded", "TIMER_FIRED"): "Fired",
        ("CancelTimerCommandSent", "TIMER_CANCELED"): "Canceled",
    }

    def __init__(self, run: Run, command: StartTimer) -> None:
        super().__init__(run, command)
        self.seq = command.seq

    def on_sent(self, command: Command) -> None:
        if isinstance(command, CancelTimer):
            self.state = "CancelTimerCommandSent"

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        if event.KIND != "TIMER_FIRED":
            return
        recorded = event.attributes.get("timerId", "")
        if recorded != str(self.seq):
            raise Nondeterminism(
                f"Timer fired event did not have expected timer id {self.seq}, it was {recorded}!", event, self.command
            )
        self.run.tell(FireTimer(self.seq))

    def cancel(self, command: CancelTimer) -> None:
        """The code no longer wants the timer."""
        match self.state:
            case "StartCommandCreated":
                self.state = "Canceled"
                self.cancelled_before_sent = True
            case "StartCommandRecorded":
                self.state = "CancelTimerCommandCreated"
                self.run.ask(command, self)
            case "CancelTimerCommandCreated" | "Canceled" | "Fired":
                pass
            case _:
                self.cannot_cancel()
