"""The runs an engine has in its hands.

A `LiveRun` is what is in memory of one run: its state, and beside it what is no part of its history: the workflow
object between two tasks, attempts at activities, alarms, those who wait for it. All open runs are here; of closed ones
only those that were of interest lately.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from playhead_engine.activation import DoUpdate
from playhead_engine.convert import time_ns
from playhead_engine.engine.alarms import Alarm
from playhead_engine.history import event_from_json
from playhead_engine.messages import Failure, Json
from playhead_engine.runtime import WorkflowInstance
from playhead_engine.server.state import RUNNING, RunState
from playhead_engine.stores import Store

if TYPE_CHECKING:
    from playhead_engine.engine.attempts import Attempt
    from playhead_engine.engine.local_activities import LocalActivity
    from playhead_engine.matching import Machines

Waiter = asyncio.Future[Any]


class TaskTrouble:
    """Why the workflow tasks of a run fail.

    Attributes:
        error: What the code raised last.
        attempts: How often it was tried.
        is_parked: Whether it is not tried again before something new happens to the run.
    """

    __slots__ = ("attempts", "error", "is_parked")

    def __init__(self, error: BaseException, attempts: int, is_parked: bool) -> None:
        self.error = error
        self.attempts = attempts
        self.is_parked = is_parked


class UpdateUndone(Exception):
    """An update was refused, or will never end. Whoever talks to the client says so, in the client's own errors.

    Attributes:
        failure: Why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


LOST: Final[Failure] = {
    "message": "the workflow ended before the update did",
    "applicationFailureInfo": {"type": "AcceptedUpdateCompletedWorkflow", "nonRetryable": True},
}
"""Why an update that was accepted will never end."""


class PendingUpdate:
    """An update that was requested and is not accepted yet, and those who wait for its acceptance.

    Attributes:
        job: What the code is told.
        request: The request as the accepted event will hold it.
        waiters: Get None when it is accepted, or an error.
        is_told: Whether the workflow code that is in memory was told.
    """

    __slots__ = ("is_told", "job", "request", "waiters")

    def __init__(self, job: DoUpdate, request: Json) -> None:
        self.job = job
        self.request = request
        self.waiters: list[Waiter] = []
        self.is_told = False


class LiveRun:
    """One run in memory.

    Attributes:
        state: What follows from its events.
        instance: The workflow code in the middle of the run; None if it is not in memory.
        machines: Its half of the rules; there whenever `instance` is.
        lang_flags: Flags that the workflow task under way relied on.
        attempts: Attempts at activities that are under way, by the id of the event that scheduled the activity.
        local_attempts: Local activities that are under way, by their number.
        timers: Alarms of its timers, by timer id; `activity_alarms` those of activities that wait, by event id.
        deadline: Alarm of the run's timeout; `delay` that of its first workflow task, `retry` that of a failed one.
        trouble: Why its workflow tasks fail; None if they do not.
        updates: Updates that are not accepted yet, by id.
        closed_waiters: Get the run when it has closed.
        update_waiters: Get the outcome of an accepted update, by id.
        is_waiting: Whether it is in the list of runs whose workflow task is due.
        was_warned: Whether somebody was told how long its history has become.
    """

    __slots__ = (
        "activity_alarms",
        "attempts",
        "closed_waiters",
        "deadline",
        "delay",
        "instance",
        "is_waiting",
        "lang_flags",
        "local_attempts",
        "machines",
        "retry",
        "state",
        "timers",
        "trouble",
        "update_waiters",
        "updates",
        "was_warned",
    )

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.instance: WorkflowInstance | None = None
        self.machines: Machines | None = None
        self.lang_flags: set[int] = set()
        self.attempts: dict[int, Attempt] = {}
        self.local_attempts: dict[int, LocalActivity] = {}
        self.timers: dict[str, Alarm] = {}
        self.activity_alarms: dict[int, Alarm] = {}
        self.deadline: Alarm | None = None
        self.delay: Alarm | None = None
        self.retry: Alarm | None = None
        self.trouble: TaskTrouble | None = None
        self.updates: dict[str, PendingUpdate] = {}
        self.closed_waiters: list[Waiter] = []
        self.update_waiters: dict[str, list[Waiter]] = {}
        self.is_waiting = self.was_warned = False

    def forget_code(self) -> None:
        """Throw the workflow code out of memory. It is brought back by replaying the history."""
        if self.instance is not None:
            self.instance.close()
        if self.machines is not None:
            vars(self.machines).clear()
        self.instance = self.machines = None
        self.lang_flags.clear()
        for update in self.updates.values():
            update.is_told = False

    def waiters(self) -> list[Waiter]:
        """All who wait for something of the run and have not been told yet."""
        waiting = [*self.closed_waiters]
        for outcomes in self.update_waiters.values():
            waiting += outcomes
        for update in self.updates.values():
            waiting += update.waiters
        return [waiter for waiter in waiting if not waiter.done()]

    @property
    def has_task_under_way(self) -> bool:
        """Whether a workflow task has started and waits for local activities."""
        return self.state.task_started_id != 0


