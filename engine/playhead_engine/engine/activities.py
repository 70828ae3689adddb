"""Activities under way: begun when they are scheduled, watched while they run, tried again, ended.

What an outcome means to a run is decided in `server`; running the code is `attempts`' business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, assert_never

from playhead_engine.activation import payload_list
from playhead_engine.activity import ActivityCancellationDetails, Info
from playhead_engine.convert import duration_ns
from playhead_engine.engine.activity_info import activity_info
from playhead_engine.engine.attempt_runner import AttemptRunner
from playhead_engine.engine.attempts import Attempt, Cancelled, Completed, Failed, Outcome, Postponed
from playhead_engine.engine.clock import VirtualClock
from playhead_engine.engine.registry import Registry
from playhead_engine.engine.runs import LiveRun
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.engine.waiting import activity_keeps_failing
from playhead_engine.messages import Payloads
from playhead_engine.server import activities as server
from playhead_engine.server.pending import PendingActivity

logger = logging.getLogger("playhead_engine.engine")

_HEARTBEATS_KEPT_EVERY_NS: Final = 30_000_000_000
"""How often heartbeat details are stored where the activity has no heartbeat timeout; else after 0.8 of that."""


_FRUITLESS_ATTEMPTS: Final = 1_000
"""Attempts under the virtual clock, with nothing else happening anywhere, before those who wait are told."""


class Activities:
    """The activities of one engine's runs.

    Attributes:
        calls_watch: Whether nobody else calls `watch` before the event loop waits.
    """

    def __init__(self, scheduler: Scheduler, runner: AttemptRunner, registry: Registry, identity: str) -> None:
        """Begin without any.

        Args:
            scheduler: Runs the rounds.
            runner: Runs attempts.
            registry: What there is code for.
            identity: Who runs them.
        """
        self._scheduler = scheduler
        self._runner = runner
        self._registry = registry
        self._identity = identity
        self._gives_up = isinstance(scheduler.clock, VirtualClock)
        self._fruitless = self._fruitless_since = 0
        self._unwatched: list[Attempt] = []
        self.calls_watch = False

    # Beginning

    def begin(self, run: LiveRun, scheduled_event_id: int) -> None:
        """Start an attempt at an activity, now or when it is due."""
        activity = run.state.activities.get(scheduled_event_id)
        if activity is None or scheduled_event_id in run.attempts:
            return
        scheduler = self._scheduler
        now_ns = scheduler.now.ns
        if activity.due_ns > now_ns:
            self._set_alarm(run, scheduled_event_id, activity.due_ns, self.begin)
            return
        begin = self._registry.find(activity.type_name)
        if begin is None:
            logger.warning(
                "activity %r of workflow %s is not registered and waits", activity.type_name, run.state.workflow_id
            )
            limit = _earliest(
                activity.deadline_ns,
                _after(activity.scheduled_ns, activity.attributes.get("scheduleToStartTimeout")),
            )
            if limit:
                self._set_alarm(run, scheduled_event_id, limit, self._unstarted_too_long)
            return
        activity.started_ns = now_ns
        attempt = begin(self._runner, activity.attributes, self, (run, activity), activity.attempt, now_ns)
        if activity.cancel_requested_id:  # while it ran before, in a process that is gone
            attempt.request_cancel(ActivityCancellationDetails(cancel_requested=True))
        run.attempts[scheduled_event_id] = attempt
        self._runner.start(attempt)
        self._unwatched.append(attempt)
        if self.calls_watch:
            self._runner.loop.call_soon(self.watch)

    def _set_alarm(
        self, run: LiveRun, scheduled_event_id: int, due_ns: int, action: Callable[[LiveRun, int], None]
    ) -> None:
        alarms = self._scheduler.alarms
        alarms.cancel(run.activity_alarms.get(scheduled_event_id))
        run.activity_alarms[scheduled_event_id] = alarms.set(due_ns, action, run, scheduled_event_id)

    def _unstarted_too_long(self, run: LiveRun, scheduled_event_id: int) -> None:
        activity = run.state.activities.get(scheduled_event_id)
        if activity is None or scheduled_event_id in run.attempts:
            return
        self._scheduler.change(run)
        deadline = activity.deadline_ns
        kind = server.SCHEDULE_TO_START
        if deadline and deadline <= self._scheduler.now.ns:
            kind = server.SCHEDULE_TO_CLOSE
        server.time_out(run.state, scheduled_event_id, kind, self._identity, self._scheduler.now)

    # Ending

    def on_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        if not attempt.is_over:
            self._scheduler.post(self.end, attempt, outcome)

    def end(self, attempt: Attempt, outcome: Outcome) -> None:
        """Let an outcome have its events. Only in a round."""
        run, activity = attempt.what
        event_id = activity.scheduled_event_id
        if attempt.is_over or run.attempts.get(event_id) is not attempt:
            return
        if isinstance(outcome, Postponed):
            attempt.is_postponed = True
            return
        self._drop(run, event_id, attempt)
        scheduler, state = self._scheduler, run.state
        scheduler.change(run)
        now, identity = scheduler.now, self._identity
        match outcome:
            case Completed():
                server.complete(state, event_id, {"payloads": [outcome.result]}, identity, now)
            case Cancelled(details, failure):
                if activity.cancel_requested_id:
                    server.cancel(state, event_id, details, identity, now)
                elif server.fail(state, event_id, failure, identity, now):
                    self._try_again(run, activity)
            case Failed(failure):
                if server.fail(state, event_id, failure, identity, now):
                    self._try_again(run, activity)
            case _:
                assert_never(outcome)

    def _try_again(self, run: LiveRun, activity: PendingActivity) -> None:
        scheduler = self._scheduler
        scheduler.when_committed(self.begin, run, activity.scheduled_event_id)
        if not self._gives_up:
            return
        if scheduler.rounds_with_events != self._fruitless_since:
            self._fruitless_since, self._fruitless = scheduler.rounds_with_events, 0
        self._fruitless += 1
        if self._fruitless >= _FRUITLESS_ATTEMPTS:
            self._fruitless = 0
            for waiter in run.waiters():
                waiter.set_exception(activity_keeps_failing(run, activity))

    def _drop(self, run: LiveRun, event_id: int, attempt: Attempt) -> None:
        attempt.is_over = True
        self._scheduler.alarms.cancel(attempt.alarm)
        attempt.alarm = None
        del run.attempts[event_id]

    # Watching

    def watch(self) -> None:
        """Set the timeouts of attempts that did not end at once. Whoever begins one calls this a little later."""
        if self._unwatched:
            unwatched, self._unwatched = self._unwatched, []
            for attempt in unwatched:
                if not attempt.is_over:
                    run, activity = attempt.what
                    self._watch(run, activity, attempt)

    def _watch(self, run: LiveRun, activity: PendingActivity, attempt: Attempt) -> None:
        limit = _earliest(*_limits(activity, attempt))
        if limit:
            attempt.alarm = self._scheduler.alarms.set(limit, self._too_long, run, activity, attempt)

    def _too_long(self, run: LiveRun, activity: PendingActivity, attempt: Attempt) -> None:
        if attempt.is_over:
            return
        scheduler, now_ns = self._scheduler, self._scheduler.now.ns
        passed = [
            kind for kind, limit in zip(_LIMIT_NAMES, _limits(activity, attempt), strict=True) if 0 < limit <= now_ns
        ]
        if not passed:
            self._watch(run, activity, attempt)  # there was a heartbeat since the alarm was set
            return
        event_id = activity.scheduled_event_id
        self._drop(run, event_id, attempt)
        attempt.request_cancel(ActivityCancellationDetails(timed_out=True), at_once=True)
        scheduler.change(run)
        if server.time_out(run.state, event_id, passed[0], self._identity, scheduler.now):
            self._try_again(run, activity)

    def info_of(self, attempt: Attempt) -> Info:
        run, activity = attempt.what
        return activity_info(
            run,
            activity.attributes,
            attempt=attempt.attempt,
            scheduled_ns=activity.scheduled_ns,
            due_ns=activity.due_ns,
            started_ns=attempt.started_ns,
            heartbeat_details=attempt.values_of(payload_list(activity.heartbeat_details)),
            token=f"{run.state.run_id}/{activity.scheduled_event_id}/{attempt.attempt}",
            is_local=False,
        )

    def on_heartbeat(self, attempt: Attempt, details: Payloads) -> None:
        if attempt.is_over:
            return
        run, activity = attempt.what
        now_ns = self._scheduler.clock.now_ns()
        server.heartbeat(run.state, activity.scheduled_event_id, details or None)
        timeout = duration_ns(activity.attributes.get("heartbeatTimeout"))
        attempt.beat_ns = now_ns
        if now_ns >= attempt.kept_until_ns:
            attempt.kept_until_ns = now_ns + (timeout * 4 // 5 if timeout else _HEARTBEATS_KEPT_EVERY_NS)
            self._scheduler.post(self._scheduler.touch, run)

    # Stopping

    def cancel_requested(self, run: LiveRun, scheduled_event_id: int) -> None:
        """The workflow asked an activity to stop, and that is committed."""
        attempt = run.attempts.get(scheduled_event_id)
        if attempt is not None:
            attempt.request_cancel(ActivityCancellationDetails(cancel_requested=True))

    def forget(self, run: LiveRun) -> None:
        """The run has closed: nobody waits for its activities. Those that run hear of it at their next heartbeat."""
        alarms = self._scheduler.alarms
        for attempt in run.attempts.values():
            attempt.is_over = True
            alarms.cancel(attempt.alarm)
            attempt.request_cancel(ActivityCancellationDetails(not_found=True))
        run.attempts.clear()
        for alarm in run.activity_alarms.values():
            alarms.cancel(alarm)
        run.activity_alarms.clear()


_LIMIT_NAMES: Final = (server.SCHEDULE_TO_CLOSE, server.START_TO_CLOSE, server.HEARTBEAT)


def _limits(activity: PendingActivity, attempt: Attempt) -> tuple[int, int, int]:
    """When each of the timeouts of an attempt passes; 0 for never."""
    attributes = activity.attributes
    return (
        activity.deadline_ns,
        _after(attempt.started_ns, attributes.get("startToCloseTimeout")),
        _after(attempt.beat_ns or attempt.started_ns, attributes.get("heartbeatTimeout")),
    )


def _after(ns: int, timeout: str | None) -> int:
    length = duration_ns(timeout)
    return ns + length if length else 0


def _earliest(*limits: int) -> int:
    return min((limit for limit in limits if limit), default=0)
