"""Keeps breakpoints, logpoints and watches from one session to the next, for each directory in which one debugs.

They are the user's own and no part of the project, so they are where programs keep what they remember. Losing them
must never keep anybody from debugging: what cannot be read or written is said, and left.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from playhead_tui.model.breakpoints import Stops

_MOST_DIRECTORIES = 200


class Keeper:
    """See the module."""

    def __init__(self, directory: Path | None = None) -> None:
        """
        Args:
            directory: In which one debugs; the current one if not given.
        """
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._file = Path(state) / "playhead" / "debug.json"
        self._directory = str((directory or Path.cwd()).resolve())

    def load(self) -> tuple[Stops, list[str]]:
        """What was kept, and a sentence for each thing that could not be read."""
        try:
            kept = self._kept()
        except ValueError as error:
            return Stops(), [f"{self._file}: {error}"]
        return Stops.of_data(kept[self._directory]) if self._directory in kept else (Stops(), [])

    def save(self, stops: Stops) -> str:
        """Keep these; says why that is not possible, or nothing."""
        try:
            kept = self._kept()
        except ValueError as error:
            return f"{self._file}: {error}"
        kept.pop(self._directory, None)
        if stops != Stops():
            kept[self._directory] = stops.as_data()
        latest = dict(list(kept.items())[-_MOST_DIRECTORIES:])
        beside = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(orjson.dumps(latest, option=orjson.OPT_INDENT_2))
            beside.replace(self._file)
        except OSError as error:
            return f"{self._file} cannot be written: {error.strerror}"
        return ""

    def _kept(self) -> dict[str, Any]:
        try:
            found = orjson.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError) as error:
            raise ValueError(f"it cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise ValueError("it is to hold an object of directories")
        return found
