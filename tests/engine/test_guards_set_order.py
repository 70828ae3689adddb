"""Iteration over a set of strings is refused where the source shows it, and only there."""

from __future__ import annotations

import sys
import textwrap
import types
from pathlib import Path

import pytest

from playhead_engine import guards

HEAD = """
import asyncio
from typing import Optional, FrozenSet
from playhead_engine import guards

REGIONS = {"eu", "us"}
NUMBERS = {1, 2}

def ordered(tags: set[str]) -> list[str]:
    return sorted(tags)

def unordered(tags: set[str]) -> list[str]:
    return [tag for tag in tags]  # HELPER

async def call(tag): ...

class Orders:
    labels: frozenset[str]
    sizes: set[int]

    def __init__(self, given: set[str]) -> None:
        self.seen: set[str] = set()
        self.done = {"a"}
        self.given = given
        self.mixed = {"a"}

    def change(self) -> None:
        self.mixed = [1, 2]

    def tags(self) -> set[str]:
        return {"a"}

    async def run(self, items: list[str], tags: set[str], count: int, name: str) -> None:
"""

REFUSED = [
    'for tag in {"a", "b"}: pass',
    'for tag in {"a", *items}: pass',
    'for tag in {f"{count}"}: pass',
    "for tag in {name}: pass",
    "for tag in tags: pass",
    "for tag in set(items): pass",
    'for tag in set("text"): pass',
    'for tag in set("a b".split()): pass',
    'for tag in frozenset(["a", "b"]): pass',
    "for tag in {str(n) for n in range(3)}: pass",
    "for tag in REGIONS: pass",
    "for tag in self.labels: pass",
    "for tag in self.seen: pass",
    "for tag in self.done: pass",
    "for tag in self.given: pass",
    "for tag in self.tags(): pass",
    'for tag in tags | {"b"}: pass',
    "for tag in tags - self.done: pass",
    "for tag in tags.union(items): pass",
    "for tag in tags.copy(): pass",
    "for tag in (tags if count else set()): pass",
    "for tag in tags or set(): pass",
    "for index, tag in enumerate(tags): pass",
    "local = set(items)\nfor tag in local: pass",
    "local = tags\nlocal |= {'b'}\nfor tag in local: pass",
    "local: set[str] = set()\nfor tag in local: pass",
    "local: 'Optional[FrozenSet[str]]' = None\nfor tag in local: pass",
    "local: set[str] | None = None\nfor tag in local: pass",
    "local = set()\nlocal = local | {'a'}\nfor tag in local: pass",
    "[tag for tag in tags]",
    "{tag: 1 for tag in tags}",
    "[tag for n in range(3) for tag in tags]",
    "list(tags)",
    "tuple(tags)",
    "next(iter(tags))",
    "dict.fromkeys(tags)",
    "'-'.join(tags)",
    "items.extend(tags)",
    "first, *rest = tags",
    "tags.pop()",
    "[*tags]",
    "await asyncio.gather(*tags)",
    "await asyncio.gather(*(call(tag) for tag in tags))",
    "list(map(call, tags))",
    "print(*tags)",
    "async def inner():\n    for tag in tags: pass",
    "inner = lambda: list(tags)",
    "if count:\n    while True:\n        for tag in tags: pass",
    "sorted(items, key=lambda item: list(tags))",
]

FINE = [
    "for tag in sorted(tags): pass",
    "for tag in ordered(tags): pass",
    "for number in {1, 2}: pass",
    "for number in NUMBERS: pass",
    "for size in self.sizes: pass",
    "for item in items: pass",
    "for tag in self.mixed: pass",
    'for key in {"a": 1}: pass',
    "for letter in name: pass",
    "len(tags)",
    "name in tags",
    "min(tags), max(tags), any(tags), all(tags), len(tags | self.done)",
    "sorted(tag.upper() for tag in tags)",
    "sorted(list(tags))",
    "len([tag for tag in tags])",
    "set(list(tags))",
    "{tag.upper() for tag in tags}",
    "{*tags, *self.done}",
    "any(tag == name for tag in tags)",
    "sum(len(tag) for tag in tags)",
    "tags.add(name)",
    "tags.update(self.done)",
    "tags.issubset(self.done)",
    "items.pop()",
    "local = set()\nfor tag in local: pass",
    "local = {'a'}\nlocal = sorted(local)\nfor tag in local: pass",
    "for local in [1]: pass\nfor tag in local: pass",
    "tags = sorted(tags)\nfor tag in tags: pass",
    "def inner(tags: list[str]):\n    for tag in tags: pass",
    "inner = lambda tags: list(tags)",
    "for tag in unknown(): pass",
    "for tag in tags: pass  # playhead: allow-set-order",
    "with workflow.unsafe.sandbox_unrestricted():\n    for tag in tags: pass",
]


