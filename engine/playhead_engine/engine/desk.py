"""The desk: takes the requests of clients, on the engine's event loop.

Requests that change something are done in a round, and answered when that round is committed. Here everything is JSON;
values are converted by those who ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from playhead_engine.activation import DoUpdate, QueryWorkflow, payload_list
from playhead_engine.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from playhead_engine.engine.errors import WorkflowNotFoundError
from playhead_engine.engine.neighbours import Neighbours
from playhead_engine.engine.runs import LOST, LiveRun, PendingUpdate, Runs, UpdateUndone
from playhead_engine.engine.scheduler import Scheduler
from playhead_engine.engine.waiting import keeps_failing
from playhead_engine.engine.workflow_tasks import WorkflowTasks
from playhead_engine.exceptions import WorkflowAlreadyStartedError
from playhead_engine.history import History, event_from_json
from playhead_engine.messages import Failure, Json, Payload, Payloads
from playhead_engine.server import adoption, requests, resets, tasks
from playhead_engine.server.summaries import summary
from playhead_engine.stores import Store

T = TypeVar("T")


class Desk:
    """Where clients ask."""

    def __init__(
        self,
        scheduler: Scheduler,
        runs: Runs,
        store: Store,
        neighbours: Neighbours,
        workflow_tasks: WorkflowTasks,
        new_id: Callable[[], str],
        identity: str,
    ) -> None:
        """Open.

        Args:
            scheduler: Runs the rounds.
            runs: All runs.
            store: Where histories are.
            neighbours: Starts and ends runs.
            workflow_tasks: Answers queries.
            new_id: Makes ids.
            identity: Who asks, as histories say it.
        """
        self._scheduler = scheduler
        self._runs = runs
        self._store = store
        self._neighbours = neighbours
        self._tasks = workflow_tasks
        self._new_id = new_id
        self._identity = identity

    async def ask(self, action: Callable[[], T]) -> T:
        """Have something done in the next round, and wait until that is committed; see `Scheduler.ask`."""
        return await self._scheduler.ask(action)

    # Starting

    async def start(
        self,
        workflow_id: str,
        request: Mapping[str, Any],
        reuse: WorkflowIDReusePolicy,
        conflict: WorkflowIDConflictPolicy,
        signal: tuple[str, Payloads | None] | None,
    ) -> tuple[str, str]:
        """Start a workflow, and signal it where that is asked.

        Returns:
            The run id, and the id of the first run of its chain.

        Raises:
            WorkflowAlreadyStartedError: The id is taken.
        """
        return await self._scheduler.ask(self._start, workflow_id, request, reuse, conflict, signal)

    def _start(
        self,
        workflow_id: str,
        request: Mapping[str, Any],
        reuse: WorkflowIDReusePolicy,
        conflict: WorkflowIDConflictPolicy,
        signal: tuple[str, Payloads | None] | None,
    ) -> tuple[str, str]:
        status = self._runs.status(workflow_id)
        decision = requests.decide_start(
            None if status is None else status[0], reuse, conflict, with_signal=signal is not None
        )
        if decision == "already started":
            raise WorkflowAlreadyStartedError(
                workflow_id, request["workflowType"]["name"], run_id=None if status is None else status[1]
            )
        if decision == "terminate existing":
            self._neighbours.terminate_existing(workflow_id)
        run = self._runs.open_run(workflow_id) if decision == "use existing" else None
        if run is None:
            run_id = self._new_id()
            run = self._neighbours.start(
                workflow_id, run_id, requests.first_of_chain(run_id, request, self._scheduler.now)
            )
            # Unlike `change`: the run's first workflow task waits until its start is committed.
            if signal is not None:
                self._write_signal(run, signal[0], signal[1], None, begins=False)
        elif signal is not None:
            self._scheduler.change(run)
            self._write_signal(run, signal[0], signal[1], None)
        return run.state.run_id, run.state.started.get("firstExecutionRunId", run.state.run_id)

    # Telling

    async def signal(
        self,
        workflow_id: str,
        run_id: str | None,
        name: str,
        input: Payloads | None,
        headers: Mapping[str, Payload] | None = None,
    ) -> None:
        """Signal an open run; see `_open` for what it raises."""

        def do() -> None:
            run = self._open(workflow_id, run_id)
            self._write_signal(run, name, input, headers)

        await self._scheduler.ask(do)

    def _write_signal(
        self,
        run: LiveRun,
        name: str,
        input: Payloads | None,
        headers: Mapping[str, Payload] | None,
        *,
        begins: bool = True,
    ) -> None:
        requests.signal(
            run.state, name, input, self._scheduler.now, identity=self._identity, headers=headers, begins=begins
        )

    async def cancel(self, workflow_id: str, run_id: str | None, first_run_id: str | None, reason: str) -> None:
        """Ask an open run to cancel itself; see `_open` for what it raises."""

        def do() -> None:
            run = self._open(workflow_id, run_id, first_run_id)
            requests.request_cancel(run.state, self._scheduler.now, reason=reason, identity=self._identity)

        await self._scheduler.ask(do)

    async def terminate(
        self, workflow_id: str, run_id: str | None, first_run_id: str | None, reason: str, details: Payloads | None
    ) -> None:
        """End an open run without asking it; see `_open` for what it raises."""

        def do() -> None:
            run = self._open(workflow_id, run_id, first_run_id)
            self._neighbours.terminate(run, reason, details, self._identity)

        await self._scheduler.ask(do)

    def _open(self, workflow_id: str, run_id: str | None, first_run_id: str | None = None) -> LiveRun:
        """An open run, ready for new events.

        Raises:
            WorkflowNotFoundError: There is no such run, or it has closed, or it belongs to another chain.
        """
        run = self._runs.open_run(workflow_id, run_id)
        if run is None or first_run_id not in (None, run.state.started.get("firstExecutionRunId", run.state.run_id)):
            closed = self._runs.find(workflow_id, run_id)
            raise WorkflowNotFoundError(workflow_id, run_id, None if closed is None else closed.state.status)
        self._scheduler.change(run)
        return run

    # Asking

    async def query(
        self,
        workflow_id: str,
        run_id: str | None,
        name: str,
        input: Sequence[Payload],
        headers: Mapping[str, Payload],
        rejects: Callable[[str], bool],
    ) -> Any:
        """Ask a run's code something.

        Returns:
            The `RespondToQuery` command, or the full name of the run's status if `rejects` is true of it.

        Raises:
            WorkflowNotFoundError: There is no such run.
            NotReady: Its code cannot be asked.
        """
        return await self._scheduler.ask_last(self._query, workflow_id, run_id, name, input, headers, rejects)

    def _query(
        self,
        workflow_id: str,
        run_id: str | None,
        name: str,
        input: Sequence[Payload],
        headers: Mapping[str, Payload],
        rejects: Callable[[str], bool],
    ) -> Any:
        run = self._find(workflow_id, run_id)
        if rejects(run.state.status):
            return run.state.status
        return self._tasks.query(run, QueryWorkflow(name, name, list(input), dict(headers)))

    async def update(
        self,
        workflow_id: str,
        run_id: str | None,
        first_run_id: str | None,
        update_id: str | None,
        name: str,
        input: Payloads | None,
        headers: Mapping[str, Payload] | None,
    ) -> tuple[LiveRun, str, Failure | None]:
        """Ask an open run for an update, and wait until it is accepted or refused.

        Returns:
            The run, the id of the update, which is a new one if None was given, and why the run refused it; None if it
            accepted.

        Raises:
            WorkflowNotFoundError: There is no such run, or it has closed.
            WorkflowTaskKeepsFailingError: The workflow's code fails, and so cannot accept it.
        """
        waiter = self._scheduler.waiter()
        update_id = update_id or self._new_id()

        def do() -> None:
            try:
                run = self._open(workflow_id, run_id, first_run_id)
            except WorkflowNotFoundError as error:
                self._scheduler.answer(waiter, error)
                return
            runs.append(run)
            if update_id in run.state.updates:
                self._scheduler.answer(waiter, None)
                return
            pending = run.updates.get(update_id)
            if pending is None:
                pending = run.updates[update_id] = PendingUpdate(*self._update_request(update_id, name, input, headers))
                tasks.schedule(run.state, self._scheduler.now)
            pending.waiters.append(waiter)

        runs: list[LiveRun] = []
        self._scheduler.post(do)
        try:
            await waiter
        except UpdateUndone as refused:
            return runs[0], update_id, refused.failure
        return runs[0], update_id, None

    def _update_request(
        self, update_id: str, name: str, input: Payloads | None, headers: Mapping[str, Payload] | None
    ) -> tuple[DoUpdate, Json]:
        asked: Json = {"name": name}
        if headers:
            asked["header"] = {"fields": dict(headers)}
        if input:
            asked["args"] = input
        request: Json = {"meta": {"updateId": update_id, "identity": self._identity}, "input": asked}
        job = DoUpdate(
            update_id, update_id, name, payload_list(input), dict(headers or {}), self._identity, run_validator=True
        )
        return job, request

    async def update_outcome(self, workflow_id: str, run_id: str | None, update_id: str) -> tuple[LiveRun, Json]:
        """The outcome of an accepted update, when there is one, and the run that accepted it.

        Raises:
            WorkflowNotFoundError: There is no such run, or it accepted no such update.
        """

        def do() -> Any:
            run = self._find(workflow_id, run_id)
            update = run.state.updates.get(update_id)
            if update is None:
                raise WorkflowNotFoundError(f"{workflow_id}, update {update_id}", run_id)
            if update.outcome is not None or not run.state.is_running:
                return run, update.outcome or {"failure": LOST}
            waiter = self._scheduler.waiter()
            run.update_waiters.setdefault(update_id, []).append(waiter)
            return run, waiter

        run, outcome = await self._scheduler.ask(do)
        try:
            return run, outcome if isinstance(outcome, dict) else await outcome
        except UpdateUndone as undone:
            return run, {"failure": undone.failure}

    # Waiting

    async def closed(self, workflow_id: str, run_id: str | None) -> LiveRun:
        """The run, when it has closed.

        Raises:
            WorkflowNotFoundError: There is no such run.
            WorkflowStuckError: It will not close by itself.
        """

        def do() -> Any:
            run = self._find(workflow_id, run_id)
            if not run.state.is_running:
                return run
            if run.trouble is not None and run.trouble.is_parked and not run.is_waiting:
                raise keeps_failing(run)
            waiter = self._scheduler.waiter()
            run.closed_waiters.append(waiter)
            return waiter

        found = await self._scheduler.ask(do)
        result: LiveRun = found if isinstance(found, LiveRun) else await found
        return result

    async def sleep_until(self, due_ns: int) -> None:
        """Wait for a time."""
        waiter = self._scheduler.waiter()
        self._scheduler.alarms.set(due_ns, self._scheduler.answer, waiter, None)
        await waiter

    # Looking

    async def describe(self, workflow_id: str, run_id: str | None) -> tuple[Json, LiveRun]:
        """The summary of a run, up to date, and the run.

        Raises:
            WorkflowNotFoundError: There is no such run.
        """
        return await self._scheduler.ask_last(self._describe, workflow_id, run_id)

    def _describe(self, workflow_id: str, run_id: str | None) -> tuple[Json, LiveRun]:
        run = self._find(workflow_id, run_id)
        info = summary(run.state)
        info.setdefault("historyLength", str(run.state.next_event_id - 1))
        info.setdefault("historySizeBytes", str(run.state.size_bytes))
        return info, run

    async def summaries(self) -> list[Json]:
        """The summary of every run, in the order in which they were started."""
        return await self._scheduler.ask_last(lambda: list(self._store.summaries()))

    async def history(self, workflow_id: str, run_id: str | None) -> History:
        """The history of a run, as far as it is committed.

        Raises:
            WorkflowNotFoundError: There is no such run.
        """

        def do() -> History:
            run = self._find(workflow_id, run_id)
            events = [event_from_json(event) for event in self._store.events(run.state.run_id)]
            return History(tuple(events), workflow_id)

        # Of a round of its own, so that what happened before is committed.
        await self._scheduler.ask_last(_nothing)
        return await self._scheduler.ask(do)

    def _find(self, workflow_id: str, run_id: str | None) -> LiveRun:
        run = self._runs.find(workflow_id, run_id)
        if run is None:
            raise WorkflowNotFoundError(workflow_id, run_id)
        return run

    # Taking over

    async def adopt(self, history: History, workflow_id: str, run_id: str) -> None:
        """Take in a run that was recorded elsewhere, and go on with it; see `server.adoption`.

        Raises:
            WorkflowAlreadyStartedError: There is a run under this id, or of this run id.
            CannotAdopt: The run has closed, or the history is none of a whole run.
        """

        def do() -> None:
            events = [event_from_json(event.canonical) for event in history.events]
            state = adoption.adopt(events, workflow_id, run_id, self._scheduler.now)
            if self._runs.status(workflow_id) is not None or self._store.summary(run_id) is not None:
                raise WorkflowAlreadyStartedError(workflow_id, state.type_name, run_id=run_id)
            self._neighbours.adopt(state)

        await self._scheduler.ask(do)

    # Resetting

    async def reset(self, workflow_id: str, run_id: str | None, event_id: int, reason: str) -> str:
        """Begin a run again from a workflow task; see `server.resets`.

        Returns:
            The id of the new run.

        Raises:
            WorkflowNotFoundError: There is no such run.
            CannotReset: There is no workflow task at that event.
        """

        def do() -> str:
            run = self._find(workflow_id, run_id)
            if run.has_task_under_way:
                self._scheduler.change(run)
            events = [*map(event_from_json, self._store.events(run.state.run_id)), *run.state.fresh]
            new_run_id = self._new_id()
            state = resets.reset(run.state, events, event_id, new_run_id, reason, self._identity, self._scheduler.now)
            current = self._runs.open_run(workflow_id)
            if current is not None:
                self._neighbours.terminate(current, f"reset: {reason}" if reason else "reset", None, self._identity)
            self._neighbours.adopt(state)
            return new_run_id

        return await self._scheduler.ask(do)


def _nothing() -> None:
    """Only to have a round."""
