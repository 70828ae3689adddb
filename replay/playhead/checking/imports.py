"""What a Python file imports, read from its text: nothing is run.

Imports inside of functions count like those at the top, since a replay may come to them. What stands under
`if TYPE_CHECKING:` never runs. Where a name is only known when the code runs, that is said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from playhead_engine.record import record

# What imports or runs code whose name is not written there.
_COMPUTING: Final = frozenset(
    {
        "exec_module",
        "iter_modules",
        "load_module",
        "run_module",
        "run_path",
        "spec_from_file_location",
        "walk_packages",
    }
)
_BY_NAME: Final = frozenset({"__import__", "import_module"})


@record
class Imports:
    """What a file imports.

    Attributes:
        modules: Dotted names that are modules, or that may be names in one: of `from a import b`, `a` and `a.b`.
        packages: Packages of which everything is imported, with `from a import *`.
        is_computed: Whether it imports something by a name that is worked out when it runs.
    """

    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    is_computed: bool = False


def imports_of(text: bytes, name: str, *, is_package: bool) -> Imports:
    """What a file imports.

    Args:
        text: The file.
        name: The dotted name that it is imported by.
        is_package: Whether it is the `__init__` of a package, which relative imports depend on.

    Returns:
        Nothing for a file that is no Python: importing it fails, and whoever does will hear of it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return Imports()
    package = name if is_package else name.rpartition(".")[0]
    modules: dict[str, None] = {}
    packages: dict[str, None] = {}
    is_computed = False
    for node in _running(tree):
        match node:
            case ast.Import(names=names):
                modules.update((alias.name, None) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(module or "", level, package)
                modules[base] = None
                if any(alias.name == "*" for alias in names):
                    packages[base] = None
                modules.update((f"{base}.{alias.name}" if base else alias.name, None) for alias in names)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if called in _BY_NAME:
                    found = _literal(arguments, keywords)
                    is_computed = is_computed or found is None
                    modules.update([(found, None)] if found else [])
                is_computed = is_computed or called in _COMPUTING
            case _:
                pass
    return Imports(tuple(name for name in modules if name and not name.endswith("*")), tuple(packages), is_computed)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers look at."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _is_type_checking(test: ast.expr) -> bool:
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == "TYPE_CHECKING"


def _absolute(module: str, level: int, package: str) -> str:
    """The absolute name behind `from ..module import`."""
    if level == 0:
        return module
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{module}" if base and module else base or module


def _literal(arguments: list[ast.expr], keywords: list[ast.keyword]) -> str | None:
    """The name that a call imports, if it is written there, and is no relative one."""
    if len(arguments) == 1 and not keywords and isinstance(arguments[0], ast.Constant):
        name = arguments[0].value
        if isinstance(name, str) and not name.startswith("."):
            return name
    return None
