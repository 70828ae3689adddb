"""Messages: what a client sends to a workflow while it runs, as data, and how it is sent.

A message is plain data so that a strategy can draw it, a command line can hold it, and a program can take it as an
argument. This module knows no Hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final, Literal, TypeAlias, get_args

from playhead_engine import Engine
from playhead_engine.client import WorkflowHandle, WorkflowNotFoundError, WorkflowUpdateFailedError
from playhead_engine.definitions import WORKFLOW, WorkflowDefinition
from playhead_engine.record import frozen_record
from playhead_engine.temporal import temporal_workflow

MessageKind: TypeAlias = Literal["signal", "update", "query"]

_KINDS: Final[tuple[MessageKind, ...]] = get_args(MessageKind)


@frozen_record
class Message:
    """Something that a client sends.

    Attributes:
        kind: "signal", "update" or "query".
        name: The name of the handler.
        args: Its arguments.
        wait: How long the client waits before it, in seconds.
    """

    kind: MessageKind
    name: str
    args: tuple[Any, ...] = ()
    wait: float = 0.0

    def __str__(self) -> str:
        waited = f"after {self.wait:g} s " if self.wait else ""
        return f"{waited}{self.kind} {self.name}({', '.join(map(repr, self.args))})"


@frozen_record
class Handler:
    """What takes messages.

    Attributes:
        kind: Of which kind.
        name: Of which name.
        types: The annotations of its parameters.
    """

    kind: MessageKind
    name: str
    types: tuple[Any, ...]


def deliver(engine: Engine, handle: WorkflowHandle[Any, Any], messages: Iterable[Message]) -> list[Message]:
    """Send messages to a workflow, one after the other, as a client does that is not async.

    Args:
        engine: Whose time passes.
        handle: The workflow.
        messages: What to send.

    Returns:
        Those that were acknowledged: signals that are safe, updates that were done, queries that were answered. A
        workflow that has ended acknowledges nothing.
    """
    acknowledged: list[Message] = []
    for message in messages:
        if message.wait:
            engine.sleep(message.wait).wait()
        try:
            send(handle, message)
        except (WorkflowNotFoundError, WorkflowUpdateFailedError):
            continue
        acknowledged.append(message)
    return acknowledged


def send(handle: WorkflowHandle[Any, Any], message: Message) -> Any:
    """Send one message, and wait until it is acknowledged.

    Returns:
        What an update or a query returns.

    Raises:
        WorkflowNotFoundError: The workflow has ended.
        WorkflowUpdateFailedError: It refused the update, or the update failed.
        WorkflowQueryFailedError: The query failed.
    """
    match message.kind:
        case "signal":
            return handle.signal(message.name, args=message.args).wait()
        case "update":
            return handle.execute_update(message.name, args=message.args).wait()
        case "query":
            return handle.query(message.name, args=message.args).wait()


def handlers_of(workflow: type, kinds: Collection[str] = _KINDS, only: Collection[str] = ()) -> list[Handler]:
    """The handlers of a workflow class that have a name.

    Args:
        workflow: The class, native or written for `temporalio`.
        kinds: Of which kinds.
        only: Of which names; all if empty.

    Raises:
        ValueError: There is none, or none of one of these names.
        TypeError: A parameter of one is not annotated.
    """
    found = [handler for handler in _handlers(workflow) if handler.kind in kinds]
    missing = set(only) - {handler.name for handler in found}
    if missing or not found:
        there = ", ".join(sorted(f"{handler.kind} {handler.name}" for handler in found)) or "none"
        wanted = ", ".join(sorted(missing)) or ", ".join(kinds)
        raise ValueError(f"{workflow.__qualname__} has no handler {wanted}; it has: {there}")
    return [handler for handler in found if not only or handler.name in only]


def run_types_of(run: Callable[..., Any]) -> tuple[Any, ...]:
    """The annotations of a run method's parameters.

    Raises:
        TypeError: One is not annotated.
        ValueError: It is no run method.
    """
    return _annotated(WorkflowDefinition.of_run_method(run).arg_types, getattr(run, "__qualname__", repr(run)))


def _handlers(workflow: type) -> Iterator[Handler]:
    definition: Any = temporal_workflow(workflow)
    is_ours = WORKFLOW in vars(workflow)
    if is_ours:
        definition = WorkflowDefinition.of_class(workflow)
    elif definition is None:
        raise ValueError(f"{workflow.__qualname__} is no workflow: decorate it with @workflow.defn")
    tables: dict[MessageKind, Any] = {
        "signal": definition.signals,
        "update": definition.updates,
        "query": definition.queries,
    }
    for kind, handlers in tables.items():
        for name, handler in sorted((name, handler) for name, handler in handlers.items() if name is not None):
            yield Handler(kind, name, _annotated(handler.arg_types, f"{workflow.__qualname__}.{name}"))


def _annotated(types: list[Any] | None, where: str) -> tuple[Any, ...]:
    if types is None:
        raise TypeError(f"{where}: a parameter is not annotated, so nobody knows what to give it")
    return tuple(types)
