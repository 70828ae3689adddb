"""Which line of the workflow asked for something.

Unlike `call_site.caller`, the search ends where the event loop begins: what comes above it is whoever runs the
workflow, and that is never the line that asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from playhead_engine.call_site import CallSite, Detail, call_stack, origin_of_task
from playhead_engine.native.loop import WorkflowLoop

_OURS = str(Path(__file__).parent.parent)
_LOOP = WorkflowLoop.drain.__code__
_library_files: dict[str, bool] = {}


def is_library(code: CodeType) -> bool:
    """Whether code belongs to this package, asyncio or contextlib, which stand between a workflow and its calls."""
    return _is_library_file(code.co_filename)


def _is_library_file(file: str) -> bool:
    known = _library_files.get(file)
    if known is None:
        known = file.startswith(_OURS) or "/asyncio/" in file or file.endswith("/contextlib.py")
        _library_files[file] = known
    return known


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
            return origin_of_task(_is_library_file)
        known = _library_files.get(code.co_filename)
        if known is None:
            known = is_library(code)
        if not known:
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
        if not (_library_files.get(code.co_filename) or is_library(code)):
            positions.append((code, frame.f_lasti))
        frame = frame.f_back
    return call_stack(positions)


def raising_line(traceback: TracebackType | None) -> CallSite | None:
    """The innermost line of the workflow in the traceback of an error."""
    site: CallSite | None = None
    while traceback is not None:
        if not is_library(traceback.tb_frame.f_code):
            site = CallSite(traceback.tb_frame.f_code, traceback.tb_lasti)
        traceback = traceback.tb_next
    return site


def definition_line(fn: Callable[..., Any]) -> CallSite | None:
    """Where a function begins; None if it is not written in Python."""
    code = getattr(fn, "__code__", None)
    return CallSite(code, 0) if isinstance(code, CodeType) else None
