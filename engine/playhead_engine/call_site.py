"""Where in the user's code something was asked for.

Every command carries one, on green runs too, so that an event can be shown beside the line that caused it. Taking one
must stay cheap: it keeps the code object and the instruction, and works out names and line numbers only when somebody
looks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType

from playhead_engine.record import record


@record
class CallSite:
    """A position in source code.

    Attributes:
        code: The code object that was running.
        instruction: Offset of the instruction in it, in bytes.
    """

    code: CodeType
    instruction: int

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

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def __reduce__(self) -> tuple[Callable[[str, str, int], CallSite], tuple[str, str, int]]:
        # Code cannot leave its process, and errors that carry a command must; what people see of it goes along.
        return elsewhere, (self.file, self.function, self.line)


_NO_CODE = (lambda: None).__code__


@lru_cache(maxsize=4096)
def elsewhere(file: str, function: str, line: int) -> CallSite:
    """A position in code that is not in this process, of which only this is known."""
    return CallSite(_NO_CODE.replace(co_filename=file, co_qualname=function, co_firstlineno=line), 0)


_OURS = str(Path(__file__).parent) + os.sep
_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep


@lru_cache(maxsize=4096)
def is_library(filename: str) -> bool:
    """Whether a file belongs to this package or to Python itself, and so is not the code that a user wants to see."""
    if filename.startswith(_STANDARD_LIBRARY):
        return "site-packages" not in filename
    return filename.startswith((_OURS, "<frozen "))


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
        if not is_library(code.co_filename):
            return CallSite(code, frame.f_lasti)
        frame = frame.f_back
    return None


@contextmanager
def noting_origins() -> Generator[None]:
    """Let coroutines made meanwhile, in this thread, know the line that makes them.

    Costs a seventh of a replay, so it is for those who ask for more than a verdict.
    """
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(1)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(before)


def origin_of_task(is_library: Callable[[str], bool]) -> CallSite | None:
    """The line that made the coroutine of the task that runs now: what `gather` was given has nobody above it to ask.

    Args:
        is_library: Whether a file is none of the user's.

    Returns:
        None if the user did not make it, or if Python was not told to track where coroutines come from.
    """
    import asyncio

    task = asyncio.current_task()
    origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
    if not origin:
        return None
    file, line, function = origin[0]
    return None if is_library(file) else elsewhere(file, function, line)
