"""Signals that were accepted reach the code, and what it keeps of them is not forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from playhead.faults.properties.property import Property, PropertyBroken
from playhead.values import plain, short
from playhead_engine.converter.json_encoding import json_text
from playhead_engine.history import History

if TYPE_CHECKING:
    from playhead.faults.trial import Trial

_NAME: Final = "no acknowledged signal lost"
_ENDED_BY_CODE: Final = frozenset(
    {
        "WORKFLOW_EXECUTION_COMPLETED",
        "WORKFLOW_EXECUTION_FAILED",
        "WORKFLOW_EXECUTION_CANCELED",
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    }
)


def no_signal_lost(
    taken: Callable[[Trial[Any]], Iterable[object]] | None = None, *, signal: str | None = None
) -> Property:
    """A signal that somebody was told is safe is not lost: the code is told of it before it ends, and it tells.

    Args:
        taken: What the application says it took: the arguments of signals, in any order, out of the result for example,
            or out of what activities were given. It is asked when every workflow that was signalled has completed. A
            signal counts as taken however often its argument is there.
        signal: Only signals of this name.
    """

    def check(trial: Trial[Any]) -> None:
        sent = [
            (history, event)
            for history in trial.histories
            for event in history.events
            if event.KIND == "WORKFLOW_EXECUTION_SIGNALED" and signal in (None, event.attributes.get("signalName"))
        ]
        for history, event in sent:
            _see_told(history, event)
        if taken is None or not all(_has_completed(trial, history.id) for history, _ in sent):
            return
        known = {_written(one) for one in taken(trial)}
        for history, event in sent:
            values = plain(event.attributes.get("input")) or []
            value = values[0] if len(values) == 1 else values
            if _written(value) not in known:
                said = f"{event.attributes['signalName']}({short(values)[1:-1]})"
                raise PropertyBroken(
                    _NAME, f"{history.id} accepted {said} at event {event.event_id}, and nothing was made of it"
                )

    return Property(_NAME, check)


def _see_told(history: History, event: Any) -> None:
    """See that the code of a run that it ended had been told of a signal."""
    closing = history.closing_event
    if closing is None or closing.KIND not in _ENDED_BY_CODE:
        return
    begun = max((one.event_id for one in history.events if one.KIND == "WORKFLOW_TASK_STARTED"), default=0)
    if event.event_id > begun:
        name = event.attributes["signalName"]
        raise PropertyBroken(
            _NAME, f"{history.id} ended at event {closing.event_id} without a look at {name}, event {event.event_id}"
        )


def _has_completed(trial: Trial[Any], workflow_id: str) -> bool:
    closing = trial.runs_of(workflow_id)[-1].closing_event
    return closing is not None and closing.KIND == "WORKFLOW_EXECUTION_COMPLETED"


def _written(value: object) -> str:
    """A value as its JSON, by which what was sent and what was made of it can be compared."""
    return json.dumps(json.loads(json_text(value)), sort_keys=True)
