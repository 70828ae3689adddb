"""Where in the user's code something was asked for.

Every command carries one, on green runs too, so that an event can be shown beside the line that caused it. Taking one
must stay cheap: it keeps the code object and the instruction, and works out names and line numbers only when somebody
looks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from playhead_engine.record import record


@record
class CallSite:
    """A position in source code.

    Attributes:
        code: The code object that was running.
        instruction: Offset of the instruction in it, in bytes.
        called_from: The line of the user's that called this code; known only where `Detail.callers` was on.
    """

    code: CodeType
    instruction: int
    called_from: CallSite | None = None

    @property
    def file(self) -> str:
        """The file as the interpreter knows it."""
        return self.code.co_filename

    @property
    def function(self) -> str:
        """The qualified name of the function."""
        return self.code.co_qualname

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        for start, end, line in self.code.co_lines():
            if start <= self.instruction < end and line is not None:
                return line
        return self.code.co_firstlineno

    def stack(self) -> list[CallSite]:
        """This position and those that called it, the innermost first."""
        found: list[CallSite] = []
        site: CallSite | None = self
        while site is not None:
            found.append(site)
            site = site.called_from
        return found

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def __reduce__(self) -> tuple[Callable[..., CallSite], tuple[str, str, int, CallSite | None]]:
        # Code cannot leave its process, and errors that carry a command must; what people see of it goes along.
        return elsewhere, (self.file, self.function, self.line, self.called_from)


_NO_CODE = (lambda: None).__code__


@lru_cache(maxsize=4096)
def elsewhere(file: str, function: str, line: int, called_from: CallSite | None = None) -> CallSite:
    """A position in code that is not in this process, of which only this is known."""
    return CallSite(_NO_CODE.replace(co_filename=file, co_qualname=function, co_firstlineno=line), 0, called_from)


_MOST_STACKS = 10_000
_DEEP = 8
"""How far to look for the user's line behind an SDK's own coroutine."""
# By the ids of the code objects, which the value keeps alive, and instructions.
_stacks: dict[tuple[int, ...], CallSite] = {}


class Detail:
    """How much is noted of each call.

    Attributes:
        callers: Whether call sites say who called them. Off, because nobody looks at it in most replays.
    """

    callers = False


def call_stack(positions: Sequence[tuple[CodeType, int]]) -> CallSite:
    """A position and those that called it, the innermost first; the same object for the same stack."""
    key: list[int] = []
    for code, instruction in positions:
        key += (id(code), instruction)
    known = tuple(key)
    found = _stacks.get(known)
    if found is None:
        if len(_stacks) >= _MOST_STACKS:
            _stacks.clear()
        for code, instruction in reversed(positions):
            found = CallSite(code, instruction, found)
        assert found is not None
        _stacks[known] = found
    return found


@contextmanager
def noting_callers() -> Generator[None]:
    """Let call sites taken meanwhile say who called them."""
    before, Detail.callers = Detail.callers, True
    try:
        yield
    finally:
        Detail.callers = before


_OURS = str(Path(__file__).parent) + os.sep
_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep
_OTHERS = ("playhead", "playhead_tui", "temporalio")  # which this package must not import


class _LibraryFiles(dict[str, bool]):
    """Remembers of each file whether it is a library's. Looked up directly, since stacks are walked all the time."""

    def __missing__(self, filename: str) -> bool:
        known = self[filename] = _is_library(filename)
        return known


library_files: Final = _LibraryFiles()
"""Whether a file, as the interpreter knows it, is a library's: see `is_library`."""


def is_library(filename: str) -> bool:
    """Whether a file belongs to this product, to Python itself or to an SDK that we drive.

    That is what stands between a workflow and its calls, and never the code that a user wants to see. Other installed
    packages are somebody's code: workflows may be installed.
    """
    return library_files[filename]


def _is_library(filename: str) -> bool:
    if filename.startswith(_STANDARD_LIBRARY) and "site-packages" not in filename:
        return True
    # Nobody wrote what is in `<string>`: libraries make it up, and the SDK's sandbox runs in it.
    return filename.startswith((_OURS, "<frozen ", "<string>", *_other_folders()))


def _other_folders() -> list[str]:
    """What was not imported is on no stack."""
    files = (getattr(sys.modules.get(name), "__file__", None) for name in _OTHERS)
    return [str(Path(file).parent) + os.sep for file in files if file is not None]


def caller(depth: int = 1) -> CallSite | None:
    """The innermost position outside this package and the standard library.

    Args:
        depth: How many frames above the caller of this function to start at.

    Returns:
        None if there is only library code on the stack.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if not library_files[code.co_filename]:
            return CallSite(code, frame.f_lasti)
        frame = frame.f_back
    return None


@contextmanager
def noting_origins() -> Generator[None]:
    """Let coroutines made meanwhile, in this thread, know the line that makes them.

    Costs a seventh of a replay, so it is for those who ask for more than a verdict.
    """
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(_DEEP if Detail.callers else 1)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(before)


def origin_of_task() -> CallSite | None:
    """The line that made the coroutine of the task that runs now: what `gather` was given has nobody above it to ask.

    Returns:
        None if the user did not make it, or if Python was not told to track where coroutines come from.
    """
    import asyncio

    task = asyncio.current_task()
    origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
    if not origin:
        return None
    return next((elsewhere(file, function, line) for file, line, function in origin if not library_files[file]), None)


def raising_line(traceback: TracebackType | None) -> CallSite | None:
    """The innermost position in the traceback of an error that is not a library's."""
    site: CallSite | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not library_files[code.co_filename]:
            site = CallSite(code, traceback.tb_lasti)
        traceback = traceback.tb_next
    return site


def definition_line(fn: Callable[..., Any] | None) -> CallSite | None:
    """Where a function begins; None if it is not written in Python."""
    code = getattr(fn, "__code__", None)
    return CallSite(code, 0) if isinstance(code, CodeType) else None
