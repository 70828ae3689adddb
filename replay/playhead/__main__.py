"""The command line: `playhead`, `python -m playhead`.

This module knows the arguments and nothing else; each command is imported when it is given, so that `playhead --help`
answers at once. Whatever a user can do wrong ends in one sentence on standard error, never in a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from playhead.arguments import check, debug
from playhead.arguments.code import add_code_options, add_codec_options

EXIT_CODES = """\
exit codes:
  0  agrees: the code does what every history recorded
  1  diverges: the code does something else
  2  wrong usage, or a file that cannot be read
  3  code raised: the code fails a workflow task
  4  code unfinished: the code does not come to rest in a workflow task
  5  not replayable: there is no code for a history, or it is not a legal one
  9  needs a value: the code looks into a value that cannot be read here, such as an encrypted one
  With several histories, the first of 2, 1, 3, 4, 5, 9 that occurred.
"""

HOTFIX_EXIT_CODES = """\
exit codes:
  0  the run goes on to an end that is no failure, or waits for a signal or an update
  1  diverges: the code does not do what was recorded before the mark
  2  wrong usage, or a file that cannot be read
  3  code raised: the code fails a workflow task, before the mark or behind it
  4  code unfinished: the code does not come to rest in a workflow task
  5  not replayable: there is no code for the history, or it is not a legal one
  6  an activity or a child workflow waits for an answer that nobody knows
  7  stopped: the run goes on for longer than --until allows
  8  the run fails or times out
  9  needs a value: before the mark the code looks into a value that cannot be read here
