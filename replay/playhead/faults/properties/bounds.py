"""Runs come to an end, and their histories stay small."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from playhead.faults.properties.property import Property, PropertyBroken
from playhead.grouping import grouped
from playhead_engine.history import History
from playhead_engine.server.closing import TOO_MANY_BYTES, TOO_MANY_EVENTS

if TYPE_CHECKING:
    from playhead.faults.trial import Trial

_ENDS: Final = "every run ends"
_BOUNDED: Final = "history bounded"


def every_run_ends(patience: timedelta = timedelta(days=30)) -> Property:
    """Every run ends once nothing goes wrong any more.

    Args:
        patience: How long, in virtual time, a run may take that the program does not wait for.
    """

    def check(trial: Trial[Any]) -> None:
        for history in trial.histories:
            closing = history.closing_event
            reason = closing.attributes.get("reason") if closing is not None else None
            if reason in (TOO_MANY_BYTES, TOO_MANY_EVENTS):
                raise PropertyBroken(_ENDS, f"{_named(history)} went on until it was terminated: {reason}")
        left = trial.open_runs
        if left and trial.error is None:  # somebody who was told that a run is stuck knows more about it
            said = "\n".join(f"  {_named(history)} waits for {_waits_for(history)}" for history in left)
            raise PropertyBroken(_ENDS, f"{len(left)} of {len(trial.histories)} are still open\n{said}")

    return Property(_ENDS, check, patience=patience)


def history_bounded(events: int, size: int | None = None) -> Property:
    """No run's history grows beyond a bound; a workflow that goes on for ever has to continue as new.

    Args:
        events: How many events it may have.
        size: How many bytes, as JSON; None for any number.
    """

    def check(trial: Trial[Any]) -> None:
        for history in trial.histories:
            if len(history) > events:
                raise PropertyBroken(_BOUNDED, f"{_named(history)} has {len(history)} events; {events} are allowed")
            if size is not None and (found := len(history.to_json())) > size:
                raise PropertyBroken(_BOUNDED, f"{_named(history)} takes {found} bytes; {size} are allowed")

    return Property(_BOUNDED, check, holds_always=True)


def _named(history: History) -> str:
    return f"{history.workflow_type} {history.id}"


def _waits_for(history: History) -> str:
    """What was begun and has not ended, in the words of the debugger."""
    found = [f"{group.kind} {group.title}".strip() for group in grouped(history)[1:] if group.outcome == "open"]
    return ", ".join(found) or "nothing that is due: a signal, an update, or a condition that never comes true"
