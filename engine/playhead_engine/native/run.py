"""One run of a workflow, as its calls and handlers see it.

It holds what the code has asked for in this activation, what it still waits for, its time and its randomness. Which job
of an activation does what is `instance`'s to say; what the code can ask for, that of the modules of calls.
"""

from __future__ import annotations

import contextvars
from asyncio import Future, TimerHandle
from asyncio import TimeoutError as AsyncioTimeoutError
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from playhead_engine.activation import Activation, InitializeWorkflow
from playhead_engine.commands import Command
from playhead_engine.exceptions import FailureError
from playhead_engine.native.errors import ReadOnlyContextError
from playhead_engine.native.info import Info, info_of
from playhead_engine.native.loop import WorkflowLoop
from playhead_engine.native.operation import PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH
from playhead_engine.native.timers import Timer, start_timer, timer_cancelled

if TYPE_CHECKING:
    from playhead_engine.converter import DataConverter
    from playhead_engine.definitions import WorkflowDefinition
    from playhead_engine.messages import Json, Payload
    from playhead_engine.native.activities import ActivityHandle
    from playhead_engine.native.children import ChildWorkflowHandle
    from playhead_engine.native.handlers import Handlers
    from playhead_engine.native.nexus import NexusOperationHandle

NOTHING_YET = Activation("", 0, False, 0, 0, False, ())


