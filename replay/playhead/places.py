"""Where something is, as people find it: a file as seen from the current directory, and a line."""

from __future__ import annotations

import os
from pathlib import Path

from playhead_engine.call_site import CallSite


def place(site: CallSite) -> str:
    """A line of code as one finds it from the current directory: `examples/orders.py:73`."""
    return f"{shown_path(site.file)}:{site.line}"


def shown_path(file: str) -> str:
    """A file as one finds it from the current directory."""
    path = Path(file)
    try:
        return os.fspath(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return os.fspath(path)
