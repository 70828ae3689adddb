"""The code that there is: its workflow classes, and for each of them the files that it reaches.

It is made by a process that has loaded the code, and kept. As long as every file is what it was, and every name means
the same file, nobody has to load the code to know which verdicts still hold.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playhead.checking.judgement import Site, seen_from
from playhead.checking.reach import Reached, Roots, digest_of, is_users, loaded_files, reach, user_folders
from playhead_engine.record import record


@record
class WorkflowClass:
    """A workflow class.

    Attributes:
        type: The workflow type; empty for a dynamic class, which takes whatever no other takes.
        name: What it is called: `app.orders.OrderFulfilment`.
        site: Where its run method begins.
        files: What it reaches, as seen from the project's folder.
        is_computed: Whether some of it imports by names that are worked out when it runs.
    """

    type: str
    name: str
    site: Site | None
    files: tuple[str, ...]
    is_computed: bool


@record
class Inventory:
    """All the code that the user named, as it was when it was loaded.

    Attributes:
        classes: The workflow classes.
        digests: What was in each of the user's files; names as seen from the project's folder.
        names: What each name of a module stood for that was looked up; None for none of the user's files.
    """

    classes: tuple[WorkflowClass, ...]
    digests: dict[str, str]
    names: dict[str, str | None]

    def holds(self, folder: str, roots: Roots) -> bool:
        """Whether the code is still the same.

        Args:
            folder: The project's folder.
            roots: Where the user's modules are found.
        """
        return all(digest_of(os.path.join(folder, file)) == digest for file, digest in self.digests.items()) and all(
            _shown(roots.find(name), folder) == file for name, file in self.names.items()
        )

    def class_of(self, workflow_type: str) -> WorkflowClass | None:
        """The class that runs a type."""
        named = next((one for one in self.classes if one.type == workflow_type), None)
        return named or next((one for one in self.classes if not one.type), None)

    def reach_digest(self, workflow_type: str) -> str:
        """A digest of all code that a history of a type reaches; of all types there are, if there is no code for it."""
        found = self.class_of(workflow_type)
        if found is None:
            return _digest(["no code", *sorted(one.type for one in self.classes)])
        return _digest([found.name, *(f"{file} {self.digests[file]}" for file in found.files)])


def inventory_of(
    classes: Iterable[type[Any]],
    options: Iterable[object],
    worker: str | None,
    folder: str,
    *,
    type_of: Callable[[type[Any]], str],
    site_of: Callable[[type[Any]], Site | None],
) -> Inventory:
    """Take stock of code that this process has loaded.

    Args:
        classes: The workflow classes.
        options: The objects that have a say in how they are run: converters, interceptors, plugins.
        worker: The module of the function that made the worker, if one did.
        folder: The project's folder.
        type_of: The type of a class; empty for a dynamic one.
        site_of: Where its run method begins.
    """
    roots, loaded = Roots(user_folders(sys.path)), loaded_files()
    listed = list(classes)
    own = {file for one in listed if (file := loaded.get(one.__module__))}
    # Who makes the worker imports all workflows, and each of them reaches only its own.
    shared = [reach(_entries(_modules_of(options), loaded), roots, loaded)]
    shared += [reach(_entries([worker], loaded), roots, loaded, beyond=own)] if worker is not None else []
    everything = frozenset(loaded.values())
    names: dict[str, str | None] = {}
    taken: list[WorkflowClass] = []
    files: set[str] = set(everything)
    for one in listed:
        parts = [reach(_entries([one.__module__], loaded), roots, loaded), *shared]
        is_computed = any(part.is_computed for part in parts)
        reached = frozenset().union(*(part.files for part in parts), everything if is_computed else ())
        files |= reached
        _gather(names, parts)
        shown = tuple(sorted(seen_from(folder, file) for file in reached))
        taken.append(
            WorkflowClass(type_of(one), f"{one.__module__}.{one.__qualname__}", site_of(one), shown, is_computed)
        )
    return Inventory(
        tuple(taken),
        {seen_from(folder, file): digest_of(file) for file in sorted(files)},
        {name: _shown(file, folder) for name, file in names.items()},
    )


def inventory_from_json(values: dict[str, Any]) -> Inventory:
    """The inventory behind values of JSON."""
    classes = (
        WorkflowClass(
            **one | {"files": tuple(one["files"]), "site": None if one["site"] is None else Site(**one["site"])}
        )
        for one in values["classes"]
    )
    return Inventory(tuple(classes), values["digests"], values["names"])


def _gather(names: dict[str, str | None], parts: Iterable[Reached]) -> None:
    for part in parts:
        names.update(part.names)


def _entries(modules: Iterable[str], loaded: dict[str, str]) -> dict[str, str]:
    return {module: loaded[module] for module in modules if module in loaded}


def _modules_of(options: Iterable[object]) -> Iterator[str]:
    """The modules in which the classes of objects were written, and those of what they are made of."""
    seen: set[int] = set()
    waiting = [(one, 0) for one in options]
    while waiting:
        one, depth = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, tuple | list):
            waiting += [(inner, depth) for inner in one]
            continue
        definition = one if isinstance(one, type) or (callable(one) and hasattr(one, "__module__")) else type(one)
        module = getattr(definition, "__module__", "") or ""
        yield module
        # A data converter is made of classes and objects, and they may be again.
        if depth < 3 and not isinstance(one, type) and hasattr(one, "__dict__"):
            waiting += [(inner, depth + 1) for inner in vars(one).values() if not isinstance(inner, str | bytes | int)]


def _shown(file: str | None, folder: str) -> str | None:
    return None if file is None or not is_users(file) else seen_from(folder, file)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
