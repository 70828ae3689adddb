"""Expressions that only look: what may be asked of a past run.

An expression is Python, evaluated with the variables of the run. Whatever could write is refused before it is
evaluated: there are no statements, no `:=`, no `await`, no `yield`, and of Python's own functions only those that look.
A method of the user's may still change something; whoever evaluates it on a live run compares what the run looked like
before and after.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from types import CodeType, CoroutineType
from typing import Any, Final

from playhead.timeline.asking import NotAnswered

_MAY: Final = (
    ast.Expression,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Lambda,
    ast.IfExp,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Compare,
    ast.Call,
    ast.FormattedValue,
    ast.JoinedStr,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Starred,
    ast.Name,
    ast.List,
    ast.Tuple,
    ast.Slice,
    ast.comprehension,
    ast.keyword,
    ast.arguments,
    ast.arg,
    ast.expr_context,
    ast.boolop,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
)
_LOOKING: Final = (
    "abs all any ascii bin bool bytes callable chr complex dict divmod enumerate filter float format frozenset "
    "getattr hasattr hash hex id int isinstance issubclass iter len list map max min next oct ord pow range "
    "repr reversed round set slice sorted str sum tuple type vars zip True False None "
    "Exception ValueError TypeError KeyError IndexError"
)
_BUILTINS: Final = {name: getattr(builtins, name) for name in _LOOKING.split()}
_WRITING: Final = frozenset(
    {"setattr", "delattr", "exec", "eval", "compile", "open", "input", "print", "breakpoint", "exit", "quit"}
    | {"globals", "locals", "__import__"}
)
_WORDS: Final[dict[type[ast.AST], str]] = {
    ast.NamedExpr: "`:=`",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.YieldFrom: "`yield from`",
}


class BadExpression(ValueError):
    """The text is no expression, or not one that only looks; the message says where."""


class ExpressionFailed(NotAnswered):
    """The expression raised.

    Attributes:
        text: The expression.
        problem: What is wrong with it.
    """

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text = text
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.text}: {self.problem}"


class RunChanged(ExpressionFailed):
    """The expression changed what it must only look at."""


class Expression:
    """An expression that only looks.

    Attributes:
        text: As it was written.
        calls: Whether it calls anything, and so may run code of the user's that changes something.
        calls_methods: Whether what it calls may be a method.
    """

    def __init__(self, text: str) -> None:
        """
        Raises:
            BadExpression: It is none, or not one that only looks.
        """
        self.text = text.strip()
        if not self.text:
            raise BadExpression("there is no expression")
        try:
            tree = ast.parse(self.text, "<expression>", "eval")
        except SyntaxError as error:
            raise BadExpression(_syntax(self.text, error)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise BadExpression(f"{self.text[:80]!r} cannot be read: {error}") from None
        self.calls = self.calls_methods = False
        for node in ast.walk(tree):
            self._check(node)
        self._code: CodeType = compile(tree, "<expression>", "eval")

    def _check(self, node: ast.AST) -> None:
        if not isinstance(node, _MAY) or (isinstance(node, ast.comprehension) and node.is_async):
            what = _WORDS.get(type(node), f"{type(node).__name__}")
            raise BadExpression(f"{self.text}: {what} does more than look, and a past run can only be looked at")
        if isinstance(node, ast.Name) and node.id in _WRITING:
            raise BadExpression(f"{self.text}: {node.id}() does more than look, and a past run can only be looked at")
        if isinstance(node, ast.Call):
            self.calls = True
            self.calls_methods = self.calls_methods or not isinstance(node.func, ast.Name)

    def value(self, variables: Mapping[str, Any]) -> Any:
        """Evaluate it.

        Args:
            variables: What the names in it mean, beside Python's own functions.

        Raises:
            ExpressionFailed: It raised.
        """
        # One dictionary: what is nested in an expression, as in a comprehension, sees no others.
        scope = {**variables, "__builtins__": _BUILTINS}
        try:
            value = eval(self._code, scope)
        except Exception as error:
            raise ExpressionFailed(self.text, f"{type(error).__name__}: {error}") from error
        if type(value) is CoroutineType:
            value.close()
            raise ExpressionFailed(self.text, "it gives a coroutine, and nothing can be awaited in a past run")
        return value

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _syntax(text: str, error: SyntaxError) -> str:
    if "=" in text and _is_statement(text):
        return f"{text}: a statement does more than look; an expression is wanted, such as `self.total > 500`"
    if error.text is None or not error.offset:
        return f"{text}: {error.msg}"
    column = max(error.offset - 1, 0)
    return f"{text}: {error.msg}\n  {text}\n  {' ' * column}^"


def _is_statement(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
