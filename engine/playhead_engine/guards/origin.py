"""Whose code a frame runs: who is to answer for a call, and who made it on whose behalf.

Libraries ask for the time and for random numbers all day without harm to a workflow: a log record carries a time, a
lock has a deadline. What breaks replay is the workflow author's own code asking. With files, sockets, processes and
threads it does not matter how many libraries lie in between. `culprit` tells the cases apart.

This module must not know which calls are forbidden.
"""

from __future__ import annotations

import os
import sys
from enum import Enum, auto
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import CodeType, FrameType


class Origin(Enum):
    """Whose a piece of code is."""

    USER = auto()
    """The workflow author's: all that is none of the others."""

    LIBRARY = auto()
    """The standard library's, or an installed package's."""

    CONDUIT = auto()
    """Runs what somebody else handed to it, and never asks on its own account: whoever called it does."""

    EXEMPT = auto()
    """Whatever is done on its behalf is no part of the workflow: importing, logging, showing errors, debugging."""

    OURS = auto()
    """This product's. Going outwards from workflow code, this is where the workflow ends."""


_CONDUIT_STDLIB = frozenset({"random", "secrets", "uuid"})
_CONDUIT_PACKAGES = frozenset({"pydantic", "attr", "attrs"})  # `Field(default_factory=uuid4)` is the user's doing

# weakref: finalizers run wherever the garbage collector happens to, on behalf of code that is long gone.
# zoneinfo: reads the time zone database, which is not I/O of the workflow's.
_EXEMPT_STDLIB = frozenset(
    {"bdb", "importlib", "linecache", "logging", "pdb", "pkgutil", "traceback", "warnings", "weakref", "zoneinfo"}
)
_EXEMPT_PACKAGES = frozenset({"coverage", "debugpy", "loguru", "pydevd", "sentry_sdk"})
_DEBUGGERS = ("/pydev/", "/pydevd", "/debugpy/")  # IDEs bring theirs along, outside of site-packages
_INSTALLED = ("/site-packages/", "/dist-packages/")

_STDLIB = Path(os.__file__).parent.as_posix() + "/"
_ENGINE = Path(__file__).parent.parent.as_posix() + "/"
_SISTERS = ("playhead", "playhead_tui")

_origins: dict[str, Origin] = {}
_user_roots: list[str] = []


def culprit(frame: FrameType | None, *, through_libraries: bool) -> tuple[FrameType, list[CodeType]] | None:
    """Find the code that has to answer for a call, if anybody has to.

    Args:
        frame: The frame that made the call.
        through_libraries: Blame the nearest user code however many libraries lie between it and the call. Otherwise the
            call is a library's own if a library made it.

    Returns:
        The frame to blame, and the conduits between it and the call, the one that it called itself last. None if the
        call is fine.
    """
    blamed: FrameType | None = None
    conduits: list[CodeType] = []
    while frame is not None:
        origin = origin_of(frame)
        # Finalizers run wherever the garbage collector happens to; they are no part of the code they interrupt.
        if origin is Origin.EXEMPT or frame.f_code.co_name == "__del__":
            return None
        if origin is Origin.OURS:
            break
        if blamed is None:
            if origin is Origin.USER:
                blamed = frame
            elif origin is Origin.CONDUIT:
                conduits.append(frame.f_code)
            elif not through_libraries:
                return None
        frame = frame.f_back
    return None if blamed is None else (blamed, conduits)


def origin_of(frame: FrameType) -> Origin:
    """Whose code this frame runs."""
    filename = frame.f_code.co_filename
    origin = _origins.get(filename)
    if origin is None:
        if _is_generated(filename):
            # The same name for the code of many: of dataclasses, of attrs, of `python -c`.
            typed_in = "__file__" not in frame.f_globals and frame.f_globals.get("__name__") == "__main__"
            return Origin.USER if typed_in else Origin.CONDUIT
        origin = _origins[filename] = origin_of_file(filename)
    return origin


