"""Source files as they are shown: read once, and coloured by what each piece is."""

from __future__ import annotations

import tokenize
from io import StringIO
from keyword import kwlist
from pathlib import Path
from typing import Final

from playhead_engine.call_site import CallSite
from playhead_engine.record import record
from playhead_tui.model.ink import Ink, Line, text_of

_LONG: Final = 400_000
"""Characters of a file from which on it is shown without colours: they would take too long."""


@record
class Source:
    """A file.

    Attributes:
        lines: Its lines.
        width: Of the longest, in characters.
        is_there: Whether it could be read.
    """

    lines: list[Line]
    width: int
    is_there: bool = True


class Sources:
    """The files that were looked at, as they were when they were read first."""

    def __init__(self) -> None:
        self._known: dict[str, Source] = {}

    def of(self, file: str) -> Source:
        """A file; what cannot be read is said in its place."""
        source = self._known.get(file)
        if source is None:
            source = self._known[file] = _read(file)
        return source

    def text(self, site: CallSite) -> str:
        """The text of a line, without its indentation; empty if there is none."""
        lines = self.of(site.file).lines
        return text_of(lines[site.line - 1]).strip() if site.line <= len(lines) else ""

    def forget(self) -> None:
        """Read everything anew when it is looked at."""
        self._known.clear()


def _read(file: str) -> Source:
    try:
        with tokenize.open(file) as opened:
            text = opened.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        said = f"{file} cannot be read: {getattr(error, 'strerror', None) or error}"
        return Source([[(said, "dim")]], len(said), False)
    text = text.expandtabs(4)
    plain = text.splitlines() or [""]
    lines = coloured(text, plain) if len(text) <= _LONG and Path(file).suffix in (".py", ".pyi") else None
    return Source(lines or [[(line, "plain")] for line in plain], max(map(len, plain)))


_KEYWORDS: Final = frozenset([*kwlist, "match", "case"])


def coloured(text: str, plain: list[str]) -> list[Line] | None:
    """The lines of Python code with an ink for each piece; None if it is none."""
    lines: list[Line] = [[] for _ in plain]
    reached = [0] * len(plain)

    def put(row: int, start: int, end: int, ink: Ink) -> None:
        if row >= len(plain):
            return
        line = plain[row]
        if start > reached[row]:
            lines[row].append((line[reached[row] : start], "plain"))
        if end > start:
            lines[row].append((line[start:end], ink))
        reached[row] = max(reached[row], end)

    before = ""
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            ink = _ink(token, before)
            before = token.string
            (first, start), (last, end) = token.start, token.end
            if ink != "plain":
                for row in range(first - 1, last):
                    is_first, is_last = row == first - 1, row == last - 1
                    put(row, start if is_first else 0, end if is_last else len(plain[row]), ink)
    except (tokenize.TokenError, SyntaxError):
        return None
    for row, line in enumerate(plain):
        if reached[row] < len(line):
            lines[row].append((line[reached[row] :], "plain"))
    return lines


def _ink(token: tokenize.TokenInfo, before: str) -> Ink:
    match token.type:
        case tokenize.COMMENT:
            return "comment"
        case tokenize.STRING:
            return "string"
        case tokenize.NUMBER:
            return "number"
        case tokenize.NAME if token.string in _KEYWORDS:
            return "keyword"
        case tokenize.NAME if before in ("def", "class", "@"):
            return "function"
        case _:
            return "plain"
