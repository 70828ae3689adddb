"""A project's histories as files: which there are, what they are called, and which of them a command line means.

It opens none of them, and loads nothing that could.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from playhead.configuration import BadConfiguration, Configuration
from playhead.history_files import STATES, history_files, looks_like_history
from playhead.places import shown_path
from playhead_engine.record import record


class NoSuchHistory(KeyError):
    """There is no history of a name, or more than one."""

    def __init__(self, name: str, found: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(name, found, known)
        self.name, self.found, self.known = name, found, known

    def __str__(self) -> str:
        if self.found:
            return f"{self.name!r} may be any of {', '.join(self.found)}: say more of the path."
        known = ", ".join(self.known[:10]) + (", ..." if len(self.known) > 10 else "")
        return f"There is no history {self.name!r}, neither as a file nor in the project, which has: {known or 'none'}."


@record
class _Entry:
    """One entry of `histories`.

    Attributes:
        text: As it stands there.
        anchor: Where its files are: itself, or the folder in which a glob begins.
    """

    text: str
    anchor: Path

    def concerns(self, arguments: Iterable[Path]) -> bool:
        """Whether somebody who names these files and folders means it, or something in it."""
        parents = self.anchor.parents
        return any(one == self.anchor or one in parents or self.anchor in one.parents for one in arguments)


class Corpus:
    """See the module.

    Attributes:
        configuration: What the project says of itself.
        folder: What the names of its histories are relative to.
        is_whole: Whether a command line means all of them.
    """

    def __init__(self, configuration: Configuration, folder: Path) -> None:
        """
        Args:
            configuration: What the project says of itself.
            folder: Where it is, if no file says so.
        """
        self.configuration = configuration
        self.folder = (configuration.path.parent if configuration.path is not None else folder).resolve()
        self.is_whole = True

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The histories, each once, in order.

        Raises:
            BadConfiguration: A name matches nothing, or a folder holds none.
        """
        found: dict[Path, None] = {}
        for path in self.configuration.history_paths():
            found.update((one.resolve(), None) for one in _inside(path))
        return tuple(found)

    @cached_property
    def known_files(self) -> frozenset[Path]:
        """The same, to be looked up in."""
        return frozenset(self.files)

    def meant_by(self, arguments: Sequence[Path] | None) -> Corpus:
        """The part that a command line means.

        Args:
            arguments: The files and folders that it names; None if it means everything there is.
        """
        if arguments is None:
            return self
        entries = self._entries()
        meant = [entry for entry in entries if entry.concerns(arguments)]
        baselines = self.configuration.baselines
        if baselines is not None and not _Entry("", baselines).concerns(arguments):
            baselines = None
        part = Corpus(
            replace(self.configuration, histories=tuple(entry.text for entry in meant), baselines=baselines),
            self.folder,
        )
        part.is_whole = len(meant) == len(entries) and baselines == self.configuration.baselines
        return part

    def beyond(self, arguments: Sequence[Path]) -> list[Path]:
        """The files and folders to be collected besides those that are named, so that all histories are."""
        paths = [path.resolve() for path in self.configuration.history_paths()]
        return [path for path in paths if not any(one == path or one in path.parents for one in arguments)]

    def find(self, name: str | os.PathLike[str], *folders: Path) -> list[Path]:
        """The histories that a test means.

        Args:
            name: A file, a folder or a glob, or what a history of the project is called.
            folders: What it may be relative to, before the project.

        Raises:
            NoSuchHistory: There is none, or it is not clear which.
        """
        text = os.fspath(name)
        for folder in dict.fromkeys((*folders, self.folder)):
            path = folder / text
            if path.is_file():
                return [path]
            if path.is_dir():
                found = history_files(path)
            else:
                found = sorted(one for one in _globbed(folder, text) if looks_like_history(one))
            if found:
                return found
        return [self.path_of(text)]

    @cached_property
    def names(self) -> dict[str, Path]:
        """What the histories are called: their paths within the project, without the ending."""
        return {_name(path, self.folder): path for path in self.files}

    def path_of(self, name: str) -> Path:
        """The file of a history that is called so: by its name, or by enough of the end of it to be clear.

        Raises:
            NoSuchHistory: There is none, or more than one.
        """
        __tracebackhide__ = True
        parts = Path(without_ending(name)).parts
        found = [known for known in self.names if Path(known).parts[-len(parts) :] == parts]
        if len(found) == 1:
            return self.names[found[0]]
        raise NoSuchHistory(name, found, list(self.names))

    def stale_states(self) -> list[Path]:
        """The files of watched states that belong to no history, or to any if nothing is watched."""
        folders = {path.parent for path in self.files}
        kept = sorted(path for folder in folders for path in folder.glob(f"*{STATES}"))
        if not self.configuration.watch:
            return kept
        histories = {path.with_name(without_ending(path.name)) for path in self.files}
        return [path for path in kept if path.with_name(path.name.removesuffix(STATES)) not in histories]

    def _entries(self) -> list[_Entry]:
        return [_entry(text, self.folder) for text in self.configuration.histories]


def without_ending(name: str) -> str:
    """The name of a history file without what says how it is written."""
    for ending in (".json.gz", ".json", ".bin", ".pb"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = history_files(path)
    if not found:
        raise BadConfiguration(
            f"{shown_path(str(path.resolve()))} holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing would "
            "be checked."
        )
    return found


def _entry(text: str, folder: Path) -> _Entry:
    parts = Path(text).parts
    magic = next((at for at, part in enumerate(parts) if any(character in part for character in "*?[")), None)
    return _Entry(text, folder.joinpath(*parts[:magic]).resolve())


def _globbed(folder: Path, text: str) -> Iterable[Path]:
    if not any(character in text for character in "*?[") or Path(text).is_absolute():
        return []
    return folder.glob(text)


def _name(path: Path, folder: Path) -> str:
    inside = path.relative_to(folder) if path.is_relative_to(folder) else path
    return without_ending(inside.as_posix())
