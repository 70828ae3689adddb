"""Whether the code that runs now, on this thread, is workflow code.

Every guarded function and every audit event asks this first, in the whole process, so it is one look at a thread-local
attribute. This module must not know what is guarded, nor what a workflow is.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class Here(threading.local):
    """What this thread is doing."""

    workflow: str | None = None
    """The workflow whose code runs on this thread; None while none does."""


here = Here()

# A context variable and not a thread-local: it follows the task that opened the block through its awaits, and leaves
# the other tasks of the workflow guarded.
_unrestricted: ContextVar[bool] = ContextVar("playhead_unrestricted", default=False)


def enter(workflow: str) -> None:
    """Workflow code runs on this thread from here to `leave`, which must follow in a `finally`.

    Args:
        workflow: How errors shall name the workflow, for example `"Orders (order-17)"`.
    """
    here.workflow = workflow


def leave() -> None:
    """The workflow has handed control back."""
    here.workflow = None


def in_workflow() -> bool:
    """Whether workflow code runs on this thread, and is guarded."""
    return here.workflow is not None and not _unrestricted.get()


@contextmanager
def unrestricted() -> Generator[None]:
    """Let the task that runs this block do what the guards forbid, across awaits as well.

    The escape hatch behind `workflow.unsafe`. Whatever is done in the block must not change what the workflow asks for.
    """
    token = _unrestricted.set(True)
    try:
        yield
    finally:
        _unrestricted.reset(token)
