"""Frames: what is known of a run after each of its workflow tasks, and the tracks that they share."""

from __future__ import annotations

from playhead.timeline.asking import Answer
from playhead.timeline.capture import Capture, Limits
from playhead.timeline.snapshot import Coroutine, RawStack, Snapshot, StackFrame, stacks
from playhead.timeline.tracks import Scope, Track
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.runtime import Completion, Inspectable, Waiting


class Frame:
    """One workflow task of a run.

    Attributes:
        task: Its number, from 1.
        first_event: The first event that was applied for it.
        last_event: The last one.
        time_ns: The workflow's time, in nanoseconds since the epoch.
        commands: What the code asked for, in order. Each says from which line, and from where that was called.
        error: What the code raised, if that failed the task.
        is_captured: Whether the tracks have what the run looked like after it.
    """

    __slots__ = ("commands", "error", "first_event", "is_captured", "last_event", "task", "time_ns")

    def __init__(self, task: int, first_event: int, last_event: int, time_ns: int) -> None:
        self.task = task
        self.first_event = first_event
        self.last_event = last_event
        self.time_ns = time_ns
        self.commands: tuple[Command, ...] = ()
        self.error: BaseException | None = None
        self.is_captured = False


class CoroutineTracks:
    """One coroutine over time."""

    __slots__ = ("_scopes", "_sites", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._sites: Track[tuple[CallSite, ...]] = Track()
        self._scopes: dict[tuple[int, int], Scope] = {}

    def note(self, position: int, stack: RawStack, capture: Capture) -> None:
        """It is suspended here."""
        sites = tuple(site for site, _ in stack)
        if sites != self._sites.last:
            self._sites.note(position, sites)
        for depth, (site, variables) in enumerate(stack):
            # A function that was called again is told from the call before by nothing that matters here.
            scope = self._scopes.get((depth, id(site.code)))
            if scope is None:
                scope = self._scopes[depth, id(site.code)] = Scope()
            scope.note(position, variables, capture)

    def at(self, position: int) -> Coroutine:
        """As it was there."""
        sites = self._sites.at(position) or ()
        stack = [StackFrame(site, self._scopes[depth, id(site.code)].at(position)) for depth, site in enumerate(sites)]
        return Coroutine(self.name, tuple(stack))


class Tracks:
    """What changed, and when.

    Attributes:
        attributes: Of the workflow object.
        answers: To each query that was asked after every task.
        capture: Captures it.
    """

    def __init__(self, limits: Limits) -> None:
        self.attributes = Scope()
        self.answers: dict[str, Track[Answer]] = {}
        self.capture = Capture(limits)
        self._coroutines: Track[tuple[CoroutineTracks, ...]] = Track()
        self._alive: dict[tuple[str, int], CoroutineTracks] = {}
        self._waits: Track[tuple[Waiting, ...]] = Track()
        self._waited: list[tuple[str, int, str]] | None = None

    def note(self, position: int, instance: Inspectable, completion: Completion | None) -> None:
        """Capture all of a run as it is after a workflow task, and what its code answered to that."""
        self.attributes.note(position, self.capture.attributes(instance.workflow_object), self.capture)
        alive: dict[tuple[str, int], CoroutineTracks] = {}
        for name, identity, stack in stacks(instance, completion):
            known = self._alive.get((name, identity)) or CoroutineTracks(name)
            alive[name, identity] = known
            known.note(position, stack, self.capture)
        self._alive = alive
        coroutines = tuple(alive.values())
        if coroutines != self._coroutines.last:
            self._coroutines.note(position, coroutines)
        waits = tuple(instance.pending())
        known_by = [(wait.kind, wait.seq, wait.name) for wait in waits]
        if known_by != self._waited:
            self._waited = known_by
            self._waits.note(position, waits)

    def note_answer(self, position: int, name: str, answer: Answer) -> None:
        """A query was answered so."""
        track = self.answers.setdefault(name, Track())
        if answer != track.last:
            track.note(position, answer)

    def at(self, position: int) -> Snapshot:
        """All of it as it was there."""
        coroutines = self._coroutines.at(position) or ()
        return Snapshot(
            self.attributes.at(position),
            tuple(coroutine.at(position) for coroutine in coroutines),
            self._waits.at(position) or (),
        )
