"""Opens a run: reads the history, loads the code, and records a replay of it. Each of these takes time.

Whatever goes wrong comes out as one sentence: `CannotOpen`.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from playhead.cli.judges import replayer_of
from playhead.codec_endpoint import CodecEndpoint, CodecUnavailable
from playhead.configuration import Configuration
from playhead.loading import CodeNotLoaded
from playhead.passage import Passage
from playhead.readers import UnreadableHistory, read_history
from playhead.replayer import Replayer
from playhead.timeline.asking import NotAnswered
from playhead.timeline.recording import Recording
from playhead.verdict import ReplayFailed
from playhead_engine.guards import NondeterministicCall
from playhead_engine.history import History
from playhead_engine.record import record


class CannotOpen(Exception):
    """The history or the code cannot be used; the text says why."""


@record
class Target:
    """What is to be debugged.

    Attributes:
        path: The history file.
        project: The code, and how it is to be run; without workflows, the history alone is looked at.
        workflow_id: The id to replay under, where the history does not hold it.
        endpoint: The server that decodes values; None if none is to be asked.
    """

    path: Path
    project: Configuration
    workflow_id: str | None = None
    endpoint: CodecEndpoint | None = None

    @property
    def has_code(self) -> bool:
        """Whether there is code to replay with."""
        return bool(self.project.code.workflows) or self.project.code.worker is not None


class Progress:
    """How far a replay has come, for whoever looks at it from another thread."""

    def __init__(self) -> None:
        self._passage: Passage | None = None
        self._events = 0

    def watch(self, begin: Callable[[], Passage], events: int) -> Callable[[], Passage]:
        """What makes passages, so that the last one that was made is looked at."""
        self._events = events

        def begun() -> Passage:
            self._passage = begin()
            return self._passage

        return begun

    @property
    def part(self) -> float:
        """Between 0 and 1."""
        passage = self._passage
        return min(1.0, passage.machines.last_event_id / self._events) if passage is not None and self._events else 0.0


def read(target: Target) -> History:
    """Read the history.

    Raises:
        CannotOpen: It is none.
    """
    with _in_words():
        history = read_history(target.path)
        return history if target.endpoint is None else target.endpoint.decoded(history)


def replayer(target: Target) -> Replayer:
    """Load the code.

    Raises:
        CannotOpen: It cannot be loaded.
    """
    with _in_words():
        project = target.project
        return replayer_of(project.code, project.runtime, project.profile)


def recording(target: Target, history: History, replayer: Replayer, progress: Progress) -> Recording:
    """Replay a history, and record it.

    Raises:
        CannotOpen: There is no code for it, or no server writes such a history.
    """
    with _in_words():
        begin = replayer.passages(history, str(target.path), target.workflow_id)
        return Recording(history, progress.watch(begin, len(history)))


@contextmanager
def _in_words() -> Generator[None]:
    # What keeps workflow code from going on is shown, in words, and what it prints is no part of the debugger.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ReplayFailed as error:
        raise CannotOpen(getattr(error.verdict, "reason", str(error))) from error
    except (
        CodecUnavailable,
        CodeNotLoaded,
        NondeterministicCall,
        NotAnswered,
        OSError,
        RuntimeError,
        UnreadableHistory,
        ValueError,
    ) as error:
        raise CannotOpen(str(error)) from error
