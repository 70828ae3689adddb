"""What the commands that look into a past run share: the code, the history, and recording one with the other."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playhead.cli.judges import replayer_of
from playhead.cli.project import project_of, reader_of
from playhead.loading import CodeNames, CodeNotLoaded
from playhead.passage import Passage
from playhead.readers import UnreadableHistory, read_history
from playhead.timeline.recording import Recording
from playhead.verdict import ReplayFailed
from playhead_engine.guards import NondeterministicCall


class NotRecorded(Exception):
    """There is no code or no history, or they do not belong together; the text says what is wrong."""


def record(arguments: argparse.Namespace, histories: Sequence[str]) -> tuple[str, Recording]:
    """Record the replay of a history.

    Args:
        arguments: Of the command.
        histories: What the user named; if nothing, what the project names. It must be one.

    Returns:
        The name of the history, and the recording.

    Raises:
        NotRecorded: There is nothing to record.
    """
    with _in_words():
        project = project_of(arguments)
        names = list(histories) or [str(path) for path in project.history_paths()]
        if len(names) != 1:
            raise NotRecorded(f"name one history: there are {len(names)}")
        history = reader_of(project, arguments)(names[0])
        replayer = replayer_of(project.code, project.runtime, project.profile)
        known_as = arguments.workflow_id or history.id or Path(names[0]).stem
        return names[0], replayer.record(history, workflow_id=known_as)


def passages(
    code: CodeNames, runtime: str, profile: str | None, history: str, workflow_id: str | None
) -> Callable[[], Passage]:
    """What makes passages through a history.

    Args:
        code: Where the code is.
        runtime: What is to drive it.
        profile: The release whose rules apply.
        history: Path of the history.
        workflow_id: The id to replay under, if the user gave one.

    Raises:
        NotRecorded: There is nothing to pass through.
    """
    with _in_words():
        begin = replayer_of(code, runtime, profile).passages(read_history(history), history, workflow_id)
        begin().close()
    return begin


@contextmanager
def _in_words() -> Generator[None]:
    # What keeps workflow code from going on is told in the report, in words.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        # What the user's code prints is no part of a report.
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (
        CodeNotLoaded,
        NondeterministicCall,
        OSError,
        RuntimeError,
        ValueError,
        UnreadableHistory,
        ReplayFailed,
    ) as error:
        raise NotRecorded(str(error)) from error
