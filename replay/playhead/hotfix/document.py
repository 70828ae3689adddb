"""A future as a JSON document, for machines; `hotfix.schema.json` describes it."""

from __future__ import annotations

from typing import Any, assert_never

from playhead.hotfix.future import AwaitsAnswer, Ended, Ending, Future, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.rendering import as_json
from playhead.values import failure_text, plain
from playhead_engine.history import HistoryEvent


def future_document(name: str, future: Future) -> dict[str, Any]:
    """Everything there is to say of a future, but the history, which `--export` writes.

    Args:
        name: How to call the history.
        future: What the code would do.
    """
    history = future.recorded
    return {
        "history": name,
        "workflow_type": history.workflow_type,
        "workflow_id": future.history.id,
        "run_id": history.run_id,
        "from_event": future.kept + 1,
        "ending": _ending(name, future),
        "events": [_event(event, future) for event in future.events],
        "answers": [
            {
                "name": one.name,
                "workflow_id": one.workflow_id,
                "activity_id": one.activity_id or None,
                "from": one.source,
            }
            for one in future.given
        ],
        "notes": list(future.notes),
    }


def _event(event: HistoryEvent, future: Future) -> dict[str, Any]:
    site = future.sites.get(event.event_id)
    return {
        "event_id": event.event_id,
        "time": event.canonical.get("eventTime"),
        "type": event.type_name,
        "attributes": plain(event.attributes),
        "file": site.file if site is not None else None,
        "line": site.line if site is not None else None,
        "answered_from": future.source_of(event) or None if site is not None else None,
    }


def _ending(name: str, future: Future) -> dict[str, Any]:
    ending: Ending = future.ending
    match ending:
        case Ended(event):
            results = plain(event.attributes.get("result")) or []
            failure = event.attributes.get("failure")
            return {
                "kind": "ended",
                "status": event.type_name.removeprefix("WorkflowExecution"),
                "event_id": event.event_id,
                "result": results[0] if results else None,
                "failure": failure_text(failure) if failure else None,
            }
        case AwaitsAnswer(questions):
            asked = [
                {
                    "kind": one.kind,
                    "name": one.name,
                    "args": list(one.args),
                    "workflow_id": one.workflow_id,
                    "activity_id": one.activity_id or None,
                }
                for one in questions
            ]
            return {"kind": "awaits answer", "questions": asked}
        case Waits(waits_for):
            return {"kind": "waits", "waits_for": list(waits_for)}
        case Stuck(problem, place):
            return {"kind": "stuck", "problem": problem, "place": place}
        case Stopped(reason):
            return {"kind": "stopped", "reason": reason}
        case LooksInside(verdict):
            return {"kind": "needs value", "verdict": as_json(name, future.history, verdict)}
        case Refused(verdict):
            return {"kind": "refused", "verdict": as_json(name, future.history, verdict)}
        case _:
            assert_never(ending)
