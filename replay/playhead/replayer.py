"""Re-runs histories against the workflow code of today.

One loop: what happened is told to the code, what the code asks for is held against what was recorded. The rules of both
are `playhead_engine.matching`'s; this module only drives them and turns how it ends into a verdict. It must not print,
and it never runs an activity.
"""

from __future__ import annotations

import gc
import os
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, Unpack

from playhead.divergence import beyond_the_end, from_error
from playhead.readers import UnreadableHistory, read_history
from playhead.runtimes import TemporalOptions, runtimes_of
from playhead.verdict import (
    Agrees,
    CodeRaised,
    CodeUnfinished,
    Diverges,
    NotReplayable,
    ReplayFailed,
    ReplayWarning,
    TemporalVerdict,
    Verdict,
    no_code_for,
)
from playhead_engine.activation import Activation
from playhead_engine.call_site import CallSite, is_library
from playhead_engine.commands import Command
from playhead_engine.guards.watchdog import WorkflowDeadlock
from playhead_engine.history import CLOSING_KINDS, History, HistoryEvent
from playhead_engine.machines.errors import InvalidHistory, Nondeterminism, ReplayError
from playhead_engine.matching import Machines
from playhead_engine.profile import Profile, installed_profile
from playhead_engine.runtime import Runtime, TaskFailed, WorkflowInstance

Source: TypeAlias = History | bytes | str | os.PathLike[str]
"""A history, its bytes, or the path of its file."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One history of several, and what its replay came to.

    Attributes:
        name: The file's path as it was given, or the workflow id of a history that came from no file.
        history: The history; None if it could not be read.
        verdict: What the replay came to.
    """

    name: str
    history: History | None
    verdict: Verdict


class NoHistories(ValueError):
    """There was nothing to replay, which must never look like success."""


