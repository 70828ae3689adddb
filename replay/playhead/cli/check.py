"""`playhead check`: the gate for CI."""

from __future__ import annotations

import argparse
import sys

from playhead.checking.checking import NothingToCheck, check
from playhead.checking.outcome import Check, Standing
from playhead.checking.text import check_text
from playhead.cli import complain
from playhead.cli.project import project_of
from playhead.importing import CodeNotLoaded
from playhead.terminal import style_of, with_progress

_BREAKS, _UNCHECKED = 1, 3


def main(arguments: argparse.Namespace) -> int:
    """Check, report, and return the exit code."""
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
        return complain(error)
    print(check_text(found, style=style_of(sys.stdout), is_quiet=arguments.quiet, is_verbose=arguments.verbose))
    return exit_code(found, is_strict=arguments.strict)


def exit_code(found: Check, *, is_strict: bool) -> int:
    """What the command exits with."""
    if found.of(Standing.BREAKS) or found.skipped:
        return _BREAKS
    if found.of(Standing.UNCHECKED):
        return _UNCHECKED
    return _BREAKS if is_strict and (found.uncovered or found.idle) else 0
