"""Attempts at activities: running the user's code, on the event loop or in a thread.

An attempt runs once and comes to one outcome, which is handed to whoever started it. Whether there is another attempt
is decided in `server`, timeouts are kept by `activities`. This module must not know histories.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from playhead_engine.activation import payload_list
from playhead_engine.activity import (
    NO_THREAD_CANCEL_EXCEPTION,
    ActivityCancellationDetails,
    CompleteAsync,
    Info,
    current_context,
)
from playhead_engine.definitions import ActivityDefinition
from playhead_engine.exceptions import ApplicationError, CancelledError, is_cancelled_exception
from playhead_engine.messages import Failure, Json, Payload, Payloads
from playhead_engine.record import record

if TYPE_CHECKING:
    from playhead_engine.converter import PayloadConverter
    from playhead_engine.engine.alarms import Alarm
    from playhead_engine.engine.attempt_runner import AttemptRunner


@record
class Completed:
    """The activity returned."""

    result: Payload


@record
class Failed:
    """The activity raised."""

    failure: Failure


@record
class Cancelled:
    """The activity was told to stop, and did."""

    details: Payloads | None
    failure: Failure


@record
class Postponed:
    """The function ended, and somebody else will report the activity's end."""


Outcome = Completed | Failed | Cancelled | Postponed


class Owner(Protocol):
    """Who started an attempt."""

    def info_of(self, attempt: Attempt) -> Info:
        """What the code can know about the attempt."""
        ...

    def on_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        """The attempt has come to an outcome. On the event loop."""
        ...

    def on_heartbeat(self, attempt: Attempt, details: Payloads) -> None:
        """The attempt said that it is alive. On the event loop."""
        ...


