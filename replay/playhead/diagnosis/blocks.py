"""Statements in their blocks: which stretch of a function some lines make up, and how it is written elsewhere.

Pieces of source are moved as they are written, with other indentation; nothing is formatted anew.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from playhead.diagnosis.source import Function, Source

_BLOCKS = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring statements of one block.

    Attributes:
        block: The block.
        first: Index of the first statement.
        last: Index of the last one.
    """

    block: list[ast.stmt]
    first: int
    last: int

    @property
    def statements(self) -> list[ast.stmt]:
        """The statements."""
        return self.block[self.first : self.last + 1]

    @property
    def first_line(self) -> int:
        """The line it begins in."""
        return self.block[self.first].lineno

    @property
    def last_line(self) -> int:
        """The line it ends in."""
        statement = self.block[self.last]
        return statement.end_lineno or statement.lineno

    @property
    def indent(self) -> str:
        """What stands before its first statement."""
        return " " * self.block[self.first].col_offset

    def up_to(self, last: int) -> Stretch:
        """The same, reaching further."""
        return Stretch(self.block, self.first, last)


def stretch_of(source: Source, function: Function, lines: Iterable[int]) -> Stretch | None:
    """The shortest stretch of a function that holds all of some lines; None if they are not all in it."""
    found: Stretch | None = None
    wanted = set(lines)
    for block in _blocks(function):
        held = [
            n for n, s in enumerate(block) if any(s.lineno <= line <= (s.end_lineno or s.lineno) for line in wanted)
        ]
        covered = {line for line in wanted if any(s.lineno <= line <= (s.end_lineno or s.lineno) for s in block)}
        if held and covered == wanted:
            candidate = Stretch(block, held[0], held[-1])
            if found is None or candidate.last_line - candidate.first_line <= found.last_line - found.first_line:
                found = candidate
    return found


def _blocks(function: Function) -> Iterable[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def text_of(source: Source, first_line: int, last_line: int) -> str:
    """Lines of a file without the indentation they share."""
    return textwrap.dedent("".join(source.lines[first_line - 1 : last_line]))


def indented(text: str, indent: str) -> list[str]:
    """A text behind an indentation, as lines with their line breaks; empty lines stay empty."""
    return [f"{indent}{line}\n" if line.strip() else "\n" for line in text.rstrip("\n").split("\n")]


def quoted(text: str) -> str:
    """A text as a literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def stored_names(statements: Iterable[ast.stmt]) -> set[str]:
    """The local names that statements give a value."""
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def loads(statement: ast.stmt, names: set[str]) -> bool:
    """Whether a statement uses one of some names."""
    return any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names
        for node in ast.walk(statement)
    )


def rewritten(source: Source, statement: ast.stmt, changes: list[tuple[ast.expr, str]]) -> str:
    """A statement's text with some of its expressions replaced, without its indentation."""
    lines = source.lines[statement.lineno - 1 : statement.end_lineno]
    encoded = [line.encode() for line in lines]
    for node, text in sorted(changes, key=lambda change: (-change[0].lineno, -change[0].col_offset)):
        first, last = node.lineno - statement.lineno, (node.end_lineno or node.lineno) - statement.lineno
        head, tail = encoded[first][: node.col_offset], encoded[last][node.end_col_offset :]
        encoded[first : last + 1] = [head + text.encode() + tail]
    return textwrap.dedent(b"".join(encoded).decode())
