"""What must be true of an engine at every moment, whatever strikes.

    with Engine(..., faults=plan) as engine:
        watch(engine)

From then on all of it is looked at after every round, between two callbacks of the event loop, and the engine stops at
the first thing that is not so. Each invariant is a function that says in its first line what must be true, and yields
what is not; `INVARIANTS` names them. They look at what the store holds, at what is in memory, and at what clients were
told, and hold these against each other. This module only looks: it must not change anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.history import event_from_json
from playhead_engine.history import events as kinds
from playhead_engine.messages import Json, part
from playhead_engine.server.consequences import STATUS_AFTER
from playhead_engine.server.state import RUNNING, RunState

if TYPE_CHECKING:
    from playhead_engine.engine.core import Core
    from playhead_engine.engine.engine import Engine
    from playhead_engine.engine.runs import LiveRun
    from playhead_engine.faults.log import Acknowledged, FaultLog
    from playhead_engine.stores import Store


class InvariantBroken(AssertionError):
    """Something is not true that must be.

    Attributes:
        invariant: Which, by its name.
        problem: What is the case instead.
    """

    def __init__(self, invariant: str, problem: str) -> None:
        super().__init__(invariant, problem)
        self.invariant = invariant
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.invariant}: {self.problem}"


class StoredRun:
    """A run as the store holds it.

    Attributes:
        summary: Its summary.
        workflow_id: Its workflow id; likewise `run_id`.
        events: Its history.
    """

    def __init__(self, store: Store, summary: Json) -> None:
        self.summary = summary
        self.workflow_id: str = summary["execution"]["workflowId"]
        self.run_id: str = summary["execution"]["runId"]
        self.events = [event_from_json(event) for event in store.events(self.run_id)]
        self._store = store

    def __str__(self) -> str:
        return f"run {self.run_id} of {self.workflow_id}"

    @cached_property
    def state(self) -> RunState:
        """The state that it leaves to a process that opens the store."""
        return RunState.restored(self.workflow_id, self.run_id, self.events, self._store.pending(self.run_id))

    def of(self, *types: type[Any]) -> list[Any]:
        """Its events of some types."""
        return [event for event in self.events if isinstance(event, types)]


class Seen:
    """An engine at one moment.

    Attributes:
        core: What is in memory; None of a process that is gone.
        runs: What its store holds, in the order in which the runs were started.
        acknowledged: What clients were told is safe.
    """

    def __init__(self, core: Core | None, store: Store, acknowledged: Sequence[Acknowledged]) -> None:
        """
        Args:
            core: What is in memory; None of a process that is gone.
            store: Its store.
            acknowledged: What clients were told is safe.
        """
        self.core = core
        self.acknowledged = acknowledged
        self.runs = [StoredRun(store, summary) for summary in store.summaries()]

    def pairs(self) -> Iterator[tuple[LiveRun, StoredRun]]:
        """The open runs in memory, each with what the store holds of it; without those whose start is not stored."""
        stored = {run.run_id: run for run in self.runs}
        for run in () if self.core is None else self.core.runs.open_runs():
            if run.state.run_id in stored:
                yield run, stored[run.state.run_id]


# Histories


def events_are_numbered(seen: Seen) -> Iterator[str]:
    """The events of a run are numbered from 1, without a gap."""
    for run in seen.runs:
        for number, event in enumerate(run.events, start=1):
            if event.event_id != number:
                yield f"{run}: event {event.event_id} stands where event {number} should"
                break


def time_goes_on(seen: Seen) -> Iterator[str]:
    """No event happened before the one before it; an activity's start is written with its end, and says its own."""
    for run in seen.runs:
        latest = 0
        for event in run.events:
            if event.time_ns < latest and not isinstance(event, kinds.ActivityTaskStarted):
                yield f"{run}: event {event.event_id} is older than what stands before it"
            latest = max(latest, event.time_ns)


def begins_and_ends_once(seen: Seen) -> Iterator[str]:
    """A history begins with its start, and nothing comes after its end."""
    for run in seen.runs:
        if not run.events or not isinstance(run.events[0], kinds.WorkflowExecutionStarted):
            yield f"{run} does not begin with its start"
        if len(run.of(kinds.WorkflowExecutionStarted)) > 1:
            yield f"{run} is started twice"
        ends = [event for event in run.events if type(event) in STATUS_AFTER]
        if len(ends) > 1 or (ends and ends[0] is not run.events[-1]):
            yield f"{run} goes on after its end, event {ends[0].event_id}"


def one_open_task(seen: Seen) -> Iterator[str]:
    """At most one workflow task is open, and it is scheduled, started and ended in this order."""
    for run in seen.runs:
        stage: Any = None
        for event in run.events:
            before = _TASK_BEFORE.get(type(event), ())
            if before and stage not in before:
                yield f"{run}: event {event.event_id}, {event.type_name}, comes after {_name(stage)}"
            if before:
                stage = type(event)


