"""Frames: what is known of a run after each of its workflow tasks, and the tracks that they share."""

from __future__ import annotations

from playhead.timeline.asking import Answer
from playhead.timeline.capture import Capture
from playhead.timeline.snapshot import Coroutine, RawStack, Snapshot, StackFrame
from playhead.timeline.tracks import Scope, Track
from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.runtime import Waiting


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
    """

    def __init__(self) -> None:
        self.attributes = Scope()
        self.answers: dict[str, Track[Answer]] = {}
        self._coroutines: Track[tuple[CoroutineTracks, ...]] = Track()
        self._waits: Track[tuple[Waiting, ...]] = Track()
        self._waited: list[tuple[str, int, str]] | None = None

    def note_coroutines(self, position: int, coroutines: tuple[CoroutineTracks, ...]) -> None:
        """These are there."""
        if coroutines != self._coroutines.last:
            self._coroutines.note(position, coroutines)

    def note_waits(self, position: int, waits: tuple[Waiting, ...]) -> None:
        """This is waited for."""
        known = [(wait.kind, wait.seq, wait.name) for wait in waits]
        if known != self._waited:
            self._waited = known
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
