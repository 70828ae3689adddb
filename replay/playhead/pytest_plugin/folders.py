"""Where `[tool.playhead]` is looked for: from what a session is about, upward, as `playhead replay` does.

Not simply in pytest's root directory: in a repository of several projects, that may be above all of them. This is
loaded in every run of pytest, so it imports nothing that takes time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def project_starts(config: pytest.Config) -> list[Path]:
    """Where to begin, the best place first: with what the user named, where the user is, and the root directory."""
    invoked = config.invocation_params.dir.resolve()
    return list(dict.fromkeys((_named(config, invoked), invoked, config.rootpath)))


def project_folders(config: pytest.Config) -> Iterator[Path]:
    """Folders to look in: upward from each of these."""
    for start in project_starts(config):
        yield from (start, *start.parents)


def _named(config: pytest.Config, invoked: Path) -> Path:
    """The folder that all that the user named lies in."""
    if config.args_source is not config.ArgsSource.ARGS:
        return invoked
    named = [Path(invoked, argument.partition("::")[0]).resolve() for argument in config.args]
    folders = [path if path.is_dir() else path.parent for path in named]
    try:
        return Path(os.path.commonpath(folders)) if folders else invoked
    except ValueError:  # on several drives
        return invoked
