"""`check`: every history of a project against its code, and what that means for the gate."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from playhead.allowances import Allowance, Break
from playhead.checking.base import NoBase, base_of, checked_out, configuration_there
from playhead.checking.cache import FOLDER
from playhead.checking.inventory import Inventory, WorkflowClass
from playhead.checking.judgement import Judgement, Kind
from playhead.checking.outcome import Base, Check, Outcome, Standing, is_old, places
from playhead.checking.pool import Program
from playhead.checking.relocation import moved
from playhead.checking.side import HistoryFile, Judged, Side, history_file
from playhead.configuration import BadConfiguration, Configuration, find_configuration
from playhead.history_files import history_files
from playhead.importing import CodeNotLoaded
from playhead_engine.record import record

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that one history may take."""

_MOST_EXPLAINED: Final = 10


class NothingToCheck(ValueError):
    """There are no histories, which must never look like success."""


def check(
    histories: Iterable[str | os.PathLike[str]] | None = None,
    *,
    project: Configuration | None = None,
    base: str | None = None,
    jobs: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    cache: bool | str | os.PathLike[str] = True,
    fail_fast: bool = False,
    strict: bool = False,
    explains: bool = True,
    codec_auth: str = "",
    today: date | None = None,
    watch: Callable[[Iterator[Judged], int], Iterable[Judged]] = lambda items, _: items,
) -> Check:
    """Replay every history of a project against its code, in processes, and say what is new.

    Args:
        histories: Files and folders; those of the project if not given.
        project: What is known of the project; what `[tool.playhead]` says if not given.
        base: The branch, tag or commit to compare with; None to compare with nothing.
        jobs: How many processes may replay; None for one on each processor.
        timeout: How long one history may take, in seconds.
        cache: The folder of the cache; True for `.playhead_cache` in the project's folder, False for none.
        fail_fast: Whether to stop at the first break.
        strict: Whether warnings, workflow classes without a history and idle allowances fail the check as well.
        explains: Whether to find out why histories break.
        codec_auth: What to send to the codec server as `Authorization`.
        today: The day that allowances are held against; None for that of the clock.
        watch: Is handed the histories as they are judged, and how many there are, and hands them on: a progress bar.

    Returns:
        What it comes to; look whether it `passes`.

    Raises:
        NothingToCheck: There are no histories.
        BadConfiguration: `[tool.playhead]` cannot be used, or names no code.
        CodeNotLoaded: The code cannot be loaded.
        CodecUnavailable: The codec server cannot be asked.
        NoBase: There is no commit of the name of the base.
    """
    begun = time.monotonic()
    project = project if project is not None else find_configuration()
    if not project.code.workflows and project.code.worker is None:
        raise BadConfiguration("[tool.playhead] names no workflow code: neither `workflows` nor `worker`.")
    if project.runtime == "temporal-core":
        raise BadConfiguration(
            "A check replays by itself: runtime = 'temporal-core' goes with `playhead replay`, which can ask both."
        )
    names = None if histories is None else [Path(name) for name in histories]
    files = _files(project.history_paths() if names is None else names)
    compared = base_of(base) if base is not None else None
    settings = _Settings(
        jobs=jobs if jobs is not None else processors(),
        timeout=timeout,
        cache=_cache_folder(cache, project),
        strict=strict,
        codec_auth=codec_auth,
        today=today if today is not None else date.today(),
    )
    with ExitStack() as stack:
        side = stack.enter_context(_side(project, settings))
        # Processes load the code while the histories are looked at.
        side.prepare(len(files))
        read = [history_file(str(file)) for file in files]
        inventory = side.inventory()
        gate = _Gate(project, settings, compared, stack)
        found: dict[str, Judged] = {}
        for judged in watch(side.judged(read), len(read)):
            found[judged.file.path] = judged
            if fail_fast and gate.stops(judged):
                break
        looked_at = [one for file in read if (one := found.get(file.path)) is not None]
        outcomes = gate.outcomes(looked_at)
        if explains:
            outcomes = _explained(side, outcomes, found)
        notes = [note for note in (side.problem, _about_rules(side, outcomes)) if note]
        is_all = names is None and len(outcomes) == len(read)
        return Check(
            tuple(outcomes),
            folder=_folder(project),
            classes=inventory.classes,
            uncovered=tuple(_uncovered(inventory, outcomes)) if is_all else (),
            idle=tuple(gate.idle(outcomes, is_all=is_all)),
            base=gate.base,
            skipped=len(read) - len(outcomes),
            notes=tuple(notes),
            is_strict=strict,
            seconds=time.monotonic() - begun,
        )


