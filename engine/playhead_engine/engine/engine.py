"""`Engine`: runs workflows, in memory or on disk."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

from playhead_engine.common import (
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from playhead_engine.convert import ns_datetime, timedelta_ns
from playhead_engine.converter import DataConverter
from playhead_engine.definitions import SIGNAL, WorkflowDefinition, handler_name
from playhead_engine.engine.async_activity import AsyncActivityHandle
from playhead_engine.engine.chance import Chance
from playhead_engine.engine.clock import Clock, ClockName, VirtualClock, clock_of
from playhead_engine.engine.code import Code
from playhead_engine.engine.core import Core
from playhead_engine.engine.handles import WorkflowHandle
from playhead_engine.engine.limits import Limits
from playhead_engine.engine.operation import Operation
from playhead_engine.engine.options import UNSET, StartOptions, known, start_request, values_of, workflow_type
from playhead_engine.engine.seams import Seams
from playhead_engine.engine.witnesses import EngineParts, seen
from playhead_engine.runtime import Runtime
from playhead_engine.stores import Store

if TYPE_CHECKING:
    from temporalio.converter import DataConverter as TemporalDataConverter

    # Most engines are never asked what they hold: these are loaded when one is.
    from playhead_engine.engine.executions import WorkflowExecution, WorkflowExecutionCount
    from playhead_engine.engine.listing import Listing
    from playhead_engine.faults import Deploy, FaultLog, FaultPlan
    from playhead_engine.faults.injector import Injector
    from playhead_engine.history import History

_W = TypeVar("_W")
_P = TypeVar("_P")
_R = TypeVar("_R")


class Engine:
    """Runs workflows and activities, and keeps their histories.

        with Engine(workflows=[Greeting], activities=[greet]) as engine:
            print(engine.execute_workflow(Greeting.run, "you").wait())

    Methods that take time return an `Operation`: await it in async code, `wait()` for it elsewhere. Under the virtual
    clock, which is the default in memory, time stands still while anything happens and jumps when everything waits. It
    belongs to the thread that uses it first. Close it when it is no longer needed; a `with` or `async with` block does.
    """

    _injector: Injector | None = None

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        clock: Clock | ClockName | None = None,
        seed: int | None = None,
        shuffle: bool = True,
        assume_delivery: bool = False,
        data_converter: DataConverter | TemporalDataConverter | None = None,
        interceptors: Sequence[Any] = (),
        plugins: Sequence[Any] = (),
        runtimes: Sequence[Runtime] = (),
        activity_executor: Executor | None = None,
        max_cached_workflows: int = 1000,
        history_warn_events: int = Limits.warn_events,
        history_max_events: int = Limits.max_events,
        history_max_bytes: int = Limits.max_bytes,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        patience: float = 1.0,
        identity: str = "playhead",
        store: Store | None = None,
        faults: FaultPlan | str | None = None,
        deploys: Sequence[Deploy] = (),
    ) -> None:
        """Make an engine, and take up the workflows that its store holds.

        Args:
            path: Directory to keep histories in; None keeps them in memory.
            workflows: Workflow classes there is code for, ours or `temporalio`'s.
            activities: Activities there is code for, of either kind: functions, methods of objects, objects with
                `__call__`.
            clock: "virtual", "real", or a clock of your own. By default the virtual one in memory, the real one on
                disk.
            seed: With a seed, ids, and the order of what happens at the same instant, follow from it: under the virtual
                clock the same program then writes the same histories, byte for byte.
            shuffle: Whether the order of what happens at the same instant follows from the seed; otherwise things
                happen in the order in which they came. Without a seed they always do.
            assume_delivery: Whether signals, and requests to cancel, to workflows that the engine does not have count
                as delivered; otherwise the sender is told that nobody is there.
            data_converter: Converts values; the default one if None. Code written for `temporalio` needs one of
                `temporalio`, which native code beside it then uses too.
            interceptors: Of `temporalio.worker`, for code written for `temporalio`.
            plugins: Of `temporalio`, for such code. They may change what the engine is given, and what they put around
                a worker that runs is put around the engine's life, from here to its end.
            runtimes: Further makers of workflow code, asked before `workflows`.
            activity_executor: Where activities that are not async run; threads of the engine's own if None.
            max_cached_workflows: How many workflows to keep in memory between their tasks. Others are replayed when
                needed.
            history_warn_events: From how many events of one run on to warn.
            history_max_events: At how many events to terminate the run.
            history_max_bytes: At how many bytes of history, as JSON, to terminate the run.
            synchronous: Of the store on disk: "FULL" waits for the disk at each commit; "NORMAL" may lose the last
                commits when the machine goes down, though not when the process does.
            patience: How long, in real seconds, the virtual clock stands still for threads, sockets and other tasks.
            identity: What histories say who did it.
            store: A store of your own, instead of `path`.
            faults: What is to go wrong, as a plan or as the text of one; see `playhead_engine.faults`. An empty one
                only notes what could. The clock is then the virtual one, also on disk, and there is a seed.
            deploys: Code for the faults that deploy some, each in turn.

        Raises:
            ValueError: A workflow or an activity is not decorated, or two have the same name; or faults are planned
                under another clock than the virtual one.
            TypeError: Something is of the wrong type.
            StoreError: The store cannot be used: another process has it, or it is damaged or of a newer format.
        """
        if path is not None and store is not None:
            raise ValueError("give either path or store, not both")
        chosen = clock_of(clock, on_disk=path is not None and faults is None)
        code = Code(workflows, activities, data_converter, interceptors, runtimes, plugins)
        seams = Seams()
        if faults is not None:
            from playhead_engine.faults.injector import Injector

            seams = self._injector = Injector(
                faults,
                [
                    Code(
                        one.workflows,
                        activities if one.activities is None else one.activities,
                        data_converter,
                        interceptors,
                        runtimes,
                        plugins,
                    )
                    for one in deploys
                ],
            )
        chance = Chance(0 if seed is None and faults is not None else seed, shuffles=shuffle)
        parts = EngineParts(workflows, data_converter, interceptors, plugins, runtimes)
        self._core = Core(
            seen(parts, store or _open_store(path, synchronous)),
            chosen,
            chance,
            code,
            Limits(history_warn_events, history_max_events, history_max_bytes),
            executor=activity_executor,
            max_cached=max_cached_workflows,
            identity=identity,
            patience=patience,
            assume_delivery=assume_delivery,
            seams=seams,
        )
        self._identity = identity
        if code.plugins is not None:
            code.plugins.begin()

    # Starting

    @overload
    def start_workflow(
        self, workflow: Callable[[_W], Awaitable[_R]], **options: Unpack[StartOptions]
    ) -> Operation[WorkflowHandle[_W, _R]]: ...

    @overload
    def start_workflow(
        self, workflow: Callable[[_W, _P], Awaitable[_R]], arg: _P, **options: Unpack[StartOptions]
    ) -> Operation[WorkflowHandle[_W, _R]]: ...

    @overload
    def start_workflow(
        self, workflow: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[StartOptions]
    ) -> Operation[WorkflowHandle[Any, _R]]: ...

    @overload
    def start_workflow(
        self, workflow: str, arg: Any = UNSET, *, args: Sequence[Any] = (), **options: Unpack[StartOptions]
    ) -> Operation[WorkflowHandle[Any, Any]]: ...

    def start_workflow(
        self, workflow: Any, arg: Any = UNSET, *, args: Sequence[Any] = (), **options: Unpack[StartOptions]
    ) -> Operation[WorkflowHandle[Any, Any]]:
        """Start a workflow.

        Args:
            workflow: Its run method, or its type.
            arg: Its argument.
            args: Its arguments, if there are several.
            options: See `StartOptions`.

        Raises:
            WorkflowAlreadyStartedError: The id is taken.
            ValueError: It is no workflow, or both `arg` and `args` are given.
        """
        return Operation(self._core.driver, partial(self._start, workflow, arg, args, options))

    @overload
    def execute_workflow(
        self, workflow: Callable[[Any], Awaitable[_R]], **options: Unpack[StartOptions]
    ) -> Operation[_R]: ...

    @overload
    def execute_workflow(
        self, workflow: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[StartOptions]
    ) -> Operation[_R]: ...

    @overload
    def execute_workflow(
        self, workflow: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[StartOptions]
    ) -> Operation[_R]: ...

    @overload
    def execute_workflow(
        self, workflow: str, arg: Any = UNSET, *, args: Sequence[Any] = (), **options: Unpack[StartOptions]
    ) -> Operation[Any]: ...

    def execute_workflow(
        self, workflow: Any, arg: Any = UNSET, *, args: Sequence[Any] = (), **options: Unpack[StartOptions]
    ) -> Operation[Any]:
        """Start a workflow and wait for what it returns. See `start_workflow` and `WorkflowHandle.result`."""

        async def do() -> Any:
            handle = await self._start(workflow, arg, args, options)
            return await self._core.conversation.result(handle.id, handle.result_run_id, True, handle.result_type)

        return Operation(self._core.driver, do)

    async def _start(
        self, workflow: Any, arg: Any, args: Sequence[Any], options: StartOptions
    ) -> WorkflowHandle[Any, Any]:
        core, options = self._core, known(options)
        name, result_type = workflow_type(workflow, options)
        workflow_id = options.get("id") or self._core.new_id()
        wire = core.wires.clients.for_workflow(workflow_id, name)
        request = start_request(name, values_of(arg, args), options, wire, self._identity)
        signal = options.get("start_signal")
        told = None
        if signal is not None:
            told = (
                handler_name(signal, SIGNAL, "signal"),
                core.conversation.payloads(options.get("start_signal_args", ()), workflow_id),
            )
        run_id, first_run_id = await core.desk.start(
            workflow_id,
            request,
            options.get("id_reuse_policy", WorkflowIDReusePolicy.ALLOW_DUPLICATE),
            options.get("id_conflict_policy", WorkflowIDConflictPolicy.UNSPECIFIED),
            told,
        )
        return WorkflowHandle(
            core.conversation,
            workflow_id,
            result_run_id=run_id,
            first_execution_run_id=first_run_id,
            result_type=result_type,
        )

    # Finding

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: Any = None,
    ) -> WorkflowHandle[Any, Any]:
        """The handle of a workflow, whether there is one or not.

        Args:
            workflow_id: Its id.
            run_id: Which run; None is the newest.
            first_execution_run_id: Only cancel or terminate runs of the chain that began with this one.
            result_type: What to convert the result to.
        """
        return WorkflowHandle(
            self._core.conversation,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    def get_workflow_handle_for(
        self,
        workflow: Callable[..., Awaitable[_R]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[Any, _R]:
        """The same, with the result type of a workflow's run method."""
        definition = WorkflowDefinition.of_run_method(workflow)
        return self.get_workflow_handle(
            workflow_id,
            run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=definition.ret_type,
        )

    def list_workflows(self, query: str | None = None) -> Listing:
        """Runs that a filter means, newest first; see `list_filter` for the language. Can be iterated with `async for`,
        too.

        Args:
            query: The filter; None means all.

        Raises:
            BadFilter: The filter cannot be read.
        """

        from playhead_engine.engine.executions import WorkflowExecution
        from playhead_engine.engine.listing import Listing
        from playhead_engine.engine.visibility import select

        async def do() -> list[WorkflowExecution]:
            chosen = select(await self._core.desk.summaries(), query)
            return [WorkflowExecution(**WorkflowExecution.fields_of(info, self._core.wires.clients)) for info in chosen]

        return Listing(self._core.driver, do)

    def count_workflows(self, query: str | None = None) -> Operation[WorkflowExecutionCount]:
        """How many runs a filter means.

        Args:
            query: The filter; None means all.

        Raises:
            BadFilter: The filter cannot be read.
        """

        from playhead_engine.engine.executions import WorkflowExecutionCount
        from playhead_engine.engine.visibility import select

        async def do() -> WorkflowExecutionCount:
            return WorkflowExecutionCount(len(select(await self._core.desk.summaries(), query)))

        return Operation(self._core.driver, do)

    def reset_workflow(
        self, workflow_id: str, event_id: int, *, run_id: str | None = None, reason: str = ""
    ) -> Operation[WorkflowHandle[Any, Any]]:
        """Begin a run again from one of its workflow tasks, in a new run. What it did since is forgotten; signals are
        kept.

        Args:
            workflow_id: Its id.
            event_id: Id of the WorkflowTaskCompleted (or Failed, TimedOut, Started) event of the task to do again.
            run_id: Which run; None is the newest.
            reason: Why.

        Raises:
            WorkflowNotFoundError: There is no such run.
            CannotReset: There is no workflow task at that event, or a child workflow was under way there.
        """

        async def do() -> WorkflowHandle[Any, Any]:
            new_run_id = await self._core.desk.reset(workflow_id, run_id, event_id, reason)
            return self.get_workflow_handle(workflow_id, run_id=new_run_id)

        return Operation(self._core.driver, do)

    def adopt_workflow(
        self, history: History, *, workflow_id: str | None = None, run_id: str | None = None
    ) -> Operation[WorkflowHandle[Any, Any]]:
        """Take in an open run that was recorded elsewhere, and go on with it from where its history ends.

        What is pending in it is alive again: activities are tried, timers are due when they were, children and signals
        that were asked for and not started are. Its code is brought back by replaying the history. Time must not go
        back in a history, so give an engine with a virtual clock one that begins before the run's last event.

        Args:
            history: What there is of the run, from its first event on.
            workflow_id: Its workflow id, where the history does not hold it.
            run_id: The id of the run, likewise.

        Raises:
            WorkflowAlreadyStartedError: The engine knows the workflow id or the run already.
            CannotAdopt: The run has closed, or the history does not begin at the beginning.
        """
        named, run = workflow_id or history.id, run_id or history.run_id

        async def do() -> WorkflowHandle[Any, Any]:
            clock = self._core.clock
            if isinstance(clock, VirtualClock) and history.events:
                clock.move_to(max(event.time_ns for event in history.events))  # those that were buffered are older
            await self._core.desk.adopt(history, named, run)
            return self.get_workflow_handle(named, run_id=run)

        return Operation(self._core.driver, do)

    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(
        self, *, workflow_id: str, activity_id: str, run_id: str | None = None
    ) -> AsyncActivityHandle: ...

    def get_async_activity_handle(
        self,
        *,
        workflow_id: str = "",
        activity_id: str = "",
        run_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """The handle of an activity that called `activity.raise_complete_async()`.

        Args:
            workflow_id: The workflow that asked for it.
            activity_id: Its id within the workflow.
            run_id: Which run; None is the newest.
            task_token: Names the attempt, instead of the other three: `activity.info().task_token`.
        """
        board = self._core.switchboard
        if task_token is not None:
            return AsyncActivityHandle(board, partial(board.by_token, task_token), board.wire)
        wire = board.wire.for_workflow(workflow_id)
        return AsyncActivityHandle(board, partial(board.by_id, workflow_id, run_id, activity_id), wire)

    # Time

    def now(self) -> datetime:
        """What time it is for the engine, in UTC."""
        return ns_datetime(self._core.clock.now_ns())

    def sleep(self, duration: timedelta | float) -> Operation[None]:
        """Let time pass for the engine.

        Args:
            duration: How much, as a timedelta or in seconds.
        """
        length = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        return Operation(
            self._core.driver,
            lambda: self._core.desk.sleep_until(self._core.clock.now_ns() + timedelta_ns(length)),
        )

    # Faults

    @property
    def injector(self) -> Injector:
        """What has faults strike in this engine.

        Raises:
            ValueError: The engine was made without a fault plan.
        """
        if self._injector is None:
            raise ValueError('this engine has no fault plan: make it with faults="", or with a plan')
        return self._injector

    @property
    def faults(self) -> FaultLog:
        """The fault points that were passed so far, and what struck there.

        Raises:
            ValueError: The engine was made without a fault plan.
        """
        return self.injector.log

    # The end

    def close(self) -> Operation[None]:
        """Stop what runs, and give everything back. What was accepted is kept, if it is kept on disk."""
        return Operation(self._core.driver, self._core.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._core.close_at_once():
            self.close().wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._core.close_at_once():
            await self.close()


def _open_store(path: str | os.PathLike[str] | None, synchronous: Literal["FULL", "NORMAL"]) -> Store:
    if path is None:
        from playhead_engine.stores.memory import MemoryStore

        return MemoryStore()
    from playhead_engine.stores.disk import DiskStore  # loads SQLite

    return DiskStore(path, synchronous=synchronous)
