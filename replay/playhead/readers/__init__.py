"""Readers: from a file that somebody downloaded to a `History`."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from playhead.readers.document import parse
from playhead.readers.foreign import foreign_bytes
from playhead.readers.protobuf import looks_binary, parse_binary
from playhead.readers.refusal import UnreadableHistory
from playhead.readers.source import DEFAULT_LIMIT, read_file, unpack
from playhead.readers.temporal import read_document
from playhead_engine.history import History

__all__ = ["DEFAULT_LIMIT", "UnreadableHistory", "read_history"]


def read_history(
    source: str | os.PathLike[str] | bytes, *, replayable: bool = False, limit: int = DEFAULT_LIMIT
) -> History:
    """Read a history in any of the forms that Temporal's tools write.

    JSON by `temporal workflow show`, the web interface, `tctl`, an SDK or the HTTP API, in UTF-8 or UTF-16, packed with
    gzip or not; binary protobuf if `temporalio` is installed.

    Args:
        source: The path of a file, or what is in it.
        replayable: Whether to refuse a history that can be shown but not replayed; see `History.problems`.
        limit: How many bytes to read, and to unpack, at most.

    Raises:
        UnreadableHistory: It is no history. Nothing else is raised, whatever the file holds.
    """
    try:
        with _collector_paused():
            data = source if isinstance(source, bytes) else read_file(source, limit)
            history = _read(data, limit)
        if replayable and history.problems:
            raise UnreadableHistory(history.problems[0])
    except UnreadableHistory as refusal:
        path = "" if isinstance(source, bytes) else os.fspath(source)
        raise UnreadableHistory(refusal.problem, refusal.advice, refusal.offset, path) from None
    return history


def _read(data: bytes, limit: int) -> History:
    unpacked = unpack(data, limit)
    if looks_binary(unpacked.data):
        document, remarks = parse_binary(unpacked.data)
        history = read_document(document)
        return replace(history, remarks=history.remarks + remarks)
    refusal = foreign_bytes(unpacked.data)
    if refusal is not None:
        raise refusal
    try:
        return read_document(parse(unpacked))
    except RecursionError:  # failures in failures in failures, within what JSON allows
        raise UnreadableHistory("it is nested too deep") from None


@contextmanager
def _collector_paused() -> Generator[None, None, None]:
    """A history is hundreds of thousands of objects and no garbage: looking for some doubles the time of loading it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_freeze_count() == 0:
                # Otherwise the next collection of the youngest objects would go through all of these. Freezing and
                # unfreezing makes them old ones at once, without looking at any.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
