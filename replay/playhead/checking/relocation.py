"""Code of another checkout of the same repository, in a process whose search path still leads to this one.

An editable install, `PYTHONPATH` and `python_path` name folders of the checkout that one works in. A process that is to
run the code of another commit must not find a single module there: half of each would be a verdict on neither.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from types import ModuleType

from playhead.checking.reach import is_users


def moved(path: str, here: str, there: str) -> str:
    """A path in one checkout, as it is in another; any other path as it is.

    Args:
        path: The path.
        here: The folder of the checkout that it may lie in.
        there: The folder of the other one.
    """
    absolute = os.path.abspath(path or ".")
    if absolute == here or absolute.startswith(here + os.sep):
        # What is installed there belongs to the environment, which both share.
        return there + absolute[len(here) :] if is_users(os.path.join(absolute, "x.py")) else path
    return path


def relocate(here: str, there: str) -> None:
    """Let this process find the modules of one checkout in another."""
    sys.path[:] = [moved(folder, here, there) for folder in sys.path]
    sys.path_importer_cache.clear()
    sys.meta_path.insert(0, _Relocated(here, there))


class _Relocated:
    """Finds modules where the finders of editable installs would, but in the other checkout."""

    def __init__(self, here: str, there: str) -> None:
        self._here, self._there = here, there

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Where a module is; None to leave it to the other finders."""
        for finder in sys.meta_path:
            # `PathFinder` goes by the search path, which has been moved.
            if isinstance(finder, _Relocated) or finder is PathFinder:
                continue
            found = finder.find_spec(name, path)
            if found is None or found.origin is None:
                continue
            origin = moved(found.origin, self._here, self._there)
            if origin == found.origin:
                return None
            places = found.submodule_search_locations
            inside = [moved(one, self._here, self._there) for one in places] if places is not None else None
            if not os.path.isfile(origin):
                raise ModuleNotFoundError(f"No module named {name!r} in {self._there}", name=name)
            return spec_from_file_location(name, origin, submodule_search_locations=inside)
        return None
