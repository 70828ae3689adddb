"""Imports what the user names: a module, a file, or something in one.

Importing runs the user's code, and whatever goes wrong in it comes out as one sentence with the place. What is imported
is none of this module's business.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType, TracebackType

from playhead_engine.call_site import is_library

EXTRA = "It comes with `pip install 'playhead[temporal]'`"
"""What to do where `temporalio` is missing."""


FILE_MODULE = "playhead_file_"
"""How the name of a module begins that has none that could be imported."""


class CodeNotLoaded(Exception):
    """The code that the user named could not be used; the text says why and where."""


def search(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Have modules looked for in these folders before others, and in the current directory, as `python -m` does.

    Args:
        folders: The first is searched first.

    Raises:
        CodeNotLoaded: One of them is no folder.
    """
    wanted = [Path(folder).resolve() for folder in folders]
    for folder in wanted:
        if not folder.is_dir():
            raise CodeNotLoaded(f"python_path: there is no folder {folder}.")
    for folder in [Path.cwd(), *reversed(wanted)]:
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def import_named(name: str) -> ModuleType:
    """Import a module by its dotted name, or a Python file by its path.

    Raises:
        CodeNotLoaded: It is not there, or it raised.
    """
    search(())
    try:
        if name.endswith(".py") or os.sep in name:
            return _import_file(Path(name))
        return importlib.import_module(name)
    except CodeNotLoaded:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise CodeNotLoaded(
                f"There is no module {error.name!r}, neither below {Path.cwd()} nor among the installed packages."
            ) from None
        raise CodeNotLoaded(f"{_failure(name, error)}{_hint(name, error)}") from error
    except (Exception, SystemExit) as error:
        raise CodeNotLoaded(_failure(name, error)) from error


def look_up(name: str) -> object:
    """What `package.module:name` stands for; the name may have dots in it.

    Raises:
        CodeNotLoaded: There is no such thing, or its module cannot be imported.
    """
    target, _, path = name.partition(":")
    if not target or not path:
        raise CodeNotLoaded(f"{name!r} names no object: say where it is, as in package.module:name.")
    module = import_named(target)
    found: object = module
    for part in path.split("."):
        if not hasattr(found, part):
            raise CodeNotLoaded(f"{target} has no {path!r}.")
        found = getattr(found, part)
    return found


def user_place(frames: TracebackType | None) -> str:
    """` at file:line`: the innermost line of the user's own code that an error went through; empty if there is none."""
    shown = [
        frame
        for frame in traceback.extract_tb(frames)
        if not is_library(frame.filename) and Path(frame.filename).parent != Path(__file__).parent
    ]
    own = [frame for frame in shown if "site-packages" not in frame.filename] or shown
    return f" at {own[-1].filename}:{own[-1].lineno}" if own else ""


def _import_file(path: Path) -> ModuleType:
    """Import a file by its dotted name if it lies below the current directory, else as `python FILE` does."""
    if path.is_dir():
        raise CodeNotLoaded(f"{path} is a directory: name a Python file in it, or a module.")
    if not path.is_file():
        raise CodeNotLoaded(f"There is no file {path}.")
    if path.suffix != ".py":
        raise CodeNotLoaded(f"{path} is no Python file.")
    path = path.resolve()
    parts = path.relative_to(Path.cwd()).with_suffix("").parts if path.is_relative_to(Path.cwd()) else ()
    if parts and all(part.isidentifier() for part in parts):
        try:
            return importlib.import_module(".".join(parts))
        except ModuleNotFoundError as error:
            if not _is_beside(path, error.name):
                raise
    return _import_script(path)


def _import_script(path: Path) -> ModuleType:
    """Import a file with its folder on the path, so that it finds what lies beside it, and a sandbox finds it."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    known = sys.modules.get(path.stem)
    if known is None and path.stem.isidentifier():
        found = importlib.util.find_spec(path.stem)
        if found is not None and found.origin is not None and Path(found.origin).resolve() == path:
            return importlib.import_module(path.stem)
    if known is not None and known.__file__ is not None and Path(known.__file__).resolve() == path:
        return known
    # Its name is taken, or is no name: it gets one that nobody else has.
    name = path.stem if known is None else f"{FILE_MODULE}{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise CodeNotLoaded(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _is_beside(path: Path, module: str | None) -> bool:
    first = (module or "").partition(".")[0]
    return bool(first) and ((path.parent / f"{first}.py").is_file() or (path.parent / first).is_dir())


def _hint(name: str, error: ModuleNotFoundError) -> str:
    if (error.name or "").partition(".")[0] == "temporalio":
        return f". {EXTRA}"
    file = Path(*name.split(".")).with_suffix(".py")
    if file.is_file() and _is_beside(file, error.name):
        return f". It lies beside that file: name the file, {file}, and its folder is searched as `python {file}` does"
    return ""


def _failure(name: str, error: BaseException) -> str:
    where = user_place(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        where = f" at {error.filename}:{error.lineno}"
    return f"{name} cannot be imported: {type(error).__name__}{where}: {error}"
