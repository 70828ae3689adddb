"""The user's code, loaded so that it can be loaded again when it has changed on disk."""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path

from playhead.cli.judges import replayer_of
from playhead.configuration import Configuration
from playhead.replayer import Replayer
from playhead.timeline.stacks import is_users


class Code:
    """See the module.

    Attributes:
        project: Where the code is, and how it is to be run.
    """

    def __init__(self, project: Configuration) -> None:
        self.project = project
        self._modules: dict[str, Path] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}

    @property
    def is_named(self) -> bool:
        """Whether there is code to replay with."""
        return bool(self.project.code.workflows) or self.project.code.worker is not None

    def load(self) -> Replayer:
        """Import the code as it is on disk now, and make the replayer that runs it.

        Raises:
            Exception: As of `replayer_of`.
        """
        self._forget()
        before = set(sys.modules)
        # Bytecode is told from the source by its second and its size; an edit may change neither.
        writes_bytecode, sys.dont_write_bytecode = not sys.dont_write_bytecode, True
        try:
            return replayer_of(self.project.code, self.project.runtime, self.project.profile)
        finally:
            sys.dont_write_bytecode = not writes_bytecode
            # What could be imported before an error is looked at, too: the mistake may be corrected there.
            named = self._named()
            self._modules |= {name: file for name, file in _own_modules() if name not in before or name in named}
            self._stamps = {file: _stamp(file) for file in {*self._modules.values(), *self._named_files()}}

    def has_changed(self) -> bool:
        """Whether some of the code is other than it was loaded."""
        return any(_stamp(file) != stamp for file, stamp in self._stamps.items())

    def _forget(self) -> None:
        """Let everything be imported anew that was imported for the user."""
        for name, file in self._modules.items():
            sys.modules.pop(name, None)
            linecache.cache.pop(str(file), None)
        self._modules.clear()
        importlib.invalidate_caches()

    def _named(self) -> list[str]:
        """The modules and files that the user named."""
        code = self.project.code
        return [name.partition(":")[0] for name in (*code.workflows, code.worker) if name]

    def _named_files(self) -> Iterator[Path]:
        for name in self._named():
            file = Path(name) if name.endswith(".py") else Path(*name.split(".")).with_suffix(".py")
            if file.is_file():
                yield file.resolve()


def _own_modules() -> Iterator[tuple[str, Path]]:
    """The modules of the user's own, not those of libraries."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and "site-packages" not in file and is_users(file) and name != "__main__":
            yield name, Path(file)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
