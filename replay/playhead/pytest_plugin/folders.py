"""Where `[tool.playhead]` is looked for: from what a session is about, upward, as `playhead replay` does.

Not simply in pytest's root directory: in a repository of several projects, that may be above all of them. This is
loaded in every run of pytest, so it imports nothing that takes time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def project_folders(config: pytest.Config) -> Iterator[Path]:
    """Folders to look in, the nearest first: upward from what the user named, then from the root directory."""
    start = _start(config)
    yield from (start, *start.parents)
    yield from (config.rootpath, *config.rootpath.parents)


def _start(config: pytest.Config) -> Path:
    invoked = config.invocation_params.dir.resolve()
    if config.args_source is not config.ArgsSource.ARGS:
        return invoked
    named = [Path(invoked, argument.partition("::")[0]).resolve() for argument in config.args]
    folders = [path if path.is_dir() else path.parent for path in named]
    try:
        return Path(os.path.commonpath(folders)) if folders else invoked
    except ValueError:  # on several drives
        return invoked
