"""Which line of `temporalio` workflow code asked for something.

The SDK has no such notion. So the one method of its workflow instance through which every command is made is watched,
and the stack is looked at in that moment. Commands that no line asks for (an activity is cancelled by the loop, the run
method has returned) are given the line of what they are about.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

import temporalio

from playhead_engine.call_site import CallSite, Detail, call_stack, origin_of_task

_LIBRARY_FOLDERS: Final = (
    str(Path(temporalio.__file__).parent) + "/",
    str(Path(__file__).parent.parent) + "/",
)
_LIBRARY_ENDINGS: Final = ("/contextlib.py", "workflow_sandbox.py")
_library_files: dict[str, bool] = {}
# A loop asks from the same line again and again.
_sites: dict[tuple[int, int], CallSite] = {}
_MOST_SITES: Final = 10_000


def is_library(file: str) -> bool:
    """Whether a file is the SDK's, this package's or asyncio's, which stand between a workflow and its calls."""
    known = _library_files.get(file)
    if known is None:
        known = file.startswith(("<", *_LIBRARY_FOLDERS)) or "/asyncio/" in file or file.endswith(_LIBRARY_ENDINGS)
        _library_files[file] = known
    return known


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
            return origin_of_task(is_library)
        known = _library_files.get(code.co_filename)
        if known is None:
            known = is_library(code.co_filename)
        if not known and code not in skipped:
            return _whole_stack(frame, loop, skipped) if Detail.callers else _site(code, frame.f_lasti)
        frame = frame.f_back
    return None


def _whole_stack(innermost: FrameType, loop: CodeType, skipped: frozenset[CodeType]) -> CallSite:
    """The position of a frame, with those of the workflow that called it."""
    positions: list[tuple[CodeType, int]] = []
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code is not loop:
        code = frame.f_code
        if not is_library(code.co_filename) and code not in skipped:
            positions.append((code, frame.f_lasti))
        frame = frame.f_back
    return call_stack(positions)


def raising_line(traceback: TracebackType | None) -> CallSite | None:
    """The innermost line of the workflow in the traceback of an error."""
    site: CallSite | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not is_library(code.co_filename):
            site = CallSite(code, traceback.tb_lasti)
        traceback = traceback.tb_next
    return site


def definition_line(fn: Callable[..., Any] | None) -> CallSite | None:
    """Where a function begins; None if it is not written in Python."""
    code = getattr(fn, "__code__", None)
    return CallSite(code, 0) if isinstance(code, CodeType) else None


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
