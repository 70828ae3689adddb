"""Lines as they are shown: pieces of text, each with what it means. Colours are for those who paint."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

Ink: TypeAlias = Literal[
    "plain",
    "dim",  # what one looks at last
    "title",  # what a group of lines is about
    "name",  # of a variable, a field, an activity
    "value",
    "good",  # completed
    "bad",  # failed
    "caution",  # retried, cancelled, open
    "changed",  # not what it was before
    "recorded",  # a divergence: what the history says
    "now",  # a divergence: what the code does
    "match",  # what was looked for
    "here",  # where the playhead is
    "await",  # where the run waits
    "keyword",
    "string",
    "number",
    "comment",
    "function",
]

INKS: Final[tuple[Ink, ...]] = get_args(Ink)

Span: TypeAlias = tuple[str, Ink]
Line: TypeAlias = list[Span]


def text_of(line: Line) -> str:
    """A line without its inks."""
    return "".join(text for text, _ in line)
