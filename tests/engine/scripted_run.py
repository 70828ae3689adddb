"""Replays a history against a script instead of workflow code: so many commands in answer to such an activation.

The script stands for any code whatever, so the rules can be tried without a runtime, and put to Temporal's core with
the same script. What comes out is what a replayer would report, in the words in which core gives its reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playhead_engine.activation import Activation, Job
from playhead_engine.commands import Command
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.local_activity import LocalActivityMachine
from playhead_engine.matching import Machines, Nondeterminism, ReplayError
from playhead_engine.profile import LATEST, Profile
from tests.engine.history_builder import WORKFLOW_ID

Answer: TypeAlias = Sequence[Command] | None
"""What the code does with an activation: commands, or None for an error that fails the workflow task."""

Script: TypeAlias = Callable[[Sequence[int]], Answer]
"""Given the history lengths of all activations so far, the last one's answer. It must not remember anything."""

CODE_FAILURE = "the code failed the task"

#: Why a replay ended, as core calls it. Only the first of these means that history and code agree.
Reason: TypeAlias = Literal["LANG_REQUESTED", "NONDETERMINISM", "FATAL", "LANG_FAIL", "UNSPECIFIED"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a replay ended.

    Attributes:
        reason: As core calls it.
        text: What it says; empty if history and code agree.
    """

    reason: Reason
    text: str = ""


AGREED = Verdict("LANG_REQUESTED")


def nondeterminism(text: str) -> Verdict:
    """The verdict that code asked for something else than was recorded."""
    return Verdict("NONDETERMINISM", f"[TMPRL1100] Nondeterminism error: {text}")


def fatal(text: str) -> Verdict:
    """The verdict that an event is impossible where it stands."""
    return Verdict("FATAL", f"Fatal error in workflow machines: {text}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to."""

    activations: list[Activation]
    verdict: Verdict

    @property
    def told(self) -> list[tuple[Job, ...]]:
        """What the code was told, activation by activation."""
        return [activation.jobs for activation in self.activations]


def in_order(*answers: Answer) -> Script:
    """A script that answers the first activation with the first answer, and so on; then with nothing."""

    def script(lengths: Sequence[int]) -> Answer:
        return answers[len(lengths) - 1] if len(lengths) <= len(answers) else ()

    return script


def replay(events: Sequence[HistoryEvent], script: Script, profile: Profile = LATEST) -> Replayed:
    """Replay a history as a replayer does.

    Raises:
        InvalidHistory: No server writes such a history.
    """
    machines = Machines(events, WORKFLOW_ID, profile)
    activations: list[Activation] = []
    running: list[LocalActivityMachine] = []
    while True:
        try:
            activation = machines.next_activation()
        except ReplayError as error:
            return Replayed(activations, _verdict(machines, error) if activations else _at_the_start(error))
        if activation is None:
            return Replayed(activations, AGREED)
        activations.append(activation)
        answer = script([activation.history_length for activation in activations])
        if answer is None:
            failed = Verdict("LANG_FAIL", CODE_FAILURE) if activation.is_replaying else AGREED
            return Replayed(activations, failed)
        try:
            machines.completed(answer)
            _give_up_cancelled(machines, running)
        except ReplayError as error:
            return Replayed(activations, _verdict(machines, error))
        running = machines.local_activities_to_run()


def _verdict(machines: Machines, error: ReplayError) -> Verdict:
    # What goes wrong beyond the recording is not held against the code: the replay worker closes the run all the same.
    if not machines.replaying:
        return AGREED
    return Verdict("NONDETERMINISM" if isinstance(error, Nondeterminism) else "FATAL", str(error))


def _at_the_start(error: ReplayError) -> Verdict:
    return Verdict("UNSPECIFIED", str(error))


def _give_up_cancelled(machines: Machines, running: Sequence[LocalActivityMachine]) -> None:
    """Do what a worker does about local activities that were cancelled before it began to run them."""
    for machine in machines.local_activities_to_run():
        if machine.is_cancel_requested and machine not in running:
            machines.resolve_local_activity(machine.seq, machine._cancelled_marker())