def _files(paths: Iterable[Path]) -> list[Path]:
    """The history files that are named, directly or by their folder, each once.

    Raises:
        NothingToCheck: There are none, or something is not there.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found = history_files(path)
            if not found:
                raise NothingToCheck(
                    f"{path} holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing was checked."
                )
            files.update(dict.fromkeys(found))
        elif path.exists():
            files[path] = None
        else:
            raise NothingToCheck(f"There is no file or folder {path}: nothing was checked.")
    if not files:
        raise NothingToCheck(
            "There is nothing to check: name a history, a folder of them, or `histories` in [tool.playhead]."
        )
    unspeakable = next((path for path in files if any("\ud800" <= one <= "\udfff" for one in str(path))), None)
    if unspeakable is not None:
        raise NothingToCheck(f"The name of {str(unspeakable)!a} is no UTF-8, and no report can name it: rename it.")
    return list(files)


def _side(project: Configuration, settings: _Settings, there: tuple[str, str] | None = None) -> Side:
    """Histories against the code of one checkout.

    Args:
        project: What it says of itself.
        settings: How to check.
        there: This checkout and the one whose code is meant, if that is another.
    """
    directory, folder = os.getcwd(), _folder(project)
    if there is not None:
        directory, folder = moved(directory, *there), moved(folder, *there)
        directory = directory if os.path.isdir(directory) else there[1]
    endpoint = None
    if project.codec_endpoint is not None:
        namespace = project.code.namespace or "default"
        endpoint = {"url": project.codec_endpoint, "auth": settings.codec_auth, "namespace": namespace}
    code = replace(project.code, python_path=project.code.python_path or (folder,))
    path = tuple(one if there is None else moved(one, *there) for one in sys.path if one)
    program = Program(code, project.runtime, project.profile, endpoint, folder, directory, path, there)
    return Side(program, settings.cache, settings.jobs, settings.timeout)


def _folder(project: Configuration) -> str:
    return str(project.path.parent) if project.path is not None else os.getcwd()


def _cache_folder(wanted: bool | str | os.PathLike[str], project: Configuration) -> Path | None:
    if isinstance(wanted, bool):
        return Path(_folder(project), FOLDER) if wanted else None
    return Path(wanted)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@record
class _Settings:
    """How both sides of a comparison are looked at; see `check`."""

    jobs: int
    timeout: float
    cache: Path | None
    strict: bool
    codec_auth: str
    today: date


class _Gate:
    """Says what the judgements mean: what is new, what is old, what is allowed.

    Attributes:
        base: What the code is compared with, and what became of that.
    """

    def __init__(self, project: Configuration, settings: _Settings, base: Base | None, stack: ExitStack) -> None:
        """Prepare to say it.

        Args:
            project: The project.
            settings: How to check.
            base: What the code is to be compared with.
            stack: Ends what has to be ended.
        """
        self.base = base
        self._project, self._settings, self._stack = project, settings, stack
        self._there: tuple[str, str] | None = None
        self._base_side: Side | None = None
        self._found_before: dict[str, Judgement] = {}

    def outcomes(self, judged: Sequence[Judged]) -> list[Outcome]:
        """What each judgement means."""
        found = [self._outcome(one) for one in judged]
        failing = [
            one.file
            for one, outcome in zip(judged, found, strict=True)
            if outcome.standing in (Standing.BREAKS, Standing.UNCHECKED)
        ]
        self._look_before(failing)
        return [self._compared(outcome) for outcome in found]

    def stops(self, judged: Judged) -> bool:
        """Whether this one alone fails the check."""
        return bool([one for one in self.outcomes([judged]) if one.standing is Standing.BREAKS])

    def idle(self, outcomes: Sequence[Outcome], *, is_all: bool) -> list[Allowance]:
        """The allowances that allow nothing any more."""
        used = [outcome.allowance for outcome in outcomes if outcome.allowance is not None]
        return self._project.allowed.idle([_break(one.history, one.judgement) for one in outcomes], used, is_all=is_all)

    def _outcome(self, judged: Judged) -> Outcome:
        judgement = judged.judgement
        outcome = Outcome(
            judged.file.name, Standing.AGREES, judgement, is_known=judged.is_known, seconds=judged.seconds
        )
        if judgement.kind is Kind.AGREES:
            is_broken = self._settings.strict and bool(judgement.warnings)
            return replace(outcome, standing=Standing.BREAKS) if is_broken else outcome
        if not judgement.kind.is_verdict:
            return replace(outcome, standing=Standing.UNCHECKED)
        allowance = self._project.allowed.covering(_break(judged.file.path, judgement), self._settings.today)
        holds = allowance is not None and allowance.holds(self._settings.today)
        return replace(outcome, standing=Standing.ALLOWED if holds else Standing.BREAKS, allowance=allowance)

    def _look_before(self, files: Sequence[HistoryFile]) -> None:
        """Find out what came of histories with the code of the base, if there is one."""
        files = [file for file in files if file.name not in self._found_before]
        if self.base is None or self.base.problem or not files:
            return
        try:
            if self._there is None:
                self._there = self._stack.enter_context(checked_out(self.base))
            if self._base_side is None:
                project = configuration_there(self._project, *self._there)
                self._base_side = self._stack.enter_context(_side(project, self._settings, self._there))
            for judged in self._base_side.judged(files):
                # A file that could not be read then either must have been there.
                if not _is_new(judged, *self._there):
                    self._found_before[judged.file.name] = judged.judgement
        except (NoBase, CodeNotLoaded, BadConfiguration) as error:
            # Nobody finds anything in the folder of a checkout that is gone by then.
            said = str(error) if self._there is None else str(error).replace(f"{self._there[1]}{os.sep}", "")
            self.base = replace(self.base, problem=said)
            self._found_before.clear()

    def _compared(self, outcome: Outcome) -> Outcome:
        before = self._found_before.get(outcome.history)
        if before is None:
            return outcome
        compared = replace(outcome, before=before)
        return replace(compared, standing=Standing.OLD) if is_old(outcome.judgement, before) else compared


def _is_new(judged: Judged, here: str, there: str) -> bool:
    """Whether a file that cannot be read was not there, or was another."""
    if judged.judgement.kind is not Kind.UNREADABLE:
        return False
    return history_file(moved(judged.file.path, here, there)).digest != judged.file.digest


def _break(history: str, judgement: Judgement) -> Break:
    return Break(history, judgement.workflow_type, judgement.event_id)


def _explained(side: Side, outcomes: Sequence[Outcome], found: dict[str, Judged]) -> list[Outcome]:
    """Say of one history at each place why it breaks."""
    failing = places(one for one in outcomes if one.standing is Standing.BREAKS and one.judgement.kind is Kind.DIVERGES)
    wanted = [place.first for place in failing[:_MOST_EXPLAINED] if place.first.judgement.explanation is None]
    explained = {
        judged.file.name: judged.judgement
        for judged in side.explained([found[os.path.abspath(one.history)] for one in wanted])
    }
    return [replace(one, judgement=explained.get(one.history, one.judgement)) for one in outcomes]


def _uncovered(inventory: Inventory, outcomes: Iterable[Outcome]) -> list[WorkflowClass]:
    """The workflow classes that no history was recorded of. One that takes every type needs none of its own."""
    seen = {outcome.judgement.workflow_type for outcome in outcomes}
    return [one for one in inventory.classes if one.type and one.type not in seen]


def _about_rules(side: Side, outcomes: Iterable[Outcome]) -> str:
    diverges = any(one.standing is Standing.BREAKS and one.judgement.kind is Kind.DIVERGES for one in outcomes)
    return side.note if diverges else ""
