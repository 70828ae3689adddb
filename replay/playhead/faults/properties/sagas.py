"""Sagas: when one fails, what it had done is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from playhead.faults.effects import Effects
from playhead.faults.properties.property import Property, PropertyBroken
from playhead_engine.history import History

if TYPE_CHECKING:
    from playhead.faults.trial import Trial

_NAME: Final = "a failed saga compensates every finished step once, in reverse order"
_FAILED: Final = frozenset({"WORKFLOW_EXECUTION_FAILED", "WORKFLOW_EXECUTION_CANCELED"})


def saga_compensates(steps: Mapping[str, str], effects: Effects | None = None) -> Property:
    """A saga that fails, or is cancelled, asks for the compensation of each finished step once, the last step first.

    A step that was begun and did not finish may be compensated in its place, and need not be: unless the world saw it,
    where `effects` are given. Then every key that was done under the name of a step must have been undone under the
    name of its compensation; but for compensations that failed for good themselves.

    Args:
        steps: The types of the activities that do something, each with that which undoes it.
        effects: What was done to the world, under the names of those activities. They are cleared before each trial.
    """

    def check(trial: Trial[Any]) -> None:
        for history in trial.histories:
            closing = history.closing_event
            if closing is not None and closing.KIND in _FAILED:
                _see_order(history, steps)
                if effects is not None:
                    _see_world(history, steps, effects)

    return Property(_NAME, check) if effects is None else Property(_NAME, check, begin=effects.clear)


def _see_order(history: History, steps: Mapping[str, str]) -> None:
    """Hold the compensations that were asked for against the steps."""
    calls = _calls(history)
    begun = [(name, ended) for name, ended in calls if name in steps]
    finished = [name for name, ended in begun if ended == "COMPLETED"]
    asked = [name for name, _ in calls if name in steps.values()]
    left = list(asked)
    for name, ended in reversed(begun):
        if left and left[0] == steps[name]:
            left.pop(0)
        elif ended == "COMPLETED":
            break
    else:
        if not left:
            return
    raise PropertyBroken(
        _NAME,
        f"{history.id} failed\n  finished     {', '.join(finished) or 'nothing'}\n"
        f"  compensated  {', '.join(asked) or 'nothing'}",
    )


def _see_world(history: History, steps: Mapping[str, str], effects: Effects) -> None:
    """See that what the world saw done, it saw undone."""
    given_up = {name for name, ended in _calls(history) if name in steps.values() and ended != "COMPLETED"}
    for name, undo in steps.items():
        undone = effects.named(undo)
        left = [key for key in dict.fromkeys(effects.named(name)) if key not in undone]
        if left and undo not in given_up:
            keys = ", ".join(map(repr, left))
            raise PropertyBroken(_NAME, f"{history.id} failed, and {name} {keys} was done and never undone by {undo}")


def _calls(history: History) -> list[tuple[str, str]]:
    """The activities that were asked for, in order, and how they ended; nothing for one that did not."""
    ended: dict[int, str] = {}
    for event in history.events:
        kind, _, outcome = event.KIND.partition("ACTIVITY_TASK_")
        if not kind and outcome in ("COMPLETED", "FAILED", "TIMED_OUT", "CANCELED"):
            ended[int(event.attributes["scheduledEventId"])] = outcome
    return [
        (event.attributes["activityType"]["name"], ended.get(event.event_id, ""))
        for event in history.events
        if event.KIND == "ACTIVITY_TASK_SCHEDULED"
    ]
