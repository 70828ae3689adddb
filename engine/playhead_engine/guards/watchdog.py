"""Stops workflow code that does not hand control back.

One daemon thread for the whole process looks a few times a second at the activations under way. It is started by the
first one and rests while there are none, so that an activation pays for two dictionary operations. An activation that
lasts too long has an exception raised into its thread, again and again while it goes on, since the code may catch it. A
stop asked for in the very moment in which the activation ends must not hit the code that runs on that thread next; how
that is made sure is said at `Watchdog.run` and `_stop`.

What cannot be stopped: a call into C that does not come back (waiting for a lock, for a socket, one endless regular
expression). The interpreter raises the exception when that call returns, and not before. The watchdog says so in the
log.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from playhead_engine.guards.origin import Origin, origin_of, position

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

T = TypeVar("T")

_logger = logging.getLogger(__name__)

tick_seconds = 0.1
"""How often the watchdog looks."""

_RESTS_AFTER_TICKS = 50
# The last is our own: a passage that is traced line by line takes many times as long.
_DEBUGGER_FILES = ("/pdb.py", "/bdb.py", "/pydevd.py", "/playhead/timeline/tracing.py")


class WorkflowDeadlock(RuntimeError):
    """A workflow did not hand control back in time, and was stopped.

    It fails the workflow task, not the workflow.

    Attributes:
        workflow: The workflow, as named to `Watchdog.run`.
        file: File of the workflow code that was running, as the interpreter knows it.
        line: Line in that file, counted from 1.
        limit_seconds: How long an activation may last, in seconds.
    """

    def __init__(self, workflow: str, file: str, line: int, limit_seconds: float) -> None:
        super().__init__(workflow, file, line, limit_seconds)
        self.workflow = workflow
        self.file = file
        self.line = line
        self.limit_seconds = limit_seconds

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: workflow {self.workflow} ran for {self.limit_seconds:g} s without handing "
            "control back; await something in the loop, or move the work to an activity"
        )


class _Stop(KeyboardInterrupt):
    """What is raised into the stuck thread. A KeyboardInterrupt, since asyncio lets those through at once, where it
    would keep another exception as the result of one task and go on with the others; and `except Exception` does not
    catch it.
    """


class _Turn:
    """One activation under way."""

    __slots__ = ("claimed", "limit_seconds", "reported", "seen_at", "ticks", "workflow")

    def __init__(self, workflow: str, limit_seconds: float) -> None:
        self.workflow = workflow
        self.limit_seconds = limit_seconds
        self.claimed = False  # by the watchdog: it asks, or is about to ask, for the stop
        self.ticks = 0
        self.reported = False
        self.seen_at: tuple[str, int] = ("", 0)

    def deadlock(self) -> WorkflowDeadlock:
        return WorkflowDeadlock(self.workflow, *self.seen_at, self.limit_seconds)


class Watchdog:
    """Gives each activation a limit of time.

    The limit is counted in looks of the watchdog and not by a clock, so that a machine that was suspended, or a process
    that was stopped, is not taken for a workflow that hangs. A debugger stops the count.
    """

    def __init__(self, limit_seconds: float | None = 2.0) -> None:
        """
        Args:
            limit_seconds: How long an activation may last, in seconds, to about a tenth of a second; None for as long
                as it likes.
        """
        self._limit_seconds = limit_seconds

    def run(self, workflow: str, step: Callable[[], T]) -> T:
        """Let a workflow run until everything in it waits.

        Args:
            workflow: How to name it in errors: its type and id.
            step: Runs the workflow's code; on this thread.

        Returns:
            What `step` returns.

        Raises:
            WorkflowDeadlock: It took longer than the limit, whatever `step` made of being interrupted.
        """
        if self._limit_seconds is None:
            return step()
        thread = threading.get_ident()
        turn = _Turn(workflow, self._limit_seconds)
        try:
            try:
                _turns[thread] = turn
                if _patrol.resting:
                    _patrol.wake()
                return step()
            finally:
                # Either the watchdog finds the turn gone, and raises nothing, or its claim is seen here. No exception
                # can come between `finally` and the end of `pop`; if one comes after that, it is the last one.
                _turns.pop(thread, None)
                if turn.claimed:
                    _take_last_stop(thread)
                    raise turn.deadlock()
        except _Stop as stop:
            raise turn.deadlock() from stop


_turns: dict[int, _Turn] = {}
"""The activation under way on each thread, by the thread's id."""


