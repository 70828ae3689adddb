"""A workflow task: scheduled, started, ended. Starting one moves the workflow's time."""

from __future__ import annotations

from typing import Protocol

from playhead_engine.activation import UpdateRandomSeed
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import FatalMismatch
from playhead_engine.machines.machine import Machine, Run, described
from playhead_engine.randomness import seed_of_run

_PAUSED_BEFORE_START = "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED"


class TaskClock(Run, Protocol):
    """What this machine may do to the run, beyond what every machine may."""

    def task_started(self, time_ns: int) -> None:
        """A workflow task began."""
        ...


class WorkflowTaskMachine(Machine):
    """Made by a WorkflowTaskScheduled event. `target` is the last WorkflowTaskStarted of the sequence being applied."""

    __slots__ = ("clock", "started_ns", "target")

    NAME = "WorkflowTaskMachine"
    DOES_NOT_HANDLE = "Event does not apply to a wf task machine: "
    INITIAL = "Scheduled"
    TRANSITIONS = {
        ("Scheduled", "WORKFLOW_TASK_STARTED"): "Started",
        ("Scheduled", "WORKFLOW_TASK_TIMED_OUT"): "TimedOut",
        ("Scheduled", "WORKFLOW_TASK_FAILED"): "Failed",
        ("Started", "WORKFLOW_TASK_COMPLETED"): "Completed",
        ("Started", "WORKFLOW_TASK_FAILED"): "Failed",
        ("Started", "WORKFLOW_TASK_TIMED_OUT"): "TimedOut",
    }

    def __init__(self, clock: TaskClock, target: int) -> None:
        super().__init__(clock, None)
        self.clock = clock
        self.target = target
        self.started_ns = 0

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        # Two of every six events of a long history come here, nearly always in this order.
        if self.state == "Scheduled" and event.KIND == "WORKFLOW_TASK_STARTED":
            self.state = "Started"
            self.started_ns = event.time_ns
            if self.started_ns == 0:
                raise FatalMismatch(f"Workflow task started event must contain timestamp: {described(event)}", event)
            if event.event_id >= self.target:
                self.clock.task_started(self.started_ns)
        elif self.state == "Started" and event.KIND == "WORKFLOW_TASK_COMPLETED":
            self.state = "Completed"
            if event.event_id < self.target:  # a heartbeat, whose start was not told
                self.clock.task_started(self.started_ns)
        else:
            super().on_event(event, in_last_sequence)

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        if event.KIND == "WORKFLOW_TASK_FAILED":
            cause = event.attributes.get("cause", "WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED")
            if before == "Scheduled" and not self.run.profile.forgives_pause_before_start:
                self.state = before  # there was no such transition
                self.refuse(event)
            if before == "Scheduled" and cause != _PAUSED_BEFORE_START:
                raise FatalMismatch(f"Workflow task failed before it started with cause {cause}", event)
            if before == "Started" and cause == "WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW":
                self.run.tell(UpdateRandomSeed(seed_of_run(event.attributes.get("newRunId", ""))))
