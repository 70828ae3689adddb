"""Which files are histories, by their names. What is in them, `readers` find out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

STATES: Final = ".states.json"
"""The end of the name of a file that keeps the watched states of the history beside it."""


def history_files(directory: Path) -> list[Path]:
    """The files below a directory that look like histories by their names, sorted."""
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is not a directory")
    found = (path for path in directory.rglob("*") if looks_like_history(path))
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(directory).parts))


def looks_like_history(path: Path) -> bool:
    """Whether a file's name is one of a history; that of the index of a collection, or of states, is not."""
    name = path.name.lower()
    is_other = path.name == "INDEX.json" or name.endswith(STATES)
    return name.endswith((".json", ".json.gz", ".bin", ".pb")) and not is_other
