"""One passage of workflow code through a history, activation by activation.

What happened is told to the code, what the code asks for is held against what was recorded; the rules of both are
`playhead_engine.matching`'s. A passage goes forward only, and can stop after any activation to be looked into. How it
ends is a verdict. It must not print, and it never runs an activity.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from playhead.divergence import beyond_the_end, from_error
from playhead.enactment import Enactment, Staging
from playhead.exception_text import message_of
from playhead.verdict import (
    Agrees,
    CodeRaised,
    CodeUnfinished,
    Diverges,
    NeedsValue,
    NotReplayable,
    ReplayWarning,
    TemporalVerdict,
    Verdict,
)
from playhead_engine.activation import Activation, InitializeWorkflow, ResolveActivity, ResolveChild, ResolveNexus
from playhead_engine.call_site import CallSite, definition_line, elsewhere, is_library, raising_line
from playhead_engine.commands import (
    Command,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    StartChildWorkflow,
)
from playhead_engine.guards.watchdog import WorkflowDeadlock
from playhead_engine.history import CLOSING_KINDS, History, HistoryEvent
from playhead_engine.machines.errors import Nondeterminism, ReplayError
from playhead_engine.matching import Machines
from playhead_engine.runtime import TaskFailed, WorkflowInstance, inspectable


class Passage(Enactment):
    """See the module.

    Attributes:
        history: What was recorded.
        machines: Where in it the passage is.
        verdict: How the passage ended; None while it has not.
    """

    def __init__(self, history: History, machines: Machines, staging: Staging) -> None:
        """
        Args:
            history: What was recorded.
            machines: At its beginning.
            staging: Begins the run of the code.
        """
        super().__init__(staging)
        self.history = history
        self.machines = machines
        self.verdict: Verdict | None = None
        self._told = 0
        self._unmet: tuple[Command, ...] = ()
        self._asked: list[Command] = []

    def advance(self) -> bool:
        """Let the code answer one more activation.

        Returns:
            Whether it did. If not, or if its answer was the last, `verdict` is there.
        """
        if self.verdict is not None:
            return False
        machines = self.machines
        answered = False
        try:
            applied = machines.last_event_id
            activation = machines.next_activation()
            if not machines.replaying and machines.last_event_id > applied:
                # What has met no event by now was asked for in a task whose answer lies behind us.
                self._unmet = machines.outgoing()
            if activation is None:
                self._end(_reached_the_end(self.history, machines, self._unmet))
                return False
            if machines.last_event_id > self._told:
                self.task += 1
                self._told = machines.last_event_id
            completion = self.tell(activation)
            if isinstance(completion, NeedsValue):
                self._end(completion)
                return True
            answered = True
            if isinstance(completion, TaskFailed):
                self._end(self._raised(activation, completion))
                return True
            machines.completed(completion.commands)
            self._asked += completion.commands
        except ReplayError as error:
            waits = waits_of(self.instance)
            self._end(_mismatch(machines, error, waits, before_any_code=self.activation is None))
        return answered

    def _raised(self, activation: Activation, failed: TaskFailed) -> Verdict:
        error = failed.error
        temporal: TemporalVerdict = "error" if activation.is_replaying else "ok"
        if not isinstance(error, Exception):
            temporal = "hangs"  # its worker catches less than a workflow may raise, and waits for an answer ever after
        site = raising_line(error.__traceback__)
        if isinstance(error, WorkflowDeadlock):
            where = elsewhere(error.file, "", error.line) if error.line else site
            return CodeUnfinished(str(error), activation.history_length, where, temporal)
        return CodeRaised(
            _type_name(failed),
            message_of(error),
            activation.history_length,
            site or self._told_line(activation),
            _user_traceback(error),
            causes=_causes(error),
            is_recorded=_ends_in_failed_task(self.history),
            temporal=temporal,
        )

    def _told_line(self, activation: Activation) -> CallSite | None:
        """The line that takes what the code is told, where no line of its own raised: it cannot be converted."""
        jobs = activation.jobs
        if any(isinstance(job, InitializeWorkflow) for job in jobs):
            inside = inspectable(self.instance)
            return None if inside is None else definition_line(inside.handler("run", ""))
        told = [job for job in jobs if isinstance(job, ResolveActivity | ResolveChild | ResolveNexus)]
        return self._asking_line(told[0]) if len(told) == 1 else None  # of several, any may be meant

    def _asking_line(self, told: ResolveActivity | ResolveChild | ResolveNexus) -> CallSite | None:
        """The line that asked for what the code is now told the outcome of."""
        for command in self._asked:
            match told, command:
                case (
                    (ResolveActivity(seq=seq), ScheduleActivity(seq=asked) | ScheduleLocalActivity(seq=asked))
                    | (ResolveChild(seq=seq), StartChildWorkflow(seq=asked))
                    | (ResolveNexus(seq=seq), ScheduleNexusOperation(seq=asked))
                ) if seq == asked:
                    return command.site
                case _:
                    pass
        return None

    def _end(self, verdict: Verdict) -> None:
        if self._unreadable is not None:
            verdict = self._unreadable.told_by(verdict)
        gap = first_gap(self.history)
        # What differs before the gap differs; all that can be said beyond it is that something is missing.
        if gap and (
            isinstance(verdict, Agrees) or (isinstance(verdict, Diverges) and verdict.divergence.event_id == gap)
        ):
            problem = "; ".join(self.history.problems) or f"event {gap} does not come after the one before it"
            verdict = NotReplayable(problem, gap, verdict.temporal)
        end = early_end(self.history)
        if end and isinstance(verdict, Agrees):
            verdict = _goes_on_after_the_end(self.history.events[end - 1], self.history.events[end])
        self.verdict = verdict

    def advance_to(self, task: int) -> None:
        """Go on until a workflow task is over, or until there is nothing more to go on with."""
        while self.verdict is None and (self.task < task or self.machines.has_more_to_tell):
            self.advance()

    def finish(self) -> Verdict:
        """Go on to the end of the history, or to the first thing that keeps it from being reached."""
        with collector_spared():
            while self.verdict is None:
                self.advance()
        return self.verdict


def first_gap(history: History) -> int:
    """The id of the first event that cannot come where it stands; 0 if there is none."""
    return next((event.event_id for at, event in enumerate(history.events, 1) if event.event_id != at), 0)


def early_end(history: History) -> int:
    """How many events there are up to the one that closes the run; 0 if it is the last one or there is none."""
    return next((at for at, event in enumerate(history.events[:-1], 1) if event.KIND in CLOSING_KINDS), 0)


def _goes_on_after_the_end(last: HistoryEvent, late: HistoryEvent) -> NotReplayable:
    """The verdict on a history with events after the one that closes the run. Temporal looks at few of them."""
    problem = (
        f"Not a legal history: Event {late.event_id} ({late.type_name}) comes after the run ended with event "
        f"{last.event_id} ({last.type_name})"
    )
    is_noticed = last.KIND in ("WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT")
    return NotReplayable(problem, late.event_id, "error" if is_noticed else "ok")


@contextmanager
def collector_spared() -> Generator[None]:
    """Keep the cyclic garbage collector from walking a large history again and again: there are no cycles in it."""
    if gc.get_freeze_count():
        yield  # somebody else has frozen the heap, and unfreezing it is theirs
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def waits_of(instance: WorkflowInstance) -> tuple[tuple[str, CallSite | None], ...]:
    """What the code waits for, as far as its runtime can tell."""
    pending: Callable[[], Iterable[Any]] | None = getattr(instance, "pending", None)
    return tuple((f"{one.kind} {one.name}".strip(), one.site) for one in pending()) if pending is not None else ()


def _mismatch(
    machines: Machines, error: ReplayError, waits: tuple[tuple[str, CallSite | None], ...], *, before_any_code: bool
) -> Verdict:
    temporal: TemporalVerdict
    if before_any_code:
        temporal = "error"
    elif not machines.replaying:
        temporal = "ok"  # it no longer looks once the code is live
    elif not isinstance(error, Nondeterminism):
        temporal = "error"
    else:
        temporal = "nondeterminism"
    divergence = from_error(error, machines.last_event_id, waits)
    if before_any_code:
        return NotReplayable(str(error), divergence.event_id, temporal)
    return Diverges(divergence, temporal)


def _type_name(failed: TaskFailed) -> str:
    """The class of the error; where it was raised in a library that kept only a failure, that failure knows."""
    recorded = failed.failure.get("applicationFailureInfo", {}).get("type")
    return recorded or type(failed.error).__name__


def _causes(error: BaseException) -> tuple[str, ...]:
    """What the error came from, as far as the code says so, each with its class."""
    causes: list[str] = []
    seen = {id(error)}
    while (cause := error.__cause__) is not None and id(cause) not in seen:
        causes.append(f"{type(cause).__name__}: {cause}")
        seen.add(id(cause))
        error = cause
    return tuple(causes)


def _reached_the_end(history: History, machines: Machines, unmet: tuple[Command, ...]) -> Verdict:
    """The verdict on code that met every event; `unmet` is what the last completed task was asked for in vain."""
    last = history.events[-1]
    if unmet and not machines.closed:
        return Diverges(beyond_the_end(unmet, last.event_id), "ok")
    asked = machines.outgoing()
    warnings: list[ReplayWarning] = []
    if asked and last.KIND == "WORKFLOW_TASK_COMPLETED":
        warnings.append(
            ReplayWarning(
                f"The history ends with event {last.event_id} (WorkflowTaskCompleted) and does not show what that task "
                f"asked for. The code asks for {len(asked)} command{'s' if len(asked) > 1 else ''}; if the file is "
                "complete, the task asked for nothing and this is a divergence.",
                last.event_id,
                getattr(next(iter(asked)), "site", None),
            )
        )
    return Agrees(len(history.events), () if machines.closed else asked, tuple(warnings))


def _ends_in_failed_task(history: History) -> bool:
    for event in reversed(history.events):
        if event.KIND in ("WORKFLOW_TASK_FAILED", "WORKFLOW_TASK_TIMED_OUT"):
            return True
        if event.KIND == "WORKFLOW_TASK_COMPLETED":
            return False
    return False


def _user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without the frames of libraries: see `is_library`."""
    shown = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = shown
    while part is not None:
        part.stack = traceback.StackSummary.from_list(f for f in part.stack if not is_library(f.filename))
        part = part.__cause__ or part.__context__
    return "".join(shown.format())
