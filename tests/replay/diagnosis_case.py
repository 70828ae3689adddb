"""Cases of broken workflows: the code before, the code after, and what a diagnosis must make of the two.

A case is one file, `diagnosis_cases/NAME.case`: what happens in a sentence, a few directives, then the sections
`--- before`, `--- after` and, where somebody has to act on the run, `--- drive`. Imports stand before each piece of
code and a few activities behind it. The history is that of the code before, run on the engine with a fixed seed.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playhead_engine import Engine
from playhead_engine.client import WorkflowContinuedAsNewError, WorkflowFailureError
from playhead_engine.definitions import ACTIVITY, WORKFLOW
from playhead_engine.history import History
from playhead_engine.temporal import is_temporal_workflow

CASES = Path(__file__).parent / "diagnosis_cases"

_HEAD = """\
import asyncio, datetime, os, random, time, uuid
from datetime import timedelta
from playhead_engine import activity, workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, ApplicationError

SOON = timedelta(seconds=10)

"""
_TAIL = """

@activity.defn
async def reserve(order: str) -> str:
    return f"reserved {order}"


@activity.defn
async def charge(order: str) -> int:
    return 100


@activity.defn
async def ship(order: str) -> str:
    return f"parcel {order}"


@activity.defn
async def check(order: str) -> bool:
    return False


@activity.defn
async def notify(order: str) -> None:
    pass


@workflow.defn
class Packing:
    @workflow.run
    async def run(self, order: str) -> str:
        return f"packed {order}"


@workflow.defn
class Wrapping:
    @workflow.run
    async def run(self, order: str) -> str:
        return f"wrapped {order}"
"""
WORKFLOW_ID = "order-1"


@dataclass(frozen=True)
class BrokenCase:
    """One way to break a workflow.

    Attributes:
        name: Name of the file.
        sentence: What happens.
        directives: `from` (where users met it), `input`, `open`, `cut`.
        before: The code that was run.
        after: The code of today.
        drive: What is done to the run: Python code that knows `engine` and `handle`.
    """

    name: str
    sentence: str
    before: str
    after: str
    drive: str = ""
    directives: dict[str, str] = field(default_factory=dict)

    @property
    def golden(self) -> Path:
        """What the diagnosis must be."""
        return CASES / f"{self.name}.golden"


def read_case(path: Path) -> BrokenCase:
    """Read one case."""
    parts = re.split(r"(?m)^--- (before|after|drive)\n", path.read_text())
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    lines = [line for line in parts[0].strip().splitlines() if line]
    directives = dict(line.split(": ", 1) for line in lines[1:])
    before = sections["before"].strip() + "\n"
    after = sections.get("after", before).strip() + "\n"
    codes = (_HEAD + before + _TAIL, _HEAD + after + _TAIL)
    return BrokenCase(path.stem, lines[0], *codes, sections.get("drive", ""), directives)


def all_cases() -> list[BrokenCase]:
    """Every case, by name."""
    return [read_case(path) for path in sorted(CASES.glob("*.case"))]


def load(path: Path) -> types.ModuleType:
    """A file of code as a module of its own name."""
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
    return module


def workflows_of(module: types.ModuleType) -> list[type[Any]]:
    """The workflow classes of a module."""
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    return [cls for cls in classes if WORKFLOW in vars(cls) or is_temporal_workflow(cls)]


def recorded(case: BrokenCase, directory: Path) -> History:
    """The history of the code before."""
    path = directory / f"{case.name}_before.py"
    path.write_text(case.before)
    module = load(path)
    activities = [value for value in vars(module).values() if callable(value) and hasattr(value, ACTIVITY)]
    given = [json.loads(case.directives["input"])] if "input" in case.directives else ["A-1"]
    with Engine(workflows=workflows_of(module), activities=activities, seed=7) as engine:
        handle = engine.start_workflow("Order", args=given, id=WORKFLOW_ID, task_queue="orders").wait()
        exec(case.drive, {**vars(module), "engine": engine, "handle": handle})
        if "open" not in case.directives:
            with contextlib.suppress(WorkflowFailureError, WorkflowContinuedAsNewError):
                handle.result(follow_runs=False).wait()
        history = handle.fetch_history().wait()
    events = [event.canonical for event in history.events]
    return History.from_events(events[: int(case.directives.get("cut", len(events)))], WORKFLOW_ID)
