"""Which line of the code every event of a history comes from.

A command event comes from the line that asked for it. What followed from it (started, completed, fired) points at the
same line, by the ids with which a history ties such events together. A signal points at its handler, the first event
at the run method. Workflow tasks come from no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from playhead_engine.call_site import CallSite
from playhead_engine.commands import Command
from playhead_engine.history import History, HistoryEvent
from playhead_engine.messages import part
from playhead_engine.runtime import HandlerKind

Handlers: TypeAlias = dict[tuple[HandlerKind, str], CallSite | None]
"""Where the run method and the handlers begin, by what they handle."""

_BEGUN_BY: Final = ("scheduledEventId", "initiatedEventId", "startedEventId", "acceptedEventId")


def lines_of_events(history: History, met: Mapping[int, Command], handlers: Handlers) -> dict[int, CallSite]:
    """The line of each event that has one, by the event's id.

    Args:
        history: The history.
        met: The command that each command event met.
        handlers: Where the run method and the handlers begin.
    """
    lines: dict[int, CallSite] = {}
    before: HistoryEvent | None = None
    for event in history.events:
        site = _line(event, before, lines, met, handlers)
        if site is not None:
            lines[event.event_id] = site
        before = event
    return lines


def _line(
    event: HistoryEvent,
    before: HistoryEvent | None,
    lines: Mapping[int, CallSite],
    met: Mapping[int, Command],
    handlers: Handlers,
) -> CallSite | None:
    kind = event.KIND
    if kind.startswith("WORKFLOW_TASK_"):
        return None
    command = met.get(event.event_id)
    if command is not None:
        return getattr(command, "site", None)
    told = told_to(event)
    if told is not None:
        return handlers.get(told)
    for name in _BEGUN_BY:
        begun = event.attributes.get(name)
        if begun is not None and int(begun) in lines:
            return lines[int(begun)]
    if kind == "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES" and before is not None:
        # Core lists the patches of a run in a search attribute, right after the marker of each.
        return lines.get(before.event_id)
    return None


def told_to(event: HistoryEvent) -> tuple[HandlerKind, str] | None:
    """What handles an event that the outside caused: the run method, a signal or an update; None for other events."""
    if event.KIND == "WORKFLOW_EXECUTION_STARTED":
        return "run", ""
    if event.KIND == "WORKFLOW_EXECUTION_SIGNALED":
        return "signal", str(event.attributes.get("signalName", ""))
    if event.KIND == "WORKFLOW_EXECUTION_UPDATE_ADMITTED":
        return "update", str(part(part(event.attributes, "request"), "input").get("name", ""))
    return None
