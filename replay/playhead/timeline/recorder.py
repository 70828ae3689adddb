"""Makes a recording: goes through a history once and notes what the run looks like after each workflow task.

What it costs is bounded, whatever the run is like: capturing variables may take no more time than the replay itself,
but for a moment at the beginning. While it has taken more, frames are noted without them, and a state there is captured
from a rerun when somebody asks for it. Small runs never come to that; in a run that holds a lot, every so many frames
are captured, and always the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import thread_time
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from playhead.passage import Passage, collector_spared
from playhead.timeline.asking import Answer, ask
from playhead.timeline.capture import RECORDED, SPARING, Capture, Limits
from playhead.timeline.frame import Frame, Tracks
from playhead.timeline.rerun import Told, kinds_asked
from playhead.timeline.snapshot import differences, look
from playhead.timeline.sources import Handlers, told_to
from playhead_engine.call_site import CallSite, noting_callers, noting_origins
from playhead_engine.commands import Command
from playhead_engine.history import History, HistoryEvent
from playhead_engine.runtime import Inspectable, TaskCompleted, TaskFailed, inspectable

if TYPE_CHECKING:
    from playhead_engine.activation import Activation

_LONG_RUN: Final = 10_000
"""Events of a run whose variables are captured sparingly."""
_HEAD_START_SECONDS: Final = 0.01
_SHARE: Final = 0.8
"""Of the time that the replay takes, for capturing."""
MOST_WORK: Final = 3_000_000
"""Values that are looked at in all, which bounds what the tracks can hold."""


class Recorder:
    """Records one passage.

    Attributes:
        frames: One for each workflow task.
        told: All that the code was told.
        tracks: What the frames share.
        met: The command that each command event met, by the id of the event.
        handlers: Where the run method and the handlers of signals and updates begin.
    """

    def __init__(self, passage: Passage, queries: Sequence[str] = ()) -> None:
        """
        Args:
            passage: At its beginning.
            queries: To be answered after every workflow task.
        """
        self.frames: list[Frame] = []
        self.told: list[Told] = []
        self.tracks = Tracks(limits_for(passage.history))
        self.met: dict[int, Command] = {}
        self.handlers: Handlers = {}
        self._passage = passage
        self._instance = inspectable(passage.instance)
        self._queries = queries
        self._seconds_left = _HEAD_START_SECONDS

    def record(self) -> None:
        """Go to the end of the history, or to what keeps it from being reached."""
        passage = self._passage
        passage.machines.on_met(self._note_met)
        with noting_callers(), noting_origins(), collector_spared():
            begun = thread_time()
            while passage.advance():
                self._seconds_left += (thread_time() - begun) * _SHARE
                self._note()
                begun = thread_time()
            if self._instance is not None and self.frames and not self.frames[-1].is_captured:
                self._capture_frame(self.frames[-1], self._instance)
        if self._instance is not None:
            self._find_handlers(self._instance)

    @property
    def left_it_over(self) -> bool:
        """Whether nothing is suspended in the run and nobody has asked it anything: as if it had not been recorded."""
        return self._instance is not None and not self._queries and not self._instance.coroutines()

    def _find_handlers(self, instance: Inspectable) -> None:
        self.handlers = {("run", ""): _begin_of(instance.handler("run", ""))}
        for event in self._passage.history.events:
            told = told_to(event)
            if told is not None and told not in self.handlers:
                self.handlers[told] = _begin_of(instance.handler(*told))

    def _note_met(self, event: HistoryEvent, command: Command) -> None:
        self.met[event.event_id] = command

    def _note(self) -> None:
        passage = self._passage
        activation, completion = passage.activation, passage.completion
        assert activation is not None
        self.told.append(Told(passage.task, activation, kinds_asked(completion)))
        frame = self._frame(activation)
        if isinstance(completion, TaskCompleted):
            frame.commands += completion.commands
        elif isinstance(completion, TaskFailed):
            frame.error = completion.error
        instance = self._instance
        if instance is None:
            return
        if self._queries and isinstance(completion, TaskCompleted):
            for name in self._queries:
                self.tracks.note_answer(frame.task, name, self._answer(instance, name))
        if frame.error is not None or (self._seconds_left > 0 and self.tracks.capture.work < MOST_WORK):
            begun = thread_time()
            self._capture_frame(frame, instance)
            self._seconds_left -= thread_time() - begun
        else:
            frame.is_captured = False

    def _frame(self, activation: Activation) -> Frame:
        """The frame of the workflow task that this activation belongs to."""
        frames = self.frames
        if self._passage.task == len(frames):
            return frames[-1]
        first_event = frames[-1].last_event + 1 if frames else 1
        frame = Frame(len(frames) + 1, first_event, activation.history_length, activation.timestamp_ns)
        frames.append(frame)
        return frame

    def _capture_frame(self, frame: Frame, instance: Inspectable) -> None:
        frame.is_captured = True
        self.tracks.note(frame.task, instance, self._passage.completion)

    def _answer(self, instance: Inspectable, name: str) -> Answer:
        before = look(instance, None, Capture())
        answer = ask(self._passage, name, ())
        changed = [str(one) for one in differences(before, look(instance, None, Capture()))]
        return replace(answer, changed=(*answer.changed, *changed)) if changed else answer


def limits_for(history: History) -> Limits:
    """How much of each variable is kept: the same throughout a run, so that its states can be compared."""
    return RECORDED if len(history) <= _LONG_RUN else SPARING


def _begin_of(function: Callable[..., Any] | None) -> CallSite | None:
    code = getattr(function, "__code__", None)
    return CallSite(code, 0) if isinstance(code, CodeType) else None
