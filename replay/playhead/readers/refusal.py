"""How a reader says no.

Every way in which a file can be no history ends in one `UnreadableHistory`: what was expected, what came, where, and
what to do. Nothing else may leave a reader, whatever the file holds.
"""

from __future__ import annotations

import json
from typing import Any


class UnreadableHistory(Exception):
    """A file, or some bytes, that cannot be read as a history.

    Attributes:
        problem: What is wrong, as a sentence without its full stop: "truncated at byte 5000".
        advice: What to do about it; may be empty.
        offset: The byte at which the problem was met, where there is one.
        path: The file, or an empty string for bytes.
    """

    def __init__(self, problem: str, advice: str = "", offset: int | None = None, path: str = "") -> None:
        super().__init__(problem, advice, offset, path)
        self.problem = _plain(problem)
        self.advice = advice
        self.offset = offset
        self.path = path

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.problem}" + (f". {self.advice}" if self.advice else "")


def _plain(text: str, limit: int = 400) -> str:
    """A sentence without anything in it that would disturb a terminal, whatever it quotes from a file."""
    shown = text if len(text) <= limit else f"{text[:limit]}..."
    return "".join(character if character.isprintable() else "\ufffd" for character in shown)


def brief(value: Any, limit: int = 40) -> str:
    """A JSON value in a few characters, for a sentence about it."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            text = json.dumps(value[:limit] if isinstance(value, str) else value)
            return text if len(text) <= limit else f"{text[: limit - 3]}..."
