"""The clipboard of the desktop, where a program for it is at hand.

Terminals are told of a copy by an escape code, which works through ssh and is Textual's business; not all of them
listen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def copy(text: str) -> bool:
    """Put a text on the desktop's clipboard; says whether there was a way."""
    words = _command()
    if not words or not shutil.which(words[0]):
        return False
    try:
        done = subprocess.run(words, input=text.encode(), capture_output=True, check=False, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _command() -> list[str]:
    if sys.platform == "darwin":
        return ["pbcopy"]
    if os.environ.get("WAYLAND_DISPLAY"):
        return ["wl-copy"]
    if os.environ.get("DISPLAY"):
        return ["xclip", "-selection", "clipboard"] if shutil.which("xclip") else ["xsel", "-bi"]
    return ["clip"] if sys.platform == "win32" else []
