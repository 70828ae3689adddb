"""A real terminal, by tmux: the debugger runs in it as its user runs it, keys go in, and the screen is read."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds; a machine that runs all tests at once takes its time."""
_numbers = itertools.count()
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A terminal with a shell command in it."""

    def __init__(self, command: str, folder: Path, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("a real terminal is tested with tmux, which is not here")
        self._server = f"playhead-{os.getpid()}-{next(_numbers)}"
        given = {"PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, str(ROOT)])), **environment}
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in given.items())
        columns, lines = map(str, size)
        clean = "env -u COLUMNS -u LINES -u NO_COLOR"
        program = f"cd {shlex.quote(str(folder))}; {clean} {settings} {command}; echo left with $?; sleep 600"
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", columns, "-y", lines, "sh", "-c", program)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._server, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys, as tmux calls them."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, lines: int) -> None:
        """Make it another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    @property
    def codes(self) -> list[str]:
        """The codes for colours and the like that are on the screen."""
        return _COLOURS.findall(self._tmux("capture-pane", "-p", "-e"))

    def shows(self, text: str) -> str:
        """Wait until something is on the screen."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            screen = self.text
            if text in screen:
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{text!r} does not come up:\n{self.text}")

    def close(self) -> None:
        """End it, and all that is in it."""
        subprocess.run(["tmux", "-L", self._server, "kill-server"], capture_output=True, check=False)
