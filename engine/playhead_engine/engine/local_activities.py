"""Local activities: run inside a workflow task, which is completed when all of them have ended.

Their ends become markers, as Temporal's core writes them. An attempt that fails is tried again within the task, unless
the wait is longer than the code allows for; then the code itself waits, with a timer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from playhead_engine.activity import ActivityCancellationDetails, Info
from playhead_engine.commands import ScheduleLocalActivity
from playhead_engine.convert import NS_PER_SECOND, duration_ns
from playhead_engine.engine.activity_info import activity_info
from playhead_engine.engine.alarms import Alarm
from playhead_engine.engine.attempt_runner import AttemptRunner
from playhead_engine.engine.attempts import Attempt, Cancelled, Completed, Failed, Outcome, Postponed
from playhead_engine.engine.registry import Registry
from playhead_engine.engine.runs import LiveRun
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.exceptions import RetryState
from playhead_engine.machines.markers import LocalActivityMarker
from playhead_engine.messages import Failure, Json, Payload, Payloads, part
from playhead_engine.retry import next_delay_ns
from playhead_engine.server import tasks

if TYPE_CHECKING:
    from playhead_engine.engine.workflow_tasks import WorkflowTasks
    from playhead_engine.machines.local_activity import LocalActivityMachine

logger = logging.getLogger("playhead_engine.engine")

_START_TO_CLOSE: Final = "TIMEOUT_TYPE_START_TO_CLOSE"
_SCHEDULE_TO_CLOSE: Final = "TIMEOUT_TYPE_SCHEDULE_TO_CLOSE"


class LocalActivity:
    """A local activity that a workflow task waits for.

    Attributes:
        run: The run.
        machine: What the rules know of it.
        command: What the code asked for.
        number: Number of the attempt that is under way or comes next, from 1.
        scheduled_ns: When the first attempt was scheduled.
        due_ns: When this attempt was.
        attempt: What runs; None between attempts.
        alarm: Its timeout, or the next attempt.
    """

    __slots__ = ("alarm", "attempt", "command", "due_ns", "machine", "number", "run", "scheduled_ns")

    def __init__(
        self, run: LiveRun, machine: LocalActivityMachine, command: ScheduleLocalActivity, now_ns: int
    ) -> None:
        self.run = run
        self.machine = machine
        self.command = command
        self.number = command.attempt
        original = command.original_schedule_time
        self.scheduled_ns = now_ns if original is None else original["seconds"] * NS_PER_SECOND + original["nanos"]
        self.due_ns = now_ns
        self.attempt: Attempt | None = None
        self.alarm: Alarm | None = None

    @property
    def type_name(self) -> str:
        """Its name."""
        return str(part(self.command.attributes, "activityType").get("name", ""))

    @property
    def deadline_ns(self) -> int:
        """When it must have ended, retries included; 0 for never."""
        timeout = duration_ns(self.command.attributes.get("scheduleToCloseTimeout"))
        return self.scheduled_ns + timeout if timeout else 0


class LocalActivities:
    """The local activities of one engine's runs.

    Attributes:
        tasks: Goes on with a task when what it waits for has ended.
    """

    tasks: WorkflowTasks

    def __init__(self, scheduler: Scheduler, runner: AttemptRunner, registry: Registry) -> None:
        """Begin without any.

        Args:
            scheduler: Runs the rounds.
            runner: Runs attempts.
            registry: What there is code for.
        """
        self._scheduler = scheduler
        self._runner = runner
        self._registry = registry

    def start(self, run: LiveRun) -> None:
        """Run what the workflow task of a run waits for; stop what it no longer wants."""
        assert run.machines is not None
        wanted = {machine.seq: machine for machine in run.machines.local_activities_to_run()}
        for seq, local in list(run.local_attempts.items()):
            if seq not in wanted:
                self._drop(local)
            elif local.machine.is_cancel_requested:
                self._cancel(local)
        for seq, machine in wanted.items():
            if seq not in run.local_attempts:
                command = machine.command
                assert isinstance(command, ScheduleLocalActivity)
                local = run.local_attempts[seq] = LocalActivity(run, machine, command, self._scheduler.now.ns)
                # Not before the events that led here are safe.
                self._scheduler.when_committed(self._begin, local)

    def forget(self, run: LiveRun) -> None:
        """The task is given up."""
        for local in list(run.local_attempts.values()):
            self._drop(local)

    def _begin(self, local: LocalActivity) -> None:
        if local.run.local_attempts.get(local.machine.seq) is not local or local.attempt is not None:
            return
        now_ns = self._scheduler.now.ns
        begin = self._registry.find(local.type_name)
        if begin is None:
            known = ", ".join(self._registry.names()) or "none"
            failure: Failure = {
                "message": f"local activity {local.type_name!r} is not registered; registered are: {known}",
                "applicationFailureInfo": {"type": "NotFoundError", "nonRetryable": True},
            }
            self._scheduler.post(self._failed, local, failure)
            return
        local.alarm = None
        local.attempt = begin(self._runner, local.command.attributes, self, local, local.number, now_ns)
        self._runner.start(local.attempt)
        self._watch(local, now_ns)

    def _watch(self, local: LocalActivity, now_ns: int) -> None:
        timeout = duration_ns(local.command.attributes.get("startToCloseTimeout"))
        limits = [(now_ns + timeout, _START_TO_CLOSE)] if timeout else []
        if local.deadline_ns:
            limits.append((local.deadline_ns, _SCHEDULE_TO_CLOSE))
        if limits:
            due_ns, kind = min(limits)
            local.alarm = self._scheduler.alarms.set(due_ns, self._too_long, local, local.attempt, kind)

    def _too_long(self, local: LocalActivity, attempt: Attempt, kind: str) -> None:
        if local.attempt is not attempt:
            return
        attempt.is_over = True
        attempt.request_cancel(ActivityCancellationDetails(timed_out=True), at_once=True)
        self._failed(local, {"message": "Activity timed out", "timeoutFailureInfo": {"timeoutType": kind}})

    def _cancel(self, local: LocalActivity) -> None:
        if local.attempt is not None:
            local.attempt.request_cancel(ActivityCancellationDetails(cancel_requested=True), at_once=True)
        else:
            failure: Failure = {"message": "Activity cancelled", "canceledFailureInfo": {}}
            self._scheduler.post(self._resolve, local, None, failure, None)

    def _drop(self, local: LocalActivity) -> None:
        self._scheduler.alarms.cancel(local.alarm)
        local.run.local_attempts.pop(local.machine.seq, None)
        if local.attempt is not None:
            local.attempt.is_over = True
            local.attempt.request_cancel(ActivityCancellationDetails(cancel_requested=True), at_once=True)

    # For the attempts

    def info_of(self, attempt: Attempt) -> Info:
        local: LocalActivity = attempt.what
        return activity_info(
            local.run,
            local.command.attributes,
            attempt=attempt.attempt,
            scheduled_ns=local.scheduled_ns,
            due_ns=local.due_ns,
            started_ns=attempt.started_ns,
            heartbeat_details=(),
            token=f"{local.run.state.run_id}/local-{local.machine.seq}/{attempt.attempt}",
            is_local=True,
        )

    def on_heartbeat(self, attempt: Attempt, details: Payloads) -> None:
        """Local activities have no heartbeats; saying so is allowed and does nothing."""

    def on_ended(self, attempt: Attempt, outcome: Outcome) -> None:
        if not attempt.is_over:
            self._scheduler.post(self._ended, attempt.what, attempt, outcome)

    def _ended(self, local: LocalActivity, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.is_over or local.attempt is not attempt:
            return
        attempt.is_over = True
        match outcome:
            case Completed(result):
                self._resolve(local, result, None, None)
            case Cancelled(_, failure) if local.machine.is_cancel_requested:
                self._resolve(local, None, failure, None)
            case Cancelled(_, failure) | Failed(failure):
                self._failed(local, failure)
            case Postponed():
                problem = "a local activity cannot be completed by somebody else: raise_complete_async is for others"
                self._failed(local, {"message": problem, "applicationFailureInfo": {"nonRetryable": True}})

    def _failed(self, local: LocalActivity, failure: Failure) -> None:
        """An attempt failed: try again here, or let the code wait, or give up."""
        if local.run.local_attempts.get(local.machine.seq) is not local:
            return
        self._scheduler.alarms.cancel(local.alarm)
        local.attempt = None
        now_ns = self._scheduler.now.ns
        delay: int | RetryState = RetryState.CANCEL_REQUESTED
        if not local.machine.is_cancel_requested:
            delay = next_delay_ns(
                local.command.attributes.get("retryPolicy"),
                local.number,
                failure,
                now_ns - local.scheduled_ns,
                duration_ns(local.command.attributes.get("scheduleToCloseTimeout")),
            )
        if isinstance(delay, RetryState):
            self._resolve(local, None, failure, None)
        elif delay > local.command.local_retry_threshold_ns:
            self._resolve(local, None, failure, delay)
        else:
            local.number += 1
            local.due_ns = now_ns + delay
            local.alarm = self._scheduler.alarms.set(local.due_ns, self._begin, local)

    def _resolve(
        self, local: LocalActivity, result: Payload | None, failure: Failure | None, backoff_ns: int | None
    ) -> None:
        run, machine = local.run, local.machine
        if run.local_attempts.get(machine.seq) is not local:
            return
        if not run.has_task_under_way:
            # Something else happened to the run in this round; the task that waits now begins at its end. Where it was
            # a timer that the interrupted task has just cancelled, nothing wants a task but this.
            tasks.schedule(run.state, self._scheduler.now)
            self._scheduler.touch(run)
            self._scheduler.want_task(run)
            self._scheduler.post(self._resolve, local, result, failure, backoff_ns)
            return
        self._scheduler.alarms.cancel(local.alarm)
        del run.local_attempts[machine.seq]
        assert run.machines is not None
        data: Json = {
            "seq": machine.seq,
            "attempt": local.number,
            "activity_id": str(local.command.attributes.get("activityId", "")),
            "activity_type": local.type_name,
            "complete_time": _seconds(self._scheduler.now.ns),
            "backoff": None if backoff_ns is None else _seconds(backoff_ns),
            "original_schedule_time": _seconds(local.scheduled_ns),
        }
        run.machines.resolve_local_activity(machine.seq, LocalActivityMarker(data, result, failure))
        self.tasks.go_on(run)


def _seconds(ns: int) -> Json:
    seconds, nanos = divmod(ns, NS_PER_SECOND)
    return {"seconds": seconds, "nanos": nanos}
