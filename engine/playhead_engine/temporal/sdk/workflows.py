"""Drives workflow code by the SDK's own workflow worker and its instances, without core."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, Future
from types import CodeType
from typing import Any, Literal, TypeVar

from playhead_engine.call_site import raising_line
from playhead_engine.record import record
from playhead_engine.temporal.sdk.release import probe, refuse_unknown_arguments

probe()  # before what follows is imported, since it may not be there

import temporalio.common  # noqa: E402
import temporalio.exceptions  # noqa: E402
import temporalio.workflow  # noqa: E402
from temporalio.bridge.proto.workflow_activation import WorkflowActivation  # noqa: E402
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion  # noqa: E402
from temporalio.worker import StartLocalActivityInput, _workflow, _workflow_instance  # noqa: E402

__all__ = [
    "Pending",
    "Settings",
    "Watched",
    "WorkflowActivation",
    "WorkflowActivationCompletion",
    "WorkflowWorker",
    "close_unstarted",
    "conditions_of",
    "handler_function_of",
    "has_running_loop",
    "hide_message",
    "implementation_of",
    "instance_of",
    "loop_code",
    "outside_any_loop",
    "pending_of",
    "run_function_of",
    "tasks_of",
    "workflow_object_of",
    "workflow_type_of",
]

_T = TypeVar("_T")


# What is public in spirit: definitions


def workflow_type_of(cls: type) -> str | None:
    """The type under which a workflow class is known; None for a dynamic workflow.

    Raises:
        ValueError: It is not decorated with `@workflow.defn`, or not as it must be.
    """
    return temporalio.workflow._Definition.must_from_class(cls).name


# The worker


@record
class Settings:
    """How the SDK's worker is to be made.

    Attributes:
        workflows: The workflow classes.
        data_converter: Converts their values.
        interceptors: Of `temporalio.worker`.
        workflow_runner: Makes instances of classes that want the sandbox.
        unsandboxed_workflow_runner: Makes instances of the others.
        failure_exception_types: Errors that fail a workflow rather than its task.
        namespace: What the code is told as its namespace.
        task_queue: What the code is told as its task queue.
        encodes_headers: Whether the codec applies to headers.
        debug_mode: As the SDK's: no limit of time, breakpoints work.
    """

    workflows: tuple[type, ...]
    data_converter: Any
    interceptors: tuple[Any, ...]
    workflow_runner: Any
    unsandboxed_workflow_runner: Any
    failure_exception_types: tuple[type[BaseException], ...]
    namespace: str
    task_queue: str
    encodes_headers: bool
    debug_mode: bool


def _worker_arguments(settings: Settings) -> dict[str, Any]:
    return {
        "bridge_worker": None,
        "namespace": settings.namespace,
        "task_queue": settings.task_queue,
        "workflows": settings.workflows,
        "workflow_task_executor": _InThisThread(),
        "max_concurrent_workflow_tasks": 1,
        "workflow_runner": settings.workflow_runner,
        "unsandboxed_workflow_runner": settings.unsandboxed_workflow_runner,
        "data_converter": settings.data_converter,
        "interceptors": settings.interceptors,
        "workflow_failure_exception_types": settings.failure_exception_types,
        "patch_activation_callback": None,
        "debug_mode": settings.debug_mode,
        "metric_meter": temporalio.common.MetricMeter.noop,
        "on_eviction_hook": None,
        "disable_eager_activity_execution": False,
        "disable_safe_eviction": False,
        "should_enforce_versioning_behavior": False,
        "assert_local_activity_valid": _accept_any,
        "encode_headers": settings.encodes_headers,
        "max_workflow_task_external_storage_concurrency": 1,
        "default_workflow_logic_flags": None,
    }


def _accept_any(_name: str) -> None:
    """Local activities are not run here, so any of them will do."""


class WorkflowWorker:
    """The SDK's workflow worker, which nobody polls for: activations are handed to it.

    It serves one thread after the other. None of its methods may be called on a thread whose event loop is running;
    `outside_any_loop` sees to that.

    Attributes:
        converts: Whether payloads have to go through a codec, or come from an external storage.
        interceptor_classes: What stands between workflow code and the SDK, outermost first.
    """

    def __init__(self, settings: Settings) -> None:
        """Make it.

        Raises:
            RuntimeError: A workflow cannot be imported into the sandbox.
            ValueError: A class is no workflow, or two have the same type.
            UnsupportedSdk: The installed SDK does not fit.
        """
        arguments = refuse_unknown_arguments(_workflow._WorkflowWorker.__init__, _worker_arguments(settings))
        answers: list[WorkflowActivationCompletion] = []
        arguments["bridge_worker"] = lambda: _Answers(answers)
        self._answers = answers
        self._loop = asyncio.new_event_loop()
        try:

            async def make() -> Any:
                return _workflow._WorkflowWorker(**arguments)

            with outside_any_loop():
                self._worker = self._loop.run_until_complete(make())
        except BaseException as error:
            self._loop.close()
            if isinstance(error, RuntimeError) and error.__cause__ is not None:
                raise RuntimeError(_not_in_sandbox(error, error.__cause__, settings)) from error.__cause__
            raise
        # The SDK keeps what it is about in the worker, so it must be about one thing at a time.
        self._turn = threading.RLock()
        self._create: Callable[[Any, Any], Any] = self._worker._create_workflow_instance
        converter = settings.data_converter
        self.converts = bool(converter.payload_codec or getattr(converter, "external_storage", None))
        self.interceptor_classes: tuple[type, ...] = tuple(self._worker._interceptor_classes)

    def close(self) -> None:
        """Let go of its event loop."""
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run something of the SDK's that has to be awaited."""
        with self._turn:
            return self._loop.run_until_complete(coroutine)

    def create(self, message: WorkflowActivation, task_queue: str | None = None) -> Any:
        """The SDK's instance for the run that this activation begins.

        Args:
            message: The first activation, payloads as code is to see them.
            task_queue: What the code is told as its task queue, if not what the settings say.

        Raises:
            Exception: Whatever the SDK or the user's code raises.
        """

        async def make() -> Any:
            start = next(job.initialize_workflow for job in message.jobs if job.HasField("initialize_workflow"))
            return self._create(message, start)

        with self._turn:
            usual = self._worker._task_queue
            self._worker._task_queue = usual if task_queue is None else task_queue
            try:
                return self._loop.run_until_complete(make())
            finally:
                self._worker._task_queue = usual

    def handle(
        self,
        message: WorkflowActivation,
        running: dict[str, Any],
        on_created: Callable[[Any], None],
        task_queue: str | None = None,
    ) -> WorkflowActivationCompletion:
        """Let the SDK do all that it does around an activation: decode it, make the instance, activate, encode.

        Args:
            message: The activation, payloads as the history holds them. It is decoded in place.
            running: What the SDK keeps of the run between activations; empty before the first.
            on_created: Told of the instance when it is made, before any of the user's code runs in it.
            task_queue: As of `create`.
        """
        worker = self._worker

        def create(activation: Any, start: Any) -> Any:
            instance = self._create(activation, start)
            on_created(instance)
            return instance

        with self._turn:
            usual_queue = worker._task_queue
            worker._running_workflows = running
            worker._create_workflow_instance = create
            worker._task_queue = usual_queue if task_queue is None else task_queue
            try:
                self._loop.run_until_complete(worker._handle_activation(message))
            finally:
                worker._running_workflows = {}
                worker._create_workflow_instance = self._create
                worker._task_queue = usual_queue
            return self._answers.pop()


