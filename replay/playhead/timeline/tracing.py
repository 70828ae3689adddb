"""Reruns code under a tracer that sees the user's lines, and only those.

Tracing belongs to a thread, so nothing else in the process is slowed down. A tracer that was there before, a coverage
measurement for example, is put back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

from playhead.enactment import Enactment
from playhead.passage import collector_spared
from playhead.timeline.rerun import Rerun
from playhead.timeline.stacks import is_users
from playhead_engine.runtime import Inspectable

_INSTALLED: Final = f"{os.sep}site-packages{os.sep}"
_OUTERMOST: Final = Enactment.tell.__code__


class Tracer:
    """Calls back before each line of the user's code that a rerun goes through.

    The callback must not raise, and it runs while the workflow does: it must not open files or take the time.
    """

    def __init__(
        self,
        instance: Inspectable,
        on_line: Callable[[FrameType], None],
        wants: Callable[[CodeType], bool] | None = None,
    ) -> None:
        """
        Args:
            instance: The run.
            on_line: Called before a line is run, with the frame that is about to run it.
            wants: Which functions to look at; by default all of the user's, but not those of installed packages that
                the workflow is no part of.
        """
        self._instance = instance
        self._on_line = on_line
        self._wants = wants
        self._wanted: dict[int, tuple[CodeType, bool]] = {}  # by the ids of the code objects, since they hash slowly

    def advance_to(self, rerun: Rerun, task: int) -> None:
        """Let a rerun go on until a workflow task is over."""
        before = sys.gettrace()
        with collector_spared():
            sys.settrace(self._on_call)
            try:
                rerun.advance_to(task)
            finally:
                sys.settrace(before)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        known = self._wanted.get(id(code))
        if known is None:
            wanted = is_users(code.co_filename) and (self._wants or self._is_shown)(code)
            known = self._wanted[id(code)] = (code, wanted)
        return self._in_function if known[1] and not _is_import(frame) else None

    def _is_shown(self, code: CodeType) -> bool:
        folder, separator, rest = code.co_filename.partition(_INSTALLED)
        if not separator:
            return True
        run = getattr(self._instance.handler("run", ""), "__code__", None)
        package = f"{folder}{separator}{rest.partition(os.sep)[0]}"
        return run is not None and str(run.co_filename).startswith(package)

    def _in_function(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "line":
            self._on_line(frame)
        return self._in_function


def _is_import(frame: FrameType) -> bool:
    """Whether a module is being imported, as the sandbox does at the beginning of every run."""
    above: FrameType | None = frame
    while above is not None and above.f_code is not _OUTERMOST:
        if above.f_code.co_name == "<module>" and is_users(above.f_code.co_filename):
            return True
        above = above.f_back
    return False


def callers(frame: FrameType) -> list[FrameType]:
    """The user's frames that called one, the outermost first; not those that run the code."""
    found: list[FrameType] = []
    above = frame.f_back
    while above is not None and above.f_code is not _OUTERMOST:
        if is_users(above.f_code.co_filename):
            found.append(above)
        above = above.f_back
    found.reverse()
    return found
