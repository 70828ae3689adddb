"""`playhead run`: run a workflow on the built-in engine."""

from __future__ import annotations

import argparse
import inspect
import logging
import sys
from pathlib import Path
from typing import Any

import orjson

from playhead.cli import complain
from playhead.loading import CodeNames, CodeNotLoaded, load_code, run_function_of, type_of
from playhead.values import failure_text, plain
from playhead_engine.history import History

FAILED = 1
"""Exit code of a workflow that did not complete."""

INTERRUPTED = 130
"""Exit code of a run that somebody stopped with Ctrl-C."""


def main(arguments: argparse.Namespace) -> int:
    """Run a workflow to its end; returns the exit code: 0 if it completed, 1 if it did not, 2 for wrong usage."""
    from playhead_engine import Engine
    from playhead_engine.common import WorkflowIDConflictPolicy
    from playhead_engine.engine.errors import WorkflowStuckError
    from playhead_engine.exceptions import TemporalError
    from playhead_engine.guards import NondeterministicCall
    from playhead_engine.stores import StoreError

    # What keeps a workflow from going on is told at the end, in words.
    logging.getLogger("playhead_engine").addHandler(logging.NullHandler())
    try:
        values = [_value(text) for text in arguments.input or []]
        code = load_code(CodeNames(workflows=(arguments.workflow,), activities=tuple(arguments.activities)))
        workflow = _only(code.workflows, arguments.workflow)
        _check(workflow, values)
        if arguments.export and not Path(arguments.export).parent.is_dir():
            raise ValueError(f"--export: there is no directory {Path(arguments.export).parent}")
        engine = Engine(
            arguments.store,
            workflows=code.workflows,
            activities=code.activities,
            clock="real" if arguments.real_time else "virtual",
            seed=arguments.seed,
        )
    except (CodeNotLoaded, NondeterministicCall, StoreError, OSError, ValueError, TypeError) as error:
        return complain(error)
    with engine:
        try:
            handle = engine.start_workflow(
                type_of(workflow),
                args=values,
                id=arguments.id or f"{workflow.__name__}-{1 if arguments.seed is None else arguments.seed}",
                task_queue="playhead",
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,  # a run that was interrupted goes on
            ).wait()
        except (TemporalError, StoreError, TypeError, ValueError) as error:
            return complain(error)
        problem: Exception | None = None
        try:
            handle.result().wait()
        except (TemporalError, WorkflowStuckError) as error:
            problem = error
        except KeyboardInterrupt:
            where = arguments.store
            kept = f": {handle.id} is kept in {where}, and goes on when it is run again" if where else ""
            print(f"interrupted{kept}", file=sys.stderr)
            return INTERRUPTED
        history = handle.fetch_history().wait()
    _tell(handle.id, history, problem, as_json=arguments.json)
    if arguments.export:
        try:
            Path(arguments.export).write_bytes(history.to_json(indent=True) + b"\n")
        except OSError as error:
            return complain(f"--export: {arguments.export} cannot be written: {error.strerror}")
    closing = history.closing_event
    return 0 if closing is not None and closing.KIND == "WORKFLOW_EXECUTION_COMPLETED" else FAILED


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f'--input takes JSON, such as \'"Ada"\' or \'{{"city": "Oslo"}}\': {error}') from None


def _only(workflows: tuple[type[Any], ...], name: str) -> type[Any]:
    if len(workflows) == 1:
        return workflows[0]
    if ":" in name:
        wanted = name.rpartition(":")[2]
        return next(workflow for workflow in workflows if workflow.__name__ == wanted)
    known = ", ".join(workflow.__name__ for workflow in workflows)
    raise ValueError(
        f"{name} holds several workflows; name one of them, as in {name}:{workflows[0].__name__} ({known})"
    )


def _check(workflow: type[Any], values: list[Any]) -> None:
    """See that a workflow can be called with so many arguments."""
    run = run_function_of(workflow)
    try:
        inspect.signature(run).bind(None, *values)
    except TypeError:
        takes = ", ".join(str(one) for one in list(inspect.signature(run).parameters.values())[1:]) or "nothing"
        raise ValueError(
            f"{workflow.__name__}.run takes ({takes}): give --input once for each argument, not {len(values)} times"
        ) from None


def _tell(workflow_id: str, history: History, problem: Exception | None, *, as_json: bool) -> None:
    closing = history.closing_event
    attributes = closing.attributes if closing is not None else {}
    ended = closing.type_name.removeprefix("WorkflowExecution") if closing is not None else "Open"
    result = [plain(payload) for payload in (attributes.get("result") or {}).get("payloads", [])]
    if as_json:
        outcome: dict[str, Any] = {
            "workflow_id": workflow_id,
            "run_id": history.run_id,
            "status": ended,
            "events": len(history),
        }
        if ended == "Completed":
            outcome["result"] = result[0] if result else None
        elif attributes.get("failure"):
            outcome["failure"] = failure_text(attributes["failure"])
        elif problem is not None:
            outcome["failure"] = str(problem)
        print(orjson.dumps(outcome, default=str).decode())
    elif ended == "Completed":
        print(orjson.dumps(result[0] if result else None, option=orjson.OPT_INDENT_2, default=str).decode())
    else:
        said = failure_text(attributes["failure"]) if attributes.get("failure") else str(problem or "")
        print(f"{history.workflow_type} {ended.lower()}: {said}".rstrip(": "), file=sys.stderr)
