"""`playhead run`: run a workflow on the built-in engine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson

from playhead.cli import complain
from playhead.loading import CodeNotLoaded, load_code
from playhead.values import plain
from playhead_engine.definitions import WorkflowDefinition
from playhead_engine.exceptions import FailureError
from playhead_engine.stores import StoreError

FAILED = 1
"""Exit code of a workflow that ended in a failure."""


def main(arguments: argparse.Namespace) -> int:
    """Run a workflow to its end; returns the exit code: 0 if it completed, 1 if it failed, 2 for wrong usage."""
    try:
        values = _values(arguments.input or [])
        code = load_code([arguments.workflow, *arguments.activities])
        definition = _chosen(code.workflows, arguments.workflow)
    except (CodeNotLoaded, ValueError) as error:
        return complain(error)
    from playhead_engine.clock import RealClock, VirtualClock
    from playhead_engine.engine import Engine

    clock = RealClock() if arguments.real_time else VirtualClock()
    try:
        with Engine(
            arguments.store,
            workflows=code.workflows,
            activities=code.activities,
            clock=clock,
            seed=arguments.seed,
        ) as engine:
            handle = engine.start_workflow(
                definition.name, args=_typed(engine, definition, values), id=arguments.id, task_queue="playhead"
            ).wait()
            try:
                result, failure = handle.result().wait(), None
            except FailureError as error:
                result, failure = None, error
            except KeyboardInterrupt:
                raise
            finally:
                if arguments.export:
                    Path(arguments.export).write_bytes(handle.fetch_history().wait().to_json(indent=True) + b"\n")
            history = handle.fetch_history().wait()
    except (StoreError, OSError, ValueError, RuntimeError, TypeError) as error:
        return complain(error)
    if arguments.json:
        outcome: dict[str, Any] = {
            "workflow_id": handle.id,
            "run_id": history.run_id,
            "status": history.closing_event.type_name if history.closing_event else "open",
            "events": len(history),
        }
        outcome |= {"result": plain(_result(history))} if failure is None else {"failure": _told(failure)}
        sys.stdout.write(orjson.dumps(outcome, default=str).decode() + "\n")
    elif failure is None:
        print(orjson.dumps(plain(_result(history)), option=orjson.OPT_INDENT_2, default=str).decode())
    else:
        print(f"{definition.name} failed: {_told(failure)}", file=sys.stderr)
    del result
    return 0 if failure is None else FAILED
