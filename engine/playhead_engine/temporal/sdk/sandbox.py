"""What makes the SDK's sandbox cheaper for a process that replays many short runs, and changes nothing it does.

It runs the user's code by lines of its own, and compiles those anew for every activation, which is a third of what a
short replay costs. A process of ours may have them compiled once; in a user's process nothing is touched.
"""

from __future__ import annotations

import builtins
from functools import lru_cache
from types import CodeType
from typing import Any


def compile_its_lines_once() -> None:
    """Have the sandbox compile each of its own lines once in this process."""
    from temporalio.worker.workflow_sandbox import _runner

    # The name stands for the builtin in that module, and nowhere else.
    _runner.__dict__["exec"] = _execute


def _execute(line: str, global_names: dict[str, Any], local_names: dict[str, Any]) -> None:
    builtins.exec(_compiled(line), global_names, local_names)


@lru_cache(maxsize=1024)
def _compiled(line: str) -> CodeType:
    return compile(line, "<string>", "exec", dont_inherit=True)
