"""What makes the SDK's sandbox cheaper for a process that replays many short runs, and changes nothing it does.

It runs the user's code by lines of its own, and compiles those anew for every activation; and around every activation
it puts a dozen builtins under guard, each by a generator, and each call of one goes through a property. Together that
is two fifths of what a short replay costs. Here it is done by shorter ways to the same end. A process of ours may take
them; in a user's process nothing is touched. Where the SDK is made otherwise, its own ways are left as they are.
"""

from __future__ import annotations

import builtins
from functools import lru_cache
from types import CodeType
from typing import Any, Final

# What a stand-in for a builtin is made of, which each thread has its own version of.
_PARTS: Final = {"orig", "thread_local", "applied_counter", "applied_counter_lock"}


def make_cheap() -> None:
    """Have the sandbox take the shorter ways in this process."""
    from temporalio.worker.workflow_sandbox import _importer, _runner

    # The name stands for the builtin in that module, and nowhere else.
    _runner.__dict__["exec"] = _execute
    importer, stand_in = _importer.Importer, type(_importer._thread_local_import)
    if set(vars(_importer._thread_local_import)) >= _PARTS and hasattr(importer, "_builtins_restricted"):
        stand_in.__call__ = _call  # type: ignore[method-assign] # with any arguments
        importer._builtins_restricted = _guard  # type: ignore[method-assign, assignment] # it is called with one


def _execute(line: str, global_names: dict[str, Any], local_names: dict[str, Any]) -> None:
    builtins.exec(_compiled(line), global_names, local_names)


@lru_cache(maxsize=1024)
def _compiled(line: str) -> CodeType:
    return compile(line, "<string>", "exec", dont_inherit=True)


def _call(self: Any, *arguments: Any, **named: Any) -> Any:
    """Call what a stand-in stands for in this thread."""
    return self.thread_local.__dict__.get("data", self.orig)(*arguments, **named)


def _guard(importer: Any) -> _Guard:
    return _Guard(importer.restricted_builtins)


class _Guard:
    """Puts builtins under guard for a while, all in one go."""

    __slots__ = ("_before", "_guarded")

    def __init__(self, guarded: list[tuple[str, Any, Any]]) -> None:
        """Prepare to.

        Args:
            guarded: The name of each, what stands for it, and what that stands for meanwhile in this thread.
        """
        self._guarded = guarded
        self._before: list[Any] = []

    def __enter__(self) -> None:
        for name, stand_in, restricted in self._guarded:
            own = stand_in.thread_local.__dict__
            self._before.append(own.get("data"))
            with stand_in.applied_counter_lock:
                stand_in.applied_counter += 1
                if getattr(builtins, name) is not stand_in:
                    setattr(builtins, name, stand_in)
            own["data"] = restricted

    def __exit__(self, *error: object) -> None:
        for (name, stand_in, _), before in zip(self._guarded, self._before, strict=True):
            own = stand_in.thread_local.__dict__
            if before is None:
                own.pop("data", None)
            else:
                own["data"] = before
            with stand_in.applied_counter_lock:
                stand_in.applied_counter -= 1
                if stand_in.applied_counter == 0:
                    setattr(builtins, name, stand_in.orig)
