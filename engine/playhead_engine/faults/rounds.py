"""Workflow tasks and timers that faults strike: between the rounds of an engine and those who do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from playhead_engine.convert import duration_ns
from playhead_engine.history import Event
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, part
from playhead_engine.server.chains import WORKFLOW_TASK_TIMEOUT

if TYPE_CHECKING:
    from playhead_engine.engine.effects import Effects
    from playhead_engine.engine.runs import LiveRun
    from playhead_engine.faults.injector import Injector
    from playhead_engine.faults.plan import Fault


A_MOMENT_NS: Final = 1_000_000
"""How much later something comes that comes after everything else of its instant."""

_POINTS: Final[Mapping[type[Event], Callable[[Json], str]]] = {
    kinds.TimerStarted: lambda _: "",
    kinds.SignalExternalWorkflowExecutionInitiated: lambda attributes: attributes.get("signalName", ""),
    kinds.StartChildWorkflowExecutionInitiated: lambda attributes: part(attributes, "workflowType").get("name", ""),
    kinds.RequestCancelExternalWorkflowExecutionInitiated: lambda _: "cancel",
}
"""The events that a fault can keep from having their effect for a while, and what the point is named after."""


class FaultyWork:
    """What is done in rounds, with a point at each workflow task and at some events; see `seams.Work`."""

    def __init__(self, effects: Effects, injector: Injector) -> None:
        """
        Args:
            effects: What does the work.
            injector: Says whether a fault strikes.
        """
        self._effects = effects
        self._injector = injector
        self._lost: set[str] = set()  # runs whose workflow task somebody has who will never say so
        self._crash_after: Fault | None = None
        self.interrupt_task = effects.interrupt_task
        self.watch = effects.watch
        self.follow_up = effects.follow_up
        self.start_local_activities = effects.start_local_activities
        self.stop_local_activities = effects.stop_local_activities
        self.update_refused = effects.update_refused

    def run_task(self, run: LiveRun) -> None:
        """Run the workflow task of a run that is due."""
        self._effects.run_task(run)
        fault, self._crash_after = self._crash_after, None
        if fault is not None:
            raise self._injector.crash(fault)

    def holds_up(self, run: LiveRun) -> bool:
        """Whether the workflow task that is about to be run is not run after all."""
        effects, state = self._effects, run.state
        if state.run_id in self._lost or effects.holds_up(run):
            return True
        fault = self._injector.comes_to("task", state.type_name, state.workflow_id)
        if fault is None:
            return False
        match fault.strike:
            case "crash-after":
                self._crash_after = fault
            case "evict":
                effects.tasks.evict(run)
            case "lose":
                self.lose_task(run)
            case "lose-worker":
                self.lose_task(run)
                self._injector.lose_worker()
            case _:
                raise self._injector.crash(fault)
        return state.run_id in self._lost

    def committed(self, run: LiveRun, events: Sequence[Event]) -> None:
        """Do what follows from events that are safe now."""
        effects = self._effects
        if _POINTS.keys().isdisjoint(map(type, events)):
            effects.committed(run, events)
            return
        at_once: list[Event] = []
        late_timers: list[tuple[str, int]] = []
        for event in events:
            fault = self._comes_to(run, event)
            if fault is None:
                at_once.append(event)
            elif isinstance(event, kinds.TimerStarted):
                at_once.append(event)
                late_timers.append((event.attributes["timerId"], fault.ns))
            else:
                delay_ns = A_MOMENT_NS if fault.strike == "reorder" else fault.ns
                scheduler = self._injector.core.scheduler
                scheduler.alarms.set(scheduler.now.ns + delay_ns, effects.committed, run, (event,))
        effects.committed(run, at_once)
        for timer_id, ns in late_timers:
            effects.delay_timer(run, timer_id, ns)

    def _comes_to(self, run: LiveRun, event: Event) -> Fault | None:
        name = _POINTS.get(type(event))
        if name is None:
            return None
        state = run.state
        if isinstance(event, kinds.TimerStarted):
            return self._injector.comes_to("timer", state.type_name, state.workflow_id)
        return self._injector.comes_to("delivery", name(event.attributes), state.workflow_id)

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