class Attempt:
    """One attempt at one activity; what `activity.info()` and its sisters ask.

    Attributes:
        definition: The activity.
        call: What to call.
        attributes: Of the event that scheduled it, or of the command for a local activity: its arguments, its headers.
        owner: Who started it.
        what: What it is an attempt at, for the owner.
        attempt: Which attempt it is, from 1.
        started_ns: When it began, in nanoseconds since the epoch.
        number: In the order in which attempts were started; a place in a fixed order.
        cancellation: Why it is to stop, once it heard of it.
        cancel_requested: Why it is to stop, whether it heard of it or not.
        is_over: Nobody is interested in its outcome any more.
        is_parked: Its thread waits for the engine.
        is_postponed: Its function has ended, and somebody else will report its end.
        task: The asyncio task, while it runs and is async.
        beat_ns: When it last said that it is alive; 0 if never. Kept by the owner, as are `alarm` and `kept_until_ns`.
    """

    # Most attempts end at once and need none of these, so they are not set for each.
    cancellation: ActivityCancellationDetails | None = None
    cancel_requested: ActivityCancellationDetails | None = None
    is_over = False
    is_parked = False
    is_postponed = False
    task: asyncio.Task[None] | None = None
    alarm: Alarm | None = None
    beat_ns = 0
    kept_until_ns = 0
    number = 0
    _info: Info | None = None
    _listeners: tuple[Callable[[], Any], ...] = ()
    _shields = 0

    def __init__(
        self,
        definition: ActivityDefinition,
        call: Callable[..., Any],
        runner: AttemptRunner,
        attributes: Json,
        owner: Owner,
        what: Any,
        attempt: int,
        started_ns: int,
    ) -> None:
        self._runner = runner
        self.definition = definition
        self.call = call
        self.attributes = attributes
        self.owner = owner
        self.what = what
        self.attempt = attempt
        self.started_ns = started_ns

    # What the activity's code asks; see `activity.Context`.

    @property
    def info(self) -> Info:
        if self._info is None:
            self._info = self.owner.info_of(self)
        return self._info

    @property
    def payload_converter(self) -> PayloadConverter:
        return self._runner.wire.converter.payload_converter

    def heartbeat(self, details: Sequence[Any]) -> None:
        runner = self._runner
        payloads: Payloads = {"payloads": runner.wire.encode_values(details)} if details else {}
        if self.definition.is_async:
            self.owner.on_heartbeat(self, payloads)
            if self.cancel_requested is not None and self.cancellation is None:
                self.hear_of_cancellation()
            return
        runner.loop.call_soon_threadsafe(self.owner.on_heartbeat, self, payloads)
        if self.cancel_requested is not None:
            self.hear_of_cancellation()
            self._raise_if_cancelled()

    async def wait_for_cancelled(self) -> None:
        if self._hear():
            return
        heard: asyncio.Future[None] = self._runner.loop.create_future()
        self.listen(partial(_tell, heard))
        await heard

    def wait_for_cancelled_sync(self, timeout: float | None) -> None:
        heard = threading.Event()
        loop = self._runner.loop
        loop.call_soon_threadsafe(self._park, heard)
        if not heard.wait(timeout):
            loop.call_soon_threadsafe(self._unpark)
        self.is_parked = False

    # Its thread waits from when the event loop knows of it until the event loop wakes it: if the thread itself said so,
    # the clock could jump between its saying so and its being heard.

    def _park(self, heard: threading.Event) -> None:
        if self._hear():
            heard.set()
        else:
            self.listen(heard.set)
            self.is_parked = True

    def _unpark(self) -> None:
        self.is_parked = False

    def _hear(self) -> bool:
        # Waiting for it is as good as a heartbeat: an attempt that waits hears of its cancellation at once.
        if self.cancel_requested is not None:
            self.hear_of_cancellation()
        return self.cancellation is not None

    @contextmanager
    def shield(self) -> Generator[None]:
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_if_cancelled()

    def _raise_if_cancelled(self) -> None:
        silent = getattr(self.definition.fn, NO_THREAD_CANCEL_EXCEPTION, False) or self.definition.is_async
        if self.cancellation is not None and not self._shields and not silent:
            raise CancelledError("Cancelled")

    # What the engine does.

    def listen(self, listener: Callable[[], Any]) -> None:
        """Have somebody told when the attempt learns that it is to stop, which it then does at once."""
        self._listeners += (listener,)

    def values_of(self, heartbeat_details: Sequence[Payload]) -> Sequence[Any]:
        """What the last heartbeat said, as `info` is to show it."""
        return self._runner.wire.decode_values(heartbeat_details)

    async def run(self) -> None:
        """Run the code on the event loop, and hand in what it came to."""
        current_context.set(self)
        runner = self._runner
        try:
            result = await self.call(*self._arguments())
            outcome: Outcome = Completed(runner.wire.encode_value(result))
        except CompleteAsync:
            outcome = Postponed()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever an activity raises is its failure
            outcome = self._raised(error)
        runner.task_ended(self, outcome)

    def run_in_thread(self) -> Outcome:
        """Run the code in the thread that calls."""
        current_context.set(self)
        try:
            return Completed(self._runner.wire.encode_value(self.call(*self._arguments())))
        except CompleteAsync:
            return Postponed()
        except BaseException as error:  # noqa: BLE001 - the thread belongs to the activity; whatever it raises is its failure
            return self._raised(error)

    def _arguments(self) -> Sequence[Any]:
        wire, payloads = self._runner.wire, payload_list(self.attributes.get("input"))
        if self.definition.dynamic:
            return [wire.raw_values(payloads)]
        return wire.decode_values(payloads, self.definition.arg_types)

    def _raised(self, error: BaseException) -> Outcome:
        wire, why = self._runner.wire, self.cancellation
        if why is not None and is_cancelled_exception(error):
            cancelled = error if isinstance(error, CancelledError) else CancelledError("Cancelled")
            failure = wire.encode_failure(cancelled)
            details = failure.get("canceledFailureInfo", {}).get("details")
            return Cancelled(details, failure)
        if isinstance(error, asyncio.CancelledError):
            error = ApplicationError("the activity was cancelled, but nobody asked for it", type="CancelledError")
        return Failed(wire.encode_failure(error))

    def request_cancel(self, why: ActivityCancellationDetails, *, at_once: bool = False) -> None:
        """Have it stop: when it next says that it is alive, or at once.

        Args:
            why: What it is told.
            at_once: Do not wait for a heartbeat.
        """
        if self.cancel_requested is None:
            self.cancel_requested = why
        if at_once or self._listeners:
            self.hear_of_cancellation()

    def hear_of_cancellation(self) -> None:
        """The attempt learns that it is to stop. An async one is cancelled at the next turn of the loop."""
        if self.cancellation is not None:
            return
        self.cancellation = self.cancel_requested
        self.is_parked = False  # its thread wakes up any moment, and from now on is waited for
        for tell in self._listeners:
            tell()
        self.interrupt()

    def interrupt(self) -> None:
        """The code has just learned that it is to stop."""
        if self.task is not None:
            self._runner.loop.call_soon(self.task.cancel)


def _tell(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)
