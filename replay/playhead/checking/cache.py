"""What is known from earlier checks, on disk: verdicts by what they depend on, and the stock of the code.

Everything in it can be found out again, so whatever goes wrong with it costs time and nothing else: it is said once,
and the check goes on without. Bytes are JSON, never pickles, since a cache may come from somebody else's machine.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import diskcache  # pyright: ignore[reportMissingTypeStubs]
import orjson

from playhead.checking.environment import environment_digest
from playhead.checking.inventory import Inventory, inventory_from_json
from playhead.checking.judgement import Judgement, judgement_from_json
from playhead.checking.reach import Roots, digest_of
from playhead_engine.record import record

FOLDER: Final = ".playhead_cache"
"""Its name, in the project's folder."""

_BYTES: Final = 2**28
_VARIANTS: Final = 8
"""Stocks that are kept of the same names: of other branches, for one goes back and forth between them."""

_IGNORED: Final = "# Made by playhead: what is in here can be found out again.\n*\n"


@record
class HistoryFacts:
    """What a verdict depends on besides code, of a history that was read before.

    Attributes:
        workflow_type: Its type.
        has_id: Whether it holds the id of its workflow; otherwise the name of its file stands for it.
        is_readable: Whether it could be read at all.
    """

    workflow_type: str
    has_id: bool
    is_readable: bool = True


@record
class Known:
    """A judgement that was kept, with what else the code imported.

    Attributes:
        judgement: The judgement.
        imported: Digests of files that were imported while it was found out, beyond what the code is known to reach.
    """

    judgement: Judgement
    imported: dict[str, str]


class Cache:
    """The cache of a project. Use it as a context manager.

    Attributes:
        problem: Why it is of no use; empty if it is.
    """

    def __init__(self, directory: Path | None, settings: Iterable[str], folder: str) -> None:
        """Open it.

        Args:
            directory: Where it is; None for none, which knows nothing and keeps nothing.
            settings: All that verdicts depend on besides histories, code and the environment.
            folder: The project's folder, which names of files are relative to.
        """
        self.problem = ""
        self._folder = folder
        self._settings = _digest([environment_digest(), *settings])
        self._store: Any = None
        self._new: dict[str, bytes] = {}
        self._stock: Any = None
        self._digests: dict[str, str] = {}
        if directory is not None:
            self._open(directory)

    def inventory(self, roots: Roots) -> Inventory | None:
        """The stock of the code, if the code is what it was."""
        kept = self._get(self._stock_key()) or []
        found = (inventory_from_json(values) for values in kept)
        return next((one for one in found if one.holds(self._folder, roots)), None)

    def keep_inventory(self, inventory: Inventory) -> None:
        """Keep the stock of the code, before those of other states of it."""
        self._stock = orjson.loads(orjson.dumps(inventory))

    def facts(self, digest: str) -> HistoryFacts | None:
        """What is known of a history that has this digest."""
        found = self._get(f"history {digest} {self._settings}")
        return HistoryFacts(**found) if found is not None else None

    def keep_facts(self, digest: str, facts: HistoryFacts) -> None:
        """Keep what is known of a history."""
        self._set(f"history {digest} {self._settings}", facts)

    def judgement(self, digest: str, known_as: str, reach: str) -> Known | None:
        """A judgement, if what the code imported besides is what it was.

        Args:
            digest: Of the history.
            known_as: What stands for the workflow id, if the history does not hold it.
            reach: Digest of the code that the history reaches; empty for what depends on none.
        """
        found = self._get(self._judgement_key(digest, known_as, reach))
        if found is None:
            return None
        imported: dict[str, str] = found["imported"]
        if any(self._digest_of(file) != known for file, known in imported.items()):
            return None
        return Known(judgement_from_json(found["judgement"]), imported)

    def keep_judgement(self, digest: str, known_as: str, reach: str, known: Known) -> None:
        """Keep a judgement."""
        self._set(self._judgement_key(digest, known_as, reach), known)

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if self._store is None:
            return
        try:
            with self._store.transact():
                if self._stock is not None:
                    # Another check may have kept its own meanwhile, as that of a base does.
                    others = [one for one in self._get(self._stock_key()) or [] if one != self._stock]
                    self._set(self._stock_key(), [self._stock, *others][:_VARIANTS])
                for key, value in self._new.items():
                    self._store.set(key, value)
            self._store.close()
        except (sqlite3.Error, diskcache.Timeout, OSError) as problem:
            self._give_up(problem)

    def _open(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            ignored = directory / ".gitignore"
            if not ignored.exists():
                ignored.write_text(_IGNORED)
            self._store = diskcache.Cache(
                str(directory),
                size_limit=_BYTES,
                sqlite_synchronous=0,  # it may be lost, and then it is found out again
                disk_min_file_size=2**20,
            )
        except (sqlite3.Error, diskcache.Timeout, OSError) as problem:
            self._give_up(problem, directory)

    def _give_up(self, problem: Exception, directory: Path | None = None) -> None:
        where = str(directory) if directory is not None else getattr(self._store, "directory", "")
        self._store = None
        self.problem = f"The cache in {where} cannot be used ({problem}): every history is replayed."

    def _get(self, key: str) -> Any:
        if self._store is None:
            return None
        if key in self._new:
            return orjson.loads(self._new[key])
        try:
            found = self._store.get(key)
        except (sqlite3.Error, diskcache.Timeout, OSError) as problem:
            self._give_up(problem)
            return None
        try:
            return orjson.loads(found) if isinstance(found, bytes) else None
        except orjson.JSONDecodeError:
            return None

    def _digest_of(self, file: str) -> str:
        """The digest of a file, looked at once: thousands of histories may have imported the same."""
        known = self._digests.get(file)
        if known is None:
            known = self._digests[file] = digest_of(os.path.join(self._folder, file))
        return known

    def _set(self, key: str, value: Any) -> None:
        if self._store is not None:
            self._new[key] = orjson.dumps(value)

    def _stock_key(self) -> str:
        return f"code {self._settings}"

    def _judgement_key(self, digest: str, known_as: str, reach: str) -> str:
        return f"judgement {_digest([digest, known_as, reach, self._settings])}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
