"""Workflow tasks and timers that faults strike: between the rounds of an engine and those who do the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead_engine.convert import duration_ns
from playhead_engine.history import Event
from playhead_engine.history.events import TimerStarted
from playhead_engine.server.chains import WORKFLOW_TASK_TIMEOUT

if TYPE_CHECKING:
    from playhead_engine.engine.effects import Effects
    from playhead_engine.engine.runs import LiveRun
    from playhead_engine.faults.injector import Injector


class FaultyParts:
    """See `scheduler.Parts`."""

    def __init__(self, effects: Effects, injector: Injector) -> None:
        """
        Args:
            effects: What does the work.
            injector: Says whether a fault strikes.
        """
        self._effects = effects
        self._injector = injector
        self._lost: set[str] = set()  # runs whose workflow task somebody has who will never say so
        self.interrupt_task = effects.interrupt_task
        self.watch = effects.watch

    def run_task(self, run: LiveRun) -> None:
        """Run the workflow task of a run that is due."""
        effects, state = self._effects, run.state
        if state.run_id in self._lost or not effects.tasks.is_due(run):
            return
        fault = self._injector.comes_to("task", state.type_name, state.workflow_id)
        if fault is None:
            effects.run_task(run)
            return
        match fault.strike:
            case "crash-after":
                effects.run_task(run)
                raise self._injector.crash(fault)
            case "evict":
                effects.tasks.evict(run)
                effects.run_task(run)
            case "lose":
                self.lose_task(run)
            case "lose-worker":
                self.lose_task(run)
                self._injector.lose_worker()
            case _:
                raise self._injector.crash(fault)

    def committed(self, run: LiveRun, events: Sequence[Event]) -> None:
        """Do what follows from events that are safe now."""
        self._effects.committed(run, events)
        state = run.state
        for event in events:
            if isinstance(event, TimerStarted):
                fault = self._injector.comes_to("timer", state.type_name, state.workflow_id)
                if fault is not None:
                    self._effects.delay_timer(run, event.attributes["timerId"], fault.ns)

    def lose_task(self, run: LiveRun) -> None:
        """Whoever has the workflow task of a run will never say what came of it: it times out."""
        effects, state = self._effects, run.state
        effects.tasks.lose(run)
        self._lost.add(state.run_id)
        scheduler = self._injector.core.scheduler
        timeout = duration_ns(state.started.get("workflowTaskTimeout", WORKFLOW_TASK_TIMEOUT))
        scheduler.alarms.set(scheduler.now.ns + timeout, self._task_timed_out, run)

    def _task_timed_out(self, run: LiveRun) -> None:
        self._lost.discard(run.state.run_id)
        self._effects.tasks.time_out(run)
