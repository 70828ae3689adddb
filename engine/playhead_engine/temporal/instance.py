"""A run of a `temporalio` workflow in the middle of its code: the SDK's own instance, told by us what happened.

All that the code can see (the order in which jobs are applied, when conditions are looked at, what a cancellation does)
is the SDK's doing, so it is right by construction. What is added is what core does around it, and the lines from which
the code asks.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from playhead_engine.activation import Activation, DoUpdate, InitializeWorkflow
from playhead_engine.call_site import definition_line
from playhead_engine.guards import Watchdog
from playhead_engine.messages import Failure, Json
from playhead_engine.runtime import Completion, HandlerKind, Suspended, TaskCompleted, TaskFailed, Waiting
from playhead_engine.temporal.activations import activation_proto
from playhead_engine.temporal.asked import Asked
from playhead_engine.temporal.commands import CommandReader
from playhead_engine.temporal.payloads import as_json
from playhead_engine.temporal.sdk import workflows as sdk
from playhead_engine.temporal.sdk.workflows import WorkflowActivation, WorkflowActivationCompletion

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("playhead_engine.temporal")

_EVICTIONS: Final = 3
"""How often a run is told to end before it is left alone."""

_unending: list[Any] = []  # code that does not let itself be ended; garbage collection must not wake it elsewhere


class CodeFailure(Exception):
    """Something around the workflow code failed (its codec, its import) and the SDK kept only the failure.

    Attributes:
        failure: What the SDK made of it.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.get("message", "")


