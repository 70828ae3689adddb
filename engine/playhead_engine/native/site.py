"""Which line of the workflow asked for something.

Unlike `call_site.caller`, the search ends where the event loop begins: what comes above it is whoever runs the
workflow, and that is never the line that asked.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from playhead_engine.call_site import CallSite, Detail, call_stack, library_files, origin_of_task
from playhead_engine.native.loop import WorkflowLoop

_LOOP = WorkflowLoop.drain.__code__


def asking_line(depth: int = 1) -> CallSite | None:
    """The innermost line of the workflow.

    Args:
        depth: How many frames above the caller of this function to start at.

    Returns:
        None if no line of the workflow is running: the event loop itself called.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if code is _LOOP:
            return origin_of_task()
        if not library_files[code.co_filename]:
            if Detail.callers:
                return _whole_stack(frame)
            return CallSite(code, frame.f_lasti)
        frame = frame.f_back
    return None


def _whole_stack(innermost: FrameType) -> CallSite:
    """The position of a frame, with those of the workflow that called it."""
    positions: list[tuple[CodeType, int]] = []
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code is not _LOOP:
        code = frame.f_code
        if not library_files[code.co_filename]:
            positions.append((code, frame.f_lasti))
        frame = frame.f_back
    return call_stack(positions)
