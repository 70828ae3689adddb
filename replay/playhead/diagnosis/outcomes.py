"""What may have come of a step that was never recorded: guesses, to let the code go on behind it.

The code asks for an activity that no history knows. To see what it asks for next, somebody has to answer it. The
answers here are marked as guesses wherever they are shown, and nothing is ever run to get one.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from playhead.diagnosis.steps import Step, StepKind
from playhead_engine.activation import (
    ChildStarted,
    FireTimer,
    Job,
    NexusStarted,
    ResolveActivity,
    ResolveCancelExternal,
    ResolveChild,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    ResolveSignalExternal,
    Succeeded,
)
from playhead_engine.definitions import ACTIVITY
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.markers import local_activity_marker
from playhead_engine.messages import Payload

if TYPE_CHECKING:
    from playhead_engine.engine.wire import Wire

_TEMPORALIO_ACTIVITY: Final = "__temporal_activity_definition"
_HAVE_RESULTS: Final = frozenset({StepKind.ACTIVITY, StepKind.LOCAL_ACTIVITY, StepKind.CHILD, StepKind.NEXUS})
_RESULT_EVENTS: Final[Mapping[str, str]] = {
    "ACTIVITY_TASK_COMPLETED": "scheduledEventId",
    "CHILD_WORKFLOW_EXECUTION_COMPLETED": "initiatedEventId",
    "NEXUS_OPERATION_COMPLETED": "scheduledEventId",
}
_MAKE_BELIEVE_RUN_ID: Final = "00000000-0000-4000-8000-000000000000"

_UNKNOWN: Final[tuple[Any, ...]] = (None, False, True, "", 0)


class Outcomes:
    """Guesses for one history and one piece of code."""

    def __init__(self, events: Sequence[HistoryEvent], workflow: type[Any] | None, wire: Wire) -> None:
        """
        Args:
            events: The history; results in it are the best guesses for steps of the same name.
            workflow: The workflow class, whose module may know what its activities return.
            wire: Encodes values as the history holds them.
        """
        self._wire = wire
        self._events = events
        self._results: dict[int, Payload | None] | None = None
        module = sys.modules.get(workflow.__module__) if workflow is not None else None
        self._returned = dict(_returned_types(vars(module).values() if module is not None else ()))

    def result_of(self, event: HistoryEvent) -> tuple[Payload | None] | None:
        """The recorded result of a step, by its command event; None if it has none."""
        marker = local_activity_marker(event)
        if marker is not None:
            return (marker.result,)
        if self._results is None:
            self._results = {}
            for other in self._events:
                key = _RESULT_EVENTS.get(other.KIND)
                if key is not None:
                    payloads = (other.attributes.get("result") or {}).get("payloads") or [None]
                    self._results[int(other.attributes.get(key, 0))] = payloads[0]
        return (self._results[event.event_id],) if event.event_id in self._results else None

    def guesses(self, step: Step, alike: HistoryEvent | None) -> list[Payload | None]:
        """Results a step may have had, the likeliest first; at least one, and one only where it has no result.

        Args:
            step: The step of the code.
            alike: A recorded step of the same name, or the one in whose place it stands.
        """
        if step.kind not in _HAVE_RESULTS:
            return [None]
        recorded = self.result_of(alike) if alike is not None else None
        if recorded is not None:
            return [*recorded]
        known = step.name in self._returned
        values = _values_of(self._returned[step.name]) if known else _UNKNOWN
        return [self._wire.encode_value(value) for value in values]


def resolutions(step: Step, result: Payload | None) -> list[Job]:
    """What tells the code of a step's good end: one job after the other, each in an activation of its own."""
    seq = int(getattr(step.command, "seq", 0))
    match step.kind:
        case StepKind.ACTIVITY | StepKind.LOCAL_ACTIVITY:
            is_local = step.kind is StepKind.LOCAL_ACTIVITY
            return [ResolveActivity(seq, Succeeded(result if result is not None else {}), is_local=is_local)]
        case StepKind.TIMER:
            return [FireTimer(seq)]
        case StepKind.CHILD:
            return [ResolveChildStart(seq, ChildStarted(_MAKE_BELIEVE_RUN_ID)), ResolveChild(seq, Succeeded(result))]
        case StepKind.SIGNAL:
            return [ResolveSignalExternal(seq, None)]
        case StepKind.CANCEL:
            return [ResolveCancelExternal(seq, None)]
        case StepKind.NEXUS:
            return [ResolveNexusStart(seq, NexusStarted(None)), ResolveNexus(seq, Succeeded(result))]
        case _:
            return []


def _returned_types(values: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    for value in values:
        if isinstance(value, type):
            yield from _returned_types(vars(value).values())
        for mark in (ACTIVITY, _TEMPORALIO_ACTIVITY):
            definition = getattr(value, mark, None) if callable(value) and not isinstance(value, type) else None
            if definition is not None and definition.name is not None:
                yield definition.name, definition.ret_type


def _values_of(hint: Any) -> tuple[Any, ...]:
    """Values of an annotated type, a plain one first."""
    origin = typing.get_origin(hint) or hint
    if origin in (typing.Union, types.UnionType):
        arguments = typing.get_args(hint)
        return (None,) if type(None) in arguments else _values_of(arguments[0])
    if origin is bool:
        return False, True
    for plain in (int, float, str):
        if origin is plain:
            return (plain(),)
    if isinstance(origin, type):
        if dataclasses.is_dataclass(origin):
            made = _made(origin)
            return (made,) if made is not None else (None,)
        if issubclass(origin, Mapping):
            return ({},)
        if issubclass(origin, Iterable):
            return ([],)
    return _UNKNOWN if hint is None or hint is Any else (None, {})


def _made(cls: type[Any], depth: int = 3) -> dict[str, Any] | None:
    """The JSON of a dataclass, with its defaults where it has some and plain values elsewhere."""
    try:
        hints = typing.get_type_hints(cls)
    except Exception:  # noqa: BLE001 - whatever an annotation of the user's raises, there is no guess then
        return None
    made: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            hint = hints.get(field.name)
            is_nested = isinstance(hint, type) and dataclasses.is_dataclass(hint) and depth > 0
            made[field.name] = _made(hint, depth - 1) if is_nested else _values_of(hint)[0]  # type: ignore[arg-type]
    return made
