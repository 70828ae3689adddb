"""How to have a failure again: one line with the plan, the seed and the version of the code; and the histories, saved.

The line is a command, so that it can be sent to somebody else; its plan, given to `Program.check`, is a regression
test. Whatever goes wrong in here must not hide the failure that it is about.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from playhead.places import shown_path
from playhead_engine.call_site import is_library
from playhead_engine.converter.json_encoding import json_text
from playhead_engine.faults import MEANING

if TYPE_CHECKING:
    from playhead.faults.programs import Program
    from playhead.faults.trial import Trial

FOLDER: Final = ".playhead_faults"
"""Where histories of failures are saved, in the current directory."""

_IGNORED: Final = "# Made by playhead: histories of the latest failure of each program.\n*\n"
_UNFIT: Final = re.compile(r"[^\w.-]+")


def explain(error: BaseException, trial: Trial[Any]) -> None:
    """Add to an error how to have it again, and save the histories.

    Args:
        error: What a trial raised; it gets a note.
        trial: The trial.
    """
    if not any(note.startswith(_HEAD) for note in getattr(error, "__notes__", ())):
        error.add_note(told(trial))


_HEAD: Final = "  again    "


def told(trial: Trial[Any]) -> str:
    """What to say of a trial that failed. Its histories are saved by that."""
    lines = [f"{_HEAD}{command(trial.program, str(trial.plan), trial.seed, trial.arguments)}"]
    for fault in trial.struck:
        lines += [f"  struck   {fault}", *(f"           {line}" for line in textwrap.wrap(MEANING[fault.strike], 100))]
    try:
        saved = save(trial)
    except OSError as problem:
        lines.append(f"  history  could not be saved: {problem}")
    else:
        lines += [f"  history  {path}" for path in saved]
    return "\n".join(lines)


def command(program: Program[Any], plan: str, seed: int, arguments: Mapping[str, Any]) -> str:
    """The line: a shell command where the program can be named from outside, else a call of it."""
    version = code_version(program)
    name = name_from_outside(program)
    given = _as_json(arguments)
    if name is None or given is None:
        said = "".join(f", {key}={value!r}" for key, value in arguments.items())
        return f"{program.name}.check({plan!r}, seed={seed}{said})  # code {version}"
    parts = ["playhead", "faults", name, plan, "--seed", str(seed), "--code", version]
    if arguments:
        parts += ["--with", given]
    return shlex.join(parts)


def save(trial: Trial[Any]) -> list[str]:
    """Save the histories of a trial, instead of those of the program's last failure.

    Returns:
        The files, as seen from the current directory.
    """
    root = Path.cwd() / FOLDER
    folder = root / _UNFIT.sub("_", trial.program.name)
    folder.mkdir(parents=True, exist_ok=True)
    if not (root / ".gitignore").exists():
        (root / ".gitignore").write_text(_IGNORED)
    for old in folder.glob("*.json"):
        old.unlink(missing_ok=True)
    saved: list[str] = []
    for history in trial.histories:
        stem = _UNFIT.sub("_", history.id) or "run"
        count = sum(Path(file).stem.partition("~")[0] == stem for file in saved)
        path = folder / (f"{stem}~{count + 1}.json" if count else f"{stem}.json")
        path.write_bytes(history.to_json())
        saved.append(shown_path(os.fspath(path)))
    return saved


@cache
def code_version(program: Program[Any]) -> str:
    """A digest of the program's code: the files of its function, workflows and activities, and those that they name."""
    roots = (program.function, *program.workflows, *program.activities, *_deployed(program))
    digests = sorted(blake2b(text, digest_size=8).digest() for text in _sources(map(_module_of, roots)))
    return blake2b(b"".join(digests), digest_size=4).hexdigest()


def _deployed(program: Program[Any]) -> Iterable[Any]:
    for deploy in program.deploys:
        yield from deploy.workflows
        yield from deploy.activities or ()


def _sources(roots: Iterable[str]) -> Iterable[bytes]:
    """The files of these modules of the user's, and of those whose names they use."""
    waiting, seen = list(roots), set[str]()
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if name in seen or file is None or is_library(file) or "site-packages" in file:
            continue
        seen.add(name)
        waiting += [_module_of(value) for value in list(vars(module).values())]
        try:
            yield Path(file).read_bytes()
        except OSError:
            continue  # a module that is in no file of its own is no version of anything


def _module_of(thing: object) -> str:
    if isinstance(thing, ModuleType):
        return thing.__name__
    name = getattr(thing, "__module__", None)
    return name if isinstance(name, str) else ""


def name_from_outside(program: Program[Any]) -> str | None:
    """`path/file.py:name`, if that is where one finds it."""
    name, module = program.name, sys.modules.get(_module_of(program.function))
    file = getattr(module, "__file__", None)
    if file is None or vars(module).get(name) is not program:
        return None
    return f"{shown_path(file)}:{name}"


def _as_json(arguments: Mapping[str, Any]) -> str | None:
    try:
        return json_text(dict(arguments))
    except (TypeError, ValueError):
        return None