"""

COMMANDS = {
    "replay": "playhead.cli.replay",
    "show": "playhead.cli.show",
    "trace": "playhead.cli.trace",
    "run": "playhead.cli.run",
    "hotfix": "playhead.cli.hotfix",
    "check": "playhead.cli.check",
    # By its name: the debugger is built on this package, which must not know it until somebody asks for it.
    "debug": "playhead_tui.command",
}
"""The module of each command."""


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    top = argparse.ArgumentParser(
        prog="playhead",
        description="Replay the history of a durable workflow against the workflow code of today.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    replay = commands.add_parser(
        "replay",
        help="re-run histories against workflow code and say whether they agree",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument(
        "histories",
        nargs="*",
        metavar="HISTORY",
        help="a history file, or a directory of them; those of [tool.playhead] if not given",
    )
    add_code_options(replay)
    replay.add_argument(
        "--verify-with-core",
        action="store_true",
        help="ask Temporal's own Replayer as well, and warn where it says otherwise",
    )
    replay.add_argument(
        "--core-timeout",
        type=_seconds,
        metavar="SECONDS",
        help="how long Temporal's own Replayer may take for one history, beside the time its events need; default 20",
    )
    add_codec_options(replay)
    replay.add_argument("--workflow-id", metavar="ID", help="replay under this id, where the history does not hold it")
    replay.add_argument(
        "--profile",
        metavar="RELEASE",
        help="go by the rules of this release, as in temporalio-1.34; by default that which is installed",
    )
    replay.add_argument("--traceback", action="store_true", help="show the user's traceback where the code raised")
    replay.add_argument("--strict", action="store_true", help="count warnings as divergences")
    replay.add_argument("--verbose", "-v", action="store_true", help="show which runtime drove the code")
    replay.add_argument("--quiet", "-q", action="store_true", help="show only what does not agree")
    replay.add_argument("--brief", action="store_true", help="show only the first difference, and do not look for why")
    replay.add_argument(
        "--warnings", action="store_true", help="look for other arguments, timeouts and results in runs that agree, too"
    )
    replay.add_argument(
        "--fix",
        nargs="?",
        const="",
        metavar="FILE",
        help="show the patch that lets a diverging run go on, tried by replaying with it; or write it to FILE",
    )
    replay.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="how to show it (default: text)"
    )
    replay.add_argument("--json", action="store_true", help="as --format json: one object per history, one per line")

    replay.add_argument(
        "--hunt",
        action="store_true",
        help="replay under other hash seeds, addresses, orders, with queries in between, and say what differs",
    )
    replay.add_argument(
        "--at",
        metavar="MARK",
        help="show the state of the run there: the id of an event, task:3, command:2 or orders.py:42",
    )
    replay.add_argument(
        "--print",
        action="append",
        default=[],
        metavar="EXPR",
        help="evaluate an expression that only looks there, or at the end; may be repeated",
    )
    replay.add_argument("--query", action="append", default=[], metavar="NAME", help="ask a query there, or at the end")

    trace = commands.add_parser(
        "trace",
        help="tell a past run: what the code was told, which lines ran, what it asked for",
        epilog="exit codes: as of replay; 2 if there is no such task or line, or an expression does more than look\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trace.add_argument(
        "history", nargs="*", metavar="HISTORY", help="a history file; that of [tool.playhead] if not given"
    )
    add_code_options(trace)
    add_codec_options(trace)
    trace.add_argument("--workflow-id", metavar="ID", help="replay under this id, where the history does not hold it")
    trace.add_argument("--profile", metavar="RELEASE", help="as of replay")
    trace.add_argument("--lines", action="store_true", help="show every line that ran, and what it changed")
    trace.add_argument(
        "--logpoint",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE:LINE", "EXPR"),
        help="what an expression says each time before that line runs; may be repeated",
    )
    trace.add_argument("--task", type=int, metavar="N", help="only this workflow task")
    trace.add_argument("--json", action="store_true", help="one JSON object per workflow task, one per line")

    show = commands.add_parser("show", help="show a history: its events, or what belongs together")
    show.add_argument("history", metavar="HISTORY", help="a history file")
    show.add_argument("--group", "-g", action="store_true", help="group events by what belongs together")
    show.add_argument("--type", "-t", action="append", metavar="TYPE", help="only events whose type has this in it")
    show.add_argument("--grep", metavar="TEXT", help="only events with this text in them, values decoded")
    show.add_argument("--events", metavar="FIRST-LAST", help="only these ids: 7, 7-12, 7- or -12")
    show.add_argument("--full", "-f", action="store_true", help="show all attributes, with values decoded")
    show.add_argument("--json", action="store_true", help="the events as a JSON document, as they were recorded")
    add_codec_options(show)
    show.add_argument("--namespace", metavar="NAME", help="the namespace that a codec server is told")

    _add_hotfix(commands)
    check.add(commands)
    debug.add(commands)

    run = commands.add_parser(
        "run",
        help="run a workflow on the built-in engine",
        epilog="exit codes:\n  0  the workflow completed\n  1  it failed, or is stuck\n  2  wrong usage\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("workflow", metavar="MODULE:CLASS", help="the workflow; activities are taken from its module")
    run.add_argument("--input", "-i", action="append", metavar="JSON", help="an argument; may be repeated")
    run.add_argument(
        "--activities", action="append", default=[], metavar="MODULE", help="a module with more activities"
    )
    run.add_argument("--id", metavar="ID", help="the workflow id; if not given, the class's name and a number")
    run.add_argument(
        "--store", metavar="DIR", help="keep the run in this directory, or go on with it there; in memory if not given"
    )
    run.add_argument("--export", metavar="FILE", help="write the history there as Temporal JSON")
    run.add_argument("--real-time", action="store_true", help="really wait for timers, instead of jumping to them")
    run.add_argument("--seed", type=int, metavar="N", help="same seed, same history")
    run.add_argument("--json", action="store_true", help="the outcome as one JSON object")
    return top


def _add_hotfix(commands: Any) -> None:
    """`playhead hotfix`, of which there is a lot to say."""
    command = commands.add_parser(
        "hotfix",
        help="show what the code would do next on a recorded run, without running any activity",
        epilog=HOTFIX_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("history", metavar="HISTORY", help="a history file")
    add_code_options(command)
    add_codec_options(command)
    mark = command.add_argument_group("the mark", "Where the recording is left; it and what came after are open again.")
    mark.add_argument(
        "--at",
        "--from",
        type=int,
        metavar="EVENT",
        help="the first event that is open again; by default the end of an open run, or where another one ended",
    )
    mark.add_argument(
        "--fail",
        action="append",
        metavar="NAME=ERROR",
        help="an activity under way fails there: charge='Type: message'",
    )
    mark.add_argument("--result", action="append", metavar="NAME=JSON", help="an activity under way returns there")
    mark.add_argument("--signal", action="append", metavar="NAME[=JSON]", help="a signal comes there")
    mark.add_argument("--cancel", action="store_true", help="the run is asked to cancel itself there")
    answers = command.add_argument_group(
        "answers", "What activities come to. None is ever run, unless it is named by --real."
    )
    answers.add_argument(
        "--answer",
        action="append",
        metavar="NAME=JSON",
        help='what an activity returns; {"$error": "Type: message"} and {"$sequence": [...]} are understood',
    )
    answers.add_argument("--answer-file", metavar="FILE", help='a JSON object of such answers; children in "$children"')
    answers.add_argument(
        "--answer-child",
        action="append",
        metavar="TYPE[=JSON]",
        help="the same for a child workflow; without JSON, as it was recorded",
    )
    answers.add_argument(
        "--answer-with", metavar="MODULE:FUNCTION", help="a function to ask: it is given the name and the arguments"
    )
    answers.add_argument(
        "--answers", action="append", metavar="PATH", help="take answers from this history, or this directory of them"
    )
    answers.add_argument("--answer-any", action="store_true", help="null, where nobody knows")
    answers.add_argument("--real", action="append", metavar="NAME", help="really run this activity; may be repeated")
    command.add_argument(
        "--until",
        action="append",
        metavar="EVENTS|TIME",
        help="stop after so many new events, or after a time such as 90s, 12h or 30d (default: 5000 and 3650d)",
    )
    command.add_argument("--export", metavar="FILE", help="write the recording and its future as Temporal JSON")
    command.add_argument("--workflow-id", metavar="ID", help="the workflow id, where the history does not hold it")
    command.add_argument("--profile", metavar="RELEASE", help="as of `playhead replay`")
    command.add_argument("--json", action="store_true", help="as one JSON object")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"takes a number of seconds, such as 20, not {text!r}")
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    top = parser()
    given = top.parse_args(arguments)
    if given.version:
        from importlib.metadata import version

        print(f"playhead {version('playhead')}")
        return 0
    if given.command is None:
        top.print_help()
        return 2
    try:
        code: int = import_module(COMMANDS[given.command]).main(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; do not complain again when Python closes the stream. But nobody may
        # take this for a verdict: it is what a shell says of a program that a closed pipe ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = f" {error.filename}" if error.filename is not None else ""
        print(f"playhead: cannot write{what}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
