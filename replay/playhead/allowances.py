"""Allowances: breaks that a project knows of and lives with, each with a reason and a last day.

A gate that stays red over old histories gets switched off, and one that lets breaks pass without a word is none. An
allowance says which break may be there, why, and until when; from the next day on it allows nothing. This module reads
them and says which one covers a break. It looks at no clock and at no history: whoever asks says what day it is.
"""

from __future__ import annotations

import difflib
import fnmatch
import glob
import os
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any, Final

from playhead_engine.record import record


class BadAllowance(ValueError):
    """An allowance cannot be used; the text says what was expected and what is there."""


@record
class Allowance:
    """One break, or several of a kind, that may be there for a while.

    Attributes:
        history: Which histories: a file, a folder or a glob, as in `histories` of `[tool.playhead]`.
        reason: Why.
        until: The last day on which it holds.
        workflow: The workflow type; None for any.
        event: The event at which a replay breaks; None for any.
    """

    history: str
    reason: str
    until: date
    workflow: str | None = None
    event: int | None = None

    def holds(self, today: date) -> bool:
        """Whether its last day is not over."""
        return today <= self.until

    def __str__(self) -> str:
        narrower = [f"workflow {self.workflow!r}"] if self.workflow is not None else []
        narrower += [f"event {self.event}"] if self.event is not None else []
        return ", ".join([f"history {self.history!r}", *narrower])


@record
class Break:
    """What an allowance is held against: that a replay did not end well.

    Attributes:
        history: The file.
        workflow_type: The type of its workflow.
        event_id: Where; 0 if nowhere in particular.
    """

    history: str | os.PathLike[str]
    workflow_type: str
    event_id: int = 0


@record
class Allowances:
    """The allowances of a project.

    Attributes:
        entries: All of them, in their order.
        folder: What `history` is relative to.
    """

    entries: tuple[Allowance, ...] = ()
    folder: Path = Path()

    def covering(self, found: Break, today: date) -> Allowance | None:
        """The allowance for a break.

        Args:
            found: The break.
            today: One that holds on this day goes before one that does not.

        Returns:
            None if there is none. One that is over is given too, so that it can be said: it allows nothing.
        """
        covering = [entry for entry in self.entries if self._covers(entry, found)]
        return next((entry for entry in covering if entry.holds(today)), covering[0] if covering else None)

    def idle(self, checked: Iterable[Break], used: Collection[Allowance], *, is_all: bool) -> list[Allowance]:
        """The allowances that allow nothing any more, and can go.

        Args:
            checked: Every history that was checked, whatever came of it.
            used: What `covering` gave for those that broke.
            is_all: Whether these are all the histories there are. If not, an allowance for none of them is not idle:
                its history has not been looked at.
        """
        unused = [entry for entry in self.entries if entry not in used]
        if not unused or is_all:
            return unused
        histories = list(checked)
        return [entry for entry in unused if any(self._is_about(entry, one) for one in histories)]

    def _covers(self, entry: Allowance, found: Break) -> bool:
        return entry.event in (None, found.event_id) and self._is_about(entry, found)

    def _is_about(self, entry: Allowance, found: Break) -> bool:
        return entry.workflow in (None, found.workflow_type) and is_named(found.history, entry.history, self.folder)


def is_named(path: str | os.PathLike[str], entry: str, folder: Path) -> bool:
    """Whether a file is the one that an entry names, lies in the folder that it names, or matches its glob.

    Args:
        path: The file.
        entry: A file, a folder or a glob; `**` stands for any number of folders.
        folder: What the entry is relative to.
    """
    # The folder is no glob, whatever characters are in its name.
    pattern = os.path.normpath(Path(glob.escape(os.path.realpath(folder)), entry))
    return _matches(PurePath(os.path.realpath(path)).parts, PurePath(pattern).parts)


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether the pattern matches the parts of a path, or those of a folder that it lies in."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + (len(pattern) == 1)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def allowances(tables: object, folder: Path) -> Allowances:
    """Read `[[tool.playhead.allow]]`.

    Args:
        tables: What stands there.
        folder: The folder of the file that it stands in.

    Raises:
        BadAllowance: It cannot be used.
    """
    if not isinstance(tables, list):
        raise BadAllowance("is to be a list of tables, each headed by [[tool.playhead.allow]]")
    return Allowances(tuple(_allowance(table, number) for number, table in enumerate(tables, start=1)), folder)


_KEYS: Final = ("history", "workflow", "event", "reason", "until")
_REQUIRED: Final = {
    "history": "a file, a folder or a glob",
    "reason": "a sentence on why this break may be there",
    "until": "the last day on which it may, as in 2026-12-31",
}


def _allowance(table: Any, number: int) -> Allowance:
    if not isinstance(table, dict):
        raise BadAllowance(f"entry {number} is to be a table, and is {table!r}")
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(_KEYS)}"
            raise BadAllowance(f"entry {number}: there is no key {key!r}; {hint}")
    for key, expected in _REQUIRED.items():
        if key not in table:
            raise BadAllowance(f"entry {number} says no {key!r}: {expected}")
    for key in ("history", "reason", "workflow"):
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            expected = _REQUIRED.get(key, "a workflow type")
            raise BadAllowance(f"entry {number}: {key} is to be {expected}, and is {table[key]!r}")
    event = table.get("event")
    if event is not None and not (type(event) is int and event > 0):
        raise BadAllowance(f"entry {number}: event is to be the id of an event, and is {event!r}")
    return Allowance(
        history=table["history"],
        reason=table["reason"].strip(),
        until=_day(table["until"], number),
        workflow=table.get("workflow"),
        event=event,
    )


def _day(value: object, number: int) -> date:
    """A day, written as TOML writes one or as a string."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadAllowance(f"entry {number}: until is to be {_REQUIRED['until']}, and is {value!r}") from None
