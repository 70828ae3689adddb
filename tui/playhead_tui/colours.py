"""How many colours there are to paint with."""

from __future__ import annotations

import os


def has_colours() -> bool:
    """Whether the terminal shows colours, and the user wants to see them."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("COLORTERM"):
        return True
    try:
        import curses
    except ImportError:
        return True  # on Windows, whose terminals have colours
    try:
        curses.setupterm()
    except curses.error:
        return False  # a terminal that nobody knows
    return curses.tigetnum("colors") >= 8
