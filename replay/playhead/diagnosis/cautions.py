"""What a replay does not mind, and what users regret: other arguments, other timeouts, another result.

Temporal compares ids and types and nothing else, so none of this breaks a run. It is said apart from what does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from playhead.diagnosis.alignment import Alignment, Change, Row
from playhead.divergence import same_value
from playhead.values import plain, short
from playhead.verdict import ReplayWarning

if TYPE_CHECKING:
    from playhead_engine.engine.wire import Wire

# Fields worth a word, and what to call them. The rest differs without anybody having changed anything.
_WORDS: Final = {
    "input": "the arguments",
    "scheduleToCloseTimeout": "the schedule-to-close timeout",
    "scheduleToStartTimeout": "the schedule-to-start timeout",
    "startToCloseTimeout": "the start-to-close timeout",
    "heartbeatTimeout": "the heartbeat timeout",
    "startToFireTimeout": "its length",
    "workflowExecutionTimeout": "the execution timeout",
    "workflowRunTimeout": "the run timeout",
    "workflowTaskTimeout": "the task timeout",
    "retryPolicy": "the retry policy",
    "taskQueue": "the task queue",
    "signalName": "the signal",
    "workflowExecution": "whom it is sent to",
    "activityType": "the type",
    "activityId": "the activity id",
    "workflowType": "the workflow type",
    "workflowId": "the workflow id",
    "result": "the result",
    "failure": "the failure",
    "searchAttributes": "the search attributes",
    "upsertedMemo": "the memo",
    "parentClosePolicy": "the parent close policy",
    "endpoint": "the endpoint",
}


def cautions(alignment: Alignment, wire: Wire) -> tuple[ReplayWarning, ...]:
    """A warning for each step that both sides have and that is not the same in what a replay does not compare.

    Args:
        alignment: Both sides.
        wire: Applies the codec: what is encrypted is compared as what it means.
    """
    found: list[ReplayWarning] = []
    is_behind = False
    for row in alignment.rows:
        if row.fields:
            found += _of_row(row, is_behind, wire)
        is_behind = is_behind or row.change is not None
    return tuple(found)


def _of_row(row: Row, is_behind: bool, wire: Wire) -> Iterator[ReplayWarning]:
    if row.recorded is None or row.now is None or row.change not in (None, Change.REORDERED):
        return
    try:
        one, other = (wire.decoded_attributes(step.side.fields) for step in (row.recorded, row.now))
    except Exception:  # noqa: BLE001 - the key of an old value may be gone; what cannot be read cannot be compared
        return
    for field in row.fields:
        if field not in _WORDS:
            continue
        if field == "workflowExecution" and row.recorded.id == row.now.id:
            continue  # the server has added the run id
        if plain(one.get(field)) == plain(other.get(field)):
            continue  # written differently, and the same: other spacing in its JSON, or another stack trace
        before, now = _shown(one.get(field), other.get(field))
        rests = " It may follow from the differences before it." if is_behind and field in ("input", "result") else ""
        verb = "were" if _WORDS[field].endswith("s") else "was"
        yield ReplayWarning(
            f"{row.recorded.described()}: {_WORDS[field]} {verb} {before}, now {now}.{rests}",
            row.event_id or 0,
            row.site,
        )


def _shown(recorded: Any, now: Any) -> tuple[str, str]:
    """Both values, short; of objects only what differs."""
    if isinstance(recorded, dict) and isinstance(now, dict) and "payloads" not in recorded:
        names = [name for name in {**recorded, **now} if not same_value(recorded.get(name), now.get(name))]
        if names and len(names) < len({**recorded, **now}):
            recorded, now = ({name: side.get(name) for name in names} for side in (recorded, now))
    return short(recorded, 60), short(now, 60)
