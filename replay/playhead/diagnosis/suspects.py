"""Expressions whose value may be another one on replay: the clock, chance, the environment, the order of a set.

Each is known by how it is written, so what is found here is likely and never certain. This module only looks at
expressions; which of them decide about a difference is for `hidden` to say.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from playhead.diagnosis.source import Function, Source, dotted

_CLOCK: Final = ("reads the clock of the machine, which a replay reads at another time", "`workflow.now()`")
_CHANCE: Final = ("draws by chance, and a replay draws something else", "`workflow.random()`")
_ENVIRONMENT: Final = ("reads the environment of the process, which differs from worker to worker", "an argument")
_PROCESS: Final = ("differs from process to process", "a value of the workflow's own")
_REPLAYING: Final = ("is false when the run happens and true when it is replayed", "no such condition")
_FILES: Final = ("reads the file system, which differs from worker to worker", "an activity")
_SET: Final = ("iterates over a set, whose order differs from process to process", "`sorted(...)`")
_SHARED: Final = (
    "is shared by all runs of the process, so it depends on what ran before",
    "an attribute of the workflow",
)

_CALLS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            "datetime.now",
            "datetime.utcnow",
            "datetime.today",
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "date.today",
            "datetime.date.today",
            "time.time",
            "time.time_ns",
            "time.monotonic",
            "time.perf_counter",
            "time.localtime",
            "time.gmtime",
        ),
        _CLOCK,
    ),
    **dict.fromkeys(("uuid.uuid4", "uuid.uuid1", "uuid4", "uuid1"), (_CHANCE[0], "`workflow.uuid4()`")),
    **dict.fromkeys(("os.getenv", "os.environ.get", "environ.get", "getenv"), _ENVIRONMENT),
    **dict.fromkeys(("hash", "id", "os.getpid", "socket.gethostname", "platform.node"), _PROCESS),
    **dict.fromkeys(("workflow.unsafe.is_replaying", "unsafe.is_replaying"), _REPLAYING),
    **dict.fromkeys(("os.listdir", "os.path.exists", "glob.glob", "open", "Path.exists"), _FILES),
}
_REPLACEMENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("datetime.now", "datetime.datetime.now"), "{workflow}.now()"),
    **dict.fromkeys(("datetime.utcnow", "datetime.datetime.utcnow"), "{workflow}.now().replace(tzinfo=None)"),
    **dict.fromkeys(("date.today", "datetime.date.today"), "{workflow}.now().date()"),
    "time.time": "{workflow}.time()",
    "time.time_ns": "{workflow}.time_ns()",
    **dict.fromkeys(("uuid.uuid4", "uuid4"), "{workflow}.uuid4()"),
}
_PREFIXES: Final[Mapping[str, tuple[str, str]]] = {"random.": _CHANCE, "secrets.": _CHANCE}
_SETS: Final = frozenset({"set", "frozenset"})
_SET_METHODS: Final = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_CHANGES: Final = frozenset({"append", "add", "update", "pop", "clear", "setdefault", "extend", "remove", "insert"})


@dataclass(frozen=True, slots=True)
class Suspect:
    """A piece of source whose value may differ.

    Attributes:
        text: How it is written.
        line: Where.
        why: What it does, to follow `text`.
        instead: What to use.
        through: Names by which its value comes to where it decides something.
        node: The piece itself.
        replacement: The source that does the same on every replay; empty where there is none.
    """

    text: str
    line: int
    why: str
    instead: str
    through: tuple[str, ...] = ()
    node: ast.expr | None = None
    replacement: str = ""


def suspects(
    source: Source, expression: ast.expr, function: Function | None, *, is_iterated: bool = False, depth: int = 3
) -> Iterator[Suspect]:
    """What in an expression may differ on replay, looking through local names, attributes and functions of the file.

    Args:
        source: The file.
        expression: The expression.
        function: The function it stands in.
        is_iterated: Its order matters, not its value alone.
        depth: How many names to look through.
    """
    if is_iterated and _is_set(expression):
        yield _suspect(source, expression, _SET)
    inside: set[ast.AST] = set()
    for node in ast.walk(expression):
        if node in inside:
            continue
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            known = _CALLS.get(name) or next((v for p, v in _PREFIXES.items() if name.startswith(p)), None)
            if known is not None and not isinstance(node.func, ast.Call):
                inside.update(ast.walk(node.func))
                yield _suspect(source, node, known)
            elif depth and name:
                yield from _through(source, name, _returned(source, name), depth)
        elif isinstance(node, ast.Subscript | ast.Attribute) and dotted(node) in ("os.environ", "environ"):
            yield _suspect(source, node, _ENVIRONMENT)
        elif depth and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id in _shared_names(source):
                yield _suspect(source, node, _SHARED)
            elif function is not None:
                values = source.definitions(node.id, function, node.lineno)
                for value in values:
                    for found in suspects(source, value, function, is_iterated=is_iterated, depth=depth - 1):
                        yield replace(found, through=(node.id, *found.through))
                if is_iterated and any(_is_done_set(source, node.id, function)):
                    yield _suspect(source, node, _SET)
        elif depth and isinstance(node, ast.Attribute) and dotted(node).startswith("self."):
            for value in _attribute_values(source, node.attr):
                for found in suspects(source, value, None, is_iterated=is_iterated, depth=depth - 1):
                    yield replace(found, through=(dotted(node), *found.through))


def _suspect(source: Source, node: ast.expr, known: tuple[str, str]) -> Suspect:
    return Suspect(source.text(node), node.lineno, *known, node=node, replacement=_replacement(source, node, known))


def _replacement(source: Source, node: ast.expr, known: tuple[str, str]) -> str:
    """The same by the workflow's own means; `{workflow}` stands for what the file calls the workflow module."""
    if known is _SET:
        return f"sorted({source.text(node)})"
    name = dotted(node)
    if known is _CHANCE and name.startswith("random.") and isinstance(node, ast.Call):
        return "{workflow}.random()." + source.text(node).removeprefix("random.")
    return _REPLACEMENTS.get(name, "")


def _through(source: Source, name: str, values: list[ast.expr], depth: int) -> Iterator[Suspect]:
    for value in values:
        for found in suspects(source, value, None, depth=depth - 1):
            yield replace(found, through=(f"{name}()", *found.through))


def _is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _SETS
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _SET_METHODS
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
            return _is_set(left) or _is_set(right)
        case _:
            return False


def _is_done_set(source: Source, name: str, function: Function) -> Iterator[bool]:
    """Whether a name holds one of the two sets that `asyncio.wait` returns."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(name in _names(target) for target in node.targets):
            yield any(called == "asyncio.wait" for called, _ in source.calls(node))


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _returned(source: Source, name: str) -> list[ast.expr]:
    """What a function of the file returns, by its last name."""
    last = name.rsplit(".", 1)[-1]
    return [
        returned.value
        for node in ast.walk(source.tree)
        if isinstance(node, Function) and node.name == last and not node.decorator_list
        for returned in ast.walk(node)
        if isinstance(returned, ast.Return) and returned.value is not None
    ]


def _attribute_values(source: Source, name: str) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Attribute) and dotted(target) == f"self.{name}" for target in node.targets)
    ]


def _shared_names(source: Source) -> frozenset[str]:
    """Names of the module that functions of it change."""
    top = {
        name
        for node in source.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in _names(target)
    }
    changed: set[str] = set()
    for function in ast.walk(source.tree):
        if not isinstance(function, Function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                changed.update(node.names)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                changed.add(dotted(node.value))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
                changed.add(dotted(node.func.value))
    return frozenset(top & changed)
