"""Which line of `temporalio` workflow code asked for something.

The SDK has no such notion. So the one method of its workflow instance through which every command is made is watched,
and the stack is looked at in that moment. Commands that no line asks for (an activity is cancelled by the loop, the run
method has returned) are given the line of what they are about.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Final

from playhead_engine.call_site import CallSite, Detail, call_stack, library_files, origin_of_task

# A loop asks from the same line again and again.
_sites: dict[tuple[int, int], CallSite] = {}
_MOST_SITES: Final = 10_000


def asking_line(loop: CodeType, skipped: frozenset[CodeType], depth: int = 1) -> CallSite | None:
    """The innermost line of the workflow.

    Args:
        loop: The code of the SDK's event loop, where the search ends.
        skipped: Code that is the user's, but not the workflow's: that of interceptors.
        depth: How many frames above the caller of this function to start at.

    Returns:
        None if no line of the workflow is running: the loop itself asks.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if code is loop:
            return origin_of_task()
        if not library_files[code.co_filename] and code not in skipped:
            return _whole_stack(frame, loop, skipped) if Detail.callers else _site(code, frame.f_lasti)
        frame = frame.f_back
    return None


def _whole_stack(innermost: FrameType, loop: CodeType, skipped: frozenset[CodeType]) -> CallSite:
    """The position of a frame, with those of the workflow that called it."""
    positions: list[tuple[CodeType, int]] = []
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code is not loop:
        code = frame.f_code
        if not library_files[code.co_filename] and code not in skipped:
            positions.append((code, frame.f_lasti))
        frame = frame.f_back
    return call_stack(positions)


def code_of_classes(classes: Iterable[type]) -> frozenset[CodeType]:
    """The code of all functions that classes define."""
    members = (member for cls in classes for base in cls.__mro__ for member in vars(base).values())
    return frozenset(member.__code__ for member in members if hasattr(member, "__code__"))


def _site(code: CodeType, instruction: int) -> CallSite:
    key = id(code), instruction
    site = _sites.get(key)
    if site is None:
        if len(_sites) >= _MOST_SITES:
            _sites.clear()
        site = _sites[key] = CallSite(code, instruction)
    return site