_TASK_ENDS: Final = (kinds.WorkflowTaskCompleted, kinds.WorkflowTaskFailed, kinds.WorkflowTaskTimedOut)
_TASK_BEFORE: Final[Mapping[Any, tuple[Any, ...]]] = {
    kinds.WorkflowTaskScheduled: (None, *_TASK_ENDS),
    kinds.WorkflowTaskStarted: (kinds.WorkflowTaskScheduled,),
    **dict.fromkeys(_TASK_ENDS, (kinds.WorkflowTaskStarted,)),
}


def ends_follow_beginnings(seen: Seen) -> Iterator[str]:
    """What ends was begun before, and ends once: activities, timers, children, updates, and what goes to others."""
    for run in seen.runs:
        begun: dict[tuple[str, str], bool] = {}
        for event in run.events:
            for table, has_begun in ((_BEGINNINGS, True), (_ENDS, False)):
                if type(event) not in table:
                    continue
                what, key = table[type(event)]
                thing = what, str(event.event_id if key is None else _found(event.attributes, key))
                if has_begun and thing in begun and what != "timer":
                    yield f"{run}: event {event.event_id} begins {what} {thing[1]} again"
                if not has_begun and not begun.get(thing):
                    yield f"{run}: event {event.event_id} ends {what} {thing[1]}, which is not under way"
                begun[thing] = has_begun


_BEGINNINGS: Final[Mapping[Any, tuple[str, str | None]]] = {
    kinds.ActivityTaskScheduled: ("activity", None),
    kinds.TimerStarted: ("timer", "timerId"),
    kinds.StartChildWorkflowExecutionInitiated: ("child", None),
    kinds.SignalExternalWorkflowExecutionInitiated: ("signal", None),
    kinds.RequestCancelExternalWorkflowExecutionInitiated: ("request to cancel", None),
    kinds.WorkflowExecutionUpdateAccepted: ("update", "protocolInstanceId"),
}
_ENDS: Final[Mapping[Any, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            kinds.ActivityTaskCompleted,
            kinds.ActivityTaskFailed,
            kinds.ActivityTaskTimedOut,
            kinds.ActivityTaskCanceled,
        ),
        ("activity", "scheduledEventId"),
    ),
    **dict.fromkeys((kinds.TimerFired, kinds.TimerCanceled), ("timer", "timerId")),
    **dict.fromkeys(
        (
            kinds.StartChildWorkflowExecutionFailed,
            kinds.ChildWorkflowExecutionCompleted,
            kinds.ChildWorkflowExecutionFailed,
            kinds.ChildWorkflowExecutionCanceled,
            kinds.ChildWorkflowExecutionTerminated,
            kinds.ChildWorkflowExecutionTimedOut,
        ),
        ("child", "initiatedEventId"),
    ),
    kinds.ExternalWorkflowExecutionSignaled: ("signal", "initiatedEventId"),
    kinds.SignalExternalWorkflowExecutionFailed: ("signal", "initiatedEventId"),
    kinds.ExternalWorkflowExecutionCancelRequested: ("request to cancel", "initiatedEventId"),
    kinds.RequestCancelExternalWorkflowExecutionFailed: ("request to cancel", "initiatedEventId"),
    kinds.WorkflowExecutionUpdateCompleted: ("update", "meta.updateId"),
}


# Runs and each other


def one_open_run(seen: Seen) -> Iterator[str]:
    """Of one workflow id at most one run is open, and it is the newest."""
    newest: dict[str, StoredRun] = {}
    for run in seen.runs:
        before = newest.get(run.workflow_id)
        if before is not None and before.summary["status"] == RUNNING:
            yield f"{before} is still open, and {run} was started"
        newest[run.workflow_id] = run


def families_agree(seen: Seen) -> Iterator[str]:
    """A child that its parent knows to have started is there, a run that another goes on in, too."""
    there = {run.run_id for run in seen.runs}
    for run in seen.runs:
        for event in run.of(kinds.ChildWorkflowExecutionStarted):
            child = event.attributes["workflowExecution"]["runId"]
            if child not in there:
                yield f"{run}: its child {child} was started, and is not there"
        for event in run.events:
            successor = event.attributes.get("newExecutionRunId")
            if successor and type(event) in STATUS_AFTER and successor not in there:
                yield f"{run} goes on in {successor}, which is not there"


def summaries_agree(seen: Seen) -> Iterator[str]:
    """The summary of a run says of it what its history does."""
    for run in seen.runs:
        last = run.events[-1] if run.events else None
        status = STATUS_AFTER.get(type(last), RUNNING) if last is not None else RUNNING
        if run.summary["status"] != status:
            yield f"{run} is {status} by its history and {run.summary['status']} by its summary"


# Clients


def acknowledged_is_kept(seen: Seen) -> Iterator[str]:
    """What a client was told has been accepted is in a history: starts, signals, updates, requests to cancel."""
    found: Counter[tuple[str, str, str]] = Counter()
    for run in seen.runs:
        found["start", run.workflow_id, run.run_id] += 1
        for event in run.of(kinds.WorkflowExecutionSignaled):
            found["signal", run.workflow_id, event.attributes.get("signalName", "")] += 1
        for event in run.of(kinds.WorkflowExecutionUpdateAccepted):
            found["update", run.workflow_id, event.attributes.get("protocolInstanceId", "")] += 1
        if run.state.cancel_requested:
            found["cancel", run.workflow_id, ""] += 1
    told = Counter((one.kind, one.workflow_id, one.what) for one in seen.acknowledged)
    for what, count in told.items():
        if what[0] in ("start", "update", "cancel"):  # asked for again, they are the same one
            count = 1
        if found[what] < count:
            kind, workflow_id, name = what
            yield f"{count} times a client of {workflow_id} was told that {kind} {name!r} is safe; {found[what]} are"


