"""What the terminal says of histories when all tests are over.

Tests say what there is to say in notes that travel with their reports, with xdist from other processes. This makes
lines of them; it looks at no history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from playhead.allowances import Break
from playhead.places import shown_path
from playhead.pytest_plugin.session import ReplaySession

_MOST_LINES: Final = 20  # of what changed in one baseline


class Summary:
    """See the module.

    Attributes:
        notes: All notes, in the order in which reports came.
        uncovered: Workflow types without a history; None if nobody could tell.
    """

    def __init__(self, session: ReplaySession) -> None:
        self._session = session
        self.notes: list[dict[str, Any]] = []
        self.uncovered: list[str] | None = None

    def take(self, notes: Iterable[dict[str, Any]]) -> None:
        """What a test said."""
        self.notes += notes

    def without_history(self) -> list[str]:
        """The workflow types that neither a history of the project nor one that a test replayed covers."""
        covered = {note["workflow"] for note in self._of("covers")}
        return [name for name in self.uncovered or () if name not in covered]

    def lines(self, *, is_complete: bool) -> list[tuple[str, bool]]:
        """All that is to be said, each line with whether it asks for somebody's attention.

        Args:
            is_complete: Whether every test ran and none failed, so that what nobody asked for is not needed.
        """
        return [
            *self._histories(),
            *self._allowed(),
            *self._written(),
            *(self._stale() if is_complete else ()),
            *self._captured(),
            *self._not_covered(),
        ]

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [note for note in self.notes if note["kind"] == kind]

    def _histories(self) -> Iterator[tuple[str, bool]]:
        counted = Counter(note["verdict"] for note in self._of("history"))
        if counted:
            from playhead.pytest_plugin.expectations import LABELS  # there are verdicts, so it is loaded

            total = counted.total()
            told = ", ".join(f"{counted[name]} {name}" for name in (*LABELS, "unreadable") if counted[name])
            yield f"{total} histor{'ies' if total > 1 else 'y'}: {told}", any(name != LABELS[0] for name in counted)

    def _allowed(self) -> Iterator[tuple[str, bool]]:
        for note in self._of("allowed"):
            yield f"allowed: {note['name']} {note['reason']}", False
        allowed, checked = self._session.configuration.allowed, self._of("history")
        used = {allowed.entries[note["entry"]] for note in self._of("allowed") if note["entry"] is not None}
        meant = self._session.meant
        is_all = meant is not None and meant.is_whole and {Path(note["path"]) for note in checked} >= meant.known_files
        breaks = [Break(note["path"], note["workflow"]) for note in checked]
        for entry in allowed.idle(breaks, used, is_all=is_all):
            if checked:
                yield f"no longer needed: the allowance for {entry}", True

    def _written(self) -> Iterator[tuple[str, bool]]:
        for note in (*self._of("baseline"), *self._of("states")):
            if note["what"] == "used":
                continue
            lines = note["lines"]
            yield f"{note['what']}: {note['path']}", False
            yield from ((f"    {line}", False) for line in lines[:_MOST_LINES])
            if len(lines) > _MOST_LINES:
                yield f"    ... and {len(lines) - _MOST_LINES} more", False

    def _stale(self) -> Iterator[tuple[str, bool]]:
        folder = self._session.configuration.baselines
        if folder is not None and folder.is_dir():
            from playhead.pytest_plugin.baselines import stale

            used = {note["path"] for note in self._of("baseline")}
            for name in stale(folder, used):
                yield f"stale: no test records {name} any more", True
        if self._session.meant is not None:
            for path in self._session.meant.stale_states():
                yield f"stale: nothing is watched in the history that {shown_path(str(path))} belongs to", True

    def _captured(self) -> Iterator[tuple[str, bool]]:
        captured = self._of("captured")
        if captured:
            runs, prefixes = sum(note["runs"] for note in captured), sum(note["prefixes"] for note in captured)
            skipped = sum(note["skipped"] for note in captured)
            left_out = f"; {skipped} more would have taken too long" if skipped else ""
            moments = f"{_many(prefixes, 'moment')} in them{left_out}"
            yield f"replayed: {_many(runs, 'run')} of tests, whole and from {moments}", False

    def _not_covered(self) -> Iterator[tuple[str, bool]]:
        names = self.without_history()
        if names:
            yield f"without a history: {', '.join(names)}", True


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
