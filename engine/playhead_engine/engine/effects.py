"""What follows from events once they are safe: activities begin, timers are set, others are told.

The same follows from the state of a run that was opened again after a crash: whatever is pending in it is begun
(again).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from playhead_engine.engine.activities import Activities
from playhead_engine.engine.limits import Limits
from playhead_engine.engine.local_activities import LocalActivities
from playhead_engine.engine.neighbours import Neighbours
from playhead_engine.engine.runs import LOST, LiveRun, UpdateUndone
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.engine.workflow_tasks import WorkflowTasks
from playhead_engine.history import Event
from playhead_engine.history import events as kinds
from playhead_engine.messages import Failure
from playhead_engine.server import closing, requests
from playhead_engine.server.closing import Successor
from playhead_engine.server.consequences import STATUS_AFTER

logger = logging.getLogger("playhead_engine.engine")


class Effects:
    """Puts the parts of one engine together: what one of them brings about, and another has to do."""

    def __init__(
        self,
        scheduler: Scheduler,
        activities: Activities,
        local_activities: LocalActivities,
        neighbours: Neighbours,
        limits: Limits,
        identity: str,
    ) -> None:
        """Begin.

        Args:
            scheduler: Runs the rounds.
            activities: Runs activities.
            local_activities: Runs local activities.
            neighbours: Between runs.
            limits: How long a history may become.
            identity: Who does it.
        """
        self.tasks: WorkflowTasks
        self._scheduler = scheduler
        self._activities = activities
        self._local_activities = local_activities
        self._neighbours = neighbours
        self._limits = limits
        self._identity = identity
        self._deliveries: dict[str, list[tuple[Callable[[LiveRun, int], None], int]]] = {}

    # For the scheduler

    def run_task(self, run: LiveRun) -> None:
        self.tasks.run(run)

    def interrupt_task(self, run: LiveRun) -> None:
        self.tasks.interrupt(run)

    def watch(self) -> None:
        self._activities.watch()

    def committed(self, run: LiveRun, events: Sequence[Event]) -> None:
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, run, event)

    # For workflow tasks

    def follow_up(self, run: LiveRun, successor: Successor | None) -> None:
        self._neighbours.follow_up(run, successor)

    def start_local_activities(self, run: LiveRun) -> None:
        self._local_activities.start(run)

    def stop_local_activities(self, run: LiveRun) -> None:
        self._local_activities.forget(run)

    def holds_up(self, run: LiveRun) -> bool:
        state = run.state
        count, size = state.next_event_id - 1, state.size_bytes
        if count < self._limits.warn_events and size < self._limits.max_bytes:
            return False
        reason = closing.TOO_MANY_EVENTS if count >= self._limits.max_events else None
        if size >= self._limits.max_bytes:
            reason = closing.TOO_MANY_BYTES
        if reason is not None:
            logger.error(
                "workflow %s (%s) is terminated: its history has %d events and %d bytes, the limits are %d and %d",
                state.workflow_id,
                state.type_name,
                count,
                size,
                self._limits.max_events,
                self._limits.max_bytes,
            )
            self._neighbours.terminate(run, reason, None, self._identity)
            return True
        if not run.was_warned:
            run.was_warned = True
            logger.warning(
                "the history of workflow %s (%s) has %d events; it is terminated at %d. Continue as new before that",
                state.workflow_id,
                state.type_name,
                count,
                self._limits.max_events,
            )
        return False

    def update_refused(self, run: LiveRun, update_id: str, failure: Failure) -> None:
        update = run.updates.pop(update_id)
        error = UpdateUndone(failure)
        for waiter in update.waiters:
            self._scheduler.answer(waiter, error)

    # After a crash

    def resume(self, run: LiveRun) -> None:
        """Begin again what a run that was read from the store has pending."""
        state = run.state
        self._neighbours.opened(run)
        for timer_id in state.timers:
            self._set_timer(run, timer_id)
        for scheduled_event_id in state.activities:
            self._activities.begin(run, scheduled_event_id)
        for event_id in state.children:
            self._deliver(run, self._neighbours.start_child, event_id)
        for event_id in state.signals:
            self._deliver(run, self._neighbours.deliver_signal, event_id)
        for event_id in state.cancels:
            self._deliver(run, self._neighbours.deliver_cancel, event_id)
        if state.wants_task:
            self._scheduler.want_task(run)

    # One method for each kind of event

    def _started(self, run: LiveRun, event: Event) -> None:
        self._neighbours.opened(run)

    def _activity_scheduled(self, run: LiveRun, event: Event) -> None:
        self._activities.begin(run, event.event_id)

    def _activity_cancel_requested(self, run: LiveRun, event: Event) -> None:
        self._activities.cancel_requested(run, int(event.attributes["scheduledEventId"]))

    def _activity_canceled(self, run: LiveRun, event: Event) -> None:
        alarm = run.activity_alarms.pop(int(event.attributes["scheduledEventId"]), None)
        self._scheduler.alarms.cancel(alarm)

    def _timer_started(self, run: LiveRun, event: Event) -> None:
        self._set_timer(run, event.attributes["timerId"])

    def _set_timer(self, run: LiveRun, timer_id: str) -> None:
        timer = run.state.timers.get(timer_id)
        if timer is not None:
            run.timers[timer_id] = self._scheduler.alarms.set(timer.fire_ns, self._fire_timer, run, timer_id)

    def delay_timer(self, run: LiveRun, timer_id: str, ns: int) -> None:
        """Let a timer that is set ring later."""
        alarm = run.timers.get(timer_id)
        if alarm is not None:
            alarms = self._scheduler.alarms
            alarms.cancel(alarm)
            run.timers[timer_id] = alarms.set(alarm.due_ns + ns, alarm.action, *alarm.args)

    def _fire_timer(self, run: LiveRun, timer_id: str) -> None:
        if timer_id not in run.state.timers:
            return
        del run.timers[timer_id]
        # A workflow task that waits for local activities ends here, and may have cancelled the timer.
        self._scheduler.change(run)
        if timer_id in run.state.timers:
            requests.fire_timer(run.state, timer_id, self._scheduler.now)

    def _timer_canceled(self, run: LiveRun, event: Event) -> None:
        self._scheduler.alarms.cancel(run.timers.pop(event.attributes["timerId"], None))

    def _child_initiated(self, run: LiveRun, event: Event) -> None:
        self._deliver(run, self._neighbours.start_child, event.event_id)

    def _signal_initiated(self, run: LiveRun, event: Event) -> None:
        self._deliver(run, self._neighbours.deliver_signal, event.event_id)

    def _cancel_initiated(self, run: LiveRun, event: Event) -> None:
        self._deliver(run, self._neighbours.deliver_cancel, event.event_id)

    def _deliver(self, run: LiveRun, deliver: Callable[[LiveRun, int], None], event_id: int) -> None:
        """Do something to another run in the next round. What one run does to others keeps its order."""
        deliveries = self._deliveries.setdefault(run.state.run_id, [])
        deliveries.append((deliver, event_id))
        if len(deliveries) == 1:
            self._scheduler.post(self._deliver_all, run)

    def _deliver_all(self, run: LiveRun) -> None:
        for deliver, event_id in self._deliveries.pop(run.state.run_id):
            deliver(run, event_id)

    def _update_accepted(self, run: LiveRun, event: Event) -> None:
        update = run.updates.pop(event.attributes["protocolInstanceId"], None)
        if update is not None:
            for waiter in update.waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _update_completed(self, run: LiveRun, event: Event) -> None:
        update_id = event.attributes["meta"].get("updateId", "")
        for waiter in run.update_waiters.pop(update_id, ()):
            if not waiter.done():
                waiter.set_result(event.attributes["outcome"])

    def _closed(self, run: LiveRun, event: Event) -> None:
        alarms = self._scheduler.alarms
        for alarm in (run.deadline, run.delay, run.retry, *run.timers.values()):
            alarms.cancel(alarm)
        run.timers.clear()
        self._activities.forget(run)
        self._local_activities.forget(run)
        for waiter in run.closed_waiters:
            if not waiter.done():
                waiter.set_result(run)
        run.closed_waiters.clear()
        for waiter in run.waiters():
            waiter.set_exception(UpdateUndone(LOST))
        run.update_waiters.clear()
        run.updates.clear()


_HANDLERS: Final[Mapping[type[Event], Callable[[Effects, LiveRun, Event], None]]] = {
    kinds.WorkflowExecutionStarted: Effects._started,
    kinds.ActivityTaskScheduled: Effects._activity_scheduled,
    kinds.ActivityTaskCancelRequested: Effects._activity_cancel_requested,
    kinds.ActivityTaskCanceled: Effects._activity_canceled,
    kinds.TimerStarted: Effects._timer_started,
    kinds.TimerCanceled: Effects._timer_canceled,
    kinds.StartChildWorkflowExecutionInitiated: Effects._child_initiated,
    kinds.SignalExternalWorkflowExecutionInitiated: Effects._signal_initiated,
    kinds.RequestCancelExternalWorkflowExecutionInitiated: Effects._cancel_initiated,
    kinds.WorkflowExecutionUpdateAccepted: Effects._update_accepted,
    kinds.WorkflowExecutionUpdateCompleted: Effects._update_completed,
    **dict.fromkeys(STATUS_AFTER, Effects._closed),
}
