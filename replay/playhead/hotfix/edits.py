"""Edits: what is to happen at a mark instead of what did.

Each is written as the server would have written it, at the time of the mark; the engine takes the run over behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, assert_never

from playhead.hotfix.answers import Fails, Gives
from playhead.hotfix.marks import Mark
from playhead_engine.convert import enum_json
from playhead_engine.engine.wire import Wire
from playhead_engine.exceptions import RetryState
from playhead_engine.history import HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.messages import Payloads
from playhead_engine.record import record
from playhead_engine.server import activities, adoption, requests, tasks
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState

IDENTITY = "playhead"
"""What events say who brought them about that nobody did."""


class CannotEdit(ValueError):
    """What is asked for cannot happen at the mark; the text says what can."""


@record
class EndActivity:
    """An activity that is under way at the mark ends there, for good.

    Attributes:
        activity: Its type.
        answer: How.
        scheduled_id: The event that scheduled it, which tells it from others of its type; None for the first of them.
    """

    activity: str
    answer: Gives | Fails
    scheduled_id: int | None = None


@record
class Signal:
    """A signal comes at the mark.

    Attributes:
        name: Its name.
        args: Its arguments.
    """

    name: str
    args: tuple[Any, ...] = ()


@record
class Cancel:
    """Somebody asks the run to cancel itself at the mark."""


Edit: TypeAlias = EndActivity | Signal | Cancel


def edited(mark: Mark, edits: Sequence[Edit], workflow_id: str, run_id: str, wire: Wire) -> tuple[HistoryEvent, ...]:
    """The history up to the mark, and what the edits add to it.

    Args:
        mark: Where.
        edits: What happens there, in order.
        workflow_id: The workflow id.
        run_id: The run.
        wire: Converts values.

    Raises:
        CannotEdit: One of them cannot happen there.
    """
    if not edits:
        return mark.kept
    now = Moment(mark.time_ns)
    state = adoption.adopt(mark.kept, workflow_id, run_id, now)
    for edit in edits:
        match edit:
            case EndActivity():
                _end_activity(state, edit, wire, now)
            case Signal():
                payloads: Payloads | None = {"payloads": wire.encode_values(edit.args)} if edit.args else None
                requests.signal(state, edit.name, payloads, now, identity=IDENTITY)
            case Cancel():
                requests.request_cancel(state, now, identity=IDENTITY)
            case _:
                assert_never(edit)
    return tuple(state.untold)


def _end_activity(state: RunState, edit: EndActivity, wire: Wire, now: Moment) -> None:
    under_way = (one for one in state.activities.values() if one.type_name == edit.activity)
    pending = next((one for one in under_way if edit.scheduled_id in (None, one.scheduled_event_id)), None)
    if pending is None:
        names = ", ".join(sorted({one.type_name for one in state.activities.values()})) or "none"
        raise CannotEdit(
            f"no activity {edit.activity!r} is under way before event {state.next_event_id}; under way are: {names}. "
            "To answer one that is asked for later, give an answer for it."
        )
    event_id = pending.scheduled_event_id
    match edit.answer:
        case Gives(value):
            activities.complete(state, event_id, {"payloads": [wire.encode_value(value)]}, IDENTITY, now)
        case Fails(error):
            started_id = activities.started(state, pending, IDENTITY, now)
            attributes = {
                "failure": wire.encode_failure(error),
                "scheduledEventId": str(event_id),
                "startedEventId": started_id,
                "identity": IDENTITY,
                "retryState": enum_json(RetryState.NON_RETRYABLE_FAILURE),
            }
            state.append(kinds.ActivityTaskFailed, attributes, now)
            tasks.schedule(state, now)
