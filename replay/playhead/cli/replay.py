"""`playhead replay`: re-run histories against workflow code."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from playhead.cli import USAGE, complain
from playhead.cli.judges import Judge, judges_of
from playhead.cli.project import project_of
from playhead.loading import CodeNotLoaded
from playhead.readers import UnreadableHistory, read_history
from playhead.replayer import Replayed, history_files, unreadable
from playhead.report import as_json, label, report
from playhead.temporal_core.answers import agree
from playhead.terminal import Style, style_of, width_of, with_progress
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NotReplayable, Verdict
from playhead_engine.guards import NondeterministicCall
from playhead_engine.profile import Profile

_EXIT_CODES: dict[type[Verdict], int] = {
    Agrees: 0,
    Diverges: 1,
    CodeRaised: 3,
    CodeUnfinished: 4,
    NotReplayable: 5,
}
# The first of these that occurred is what the command exits with.
_GRAVEST_FIRST = (USAGE, 1, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One history, its verdict, what drove the code, by whose rules, and what Temporal's own Replayer says if it was
    asked."""

    replayed: Replayed
    runtime: str = ""
    profile: Profile | None = None
    second: Verdict | None = None

    @property
    def is_contested(self) -> bool:
        """Whether the two say different things."""
        return self.second is not None and not agree(self.replayed.verdict, self.second)


def main(arguments: argparse.Namespace) -> int:
    """Replay, report, and return the exit code."""
    # What keeps workflow code from going on is told in the report, in words.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    with contextlib.ExitStack() as stack:
        try:
            project = project_of(arguments)
            files = _files([Path(name) for name in arguments.histories] or project.history_paths())
            if arguments.workflow_id is not None and len(files) > 1:
                return complain("--workflow-id goes with one history")
            # What the user's code prints while it is loaded is no part of a report.
            with contextlib.redirect_stdout(sys.stderr):
                judge, second = judges_of(project, arguments, stack)
        except (CodeNotLoaded, NondeterministicCall, OSError, RuntimeError, ValueError) as error:
            return complain(error)
        if not files:
            return complain("Name a history, or a directory of them, or `histories` in [tool.playhead].")
        note = judge.profile.note if judge.profile is not None else ""
        return _report(_judged(judge, second, files, arguments.workflow_id), len(files), arguments, note)


def _report(items: Iterable[_Judged], count: int, arguments: argparse.Namespace, note: str) -> int:
    style, width = style_of(sys.stdout), width_of(sys.stdout)
    codes: set[int] = set()
    counted: Counter[str] = Counter()
    for item in with_progress(items, count, "replaying"):
        history, verdict = item.replayed.history, item.replayed.verdict
        code = _exit_code(item, is_strict=arguments.strict)
        codes.add(code)
        counted[label(verdict) if history is not None else "unreadable"] += 1
        if arguments.json:
            sys.stdout.write(orjson.dumps(_as_json(item)).decode() + "\n")
        elif code != 0 or item.is_contested or not arguments.quiet:
            print(_text(item, style, width, is_verbose=arguments.verbose))
            if arguments.traceback and isinstance(verdict, CodeRaised):
                print("\n".join(f"    {line}" for line in verdict.traceback.rstrip().splitlines()))
    if count > 1 and not arguments.json:
        print(f"{count} histories: " + ", ".join(f"{number} {name}" for name, number in counted.items()))
    if note and counted["diverges"]:
        print(f"note: {note}", file=sys.stderr)
    return next((code for code in _GRAVEST_FIRST if code in codes), 0)


def _files(paths: list[Path]) -> list[Path]:
    """The history files that are named, directly or by their directory.

    Raises:
        ValueError: A directory holds none, which must not pass for success.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = history_files(path)
            if not found:
                raise ValueError(f"{path} holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing was checked")
            files += found
        else:
            files.append(path)
    return files


def _judged(judge: Judge, second: Judge | None, files: list[Path], workflow_id: str | None) -> Iterator[_Judged]:
    for path in files:
        try:
            history = read_history(path)
        except UnreadableHistory as error:
            yield _Judged(Replayed(str(path), None, unreadable(error)))
            continue
        known_as = workflow_id or history.id or path.stem
        verdict = judge.replay(history, workflow_id=known_as)
        opinion = None
        if second is not None and second.accepts(history.workflow_type):
            opinion = second.replay(history, workflow_id=known_as)
        runtime = judge.runtime_of(history.workflow_type)
        yield _Judged(Replayed(str(path), history, verdict), runtime, judge.profile, opinion)


def _exit_code(item: _Judged, *, is_strict: bool) -> int:
    if item.replayed.history is None:
        return USAGE
    verdict = item.replayed.verdict
    if is_strict and isinstance(verdict, Agrees) and (verdict.warnings or item.is_contested):
        return 1
    return _EXIT_CODES[type(verdict)]


def _text(item: _Judged, style: Style, width: int, *, is_verbose: bool) -> str:
    name, history = item.replayed.name, item.replayed.history
    lines = [report(name, history, item.replayed.verdict, profile=item.profile, style=style, width=width)]
    if item.second is not None and item.is_contested:
        said = report(name, history, item.second, style=style, width=width - 4).splitlines()
        lines.append(f"  {style('warning', 'yellow')}: Temporal's own Replayer says otherwise:")
        lines += [f"    {line}" for line in said]
    if is_verbose and item.runtime:
        lines.append(f"  {'runtime':<8}  {item.runtime}")
    if history is not None:
        lines += [f"  note: {remark}" for remark in history.remarks]
    return "\n".join(lines)


def _as_json(item: _Judged) -> dict[str, Any]:
    name, history = item.replayed.name, item.replayed.history
    shown = as_json(name, history, item.replayed.verdict, profile=item.profile, runtime=item.runtime)
    if item.second is not None:
        shown["temporal_core"] = as_json(name, history, item.second)
        shown["temporal_core_agrees"] = not item.is_contested
    return shown
