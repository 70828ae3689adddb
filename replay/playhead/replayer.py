"""Re-runs histories against the workflow code of today.

Finds the runtime that has code for a history, and sends the code through it (see `passage`). It must not print.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from playhead.enactment import Staging
from playhead.history_files import history_files
from playhead.passage import Passage, early_end, first_gap
from playhead.readers import UnreadableHistory
from playhead.runtimes import TemporalOptions, classes_in, runtimes_of, wire_of
from playhead.sources import Source, history_of, name_of, workflow_id_of
from playhead.unreadable import Unreadable, has_unreadable
from playhead.verdict import (
    Agrees,
    Diverges,
    NotReplayable,
    ReplayFailed,
    Verdict,
    no_code_for,
)
from playhead_engine.call_site import noting_origins
from playhead_engine.history import History
from playhead_engine.machines.errors import InvalidHistory
from playhead_engine.matching import Machines
from playhead_engine.profile import Profile, installed_profile
from playhead_engine.runtime import Runtime

if TYPE_CHECKING:
    from playhead.diagnosis.code import Code
    from playhead.diagnosis.diagnosis import Diagnosis
    from playhead.diagnosis.fix import Fix
    from playhead.hotfix.answers import Answers
    from playhead.hotfix.preview import Hotfix
    from playhead.timeline.recording import Recording

__all__ = ["NoHistories", "Replayed", "Replayer", "Source", "history_files", "unreadable"]


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
        self._workflows = classes_in(workflows)
        self._data_converter, self._deadlock_timeout, self._temporal = data_converter, deadlock_timeout, temporal
        self._runtimes: tuple[Runtime, ...] = runtimes_of(self._workflows, data_converter, deadlock_timeout, temporal)

    def with_workflows(self, workflows: Iterable[type[Any]]) -> Replayer:
        """One that replays other classes in the same way."""
        return Replayer(
            workflows,
            data_converter=self._data_converter,
            deadlock_timeout=self._deadlock_timeout,
            profile=self.profile,
            **self._temporal,
        )

    @property
    def has_options(self) -> bool:
        """Whether its code is run in any other way than code alone would be."""
        return self._data_converter is not None or bool(self._temporal)

    def hotfix(self, answers: Answers | None = None) -> Hotfix:
        """Previews of what the same code would do next on recorded runs.

        Args:
            answers: What activities, and children there is no code for, come to.
        """
        from playhead.hotfix.preview import Hotfix

        return Hotfix(
            self._workflows,
            answers=answers,
            data_converter=self._data_converter,
            deadlock_timeout=self._deadlock_timeout,
            profile=self.profile,
            **self._temporal,
        )

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
            source: The history (`temporalio`'s `WorkflowHistory` will do), its bytes, or the path of its file.
            workflow_id: The id to replay under; by default the one the history holds, else the name of its file.
            raise_on_failure: Raise instead of returning any verdict but `Agrees`.

        Returns:
            What the replay came to.

        Raises:
            UnreadableHistory: The source is no history; the message says what it is instead.
            ReplayFailed: The verdict is not `Agrees`, and `raise_on_failure` is set.
        """
        history = history_of(source)
        name = name_of(source, history)
        verdict = self._replay(history, workflow_id_of(source, history, workflow_id))
        if raise_on_failure and not isinstance(verdict, Agrees):
            from playhead.rendering import report

            raise ReplayFailed(name, verdict, report(name, history, verdict, profile=self.profile))
        return verdict

    def diagnose(
        self, source: Source, *, workflow_id: str | None = None, verdict: Verdict | None = None, seconds: float = 5.0
    ) -> Diagnosis:
        """Replay one history, and find out how it and the code differ beyond the first mismatch.

        Args:
            source: The history (`temporalio`'s `WorkflowHistory` will do), its bytes, or the path of its file.
            workflow_id: The id to replay under; by default the one the history holds, else the name of its file.
            verdict: What the replay came to, where that is known already.
            seconds: How long to look for the simplest explanation.

        Returns:
            Both sides, row by row, with causes and warnings; no rows where the history cannot be replayed at all.

        Raises:
            UnreadableHistory: The source is no history; the message says what it is instead.
        """
        from playhead.diagnosis.alignment import Alignment
        from playhead.diagnosis.diagnosis import Diagnosis, diagnose

        history = history_of(source)
        workflow_id = workflow_id_of(source, history, workflow_id)
        if verdict is None:
            verdict = self._replay(history, workflow_id)
        code = self.code_for(history)
        if isinstance(verdict, NotReplayable) or code is None:
            return Diagnosis(verdict, Alignment((), 0), (), ())
        return diagnose(history, workflow_id, verdict, code, seconds=seconds)

    def fix(self, diagnosis: Diagnosis, source: Source) -> Fix:
        """Write the patch that lets a recorded run go on with the code of today, and try it.

        Args:
            diagnosis: What differs, as `diagnose` found it.
            source: The same history, its bytes, or the path of its file.
        """
        from playhead.diagnosis.fix import propose

        history = history_of(source)
        return propose(diagnosis, history, self)

    def code_for(self, history: History) -> Code | None:
        """What a diagnosis needs to run the workflow of a history; None if there is no code for it."""
        from playhead.diagnosis.code import Code

        workflow_type = history.workflow_type
        runtime = next((runtime for runtime in self._runtimes if runtime.accepts(workflow_type)), None)
        if runtime is None:
            return None
        code = Code.of(runtime, workflow_type, self._workflows, self._data_converter, self.profile)
        return replace(code, stands_in=has_unreadable(history))

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
                history = history_of(source)
            except UnreadableHistory as error:
                yield Replayed(str(source), None, unreadable(error))
            else:
                yield Replayed(name_of(source, history), history, self.replay(history))

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
        verdict = self._pass_through(history, workflow_id)
        if not isinstance(verdict, Diverges) or _shows_its_line(verdict):
            return verdict
        # What `gather` was given is run by nobody's line. Who made it is noted on a second way, since noting it costs.
        with noting_origins():
            again = self._pass_through(history, workflow_id)
        is_same = isinstance(again, Diverges) and again.divergence.event_id == verdict.divergence.event_id
        return again if is_same else verdict

    def _pass_through(self, history: History, workflow_id: str) -> Verdict:
        passage = self.begin(history, workflow_id)
        if isinstance(passage, NotReplayable):
            return passage
        try:
            return passage.finish()
        finally:
            passage.close()

    def record(self, source: Source, *, workflow_id: str | None = None, queries: Sequence[str] = ()) -> Recording:
        """Replay one history and record what the run looked like after each workflow task.

        Args:
            source: The history (`temporalio`'s `WorkflowHistory` will do), its bytes, or the path of its file.
            workflow_id: The id to replay under; by default the one the history holds, else the name of its file.
            queries: Names of queries to be answered after every workflow task.

        Returns:
            The recording. Where the code diverges or raises, it goes that far.

        Raises:
            UnreadableHistory: The source is no history; the message says what it is instead.
            ReplayFailed: There is no code for it, or no server writes such a history.
        """
        from playhead.timeline.recording import Recording

        history = history_of(source)
        return Recording(history, self.passages(history, name_of(source, history), workflow_id), queries)

    def passages(self, history: History, name: str, workflow_id: str | None = None) -> Callable[[], Passage]:
        """What makes passages through a history, each with a run of its own.

        Args:
            history: The history.
            name: How to call it.
            workflow_id: The id to replay under; by default the one the history holds, else the name of its file.

        Raises:
            ReplayFailed: When it is called: there is no code for it, or no server writes such a history.
        """

        def begin() -> Passage:
            passage = self.begin(history, workflow_id or history.id or Path(name).stem)
            if isinstance(passage, NotReplayable):
                raise ReplayFailed(name, passage, f"{name}: not replayable\n  {passage.reason}")
            return passage

        return begin

    def begin(self, history: History, workflow_id: str) -> Passage | NotReplayable:
        """Prepare to pass through a history step by step; whoever asks for it closes it.

        Args:
            history: The history.
            workflow_id: The id to replay under.
        """
        if len(history.problems) > (first_gap(history) != 0):
            return NotReplayable("; ".join(history.problems))
        end = early_end(history)
        try:
            machines = Machines(history.events[:end] if end else history.events, workflow_id, self.profile)
        except InvalidHistory as error:
            return NotReplayable(str(error), error.event.event_id if error.event else 0, "hangs")
        workflow_type = history.workflow_type
        runtime = next((r for r in self._runtimes if r.accepts(workflow_type)), None)
        if runtime is None:
            return no_code_for(workflow_type, self.workflow_types())
        staging = Staging(
            partial(runtime.create, workflow_type, machines.run_id),
            partial(wire_of, runtime, self._data_converter),
            getattr(runtime, "replaying", nullcontext),
            partial(Unreadable, history) if has_unreadable(history) else None,
        )
        return Passage(history, machines, staging)


def _shows_its_line(verdict: Diverges) -> bool:
    """Whether it is known which line asks, or which lines wait where nothing is asked for."""
    divergence = verdict.divergence
    return divergence.site is not None or (divergence.now is None and all(site for _, site in divergence.waits))


@cache
def _sdk_version() -> str:
    return version("temporalio")


def unreadable(error: UnreadableHistory) -> NotReplayable:
    """The verdict on a file that could not be read."""
    return NotReplayable(". ".join(part for part in (error.problem, error.advice) if part))
