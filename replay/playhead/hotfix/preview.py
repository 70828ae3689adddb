"""Previews: a recorded run goes on in an engine of its own, on a virtual clock, with the code of today.

This module puts the parts together and decides how far a preview goes. It must not print, and runs no activity that the
user has not named.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Unpack

from playhead.hotfix.answers import Answers
from playhead.hotfix.edits import IDENTITY, Edit, edited
from playhead.hotfix.future import AwaitsAnswer, Ended, Ending, Future, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.hotfix.marks import Mark, mark_at
from playhead.hotfix.outside import deliver, messages
from playhead.hotfix.recorded import RecordedEnd, never_answered, recorded_ends
from playhead.hotfix.respondent import Respondent, RespondingRuntime
from playhead.hotfix.sites import sites_of
from playhead.passage import first_gap
from playhead.replayer import Replayer
from playhead.runtimes import TemporalOptions, classes_in, runtimes_of, wire_of
from playhead.sources import Source, history_of
from playhead.unreadable import Unreadable, has_unreadable
from playhead.verdict import Agrees, CodeRaised, NotReplayable, Verdict, no_code_for
from playhead_engine import Engine
from playhead_engine.common import RawValue
from playhead_engine.convert import ns_datetime, timedelta_ns
from playhead_engine.engine.clock import VirtualClock
from playhead_engine.engine.errors import (
    ActivityKeepsFailingError,
    NothingDueError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowStuckError,
    WorkflowTaskKeepsFailingError,
)
from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.engine.wire import Wire
from playhead_engine.history import CLOSING_KINDS, History, HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.profile import Profile
from playhead_engine.server import adoption, requests
from playhead_engine.server.moment import Moment
from playhead_engine.stores import RunWrite
from playhead_engine.stores.memory import MemoryStore

OWN: Final = "recorded"
"""What the recording itself is called where an answer is taken from it."""

MAX_EVENTS: Final = 5_000
"""How many events a preview adds at most, unless it is told otherwise."""

MAX_TIME: Final = timedelta(days=3650)
"""How much virtual time passes at most, unless it is told otherwise."""


_NOBODY_THERE: Final = (
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
)


class Hotfix:
    """Previews what recorded runs would do with the code of today.

    future = Hotfix([OrderFulfilment], answers=Answers(table={"ship": "parcel-1"})).preview("stuck.json")
    """

    def __init__(
        self,
        workflows: Iterable[type[Any]],
        *,
        answers: Answers | None = None,
        data_converter: Any = None,
        deadlock_timeout: float | None = 2.0,
        profile: Profile | None = None,
        **temporal: Unpack[TemporalOptions],
    ) -> None:
        """Prepare previews.

        Args:
            workflows: Workflow classes, written for `temporalio.workflow`, for `playhead_engine.workflow`, or some for
                each. Children run for real if their class is among them.
            answers: What activities, and other children, come to.
            data_converter: As of `Replayer`.
            deadlock_timeout: As of `Replayer`.
            profile: As of `Replayer`.
            temporal: As of `Replayer`.

        Raises:
            ValueError, UnsupportedRelease, UnsupportedSdk, NondeterministicCall, RuntimeError: As of `Replayer`.
        """
        classes = classes_in(workflows)
        self.answers = answers or Answers()
        self.replayer = Replayer(
            classes, data_converter=data_converter, deadlock_timeout=deadlock_timeout, profile=profile, **temporal
        )
        self._runtimes = runtimes_of(classes, data_converter, deadlock_timeout, temporal, task_queue_of_history=True)
        self._data_converter = data_converter

    def preview(
        self,
        source: Source,
        *,
        at: int | None = None,
        edits: Sequence[Edit] = (),
        max_events: int = MAX_EVENTS,
        max_time: timedelta = MAX_TIME,
        workflow_id: str | None = None,
    ) -> Future:
        """Let a recorded run go on from a mark.

        Args:
            source: The history, its bytes, or the path of its file.
            at: The first event that is open again; what came before stays. By default a run that is open goes on at its
                end, and one that has ended from where it ended.
            edits: What happens at the mark, before anything else.
            max_events: Stop after so many new events.
            max_time: Stop after so much virtual time.
            workflow_id: The workflow id, where the history does not hold it.

        Raises:
            UnreadableHistory: The source is no history; the message says what it is instead.
            BadMark: There is no such event.
            CannotEdit: What is to happen at the mark cannot.
            CannotAdopt: The history lacks something that the engine needs to go on with it.
            BadAnswer: A table of answers holds something that is none.
        """
        history = history_of(source)
        stem = Path(source).stem if isinstance(source, str | os.PathLike) else ""
        named = workflow_id or history.id or stem or "workflow"
        verdict = self._verdict_on_all(history)
        if verdict is not None:
            return Future(history, len(history), history, Refused(verdict))
        mark = mark_at(history, at)
        verdict = self._verdict_before(mark, named)
        if not isinstance(verdict, Agrees | CodeRaised) or not _lets_go_on(verdict):
            return Future(history, len(mark.kept), History(mark.kept, named), Refused(verdict))
        preview = _Preview(self, history, mark, edits, named, max_events, max_time)
        preview.notes += [warning.text for warning in verdict.warnings]
        if asyncio._get_running_loop() is None:
            return preview.run()
        with ThreadPoolExecutor(1, "playhead-preview") as apart:  # an engine waits, and async code must not
            return apart.submit(preview.run).result()

    def _wire_of(self, workflow_type: str) -> Wire:
        runtime = next(one for one in self._runtimes if one.accepts(workflow_type))
        return wire_of(runtime, self._data_converter)

    def _verdict_on_all(self, history: History) -> Verdict | None:
        """What keeps a history from having any future, wherever the mark is."""
        if history.problems or first_gap(history) or history.started is None:
            return self.replayer.replay(history)
        if not self.replayer.accepts(history.workflow_type):
            return no_code_for(history.workflow_type, self.replayer.workflow_types())
        return None

    def _verdict_before(self, mark: Mark, workflow_id: str) -> Verdict:
        """Whether the code does what the workflow tasks before the mark recorded."""
        settled = _settled(mark.kept)
        if not settled:
            return Agrees(0)
        return self.replayer.replay(History(settled, workflow_id), workflow_id=workflow_id)


def preview(
    source: Source, workflows: Iterable[type[Any]], *, answers: Answers | None = None, **options: Any
) -> Future:
    """What a recorded run would do with the code of today; see `Hotfix.preview` for the options."""
    return Hotfix(workflows, answers=answers).preview(source, **options)


def _settled(events: Sequence[HistoryEvent]) -> tuple[HistoryEvent, ...]:
    """The events that completed workflow tasks have had their say about; none if no task was completed."""
    last = max((index for index, one in enumerate(events) if isinstance(one, kinds.WorkflowTaskCompleted)), default=-1)
    end = next(
        (index for index in range(last + 1, len(events)) if isinstance(events[index], kinds.WorkflowTaskStarted)),
        len(events),
    )
    return tuple(events[:end]) if last >= 0 else ()


def _lets_go_on(verdict: Agrees | CodeRaised) -> bool:
    """Whether the code came to the mark; what it does there is for the preview to find out."""
    return isinstance(verdict, Agrees) or verdict.temporal == "ok"


class _Enough(EngineStopped):
    """The preview has come far enough."""


class _BoundedStore(MemoryStore):
    """Keeps what a preview comes to, and refuses what goes too far.

    Attributes:
        respondent: Knows what waits for an answer; once something does, time stands still.
    """

    respondent: Respondent

    def __init__(self, clock: VirtualClock, adopted: int, max_events: int, max_time: timedelta) -> None:
        super().__init__()
        self._clock = clock
        self._left = adopted + max_events
        self._until_ns = clock.now_ns() + timedelta_ns(max_time)
        self._events_said = f"after {max_events:,} new events"
        self._time_said = f"after {max_time} of virtual time"

    def commit(self, writes: Sequence[RunWrite]) -> None:
        now_ns = self._clock.now_ns()
        if self.respondent.needed is not None:
            raise _Enough("it looks into a value that cannot be read")
        if self.respondent.asked_ns and now_ns > self.respondent.asked_ns:
            raise _Enough("it waits for an answer")
        if now_ns > self._until_ns:
            raise _Enough(self._time_said)
        self._left -= sum(len(write.events) for write in writes)
        if self._left < 0:
            raise _Enough(self._events_said)
        super().commit(writes)


class _Preview:
    """One preview.

    Attributes:
        notes: What is worth knowing about where it began.
    """

    def __init__(
        self,
        hotfix: Hotfix,
        history: History,
        mark: Mark,
        edits: Sequence[Edit],
        workflow_id: str,
        max_events: int,
        max_time: timedelta,
    ) -> None:
        self._hotfix, self._history, self._mark = hotfix, history, mark
        self._workflow_id, self._run_id = workflow_id, history.run_id or "run"
        self._clock = clock = VirtualClock(ns_datetime(0))
        clock.move_to(mark.time_ns)
        self._wire = wire = hotfix._wire_of(history.workflow_type)
        self._events = edited(mark, edits, workflow_id, self._run_id, wire)
        state = adoption.adopt(self._events, workflow_id, self._run_id, Moment(mark.time_ns))
        later = [
            *recorded_ends(history, OWN, wire, after=len(mark.kept)),
            *never_answered(history, OWN, wire),
        ]
        under_way = {(self._run_id, end.asked_id): end for end in later if end.asked_id <= len(mark.kept)}
        elsewhere = [end for name, one in hotfix.answers.histories for end in recorded_ends(one, name, wire)]
        ahead = [end for end in later if end.asked_id > len(mark.kept)]
        self._respondent = Respondent(hotfix.answers, under_way, [*ahead, *elsewhere], clock, wire)
        self.notes = [mark.note] if mark.note else []
        self._children = [self._child(state, one, under_way) for one in state.children.values() if one.run_id]
        self._answered = {
            one.run_id for key, one in state.children.items() if one.run_id and (self._run_id, key) in under_way
        }
        adopted = len(self._events) + sum(len(child.events) for child in self._children)
        self._store = _BoundedStore(clock, adopted, max_events, max_time)
        self._store.respondent = self._respondent

    def _child(self, parent: Any, pending: Any, under_way: dict[tuple[str, int], RecordedEnd]) -> History:
        """A child that is under way at the mark: as it was recorded, if that is given and open, or begun again."""
        for _, history in self._hotfix.answers.histories:
            if history.run_id == pending.run_id and not history.is_complete:
                return History(history.events, pending.workflow_id)
        if (self._run_id, pending.initiated_event_id) not in under_way:
            self.notes.append(
                f"Child workflow {pending.workflow_id} was under way, and its history is not given: it begins again."
            )
        now = Moment(self._mark.time_ns)
        attributes = requests.child(parent, pending, pending.run_id, IDENTITY, now)
        begun = requests.start(pending.workflow_id, pending.run_id, attributes, now)
        return History(tuple(begun.untold), pending.workflow_id)

    def run(self) -> Future:
        """Let it go on."""
        history, error = asyncio.run(self._go_on())
        return Future(
            self._history,
            len(self._mark.kept),
            history,
            self._ending(history, error),
            self._mark.time_ns,
            tuple(self._respondent.given),
            self._sites(history),
            tuple(self.notes),
        )

    async def _go_on(self) -> tuple[History, Exception | None]:
        """Run the engine for as long as something happens.

        Returns:
            The history then, and why it went no further.
        """
        hotfix, kept = self._hotfix, len(self._mark.kept)
        known = (self._history, *(one for _, one in hotfix.answers.histories))
        unreadable = partial(Unreadable, self._history) if any(map(has_unreadable, known)) else None
        responding = RespondingRuntime(self._respondent, hotfix._runtimes, self._answered, self._run_id, unreadable)
        outside = list(messages(self._history, kept, self._mark.asked))
        engine = Engine(
            activities=[self._respondent.as_activity(), *hotfix.answers.real],
            clock=self._clock,
            seed=0,
            shuffle=False,
            assume_delivery=not any(event.KIND in _NOBODY_THERE for event in self._history.events[kept:]),
            data_converter=hotfix._data_converter,
            runtimes=[responding, *hotfix._runtimes],
            store=self._store,
            identity=IDENTITY,
        )
        deliveries: list[asyncio.Task[None]] = []
        stopped: Exception | None = None
        try:
            handle = await engine.adopt_workflow(History(self._events, self._workflow_id), run_id=self._run_id)
            deliveries += [asyncio.create_task(deliver(one, engine, handle, self._wire)) for one in outside]
            for child in self._children:
                await engine.adopt_workflow(child)
            ended = engine.get_workflow_handle(handle.id, run_id=self._run_id, result_type=RawValue)
            await ended.result(follow_runs=False)
        except (WorkflowFailureError, WorkflowContinuedAsNewError, WorkflowStuckError, EngineStopped) as error:
            stopped = error
        finally:
            for task in deliveries:
                task.cancel()
            await asyncio.gather(*deliveries, return_exceptions=True)
            history = History.from_events(self._store.events(self._run_id), self._workflow_id)
            await engine.close()
        return history, stopped

    def _ending(self, history: History, error: Exception | None) -> Ending:
        closing = history.events[-1]
        if closing.KIND in CLOSING_KINDS:
            return Ended(closing)
        if self._respondent.needed is not None:
            return LooksInside(self._respondent.needed)
        if self._respondent.questions:
            return AwaitsAnswer(tuple(self._respondent.questions))
        match error:
            case _Enough():
                return Stopped(error.reason)
            case NothingDueError():
                return Waits(error.waits_for)
            case WorkflowTaskKeepsFailingError():
                return Stuck(f"its workflow task fails with {error.problem}", error.place)
            case ActivityKeepsFailingError():
                what = f"its activity {error.activity_type} was tried {error.attempts} times"
                return Stuck(f"{what}, and failed with {error.problem}")
            case _:
                raise error or AssertionError("a preview neither ended nor said why")

    def _sites(self, history: History) -> dict[int, Any]:
        passage = self._hotfix.replayer.begin(history, self._workflow_id)
        return {} if isinstance(passage, NotReplayable) else sites_of(passage)
