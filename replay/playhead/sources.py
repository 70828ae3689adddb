"""What users hand in as a history, and how it is called.

Everything that takes a history takes it in all of these forms, by way of this module.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, TypeAlias

from playhead.readers import read_history
from playhead_engine.history import History


class TemporalHistory(Protocol):
    """A history as `temporalio.client` fetches it: `WorkflowHistory`."""

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""
        ...

    def to_json(self) -> str:
        """Temporal's JSON of the events."""
        ...


Source: TypeAlias = History | TemporalHistory | bytes | str | os.PathLike[str]
"""A history, ours or `temporalio.client.WorkflowHistory`; its bytes; or the path of its file."""


def history_of(source: Source) -> History:
    """The history that somebody means.

    Raises:
        UnreadableHistory: It is no history; the message says what it is instead.
    """
    if isinstance(source, History):
        return source
    if isinstance(source, bytes | str | os.PathLike):
        return read_history(source)
    read = read_history(source.to_json().encode())
    return History(read.events, source.workflow_id, read.document, read.problems, read.remarks)


def name_of(source: Source, history: History) -> str:
    """How to call it: the file as it was given, or an id."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return history.id or history.run_id or "history"


def workflow_id_of(source: Source, history: History, named: str | None = None) -> str:
    """The id to replay under: the one that is named, the one that the history holds, or the name of its file."""
    return named or history.id or Path(name_of(source, history)).stem
