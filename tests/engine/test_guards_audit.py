"""Files, sockets, processes and threads: refused in workflow code, whoever reaches for them on its behalf."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import glob
import http.client
import io
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playhead_engine import guards
from tests.engine.guard_samples.harness import Sample, as_workflow, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

IN_AN_ACTIVITY = "do it in an activity"
AS_A_TASK = "use asyncio.create_task(), or an activity"

FORBIDDEN: list[tuple[str, str, Callable[[], object]]] = [
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: open("prices.csv")),  # noqa: PTH123, SIM115
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: open(b"prices.csv")),  # noqa: PTH123, SIM115
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: io.open("prices.csv")),  # noqa: SIM115, UP020
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: Path("prices.csv").read_text()),
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: Path("prices.csv").write_text("1")),
    ("open('prices.csv')", IN_AN_ACTIVITY, lambda: os.open("prices.csv", os.O_RDONLY)),
    ("open('/dev/null')", IN_AN_ACTIVITY, lambda: open("/dev/null", "w")),  # noqa: PTH123, SIM115
    ("os.listdir()", IN_AN_ACTIVITY, lambda: os.listdir(".")),  # noqa: PTH208
    ("os.mkdir()", IN_AN_ACTIVITY, lambda: Path("made").mkdir()),
    ("os.remove()", IN_AN_ACTIVITY, lambda: Path("made").unlink()),
    ("glob.glob()", IN_AN_ACTIVITY, lambda: glob.glob("*")),  # noqa: PTH207
    ("shutil.rmtree()", IN_AN_ACTIVITY, lambda: shutil.rmtree("made")),
    ("tempfile.mkdtemp()", IN_AN_ACTIVITY, lambda: tempfile.mkdtemp()),
    ("sqlite3.connect()", IN_AN_ACTIVITY, lambda: sqlite3.connect("orders.db")),
    ("socket.socket()", IN_AN_ACTIVITY, lambda: socket.socket()),
    ("socket.getaddrinfo()", IN_AN_ACTIVITY, lambda: socket.create_connection(("localhost", 1))),
    ("socket.gethostname()", IN_AN_ACTIVITY, lambda: socket.gethostname()),
    ("urllib.Request()", IN_AN_ACTIVITY, lambda: urllib.request.urlopen("http://localhost:1")),
    ("http.client.connect()", IN_AN_ACTIVITY, lambda: http.client.HTTPConnection("localhost", 1).connect()),
    ("subprocess.Popen()", IN_AN_ACTIVITY, lambda: subprocess.run(["true"], check=False)),
    ("os.system()", IN_AN_ACTIVITY, lambda: os.system("true")),  # pyright: ignore[reportDeprecated]
    ("os.fork()", IN_AN_ACTIVITY, lambda: os.fork()),
    ("os.posix_spawn()", IN_AN_ACTIVITY, lambda: os.posix_spawn("/bin/true", ["true"], {})),
    ("starting a thread", AS_A_TASK, lambda: threading.Thread(target=print).start()),
    ("starting a thread", AS_A_TASK, lambda: concurrent.futures.ThreadPoolExecutor(1).submit(print)),
    ("input()", "use a signal or an update", lambda: input()),
]


@pytest.mark.parametrize(("call", "instead", "step"), FORBIDDEN)
def test_reaching_outside_is_refused(call: str, instead: str, step: Callable[[], object]) -> None:
    """The error names what was reached for, the line of the user's code, and what to do instead."""
    error = refusal(step)
    assert (error.call, error.instead) == (call, instead)
    assert (error.file, error.line) == (__file__, step.__code__.co_firstlineno)
    assert "on every replay" in error.why


def test_a_thread_for_blocking_work_is_refused() -> None:
    """`asyncio.to_thread` starts a thread like any other, on a loop that would let it."""

    async def step() -> None:
        await asyncio.to_thread(print)

    loop = asyncio.new_event_loop()
    try:
        assert refusal(lambda: loop.run_until_complete(step())).call == "starting a thread"
    finally:
        loop.close()


def test_reading_what_is_installed_is_allowed() -> None:
    """A library that reads its own data does what importing it might have done; writing there is another matter."""
    assert as_workflow(lambda: Path(os.__file__).read_text())
    assert refusal(lambda: os.open(os.__file__, os.O_RDWR)).call == f"open({os.__file__!r})"


def test_a_database_in_memory_is_allowed() -> None:
    """It is no more outside than a dictionary."""

    def step() -> object:
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            return database.execute("select 1").fetchone()

    assert as_workflow(step) == (1,)


def test_the_escape_hatch_opens_files(tmp_path: Path) -> None:
    """Whoever says so may."""

    def step() -> int:
        with guards.unrestricted():
            return (tmp_path / "a").write_text("abc")

    assert as_workflow(step) == 3


def test_a_finalizer_of_other_code_is_not_the_workflow(tmp_path: Path) -> None:
    """The garbage collector may run in the middle of a workflow, and what it cleans up is another's."""

    class Scratch:
        """Removes its file when it is collected."""

        def __init__(self, path: Path) -> None:
            self.path = path
            self.itself = self

        def __del__(self) -> None:
            self.path.unlink()

    (tmp_path / "one").touch()
    (tmp_path / "two").touch()
    Scratch(tmp_path / "one")
    owner = Sample()
    weakref.finalize(owner, os.remove, tmp_path / "two")

    def step() -> None:
        nonlocal owner
        owner = Sample()
        gc.collect()

    as_workflow(step)
    assert list(tmp_path.iterdir()) == []


def test_code_outside_of_a_workflow_reaches_what_it_likes(tmp_path: Path) -> None:
    """Once a workflow is armed, everybody else still opens files, sockets, processes and threads."""
    guards.arm(Sample)
    (tmp_path / "a").write_text("a")
    shutil.copy(tmp_path / "a", tmp_path / "b")
    with socket.socket(), tempfile.TemporaryDirectory():
        pass
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(subprocess.run, [sys.executable, "-c", ""], check=True).result().returncode == 0
