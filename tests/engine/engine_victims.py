"""Workflows that are interrupted, the client who wants them done, and processes that run both until they are killed.

Run as a program, it reads one order per line, forks a victim for each, and kills it as the order says. What a victim
did outside its store (activities that began, answers its client got) it writes to a file of notes, which outlives it,
as those who heard the answers would. This module must not judge; the tests do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from playhead_engine import Engine, activity, workflow
from playhead_engine.common import WorkflowIDReusePolicy
from playhead_engine.engine.errors import WorkflowNotFoundError
from playhead_engine.engine.handles import WorkflowUpdateHandle, WorkflowUpdateStage
from playhead_engine.exceptions import WorkflowAlreadyStartedError

if TYPE_CHECKING:
    from collections.abc import Callable

LETTERS = [0, 1, 2]  # signals
STAMPS = [0, 1]  # updates
LEGS = 2  # runs of a journey's chain
RESULT = ["packed 0", "carried 0", "rested 0", "packed 1", "carried 1", "rested 1"]
RESULT += ["letters [0, 1, 2]", "stamps [0, 1]", "calls 2"]

_TIMEOUT = timedelta(seconds=30)


class Notes:
    """Lines in a file, there as soon as they are written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.on_write: Callable[[], object] = int

    def write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())
        self.on_write()

    def lines(self) -> list[str]:
        return self._path.read_text().splitlines()

    def close(self) -> None:
        os.close(self._file)


