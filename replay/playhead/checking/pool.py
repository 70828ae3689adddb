"""Processes that replay, and what to do when one of them dies or hangs.

They are programs of their own, not forks: the threads of Temporal's SDK and of the user's libraries would be missing in
a fork. Histories are handed out a few at a time, so that no process waits for the next one. A process answers in the
order in which it was asked; the history that it owes when it dies, or is silent for too long, is the one to name.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

import orjson

from playhead.code_names import CodeNames
from playhead.importing import CodeNotLoaded
from playhead_engine.record import record

_AHEAD: Final = 8
"""Histories that a process has before it; while it looks at one, the next are under way."""

_SECONDS_TO_LOAD: Final = 120.0


@record
class Job:
    """What a process is to do.

    Attributes:
        path: The history.
        explains: Whether to find out why it breaks; otherwise, whether it does.
    """

    path: str
    explains: bool = False


@record
class Silence:
    """A process that owed an answer and gave none.

    Attributes:
        text: What became of it.
        is_timeout: Whether it was ended because it took too long.
    """

    text: str
    is_timeout: bool


@record
class Program:
    """What the processes run.

    Attributes:
        code: The names of the code.
        runtime: What drives it.
        profile: The release whose rules apply, as the user names it.
        endpoint: The codec server: its `url`, `auth` and `namespace`; None if there is none.
        folder: The project's folder.
        directory: The current directory.
        path: The search path.
        moved: This checkout and the one whose code is to be run, if that is another.
    """

    code: CodeNames
    runtime: str
    profile: str | None
    endpoint: Mapping[str, str] | None
    folder: str
    directory: str
    path: tuple[str, ...]
    moved: tuple[str, str] | None = None


class Pool:
    """The processes, which somebody has to close."""

    def __init__(self, program: Program, size: int, timeout: float, *, takes_stock: bool) -> None:
        """Start them.

        Args:
            program: What they run.
            size: How many there are.
            timeout: How long one history may take, in seconds.
            takes_stock: Whether the first is to take stock of the code.
        """
        self._program, self._timeout = program, timeout
        self._said: queue.Queue[tuple[_Worker, bytes]] = queue.Queue()
        self._workers = [self._start(takes_stock=takes_stock and number == 0) for number in range(size)]

    def hello(self) -> dict[str, Any]:
        """What the first process says of the code.

        Raises:
            CodeNotLoaded: It cannot be loaded.
        """
        return self._workers[0].hello()

    def results(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Any] | Silence]]:
        """Do jobs, in any order.

        Returns:
            Each with its answer, as it comes.

        Raises:
            CodeNotLoaded: The code cannot be loaded.
        """
        waiting = deque(jobs)
        owed = len(waiting)
        self._fill(waiting)
        while owed:
            try:
                worker, line = self._said.get(timeout=self._patience())
            except queue.Empty:
                for late in [one for one in self._workers if one.is_late(self._timeout)]:
                    yield late.current(), Silence(f"did not end within {self._timeout:g} seconds", is_timeout=True)
                    owed -= 1
                    self._replace(late, waiting)
                continue
            if worker not in self._workers:
                continue  # it was ended, and this is what it said before
            answer = worker.took(line)
            if answer is not None:
                yield answer
                owed -= 1
            elif not line and worker.load:
                yield worker.current(), Silence(worker.last_words(), is_timeout=False)
                owed -= 1
                self._replace(worker, waiting)
            elif not line:
                worker.kill()
                self._workers.remove(worker)
            self._fill(waiting)

    def close(self) -> None:
        """End them, whatever they are doing."""
        for worker in self._workers:
            worker.kill()

    def _start(self, *, takes_stock: bool = False) -> _Worker:
        return _Worker(self._program, self._said, takes_stock=takes_stock)

    def _fill(self, waiting: deque[Job]) -> None:
        """Hand out jobs, the same number to each."""
        while waiting:
            if not self._workers:
                self._workers.append(self._start())
            free = min(self._workers, key=lambda one: one.load)
            if free.load >= _AHEAD:
                return
            free.ask(waiting.popleft())

    def _replace(self, worker: _Worker, waiting: deque[Job]) -> None:
        """Put another in the place of one that is of no more use, and give back what it did not come to."""
        waiting.extendleft(reversed(worker.rest()))
        worker.kill()
        self._workers[self._workers.index(worker)] = self._start()
        self._fill(waiting)

    def _patience(self) -> float:
        return max(0.01, min((one.remaining(self._timeout) for one in self._workers), default=1.0))


class _Worker:
    """One process."""

    def __init__(self, program: Program, said: queue.Queue[tuple[_Worker, bytes]], *, takes_stock: bool) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "playhead.checking.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=program.directory,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*_ourselves(), *program.path])},
        )
        self._said = said
        self._owed: deque[Job] = deque()
        self._since = time.monotonic()
        self._hello: queue.Queue[bytes] = queue.Queue()
        self._has_loaded = False
        first = {
            "code": asdict(program.code),
            "runtime": program.runtime,
            "profile": program.profile,
            "endpoint": program.endpoint,
            "folder": program.folder,
            "moved": program.moved,
            "takes_stock": takes_stock,
        }
        self._send(first)
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    @property
    def load(self) -> int:
        """How many histories it has before it."""
        return len(self._owed)

    def hello(self) -> dict[str, Any]:
        """What it says of the code.

        Raises:
            CodeNotLoaded: It cannot be loaded.
        """
        try:
            line = self._hello.get(timeout=_SECONDS_TO_LOAD)
        except queue.Empty:
            raise CodeNotLoaded(f"The code was not loaded within {_SECONDS_TO_LOAD:g} seconds.") from None
        self._hello.put(line)
        return self._understood(line)

    def ask(self, job: Job) -> None:
        """Give it something to do."""
        if not self._owed:
            self._since = time.monotonic()
        self._owed.append(job)
        self._send(asdict(job))

    def took(self, line: bytes) -> tuple[Job, dict[str, Any]] | None:
        """The job that a line answers, with the answer; None if it answers none.

        Raises:
            CodeNotLoaded: It says that the code cannot be loaded.
        """
        self._since = time.monotonic()
        if not self._has_loaded:
            self._understood(line)
            self._has_loaded = True
            return None
        if not line:
            return None
        answer: dict[str, Any] = orjson.loads(line)
        return self._owed.popleft(), answer

    def current(self) -> Job:
        """What it is busy with."""
        return self._owed[0]

    def rest(self) -> list[Job]:
        """What it has not come to."""
        return list(self._owed)[1:]

    def remaining(self, timeout: float) -> float:
        """How long it may still be silent, in seconds."""
        if not self._owed:
            return timeout
        return (timeout if self._has_loaded else _SECONDS_TO_LOAD) - (time.monotonic() - self._since)

    def is_late(self, timeout: float) -> bool:
        """Whether it has been silent for too long.

        Raises:
            CodeNotLoaded: It has not loaded the code by now.
        """
        if self.remaining(timeout) > 0:
            return False
        if not self._has_loaded:
            raise CodeNotLoaded(f"The code was not loaded within {_SECONDS_TO_LOAD:g} seconds.")
        return True

    def last_words(self) -> str:
        """How it ended, and the last line that it wrote for people."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"its process ended with {how}" + (f" and said last: {lines[-1].strip()}" if lines else "")

    def kill(self) -> None:
        """End it, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._errors.close()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def _understood(self, line: bytes) -> dict[str, Any]:
        if not line:
            raise CodeNotLoaded(f"The code cannot be loaded: {self.last_words()}")
        hello: dict[str, Any] = orjson.loads(line)
        if "problem" in hello:
            raise CodeNotLoaded(hello["problem"])
        return hello

    def _send(self, content: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # One that has ended says so by the end of its output.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(orjson.dumps(content) + b"\n")
            self._process.stdin.flush()

    def _read(self, pipe: IO[bytes]) -> None:
        for number, line in enumerate(pipe):
            if number == 0:
                self._hello.put(line)
            self._said.put((self, line))
        self._hello.put(b"")
        self._said.put((self, b""))
        pipe.close()


def _ourselves() -> list[str]:
    """The folders that we are in, where we are not installed: another checkout of ours must not take their place."""
    import playhead
    import playhead_engine

    folders = [Path(module.__file__ or "").parent.parent for module in (playhead, playhead_engine)]
    return [str(folder) for folder in folders if "site-packages" not in folder.parts]
