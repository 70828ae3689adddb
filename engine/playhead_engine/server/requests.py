"""What reaches a run from outside: its start, signals, cancel requests, timers. News of other runs is in `links`.

Each function writes the event, and schedules a workflow task if the code must be told. Whether a request may be made at all
(does the workflow exist, is its id taken) is decided by who calls.
"""

from __future__ import annotations

from typing import Final

from playhead_engine.convert import duration_ns
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, Payloads, WorkflowExecution
from playhead_engine.server import tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

NAMESPACE: Final = "default"
"""The namespace that every run of an engine is in."""


def start(state: RunState, attributes: Json, now: Moment) -> int:
    """Write a run's first event, and schedule its first task unless that has to wait.

    Args:
        state: The run; nothing was written to it yet.
        attributes: Of the WorkflowExecutionStarted event.
        now: When.

    Returns:
        When the first workflow task is due, in nanoseconds since the epoch; 0 if it is scheduled already.
    """
    state.append(kinds.WorkflowExecutionStarted, attributes, now)
    backoff = duration_ns(attributes.get("firstWorkflowTaskBackoff"))
    if backoff:
        return now.ns + backoff
    tasks.schedule(state, now)
    return 0


def signal(
    state: RunState,
    name: str,
    values: Payloads | None,
    header: Json | None,
    identity: str,
    now: Moment,
    sender: WorkflowExecution | None = None,
) -> None:
    """Somebody signals the run.

    Args:
        state: The run.
        name: Name of the signal.
        values: Its arguments.
        header: Its headers.
        identity: Who sends it.
        now: When.
        sender: The workflow that sends it, if one does.
    """
    attributes: Json = {"signalName": name, "identity": identity}
    if values:
        attributes["input"] = values
    if header:
        attributes["header"] = header
    if sender is not None:
        attributes["externalWorkflowExecution"] = sender
    state.append(kinds.WorkflowExecutionSignaled, attributes, now)
    tasks.schedule(state, now)


def request_cancel(
    state: RunState, reason: str, identity: str, now: Moment, asker: WorkflowExecution | None = None, asked_by: int = 0
) -> bool:
    """Somebody asks for the run to be cancelled.

    Args:
        state: The run.
        reason: Why.
        identity: Who asks.
        now: When.
        asker: The workflow that asks, if one does.
        asked_by: Id of the event in the asker's history.

    Returns:
        False if it was asked for before; then nothing happens.
    """
    if state.cancel_requested:
        return False
    attributes: Json = {"identity": identity}
    if reason:
        attributes["cause"] = reason
    if asker is not None:
        attributes["externalWorkflowExecution"] = asker
        attributes["externalInitiatedEventId"] = str(asked_by)
    state.append(kinds.WorkflowExecutionCancelRequested, attributes, now)
    tasks.schedule(state, now)
    return True


def fire_timer(state: RunState, timer_id: str, now: Moment) -> None:
    """The time of a timer has come."""
    timer = state.timers[timer_id]
    attributes = {"timerId": timer_id, "startedEventId": str(timer.started_event_id)}
    state.append(kinds.TimerFired, attributes, now)
    tasks.schedule(state, now)