class _Patrol:
    """The thread that looks."""

    def __init__(self) -> None:
        self.resting = True
        self._started = False
        self._wanted = threading.Event()
        self._starting = threading.Lock()

    def wake(self) -> None:
        with self._starting:
            self.resting = False
            self._wanted.set()
            if not self._started:
                self._started = True
                threading.Thread(target=self._walk, name="playhead-watchdog", daemon=True).start()

    def _walk(self) -> None:
        idle = 0
        pause = threading.Event()  # and not `time.sleep`, which tests replace by something that does not wait
        while True:
            pause.wait(tick_seconds)
            idle = 0 if _turns else idle + 1
            for thread, turn in list(_turns.items()):
                _look(thread, turn)
            if idle >= _RESTS_AFTER_TICKS:
                self._wanted.clear()
                self.resting = True
                # A turn that began before it could see that has woken nobody.
                if not _turns:
                    self._wanted.wait()
                self.resting = False
                idle = 0


_patrol = _Patrol()
_stopping = threading.Lock()


def _look(thread: int, turn: _Turn) -> None:
    frame = sys._current_frames().get(thread)
    if frame is None:  # the thread is gone, and took its workflow with it
        if _turns.get(thread) is turn:
            _turns.pop(thread, None)
        return
    if _is_debugged(frame):
        turn.ticks = 0
        return
    turn.ticks += 1
    ran_seconds = turn.ticks * tick_seconds
    # A library may hold a lock, and would be torn away from it: wait for a moment in which user code runs, for a while.
    if ran_seconds < turn.limit_seconds or (
        origin_of(frame) is not Origin.USER and ran_seconds < 2 * turn.limit_seconds
    ):
        return
    turn.seen_at = position(_user_frame(frame))
    if ran_seconds >= 3 * turn.limit_seconds and not turn.reported:
        turn.reported = True
        _logger.error(
            "workflow %s has run for %.1f s and cannot be stopped: at %s:%d it waits in a call that Python cannot "
            "interrupt, or catches every exception",
            *(turn.workflow, ran_seconds, *position(frame)),
        )
    _stop(thread, turn)


def _stop(thread: int, turn: _Turn) -> None:
    """Raise `_Stop` in a thread, if its turn is not over.

    The claim is written before the turn is looked up, and the end of a turn removes it before it looks for a claim. So
    one of the two sees the other; and `_take_last_stop` waits on the lock until this is done.
    """
    with _stopping:
        turn.claimed = True
        if _turns.get(thread) is turn:
            _raise_in(thread, _Stop)


def _take_last_stop(thread: int) -> None:
    """Make sure that no stop is still to come in this very thread.

    Asking for none instead would leave the interpreter looking for one: up to CPython 3.12 it then checks at every
    call, and a traced thread never gets past the check.
    """
    try:
        with _stopping:
            _raise_in(thread, _Stop)  # in the place of one that was asked for and not raised yet
        while True:
            pass
    except _Stop:
        return


def _raise_in(thread: int, exception: type[BaseException]) -> None:
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))


def _user_frame(innermost: FrameType) -> FrameType:
    frame: FrameType | None = innermost
    while frame is not None and origin_of(frame) is not Origin.USER:
        frame = frame.f_back
    return frame or innermost


def _is_debugged(frame: FrameType) -> bool:
    """Whether somebody steps through this thread, or has a prompt open in it."""
    if sys.version_info >= (3, 12) and sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID) is not None:
        return True
    walk: FrameType | None = frame
    while walk is not None:
        if _steps(walk.f_trace) or walk.f_code.co_filename.replace("\\", "/").endswith(_DEBUGGER_FILES):
            return True
        walk = walk.f_back
    return False


def _steps(tracer: object) -> bool:
    """Whether this is a tracer that may stop at a line; coverage measurement does not."""
    owner = getattr(tracer, "__self__", tracer)
    return tracer is not None and not type(owner).__module__.startswith("coverage")


def _forget_patrol() -> None:
    """A forked process has none of its parent's other threads."""
    global _patrol, _stopping
    _patrol = _Patrol()
    _stopping = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_patrol)
