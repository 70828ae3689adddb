"""Which files of the user's a piece of code reaches: what Python runs to import it, and what that may import later.

A verdict holds as long as these are what they were. It is better to count a file in vain than to miss one: a history
that is replayed again costs a millisecond, a stale verdict lets a break pass. What belongs to the environment, such as
the standard library and installed packages, is not the user's; `environment` sees to it. Files that are no Python code
are not seen, whoever reads them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Final

from playhead.checking.imports import imports_of
from playhead_engine.record import record

_SUFFIXES: Final = tuple(all_suffixes())
_MISSING: Final = "missing"


class Roots:
    """The folders in which the user's modules are found.

    Each folder is listed once: what is looked up here is looked up at one moment.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]]) -> None:
        """Look in these folders, the first one first."""
        self._folders = list(dict.fromkeys(os.path.abspath(folder or ".") for folder in folders))
        self._listed: dict[str, frozenset[str]] = {}

    def find(self, name: str) -> str | None:
        """The file behind a dotted name.

        Returns:
            None if there is none. A package without an `__init__` has none, and what is in it may have.
        """
        return next((found for found in self._found(name.split(".")) if not found.endswith(os.sep)), None)

    def knows(self, name: str) -> bool:
        """Whether there is a file or a folder of this name."""
        return bool(self._found(name.split(".")))

    def modules_in(self, package: str) -> list[str]:
        """Names of the modules right in a package."""
        inside: dict[str, None] = {}
        for found in self._found(package.split(".")):
            for entry in self._entries(found.rstrip(os.sep) if found.endswith(os.sep) else os.path.dirname(found)):
                stem = entry.partition(".")[0]
                if stem.isidentifier() and stem != "__init__":
                    inside[f"{package}.{stem}"] = None
        return list(inside)

    def _found(self, parts: list[str]) -> list[str]:
        """The file of a module, or folders of a package without an `__init__`, each with a separator at its end."""
        folders = self._folders
        found: list[str] = []
        for part in parts:
            found = []
            for folder in folders:
                entries = self._entries(folder)
                if part in entries and (inside := os.path.join(folder, part)) and self._entries(inside):
                    file = next((f for s in _SUFFIXES if (f := f"__init__{s}") in self._entries(inside)), None)
                    found.append(os.path.join(inside, file) if file else inside + os.sep)
                    if file:
                        break
                file = next((f for s in _SUFFIXES if (f := part + s) in entries), None)
                if file:
                    found.append(os.path.join(folder, file))
                    break
            folders = [os.path.dirname(one) for one in found if one.endswith(os.sep) or "__init__." in one]
        return found

    def _entries(self, folder: str) -> frozenset[str]:
        known = self._listed.get(folder)
        if known is None:
            try:
                known = frozenset(os.listdir(folder))
            except OSError:
                known = frozenset()
            self._listed[folder] = known
        return known


@record
class Reached:
    """What some code reaches.

    Attributes:
        files: The user's files.
        names: What was looked for, and the file that it is; None if it is none of the user's. Of what lies in somebody
            else's package only the name of the package is kept.
        is_computed: Whether some of it imports by names that are worked out when it runs.
    """

    files: frozenset[str]
    names: dict[str, str | None]
    is_computed: bool


def reach(
    entries: Mapping[str, str],
    roots: Roots,
    loaded: Mapping[str, str],
    *,
    beyond: Collection[str] = (),
) -> Reached:
    """Follow imports.

    Args:
        entries: Where to begin: names of modules and their files.
        roots: Where modules are found.
        loaded: Files of modules that this process has loaded, by their names; they go before what is found.
        beyond: Files where to stop: they are not reached by this way.
    """
    files: dict[str, None] = {}
    names: dict[str, str | None] = {}
    is_computed = False
    waiting = list(entries.items())
    while waiting:
        name, file = waiting.pop()
        if file in files or file in beyond or not is_users(file):
            continue
        files[file] = None
        wanted = _parents(name)
        if file.endswith(".py"):
            is_package = os.path.basename(file) == "__init__.py"
            found = imports_of(_read(file), name, is_package=is_package)
            is_computed = is_computed or found.is_computed
            wanted += [parent for one in found.modules for parent in (*_parents(one), one)]
            wanted += [one for package in found.packages for one in roots.modules_in(package)]
        for one in wanted:
            top = one.partition(".")[0]
            if one not in loaded and not roots.knows(top):
                names[top] = None
                continue
            names[one] = roots.find(one)
            target = loaded.get(one) or names[one]
            if target is not None:
                waiting.append((one, target))
    return Reached(frozenset(files), names, is_computed)


def loaded_files() -> dict[str, str]:
    """The user's modules that this process has loaded: their names, and their files."""
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and is_users(file):
            found[name] = file
    return found


@cache
def is_users(file: str) -> bool:
    """Whether a file is the user's own, and belongs neither to Python, nor to an installed package, nor to us."""
    return not file.startswith(_environment()) and not file.startswith("<")


def user_folders(path: Iterable[str]) -> list[str]:
    """The folders of a search path in which the user's modules are."""
    return [folder for folder in path if is_users(os.path.join(os.path.abspath(folder or "."), "x.py"))]


def digest_of(file: str) -> str:
    """A digest of what is in a file; of one that is not there, that it is not."""
    try:
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return _MISSING


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _parents(name: str) -> list[str]:
    """The packages that Python imports before a module."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


@cache
def _environment() -> tuple[str, ...]:
    import site

    import playhead
    import playhead_engine

    places = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    places += [*site.getsitepackages(), site.getusersitepackages()]
    places += [os.path.dirname(module.__file__ or "") for module in (playhead, playhead_engine)]
    # A place may be known by a link to it.
    spellings = {
        spelling(place) + os.sep for place in places if place for spelling in (os.path.abspath, os.path.realpath)
    }
    return tuple(sorted(spellings))