class Run:
    """See the module.

    Attributes:
        definition: The workflow class.
        run_id: Id of the run.
        namespace: Its namespace.
        converter: Converts its values.
        loop: Runs its code.
        ready: The loop's queue.
        activation: What it is being told.
        commands: What the code has asked for in this activation, in order.
        used_flags: Flags of the SDK that this activation relied on.
        single_batch: Whether all jobs of this activation are applied before any code runs.
        accepted_update: Whether an update was accepted in this activation.
        start: The job that made the run.
        workflow_object: The object of the workflow class.
        task_queue: The run's task queue, as commands carry it. Shared by all of them: not to be changed.
        task_queue_name: Its name.
        timeout: How long the run may take, as JSON.
        activity_seq: The number of the last activity.
        cancelled_activities: Numbers of activities that were asked to stop.
        handlers: Of signals, queries and updates.
        conditions: What is waited for by `wait_condition`: the condition, and the future to resolve.
        activities: Activities and local activities that were asked for and have not ended, by number. Likewise
            `timers`, `children`, `nexus_operations`, and the futures of `external_signals` and `external_cancels`.
        failure_exception_types: Errors that fail the workflow rather than its task.
        cancel_reason: Why the run is to be cancelled; None if nobody asked for it.
        patches: What the code was told about each patch it asked for.
        patches_notified: Patches that the history has markers for.
        memo_values: The memo, decoded; None if nobody has asked for it since it last changed.
        current_details: A text about the state of the run, for people.
        is_read_only: Whether a query handler, an update validator or the like is running.
        answers_now: Whether it is a query handler or an update validator, which are never replayed.
        is_closed: Whether the run is being, or has been, thrown out of memory.
    """

    __slots__ = (
        "_info",
        "_random",
        "_reseeded",
        "_seed",
        "_sequence",
        "accepted_update",
        "activation",
        "activities",
        "activity_seq",
        "answers_now",
        "cancel_reason",
        "cancelled_activities",
        "children",
        "commands",
        "conditions",
        "converter",
        "current_details",
        "definition",
        "external_cancels",
        "external_signals",
        "failure_exception_types",
        "first_activation",
        "handlers",
        "is_closed",
        "is_read_only",
        "loop",
        "memo_values",
        "namespace",
        "nexus_operations",
        "patches",
        "patches_notified",
        "ready",
        "run_id",
        "single_batch",
        "start",
        "task_queue",
        "task_queue_name",
        "timeout",
        "timers",
        "used_flags",
        "workflow_object",
    )

    handlers: Handlers
    start: InitializeWorkflow
    first_activation: Activation

    def __init__(
        self,
        definition: WorkflowDefinition,
        run_id: str,
        namespace: str,
        converter: DataConverter,
        failure_exception_types: tuple[type[BaseException], ...],
    ) -> None:
        self.definition = definition
        self.run_id = run_id
        self.namespace = namespace
        self.converter = converter
        self.failure_exception_types = definition.failure_exception_types + failure_exception_types
        self.loop = WorkflowLoop(self)  # type: ignore[abstract] # what it refuses is set in a loop
        self.ready = self.loop.ready
        self.activation = NOTHING_YET
        self.commands: list[Command] = []
        self.used_flags: list[int] = []
        self.single_batch = False
        self.accepted_update = False
        self.workflow_object: Any = None
        self.task_queue: Json = {}
        self.task_queue_name = ""
        self.timeout: str | None = None
        self.activity_seq = 0
        self.cancelled_activities: set[int] = set()
        self.conditions: list[tuple[Callable[[], bool], Future[None]]] = []
        self.activities: dict[int, ActivityHandle[Any]] = {}
        self.timers: dict[int, Timer] = {}
        self.children: dict[int, ChildWorkflowHandle[Any, Any]] = {}
        self.nexus_operations: dict[int, NexusOperationHandle[Any]] = {}
        self.external_signals: dict[int, Future[None]] = {}
        self.external_cancels: dict[int, Future[None]] = {}
        self.cancel_reason: str | None = None
        self.current_details = ""
        self.is_read_only = False
        self.answers_now = False
        self.is_closed = False
        self.patches: dict[str, bool] = {}
        self.patches_notified: set[str] = set()
        self.memo_values: dict[str, Any] | None = None
        self._sequence: dict[str, int] = {}
        self._info: Info | None = None
        self._seed = 0
        self._random: Random | None = None
        self._reseeded: list[Callable[[int], None]] = []

    def begin(self, activation: Activation) -> None:
        """Start with an activation."""
        self.activation = activation
        self.commands = []
        self.used_flags = []
        self.accepted_update = False
        self.single_batch = PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH in activation.internal_flags

    def started(self, start: InitializeWorkflow) -> None:
        """Take what the run was started with."""
        self.start = start
        self.first_activation = self.activation
        self._seed = start.randomness_seed
        queue = start.attributes.get("taskQueue") or {}
        self.task_queue_name = queue.get("name", "")
        self.task_queue = {"name": self.task_queue_name, "kind": "TASK_QUEUE_KIND_NORMAL"}
        self.timeout = start.attributes.get("workflowRunTimeout")

    @property
    def info(self) -> Info:
        """What the code may know about the run."""
        if self._info is None:
            self._info = info_of(self.start, self.first_activation, self.run_id, self.namespace)
        return self._info

    # -- Asking --------------------------------------------------------------------------------------------------------

    def ask(self, command: Command) -> None:
        """Add a command to those of this activation. Nothing comes of it once the run is closed.

        Raises:
            ReadOnlyContextError: A query handler or an update validator asked.
        """
        if self.loop.is_frozen:
            self.check_may("ask for anything")
        if not self.is_closed:
            self.commands.append(command)

    def next_seq(self, kind: str) -> int:
        """The number of the next command of its kind, from 1."""
        seq = self._sequence.get(kind, 0) + 1
        self._sequence[kind] = seq
        return seq

    def check_may(self, action: str) -> None:
        """Check that the code may change something now.

        Args:
            action: What it wants to do, for the error.

        Raises:
            ReadOnlyContextError: A query handler, an update validator or the like is running.
        """
        if self.is_read_only:
            raise ReadOnlyContextError(
                f"a query handler or an update validator must change nothing: it tried to {action}"
            )

    def set_read_only(self, is_read_only: bool, *, answers_now: bool = False) -> None:
        """Let the code change nothing, or let it change things again."""
        self.is_read_only = self.loop.is_frozen = is_read_only
        self.answers_now = answers_now

    def cancelling_wins(self, flag: int | None) -> bool:
        """Whether code that is cancelled while it waits for something that has ended sees itself cancelled.

        If not, it sees the end, since older versions of Temporal's SDK did so.

        Args:
            flag: The SDK flag that says so for this kind of thing; None if there is none.
        """
        if self.single_batch:
            return True
        activation = self.activation
        if flag is None or (activation.is_replaying and flag not in activation.internal_flags):
            return False
        if flag not in self.used_flags:
            self.used_flags.append(flag)
        return True

    # -- Failing -------------------------------------------------------------------------------------------------------

    def is_failure(self, error: BaseException) -> bool:
        """Whether an error fails the workflow rather than its task."""
        return isinstance(error, (FailureError, AsyncioTimeoutError, *self.failure_exception_types))

    def replace_failure_exception_types(self, types: tuple[type[BaseException], ...]) -> None:
        """Take other errors for failures than the workflow class lists."""
        of_class = self.definition.failure_exception_types
        self.failure_exception_types = types + self.failure_exception_types[len(of_class) :]

    def stop(self, error: BaseException) -> None:
        """Fail the workflow task: no code runs after what runs now."""
        self.loop.failure = error

    # -- Values --------------------------------------------------------------------------------------------------------

    def decode(self, payloads: Sequence[Payload], hints: Sequence[Any] | None) -> list[Any]:
        """Arguments as the code wants them.

        Raises:
            RuntimeError: They cannot be decoded, and the error is not one that fails the workflow.
        """
        if not payloads:
            return []
        try:
            # As in Temporal's SDK: annotations count only if there are as many as there are values.
            return self.converter.decode_values(payloads, hints if hints and len(hints) == len(payloads) else None)
        except Exception as error:
            if self.is_failure(error):
                raise
            raise RuntimeError(f"the arguments cannot be decoded: {error}") from error

    def decode_result(self, payload: Payload | None, hint: Any) -> Any:
        """A result as the code wants it; None where there is none.

        Raises:
            RuntimeError: It cannot be decoded, and the error is not one that fails the workflow.
        """
        if payload is None:
            return None
        try:
            return self.converter.decode_value(payload, hint)
        except Exception as error:
            if self.is_failure(error):
                raise
            raise RuntimeError(f"the result cannot be decoded: {error}") from error

    # -- Time ----------------------------------------------------------------------------------------------------------

    @property
    def time_ns(self) -> int:
        """The workflow's time, in nanoseconds since the epoch."""
        return self.activation.timestamp_ns

    @property
    def is_silent(self) -> bool:
        """Whether what happens now was reported when it happened first, or no longer matters."""
        return self.is_closed or (self.activation.is_replaying and not self.answers_now)

    def start_timer(
        self,
        seconds: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> Timer:
        """Ask for a timer; see `timers.start_timer`."""
        return start_timer(self, seconds, callback, args, context)

    def timer_cancelled(self, timer: TimerHandle) -> None:
        """Take a timer back, unless it has fired."""
        assert isinstance(timer, Timer)
        timer_cancelled(self, timer)

    # -- Randomness ----------------------------------------------------------------------------------------------------

    @property
    def random(self) -> Random:
        """The run's random numbers."""
        self.check_may("draw a random number")
        if self._random is None:
            self._random = Random(self._seed)
        return self._random

    @property
    def seed(self) -> int:
        """Where the random numbers come from."""
        return self._seed

    def reseed(self, seed: int) -> None:
        """Go on from another seed."""
        self._seed = seed
        if self._random is not None:
            self._random.seed(seed)
        for callback in self._reseeded:
            callback(seed)

    def on_reseed(self, callback: Callable[[int], None]) -> None:
        """Be told of every other seed."""
        self.check_may("ask to be told of a new seed")
        self._reseeded.append(callback)
