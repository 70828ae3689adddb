"""`playhead replay`: re-run histories against workflow code."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from playhead.cli import USAGE, complain
from playhead.loading import CodeNotLoaded, load_code
from playhead.readers import UnreadableHistory, read_history
from playhead.replayer import Replayed, Replayer, history_files, unreadable
from playhead.report import as_json, label, report
from playhead.terminal import style_of, width_of, with_progress
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NotReplayable, Verdict
from playhead_engine.guards import NondeterministicCall
from playhead_engine.profile import profile_named

_EXIT_CODES: dict[type[Verdict], int] = {
    Agrees: 0,
    Diverges: 1,
    CodeRaised: 3,
    CodeUnfinished: 4,
    NotReplayable: 5,
}
# The first of these that occurred is what the command exits with.
_GRAVEST_FIRST = (USAGE, 1, 3, 4, 5)


def main(arguments: argparse.Namespace) -> int:
    """Replay, report, and return the exit code."""
    try:
        profile = profile_named(arguments.profile) if arguments.profile is not None else None
        replayer = Replayer(load_code(arguments.workflows).workflows, profile=profile)
        files = _files(arguments.histories)
    except (CodeNotLoaded, NondeterministicCall, OSError, ValueError) as error:
        return complain(error)
    if arguments.workflow_id is not None and len(files) > 1:
        return complain("--workflow-id goes with one history")
    style, width = style_of(sys.stdout), width_of(sys.stdout)
    codes: set[int] = set()
    counted: Counter[str] = Counter()
    for item in with_progress(_replay(replayer, files, arguments.workflow_id), len(files), "replaying"):
        code = _exit_code(item, is_strict=arguments.strict)
        codes.add(code)
        counted[label(item.verdict) if item.history is not None else "unreadable"] += 1
        if arguments.json:
            shown = as_json(item.name, item.history, item.verdict, profile=replayer.profile)
            sys.stdout.write(orjson.dumps(shown).decode() + "\n")
        elif code != 0 or not arguments.quiet:
            told = report(item.name, item.history, item.verdict, profile=replayer.profile, style=style, width=width)
            print(_text(item, told))
            if arguments.traceback and isinstance(item.verdict, CodeRaised):
                print("\n".join(f"    {line}" for line in item.verdict.traceback.rstrip().splitlines()))
    if len(files) > 1 and not arguments.json:
        print(f"{len(files)} histories: " + ", ".join(f"{count} {name}" for name, count in counted.items()))
    if replayer.profile.note and counted["diverges"]:
        print(f"note: {replayer.profile.note}", file=sys.stderr)
    return next((code for code in _GRAVEST_FIRST if code in codes), 0)


def _files(names: list[str]) -> list[Path]:
    """The history files that are named, directly or by their directory.

    Raises:
        ValueError: A directory holds none, which must not pass for success.
    """
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = history_files(path)
            if not found:
                raise ValueError(f"{path} holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing was checked")
            files += found
        else:
            files.append(path)
    return files


def _replay(replayer: Replayer, files: list[Path], workflow_id: str | None) -> Iterable[Replayed]:
    for path in files:
        try:
            history = read_history(path)
        except UnreadableHistory as error:
            yield Replayed(str(path), None, unreadable(error))
        else:
            verdict = replayer.replay(history, workflow_id=workflow_id or history.id or path.stem)
            yield Replayed(str(path), history, verdict)


def _exit_code(item: Replayed, *, is_strict: bool) -> int:
    if item.history is None:
        return USAGE
    if is_strict and isinstance(item.verdict, Agrees) and item.verdict.warnings:
        return 1
    return _EXIT_CODES[type(item.verdict)]


def _text(item: Replayed, text: str) -> str:
    if item.history is not None and item.history.remarks:
        text += "".join(f"\n  note: {remark}" for remark in item.history.remarks)
    return text