def _not_in_sandbox(error: RuntimeError, cause: BaseException, settings: Settings) -> str:
    """What is told of a class that cannot be made ready; the SDK names it and leaves the rest to the traceback."""
    cls = next((one for one in settings.workflows if str(error).endswith(f" {workflow_type_of(one)}")), None)
    if cls is None:
        return f"{error}: {cause}"
    site = raising_line(cause.__traceback__)
    place = f" (at {site})" if site is not None and cls.__module__ != "__main__" else ""
    if cls.__module__ == "__main__":
        advice = "The sandbox imports its module again, and cannot import a script: move the class to a module"
    else:
        advice = "What a module does when it is imported is restricted there, too: pass the module through"
    return (
        f"{cls.__module__}.{cls.__qualname__} cannot be imported into the sandbox of temporalio{place}: "
        f"{str(cause).rstrip('.')}. {advice}, or do without the sandbox: @workflow.defn(sandboxed=False), or "
        "workflow_runner=UnsandboxedWorkflowRunner()."
    )


class _Answers:
    """Stands where the connection to core would be."""

    def __init__(self, answers: list[WorkflowActivationCompletion]) -> None:
        self._answers = answers

    async def complete_workflow_activation(self, completion: WorkflowActivationCompletion) -> None:
        self._answers.append(completion)


class _InThisThread(Executor):
    """Runs what is submitted here and now: whoever limits the time of an activation does so elsewhere."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        with outside_any_loop():
            try:
                done.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - it is the future's, as with any executor
                done.set_exception(error)
        return done


class outside_any_loop:  # noqa: N801 - a context manager, and entered too often to be a generator
    """Step out of the event loop that runs on this thread, if one does: a workflow instance is one itself."""

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)

    def __exit__(self, *error: object) -> None:
        asyncio._set_running_loop(self._outer)


# The instance


def implementation_of(instance: Any) -> Any | None:
    """The SDK's instance behind the one that a runner made; None where the runner is somebody else's."""
    if isinstance(instance, _workflow_instance._WorkflowInstanceImpl):
        return instance
    inside = getattr(instance, "globals_and_locals", {}).get("__temporal_in_sandbox")
    inner = getattr(inside, "instance", None)
    return inner if isinstance(inner, _workflow_instance._WorkflowInstanceImpl) else None


def loop_code() -> CodeType:
    """The code of the SDK's event loop: everything below it on the stack is the workflow."""
    return _workflow_instance._WorkflowInstanceImpl._run_once.__code__


