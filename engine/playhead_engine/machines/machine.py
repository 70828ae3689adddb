"""What all state machines share.

Each thing a workflow can ask for (a timer, an activity, a child) is one machine, from the command to the last event
about it. A machine has a table of legal transitions, `(state, event kind) -> state`, and tells the run what follows
from one. State names are those of Temporal's core, since its messages show them to users.

A machine must not know about order: which command meets which event is decided in `matching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from playhead_engine.activation import Job
from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import FatalMismatch, Nondeterminism
from playhead_engine.messages import Json, Payload, Payloads
from playhead_engine.profile import Profile

CHECK_IDS_AND_TYPES = 1
UPSERT_ON_PATCH = 2
MOVE_TERMINAL_COMMANDS = 3
CHECK_NEXUS_OPERATIONS = 4
CORE_FLAGS = (CHECK_IDS_AND_TYPES, UPSERT_ON_PATCH, MOVE_TERMINAL_COMMANDS)
"""Flags of Temporal's core that this engine records on the workflow tasks it completes."""


class Run(Protocol):
    """What a machine may do to the run it belongs to."""

    profile: Profile
    replaying: bool

    def tell(self, job: Job) -> None:
        """Put a job into the next activation."""
        ...

    def ask(self, command: Command, machine: Machine) -> None:
        """Put another command of this machine behind those of the current task."""
        ...

    def checks(self, flag: int, *, always: bool) -> bool:
        """Whether a check of core applies: its flag was recorded, or it applies whatever was recorded."""
        ...

    def advance_time(self, time_ns: int) -> None:
        """Move the workflow's time forward; it never goes back."""
        ...


class Machine:
    """One thing a workflow asked for.

    Attributes:
        run: The run it belongs to.
        command: The command that made it; None for what the server or a client began.
        state: A key of its tables.
        cancelled_before_sent: The command was taken back within its own workflow task; it never meets an event.
    """

    __slots__ = ("cancelled_before_sent", "command", "run", "state")

    NAME: ClassVar[str]
    """As core's messages call the machine."""
    DOES_NOT_HANDLE: ClassVar[str]
    """How core begins the message about an event that no machine of this kind takes."""
    INITIAL: ClassVar[str]
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], str]]
    FINAL: ClassVar[frozenset[str]] = frozenset()
    """States after which no event can refer to it any more."""

    def __init__(self, run: Run, command: Command | None) -> None:
        self.run = run
        self.command = command
        self.state = self.INITIAL
        self.cancelled_before_sent = False

    @property
    def is_final(self) -> bool:
        """Whether no later event can refer to it."""
        return self.state in self.FINAL

    def on_sent(self, command: Command) -> None:
        """The command joined the queue of those that events must meet. Most machines do not care."""

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        """Take an event.

        Args:
            event: The event.
            in_last_sequence: Whether nothing follows the sequence of events that it belongs to.

        Raises:
            Nondeterminism: This machine takes no such event, or the event differs from the command.
            FatalMismatch: It does not take such an event in this state.
        """
        before = self.state
        after = self.TRANSITIONS.get((before, event.KIND))
        if after is None:
            self.refuse(event)
            return
        self.state = after
        self.entered(before, event, in_last_sequence)

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        """Do what follows from a transition that was just made."""

    def refuse(self, event: HistoryEvent) -> None:
        """Raise the error for an event without a transition."""
        if any(kind == event.KIND for _, kind in self.TRANSITIONS):
            raise FatalMismatch(
                f"{self.NAME} in state {self.state} says the transition is invalid during event "
                f"EventInfo {{ event_id: {event.event_id}, event_type: {event.type_name} }}",
                event,
                self.command,
            )
        raise Nondeterminism(f"{self.DOES_NOT_HANDLE}{described(event)}", event, self.command)

    def cannot_cancel(self) -> None:
        """Raise the error for cancelling in a state that forbids it."""
        raise Nondeterminism("Invalid transition in state machine", None, self.command)


def described(event: HistoryEvent) -> str:
    """An event as core's messages name it."""
    return f"HistoryEvent(id: {event.event_id}, {event.type_name})"


def only_payload(event: HistoryEvent, payloads: Payloads | None, what: str) -> Payload | None:
    """The one value of a result; None where the event has no result.

    Raises:
        FatalMismatch: The result is there and has no value, or several.
    """
    if payloads is None:
        return None
    values = payloads.get("payloads", [])
    if len(values) == 1:
        return values[0]
    raise FatalMismatch(
        f"Not exactly one payload in {what} result ({'MoreThanOnePayload' if values else 'NoPayload'}) for event: "
        f"Some(EventInfo {{ event_id: {event.event_id}, event_type: {event.type_name} }})",
        event,
    )


def name_of(message: Json | None) -> str:
    """The name in a workflow type or activity type that may be absent."""
    return str(message.get("name", "")) if message else ""
