"""`playhead check`: the gate for CI."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TextIO

from playhead.checking.checking import NothingToCheck, check
from playhead.checking.github import refusal, workflow_commands
from playhead.checking.location import root_of_repository
from playhead.checking.markdown import check_markdown
from playhead.checking.outcome import Check, Standing
from playhead.checking.reports import REPORTS
from playhead.checking.text import check_text
from playhead.cli import complain
from playhead.cli.project import project_of
from playhead.importing import CodeNotLoaded
from playhead.terminal import style_of, with_progress

_BREAKS, _UNCHECKED = 1, 3


def main(arguments: argparse.Namespace) -> int:
    """Check, report, and return the exit code."""
    wanted = {name: path for name in REPORTS if (path := getattr(arguments, name)) is not None}
    if list(wanted.values()).count("-") > 1:
        return complain("only one report can go to standard output")
    try:
        project = project_of(arguments)
        found = check(
            arguments.histories or None,
            project=project,
            base=arguments.base,
            jobs=arguments.jobs,
            timeout=arguments.timeout,
            cache=False if arguments.no_cache else arguments.cache or True,
            fail_fast=arguments.fail_fast,
            strict=arguments.strict,
            codec_auth=arguments.codec_auth or "",
            watch=lambda items, count: with_progress(items, count, "checking"),
        )
    except (CodeNotLoaded, NothingToCheck, OSError, ValueError) as error:
        if _annotates(arguments):
            print(refusal(error))
        return complain(error)
    root = root_of_repository(found.folder)
    for name, path in wanted.items():
        if path != "-":
            _write(Path(path), REPORTS[name](found, root))
    piped = next((name for name, path in wanted.items() if path == "-"), None)
    if piped is not None:
        sys.stdout.buffer.write(REPORTS[piped](found, root))
    elif text := check_text(found, style=style_of(sys.stdout), is_quiet=arguments.quiet, is_verbose=arguments.verbose):
        print(text)
    if _annotates(arguments):
        _tell_github(found, root, sys.stderr if piped is not None else sys.stdout)
    return exit_code(found)


def exit_code(found: Check) -> int:
    """What the command exits with."""
    is_unknown = bool(found.of(Standing.UNCHECKED)) and not found.of(Standing.BREAKS)
    return 0 if found.passes else _UNCHECKED if is_unknown else _BREAKS


def _annotates(arguments: argparse.Namespace) -> bool:
    return bool(os.environ.get("GITHUB_ACTIONS") == "true" if arguments.github is None else arguments.github)


def _tell_github(found: Check, root: str, stream: TextIO) -> None:
    """Annotate lines, and add to the summary of the job."""
    for command in workflow_commands(found, root):
        print(command, file=stream)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(check_markdown(found, root))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
