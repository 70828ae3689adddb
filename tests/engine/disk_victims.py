"""Engines on disk that are watched until they die: of a kill, of a full disk, of a database that gives up.

Run as a program, it reads one order per line, forks an engine for each that sees a journey to its end under the virtual
clock, and kills it before the Nth thing that it does to files and databases. The engine looks at its own invariants
after every round; what the killed one left behind is for the tests to look at.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TypedDict

from playhead_engine.engine import Engine
from playhead_engine.faults.invariants import watch
from tests.engine.engine_victims import Notes, open_engine, travel
from tests.engine.store_victims import die_at_step


class Order(TypedDict):
    """Where to travel, and when to die."""

    path: str  # of the store
    notes: str
    step: int  # killed before the Nth SQL statement or call of the file system


async def life(path: Path, notes: Notes, plan: str = "") -> list[str]:
    """One life of an engine on a store: the journey goes on from where the life before left it."""
    engine: Engine = open_engine(notes, path=path, seed=1, faults=plan, synchronous="NORMAL")
    async with engine:
        watch(engine)
        return await travel(engine, "journey", notes)


def carry_out(order: Order) -> bool:
    """Whether the engine was killed; else it came to its end."""
    child = os.fork()
    if child == 0:
        die_at_step(order["step"])
        asyncio.run(life(Path(order["path"]), Notes(Path(order["notes"]))))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"the engine failed by itself on {order}")
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)
