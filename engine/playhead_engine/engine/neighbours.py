"""What runs do to each other: start children, send signals, ask to cancel; and what the end of one means to others.

The events of both sides are written in one round, and so committed in one transaction: after a crash a child has
started and its parent knows, or neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playhead_engine.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from playhead_engine.convert import duration_ns, enum_member
from playhead_engine.engine.runs import LiveRun, Runs
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.messages import Json, Payloads, part
from playhead_engine.server import chains, closing, links, requests
from playhead_engine.server.pending import PendingChild
from playhead_engine.server.state import RunState

_ABANDON: Final = "PARENT_CLOSE_POLICY_ABANDON"
_REQUEST_CANCEL: Final = "PARENT_CLOSE_POLICY_REQUEST_CANCEL"


class Neighbours:
    """Between the runs of one engine."""

    def __init__(
        self, scheduler: Scheduler, runs: Runs, new_id: Callable[[], str], identity: str, *, assume_delivery: bool
    ) -> None:
        """Begin.

        Args:
            scheduler: Runs the rounds.
            runs: All runs.
            new_id: Makes ids of runs.
            identity: Who does it.
            assume_delivery: Whether what is sent to workflows that are not here counts as delivered.
        """
        self._assume_delivery = assume_delivery
        self._scheduler = scheduler
        self._runs = runs
        self._new_id = new_id
        self._identity = identity

    # Starting

    def start(self, workflow_id: str, run_id: str, attributes: Json) -> LiveRun:
        """Start a run. Its first workflow task waits until that is committed.

        Args:
            workflow_id: The id.
            run_id: The id of the run.
            attributes: Attributes of its WorkflowExecutionStarted event.
        """
        return self.adopt(requests.start(workflow_id, run_id, attributes, self._scheduler.now))

    def adopt(self, state: RunState) -> LiveRun:
        """Take in a run that was just made."""
        run = LiveRun(state)
        self._runs.add(run)
        self._scheduler.touch(run)
        self._scheduler.when_committed(self._scheduler.want_task, run)
        return run

    def start_child(self, parent: LiveRun, initiated_event_id: int) -> None:
        """A workflow asked for a child, and that is committed."""
        pending = parent.state.children.get(initiated_event_id)
        if pending is None or pending.run_id or parent.state.closing is not None:
            return
        self._scheduler.change(parent)
        if self._can_start(pending):
            run = self._start_child(parent.state, pending)
            links.child_started(parent.state, pending, run.state.run_id, self._scheduler.now)
        else:
            links.child_not_started(parent.state, pending, self._scheduler.now)

    def _can_start(self, pending: PendingChild) -> bool:
        reuse = enum_member(WorkflowIDReusePolicy, pending.attributes.get("workflowIdReusePolicy"))
        status = self._runs.status(pending.workflow_id)
        decision = requests.decide_start(
            None if status is None else status[0],
            reuse or WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            WorkflowIDConflictPolicy.FAIL,
        )
        if decision == "terminate existing":
            self.terminate_existing(pending.workflow_id)
            return True
        return decision == "start"

    def _start_child(self, parent: RunState, pending: PendingChild) -> LiveRun:
        run_id = self._new_id()
        attributes = requests.child(parent, pending, run_id, self._identity, self._scheduler.now)
        return self.start(pending.workflow_id, run_id, attributes)

    def terminate_existing(self, workflow_id: str) -> None:
        """Make way for a new run of the same id."""
        run = self._runs.open_run(workflow_id)
        if run is not None:
            self.terminate(run, "TerminateIfRunning WorkflowIdReusePolicy", None, self._identity)

    # Ending

    def terminate(self, run: LiveRun, reason: str, details: Payloads | None, identity: str) -> None:
        """End a run without asking it."""
        self._scheduler.change(run)
        closing.terminate(run.state, reason, details, identity, self._scheduler.now)
        self.follow_up(run, None)

    def time_out(self, run: LiveRun) -> None:
        """The run's time is over."""
        if run.state.closing is not None:
            return
        self._scheduler.change(run)
        successor = closing.time_out(run.state, self._new_id, self._scheduler.now)
        self.follow_up(run, successor)

    def follow_up(self, run: LiveRun, successor: closing.Successor | None) -> None:
        """A run has closed: start what follows it, tell its parent, see to its children."""
        state = run.state
        self._scheduler.touch(run)
        self._runs.closed(run)
        self._close_children(state)
        if successor is not None:
            self.start(state.workflow_id, successor.run_id, successor.started)
        else:
            self._tell_parent(run)

    def _tell_parent(self, run: LiveRun) -> None:
        state = run.state
        parent_execution = state.started.get("parentWorkflowExecution")
        if parent_execution is None or state.closing is None:
            return
        parent = self._runs.by_run_id(parent_execution["runId"])
        if parent is None:
            return
        pending = parent.state.children.get(int(state.started["parentInitiatedEventId"]))
        if pending is None or pending.workflow_id != state.workflow_id:
            return
        self._scheduler.change(parent)
        links.child_closed(parent.state, pending, state.run_id, state.closing, self._scheduler.now)

    def _close_children(self, parent: RunState) -> None:
        for pending in parent.children.values():
            policy = pending.attributes.get("parentClosePolicy", "PARENT_CLOSE_POLICY_TERMINATE")
            if policy == _ABANDON:
                if not pending.run_id and self._can_start(pending):
                    self._start_child(parent, pending)
                continue
            child = self._runs.open_run(pending.workflow_id)
            if child is None or not _is_child_of(child.state, parent):
                continue
            if policy == _REQUEST_CANCEL:
                self._scheduler.change(child)
                requests.request_cancel(child.state, self._scheduler.now, identity=self._identity)
            else:
                self.terminate(child, "by parent close policy", None, self._identity)

    # Signals and requests to cancel

    def deliver_signal(self, sender: LiveRun, initiated_event_id: int) -> None:
        """A workflow signals another, and that is committed."""
        asked = sender.state.signals.get(initiated_event_id)
        if asked is None or sender.state.closing is not None:
            return
        target = self._target(sender.state, asked)
        if target is not None:
            self._scheduler.change(target)
            header = part(asked, "header").get("fields")
            requests.signal(
                target.state,
                asked.get("signalName", ""),
                asked.get("input"),
                self._scheduler.now,
                identity=self._identity,
                headers=header,
                sender={"workflowId": sender.state.workflow_id, "runId": sender.state.run_id},
            )
        self._scheduler.change(sender)
        links.signal_delivered(sender.state, initiated_event_id, self._is_delivered(asked, target), self._scheduler.now)

    def deliver_cancel(self, sender: LiveRun, initiated_event_id: int) -> None:
        """A workflow asks another to cancel, and that is committed."""
        asked = sender.state.cancels.get(initiated_event_id)
        if asked is None or sender.state.closing is not None:
            return
        target = self._target(sender.state, asked)
        if target is not None:
            self._scheduler.change(target)
            requests.request_cancel(
                target.state,
                self._scheduler.now,
                reason=asked.get("reason", ""),
                identity=self._identity,
                requested_by=(
                    {"workflowId": sender.state.workflow_id, "runId": sender.state.run_id},
                    initiated_event_id,
                ),
            )
        self._scheduler.change(sender)
        links.cancel_delivered(sender.state, initiated_event_id, self._is_delivered(asked, target), self._scheduler.now)

    def _is_delivered(self, asked: Json, target: LiveRun | None) -> bool:
        if target is None and self._assume_delivery:
            return self._runs.status(part(asked, "workflowExecution").get("workflowId", "")) is None
        return target is not None

    def _target(self, sender: RunState, asked: Json) -> LiveRun | None:
        execution = part(asked, "workflowExecution")
        target = self._runs.open_run(execution.get("workflowId", ""), execution.get("runId") or None)
        if target is not None and asked.get("childWorkflowOnly") and not _is_child_of(target.state, sender):
            return None
        return target

    # Time

    def opened(self, run: LiveRun) -> None:
        """A run is open, and that is committed: set its deadline and its delay."""
        state, alarms = run.state, self._scheduler.alarms
        deadline_ns = chains.deadline_ns(state)
        if deadline_ns:
            run.deadline = alarms.set(deadline_ns, self.time_out, run)
        if duration_ns(state.started.get("firstWorkflowTaskBackoff")) and requests.is_delayed(state):
            run.delay = alarms.set(requests.delay_ends_ns(state), self._delay_over, run)

    def _delay_over(self, run: LiveRun) -> None:
        if requests.is_delayed(run.state):
            self._scheduler.change(run)
            requests.end_delay(run.state, self._scheduler.now)


def _is_child_of(child: RunState, parent: RunState) -> bool:
    execution = part(child.started, "parentWorkflowExecution")
    return execution.get("runId") == parent.run_id
