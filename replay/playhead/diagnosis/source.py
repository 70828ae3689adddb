"""The user's source around a line: which statement it is in, under which conditions, in which function.

Evidence is read from the syntax tree and from nothing else: no code is run here, and a file that cannot be read or
parsed is evidence of nothing.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from playhead_engine.call_site import CallSite, is_library
from playhead_engine.definitions import WORKFLOW

TEMPORALIO_WORKFLOW = "__temporal_workflow_definition"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Condition:
    """What decides whether, how often or in which order a line is run.

    Attributes:
        node: The `if`, `while`, `for` or `match` around it.
        expression: The test, or what is iterated over.
        line: Where the expression begins.
    """

    node: ast.AST
    expression: ast.expr
    line: int


class Source:
    """One file.

    Attributes:
        file: Its name.
        lines: Its lines, with their line breaks.
        tree: What it parses to.
    """

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines
        self.tree = ast.parse("".join(lines))
        self._parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node

    def line(self, number: int) -> str:
        """The text of a line, without what is around it."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def text(self, node: ast.expr | ast.stmt) -> str:
        """A piece of the source in one line."""
        return ast.unparse(node)

    def chain(self, node: ast.AST) -> Iterator[ast.AST]:
        """A node and what is around it, from the inside out."""
        current: ast.AST | None = node
        while current is not None:
            yield current
            current = self._parents.get(current)

    def statement(self, line: int) -> ast.stmt | None:
        """The innermost statement that a line belongs to."""
        found: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or node.lineno):
                continue
            if found is None or _size(node) <= _size(found):
                found = node
        return found

    def function(self, line: int) -> Function | None:
        """The innermost function that a line belongs to."""
        statement = self.statement(line)
        if statement is None:
            return None
        return next((node for node in self.chain(statement) if isinstance(node, Function)), None)

    def conditions(self, line: int) -> list[Condition]:
        """What decides about a line, from the inside out, within its function."""
        found: list[Condition] = []
        statement = self.statement(line)
        if statement is None:
            return found
        for node in self.chain(statement):
            if isinstance(node, Function):
                break
            found += _conditions_of(node)
        for node in ast.walk(statement):  # a comprehension or a conditional expression within the statement
            if isinstance(node, ast.IfExp | ast.comprehension) and not isinstance(statement, ast.If | ast.While):
                found += _conditions_of(node)
        return found

    def conditions_between(self, first: int, last: int) -> list[Condition]:
        """What decides about anything between two lines, both included."""
        return [
            condition
            for node in ast.walk(self.tree)
            for condition in _conditions_of(node)
            if first <= condition.line <= last
        ]

    def definitions(self, name: str, function: Function, before: int) -> list[ast.expr]:
        """What a local name was given in a function, up to a line."""
        found: list[ast.expr] = []
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if node.lineno <= before and any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    found.append(node.value)
        return found

    def calls(self, function: ast.AST) -> Iterator[tuple[str, ast.Call]]:
        """The calls in a piece of source, each with the dotted name of what is called."""
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                yield dotted(node.func), node


def _conditions_of(node: ast.AST) -> list[Condition]:
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return [Condition(node, test, test.lineno)]
        case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
            return [Condition(node, iterable, iterable.lineno)]
        case ast.comprehension(iter=iterable, ifs=tests):
            return [Condition(node, expression, expression.lineno) for expression in (iterable, *tests)]
        case ast.Match(subject=subject):
            return [Condition(node, subject, subject.lineno)]
        case _:
            return []


def _size(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno


def dotted(node: ast.expr) -> str:
    """`workflow.random().random` as `workflow.random.random`; empty where there is no name to it."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = dotted(value)
            return f"{before}.{name}" if before else name
        case ast.Call(func=function):
            return dotted(function)
        case _:
            return ""


def source_of(file: str) -> Source | None:
    """The source of a file; None if it cannot be read or parsed."""
    lines = linecache.getlines(file)
    return _parsed(file, tuple(lines)) if lines else None


@lru_cache(maxsize=64)
def _parsed(file: str, lines: tuple[str, ...]) -> Source | None:
    try:
        return Source(file, list(lines))
    except (SyntaxError, ValueError):
        return None


def source_at(site: CallSite | None) -> Source | None:
    """The source that a position is in; None if it is not the user's or cannot be read."""
    return source_of(site.file) if site is not None and not is_library(site.file) else None


def callers(site: CallSite) -> list[CallSite]:
    """A position and those of the user's code that called it, the innermost first, as far as they were noted."""
    stack: Callable[[], list[CallSite]] | None = getattr(site, "stack", None)
    return stack() if stack is not None else [site]


def workflow_class(workflows: tuple[type[Any], ...], workflow_type: str) -> type[Any] | None:
    """The class among some that is of a workflow type, or the dynamic one."""
    dynamic: type[Any] | None = None
    for cls in workflows:
        for mark in (WORKFLOW, TEMPORALIO_WORKFLOW):
            definition = vars(cls).get(mark)
            if definition is not None and definition.name == workflow_type:
                return cls
            if definition is not None and definition.name is None:
                dynamic = cls
    return dynamic


def class_source(cls: type[Any] | None) -> Source | None:
    """The source of the module that a class is written in."""
    module = sys.modules.get(cls.__module__) if cls is not None else None
    file = getattr(module, "__file__", None)
    return source_of(file) if file is not None else None