class Replayer:
    """Replays histories against one set of workflow classes.

    Attributes:
        profile: The release of Temporal's core whose rules apply.

    Example:
        >>> from examples.orders import OrderFulfilment
        >>> verdict = Replayer([OrderFulfilment]).replay("fixtures/temporal/orders_completed.json")
    """

    def __init__(
        self,
        workflows: Iterable[type[Any]],
        *,
        data_converter: Any = None,
        deadlock_timeout: float | None = 2.0,
        profile: Profile | None = None,
        **temporal: Unpack[TemporalOptions],
    ) -> None:
        """Prepare to replay.

        Args:
            workflows: Workflow classes, written for `temporalio.workflow`, for `playhead_engine.workflow`, or some for
                each.
            data_converter: Turns payloads into values and back: `temporalio`'s, or for native code the engine's; the
                default one if not given.
            deadlock_timeout: How long the code may run in one workflow task without yielding, in seconds; None for
                ever.
            profile: The release of Temporal's core whose rules apply; by default that of the `temporalio` that is
                installed, or the newest if none is.
            temporal: How code written for `temporalio` is run; see `TemporalOptions`.

        Raises:
            ValueError: A class is no workflow, two have the same type, or an option is of no use to the code there is.
            UnsupportedRelease: The `temporalio` that is installed is too old, and no profile was given.
            UnsupportedSdk: The `temporalio` that is installed cannot be driven.
            NondeterministicCall: The code of a class shows that it would break replay.
            RuntimeError: A class cannot be imported into the sandbox of `temporalio`.
        """
        self.profile = profile if profile is not None else installed_profile()
        self._runtimes: tuple[Runtime, ...] = runtimes_of(workflows, data_converter, deadlock_timeout, temporal)

    def workflow_types(self) -> list[str]:
        """The types there is code for, sorted."""
        return sorted({name for runtime in self._runtimes for name in runtime.workflow_types()})

    def accepts(self, workflow_type: str) -> bool:
        """Whether there is code for a type."""
        return any(runtime.accepts(workflow_type) for runtime in self._runtimes)

    def runtime_of(self, workflow_type: str) -> str:
        """What drives the code of a type, as reports call it; empty if there is no code for it."""
        name = next((runtime.name for runtime in self._runtimes if runtime.accepts(workflow_type)), "")
        return f"{name} (temporalio {_sdk_version()})" if name == "temporal" else name

    def replay(self, source: Source, *, workflow_id: str | None = None, raise_on_failure: bool = False) -> Verdict:
        """Replay one history.

        Args:
            source: The history, its bytes, or the path of its file.
            workflow_id: The id to replay under; by default the one the history holds, else the name of its file.
            raise_on_failure: Raise instead of returning any verdict but `Agrees`.

        Returns:
            What the replay came to.

        Raises:
            UnreadableHistory: The source is no history; the message says what it is instead.
            ReplayFailed: The verdict is not `Agrees`, and `raise_on_failure` is set.
        """
        history = source if isinstance(source, History) else read_history(source)
        name = _name_of(source, history)
        verdict = self._replay(history, workflow_id or history.id or Path(name).stem)
        if raise_on_failure and not isinstance(verdict, Agrees):
            from playhead.report import report

            raise ReplayFailed(name, verdict, report(name, history, verdict, profile=self.profile))
        return verdict

    def replay_all(self, sources: Iterable[Source]) -> Iterator[Replayed]:
        """Replay histories one after the other; files that cannot be read come out as `NotReplayable`.

        Returns:
            What each comes to; a history is replayed when its turn comes, so look at all of them.

        Raises:
            NoHistories: There are none.
        """
        rest = iter(sources)
        first = next(rest, None)
        if first is None:
            raise NoHistories("There are no histories to replay: nothing was checked.")
        return self._replay_each(chain([first], rest))

    def _replay_each(self, sources: Iterable[Source]) -> Iterator[Replayed]:
        for source in sources:
            try:
                history = source if isinstance(source, History) else read_history(source)
            except UnreadableHistory as error:
                yield Replayed(str(source), None, unreadable(error))
            else:
                yield Replayed(_name_of(source, history), history, self.replay(history))

    def replay_directory(self, directory: str | os.PathLike[str]) -> Iterator[Replayed]:
        """Replay every history file in a directory and those below it, in the order of their names.

        Raises:
            NoHistories: There are none.
            NotADirectoryError: It is no directory.
        """
        files = history_files(Path(directory))
        if not files:
            kinds = "*.json, *.json.gz, *.bin, *.pb"
            raise NoHistories(f"{directory} holds no history files ({kinds}): nothing was checked.")
        return self.replay_all(files)

    def _replay(self, history: History, workflow_id: str) -> Verdict:
        gap = _gap(history)
        if len(history.problems) > (gap != 0):
            return NotReplayable("; ".join(history.problems))
        end = _end(history)
        told = replace(history, events=history.events[:end]) if end else history
        try:
            machines = Machines(told.events, workflow_id, self.profile)
        except InvalidHistory as error:
            return NotReplayable(str(error), error.event.event_id if error.event else 0, "hangs")
        workflow_type = history.workflow_type
        runtime = next((r for r in self._runtimes if r.accepts(workflow_type)), None)
        if runtime is None:
            return no_code_for(workflow_type, self.workflow_types())
        instance = runtime.create(workflow_type, machines.run_id)
        with _collector_spared(), getattr(runtime, "replaying", nullcontext)():
            try:
                verdict = _drive(told, machines, instance)
            finally:
                instance.close()
        # What differs earlier differs. All that can be said beyond is that the history is broken.
        if gap and (
            isinstance(verdict, Agrees) or (isinstance(verdict, Diverges) and verdict.divergence.event_id == gap)
        ):
            problem = "; ".join(history.problems) or f"event {gap} does not come after the one before it"
            return NotReplayable(problem, gap, verdict.temporal)
        if end and isinstance(verdict, Agrees):
            return _goes_on_after_the_end(history.events[end - 1], history.events[end])
        return verdict


def _goes_on_after_the_end(last: HistoryEvent, late: HistoryEvent) -> NotReplayable:
    """The verdict on a history with events after the one that closes the run. Temporal looks at few of them."""
    problem = (
        f"Not a legal history: Event {late.event_id} ({late.type_name}) comes after the run ended with event "
        f"{last.event_id} ({last.type_name})"
    )
    is_noticed = last.KIND in ("WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT")
    return NotReplayable(problem, late.event_id, "error" if is_noticed else "ok")


