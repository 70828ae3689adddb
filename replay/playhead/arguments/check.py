"""`playhead check`."""

from __future__ import annotations

import argparse
from typing import Any

from playhead.arguments.code import add_code_options, add_codec_options

EXIT_CODES = """\
exit codes:
  0  nothing breaks, or nothing but what broke before (--base) or is allowed
  1  a history breaks
  2  nothing was checked: wrong usage, nothing to check, or code that cannot be loaded
  3  nothing is known to break, but a history could not be checked: it cannot be read, or its replay hangs or dies
"""


def add(commands: Any) -> None:
    """Add the command."""
    check = commands.add_parser(
        "check",
        help="the gate for CI: replay all histories in processes, from what is known, and say what is new",
        description="Replay every history of a project against its code, and say which of them break.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "histories",
        nargs="*",
        metavar="HISTORY",
        help="a history file, or a directory of them; those of [tool.playhead] if not given",
    )
    add_code_options(check)
    add_codec_options(check)
    check.add_argument("--profile", metavar="RELEASE", help="as of `playhead replay`")
    meaning = check.add_argument_group("what fails")
    meaning.add_argument(
        "--base",
        metavar="REF",
        help="compare with the code of this branch, tag or commit: what broke there already does not fail",
    )
    meaning.add_argument(
        "--strict",
        action="store_true",
        help="let warnings, workflow classes without a history and allowances of no use fail as well",
    )
    meaning.add_argument("--fail-fast", "-x", action="store_true", help="stop at the first history that breaks")
    meaning.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long one history may take before its process is ended (default: 60)",
    )
    work = check.add_argument_group("how it works")
    work.add_argument(
        "--jobs", "-j", type=_count, metavar="N", help="how many processes replay; one on each processor if not given"
    )
    work.add_argument("--no-cache", action="store_true", help="replay every history, whatever is known of it")
    work.add_argument(
        "--cache", metavar="DIR", help="where to keep what is known; .playhead_cache beside pyproject.toml if not given"
    )
    reports = check.add_argument_group("reports", "FILE may be - for standard output, in place of the text.")
    reports.add_argument("--junit", metavar="FILE", help="JUnit XML, one test case for each history")
    reports.add_argument("--sarif", metavar="FILE", help="SARIF 2.1.0, one result for each line that breaks histories")
    reports.add_argument("--json", metavar="FILE", help="JSON, as check.schema.json describes it")
    reports.add_argument("--markdown", metavar="FILE", help="a summary that fits into a comment on a pull request")
    reports.add_argument("--code-quality", metavar="FILE", help="a code quality report of GitLab")
    reports.add_argument(
        "--github",
        action=argparse.BooleanOptionalAction,
        help="annotate lines and write the summary of the job; by default if GITHUB_ACTIONS is set",
    )
    reports.add_argument("--verbose", "-v", action="store_true", help="show the histories that agree as well")
    reports.add_argument("--quiet", "-q", action="store_true", help="show only what breaks, and no totals")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"takes a number of seconds, such as 60, not {text!r}")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a number of processes, such as 4, not {text!r}")
    return int(text)
