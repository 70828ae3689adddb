"""Running workflow tasks: telling workflow code what has happened, and taking what it asks for.

A live task and a replay are the same walk through `matching`; a live one merely goes on where the history ends.
Workflow code stays in memory between tasks. Where it is not there, or its last task failed, it is brought back by
replaying the history.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from playhead_engine.activation import Activation, QueryWorkflow
from playhead_engine.commands import (
    CancelWorkflowExecution,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    RejectUpdate,
    RespondToQuery,
)
from playhead_engine.engine.errors import NotReady
from playhead_engine.engine.runs import LiveRun, Runs, TaskTrouble
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.engine.waiting import keeps_failing
from playhead_engine.engine.wire import Wire
from playhead_engine.history import HistoryEvent, event_from_json
from playhead_engine.history.events import WorkflowTaskCompleted
from playhead_engine.machines.errors import Nondeterminism, ReplayError
from playhead_engine.matching import Machines
from playhead_engine.messages import Failure, Json
from playhead_engine.runtime import Runtime, TaskCompleted, TaskFailed, WorkflowInstance
from playhead_engine.server import tasks
from playhead_engine.server.closing import Successor
from playhead_engine.server.commands import BadCommand, Task
from playhead_engine.stores import Store
from playhead_engine.tasks import COMMAND_EVENTS

logger = logging.getLogger("playhead_engine.engine")

PARK_AFTER: Final = 3
"""Attempts at a workflow task under the virtual clock, before it waits for something new to happen to the run."""

_NO_REQUESTS: Final[Mapping[str, Json]] = {}
_ENDS: Final = (CompleteWorkflow, FailWorkflow, CancelWorkflowExecution, ContinueAsNew)
_UNHANDLED: Final = "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"
_NONDETERMINISTIC: Final = "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR"


class Surroundings(Protocol):
    """What running a workflow task leaves to others."""

    def follow_up(self, run: LiveRun, successor: Successor | None) -> None:
        """The run has closed: see to what that means to others, in the same transaction."""
        ...

    def holds_up(self, run: LiveRun) -> bool:
        """Whether the task is not to be run after all: the history has become too long, and the run is terminated."""
        ...

    def start_local_activities(self, run: LiveRun) -> None:
        """Run the local activities that the task waits for, and stop those it no longer wants."""
        ...

    def stop_local_activities(self, run: LiveRun) -> None:
        """Nobody waits for them any more."""
        ...

    def update_refused(self, run: LiveRun, update_id: str, failure: Failure) -> None:
        """The workflow refused an update at the door."""
        ...


class WorkflowTasks:
    """Runs the workflow tasks of one engine."""

    def __init__(
        self,
        scheduler: Scheduler,
        runs: Runs,
        store: Store,
        wire: Wire,
        runtime_of: Callable[[str], Runtime | None],
        surroundings: Surroundings,
        new_id: Callable[[], str],
        identity: str,
        *,
        parks: bool,
    ) -> None:
        """Begin.

        Args:
            scheduler: Runs the rounds.
            runs: Keeps workflow code in memory.
            store: Where histories are.
            wire: Converts errors.
            runtime_of: Says who has code for a type of workflow, if anybody has.
            surroundings: What else there is to do.
            new_id: Makes ids of runs.
            identity: Who runs the tasks.
            parks: Whether a task that keeps failing is left alone until something new happens to its run.
        """
        self._scheduler = scheduler
        self._runs = runs
        self._store = store
        self._wire = wire
        self.runtime_of = runtime_of
        self._surroundings = surroundings
        self._new_id = new_id
        self._identity = identity
        self._parks = parks

    def run(self, run: LiveRun) -> None:
        """Run the task that is due, if one is."""
        state = run.state
        if state.task_started_id or not state.wants_task:
            return
        if state.task_scheduled_id == 0 and run.trouble is not None and run.trouble.is_parked:
            return
        if self._surroundings.holds_up(run):
            return
        machines = run.machines
        runtime = self.runtime_of(state.type_name) if machines is None else None
        if machines is None and runtime is None:
            return
        scheduler = self._scheduler
        if run.retry is not None:
            scheduler.alarms.cancel(run.retry)
        tasks.start(state, self._identity, scheduler.now)
        scheduler.touch(run)
        try:
            if machines is not None:
                machines.go_on(state.take_untold())
            else:
                assert runtime is not None
                machines = self._bring_back(run, runtime, live=True)
            if run.updates:
                self._tell_updates(run, machines)
            self._walk(run, machines)
        except _Undone as undone:
            self._fail(run, undone.cause, self._wire.encode_failure(undone.error), undone.error)
        except ReplayError as error:
            self._fail(run, _cause_of(error), self._wire.encode_failure(error), error)

    def go_on(self, run: LiveRun) -> None:
        """Go on with a task that waited for local activities."""
        assert run.machines is not None
        self._scheduler.touch(run)
        try:
            self._walk(run, run.machines)
        except ReplayError as error:
            self._fail(run, _cause_of(error), self._wire.encode_failure(error), error)

    def interrupt(self, run: LiveRun) -> None:
        """Complete a task that waits for local activities, with what it has asked for so far."""
        assert run.machines is not None
        self._complete(run, run.machines)

    # Faults

    def evict(self, run: LiveRun) -> None:
        """Throw the run's code out of memory."""
        self._runs.lost_code(run)

    def lose(self, run: LiveRun) -> None:
        """Whoever has the run's task, due or under way, has gone with the code in memory. The task stays scheduled."""
        state = run.state
        self._surroundings.stop_local_activities(run)
        if state.task_started_id:
            state.take_back(state.task_started_id)
            state.task_started_id = 0
        self._runs.lost_code(run)

    def time_out(self, run: LiveRun) -> None:
        """Nobody has heard of the run's task in time: it is tried again."""
        state, scheduler = run.state, self._scheduler
        if not state.wants_task:
            return
        tasks.start(state, self._identity, scheduler.now)
        tasks.time_out(state, scheduler.now)
        scheduler.touch(run)
        scheduler.want_task(run)

    # Queries

    def query(self, run: LiveRun, query: QueryWorkflow) -> RespondToQuery:
        """Ask the workflow code something.

        Args:
            run: The run, open or closed.
            query: What to ask.

        Raises:
            NotReady: There is no code that could answer: its type is not registered, the run has not begun, or the code
                has changed and cannot be brought back.
        """
        state = run.state
        if run.machines is None or run.instance is None:
            runtime = self.runtime_of(state.type_name)
            if runtime is None:
                raise NotReady(state.workflow_id, f"workflow type {state.type_name!r} is not registered")
            if not state.core_flags:
                reason = f": {run.trouble.error!r}" if run.trouble is not None else ""
                raise NotReady(state.workflow_id, f"it has not completed its first workflow task{reason}")
            try:
                self._bring_back(run, runtime, live=False)
            except _Undone as undone:
                raise NotReady(
                    state.workflow_id, f"its code cannot be brought back: {undone.error!r}"
                ) from undone.error
            except ReplayError as error:
                raise NotReady(state.workflow_id, f"its code does not fit its history: {error}") from error
            assert run.machines is not None and run.instance is not None
        machines = run.machines
        activation = Activation(
            machines.run_id,
            machines.time_ns,
            True,
            machines.last_event_id,
            state.size_bytes,
            False,
            (query,),
            machines.records.lang_flags,
            machines.records.sdk_version,
        )
        completion = run.instance.activate(activation)
        if isinstance(completion, TaskFailed):
            self._runs.lost_code(run)
            raise completion.error
        self._runs.has_code(run)  # only now: there may be room for no code at all
        for command in completion.commands:
            if isinstance(command, RespondToQuery):
                return command
        raise NotReady(state.workflow_id, "its code did not answer")

    # Walking

    def _walk(self, run: LiveRun, machines: Machines) -> None:
        """Tell the code what happened and take its answers, until it has been told everything."""
        instance = run.instance
        assert instance is not None
        is_told = False
        while (activation := machines.next_activation()) is not None:
            is_told = True
            completion = instance.activate(activation)
            if isinstance(completion, TaskFailed):
                self._fail(run, _UNHANDLED, completion.failure, completion.error)
                return
            if completion.used_flags:
                run.lang_flags.update(completion.used_flags)
            if run.updates:
                self._note_refused(run, completion)
            machines.completed(completion.commands)
            if run.local_attempts or machines.local_activities_to_run():
                self._surroundings.start_local_activities(run)
        if not is_told and not run.local_attempts and machines.local_activities_to_run():
            # The code was brought back in the middle of a task that others had kept open by completing it again and
            # again: nothing new is told, but what it waits for runs nowhere.
            self._surroundings.start_local_activities(run)
        if run.local_attempts and any(isinstance(command, _ENDS) for command in machines.outgoing()):
            self._surroundings.stop_local_activities(run)
        if not run.local_attempts:
            self._complete(run, machines)

    def _complete(self, run: LiveRun, machines: Machines) -> None:
        state = run.state
        requests = {key: update.request for key, update in run.updates.items()} if run.updates else _NO_REQUESTS
        task = Task(state, self._scheduler.now, self._identity, self._new_id, machines.activity_id, requests)
        flags: Sequence[int] = ()
        if run.lang_flags:
            flags = sorted(run.lang_flags)
            run.lang_flags.clear()
        try:
            task.complete(machines.outgoing(), flags)
        except BadCommand as error:
            self._fail(run, error.cause, self._wire.encode_failure(error), error)
            return
        run.trouble = None
        if state.closing is not None:
            self._surroundings.follow_up(run, task.successor)
            return
        self._runs.has_code(run)
        if state.task_scheduled_id:
            self._scheduler.want_task(run)  # what it asked for was answered at once

    def _fail(self, run: LiveRun, cause: str, failure: Failure, error: BaseException) -> None:
        state, scheduler = run.state, self._scheduler
        tasks.fail(state, cause, failure, self._identity, scheduler.now)
        self._surroundings.stop_local_activities(run)
        self._runs.lost_code(run)
        attempts = state.task_attempt - 1
        is_parked = self._parks and attempts >= PARK_AFTER
        run.trouble = TaskTrouble(error, attempts, is_parked)
        logger.warning(
            "workflow task of %s (%s) failed, attempt %d: %s: %s",
            state.workflow_id,
            state.type_name,
            attempts,
            type(error).__name__,
            error,
            exc_info=error,
        )
        if is_parked:
            scheduler.when_committed(self._parked, run)
        else:
            due_ns = scheduler.now.ns + tasks.retry_delay_ns(state.task_attempt)
            scheduler.when_committed(self._retry_later, run, due_ns)

    def _retry_later(self, run: LiveRun, due_ns: int) -> None:
        run.retry = self._scheduler.alarms.set(due_ns, self._scheduler.want_task, run)

    def _parked(self, run: LiveRun) -> None:
        """Tell those who wait for the run that it will not go on by itself."""
        for waiter in run.waiters():
            waiter.set_exception(keeps_failing(run))

    # Updates

    def _tell_updates(self, run: LiveRun, machines: Machines) -> None:
        for update in run.updates.values():
            if not update.is_told:
                update.is_told = True
                machines.request_update(update.job)

    def _note_refused(self, run: LiveRun, completion: TaskCompleted) -> None:
        for command in completion.commands:
            if isinstance(command, RejectUpdate) and command.protocol_instance_id in run.updates:
                self._surroundings.update_refused(run, command.protocol_instance_id, command.failure)

    # Bringing code back

    def _bring_back(self, run: LiveRun, runtime: Runtime, *, live: bool) -> Machines:
        """Make the workflow code and replay to where it last was.

        Args:
            run: The run.
            runtime: Makes its code.
            live: Whether a workflow task has just been started; its events are fed, but not told yet.
        """
        state = run.state
        if state.untold and state.untold[0].event_id == 1:
            events = state.untold
        else:
            events = [*map(event_from_json, self._store.events(state.run_id)), *state.fresh]
        done = _end_of_last_task(events)
        machines = Machines(events[:done] if done else events, state.workflow_id)
        run.machines = machines
        run.instance = runtime.create(state.type_name, state.run_id)
        if done:
            self._replay(run.instance, machines)
            if live:
                machines.feed(events[done:])
                state.untold = []
            else:
                state.untold = events[done:]
        else:
            state.untold = []
        if live:
            self._runs.has_code(run)
        return machines

    def _replay(self, instance: WorkflowInstance, machines: Machines) -> None:
        while (activation := machines.next_activation()) is not None:
            completion = instance.activate(activation)
            if isinstance(completion, TaskFailed):
                raise _Undone(_UNHANDLED, completion.error)
            machines.completed(completion.commands)


class _Undone(Exception):
    """The code raises where it did not when it ran first."""

    def __init__(self, cause: str, error: BaseException) -> None:
        super().__init__(cause, error)
        self.cause = cause
        self.error = error


def _end_of_last_task(events: Sequence[HistoryEvent]) -> int:
    """How many events there are up to the last one that a completed workflow task asked for; 0 if no task was
    completed."""
    for index in range(len(events) - 1, -1, -1):
        if isinstance(events[index], WorkflowTaskCompleted):
            end = index + 1
            while end < len(events) and events[end].KIND in COMMAND_EVENTS:
                end += 1
            return end
    return 0


def _cause_of(error: ReplayError) -> str:
    return _NONDETERMINISTIC if isinstance(error, Nondeterminism) else _UNHANDLED
