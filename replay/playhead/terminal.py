"""What a terminal can show: colours, width, a line that is written over.

Colours are for terminals only: not for a pipe, not with NO_COLOR, not for TERM=dumb. Text for machines never comes
through here.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO, TypeVar

_Item = TypeVar("_Item")

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2", "bold": "1"}


@dataclass(frozen=True, slots=True)
class Style:
    """Colours a text, or does not.

    Attributes:
        is_coloured: Whether it does.
    """

    is_coloured: bool = False

    def __call__(self, text: str, *styles: str) -> str:
        """The text in these styles: red, green, yellow, blue, dim, bold."""
        if not self.is_coloured or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


PLAIN = Style()


def style_of(stream: TextIO) -> Style:
    """The style that fits a stream."""
    if os.environ.get("NO_COLOR"):
        return PLAIN
    if os.environ.get("FORCE_COLOR"):
        return Style(True)
    return Style(stream.isatty() and os.environ.get("TERM", "") != "dumb")


def width_of(stream: TextIO) -> int:
    """Columns to write to: those of the terminal, or as many as one likes in a file."""
    return shutil.get_terminal_size((120, 24)).columns if stream.isatty() else 200


_message_width = 100


def message_width() -> int:
    """Columns for text that becomes the message of an exception: nobody knows where that is going to be shown."""
    return _message_width


def set_message_width(columns: int) -> None:
    """Say how wide they are, for who does know where exceptions are shown."""
    global _message_width
    _message_width = max(40, columns)


def with_progress(items: Iterable[_Item], total: int, what: str) -> Iterator[_Item]:
    """Pass items on, and say on standard error how far it is, if somebody is looking and it takes long."""
    stream = sys.stderr
    if not stream.isatty() or total < 2:
        yield from items
        return
    begun = last = time.monotonic()
    width = min(30, max(10, width_of(stream) - 50))
    is_shown = False
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - begun > 0.5 and (now - last > 0.1 or done == total):
            filled = width * done // total
            stream.write(f"\r{what} [{'#' * filled}{'.' * (width - filled)}] {done}/{total}")
            stream.flush()
            last, is_shown = now, True
    if is_shown:
        stream.write("\r\x1b[K")
        stream.flush()