def _end(history: History) -> int:
    """How many events there are up to the one that closes the run; 0 if it is the last one or there is none."""
    return next((at for at, event in enumerate(history.events[:-1], 1) if event.KIND in CLOSING_KINDS), 0)


def _gap(history: History) -> int:
    """The id of the first event that cannot come where it stands; 0 if there is none."""
    return next((event.event_id for at, event in enumerate(history.events, 1) if event.event_id != at), 0)


@cache
def _sdk_version() -> str:
    return version("temporalio")


@contextmanager
def _collector_spared() -> Generator[None]:
    """Keep the cyclic garbage collector from walking a large history again and again: there are no cycles in it."""
    if gc.get_freeze_count():
        yield  # somebody else has frozen the heap, and unfreezing it is theirs
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def history_files(directory: Path) -> list[Path]:
    """The files below a directory that look like histories by their names, sorted; not the index of a collection."""
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is not a directory")
    suffixes = (".json", ".json.gz", ".bin", ".pb")
    found = (p for p in directory.rglob("*") if p.name.lower().endswith(suffixes) and p.name != "INDEX.json")
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(directory).parts))


def unreadable(error: UnreadableHistory) -> NotReplayable:
    """The verdict on a file that could not be read."""
    return NotReplayable(". ".join(part for part in (error.problem, error.advice) if part))


def _name_of(source: Source, history: History) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return history.id or history.run_id or "history"


def _drive(history: History, machines: Machines, instance: WorkflowInstance) -> Verdict:
    """Replay to the end of the history, or to the first thing that keeps it from being reached."""
    is_first = True
    unmet: tuple[Command, ...] = ()
    while True:
        try:
            applied = machines.last_event_id
            activation = machines.next_activation()
            if not machines.replaying and machines.last_event_id > applied:
                # What has met no event by now was asked for in a task whose answer lies behind us.
                unmet = machines.outgoing()
            if activation is None:
                break
            is_first = False
            completion = instance.activate(activation)
            if isinstance(completion, TaskFailed):
                return _raised(history, activation, completion)
            machines.completed(completion.commands)
        except ReplayError as error:
            return _mismatch(machines, error, _waits_of(instance), before_any_code=is_first)
    return _reached_the_end(history, machines, unmet)


def _waits_of(instance: WorkflowInstance) -> tuple[tuple[str, CallSite | None], ...]:
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


def _raised(history: History, activation: Activation, failed: TaskFailed) -> Verdict:
    error = failed.error
    temporal: TemporalVerdict = "error" if activation.is_replaying else "ok"
    if not isinstance(error, Exception):
        temporal = "hangs"  # its worker catches less than a workflow may raise, and waits for an answer ever after
    site = _innermost_user_line(error.__traceback__)
    if isinstance(error, WorkflowDeadlock):
        return CodeUnfinished(str(error), activation.history_length, site, temporal)
    return CodeRaised(
        _type_name(failed),
        str(error),
        activation.history_length,
        site,
        _user_traceback(error),
        is_recorded=_ends_in_failed_task(history),
        temporal=temporal,
    )


def _type_name(failed: TaskFailed) -> str:
    """The class of the error; where it was raised in a library that kept only a failure, that failure knows."""
    recorded = failed.failure.get("applicationFailureInfo", {}).get("type")
    return recorded or type(failed.error).__name__


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


def _innermost_user_line(frames: TracebackType | None) -> CallSite | None:
    site = None
    while frames is not None:
        code = frames.tb_frame.f_code
        if not is_library(code.co_filename):
            site = CallSite(code, frames.tb_lasti)
        frames = frames.tb_next
    return site


def _user_traceback(error: BaseException) -> str:
    """The traceback as Python prints it, without the frames of this package and of asyncio."""
    shown = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = shown
    while part is not None:
        part.stack = traceback.StackSummary.from_list(f for f in part.stack if not is_library(f.filename))
        part = part.__cause__ or part.__context__
    return "".join(shown.format())
