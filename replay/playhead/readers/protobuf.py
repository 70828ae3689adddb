"""Binary histories: Temporal's protobuf, by way of the classes in `temporalio`, if they are there."""

from __future__ import annotations

import re
from typing import Any

from playhead.readers.refusal import UnreadableHistory

# A History begins with its first event (field 1, any length), and that with its event id (field 1, a number).
_BEGINNING = re.compile(rb"\n[\x80-\xff]{0,4}[\x00-\x7f]\x08")

# Durable Task's chunks begin alike, but the number of their first event is always -1.
_DURABLE_TASK = re.compile(_BEGINNING.pattern + rb"\xff{9}\x01")


def looks_binary(data: bytes) -> bool:
    """Whether bytes begin as a History message does. JSON does not: no control character may follow its first blank."""
    return _BEGINNING.match(data) is not None


def parse_binary(data: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A History message as the JSON document that Temporal's tools would have written, and remarks about it.

    Raises:
        UnreadableHistory: It is damaged, or `temporalio` is not installed.
    """
    try:
        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError
        from temporalio.api.history.v1 import History
    except ImportError:
        raise UnreadableHistory(
            "this is a binary history, and reading one needs the package `temporalio`",
            "Install it with `pip install 'playhead[temporal]'`, or download the history as JSON",
        ) from None
    history = History()
    if _DURABLE_TASK.match(data):
        raise UnreadableHistory("this is a Durable Task history, not a Temporal history")
    try:
        history.ParseFromString(data)
    except DecodeError:
        raise UnreadableHistory("this is a binary history, but damaged or cut short", "Download it again") from None
    if not any(event.event_type or event.WhichOneof("attributes") for event in history.events):
        raise UnreadableHistory("this is protobuf, but not a Temporal history")
    try:
        document = MessageToDict(history)
    except (ValueError, RecursionError) as error:
        raise UnreadableHistory(f"this binary history cannot be written as JSON: {error}") from None
    size = history.ByteSize()
    history.DiscardUnknownFields()
    if history.ByteSize() == size:
        return document, ()
    return document, ("it holds fields that the installed temporalio does not know yet; they are not shown",)
