"""What changed between two states, also where one was captured more sparingly than the other.

Lines are captured with fewer parts of each variable than workflow tasks. Between two of the same kind everything is
compared; between one of each, only what both have, so that nothing looks changed that was only cut.
"""

from __future__ import annotations

from playhead.timeline.snapshot import Difference, Snapshot, differences
from playhead.timeline.value import Value, same


def changes(before: Snapshot, after: Snapshot, *, is_alike_captured: bool) -> dict[str, Difference]:
    """What is not the same, by name: `self.total`, `run.order.items[2]`.

    Args:
        before: One state.
        after: The other; the names are those of it.
        is_alike_captured: Whether as much was captured of both.
    """
    if is_alike_captured:
        return {one.name: one for one in differences(before, after)}
    was = dict(before.variables())
    return {
        name: Difference(name, was.get(name), value)
        for name, value in after.variables()
        if not _alike(was.get(name), value)
    }


def _alike(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same as far as both were captured."""
    if one is None or other is None:
        return one is other
    if "cut" in (one.kind, other.kind):
        return True
    if (one.kind, one.type, one.size) != (other.kind, other.type, other.size):
        return False
    if not one.parts or not other.parts or (one.is_whole and other.is_whole):
        return bool(one.parts) != bool(other.parts) or same(one, other)
    if one.kind == "set":
        return True  # its parts have no names to find them by
    others = dict(other.children())
    return all(_alike(part, others[name]) for name, part in one.children() if name in others)
