"""Finds the workflow code that the user names.

`package.module`, `package.module:Class`, and the path of a file all work. Importing is the only thing here that runs
the user's code; whatever goes wrong in it comes out as one sentence with the place.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from playhead_engine.call_site import is_library
from playhead_engine.definitions import ACTIVITY, WORKFLOW

_TEMPORALIO_WORKFLOW = "__temporal_workflow_definition"


class CodeNotLoaded(Exception):
    """The code that the user named could not be used; the text says why and where."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a module holds.

    Attributes:
        workflows: Its workflow classes, in the order of their definition.
        activities: Its activities.
    """

    workflows: tuple[type[Any], ...]
    activities: tuple[Any, ...]


def load_code(names: list[str]) -> Code:
    """Import everything that is named.

    Args:
        names: `package.module`, `package.module:Class` or a path of a Python file, with or without `:Class`.

    Raises:
        CodeNotLoaded: Something cannot be imported, or holds no workflow.
    """
    workflows: dict[type[Any], None] = {}
    activities: dict[int, Any] = {}
    for name in names:
        target, _, class_name = name.partition(":")
        if not target:
            raise CodeNotLoaded("--workflows takes package.module, package.module:Class or a Python file, not nothing.")
        module = _import(target)
        found = _class_in(module, class_name) if class_name else _workflows_in(module)
        workflows.update(dict.fromkeys(found))
        for value in vars(module).values():
            if callable(value) and hasattr(value, ACTIVITY):
                activities[id(value)] = value
    return Code(tuple(workflows), tuple(activities.values()))


def _import(name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
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
        hint = ". It comes with `pip install 'playhead[temporal]'`" if error.name == "temporalio" else ""
        raise CodeNotLoaded(_failure(name, error) + hint) from error
    except (Exception, SystemExit) as error:
        raise CodeNotLoaded(_failure(name, error)) from error


def _import_file(path: Path) -> ModuleType:
    """Import a file by its dotted name if it lies below the current directory, so that its own imports work."""
    if path.is_dir():
        raise CodeNotLoaded(f"{path} is a directory: name a Python file in it, or a module.")
    if not path.is_file():
        raise CodeNotLoaded(f"There is no file {path}.")
    if path.suffix != ".py":
        raise CodeNotLoaded(f"{path} is no Python file.")
    try:
        parts = path.resolve().relative_to(Path.cwd()).with_suffix("").parts
        if all(part.isidentifier() for part in parts):
            return importlib.import_module(".".join(parts))
    except ValueError:
        pass  # it lies elsewhere, so it has no dotted name
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise CodeNotLoaded(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    return module


def _failure(name: str, error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_library(frame.filename)]
    frames = [frame for frame in frames if Path(frame.filename) != Path(__file__)]
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f" at {error.filename}:{error.lineno}"
    return f"{name} cannot be imported: {type(error).__name__}{where}: {error}"


def _is_workflow(value: object) -> bool:
    return isinstance(value, type) and WORKFLOW in vars(value)


def _workflows_in(module: ModuleType) -> list[type[Any]]:
    values = list(vars(module).values())
    found = [value for value in values if _is_workflow(value)]
    if not found:
        if any(_TEMPORALIO_WORKFLOW in vars(value) for value in values if isinstance(value, type)):
            raise CodeNotLoaded(_written_for_temporalio(module.__name__))
        raise CodeNotLoaded(f"{module.__name__} holds no class decorated with @workflow.defn.")
    return found


def _class_in(module: ModuleType, name: str) -> list[type[Any]]:
    value = getattr(module, name, None)
    if value is None:
        known = ", ".join(v.__name__ for v in vars(module).values() if _is_workflow(v)) or "none"
        raise CodeNotLoaded(f"{module.__name__} has no {name!r}. The workflow classes in it: {known}.")
    if isinstance(value, type) and _TEMPORALIO_WORKFLOW in vars(value):
        raise CodeNotLoaded(_written_for_temporalio(f"{module.__name__}:{name}"))
    if not _is_workflow(value):
        raise CodeNotLoaded(f"{module.__name__}:{name} is not decorated with @workflow.defn.")
    return [value]


def _written_for_temporalio(name: str) -> str:
    return (
        f"{name} is written for `temporalio`, which this version does not replay yet. The same code runs here with "
        "`playhead_engine` in place of `temporalio` in its imports."
    )
