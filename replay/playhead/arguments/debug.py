"""`playhead debug`."""

from __future__ import annotations

import argparse
from typing import Any

from playhead.arguments.code import add_code_options, add_codec_options

EXIT_CODES = """\
exit codes:
  0  the debugger was closed
  2  wrong usage, or a file that cannot be read
"""


def add(commands: Any) -> None:
    """Add the command."""
    debug = commands.add_parser(
        "debug",
        help="step through a past run in the terminal, forwards and backwards, with its variables",
        description="Step through a past run, forwards and backwards. Without code, the history alone is looked at.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    debug.add_argument(
        "histories",
        nargs="*",
        metavar="HISTORY",
        help="a history file, or a directory of them; those of [tool.playhead] if not given",
    )
    debug.add_argument("--store", metavar="DIR", help="debug the runs that the built-in engine keeps in this directory")
    debug.add_argument(
        "--at", metavar="MARK", help="begin there: the id of an event, task:3, command:2 or orders.py:42"
    )
    add_code_options(debug)
    add_codec_options(debug)
    debug.add_argument("--workflow-id", metavar="ID", help="replay under this id, where the history does not hold it")
    debug.add_argument("--profile", metavar="RELEASE", help="as of `playhead replay`")
