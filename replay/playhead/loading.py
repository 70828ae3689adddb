"""Loads the workflow code that the user names: its classes, and how they are to be run.

Everything is named by strings, so that another process can load the same. Loading is the only thing here that runs the
user's code; whatever goes wrong in it comes out as one sentence with the place.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from playhead.code_names import CodeNames
from playhead.importing import CodeNotLoaded, import_named, search
from playhead.worker_module import record_workers
from playhead.worker_options import WorkerOptions, common_options, with_named
from playhead_engine.definitions import ACTIVITY, WORKFLOW
from playhead_engine.record import record
from playhead_engine.temporal import is_temporal_activity, is_temporal_workflow, temporal_activity, temporal_workflow

__all__ = [
    "Code",
    "CodeNames",
    "CodeNotLoaded",
    "activity_name",
    "is_dynamic",
    "load_code",
    "run_function_of",
    "type_of",
]

_OPTIONS = ("data_converter", "interceptors", "plugins", "failure_exception_types", "sandboxed", "namespace")


@record
class Code:
    """The code itself.

    Attributes:
        workflows: Workflow classes of both kinds, in the order of their definition.
        activities: Activities.
        options: How workflows are to be run.
    """

    workflows: tuple[type[Any], ...]
    activities: tuple[Any, ...]
    options: WorkerOptions = WorkerOptions()


def load_code(names: CodeNames) -> Code:
    """Import everything that is named.

    A worker gives its workflows, its activities and its options; what is named besides takes the place of what it
    gives.

    Raises:
        CodeNotLoaded: Something cannot be imported, is something else, or holds no workflow.
    """
    search(names.python_path)
    workflows: dict[type[Any], None] = {}
    activities: dict[int, Any] = {}
    options = WorkerOptions()
    named = {name: getattr(names, name) for name in _OPTIONS if getattr(names, name) not in (None, ())}
    for name in names.workflows:
        if not name.partition(":")[0]:
            raise CodeNotLoaded(
                "Workflows are named package.module, package.module:Class or by a file, not by nothing."
            )
        module, found = _workflows_of(name)
        workflows.update(dict.fromkeys(found))
        activities.update((id(one), one) for one in _activities_in(module))
    for name in names.activities:
        module = import_named(name)
        workflows.update(dict.fromkeys(_workflows_in(module)))
        activities.update((id(one), one) for one in _activities_in(module))
    if names.worker is not None:
        # Without workflows a worker has nothing that could be replayed, and no say in how others are; but plugins may
        # bring some.
        workers = record_workers(names.worker)
        able = [worker for worker in workers if worker.arguments["workflows"] or worker.plugins]
        if not names.workflows:
            workflows.update(dict.fromkeys(_union(names.worker, able)))
            if not able:
                queues = ", ".join(repr(worker.task_queue) for worker in workers)
                raise CodeNotLoaded(f"The worker of {names.worker} on task queue {queues} has no workflows.")
        activities.update((id(one), one) for worker in workers for one in worker.arguments["activities"])
        options = common_options(names.worker, able or workers, named=named)
    options = with_named(options, **named)
    return Code(tuple(workflows), tuple(activities.values()), options)


def type_of(workflow: type[Any]) -> str:
    """The workflow type of a class of either kind; the name of the class if it is dynamic."""
    name: str | None = _definition_of(workflow).name
    return name or workflow.__name__


def is_dynamic(workflow: type[Any]) -> bool:
    """Whether a class takes whatever type no other class takes."""
    return _definition_of(workflow).name is None


def run_function_of(workflow: type[Any]) -> Callable[..., Any]:
    """The method that a class of either kind begins with."""
    function: Callable[..., Any] = _definition_of(workflow).run_fn
    return function


def signal_names(workflow: type[Any]) -> list[str]:
    """The signals that a class of either kind takes by name."""
    return [name for name in _definition_of(workflow).signals if name is not None]


def activity_name(activity: Any) -> str | None:
    """The name of an activity of either kind; None if it is dynamic."""
    definition = temporal_activity(activity) or getattr(activity, ACTIVITY)
    name: str | None = definition.name
    return name


def _definition_of(workflow: type[Any]) -> Any:
    return temporal_workflow(workflow) or vars(workflow)[WORKFLOW]


def _is_workflow(value: object) -> bool:
    return isinstance(value, type) and (WORKFLOW in vars(value) or is_temporal_workflow(value))


def _workflows_in(module: ModuleType) -> list[type[Any]]:
    return [value for value in vars(module).values() if _is_workflow(value)]


def _activities_in(module: ModuleType) -> list[Any]:
    values = vars(module).values()
    return [one for one in values if callable(one) and (hasattr(one, ACTIVITY) or is_temporal_activity(one))]


def _workflows_of(name: str) -> tuple[ModuleType, list[type[Any]]]:
    target, _, wanted = name.partition(":")
    module = import_named(target)
    found = _workflows_in(module)
    known = ", ".join(one.__name__ for one in found) or "none"
    if not wanted:
        if not found:
            raise CodeNotLoaded(f"{module.__name__} holds no class decorated with @workflow.defn.{_inside(module)}")
        return module, found
    value = getattr(module, wanted, None)
    if value is None:
        raise CodeNotLoaded(f"{module.__name__} has no {wanted!r}. The workflow classes in it: {known}.")
    if _is_workflow(value):
        return module, [value]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | type):
        listed = list(value)
        if listed and all(_is_workflow(one) for one in listed):
            return module, listed
        raise CodeNotLoaded(f"{module.__name__}:{wanted} is not a list of classes decorated with @workflow.defn.")
    raise CodeNotLoaded(f"{module.__name__}:{wanted} is not decorated with @workflow.defn.")


def _inside(module: ModuleType) -> str:
    """What to name instead of a package that holds nothing itself."""
    inside = [f"{module.__name__}.{one.name}" for one in pkgutil.iter_modules(getattr(module, "__path__", []))]
    return f" It is a package; name its modules: {', '.join(inside[:6])}." if inside else ""


def _union(shown: str, workers: Iterable[Any]) -> list[type[Any]]:
    """The workflows of several workers.

    Raises:
        CodeNotLoaded: Two classes have the same type.
    """
    found: dict[str, tuple[type[Any], str]] = {}
    for worker in workers:
        for one in worker.arguments["workflows"]:
            if not _is_workflow(one):
                raise CodeNotLoaded(f"The worker of {shown} lists {one!r}, which is not decorated with @workflow.defn.")
            name = type_of(one)
            other, queue = found.setdefault(name, (one, worker.task_queue))
            if other is not one:
                raise CodeNotLoaded(
                    f"The workers of {shown} have two classes for workflow type {name!r}: {other.__module__}."
                    f"{other.__qualname__} on task queue {queue!r}, {one.__module__}.{one.__qualname__} on "
                    f"{worker.task_queue!r}. Name a function that makes only one of them, or name --workflows as well."
                )
    return [one for one, _ in found.values()]