class Runs:
    """Finds runs, and keeps what is in memory of them within bounds.

    Attributes:
        count: How many runs the store held at first.
    """

    def __init__(self, store: Store, max_cached: int) -> None:
        """Begin with the runs of a store.

        Args:
            store: Where histories are kept.
            max_cached: How many runs to keep the workflow code of in memory, and how many closed runs.
        """
        self._store = store
        self._max_cached = max_cached
        self._open: dict[str, LiveRun] = {}
        self._closed: OrderedDict[str, LiveRun] = OrderedDict()
        self._with_code: OrderedDict[str, LiveRun] = OrderedDict()
        self._last_used: LiveRun | None = None
        self._newest: dict[str, str] = {}
        self.count = 0

    def open_runs(self) -> list[LiveRun]:
        """All runs that are not closed."""
        return list(self._open.values())

    def add(self, run: LiveRun) -> None:
        """A run has been started; it is the newest of its workflow id."""
        state = run.state
        self._open[state.run_id] = run
        self._newest[state.workflow_id] = state.run_id

    def closed(self, run: LiveRun) -> None:
        """A run has closed."""
        run_id = run.state.run_id
        if self._open.pop(run_id, None) is not None:
            self._keep_closed(run)
        self.lost_code(run)

    def restore(self) -> int:
        """Take in what the store holds.

        Returns:
            When the last thing in it happened, in nanoseconds since the epoch; 0 if it is empty.
        """
        latest = 0
        open_ids: list[tuple[str, str]] = []
        for summary in self._store.summaries():
            self.count += 1
            execution = summary["execution"]
            self._newest[execution["workflowId"]] = execution["runId"]
            if summary["status"] == RUNNING:
                open_ids.append((execution["workflowId"], execution["runId"]))
            else:
                latest = max(latest, time_ns(summary["closeTime"]))
        for workflow_id, run_id in open_ids:
            run = self._open[run_id] = self._load(workflow_id, run_id)
            latest = max(latest, run.state.latest_ns)
        return latest

    def mark(self) -> str:
        """What no two states of one store have in common, right after `restore`: each change adds something."""
        events = sum(run.state.next_event_id for run in self._open.values())
        return f"{self.count}:{len(self._open)}:{events}"

    def open_run(self, workflow_id: str, run_id: str | None = None) -> LiveRun | None:
        """The open run under an id, or None.

        Args:
            workflow_id: The id.
            run_id: Which run; None is the newest.
        """
        run = self._open.get(run_id or self._newest.get(workflow_id, ""))
        return run if run is not None and run.state.workflow_id == workflow_id else None

    def by_run_id(self, run_id: str) -> LiveRun | None:
        """The open run of this run id, or None."""
        return self._open.get(run_id)

    def find(self, workflow_id: str, run_id: str | None = None) -> LiveRun | None:
        """The run under an id, open or closed; None if there is none.

        Args:
            workflow_id: The id.
            run_id: Which run; None is the newest.
        """
        found = self.open_run(workflow_id, run_id)
        if found is not None:
            return found
        wanted = run_id or self._newest.get(workflow_id)
        if wanted is None:
            return None
        closed = self._closed.get(wanted)
        if closed is None:
            summary = self._store.summary(wanted)
            if summary is None or summary["execution"]["workflowId"] != workflow_id:
                return None
            closed = self._load(workflow_id, wanted)
            self._keep_closed(closed)
        return closed if closed.state.workflow_id == workflow_id else None

    def status(self, workflow_id: str) -> tuple[str, str] | None:
        """The status and the run id of the newest run under an id; None if the id is new."""
        run_id = self._newest.get(workflow_id)
        if run_id is None:
            return None
        run = self._open.get(run_id) or self._closed.get(run_id)
        if run is not None:
            return run.state.status, run_id
        summary = self._store.summary(run_id)
        return (summary["status"], run_id) if summary is not None else None

    def has_code(self, run: LiveRun) -> None:
        """A run's workflow code is in memory and was just used; others may have to make room."""
        if run is self._last_used and self._max_cached:
            return
        self._last_used = run
        recent = self._with_code
        recent[run.state.run_id] = run
        recent.move_to_end(run.state.run_id)
        if len(recent) <= self._max_cached:
            return
        for run_id, other in list(recent.items()):
            if len(recent) <= self._max_cached:
                break
            if not other.has_task_under_way:
                del recent[run_id]
                other.forget_code()

    def lost_code(self, run: LiveRun) -> None:
        """A run's workflow code is of no use any more."""
        self._last_used = None
        self._with_code.pop(run.state.run_id, None)
        run.forget_code()

    def forget_all_code(self) -> None:
        """Throw all workflow code out of memory."""
        for run in self._with_code.values():
            run.forget_code()
        self._with_code.clear()

    def _load(self, workflow_id: str, run_id: str) -> LiveRun:
        events = map(event_from_json, self._store.events(run_id))
        return LiveRun(RunState.restored(workflow_id, run_id, events, self._store.pending(run_id)))

    def _keep_closed(self, run: LiveRun) -> None:
        closed = self._closed
        closed[run.state.run_id] = run
        while len(closed) > self._max_cached:
            closed.popitem(last=False)
