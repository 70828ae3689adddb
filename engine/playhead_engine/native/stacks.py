"""What a run is waiting for, for people: the queries every workflow answers, and what debuggers show."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playhead_engine.call_site import definition_line
from playhead_engine.runtime import Suspended, Waiting

if TYPE_CHECKING:
    from types import FrameType

    from playhead_engine.definitions import HandlerDefinition
    from playhead_engine.messages import Json
    from playhead_engine.native.loop import WorkflowTask
    from playhead_engine.native.run import Run


def waiting(run: Run) -> list[Waiting]:
    """All that a run waits for, in the order in which it was asked for within each kind."""
    found = [
        Waiting("timer", seq, timer.command.attributes["timerId"], timer.summary, timer.command.site)
        for seq, timer in run.timers.items()
    ]
    for seq, activity in run.activities.items():
        name = activity.command.attributes["activityType"]["name"]
        found.append(Waiting(activity.KIND, seq, name, activity.summary, activity.command.site))
    for seq, child in run.children.items():
        name = child.command.attributes["workflowType"]["name"]
        found.append(Waiting("child workflow", seq, name, child.summary, child.command.site))
    for seq, operation in run.nexus_operations.items():
        name = operation.command.attributes["operation"]
        found.append(Waiting("nexus operation", seq, name, operation.summary, operation.command.site))
    found += [Waiting("signal", seq, str(seq), None, None) for seq in run.external_signals]
    found += [Waiting("cancel", seq, str(seq), None, None) for seq in run.external_cancels]
    for condition, _ in run.conditions:
        name = getattr(condition, "__qualname__", None) or type(condition).__qualname__
        found.append(Waiting("condition", 0, name, None, definition_line(condition)))
    return found


def suspended(run: Run, main: WorkflowTask[Any] | None) -> list[Suspended]:
    """The tasks that wait, the run method first; a query is no part of the run.

    Args:
        run: The run.
        main: The task of the run method. The handler of a signal that came with the start is made before it.
    """
    tasks = [task for task in run.loop.pending_tasks() if not task.get_name().startswith("query: ")]
    tasks.sort(key=lambda task: task is not main)
    return [Suspended(task.get_name(), task.get_coro()) for task in tasks]


def built_in_queries(run: Run) -> dict[str, Callable[[], Any]]:
    """The queries that every workflow answers, under Temporal's names."""
    return {
        "__stack_trace": lambda: _stack_trace(run),
        "__enhanced_stack_trace": lambda: _enhanced_stack_trace(run),
        "__temporal_workflow_metadata": lambda: _metadata(run),
    }


def _frames(run: Run) -> list[tuple[str, list[FrameType]]]:
    tasks = run.loop.pending_tasks()
    return [(task.get_name(), task.get_stack()) for task in tasks if not task.get_name().startswith("query: ")]


def _stack_trace(run: Run) -> str:
    stacks: list[str] = []
    for name, frames in _frames(run):
        lines = [traceback.FrameSummary(f.f_code.co_filename, f.f_lineno, f.f_code.co_qualname) for f in frames]
        stacks.append(f"{name} (most recent call last):\n{''.join(traceback.format_list(lines))}")
    return "\n".join(stacks)


def _enhanced_stack_trace(run: Run) -> Json:
    stacks: list[Json] = []
    sources: Json = {}
    for _, frames in _frames(run):
        locations: list[Json] = []
        for frame in frames:
            code = frame.f_code
            location = {"filePath": code.co_filename, "line": frame.f_lineno, "functionName": code.co_qualname}
            locations.append(location)
            if code.co_filename not in sources:
                content = (
                    "".join(linecache.getlines(code.co_filename)) or f"{Path(code.co_filename).name} cannot be read"
                )
                sources[code.co_filename] = {"content": content}
        stacks.append({"locations": locations})
    return {"sdk": {"name": "playhead"}, "sources": sources, "stacks": stacks}


def _metadata(run: Run) -> Json:
    def described(handlers: dict[str | None, HandlerDefinition], *built_in: str) -> list[Json]:
        definitions = [{"name": h.name or "", "description": h.description or ""} for h in handlers.values()]
        definitions += [{"name": name, "description": ""} for name in built_in]
        return sorted(definitions, key=lambda definition: definition["name"])

    handlers = run.handlers
    return {
        "definition": {
            "type": run.info.workflow_type,
            "queryDefinitions": described(handlers.queries, *built_in_queries(run)),
            "signalDefinitions": described(handlers.signals),
            "updateDefinitions": described(handlers.updates),
        },
        "currentDetails": run.current_details,
    }
