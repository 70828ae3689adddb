"""Opens a run: reads the history, loads the code, and records a replay of it. Each of these takes time.

Whatever goes wrong comes out as one sentence: `CannotOpen`.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

from playhead.codec_endpoint import CodecEndpoint, CodecUnavailable
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.hotfix.future import Future
from playhead.loading import CodeNotLoaded
from playhead.passage import Passage
from playhead.readers import UnreadableHistory
from playhead.replayer import Replayer
from playhead.timeline.asking import NotAnswered
from playhead.timeline.recording import Recording
from playhead.verdict import ReplayFailed, Verdict
from playhead_engine.engine.wire import Wire
from playhead_engine.guards import NondeterministicCall
from playhead_engine.history import History
from playhead_engine.record import record
from playhead_engine.stores import StoreError
from playhead_tui.model.code import Code
from playhead_tui.model.futures import unfold
from playhead_tui.model.groups import Groups
from playhead_tui.model.run import Run
from playhead_tui.model.shelf import Item
from playhead_tui.model.what_if import BadQuestion, WhatIf


class CannotOpen(Exception):
    """The history or the code cannot be used; the text says why."""


@record
class Target:
    """What is to be debugged.

    Attributes:
        item: The history.
        code: The code; if none is named, the history alone is looked at.
        workflow_id: The id to replay under, where the history does not hold it.
        endpoint: The server that decodes values; None if none is to be asked.
    """

    item: Item
    code: Code
    workflow_id: str | None = None
    endpoint: CodecEndpoint | None = None


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


def read(target: Target) -> Run:
    """Read the history, and see what belongs together in it, and what went on when.

    Raises:
        CannotOpen: It is none, or there is nothing in it.
    """
    with in_words():
        history = target.item.read()
        if not history.events:
            raise CannotOpen(f"{target.item.name} holds no events")
        groups = Groups(history if target.endpoint is None else target.endpoint.decoded(history))
        run = Run(target.item.name, groups)
        assert run.course is not None  # worked out here, where nobody waits for it
        return run


def load(target: Target) -> Replayer:
    """Load the code as it is now.

    Raises:
        CannotOpen: It cannot be loaded.
    """
    return load_code(target.code)


def load_code(code: Code) -> Replayer:
    """The same of any code.

    Raises:
        CannotOpen: It cannot be loaded.
    """
    with in_words():
        return code.load()


def code_for(target: Target, question: WhatIf) -> Code:
    """The code that goes on when something is otherwise."""
    project = target.code.project
    if not question.workflows:
        return target.code
    return Code(replace(project, code=replace(project.code, workflows=question.workflows)))


def unfolded(target: Target, history: History, replayer: Replayer | None, question: WhatIf) -> Future:
    """What would come of it if something were otherwise.

    Raises:
        BadQuestion: It cannot be.
        CannotOpen: There is no code that could go on, or it cannot be loaded.
    """
    if question.workflows:
        replayer = load_code(code_for(target, question))
    if replayer is None:
        raise CannotOpen("Without code nothing can go on: name it with --workflows.")
    with in_words(BadQuestion):
        return unfold(question, history, replayer, target.workflow_id or history.id or target.item.name)


def recorded(target: Target, history: History, replayer: Replayer, progress: Progress) -> Recording:
    """Replay a history, and record it.

    Raises:
        CannotOpen: There is no code for it, or no server writes such a history.
    """
    with in_words():
        begin = replayer.passages(history, target.item.name, target.workflow_id)
        return Recording(history, progress.watch(begin, len(history)))


def wire(history: History, replayer: Replayer) -> Wire | None:
    """What reads the values of a history: the user's converter and codec."""
    code = replayer.code_for(history)
    return code.wire if code is not None else None


def verdict(target: Target, history: History, replayer: Replayer) -> Verdict:
    """What the replay of a history comes to.

    Raises:
        CannotOpen: Something in the code cannot be replayed at all.
    """
    with in_words():
        return replayer.replay(history, workflow_id=target.workflow_id or history.id or target.item.name)


def diagnosed(target: Target, history: History, replayer: Replayer, verdict: Verdict) -> Diagnosis:
    """How history and code differ.

    Raises:
        CannotOpen: Something in the code keeps it from being found out.
    """
    with in_words():
        workflow_id = target.workflow_id or history.id or target.item.name
        return replayer.diagnose(history, workflow_id=workflow_id, verdict=verdict)


def fixed(history: History, replayer: Replayer, diagnosis: Diagnosis) -> Fix:
    """What would let the run go on.

    Raises:
        CannotOpen: Something in the code keeps it from being tried.
    """
    with in_words():
        return replayer.fix(diagnosis, history)


@contextmanager
def in_words(*passed: type[Exception]) -> Generator[None]:
    """Let what goes wrong with the user's code or files come out as `CannotOpen`.

    Args:
        passed: What comes out as it is.
    """
    # What keeps workflow code from going on is shown, in words, and what it prints is no part of the debugger.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (CannotOpen, *passed):
        raise
    except ReplayFailed as error:
        raise CannotOpen(getattr(error.verdict, "reason", str(error))) from error
    except (
        CodecUnavailable,
        CodeNotLoaded,
        NondeterministicCall,
        NotAnswered,
        OSError,
        RuntimeError,
        StoreError,
        UnreadableHistory,
        ValueError,
    ) as error:
        raise CannotOpen(str(error)) from error