@record
class Pending:
    """One thing that the code waits for: see `runtime.Waiting`."""

    kind: str
    seq: int
    name: str


def pending_of(implementation: Any) -> Iterator[Pending]:
    """All that a run waits for, in the order in which it was asked for within each kind."""
    for seq in implementation._pending_timers:
        yield Pending("timer", seq, str(seq))
    for seq, handle in implementation._pending_activities.items():
        asked = handle._input
        is_local = isinstance(asked, StartLocalActivityInput)
        yield Pending("local activity" if is_local else "activity", seq, asked.activity)
    for seq, handle in implementation._pending_child_workflows.items():
        yield Pending("child workflow", seq, handle._input.workflow)
    for seq, handle in implementation._pending_nexus_operations.items():
        yield Pending("nexus operation", seq, handle._input.operation_name)
    for seq in implementation._pending_external_signals:
        yield Pending("signal", seq, str(seq))
    for seq in implementation._pending_external_cancels:
        yield Pending("cancel", seq, str(seq))


def conditions_of(implementation: Any) -> list[Callable[[], bool]]:
    """The conditions that a run waits for."""
    return [condition for condition, _ in implementation._conditions]


def tasks_of(implementation: Any) -> list[asyncio.Task[Any]]:
    """The tasks of a run that are not over, the run method's first."""
    main = implementation._primary_task
    others = sorted((task for task in implementation._tasks if task is not main), key=lambda task: task.get_name())
    return [main, *others] if main is not None and main in implementation._tasks else others


def close_unstarted(implementation: Any) -> None:
    """Close what a run was to begin and never will, since its first activation did not come to its end."""
    for task in implementation._tasks:
        coroutine = task.get_coro()
        if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            for inner in inspect.getcoroutinelocals(coroutine).values():
                if inspect.iscoroutine(inner):
                    inner.close()


def workflow_object_of(implementation: Any) -> Any:
    """The object of the workflow class; None before the first activation."""
    return implementation._object


def run_function_of(implementation: Any) -> Callable[..., Any]:
    """The run method of the workflow class."""
    function: Callable[..., Any] = implementation._defn.run_fn
    return function


def handler_function_of(implementation: Any, kind: Literal["signal", "update", "query"], name: str) -> Any | None:
    """The function that handles a signal, an update or a query of this name; None if none does."""
    handlers = getattr(implementation, {"signal": "_signals", "update": "_updates", "query": "_queries"}[kind])
    definition = handlers.get(name) or handlers.get(None)
    return getattr(definition, "fn", None)


class Watched:
    """Hooks into one instance: what it does is told to whoever watches, and goes on as before.

    Nothing is replaced in the SDK itself, only in this object.
    """

    def __init__(
        self,
        implementation: Any,
        on_command: Callable[[], None],
        on_failure: Callable[[BaseException], None],
        on_continue: Callable[[], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """
        Args:
            implementation: The instance.
            on_command: A command was made; the stack is that of whoever asked.
            on_failure: The workflow is about to fail with this.
            on_continue: `continue_as_new` was called.
            on_error: An error is being converted into a failure.
        """
        add, fail = implementation._add_command, implementation._set_workflow_failure
        continue_as_new = implementation._outbound_continue_as_new

        def add_command() -> Any:
            command = add()
            on_command()
            return command

        def set_workflow_failure(error: BaseException) -> None:
            on_failure(error)
            fail(error)

        def outbound_continue_as_new(asked: Any) -> Any:
            on_continue()
            return continue_as_new(asked)

        implementation._add_command = add_command
        implementation._set_workflow_failure = set_workflow_failure
        implementation._outbound_continue_as_new = outbound_continue_as_new
        implementation._workflow_context_failure_converter = _FailureConverter(
            implementation._workflow_context_failure_converter, on_error
        )


def hide_message(error: temporalio.exceptions.FailureError, message: Any) -> None:
    """Let an error say something else than text.

    Args:
        error: The error.
        message: What it says.
    """
    error._message = message
    error.args = (message,)


class _FailureConverter:
    """The instance's failure converter, watched."""

    def __init__(self, converter: Any, on_error: Callable[[BaseException], None]) -> None:
        self._converter = converter
        self._on_error = on_error

    def to_failure(self, exception: BaseException, *rest: Any) -> None:
        self._on_error(exception)
        self._converter.to_failure(exception, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._converter, name)


def instance_of(running: Mapping[str, Any], run_id: str) -> Any | None:
    """The instance in what the SDK keeps of a run; None if it keeps none."""
    kept = running.get(run_id)
    return None if kept is None else kept.instance


def has_running_loop() -> bool:
    """Whether an event loop runs on this thread."""
    return asyncio._get_running_loop() is not None
