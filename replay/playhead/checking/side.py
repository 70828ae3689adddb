"""One side of a comparison: histories against the code of one checkout, from the cache or by processes.

The processes are started when there is something to do for them, and not before: where everything is known, nobody
loads the code.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from playhead.checking.cache import Cache, HistoryFacts, Known
from playhead.checking.inventory import Inventory, inventory_from_json
from playhead.checking.judgement import Judgement, Kind, explanation_from_json, judgement_from_json, seen_from
from playhead.checking.pool import Job, Pool, Program, Silence
from playhead.checking.reach import Roots, digest_of, user_folders
from playhead.codec_endpoint import CodecUnavailable
from playhead_engine.record import record

_WORTH_A_PROCESS: Final = 25
"""Histories that take about as long as it takes to start one more process."""


@record
class HistoryFile:
    """A file that holds a history.

    Attributes:
        name: As it was given.
        path: Where it is, whatever the current directory.
        digest: Of what is in it; empty if it cannot be read.
    """

    name: str
    path: str
    digest: str

    @property
    def stem(self) -> str:
        """What stands for the id of the workflow, where the history does not hold it."""
        return Path(self.path).stem


@record
class Judged:
    """What came of a file.

    Attributes:
        file: The file.
        judgement: What came of it.
        imported: Digests of the files that the code imported meanwhile, beyond what it is known to reach.
        is_known: Whether that was known before.
        seconds: How long the replay took; 0 if that was not measured.
    """

    file: HistoryFile
    judgement: Judgement
    imported: Mapping[str, str]
    is_known: bool = False
    seconds: float = 0.0


class Side:
    """Judges histories by the code of one checkout. Use it as a context manager.

    Attributes:
        note: What a reader should know about the rules that apply; empty if nothing.
        replayed: How many histories were replayed, and not known before.
    """

    def __init__(self, program: Program, cache: Path | None, jobs: int, timeout: float) -> None:
        """Judge by what a program runs.

        Args:
            program: The code, and how it is run.
            cache: The folder of the cache; None for none.
            jobs: How many processes there may be.
            timeout: How long one history may take, in seconds.
        """
        self.note = ""
        self.replayed = 0
        self._program, self._jobs, self._timeout = program, jobs, timeout
        self._cache = Cache(cache, _settings(program), program.folder)
        self._pool: Pool | None = None
        self._inventory: Inventory | None = None
        self._late: set[str] = set()

    @property
    def problem(self) -> str:
        """What is wrong with the cache; empty if nothing is."""
        return self._cache.problem

    def prepare(self, count: int) -> None:
        """Have processes load the code, unless the stock of it is known; does not wait for them.

        Args:
            count: How many histories there are to come.
        """
        if self._inventory is None:
            roots = Roots(user_folders([self._program.directory, *self._program.code.python_path, *self._program.path]))
            self._inventory = self._cache.inventory(roots)
        if self._inventory is None and self._pool is None:
            self._pool = self._started(count, takes_stock=True)

    def inventory(self, count: int = 1) -> Inventory:
        """The stock of the code, which is loaded if it is not known.

        Args:
            count: As of `prepare`.

        Raises:
            CodeNotLoaded: It cannot be loaded.
        """
        self.prepare(count)
        if self._inventory is None:
            assert self._pool is not None
            hello = self._pool.hello()
            self.note = hello["note"]
            self._inventory = inventory_from_json(hello["inventory"])
            self._cache.keep_inventory(self._inventory)
        return self._inventory

    def judged(self, files: Iterable[HistoryFile]) -> Iterator[Judged]:
        """Judge histories; those that are known come first, the others in any order.

        Raises:
            CodeNotLoaded: The code cannot be loaded.
            CodecUnavailable: The codec server cannot be asked.
        """
        listed = list(files)
        inventory = self.inventory(len(listed))
        missing: list[HistoryFile] = []
        for file in listed:
            known = self._known(file, inventory)
            if known is None:
                missing.append(file)
            else:
                yield Judged(file, known.judgement, known.imported, is_known=True)
        by_path = {file.path: file for file in missing}
        for path, answer in self._answers([Job(path) for path in by_path]):
            self.replayed += 1
            if isinstance(answer, Silence):
                kind = Kind.TIMED_OUT if answer.is_timeout else Kind.PROCESS_ENDED
                yield Judged(by_path[path], Judgement(kind, f"not checked: {answer.text}"), {})
                continue
            judgement = judgement_from_json(answer["judgement"])
            imported = self._imported(judgement.workflow_type, answer["imported"], inventory)
            yield self._kept(Judged(by_path[path], judgement, imported, seconds=answer["seconds"]), inventory)

    def explained(self, judged: Iterable[Judged]) -> Iterator[Judged]:
        """Find out why histories break, those where nothing is found left out.

        Raises:
            CodeNotLoaded: The code cannot be loaded.
            CodecUnavailable: The codec server cannot be asked.
        """
        by_path = {one.file.path: one for one in judged}
        for path, answer in self._answers([Job(path, explains=True) for path in by_path]):
            if isinstance(answer, Silence) or answer["explanation"] is None:
                continue
            one, explanation = by_path[path], explanation_from_json(answer["explanation"])
            judgement = replace(one.judgement, explanation=explanation)
            yield self._kept(replace(one, judgement=judgement), self.inventory())

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close()
        self._cache.__exit__(kind, error, frames)

    def _answers(self, jobs: list[Job]) -> Iterator[tuple[str, dict[str, Any] | Silence]]:
        if not jobs:
            return
        if self._pool is None:
            self._pool = self._started(len(jobs), takes_stock=False)
            self.note = self._pool.hello()["note"]
        is_done = False
        try:
            for job, answer in self._pool.results(jobs):
                if not isinstance(answer, Silence) and "problem" in answer:
                    raise CodecUnavailable(answer["problem"])
                yield job.path, answer
            is_done = True
        finally:
            if not is_done:  # nobody wants the rest, and it must not be taken for answers to what is asked next
                self._pool.close()
                self._pool = None

    def _started(self, count: int, *, takes_stock: bool) -> Pool:
        size = max(1, min(self._jobs, math.ceil(count / _WORTH_A_PROCESS)))
        return Pool(self._program, size, self._timeout, takes_stock=takes_stock)

    def _known(self, file: HistoryFile, inventory: Inventory) -> Known | None:
        facts = self._cache.facts(file.digest) if file.digest else None
        if facts is None:
            return None
        reach = inventory.reach_digest(facts.workflow_type) if facts.is_readable else ""
        return self._cache.judgement(file.digest, "" if facts.has_id else file.stem, reach)

    def _kept(self, judged: Judged, inventory: Inventory) -> Judged:
        """Keep what came of a file, for the next time."""
        file, judgement = judged.file, judged.judgement
        # Whether code comes to rest in time depends on what else the machine does: that is asked again.
        if file.digest and judgement.kind is not Kind.CODE_UNFINISHED:
            is_readable = judgement.kind is not Kind.UNREADABLE
            facts = HistoryFacts(judgement.workflow_type, bool(judgement.workflow_id), is_readable)
            reach = inventory.reach_digest(facts.workflow_type) if is_readable else ""
            known = Known(judgement, dict(judged.imported))
            self._cache.keep_facts(file.digest, facts)
            self._cache.keep_judgement(file.digest, "" if facts.has_id else file.stem, reach, known)
        return judged

    def _imported(self, workflow_type: str, imported: list[str], inventory: Inventory) -> dict[str, str]:
        """Digests of what the code imported while it was replayed, beyond what it is known to reach."""
        self._late.update(imported)
        found = inventory.class_of(workflow_type)
        if found is None:
            return {}
        # What one history had imported is there for the next ones, which are not seen to import it again.
        more = {*imported, *(self._late if found.is_computed else ())} - set(found.files)
        return {name: digest_of(os.path.join(self._program.folder, name)) for name in sorted(more)}


def history_file(name: str) -> HistoryFile:
    """A file with its digest."""
    path = os.path.abspath(name)
    try:
        digest = hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        digest = ""
    return HistoryFile(name, path, digest)


def _settings(program: Program) -> Iterator[str]:
    """All that verdicts depend on besides code, histories and the environment, whatever folder the project is in."""
    for name, value in asdict(program.code).items():
        values = value if isinstance(value, tuple | list) else [value]
        yield f"{name}: {[_portable(one, program.folder) for one in values]}"
    endpoint = program.endpoint or {}
    yield f"{program.runtime} {program.profile} {endpoint.get('url')} {endpoint.get('namespace')}"
    yield seen_from(program.folder, program.directory)


def _portable(value: object, folder: str) -> object:
    return seen_from(folder, value) if isinstance(value, str) and os.path.isabs(value) else value
