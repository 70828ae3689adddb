"""What a `RunWrite` becomes before a store keeps it: checked, and turned into bytes.

Both stores do this first, so both accept and refuse the same, and a refused commit has touched nothing. It must not
know where the bytes go.

Bytes rather than the objects also in memory: keeping the objects of 100,000 events costs three times as much as turning
them into bytes, because the garbage collector visits every one of them again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from playhead_engine.stores import RunWrite, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Change(NamedTuple):
    """One `RunWrite`, accepted. Empty bytes stand for what was not given."""

    run_id: str
    last_event_id: int  # of the run, with this change
    events: bytes  # a JSON array
    summary: bytes  # a JSON object
    pending: bytes  # a JSON object


def accept(writes: Sequence[RunWrite], last_event_id: Callable[[str], int | None], path: str) -> list[Change]:
    """Check writes against what is stored and against each other, and encode them.

    Args:
        writes: What is to be committed, in order.
        last_event_id: Id of the last stored event of a run, 0 if it has none; None for an unknown run.
        path: The store's directory for messages, or an empty string.

    Raises:
        StoreError: One of them can not be accepted.
    """
    changes: list[Change] = []
    newest: dict[str, int] = {}  # last event ids as they are after the writes before
    for write in writes:
        run_id, events, summary, pending = write.run_id, write.events, write.summary, write.pending
        last = newest.get(run_id)
        if last is None:
            last = last_event_id(run_id)
        if last is None:
            _check_new(write, path)
            last = 0
        if events:
            if write.first_event_id != last + 1:
                raise StoreError(
                    path,
                    f"run {run_id}: event {write.first_event_id} can not follow event {last}, the last one stored",
                    "Read the run again: it is not as its writer believes",
                )
            last += len(events)
        newest[run_id] = last
        try:
            change = Change(
                run_id,
                last,
                (write.encoded or orjson.dumps(events)) if events else b"",
                orjson.dumps(summary) if summary is not None else b"",
                orjson.dumps(pending) if pending is not None else b"",
            )
        except TypeError as error:  # orjson.JSONEncodeError is one
            raise StoreError(path, f"run {run_id}: {_culprit(write)} can not be written as JSON: {error}") from error
        changes.append(change)
    return changes


def _check_new(write: RunWrite, path: str) -> None:
    """The first write of a run names it and says what it is."""
    run_id = write.run_id
    # On disk a slash separates the parts of a key. Messages name the run.
    if not run_id or "/" in run_id or not run_id.isprintable():
        raise StoreError(path, f"{run_id!r} can not be a run id", "Use printable text without a slash")
    if write.summary is None:
        raise StoreError(path, f"run {run_id} is new, and was given no summary", "The first write of a run needs one")


def _culprit(write: RunWrite) -> str:
    """Which part of a write is not JSON; if the others are, the pending record."""
    parts = [(f"event {write.first_event_id + index}", event) for index, event in enumerate(write.events)]
    if write.summary is not None:
        parts.append(("the summary", write.summary))
    for name, part in parts:
        try:
            orjson.dumps(part)
        except TypeError:
            return name
    return "the pending record"
