"""Which run the code that runs now belongs to."""

from __future__ import annotations

import contextvars
from asyncio import _get_running_loop  # pyright: ignore[reportPrivateUsage] - the public one raises where there is none
from typing import TYPE_CHECKING

from playhead_engine.native.errors import NotInWorkflowError
from playhead_engine.native.loop import WorkflowLoop

if TYPE_CHECKING:
    from playhead_engine.native.info import UpdateInfo
    from playhead_engine.native.run import Run

current_update: contextvars.ContextVar[UpdateInfo | None] = contextvars.ContextVar("playhead_update", default=None)
"""The update that the current task handles, or was started by a handler of."""


def current_run() -> Run:
    """The run whose code this is called from.

    Raises:
        NotInWorkflowError: It is not called from workflow code.
    """
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop:
        return loop.host  # type: ignore[return-value] # whose loop it is
    raise NotInWorkflowError


def current_run_or_none() -> Run | None:
    """The run whose code this is called from, if it is called from workflow code."""
    return current_run() if type(_get_running_loop()) is WorkflowLoop else None
