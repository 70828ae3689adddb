"""Activities whose end is reported by somebody else: a person, a web hook, another process's callback.

The activity's function calls `activity.raise_complete_async()`; whoever knows the end gets a handle here. The names are
Temporal's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from playhead_engine.activity import ActivityCancellationDetails
from playhead_engine.engine.activities import Activities
from playhead_engine.engine.attempts import Attempt, Cancelled, Completed, Failed, Outcome
from playhead_engine.engine.desk import Desk
from playhead_engine.engine.driving import Driver
from playhead_engine.engine.operation import Operation
from playhead_engine.engine.runs import Runs
from playhead_engine.engine.wire import Wire
from playhead_engine.exceptions import CancelledError
from playhead_engine.messages import Payloads


class ActivityNotFoundError(LookupError):
    """Nobody waits for the end of this activity: it is unknown, has ended, timed out, or was cancelled.

    Attributes:
        name: The activity, as it was asked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"nobody waits for the end of activity {self.name}"


class AsyncActivityCancelledError(RuntimeError):
    """The activity was told to stop; report its cancellation.

    Attributes:
        details: Why.
    """

    def __init__(self, details: ActivityCancellationDetails) -> None:
        super().__init__(details)
        self.details = details

    def __str__(self) -> str:
        return f"the activity was told to stop: {self.details}"


class Switchboard:
    """Finds the attempt that somebody reports about."""

    def __init__(self, driver: Driver, desk: Desk, runs: Runs, activities: Activities, wire: Wire) -> None:
        """Begin.

        Args:
            driver: Runs operations.
            desk: Takes requests.
            runs: All runs.
            activities: All attempts.
            wire: Converts values.
        """
        self.driver = driver
        self.wire = wire
        self._desk = desk
        self.connect(runs, activities)

    def connect(self, runs: Runs, activities: Activities) -> None:
        """Look for attempts here from now on."""
        self._runs = runs
        self._activities = activities

    def by_token(self, token: bytes) -> Attempt:
        """The attempt that `activity.info().task_token` names.

        Raises:
            ActivityNotFoundError: Nobody waits for it.
        """
        run_id, _, rest = token.decode().partition("/")
        event_id, _, number = rest.partition("/")
        run = self._runs.by_run_id(run_id)
        attempt = run.attempts.get(int(event_id)) if run is not None and event_id.isdecimal() else None
        if attempt is None or str(attempt.attempt) != number:
            raise ActivityNotFoundError(token.decode())
        return attempt

    def by_id(self, workflow_id: str, run_id: str | None, activity_id: str) -> Attempt:
        """The attempt at an activity of a workflow.

        Raises:
            ActivityNotFoundError: Nobody waits for it.
        """
        run = self._runs.open_run(workflow_id, run_id)
        attempt = run.attempts.get(run.state.activity_ids.get(activity_id, 0)) if run is not None else None
        if attempt is None:
            raise ActivityNotFoundError(f"{activity_id!r} of workflow {workflow_id!r}")
        return attempt

    async def end(self, find: Callable[[], Attempt], outcome: Outcome, details: Payloads | None) -> None:
        """Let the attempt end."""

        def do() -> None:
            attempt = find()
            if details is not None:
                self._activities.on_heartbeat(attempt, details)
            if isinstance(outcome, Cancelled) and attempt.cancel_requested is None:
                raise ValueError("the activity was not told to stop, so it cannot be reported as cancelled")
            self._activities.end(attempt, outcome)

        await self._desk.ask(do)

    async def heartbeat(self, find: Callable[[], Attempt], details: Payloads) -> None:
        """Let the attempt say that it is alive."""

        def do() -> None:
            attempt = find()
            self._activities.on_heartbeat(attempt, details)
            if attempt.cancel_requested is not None:
                raise AsyncActivityCancelledError(attempt.cancel_requested)

        await self._desk.ask(do)


class AsyncActivityHandle:
    """An activity whose end somebody else reports. Every method can raise ActivityNotFoundError."""

    def __init__(self, switchboard: Switchboard, find: Callable[[], Attempt], wire: Wire) -> None:
        self._switchboard = switchboard
        self._find = find
        self._wire = wire

    def complete(self, result: Any = None) -> Operation[None]:
        """The activity returns this."""
        return self._end(Completed(self._wire.encode_value(result)))

    def fail(self, error: Exception, *, last_heartbeat_details: Sequence[Any] = ()) -> Operation[None]:
        """The activity raises this; it may be tried again.

        Args:
            error: What it raises.
            last_heartbeat_details: How far it came.
        """
        return self._end(Failed(self._wire.encode_failure(error)), last_heartbeat_details)

    def report_cancellation(self, *details: Any) -> Operation[None]:
        """The activity was told to stop, and has.

        Args:
            details: What it says about it.

        Raises:
            ValueError: It was not told to stop.
        """
        failure = self._wire.encode_failure(CancelledError("Cancelled", *details))
        return self._end(Cancelled(failure.get("canceledFailureInfo", {}).get("details"), failure))

    def heartbeat(self, *details: Any) -> Operation[None]:
        """The activity is alive.

        Args:
            details: How far it has come.

        Raises:
            AsyncActivityCancelledError: It was told to stop.
        """
        board, payloads = self._switchboard, self._payloads(details)
        return Operation(board.driver, lambda: board.heartbeat(self._find, payloads))

    def _end(self, outcome: Outcome, details: Sequence[Any] = ()) -> Operation[None]:
        board, payloads = self._switchboard, self._payloads(details) if details else None
        return Operation(board.driver, lambda: board.end(self._find, outcome, payloads))

    def _payloads(self, details: Sequence[Any]) -> Payloads:
        return {"payloads": self._wire.encode_values(details)} if details else {}
