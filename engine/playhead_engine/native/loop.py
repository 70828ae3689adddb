"""A deterministic asyncio event loop.

It knows neither time nor I/O. Callbacks run in the order in which they were scheduled, and the loop stops when
nothing is left to run; what was awaited then goes on in a later activation. A timer is a command of the workflow.
Whatever else a loop can do would break replay and is refused.

Tasks are hashed by their number, not by their address, so that sets of them (asyncio is full of these) are iterated in
the same order in every replay.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import sys
from asyncio import _get_running_loop, _set_running_loop  # pyright: ignore[reportPrivateUsage] - a loop that is not run
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, NoReturn, Protocol, TypeVar, TypeVarTuple

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_Coro = Coroutine[Any, Any, _T] | Generator[Any, None, _T]
_Context = dict[str, Any]
_ExceptionHandler = Callable[[asyncio.AbstractEventLoop, _Context], object]

logger = logging.getLogger("playhead_engine.workflow")

_CLOSING_ATTEMPTS = 100
_unstoppable: list[asyncio.Task[Any]] = []
"""Tasks of closed runs whose code awaits something whenever it is told to stop. Kept, so that nobody tells it again."""


class LoopHost(Protocol):
    """What the loop needs of the run it belongs to."""

    @property
    def time_ns(self) -> int:
        """The workflow's time, in nanoseconds since the epoch."""
        ...

    @property
    def is_silent(self) -> bool:
        """Whether what happens now has happened before, or no longer matters."""
        ...

    def check_may(self, action: str) -> None:
        """Raise if the code may change nothing now."""
        ...

    def start_timer(
        self,
        seconds: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> asyncio.TimerHandle:
        """Ask for a timer."""
        ...

    def timer_cancelled(self, timer: asyncio.TimerHandle) -> None:
        """Take a timer back."""
        ...


class _Nobody:
    """The host of a loop whose run was closed."""

    time_ns = 0
    is_silent = True

    def check_may(self, action: str) -> None:
        """It may do anything; nothing comes of it."""

    def start_timer(
        self,
        seconds: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> asyncio.TimerHandle:
        """There is nobody to wait for it."""
        raise RuntimeError("the run was closed")

    def timer_cancelled(self, timer: asyncio.TimerHandle) -> None:
        """It has been forgotten already."""


NOBODY: Final = _Nobody()


class WorkflowTask(asyncio.Task[_T]):
    """A task that is hashed by its number."""

    __slots__ = ("number",)

    def __init__(
        self,
        coro: _Coro[_T],
        loop: WorkflowLoop,
        number: int,
        name: str | None,
        context: contextvars.Context | None,
    ) -> None:
        self.number = number  # asyncio puts the task into a set right away
        super().__init__(coro, loop=loop, name=name or f"Task-{number}", context=context)
        # A run may be thrown out of memory at any time; that is no mistake of anybody.
        self._log_destroy_pending = False

    def __hash__(self) -> int:
        return self.number


class _Unstoppable(asyncio.Handle):
    """What scheduling with a context of one's own gives back: asyncio does it all the time and never looks."""

    def __init__(self) -> None:
        """No callback is kept."""

    def cancel(self) -> NoReturn:
        raise RuntimeError("a callback that was scheduled with a context of its own cannot be taken back")


_UNSTOPPABLE = _Unstoppable()


class WorkflowLoop(asyncio.AbstractEventLoop):
    """The loop of one run.

    Attributes:
        host: The run.
        ready: What is to be run: callbacks with their arguments.
        failure: Set by code of the workflow to stop the loop at once; `drain` raises it.
        is_frozen: Whether scheduling is refused, because the code must not change anything now.
    """

    def __init__(self, host: LoopHost) -> None:
        self.host = host
        self.ready: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.failure: BaseException | None = None
        self.is_frozen = False
        self._count = 0
        self._tasks: list[WorkflowTask[Any]] = []
        self._purge_at = 64
        self._exception_handler: _ExceptionHandler | None = None
        self._outside: tuple[asyncio.AbstractEventLoop, Any] | None = None

    def enter(self) -> None:
        """Be the running loop of this thread until `leave`, in the place of one that may be running."""
        outside = _get_running_loop()
        if outside is not None:
            # A running loop adopts every asynchronous generator of its thread; those of a workflow are none of its own.
            self._outside = outside, sys.get_asyncgen_hooks()
            sys.set_asyncgen_hooks(None, None)
        _set_running_loop(self)

    def leave(self) -> None:
        """Let the loop that was running before run again."""
        if self._outside is None:
            _set_running_loop(None)
            return
        outside, hooks = self._outside
        self._outside = None
        _set_running_loop(outside)
        sys.set_asyncgen_hooks(*hooks)

    def drain(self) -> None:
        """Run whatever is ready, and what becomes ready by that, until nothing is.

        Raises:
            BaseException: `failure`, as soon as it is set.
        """
        ready = self.ready
        next_turn = ready.popleft
        while ready:
            callback, args = next_turn()
            try:
                callback(*args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - a callback's error is the exception handler's, as in asyncio
                self.call_exception_handler({"message": f"Exception in callback {callback!r}", "exception": error})
            if self.failure is not None:
                failure, self.failure = self.failure, None
                raise failure

    def next_number(self) -> int:
        """The number of a new task, or of anything else that is hashed by it."""
        self._count += 1
        return self._count

    def pending_tasks(self) -> list[WorkflowTask[Any]]:
        """The tasks that are not done, in the order in which they were made."""
        return [task for task in self._tasks if not task.done()]

    def close_tasks(self) -> None:
        """Close the coroutines of all tasks that wait, and of those that come into being meanwhile."""
        closed: set[WorkflowTask[Any]] = set()
        for _ in range(_CLOSING_ATTEMPTS):
            left = [task for task in self.pending_tasks() if task not in closed]
            if not left:
                self._tasks.clear()
                return
            for task in left:
                close_task(task)
            closed.update(left)
        logger.error("%d tasks are left: each that is closed makes another", len(self.pending_tasks()) - len(closed))

    # -- What asyncio and users call -----------------------------------------------------------------------------------

    # Asked for every future that is made; `bool()` is False, without a Python frame.
    get_debug = staticmethod(bool)  # pyright: ignore[reportAssignmentType]

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if self.is_frozen:
            self.host.check_may("schedule a callback")
        if context is not None:
            self.ready.append((context.run, (callback, *args)))
            return _UNSTOPPABLE
        handle = asyncio.Handle(callback, args, self)
        self.ready.append((_run_handle, (handle,)))
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.host.start_timer(delay, callback, args, context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        # `asyncio.timeout` adds its delay to our time, and a float cannot hold nanoseconds since 1970; so whole
        # milliseconds, as Temporal's SDK has it.
        return self.host.start_timer(round(when - self.time(), 3), callback, args, context)

    def time(self) -> float:
        return self.host.time_ns / 1e9

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: _Coro[_T], *, name: str | None = None, context: contextvars.Context | None = None, **_eager: Any
    ) -> WorkflowTask[_T]:
        if self.is_frozen:
            self.host.check_may("create a task")
        self._count += 1
        task = WorkflowTask(coro, self, self._count, name, context)
        # asyncio holds tasks weakly; those that wait must stay. Done ones are thrown out from time to time.
        tasks = self._tasks
        tasks.append(task)
        if len(tasks) > self._purge_at:
            tasks[:] = [task for task in tasks if not task.done()]
            self._purge_at = 2 * len(tasks) + 64
        return task

    def get_task_factory(self) -> None:
        return None

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self.host.timer_cancelled(handle)

    # -- Errors of callbacks -------------------------------------------------------------------------------------------

    def get_exception_handler(self) -> _ExceptionHandler | None:
        return self._exception_handler

    def set_exception_handler(self, handler: _ExceptionHandler | None) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: _Context) -> None:
        facts = "".join(f"\n{key}: {context[key]!r}" for key in sorted(context) if key not in ("message", "exception"))
        logger.error("%s%s", context.get("message") or "Unhandled error", facts, exc_info=context.get("exception"))

    def call_exception_handler(self, context: _Context) -> None:
        if self.host.is_silent:
            return
        if self._exception_handler is None:
            self.default_exception_handler(context)
            return
        try:
            self._exception_handler(self, context)
        except Exception as error:  # noqa: BLE001 - the handler is the user's, and it is the last to be asked
            message = "Unhandled error in the exception handler"
            self.default_exception_handler({"message": message, "exception": error, "context": context})


def _run_handle(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def close_task(task: WorkflowTask[Any]) -> None:
    """Close the coroutine of a task that waits: its `finally` blocks run, and then it is over."""
    coroutine: Any = task.get_coro()
    frame = "gi_frame" if hasattr(coroutine, "gi_frame") else "cr_frame"
    for _ in range(_CLOSING_ATTEMPTS):
        # Code that awaits something in a `finally` block goes on living, and is told again. What else it raises while
        # it is being thrown away is of no interest to anybody.
        with contextlib.suppress(BaseException):
            coroutine.close()
        if getattr(coroutine, frame) is None:
            return
    logger.error("%s does not stop: it awaits something each time it is told to", task.get_name())
    _unstoppable.append(task)


def _refuse(name: str, instead: str) -> None:
    def method(self: WorkflowLoop, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"a workflow's event loop has no {name}: it would break replay. {instead}")

    method.__name__ = name
    setattr(WorkflowLoop, name, method)


_ACTIVITY = "Do it in an activity: await workflow.execute_activity(...)"
_REFUSED = {
    _ACTIVITY: (
        "add_reader add_signal_handler add_writer connect_accepted_socket connect_read_pipe connect_write_pipe "
        "create_connection create_datagram_endpoint create_server create_unix_connection create_unix_server "
        "getaddrinfo getnameinfo remove_reader remove_signal_handler remove_writer run_in_executor sendfile "
        "set_default_executor sock_accept sock_connect sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into "
        "sock_sendall sock_sendfile sock_sendto start_tls subprocess_exec subprocess_shell"
    ),
    "A signal is how anything outside reaches a workflow": "call_soon_threadsafe",
    "The workflow runs already; await what you want to wait for": (
        "run_forever run_until_complete set_task_factory shutdown_asyncgens shutdown_default_executor stop close"
    ),
}
for _instead, _names in _REFUSED.items():
    for _name in _names.split():
        _refuse(_name, _instead)
