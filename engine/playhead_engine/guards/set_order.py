"""Iteration over sets of strings in the source of a workflow class.

Strings hash differently in every process (PYTHONHASHSEED), so a set of them is iterated in another order on replay, and
nothing at run time can tell. The source can: it is read once, when the class is armed. Only what is visibly a set of
strings (`string_sets`) and visibly used in its own order is refused; what else may be a set of strings goes unseen.

Looked at are the methods of the class and of its bases, and the functions of the module that they call by name. A
comment `# playhead: allow-set-order` on the line, or a `with workflow.unsafe.sandbox_unrestricted():` around it, says
that the order does not matter there.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING

from playhead_engine.guards.origin import Origin, origin_of_file
from playhead_engine.guards.refusal import NondeterministicCall
from playhead_engine.guards.string_sets import Function, Scope, is_string_set

if TYPE_CHECKING:
    from collections.abc import Iterator

ALLOW_COMMENT = "# playhead: allow-set-order"

_ORDER_FREE = frozenset({"sorted", "len", "min", "max", "sum", "any", "all", "set", "frozenset"})
"""Functions whose result does not depend on the order of what they are given."""

_KEEPS_ORDER = frozenset({"list", "tuple", "iter", "enumerate", "map", "filter", "zip", "deque", "chain"})
"""Functions that hand on what they are given in the order in which they find it."""

_ORDERED_METHODS = frozenset({"join", "extend", "extendleft", "fromkeys", "writelines"})


def check(workflow_class: type) -> None:
    """Read the source of a workflow class.

    Raises:
        NondeterministicCall: It iterates over a set of strings.
    """
    for function in _functions_of(workflow_class):
        code = function.__code__
        linecache.checkcache(code.co_filename)
        source = "".join(linecache.getlines(code.co_filename, function.__globals__))
        for line in _module(source).iterations((code.co_firstlineno, code.co_name)):
            raise NondeterministicCall(
                "iteration over a set of strings",
                code.co_filename,
                line,
                "gives another order in another process (PYTHONHASHSEED)",
                "use sorted(...)",
            )


def _functions_of(workflow_class: type) -> Iterator[FunctionType]:
    for cls in workflow_class.__mro__:
        for value in vars(cls).values():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if isinstance(function, FunctionType):
                original = inspect.unwrap(function)
                if isinstance(original, FunctionType) and origin_of_file(original.__code__.co_filename) is Origin.USER:
                    yield original


class _Module:
    """The source of one module, or none if there is none to be had."""

    def __init__(self, source: str) -> None:
        try:
            tree = ast.parse(source)
        except SyntaxError:  # it has changed on disk since it was imported
            tree = ast.Module([], [])
        self.lines = source.splitlines()
        self.scope = Scope.of_module(tree)
        self._defined = dict(self._functions(tree, self.scope))
        self._known: dict[tuple[int, str], tuple[int, ...]] = {}

    def iterations(self, key: tuple[int, str]) -> tuple[int, ...]:
        """Lines where a function, or one that it calls, iterates over a set of strings.

        Args:
            key: The function's first line, decorators included, and its name.
        """
        if key not in self._known:
            self._known[key] = ()  # while it is being looked at: functions may call each other in circles
            if key in self._defined:
                self._known[key] = self._look(*self._defined[key])
        return self._known[key]

    def _look(self, function: Function, scope: Scope) -> tuple[int, ...]:
        visitor = _Iterations(scope.inside(function), self.lines)
        for statement in function.body:
            visitor.visit(statement)
        lines = visitor.found
        for name in visitor.called:
            if called := self.scope.functions.get(name):
                lines += self.iterations(_key(called))
        return tuple(lines)

    def _functions(self, node: ast.AST, scope: Scope) -> Iterator[tuple[tuple[int, str], tuple[Function, Scope]]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield _key(child), (child, scope)
                yield from self._functions(child, scope.inside(child))
            elif isinstance(child, ast.ClassDef):
                yield from self._functions(child, scope.within_class(child))
            else:
                yield from self._functions(child, scope)


_module = lru_cache(maxsize=64)(_Module)


def _key(function: Function) -> tuple[int, str]:
    return min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)]), function.name


class _Iterations:
    """Finds where the order of a set of strings shows, in the body of one function."""

    def __init__(self, scope: Scope, lines: list[str]) -> None:
        self.found: list[int] = []
        self.called: set[str] = set()
        self._scope = scope
        self._lines = lines
        self._order_free: set[ast.expr] = set()

    def visit(self, node: ast.AST) -> None:
        """Look at a node and all that is inside of it."""
        match node:
            case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
                self._iterates(iterable)
            case ast.ListComp() | ast.GeneratorExp() | ast.DictComp() if node not in self._order_free:
                self._iterates(*(generator.iter for generator in node.generators))
            case ast.Call():
                self._calls(node)
            case ast.Set(elements):
                self._order_free.update(elements)
            case ast.Starred(value, ast.Load()) if node not in self._order_free:
                self._iterates(value)
            case ast.YieldFrom(value) | ast.Assign([ast.Tuple() | ast.List(), *_], value):
                self._iterates(value)
            case ast.With(items) | ast.AsyncWith(items) if any(_is_unrestricted(item) for item in items):
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                outer, self._scope = self._scope, self._scope.inside(node)
                self._visit_children(node)
                self._scope = outer
                return
            case _:
                pass
        self._visit_children(node)

    def _visit_children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def _calls(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(name):
                self.called.add(name)
                if name in _ORDER_FREE or (name in _KEEPS_ORDER and node in self._order_free):
                    self._order_free.update(node.args)
                elif name in _KEEPS_ORDER:
                    self._iterates(*node.args)
            case ast.Attribute(_, method) if method in _ORDERED_METHODS:
                self._iterates(*node.args)
            case ast.Attribute(value, "pop") if not node.args:
                self._iterates(value)
            case _:
                pass

    def _iterates(self, *iterables: ast.expr) -> None:
        for iterable in iterables:
            if is_string_set(iterable, self._scope):
                lines = self._lines[iterable.lineno - 1 : iterable.end_lineno]
                if not any(ALLOW_COMMENT in line for line in lines):
                    self.found.append(iterable.lineno)


def _is_unrestricted(item: ast.withitem) -> bool:
    match item.context_expr:
        case ast.Call(ast.Attribute(_, name) | ast.Name(name)):
            return name == "sandbox_unrestricted"
        case _:
            return False