class Porter:
    """The activities. Each notes that it begins."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def _begin(self) -> None:
        info = activity.info()
        self._notes.write(f"began {info.workflow_run_id} {info.activity_id}")

    @activity.defn
    async def pack(self, leg: int) -> str:
        self._begin()
        return f"packed {leg}"

    @activity.defn
    def carry(self, leg: int) -> str:
        """In a thread."""
        self._begin()
        time.sleep(0.002)
        return f"carried {leg}"

    @activity.defn
    async def stamp(self, number: int) -> int:
        self._begin()
        await asyncio.sleep(0.005)
        return 10 * number


@workflow.defn
class Rest:
    """A child, which calls its parent."""

    @workflow.run
    async def run(self, parent_id: str, leg: int) -> str:
        await workflow.sleep(0.005)
        await workflow.get_external_workflow_handle(parent_id).signal("call")
        await workflow.execute_activity_method(Porter.pack, leg, start_to_close_timeout=_TIMEOUT)
        return f"rested {leg}"


class Luggage(TypedDict):
    """What a journey takes along from one of its runs to the next."""

    leg: int
    done: list[str]
    letters: list[int]
    stamps: list[int]
    calls: int


@workflow.defn
class Journey:
    """Activities, timers, a child, signals, updates, and a second run."""

    def __init__(self) -> None:
        self.letters: set[int] = set()
        self.stamps: set[int] = set()
        self.calls = 0

    @workflow.run
    async def run(self, luggage: Luggage) -> list[str]:
        leg, done = luggage["leg"], list(luggage["done"])
        self.letters.update(luggage["letters"])
        self.stamps.update(luggage["stamps"])
        self.calls += luggage["calls"]
        done.append(await workflow.execute_activity_method(Porter.pack, leg, start_to_close_timeout=_TIMEOUT))
        carrying = workflow.execute_activity_method(Porter.carry, leg, start_to_close_timeout=_TIMEOUT)
        carried, _ = await asyncio.gather(carrying, workflow.sleep(0.01))
        done.append(carried)
        own_id = workflow.info().workflow_id
        done.append(await workflow.execute_child_workflow(Rest.run, args=[own_id, leg], id=f"{own_id}/rest-{leg}"))
        if leg + 1 < LEGS:
            await workflow.wait_condition(lambda: bool(self.letters) and workflow.all_handlers_finished())
            letters, stamps = sorted(self.letters), sorted(self.stamps)
            following = Luggage(leg=leg + 1, done=done, letters=letters, stamps=stamps, calls=self.calls)
            workflow.continue_as_new(following)
        await workflow.wait_condition(lambda: len(self.letters) == len(LETTERS) and len(self.stamps) == len(STAMPS))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return [*done, f"letters {sorted(self.letters)}", f"stamps {sorted(self.stamps)}", f"calls {self.calls}"]

    @workflow.signal
    def letter(self, number: int) -> None:
        self.letters.add(number)

    @workflow.signal
    def call(self) -> None:
        self.calls += 1

    @workflow.update
    async def stamp(self, number: int) -> int:
        result = await workflow.execute_activity_method(Porter.stamp, number, start_to_close_timeout=_TIMEOUT)
        self.stamps.add(number)
        return result


def open_engine(notes: Notes, **where: Any) -> Engine:
    """An engine that has the code of journeys."""
    porter = Porter(notes)
    return Engine(workflows=[Journey, Rest], activities=[porter.pack, porter.carry, porter.stamp], **where)


async def travel(engine: Engine, journey_id: str, notes: Notes) -> list[str]:
    """The client: asks for everything that was not acknowledged yet, notes what is, and waits for the result."""
    known = set(notes.lines())

    def is_new(line: str) -> bool:
        return f"{journey_id} {line}" not in known

    def acknowledged(line: str) -> None:
        notes.write(f"{journey_id} {line}")

    handle = engine.get_workflow_handle(journey_id, result_type=list[str])
    if is_new("started"):
        luggage = Luggage(leg=0, done=[], letters=[], stamps=[], calls=0)
        # If it was accepted, and the answer did not arrive, it is not started again.
        with suppress(WorkflowAlreadyStartedError):
            await engine.start_workflow(
                Journey.run, luggage, id=journey_id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE
            )
        acknowledged("started")

    async def write_letters() -> None:
        for number in LETTERS:
            if is_new(f"letter {number}"):
                await handle.signal(Journey.letter, number)
                acknowledged(f"letter {number}")

    async def accepted(number: int) -> WorkflowUpdateHandle[int]:
        update_id, prefix = f"stamp-{number}", f"{journey_id} accepted {number} "
        for line in known:
            if line.startswith(prefix):
                run_id = line.removeprefix(prefix)
                return handle.get_update_handle(update_id, workflow_run_id=run_id, result_type=int)
        update = await handle.start_update(
            Journey.stamp, number, id=update_id, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        acknowledged(f"accepted {number} {update.workflow_run_id}")
        return update

    async def ask_for_stamps() -> None:
        for number in STAMPS:
            if is_new(f"stamp {number} is {10 * number}"):
                update = await accepted(number)
                acknowledged(f"stamp {number} is {await update.result()}")

    with suppress(WorkflowNotFoundError):  # it has ended, so it has got everything
        await write_letters()
        await ask_for_stamps()
    result: list[str] = await handle.result()
    return result


class Order(TypedDict, total=False):
    """What to do, and when to die."""

    path: str  # of the store
    notes: str
    journeys: list[str]
    moment: tuple[int, float]  # killed so many seconds after so many notes of its own; else not


class Outcome(TypedDict):
    results: list[list[str]]
    killed: bool


async def run(order: Order, notes: Notes) -> list[list[str]]:
    """Open the store, and see all journeys to their end."""
    async with open_engine(notes, path=order["path"], synchronous="NORMAL") as engine, asyncio.timeout(60):
        return await asyncio.gather(*[travel(engine, journey_id, notes) for journey_id in order["journeys"]])


def carry_out(order: Order) -> Outcome:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        notes = Notes(Path(order["notes"]))
        notes.on_write = lambda: os.write(writing, b".")
        results = asyncio.run(run(order, notes))
        os.write(writing, json.dumps(results).encode())
        os._exit(0)
    os.close(writing)
    told = b""
    with os.fdopen(reading, "rb") as pipe:
        if "moment" in order:
            count, seconds = order["moment"]
            told = pipe.read(count)
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        told += pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"the victim failed by itself on {order}")
    answer = told.lstrip(b".")
    complete = answer.endswith(b"]]")
    return {"results": json.loads(answer) if complete else [], "killed": os.WIFSIGNALED(status)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)
