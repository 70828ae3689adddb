"""What code waits for and only a server can end: an activity, a child workflow, a nexus operation.

Cancelling such a thing is a request to the server, which decides what comes of it; so the code that awaits it is
shielded from its own cancellation until then. Temporal's SDK has a task for each of them, which waits for a future,
by way of `asyncio.wait`, in a loop. The order of commands depends on how many turns of the loop that takes, so an
`Operation` takes the same turns; but it is a future and four small callbacks, at half the cost of a task.

    CALLED --first turn--> WAITING --the end is known--> [turn] --> ENDING --turn--> DONE
                              | ^                                     |
                        cancel| |ask the server to cancel             |cancel
                              v |                                     v
                           STOPPING ------------turn------------> (cancelled: ask the server, and wait on)

This module must not know any kind of operation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from playhead_engine.native.run import Run

_T = TypeVar("_T")

RAISE_ON_CANCELLING_COMPLETED_ACTIVITY = 1
PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH = 2
"""Flags of Temporal's Python SDK, as histories record them."""

CALLED, WAITING, ENDING, STOPPING, DONE = range(5)


class Operation(asyncio.Future[_T]):
    """Something only a server can end.

    Make it with `loop=`, then `begin`.

    Attributes:
        run: The run it belongs to.
        state: One of the five above.
        number: What it is hashed by; given to it when it is first hashed.
    """

    __slots__ = ("_end", "_interrupted", "_message", "number", "run", "state")

    LATE_CANCEL_FLAG: ClassVar[int | None] = None
    """The flag that says that cancelling wins over an end that is known but was not delivered yet."""

    def begin(self, run: Run) -> None:
        """Put its first turn into the queue."""
        self.run = run
        self.state = CALLED
        # How it ended, once that is known: what to call on itself, and with what. Not a bound method: it would hold
        # itself, and be left to the garbage collector.
        self._end: tuple[Callable[[asyncio.Future[_T], Any], None], Any] | None = None
        self._interrupted = False
        self._message: Any = None
        run.ready.append((self._first_turn, ()))

    def __hash__(self) -> int:
        try:
            return self.number
        except AttributeError:
            self.number: int = self.run.loop.next_number()
            return self.number

    # -- Told by the server --------------------------------------------------------------------------------------------

    def succeeded(self, value: Any) -> None:
        """It ended well."""
        if self._end is not None:
            raise asyncio.InvalidStateError(f"{self!r} came to an end twice")
        self._end = asyncio.Future.set_result, value
        if self.state == WAITING:
            self.run.ready.append((self._notice_end, ()))

    def failed(self, error: BaseException) -> None:
        """It ended in an error."""
        self.succeeded(error)
        self._end = asyncio.Future.set_exception, error

    # -- Turns ---------------------------------------------------------------------------------------------------------

    def _first_turn(self) -> None:
        if self._interrupted:
            self._give_up()
        else:
            self._wait()

    def _wait(self) -> None:
        self.state = WAITING
        if self._end is not None:
            self.run.ready.append((self._notice_end, ()))

    def _notice_end(self) -> None:
        if self.state == WAITING:
            self.state = ENDING
            self.run.ready.append((self._deliver, ()))

    def _deliver(self) -> None:
        if self._interrupted:
            self._on_cancel()
            return
        assert self._end is not None
        self.state = DONE
        deliver, end = self._end
        deliver(self, end)

    def _on_cancel(self) -> None:
        self._interrupted = False
        if self._end is not None and self.run.cancelling_wins(self.LATE_CANCEL_FLAG):
            self._give_up()
            return
        self.request_cancel(self._message)
        self._wait()

    def _give_up(self) -> None:
        self.state = DONE
        super().cancel(self._message)

    # -- Cancelled by the code -----------------------------------------------------------------------------------------

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask for it to be cancelled.

        Args:
            msg: Goes into the CancelledError.

        Returns:
            False if it has ended already. True means that it was asked for: what it ends with is the server's word.
        """
        if self.done():
            return False
        if self.run.is_closed:
            return True
        self.run.check_may("cancel")
        if self.state == CALLED:
            self.cancelled_before_first_turn()
        if self.state != STOPPING:
            self._message = msg
        if self.state == WAITING:
            self.state = STOPPING
            self.run.ready.append((self._on_cancel, ()))
        else:
            self._interrupted = True
        return True

    def cancelled_before_first_turn(self) -> None:
        """It is cancelled before it began to wait. It then ends as cancelled, whatever the server says."""

    def request_cancel(self, message: Any) -> None:
        """Tell the server.

        Args:
            message: What `cancel` was given.
        """
        raise NotImplementedError


async def shielded(
    run: Run,
    end: asyncio.Future[_T],
    request_cancel: Callable[[Any], None],
    *,
    raise_if_workflow_is_cancelled: bool = False,
) -> _T:
    """Wait for something in the task of whoever asks, likewise shielded.

    Args:
        run: The run.
        end: What to wait for.
        request_cancel: Tells the server; is given what the task's `cancel` was given.
        raise_if_workflow_is_cancelled: Whether to stop waiting if it is the workflow that is being cancelled.

    Returns:
        The result.

    Raises:
        BaseException: What the future ended in.
    """
    while True:
        try:
            await asyncio.wait([end])
            return end.result()
        except asyncio.CancelledError as error:
            if end.done() and run.cancelling_wins(None):
                raise
            request_cancel(error.args[0] if error.args else None)
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            if raise_if_workflow_is_cancelled and run.cancel_reason is not None:
                raise
