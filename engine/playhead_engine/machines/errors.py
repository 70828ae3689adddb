"""The two ways in which a history and the code's commands can fail to go together.

The texts are those of Temporal's core, word for word where users may have seen them, so that they can be searched for.
The fields say which event and which command met; explaining them is somebody else's work.
"""

from __future__ import annotations

from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent


class ReplayError(Exception):
    """A history and the code could not be brought together.

    Attributes:
        text: What Temporal's core says, without its prefix.
        event: The recorded event that was met, if one was.
        command: The command it met, if there was one.
    """

    prefix = ""

    def __init__(self, text: str, event: HistoryEvent | None = None, command: Command | None = None) -> None:
        super().__init__(text, event, command)
        self.text = text
        self.event = event
        self.command = command

    def __str__(self) -> str:
        return self.prefix + self.text


class Nondeterminism(ReplayError):
    """The code asked for something else than what was recorded."""

    prefix = "[TMPRL1100] Nondeterminism error: "


class FatalMismatch(ReplayError):
    """What came is impossible in the state in which it came."""

    prefix = "Fatal error in workflow machines: "


class InvalidHistory(ReplayError):
    """No server writes such a history. Temporal's own Replayer never returns from these."""

    prefix = "Not a legal history: "
