"""Processes that write to a store until they are killed, and the process that starts them.

Run as a program, it reads one order per line, forks a writer for each, kills it as the order says, and tells how many
commits the writer had seen return. Forking from a small process makes a victim cost milliseconds. The store knows
nothing of it: orders are carried out by the operating system, by SQLite's trace and by Python's audit events.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import sqlite3
import sys
import time
from typing import TYPE_CHECKING, Any, TypedDict, cast

from playhead_engine.stores import RunWrite
from playhead_engine.stores.disk import DiskStore

if TYPE_CHECKING:
    from collections.abc import Callable


class Order(TypedDict, total=False):
    """What to write to and when to die: one of the last three."""

    path: str
    commits: int  # write no more than this many, then close the store
    moment: tuple[int, float]  # killed so many seconds after so many commits of its own, wherever it is then
    step: int  # killed before it carries out its Nth SQL statement or call of the file system
    size: int  # killed in the middle of the write that makes a file longer than so many bytes


class Outcome(TypedDict):
    acknowledged: int  # commits that returned, counted from the beginning of the store
    killed: bool


def commit(number: int) -> list[RunWrite]:
    """The Nth commit, from 1: two runs that advance together, some larger than a page, and now and then a new run."""
    event = {"eventId": str(number), "n": number}
    writes = [
        RunWrite("left", number, (event,), {"n": number} if number % 3 == 1 else None, {"n": number}),
        RunWrite("right", number, ({**event, "text": "x" * (number * 4001 % 20_000)},), {"n": number}),
    ]
    if number % 2:
        writes.append(RunWrite("right", pending={"heartbeat": number}))
    if number % 5 == 0:
        writes.append(RunWrite(f"run-{number}", 1, (event, event), {"n": number}))
    return writes


def write(path: str, commits: int, acknowledge: Callable[[int], object]) -> None:
    """Go on from where the store is, one commit after the other."""
    store = DiskStore(path, synchronous="NORMAL")
    for number in range(len(store.events("left")) + 1, commits + 1):
        store.commit(commit(number))
        acknowledge(number)
    store.close()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_step(last: int) -> None:
    """From now on count what this process does to files and databases."""
    steps = itertools.count(1)

    def step(*_: object) -> None:
        if next(steps) == last:
            die()

    def audit(event: str, _: tuple[Any, ...]) -> None:
        if event.startswith(("os.", "shutil.", "fcntl.", "open")):
            step()

    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(step)
        return connection

    sqlite3.connect = cast("Any", traced)
    sys.addaudithook(audit)


def die_at_size(size: int) -> None:
    """The kernel ends the process in the write that would go beyond."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def carry_out(order: Order) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        if "step" in order:
            die_at_step(order["step"])
        if "size" in order:
            die_at_size(order["size"])
        write(order["path"], order["commits"], lambda number: os.write(writing, number.to_bytes(8)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as acknowledgements:
        told = b""
        if "moment" in order:
            commits, seconds = order["moment"]
            told = acknowledgements.read(8 * commits)
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        told += acknowledgements.read()
    acknowledged = int.from_bytes(told[-8:])
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"the writer failed by itself on {order}")
    return {"acknowledged": acknowledged, "killed": os.WIFSIGNALED(status)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)
