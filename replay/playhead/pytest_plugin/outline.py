"""The outline of a run: what it did and what came of it, without times and ids.

Two runs of the same code with the same input have the same outline, whichever server they ran on and however long
anything took. That is what a run is held against its baseline by.
"""

from __future__ import annotations

import difflib
from typing import Any, Final

from playhead.diagnosis.steps import StepKind, recorded_step
from playhead.grouping import Group, grouped
from playhead.values import short
from playhead_engine.history import History
from playhead_engine.tasks import COMMAND_EVENTS

_ROOM: Final = 200  # characters for a value
_UNSEEN: Final = frozenset({"workflow task"})


def outline(history: History, *, values: bool = True) -> list[str]:
    """A run in lines, in the order in which things began.

    Args:
        history: The run.
        values: Whether arguments and results belong to it.
    """
    return [_line(group, values) for group in grouped(history) if group.kind not in _UNSEEN]


def changes(then: list[str], now: list[str]) -> list[str]:
    """What differs between two outlines, as a diff without a head; empty if nothing does."""
    diff = difflib.unified_diff(then, now, n=1, lineterm="")
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


def _line(group: Group, values: bool) -> str:
    first = group.events[0]
    if first.KIND in COMMAND_EVENTS and group.kind != "update":
        step = recorded_step(first)
        title = step.described() if step.kind is not StepKind.MARKER else f"marker {group.title}"
        if step.kind is StepKind.PATCH:
            return title
    else:
        title = f"{group.kind} {group.title}".strip()
    if values:
        title += _arguments(first.attributes)
    if not group.outcome:
        return title
    outcome = f"{title}: {group.outcome}"
    return f"{outcome} {short(group.detail, _ROOM)}" if values and group.detail is not None else outcome


def _arguments(attributes: Any) -> str:
    given = attributes.get("input") or ((attributes.get("acceptedRequest") or {}).get("input") or {}).get("args")
    return f" {short(given, _ROOM)}" if given else ""