class TemporalInstance:
    """One run of a workflow; see `runtime.WorkflowInstance`."""

    def __init__(
        self,
        worker: sdk.WorkflowWorker,
        workflow_type: str,
        run_id: str,
        namespace: str,
        task_queue: str | None,
        default_task_queue: str,
        watchdog: Watchdog,
    ) -> None:
        """
        Args:
            worker: Makes the SDK's instance.
            workflow_type: Its type.
            run_id: Its run id, for messages.
            namespace: What the code is told as its namespace.
            task_queue: What it is told as its task queue; None for the one its history names.
            default_task_queue: What it is told where the history names none.
            watchdog: Limits how long it may run without waiting for anything.
        """
        self._worker = worker
        self._known_as = f"{workflow_type} (run {run_id})"
        self._namespace = namespace
        self._task_queue = task_queue
        self._default_task_queue = default_task_queue
        self._watchdog = watchdog
        self._running: dict[str, Any] = {}
        self._instance: Any | None = None
        self._implementation: Any | None = None
        self._asked = Asked(worker.interceptor_classes)
        self._reader: CommandReader | None = None
        self._is_closed = False

    # See runtime.Inspectable

    @property
    def workflow_object(self) -> Any:
        """The object of the workflow class; None before the first activation."""
        return None if self._implementation is None else sdk.workflow_object_of(self._implementation)

    def pending(self) -> list[Waiting]:
        """What the code has asked for and waits for."""
        if self._implementation is None:
            return []
        found = [
            Waiting(one.kind, one.seq, one.name, None, self._asked.site_of(one.kind, one.seq))
            for one in sdk.pending_of(self._implementation)
        ]
        for condition in sdk.conditions_of(self._implementation):
            name = getattr(condition, "__qualname__", None) or type(condition).__qualname__
            found.append(Waiting("condition", 0, name, None, definition_line(condition)))
        return found

    def coroutines(self) -> list[Suspended]:
        """The suspended tasks of the run, the run method's first."""
        if self._implementation is None:
            return []
        tasks: list[asyncio.Task[Any]] = sdk.tasks_of(self._implementation)
        return [Suspended(task.get_name().partition(" (workflow: ")[0], task.get_coro()) for task in tasks]

    def handler(self, kind: HandlerKind, name: str) -> Callable[..., Any] | None:
        """The function that takes a signal, an update or a query of this name, or the run method."""
        if self._implementation is None:
            return None
        if kind == "run":
            return sdk.run_function_of(self._implementation)
        function: Callable[..., Any] | None = sdk.handler_function_of(self._implementation, kind, name)
        return function

    # Activations

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened and let it run until everything in it waits.

        Raises:
            RuntimeError: The run was closed.
        """
        if self._is_closed:
            raise RuntimeError(f"{self._known_as} was closed and cannot go on")
        message = activation_proto(activation)
        for job in activation.jobs:
            if isinstance(job, InitializeWorkflow):
                self._begin(activation.run_id, job.attributes)
            elif isinstance(job, DoUpdate):
                self._asked.note_update(job.protocol_instance_id, job.name)
        self._asked.begin()
        try:
            completion = self._on_a_free_thread(message)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - it did not hand control back, or more came out of it than may
            return TaskFailed({"message": str(error), "applicationFailureInfo": {"type": type(error).__name__}}, error)
        if completion.HasField("failed"):
            failure: Failure = as_json(completion.failed.failure)  # type: ignore[assignment]
            return TaskFailed(failure, self._asked.error or CodeFailure(failure))
        assert self._reader is not None
        done = completion.successful
        return TaskCompleted(
            self._reader.read(done.commands, self._asked.sites(done.commands)), tuple(done.used_internal_flags)
        )

    def _begin(self, run_id: str, start: Json) -> None:
        if self._task_queue is None:
            self._task_queue = (start.get("taskQueue") or {}).get("name") or self._default_task_queue
        self._reader = CommandReader(run_id, start, self._namespace, self._task_queue)

    def _on_a_free_thread(self, message: WorkflowActivation) -> WorkflowActivationCompletion:
        # Since 3.14 a task cannot be entered while another one is, whatever loop it belongs to.
        if sys.version_info >= (3, 14) and sdk.has_running_loop():
            with ThreadPoolExecutor(1) as elsewhere:
                return elsewhere.submit(self._watched, message).result()
        return self._watched(message)

    def _watched(self, message: WorkflowActivation) -> WorkflowActivationCompletion:
        with sdk.outside_any_loop():
            return self._watchdog.run(self._known_as, lambda: self._tell(message))

    def _tell(self, message: WorkflowActivation) -> WorkflowActivationCompletion:
        worker = self._worker
        if self._instance is None and not worker.converts:
            try:
                self._created(worker.create(message, self._task_queue))
            except Exception:  # noqa: BLE001 - it is raised again, where the SDK turns it into an answer
                return worker.handle(message, self._running, self._created, self._task_queue)
        if worker.converts:
            return worker.handle(message, self._running, self._created, self._task_queue)
        assert self._instance is not None
        answer: WorkflowActivationCompletion = self._instance.activate(message)
        return answer

    def _created(self, instance: Any) -> None:
        self._instance = instance
        self._implementation = sdk.implementation_of(instance)
        if self._implementation is not None:
            self._asked.watch(self._implementation)

    # The end

    def close(self) -> None:
        """Throw the run out of memory: its tasks are cancelled, and nothing comes of what they do then."""
        if self._is_closed:
            return
        self._is_closed = True
        instance = self._instance
        if instance is None:
            return
        if self._implementation is not None:
            sdk.close_unstarted(self._implementation)
        message = WorkflowActivation()
        message.jobs.add().remove_from_cache.SetInParent()
        last = ""
        for _ in range(_EVICTIONS):
            try:
                with sdk.outside_any_loop():
                    self._watchdog.run(self._known_as, lambda: instance.activate(message))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the code catches what is to end it
                last = str(error).partition("\n")[0]
            else:
                if last:
                    logger.warning("%s did not end when its tasks were cancelled, but later: %s", self._known_as, last)
                return
        logger.warning("%s does not end when its tasks are cancelled, and stays in memory: %s", self._known_as, last)
        _unending.append(instance)