# Memory


def memory_is_what_is_stored(seen: Seen) -> Iterator[str]:
    """A process that opened the store now would find each open run as it is in memory, and what is not committed."""
    for run, stored in seen.pairs():
        state, found = run.state, stored.state
        fresh = state.fresh
        if found.next_event_id + len(fresh) != state.next_event_id:
            yield f"{stored}: {found.next_event_id - 1} events are stored, memory has {state.next_event_id - 1}"
            continue
        for event in fresh:
            found.apply(event)
        for name in _COMPARED:
            ours, theirs = _plain(getattr(state, name)), _plain(getattr(found, name))
            if ours != theirs:
                yield f"{stored}: {name} is {ours!r} in memory, and would be {theirs!r} after a crash"


_COMPARED: Final = (
    "started",
    "start_ns",
    "status",
    "activities",
    "activity_ids",
    "timers",
    "children",
    "signals",
    "cancels",
    "updates",
    "cancel_requested",
    "memo",
    "search_attributes",
    "core_flags",
    "lang_flags",
    "task_scheduled_id",
    "task_started_id",
)


def nothing_before_its_commit(seen: Seen) -> Iterator[str]:
    """What is under way in the world was committed before: no attempt and no alarm without its event in the store."""
    for run, stored in seen.pairs():
        found = stored.state
        for event_id in run.attempts:
            if event_id not in found.activities:
                yield f"{stored}: an attempt is under way at activity {event_id}, which is not stored"
        for timer_id in run.timers:
            if timer_id not in found.timers:
                yield f"{stored}: an alarm is set for timer {timer_id!r}, which is not stored"


def nothing_is_forgotten(seen: Seen) -> Iterator[str]:
    """What a run waits for will happen: each pending activity runs or is due, each timer has an alarm."""
    if seen.core is None or seen.core.scheduler.is_round_due:
        return  # it is about to be seen to
    for run, stored in seen.pairs():
        if run.state.fresh or run.is_waiting:
            continue
        for event_id, activity in run.state.activities.items():
            if event_id not in run.attempts and event_id not in run.activity_alarms:
                yield f"{stored}: nobody sees to activity {event_id} ({activity.type_name})"
        for timer_id in run.state.timers:
            if timer_id not in run.timers:
                yield f"{stored}: no alarm is set for timer {timer_id!r}"


INVARIANTS: Final[Mapping[str, Callable[[Seen], Iterator[str]]]] = {
    check.__name__.replace("_", " "): check
    for check in (
        events_are_numbered,
        time_goes_on,
        begins_and_ends_once,
        one_open_task,
        ends_follow_beginnings,
        one_open_run,
        families_agree,
        summaries_agree,
        acknowledged_is_kept,
        memory_is_what_is_stored,
        nothing_before_its_commit,
        nothing_is_forgotten,
    )
}
"""What must be true, by name."""


def check(core: Core | None, store: Store, acknowledged: Sequence[Acknowledged]) -> None:
    """Look at an engine, or at what one has left behind.

    Args:
        core: What is in memory; None of a process that is gone.
        store: Its store.
        acknowledged: What its clients were told is safe.

    Raises:
        InvariantBroken: Something is not true of it that must be.
    """
    seen = Seen(core, store, acknowledged)
    for name, invariant in INVARIANTS.items():
        for problem in invariant(seen):
            raise InvariantBroken(name, problem)


def watch(engine: Engine) -> None:
    """Look at an engine after every round from now on, and have it stop when something is not true that must be.

    Args:
        engine: An engine with a fault plan; an empty one will do.

    Raises:
        ValueError: It has none.
    """
    engine.injector.after_rounds = _look


def _look(core: Core, store: Store, log: FaultLog) -> None:
    try:
        check(core, store, log.acknowledged)
    except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for the engine are told
        stopped = EngineStopped(str(error))
        stopped.__cause__ = error
        core.scheduler.stop(stopped)


def _found(attributes: Json, path: str) -> object:
    *parts, last = path.split(".")
    for name in parts:
        attributes = part(attributes, name)
    return attributes.get(last, "")


def _plain(value: Any) -> Any:
    """Something of a state, as it can be compared; without what a crash may take away."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, set):
        return sorted(value)
    slots = getattr(type(value), "__slots__", None)
    if slots is None or isinstance(value, str | int):
        return value
    return {name: getattr(value, name) for name in slots if name not in _LOST_IN_A_CRASH}


_LOST_IN_A_CRASH: Final = ("started_ns", "heartbeat_details")


def _name(stage: Any) -> str:
    return "nothing" if stage is None else stage.__name__
