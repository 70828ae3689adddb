"""The commands of the command line, one module each.

A command turns arguments into calls and results into text and an exit code; it decides nothing else.
"""

from __future__ import annotations

import sys

USAGE = 2
"""Exit code for wrong usage and for input that cannot be read."""


def complain(problem: object) -> int:
    """Say on standard error what is wrong; returns the exit code for it."""
    print(f"playhead: {problem}", file=sys.stderr)
    return USAGE
