"""A run in the middle of its code: takes activations, lets the code run until everything waits.

The order in which the jobs of an activation are applied, and when the code runs in between, is that of Temporal's
Python SDK. There are two of them. Histories of today: patches first, then signals and updates, then the rest, and the
code runs after each of these sets; so the handler of a signal that came in the first workflow task runs before the
run method. Histories that recorded flag 2 of the SDK: everything is applied, then the code runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from playhead_engine import guards
from playhead_engine.activation import (
    Activation,
    CancelWorkflow,
    DoUpdate,
    FireTimer,
    InitializeWorkflow,
    Job,
    NotifyHasPatch,
    QueryWorkflow,
    ResolveActivity,
    ResolveCancelExternal,
    ResolveChild,
    ResolveChildStart,
    ResolveNexus,
    ResolveNexusStart,
    ResolveSignalExternal,
    SignalWorkflow,
    UpdateRandomSeed,
    payload_list,
)
from playhead_engine.commands import CancelWorkflowExecution, CompleteWorkflow, ContinueAsNew, FailWorkflow
from playhead_engine.common import RawValue
from playhead_engine.native.external import resolve_delivery
from playhead_engine.native.handlers import Handlers
from playhead_engine.native.loop import NOBODY, WorkflowTask
from playhead_engine.native.run import Run
from playhead_engine.native.stacks import suspended, waiting
from playhead_engine.native.top_level import ended_by, fail_workflow, run_method
from playhead_engine.runtime import Completion, HandlerKind, Suspended, TaskCompleted, TaskFailed, Waiting

if TYPE_CHECKING:
    from playhead_engine.converter import DataConverter
    from playhead_engine.definitions import HandlerDefinition, WorkflowDefinition
    from playhead_engine.messages import Failure

_PATCHES, _MESSAGES, _REST, _QUERIES = range(4)
_SET_OF: Final[Mapping[type[Job], int]] = {
    NotifyHasPatch: _PATCHES,
    SignalWorkflow: _MESSAGES,
    DoUpdate: _MESSAGES,
    QueryWorkflow: _QUERIES,
}
_HANDLERS_OF: Final[Mapping[HandlerKind, str]] = {"signal": "signals", "update": "updates", "query": "queries"}
_TERMINAL: Final = (CompleteWorkflow, FailWorkflow, CancelWorkflowExecution, ContinueAsNew)


class NativeInstance:
    """One run of a workflow; see `runtime.WorkflowInstance`."""

    def __init__(
        self,
        definition: WorkflowDefinition,
        run_id: str,
        namespace: str,
        converter: DataConverter,
        failure_exception_types: tuple[type[BaseException], ...],
        watchdog: guards.Watchdog,
    ) -> None:
        self._watchdog = watchdog
        self._known_as = f"{definition.name or definition.cls.__name__} (run {run_id})"
        self._run = run = Run(definition, run_id, namespace, converter, failure_exception_types)
        run.handlers = self._handlers = Handlers(run)
        self._args: Sequence[Any] = ()
        self._main: WorkflowTask[None] | None = None
        self._cancel_main_when_made = False

    @property
    def workflow_object(self) -> Any:
        """The object of the workflow class; None before the first activation."""
        return self._run.workflow_object

    def pending(self) -> list[Waiting]:
        """What the code has asked for and waits for."""
        return waiting(self._run)

    def coroutines(self) -> list[Suspended]:
        """The tasks that wait, the run method first."""
        return suspended(self._run, self._main)

    def handler(self, kind: HandlerKind, name: str) -> Callable[..., Any] | None:
        """The function that takes a signal, an update or a query of this name, or the run method."""
        if kind == "run":
            return self._run.definition.run_fn
        handlers = getattr(self._handlers, _HANDLERS_OF[kind])
        definition: HandlerDefinition | None = handlers.get(name) or handlers.get(None)
        return definition.fn if definition is not None else None

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened and let it run until everything in it waits.

        Returns:
            What the code asked for; or the error that fails the workflow task.

        Raises:
            RuntimeError: The run was closed.
        """
        run = self._run
        if run.is_closed:
            raise RuntimeError(f"run {run.run_id} was closed and cannot go on")
        run.begin(activation)
        error: BaseException | None = None
        run.loop.enter()
        if run.definition.sandboxed:
            guards.enter(self._known_as)
        try:
            self._watchdog.run(self._known_as, self._tell)
        except SystemExit as raised:
            error = raised  # workflow code must not end the process that runs it
        except Exception as raised:  # noqa: BLE001 - whatever the code raises fails the workflow or the workflow task
            error = self._fail(raised)
        finally:
            guards.leave()
            run.loop.leave()
        if error is not None:
            return TaskFailed(self._encoded(error), error)
        return TaskCompleted(tuple(run.commands), tuple(run.used_flags))

    def _fail(self, error: Exception) -> Exception | None:
        # An argument that cannot be decoded, for example, may fail the workflow by its type.
        if not self._run.is_failure(error):
            return error
        try:
            fail_workflow(self._run, error)
        except Exception as raised:  # noqa: BLE001 - reported in place of the error that could not be encoded
            return raised
        return None

    def _encoded(self, error: BaseException) -> Failure:
        try:
            return self._run.converter.encode_failure(error)
        except Exception as raised:  # noqa: BLE001 - a converter of the user's; its error is told instead
            return {"message": f"the error cannot be encoded: {raised}", "applicationFailureInfo": {}}

    # -- Jobs and turns ------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        run = self._run
        jobs = run.activation.jobs
        if len(jobs) == 1 and type(jobs[0]) is ResolveActivity:
            self._resolve_activity(jobs[0])  # as below, but this is what most activations are
            self._run_until_all_waits(True, False)
            if not run.activation.is_replaying:
                self._look_at_end()
            return
        sets: dict[int, list[Job]] = {}
        for number in range(4):
            of_set = [job for job in jobs if _SET_OF.get(type(job), _REST) == number]
            if of_set:
                sets[number] = of_set
        if _QUERIES in sets and len(sets) > 1:
            raise RuntimeError("an activation with queries must hold nothing else")
        for job in sets.get(_REST, ()):
            if type(job) is InitializeWorkflow:
                self._take_start(job)
        only_updates = all(type(job) is DoUpdate for job in sets.get(_MESSAGES, ())) and sets.keys() <= {_MESSAGES}
        if run.single_batch:
            for of_set in sets.values():
                for job in of_set:
                    _APPLY[type(job)](self, job)
            self._run_until_all_waits(_MESSAGES in sets or _REST in sets, only_updates)
        else:
            for number, of_set in sets.items():
                for job in of_set:
                    _APPLY[type(job)](self, job)
                self._run_until_all_waits(number in (_MESSAGES, _REST), only_updates)
        if _QUERIES in sets:
            self._handlers.answer_the_rest([job for job in jobs if isinstance(job, QueryWorkflow)])
        elif not run.activation.is_replaying:
            self._look_at_end()

    def _look_at_end(self) -> None:
        for command in self._run.commands:
            if type(command) in _TERMINAL:
                self._handlers.warn_of_unfinished()
                return

    def _run_until_all_waits(self, check_conditions: bool, only_updates: bool) -> None:
        run = self._run
        if run.workflow_object is None:
            self._make_object()
        ready, drain = run.ready, run.loop.drain
        while ready:
            drain()
            # A rejected update leaves nothing in the history, so what it sets free would not be set free on replay.
            if run.conditions and check_conditions and (not only_updates or run.accepted_update):
                run.conditions[:] = [waits for waits in run.conditions if not _is_over(*waits)]

    def _take_start(self, job: InitializeWorkflow) -> None:
        run, definition = self._run, self._run.definition
        run.started(job)
        payloads = payload_list(job.attributes.get("input"))
        if definition.name is None:
            self._args = [run.decode(payloads, [RawValue] * len(payloads))]
        else:
            self._args = run.decode(payloads, definition.arg_types)

    def _make_object(self) -> None:
        run, definition = self._run, self._run.definition
        run.workflow_object = definition.cls(*self._args) if definition.init_takes_args else definition.cls()
        if definition.dynamic_config_fn is None:
            return
        run.set_read_only(True)
        try:
            config = definition.dynamic_config_fn(run.workflow_object)
        finally:
            run.set_read_only(False)
        if config.failure_exception_types is not None:
            run.replace_failure_exception_types(tuple(config.failure_exception_types))

    # -- One method for each job ---------------------------------------------------------------------------------------

    def _initialize(self, job: InitializeWorkflow) -> None:
        run = self._run
        self._main = run.loop.create_task(ended_by(run, run_method, run, self._args), name="run")
        if self._cancel_main_when_made:
            run.loop.call_soon(self._main.cancel)

    def _signal(self, job: SignalWorkflow) -> None:
        self._handlers.signal(job)

    def _update(self, job: DoUpdate) -> None:
        self._handlers.update(job)

    def _query(self, job: QueryWorkflow) -> None:
        self._handlers.query(job)

    def _cancel(self, job: CancelWorkflow) -> None:
        self._run.cancel_reason = job.reason
        if self._main is not None:
            # Not at once: the run method may not have begun yet, and is to see the cancellation.
            self._run.loop.call_soon(self._main.cancel)
        elif self._run.single_batch:
            self._cancel_main_when_made = True

    def _notify_has_patch(self, job: NotifyHasPatch) -> None:
        self._run.patches_notified.add(job.patch_id)

    def _update_random_seed(self, job: UpdateRandomSeed) -> None:
        self._run.reseed(job.randomness_seed)

    def _fire_timer(self, job: FireTimer) -> None:
        # It may have been cancelled by a signal of the same activation.
        timer = self._run.timers.pop(job.seq, None)
        if timer is not None:
            self._run.ready.append((timer.fire, ()))

    def _resolve_activity(self, job: ResolveActivity) -> None:
        activity = self._run.activities.pop(job.seq, None)
        if activity is None:
            raise _nobody_waits("activity", job.seq)
        activity.resolve(job)

    def _resolve_child_start(self, job: ResolveChildStart) -> None:
        child = self._run.children.get(job.seq)
        if child is None:
            raise _nobody_waits("child workflow", job.seq)
        child.resolve_start(job)

    def _resolve_child(self, job: ResolveChild) -> None:
        child = self._run.children.pop(job.seq, None)
        if child is None:
            raise _nobody_waits("child workflow", job.seq)
        child.resolve(job)

    def _resolve_signal_external(self, job: ResolveSignalExternal) -> None:
        delivered = self._run.external_signals.pop(job.seq, None)
        if delivered is None:
            raise _nobody_waits("signal", job.seq)
        resolve_delivery(self._run, delivered, job.failure)

    def _resolve_cancel_external(self, job: ResolveCancelExternal) -> None:
        delivered = self._run.external_cancels.pop(job.seq, None)
        if delivered is None:
            raise _nobody_waits("request to cancel", job.seq)
        resolve_delivery(self._run, delivered, job.failure)

    def _resolve_nexus_start(self, job: ResolveNexusStart) -> None:
        operation = self._run.nexus_operations.get(job.seq)
        if operation is None:
            raise _nobody_waits("nexus operation", job.seq)
        operation.resolve_start(job)

    def _resolve_nexus(self, job: ResolveNexus) -> None:
        # After a cancellation was confirmed the operation may still come to an end of its own.
        operation = self._run.nexus_operations.pop(job.seq, None)
        if operation is not None:
            operation.resolve(job)

    # -- The end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Throw the run out of memory. No code of the workflow runs after this, and no command comes of it.

        Suspended coroutines are closed, so their `finally` blocks run now; nothing comes of what they ask for, and
        whatever they await is closed in turn.
        """
        run = self._run
        if run.is_closed:
            return
        run.is_closed = True
        run.ready.clear()
        run.loop.enter()
        try:
            run.loop.close_tasks()
        finally:
            run.loop.leave()
        run.ready.clear()
        for pending in (run.timers, run.activities, run.children, run.nexus_operations):
            pending.clear()
        run.external_signals.clear()
        run.external_cancels.clear()
        run.conditions.clear()
        # Nobody asks for these two any more, and without them nothing of the run is left to the garbage collector.
        run.loop.host = NOBODY
        del run.handlers


_APPLY: Final[Mapping[type[Job], Callable[[NativeInstance, Any], None]]] = {
    InitializeWorkflow: NativeInstance._initialize,
    NotifyHasPatch: NativeInstance._notify_has_patch,
    UpdateRandomSeed: NativeInstance._update_random_seed,
    SignalWorkflow: NativeInstance._signal,
    DoUpdate: NativeInstance._update,
    QueryWorkflow: NativeInstance._query,
    CancelWorkflow: NativeInstance._cancel,
    FireTimer: NativeInstance._fire_timer,
    ResolveActivity: NativeInstance._resolve_activity,
    ResolveChildStart: NativeInstance._resolve_child_start,
    ResolveChild: NativeInstance._resolve_child,
    ResolveSignalExternal: NativeInstance._resolve_signal_external,
    ResolveCancelExternal: NativeInstance._resolve_cancel_external,
    ResolveNexusStart: NativeInstance._resolve_nexus_start,
    ResolveNexus: NativeInstance._resolve_nexus,
}


def _is_over(condition: Callable[[], bool], holds: asyncio.Future[None]) -> bool:
    if holds.done():
        return True
    if condition():
        holds.set_result(None)
        return True
    return False


def _nobody_waits(kind: str, seq: int) -> RuntimeError:
    return RuntimeError(f"the run was told of the end of {kind} {seq}, which its code does not wait for")