def arm(tmp_path: Path, body: str) -> tuple[Path, int]:
    """Arm a class whose `run` is this. The line is the first one of the body."""
    path = tmp_path / "orders.py"
    path.write_text(HEAD + textwrap.indent(body, " " * 8) + "\n")
    module = types.ModuleType("orders_under_test")
    module.__file__ = str(path)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    guards.arm(module.Orders)
    return path, HEAD.count("\n") + 1


@pytest.mark.parametrize("body", REFUSED)
def test_the_order_of_a_set_of_strings_is_refused(body: str, tmp_path: Path) -> None:
    """When the class is armed, at the line that iterates, with the way to do it."""
    with pytest.raises(guards.NondeterministicCall) as caught:
        arm(tmp_path, body)
    error = caught.value
    offset = next(n for n, line in enumerate(body.splitlines()) if "for " in line or n == len(body.splitlines()) - 1)
    assert (error.file, error.line) == (str(tmp_path / "orders.py"), HEAD.count("\n") + 1 + offset)
    assert error.instead == "use sorted(...)"
    assert "PYTHONHASHSEED" in str(error)


@pytest.mark.parametrize("body", FINE)
def test_what_does_not_show_the_order_of_strings_is_not(body: str, tmp_path: Path) -> None:
    """Sets of other things, questions that have no order, and whatever is not visibly a set of strings."""
    arm(tmp_path, body)


def test_a_function_that_the_workflow_calls_is_looked_at(tmp_path: Path) -> None:
    """A helper in the same module is part of the workflow; one that is not called is not."""
    with pytest.raises(guards.NondeterministicCall) as caught:
        arm(tmp_path, "unordered(tags)")
    assert caught.value.line == HEAD.splitlines().index("    return [tag for tag in tags]  # HELPER") + 1


def test_a_refused_class_is_refused_again(tmp_path: Path) -> None:
    """The workflow task fails again and again until the code is mended, and is not let through the second time."""

    class Orders:
        def run(self) -> list[str]:
            return list({"a", "b"})

    for _ in range(2):
        with pytest.raises(guards.NondeterministicCall):
            guards.arm(Orders)


def test_changed_source_is_read_again(tmp_path: Path) -> None:
    """A module that was mended and loaded again in the same process is judged by its new text."""
    with pytest.raises(guards.NondeterministicCall):
        arm(tmp_path, "list(tags)")
    arm(tmp_path, "sorted(tags)")


class Base:
    """Has the iteration that its subclasses inherit."""

    @property
    def first(self) -> str:
        """Takes the first that comes."""
        return next(iter({"a", "b"}))


def test_inherited_methods_and_properties_are_looked_at() -> None:
    """They run in the workflow all the same."""

    class Derived(Base):
        pass

    with pytest.raises(guards.NondeterministicCall) as caught:
        guards.arm(Derived)
    assert caught.value.file == __file__


def test_a_class_without_source_is_armed() -> None:
    """What cannot be seen is not judged."""
    namespace: dict[str, type] = {}
    exec("class Typed:\n    def run(self):\n        return list({'a', 'b'})", namespace)
    guards.arm(namespace["Typed"])


def test_the_escape_comment_is_the_documented_one() -> None:
    """The comment that errors and documentation name is the one that works."""
    from playhead_engine.guards import set_order

    assert set_order.ALLOW_COMMENT == "# playhead: allow-set-order"
    assert set_order.ALLOW_COMMENT in (sys.modules[set_order.__name__].__doc__ or "")
