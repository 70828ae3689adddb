"""Trees as rows: nodes whose parts are made when somebody unfolds them.

A node says what it is in one line, and knows how to make its parts; nothing is made before it is on the screen. What
the tree is of is the business of whoever makes the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from playhead_engine.call_site import CallSite
from playhead_engine.record import record
from playhead_tui.model.ink import Ink, Line
from playhead_tui.model.legible import legible


@record
class Node:
    """A node of a tree.

    Attributes:
        label: What it is called.
        text: What it says, in one line; may be cut.
        ink: What the text means.
        parts: Makes the nodes below it; None if there are none.
        event_id: The event that it points at; 0 if it points at none.
        site: The line of code that it points at.
        whole: Gives all of what the text says, for copying; None if the text is all.
        is_open: Whether it is unfolded until the user folds it.
    """

    label: str
    text: str = ""
    ink: Ink = "value"
    parts: Callable[[], Sequence[Node]] | None = None
    event_id: int = 0
    site: CallSite | None = None
    whole: Callable[[], str] | None = None
    is_open: bool = False

    @property
    def copied(self) -> str:
        """What is copied of it."""
        return self.whole() if self.whole is not None else self.text


def given(nodes: Sequence[Node]) -> Callable[[], Sequence[Node]] | None:
    """What makes parts that are there already; None where there are none."""
    return (lambda: nodes) if nodes else None


@record
class Branch:
    """A node where it stands in the tree.

    Attributes:
        node: The node.
        path: What the nodes above it are called, and it itself; by this it is known again in another tree.
        is_open: Whether its parts are below it.
    """

    node: Node
    path: tuple[str, ...]
    is_open: bool

    @property
    def depth(self) -> int:
        """How many nodes are above it."""
        return len(self.path) - 1


class Outline:
    """The rows of a tree.

    Attributes:
        rows: The nodes that are to be seen, each where it stands.
        folds: What the user folded and unfolded, by path; kept where another tree of the same shape takes its place.
    """

    def __init__(self, nodes: Iterable[Node] = (), folds: dict[tuple[str, ...], bool] | None = None) -> None:
        """
        Args:
            nodes: The topmost nodes.
            folds: Of the tree that was shown before.
        """
        self._nodes = tuple(nodes)
        self.folds: dict[tuple[str, ...], bool] = folds if folds is not None else {}
        self._parts: dict[tuple[str, ...], tuple[Node, ...]] = {}
        self.rows: list[Branch] = []
        self._lay()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Branch:
        return self.rows[index]

    def fold(self, index: int, *, unfold: bool) -> bool:
        """Fold or unfold a node; says whether anything changed."""
        branch = self.rows[index]
        if branch.node.parts is None or unfold == branch.is_open:
            return False
        self.folds[branch.path] = unfold
        self._lay()
        return True

    def parent_of(self, index: int) -> int:
        """The row of the node above one; its own row if it is a topmost one."""
        depth = self.rows[index].depth
        return next((at for at in range(index, -1, -1) if self.rows[at].depth < depth), index)

    def _lay(self) -> None:
        self.rows = list(self._branches(self._nodes, ()))

    def _branches(self, nodes: Iterable[Node], above: tuple[str, ...]) -> Iterator[Branch]:
        called: dict[str, int] = {}
        for node in nodes:
            number = called[node.label] = called.get(node.label, 0) + 1
            path = (*above, node.label if number == 1 else f"{node.label} {number}")
            is_open = node.parts is not None and self.folds.get(path, node.is_open)
            yield Branch(node, path, is_open)
            if is_open:
                yield from self._branches(self._parts_of(node, path), path)

    def _parts_of(self, node: Node, path: tuple[str, ...]) -> tuple[Node, ...]:
        parts = self._parts.get(path)
        if parts is None:
            assert node.parts is not None
            parts = self._parts[path] = tuple(node.parts())
        return parts


def branch_line(branch: Branch) -> Line:
    """A node as it is shown."""
    node = branch.node
    fold = "  " if node.parts is None else "▾ " if branch.is_open else "▸ "
    line: Line = [(f"{'  ' * branch.depth}{fold}", "dim")]
    if node.label:
        line.append((legible(node.label), "name" if node.text else "title"))
    if node.text:
        line.append(("  " if node.label else "", "plain"))
        line.append((legible(node.text), node.ink))
    return line
