"""The variables of a run as a tree: the workflow's attributes, what every suspended function holds, what is waited for.

A variable that is not what it was where the playhead stood before is written in the ink for that, and so is what it is
a part of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from playhead.places import place
from playhead.timeline.snapshot import Coroutine
from playhead.timeline.telling import waiting_text
from playhead.timeline.value import Value
from playhead_tui.model.decoded import value_nodes
from playhead_tui.model.outline import Node, given
from playhead_tui.model.view import View

_ROOM = 300


def variable_nodes(view: View) -> list[Node]:
    """The topmost nodes: `self`, the functions of each coroutine, what is waited for. None where nothing is known."""
    state = view.state
    if state is None:
        return []
    changed = view.changes.keys()
    nodes: list[Node] = []
    if state.attributes:
        attributes = state.attributes.items()
        nodes.append(
            Node("self", "", "plain", lambda: [_node(n, f"self.{n}", v, changed) for n, v in attributes], is_open=True)
        )
    for number, coroutine in enumerate(state.coroutines):
        nodes += _functions(coroutine, "" if number == 0 else f"[{coroutine.name}] ", changed)
    for wait in state.waits:
        where = f"  {place(wait.site)}" if wait.site is not None else ""
        nodes.append(Node("waits for", f"{waiting_text(wait)}{where}", "await", site=wait.site))
    return nodes


def _functions(coroutine: Coroutine, prefix: str, changed: Collection[str]) -> Iterator[Node]:
    for frame in coroutine.stack:
        name = f"{prefix}{frame.site.function.rpartition('.')[2]}"
        parts = [_node(label, f"{name}.{label}", value, changed) for label, value in frame.locals.items()]
        yield Node(name, place(frame.site), "dim", given(parts), site=frame.site, is_open=True)


def _node(label: str, path: str, value: Value, changed: Collection[str]) -> Node:
    joint = "." if value.kind == "object" else ""

    def parts() -> Sequence[Node]:
        if not value.parts:
            return value_nodes(value)
        nodes = [_node(name or "·", f"{path}{joint}{name}", part, changed) for name, part in value.children()]
        left = value.size - len(value.parts)
        return [*nodes, Node("", f"… {left:,} more", "dim")] if left > 0 else nodes

    is_long = isinstance(value.content, str) and (len(value.content) > _ROOM or "\n" in value.content)
    return Node(
        label,
        value.text(_ROOM),
        "changed" if _is_among(path, changed) else "value",
        parts if value.parts or is_long else None,
        whole=lambda: value.text(100_000),
    )


def _is_among(path: str, changed: Collection[str]) -> bool:
    """Whether a variable changed, or a part of it."""
    return path in changed or any(name.startswith(path) and name[len(path)] in ".[" for name in changed)
