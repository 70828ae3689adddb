"""The user's editor, opened on a line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

_COLON: Final = frozenset({"hx", "helix", "subl", "zed", "zeditor"})
_GOTO: Final = frozenset({"code", "code-insiders", "codium", "cursor", "windsurf"})
_LINE: Final = frozenset({"pycharm", "charm", "idea", "kate", "gedit"})
_IN_A_WINDOW: Final = frozenset({"subl", "zed", "zeditor", "gedit", "kate", "gvim", "pycharm", "charm", "idea"}) | _GOTO


class NoEditor(Exception):
    """There is none, or it cannot be started; the text says so."""


def command(file: str, line: int, editor: str | None = None) -> list[str]:
    """The command that opens a file at a line.

    Args:
        file: The file.
        line: Counted from 1.
        editor: What the user calls the editor; by default what $VISUAL or $EDITOR says, else what there is.

    Raises:
        NoEditor: There is none.
    """
    words = shlex.split(editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or _any())
    if not words:
        raise NoEditor("Set $EDITOR to your editor.")
    name = Path(words[0]).stem
    if name in _GOTO:
        return [*words, "-g", f"{file}:{line}"]
    if name in _COLON:
        return [*words, f"{file}:{line}"]
    if name in _LINE:
        return [*words, "--line", str(line), file]
    return [*words, f"+{line}", file]


def needs_terminal(words: list[str]) -> bool:
    """Whether an editor is one that takes the terminal over, and not a window of its own."""
    return Path(words[0]).stem not in _IN_A_WINDOW


def run(words: list[str]) -> None:
    """Run an editor, and wait until it is closed, or until its window has been asked for.

    Raises:
        NoEditor: It cannot be started.
    """
    try:
        subprocess.run(words, check=False)
    except OSError as error:
        raise NoEditor(f"{words[0]} cannot be started: {error.strerror}") from None


def _any() -> str:
    return next((name for name in ("sensible-editor", "vim", "vi", "nano") if shutil.which(name)), "")
