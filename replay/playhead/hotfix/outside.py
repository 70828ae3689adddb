"""What came from outside after the mark comes again: signals, updates and requests to cancel, each at its time.

They were nobody's answer to anything the code did, so they do not depend on the code. The event at the mark itself does
not come again, whatever it was: that is what a mark is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from playhead_engine import Engine
from playhead_engine.activation import payload_list
from playhead_engine.convert import datetime_ns
from playhead_engine.engine.handles import WorkflowHandle, WorkflowUpdateStage
from playhead_engine.engine.wire import Wire
from playhead_engine.history import History, HistoryEvent
from playhead_engine.history import events as kinds
from playhead_engine.messages import part

_MESSAGES: Final = (
    kinds.WorkflowExecutionSignaled,
    kinds.WorkflowExecutionCancelRequested,
    kinds.WorkflowExecutionUpdateAdmitted,
    kinds.WorkflowExecutionUpdateAccepted,
)


def messages(history: History, kept: int, replaced: int | None) -> Iterator[HistoryEvent]:
    """The events of a recording that tell of something from outside, after the mark.

    Args:
        history: The recording.
        kept: How many of its events stay.
        replaced: Id of the event at the mark, if one was named.
    """
    for event in history.events[kept:]:
        if isinstance(event, _MESSAGES) and event.event_id != replaced and not _was_admitted(event):
            yield event


def _was_admitted(event: HistoryEvent) -> bool:
    """Whether it accepts an update of which an earlier event tells already."""
    return isinstance(event, kinds.WorkflowExecutionUpdateAccepted) and not event.attributes.get("acceptedRequest")


async def deliver(event: HistoryEvent, engine: Engine, handle: WorkflowHandle[Any, Any], wire: Wire) -> None:
    """Wait until the time of a message has come, and send it.

    Args:
        event: Tells of the message.
        engine: Where the run is.
        handle: The run.
        wire: Takes payloads as histories hold them.
    """
    wait_ns = event.time_ns - datetime_ns(engine.now())
    if wait_ns > 0:
        await engine.sleep(timedelta(microseconds=wait_ns / 1000))
    else:
        await asyncio.sleep(0)
    attributes = event.attributes
    match event:
        case kinds.WorkflowExecutionSignaled():
            args = wire.raw_values(payload_list(attributes.get("input")))
            await handle.signal(str(attributes.get("signalName", "")), args=args)
        case kinds.WorkflowExecutionUpdateAccepted() | kinds.WorkflowExecutionUpdateAdmitted():
            request = part(attributes, "acceptedRequest") or part(attributes, "request")
            asked = part(request, "input")
            await handle.start_update(
                str(asked.get("name", "")),
                args=wire.raw_values(payload_list(asked.get("args"))),
                id=str(part(request, "meta").get("updateId") or attributes.get("protocolInstanceId", "")),
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            )
        case _:
            await handle.cancel()