def origin_of_file(filename: str) -> Origin:
    """Whose code this file holds, by where it lies."""
    if filename.startswith("<frozen "):
        loads_modules = filename.startswith(("<frozen importlib", "<frozen zipimport"))
        return Origin.EXEMPT if loads_modules else Origin.LIBRARY
    path = filename.replace("\\", "/")
    if any(path == root or path.startswith(root + "/") for root in _user_roots):
        return Origin.USER
    if path.startswith(_our_folders()):
        return Origin.OURS
    for marker in _INSTALLED:
        if marker in path:
            return _library(path.rpartition(marker)[2], _CONDUIT_PACKAGES, _EXEMPT_PACKAGES)
    if path.startswith(_STDLIB):
        return _library(path.removeprefix(_STDLIB), _CONDUIT_STDLIB, _EXEMPT_STDLIB)
    return Origin.EXEMPT if any(part in path for part in _DEBUGGERS) else Origin.USER


def is_installed(path: str) -> bool:
    """Whether reading this file is part of running the program: installed code and its data, the time zone database."""
    normal = path.replace("\\", "/")
    return "/zoneinfo/" in normal or normal == "/etc/localtime" or origin_of_file(path) is not Origin.USER


def claim(workflow_class: type) -> bool:
    """Take the package of a workflow for user code wherever it lies: an application may be installed like a library.

    Returns:
        Whether that was news.
    """
    module = sys.modules.get(workflow_class.__module__)
    filename = module_file(module) if module is not None else None
    if filename is None or origin_of_file(filename) is Origin.USER:
        return False
    file = Path(filename)
    root = file
    if origin_of_file(filename) is not Origin.OURS:
        depth = workflow_class.__module__.count(".") + (file.name == "__init__.py")
        root = file.parents[depth - 1] if depth else file
    _user_roots.append(root.as_posix())
    _origins.clear()
    return True


def user_modules() -> list[ModuleType]:
    """Modules of the user's that are imported by now."""
    return [module for name, module in list(sys.modules.items()) if _is_user_module(name, module)]


def module_file(module: ModuleType) -> str | None:
    """Where a module lies, without waking a module that is loaded lazily."""
    filename = namespace_of(module).get("__file__")
    return filename if isinstance(filename, str) else None


def namespace_of(module: ModuleType) -> dict[str, Any]:
    """The globals of a module, without waking a module that is loaded lazily."""
    namespace: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return namespace


def position(frame: FrameType) -> tuple[str, int]:
    """File and line to show for a frame; for generated code, those of whoever called it."""
    shown: FrameType | None = frame
    while shown is not None and _is_generated(shown.f_code.co_filename):
        shown = shown.f_back
    if shown is None or origin_of(shown) is not Origin.USER:
        shown = frame
    return shown.f_code.co_filename, shown.f_lineno or shown.f_code.co_firstlineno


def _library(relative: str, conduits: frozenset[str], exempt: frozenset[str]) -> Origin:
    package = relative.partition("/")[0].removesuffix(".py")
    if package in conduits:
        return Origin.CONDUIT
    return Origin.EXEMPT if package in exempt else Origin.LIBRARY


def _our_folders() -> tuple[str, ...]:
    sisters = (sys.modules.get(name) for name in _SISTERS)
    files = (module_file(module) for module in sisters if module is not None)
    return (_ENGINE, *(Path(file).parent.as_posix() + "/" for file in files if file))


def _is_generated(filename: str) -> bool:
    return filename.startswith("<") and not filename.startswith(("<frozen ", "<doctest "))


def _is_user_module(name: str, module: object) -> bool:
    # By its true type: what cffi puts among the modules calls itself one, and has no `__dict__`.
    if not issubclass(type(module), ModuleType):
        return False
    filename = module_file(cast(ModuleType, module))
    return name == "__main__" if filename is None else origin_of_file(filename) is Origin.USER
