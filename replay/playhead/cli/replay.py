"""`playhead replay`: re-run histories against workflow code."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from playhead.cli import USAGE, complain
from playhead.cli.judges import Judge, judges_of
from playhead.cli.project import history_files_of, project_of, reader_of
from playhead.codec_endpoint import CodecUnavailable
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.document import document
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.markdown import diagnosis_markdown
from playhead.diagnosis.text import diagnosis_text, fix_text
from playhead.loading import CodeNotLoaded
from playhead.readers import UnreadableHistory
from playhead.rendering import as_json, headline, label, report
from playhead.replayer import Replayed, Replayer, unreadable
from playhead.temporal_core.answers import agree
from playhead.terminal import Style, style_of, width_of, with_progress
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, NotReplayable, Verdict
from playhead_engine.guards import NondeterministicCall
from playhead_engine.history import History
from playhead_engine.profile import Profile

_EXIT_CODES: dict[type[Verdict], int] = {
    Agrees: 0,
    Diverges: 1,
    CodeRaised: 3,
    CodeUnfinished: 4,
    NotReplayable: 5,
    NeedsValue: 9,
}
# The first of these that occurred is what the command exits with.
_GRAVEST_FIRST = (USAGE, 1, 3, 4, 5, 9)


@dataclass(frozen=True, slots=True)
class _Judged:
    """One history, its verdict, what drove the code, by whose rules, what Temporal's own Replayer says if it was asked,
    and what there is to say beyond the verdict."""

    replayed: Replayed
    runtime: str = ""
    profile: Profile | None = None
    second: Verdict | None = None
    diagnosis: Diagnosis | None = None
    fix: Fix | None = None

    @property
    def is_contested(self) -> bool:
        """Whether the two say different things."""
        return self.second is not None and not agree(self.replayed.verdict, self.second)


def main(arguments: argparse.Namespace) -> int:
    """Replay, report, and return the exit code."""
    if arguments.at is not None or arguments.print or arguments.query:
        from playhead.cli import state

        return state.main(arguments)
    if arguments.hunt:
        from playhead.cli import hunt

        return hunt.main(arguments)
    # What keeps workflow code from going on is told in the report, in words.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    with contextlib.ExitStack() as stack:
        try:
            project = project_of(arguments)
            read = reader_of(project, arguments)
            files = history_files_of([Path(name) for name in arguments.histories] or project.history_paths())
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
        try:
            return _report(_judged(judge, second, files, read, arguments), len(files), arguments, note)
        except CodecUnavailable as error:
            return complain(error)


def _report(items: Iterable[_Judged], count: int, arguments: argparse.Namespace, note: str) -> int:
    show = _Show(arguments)
    codes: set[int] = set()
    counted: Counter[str] = Counter()
    for item in with_progress(items, count, "replaying"):
        code = _exit_code(item, is_strict=arguments.strict)
        codes.add(code)
        counted[label(item.replayed.verdict) if item.replayed.history is not None else "unreadable"] += 1
        if code != 0 or item.is_contested or not arguments.quiet or show.format == "json":
            show(item)
    show.write_fixes()
    if count > 1 and show.format == "text":
        print(f"{count} histories: " + ", ".join(f"{number} {name}" for name, number in counted.items()))
    if note and counted["diverges"]:
        print(f"note: {note}", file=sys.stderr)
    return next((code for code in _GRAVEST_FIRST if code in codes), 0)


class _Show:
    """Shows what became of each history, in the format that was asked for.

    Attributes:
        format: `text`, `json` or `markdown`.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.format: str = "json" if arguments.json else arguments.format
        self._arguments = arguments
        self._style, self._width = style_of(sys.stdout), width_of(sys.stdout)
        self._diffs: dict[str, None] = {}

    def __call__(self, item: _Judged) -> None:
        """Show one."""
        name, history, diagnosis = item.replayed.name, item.replayed.history, item.diagnosis
        if item.fix is not None and item.fix.diff:
            self._diffs[item.fix.diff] = None
        match self.format:
            case "json":
                sys.stdout.write(orjson.dumps(_as_json(item)).decode() + "\n")
            case "markdown" if diagnosis is not None:
                print(diagnosis_markdown(name, history, diagnosis, item.fix) + "\n")
            case "markdown":
                print(f"### `{name}`: {headline(history, item.replayed.verdict)}\n")
            case _:
                self._text(item)

    def _text(self, item: _Judged) -> None:
        verdict = item.replayed.verdict
        print(_text(item, self._style, self._width, is_verbose=self._arguments.verbose))
        if self._arguments.traceback and isinstance(verdict, CodeRaised):
            print("\n".join(f"    {line}" for line in verdict.traceback.rstrip().splitlines()))
        if item.diagnosis is not None:
            said = diagnosis_text(item.diagnosis, style=self._style, width=self._width)
            if said:
                print("\n" + said + "\n")
        if item.fix is not None:
            print(fix_text(item.fix, style=self._style, width=self._width))

    def write_fixes(self) -> None:
        """Write the patches to the file that was named, each once."""
        if self._arguments.fix:
            Path(self._arguments.fix).write_text("".join(self._diffs))


def _judged(
    judge: Judge,
    second: Judge | None,
    files: list[Path],
    read: Callable[[Path], History],
    arguments: argparse.Namespace,
) -> Iterator[_Judged]:
    for path in files:
        try:
            history = read(path)
        except UnreadableHistory as error:
            yield _Judged(Replayed(str(path), None, unreadable(error)))
            continue
        known_as = arguments.workflow_id or history.id or path.stem
        verdict = judge.replay(history, workflow_id=known_as)
        opinion = None
        if second is not None and second.accepts(history.workflow_type):
            opinion = second.replay(history, workflow_id=known_as)
        runtime = judge.runtime_of(history.workflow_type)
        diagnosis, fix = None, None
        if isinstance(judge, Replayer) and _is_to_be_diagnosed(verdict, arguments):
            diagnosis = judge.diagnose(history, workflow_id=known_as, verdict=verdict)
            fix = judge.fix(diagnosis, history) if arguments.fix is not None else None
        yield _Judged(Replayed(str(path), history, verdict), runtime, judge.profile, opinion, diagnosis, fix)


def _is_to_be_diagnosed(verdict: Verdict, arguments: argparse.Namespace) -> bool:
    """Whether anybody wants to know more than the verdict."""
    if isinstance(verdict, Diverges):
        return not arguments.brief
    return bool(arguments.warnings) and isinstance(verdict, Agrees | CodeRaised)


def _exit_code(item: _Judged, *, is_strict: bool) -> int:
    if item.replayed.history is None:
        return USAGE
    verdict = item.replayed.verdict
    cautions = item.diagnosis.cautions if item.diagnosis is not None else ()
    if is_strict and isinstance(verdict, Agrees) and (verdict.warnings or cautions or item.is_contested):
        return 1
    return exit_code(verdict)


def exit_code(verdict: Verdict) -> int:
    """What a command exits with that came to this verdict."""
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
    if item.diagnosis is not None:
        shown["diagnosis"] = document(item.diagnosis, item.fix)
    return shown
