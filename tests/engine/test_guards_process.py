"""What the guards leave alone: a process into which they were put goes on as if they were not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ARM = """
from playhead_engine import guards
class Sample: pass
guards.arm(Sample)
"""


def run(program: str, *arguments: str, folder: Path, path: tuple[Path, ...] = ()) -> str:
    """The output of a program in a process of its own, with every warning an error; it must end well."""
    places = os.pathsep.join(map(str, (*path, ROOT / "engine", ROOT)))
    done = subprocess.run(
        [sys.executable, "-W", "error", *(arguments or ("-c", program))],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_guards_changes_nothing(tmp_path: Path) -> None:
    """A process that runs no workflow keeps its standard library, and pays for no part of it that it does not use."""
    program = """
import sys, time, random, os, datetime
before = time.time, random.random, os.urandom, vars(datetime.datetime)["now"]
from playhead_engine import guards
assert before == (time.time, random.random, os.urandom, vars(datetime.datetime)["now"])
print([name for name in ("ctypes", "uuid") if name in sys.modules])
"""
    assert run(program, folder=tmp_path) == "[]\n"


ORDINARY = {
    "asyncio": """
import asyncio, socket, time
async def serve(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\\n")
        assert await reader.readline() == b"hello\\n"
        writer.close()
        await writer.wait_closed()
    assert await asyncio.to_thread(lambda: 42) == 42
    process = await asyncio.create_subprocess_exec("true")
    assert await process.wait() == 0
    started = time.monotonic()
    await asyncio.sleep(0.01)
    assert time.monotonic() - started >= 0.009
asyncio.run(main())
""",
    "files": """
import tempfile, shutil, pathlib, glob, sqlite3, logging
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "a"
    path.write_text("a")
    shutil.copytree(folder, folder + "2")
    shutil.rmtree(folder + "2")
    assert glob.glob(folder + "/*") == [str(path)]
    sqlite3.connect(folder + "/db").close()
with tempfile.NamedTemporaryFile() as file:
    file.write(b"a")
logging.basicConfig(format="%(asctime)s %(message)s")
logging.warning("written")
""",
    "randomness": """
import random, secrets, uuid, os
random.seed(7)
first = [random.random(), random.randint(1, 100), random.choice("abc"), random.gauss(0, 1)]
state = random.getstate()
again = random.Random(7)
assert first == [again.random(), again.randint(1, 100), again.choice("abc"), again.gauss(0, 1)]
assert random.getstate() == again.getstate()
assert len({random.Random().random() for _ in range(10)}) == 10
assert len({uuid.uuid4() for _ in range(10)} | {uuid.uuid1() for _ in range(10)}) == 20
assert len(secrets.token_bytes(5)) == 5 and secrets.choice("a") == "a"
assert random.SystemRandom().randint(1, 1) == 1
""",
    "processes": """
import multiprocessing, concurrent.futures, subprocess, sys, time, random
def work(n):
    return n + (time.time() > 0)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert list(pool.map(work, [1])) == [2]
    assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\\n"
""",
    "inspection": """
import inspect, time, random, datetime, pydoc, copy, typing, dataclasses
assert callable(time.time) and time.time.__name__ == "time" and time.time.__doc__
inspect.signature(random.choice)
pydoc.render_doc(time)
pydoc.render_doc(datetime.datetime)
assert copy.deepcopy(datetime.datetime(2024, 5, 1)) == datetime.datetime(2024, 5, 1)
assert datetime.datetime.now.__name__ == "now"
class Mine(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return super().now(tz)
assert type(Mine.now()) is Mine and type(Mine.today()) is Mine
class Clock:
    read = time.perf_counter
    started: float = 0.0
assert Clock().read() > 0
""",
}


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_programs_go_on_working(what: str, tmp_path: Path) -> None:
    """Whatever else the process does, it does as before."""
    run(ARM + ORDINARY[what], folder=tmp_path)


def test_pytest_goes_on_working(tmp_path: Path) -> None:
    """Its timings, temporary folders, captured output and patched clocks."""
    (tmp_path / "test_it.py").write_text(
        ARM
        + """
import time, datetime, random, warnings, pytest

def test_it(tmp_path, capsys, monkeypatch):
    (tmp_path / "a").write_text("a")
    print("out")
    assert capsys.readouterr().out == "out\\n"
    monkeypatch.setattr(time, "time", lambda: 1.0)
    assert time.time() == 1.0
    with pytest.warns(UserWarning):
        warnings.warn("x")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    time.sleep(1000)
"""
    )
    assert "1 passed" in run("", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), folder=tmp_path)


def test_a_sleep_that_does_not_wait_does_not_hurry_the_watchdog(tmp_path: Path) -> None:
    """Tests replace `time.sleep` by something that returns at once; the watchdog goes on waiting."""
    program = """
import time
time.sleep = lambda seconds: None
from playhead_engine import guards
def step():
    end = time.monotonic() + 0.5
    while time.monotonic() < end: pass
guards.Watchdog(2.0).run("Orders", step)
"""
    run(program, folder=tmp_path)


def test_a_tool_that_looks_for_functions_in_c_finds_them(tmp_path: Path) -> None:
    """time-machine, where it is installed, is imported before the clocks are guarded: it crashes on anything else."""
    (tmp_path / "_time_machine.py").write_text("import time\nfound = type(time.time).__name__\n")
    program = ARM + "import _time_machine, time\nprint(_time_machine.found, type(time.time).__name__)\n"
    assert run(program, folder=tmp_path, path=(tmp_path,)) == "builtin_function_or_method Guard\n"


def test_a_workflow_given_on_the_command_line_is_guarded(tmp_path: Path) -> None:
    """`python -c` has no file, but an author."""
    program = (
        ARM
        + """
import time
guards.enter("Sample")
try:
    time.time()
except guards.NondeterministicCall as error:
    print(error)
guards.leave()
"""
    )
    assert run(program, folder=tmp_path).startswith("<string>:9: time.time() in workflow code would")


def test_errors_at_the_end_of_the_process_are_none_of_the_guards(tmp_path: Path) -> None:
    """A process that ends inside of workflow code ends as it would have."""
    program = ARM + "import sys\nguards.enter('Sample')\nprint('end')\nsys.exit(0)\n"
    assert run(program, folder=tmp_path) == "end\n"
