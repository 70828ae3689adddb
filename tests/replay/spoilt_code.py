"""Changes to workflow code of the kinds that break replay, and of kinds that only look as if they did.

A mutant is a program: it is the same one for the same source and seed. Nothing here knows what a change should lead to.
"""

from __future__ import annotations

import ast
import copy
import random
import sys
import types
from collections.abc import Callable
from typing import TypeAlias

_Chance: TypeAlias = random.Random

NO_PROGRAM = (SyntaxError, ValueError, NameError, AttributeError, TypeError)
"""What is raised where a change leaves nothing that can be imported."""

_INSERTED = (
    "raise ValueError('spoilt')",
    "raise workflow_spoilt.exceptions.ApplicationError('spoilt')",
    "raise asyncio_spoilt.CancelledError()",
    "return None",
    "await asyncio_spoilt.sleep(1)",
    "await asyncio_spoilt.sleep(0)",
    "asyncio_spoilt.create_task(asyncio_spoilt.sleep(5))",
    "workflow_spoilt.workflow.patched('spoilt')",
    "workflow_spoilt.workflow.deprecate_patch('spoilt')",
    "workflow_spoilt.workflow.upsert_memo({'spoilt': 1})",
    "workflow_spoilt.workflow.upsert_search_attributes({'Spoilt': ['x']})",
    "workflow_spoilt.workflow.random().random()",
    "await workflow_spoilt.workflow.wait_condition(lambda: False)",
    "await workflow_spoilt.workflow.wait_condition(lambda: True)",
    "await workflow_spoilt.workflow.execute_activity('spoilt', schedule_to_close_timeout=_soon_spoilt)",
    "workflow_spoilt.workflow.start_activity('spoilt', schedule_to_close_timeout=_soon_spoilt)",
    "workflow_spoilt.workflow.start_local_activity('spoilt', schedule_to_close_timeout=_soon_spoilt)",
    "await workflow_spoilt.workflow.start_child_workflow('spoilt', id='spoilt')",
    "await workflow_spoilt.workflow.get_external_workflow_handle('spoilt').signal('spoilt')",
    "await workflow_spoilt.workflow.get_external_workflow_handle('spoilt').cancel()",
    "workflow_spoilt.workflow.continue_as_new()",
    "asyncio_spoilt.current_task().cancel()",
    "workflow_spoilt.workflow.start_activity('spoilt', schedule_to_close_timeout=_soon_spoilt).cancel()",
    "asyncio_spoilt.get_running_loop().call_later(3, lambda: None).cancel()",
    "[task.cancel() for task in asyncio_spoilt.all_tasks()]",
)
_PREAMBLE = (
    "import asyncio as asyncio_spoilt\nimport temporalio.workflow\nimport temporalio.exceptions\n"
    "import temporalio as workflow_spoilt\nfrom datetime import timedelta as _td_spoilt\n"
    "_soon_spoilt = _td_spoilt(seconds=10)\n"
)
_CALLS = {
    "execute_activity": ("execute_local_activity",),
    "execute_activity_method": ("execute_local_activity_method",),
    "start_activity": ("start_local_activity", "execute_activity"),
    "execute_local_activity": ("execute_activity",),
    "patched": ("deprecate_patch",),
    "deprecate_patch": ("patched",),
    "execute_child_workflow": ("start_child_workflow",),
    "TRY_CANCEL": ("WAIT_CANCELLATION_COMPLETED", "ABANDON"),
    "WAIT_CANCELLATION_COMPLETED": ("TRY_CANCEL", "ABANDON"),
    "ABANDON": ("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED"),
}


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Those whose bodies are changed: the methods and helpers of workflows, not activities."""
    found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = " ".join(ast.unparse(one) for one in node.decorator_list)
            if "activity.defn" not in decorators:
                found.append(node)
    return found


def _blocks(tree: ast.AST) -> list[tuple[list[ast.stmt], bool]]:
    """All lists of statements inside functions, and whether the function is async."""
    found: list[tuple[list[ast.stmt], bool]] = []
    for function in functions(tree):
        is_async = isinstance(function, ast.AsyncFunctionDef)
        for node in ast.walk(function):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    found.append((block, is_async))
    return found


def _statement(text: str) -> ast.stmt:
    return ast.parse(f"async def _():\n  {text}").body[0].body[0]  # type: ignore[attr-defined]


def _drop(chance: _Chance, tree: ast.AST) -> None:
    block, _ = chance.choice(_blocks(tree))
    block[chance.randrange(len(block))] = ast.Pass()


def _double(chance: _Chance, tree: ast.AST) -> None:
    block, _ = chance.choice(_blocks(tree))
    at = chance.randrange(len(block))
    block.insert(at, copy.deepcopy(block[at]))


def _swap(chance: _Chance, tree: ast.AST) -> None:
    blocks = [block for block, _ in _blocks(tree) if len(block) > 1]
    if blocks:
        block = chance.choice(blocks)
        at = chance.randrange(len(block) - 1)
        block[at], block[at + 1] = block[at + 1], block[at]


def _insert(chance: _Chance, tree: ast.AST) -> None:
    block, is_async = chance.choice(_blocks(tree))
    texts = [text for text in _INSERTED if is_async or not text.startswith("await")]
    block.insert(chance.randint(0, len(block)), _statement(chance.choice(texts)))


def _append_after_return(chance: _Chance, tree: ast.AST) -> None:
    """What is still asked for while the workflow ends: in a `finally` around a whole function."""
    function = chance.choice(functions(tree))
    texts = [t for t in _INSERTED if isinstance(function, ast.AsyncFunctionDef) or not t.startswith("await")]
    function.body = [ast.Try(function.body, [], [], [_statement(chance.choice(texts))])]


def _constant(chance: _Chance, tree: ast.AST) -> None:
    found = [
        node
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int) and not isinstance(node.value, bool)
    ]
    if found:
        node = chance.choice(found)
        node.value = node.value + "x" if isinstance(node.value, str) else node.value + chance.choice((-1, 1, 5))  # type: ignore[operator]


def _keyword(chance: _Chance, tree: ast.AST) -> None:
    found = [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Call) and n.keywords]
    if found:
        keywords = chance.choice(found).keywords
        keywords.pop(chance.randrange(len(keywords)))


def _wrap(chance: _Chance, tree: ast.AST) -> None:
    awaits = [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Await)]
    if awaits:
        node = chance.choice(awaits)
        ways = (
            "asyncio_spoilt.wait_for({}, 100)",
            "asyncio_spoilt.wait_for({}, 0.5)",
            "asyncio_spoilt.shield({})",
            "asyncio_spoilt.gather({}, asyncio_spoilt.sleep(1))",
            "asyncio_spoilt.gather(asyncio_spoilt.sleep(1), {}, return_exceptions=True)",
            "asyncio_spoilt.ensure_future({})",
            "workflow_spoilt.workflow.wait([asyncio_spoilt.ensure_future({})])",
            "asyncio_spoilt.sleep(1)",
            "asyncio_spoilt.wait([asyncio_spoilt.ensure_future({}), asyncio_spoilt.ensure_future("
            "asyncio_spoilt.sleep(1))], return_when='FIRST_COMPLETED')",
        )
        inner = ast.unparse(node.value)
        node.value = ast.parse(chance.choice(ways).format(inner), mode="eval").body


def _unawait(chance: _Chance, tree: ast.AST) -> None:
    awaits = [
        n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Await)
    ]
    if awaits:
        node = chance.choice(awaits)
        node.value = ast.parse(
            f"asyncio_spoilt.ensure_future({ast.unparse(node.value.value)})",  # type: ignore[attr-defined]
            mode="eval",
        ).body


def _negate(chance: _Chance, tree: ast.AST) -> None:
    found = [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.If | ast.While | ast.IfExp)]
    found += [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Lambda)]  # type: ignore[misc]
    if found:
        node = chance.choice(found)
        if isinstance(node, ast.Lambda):
            node.body = ast.UnaryOp(ast.Not(), node.body)
        else:
            node.test = ast.UnaryOp(ast.Not(), node.test)


def _other_call(chance: _Chance, tree: ast.AST) -> None:
    found = [n for f in functions(tree) for n in ast.walk(f) if isinstance(n, ast.Attribute) and n.attr in _CALLS]
    if found:
        node = chance.choice(found)
        node.attr = chance.choice(_CALLS[node.attr])


def _untry(chance: _Chance, tree: ast.AST) -> None:
    found = [(b, s) for b, _ in _blocks(tree) for s in b if isinstance(s, ast.Try)]
    if found:
        block, statement = chance.choice(found)
        at = block.index(statement)
        block[at : at + 1] = statement.body


def _swallow(chance: _Chance, tree: ast.AST) -> None:
    block, _ = chance.choice(_blocks(tree))
    at = chance.randrange(len(block))
    handler = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), None, [ast.Pass()])
    block[at] = ast.Try([block[at]], [handler], [], [])


def _later(chance: _Chance, tree: ast.AST) -> None:
    """Move a statement into another block."""
    blocks = _blocks(tree)
    block, _ = chance.choice(blocks)
    to, _ = chance.choice(blocks)
    if len(block) > 1:
        statement = block.pop(chance.randrange(len(block)))
        to.insert(chance.randint(0, len(to)), statement)


def _undecorate(chance: _Chance, tree: ast.AST) -> None:
    """Take a handler away, or give it another name."""
    found = [
        f
        for f in functions(tree)
        if any("signal" in ast.unparse(d) or "update" in ast.unparse(d) for d in f.decorator_list)
    ]
    if found:
        function = chance.choice(found)
        if chance.random() < 0.5:
            function.decorator_list = []
        else:
            function.name += "_x"


WAYS: tuple[Callable[[_Chance, ast.AST], None], ...] = (
    _drop,
    _double,
    _swap,
    _insert,
    _insert,
    _insert,
    _append_after_return,
    _constant,
    _constant,
    _keyword,
    _wrap,
    _wrap,
    _unawait,
    _negate,
    _other_call,
    _untry,
    _swallow,
    _later,
    _undecorate,
)


def spoilt(source: str, seed: int, *, changes: int = 1) -> str:
    """The source with something changed.

    Args:
        source: Of a module with workflows.
        seed: Which change.
        changes: How many.
    """
    chance = random.Random(seed)
    tree = ast.parse(source)
    for _ in range(changes):
        chance.choice(WAYS)(chance, tree)
    lines = ast.unparse(ast.fix_missing_locations(tree)).split("\n")
    at = max((i + 1 for i, line in enumerate(lines[:3]) if line.startswith("from __future__")), default=0)
    return "\n".join([*lines[:at], _PREAMBLE, *lines[at:]])


def module_of(source: str, name: str) -> types.ModuleType:
    """The module that a source is.

    Raises:
        Exception: Whatever it raises when it is run: a change may make it invalid.
    """
    module = types.ModuleType(name)
    module.__file__ = f"/nowhere/{name}.py"
    sys.modules[name] = module
    try:
        exec(compile(source, module.__file__, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
