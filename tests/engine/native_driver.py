"""Drives instances of workflows without a server: a few helpers that say activations the way tests think of them.

`Driver` feeds one instance by hand. `Script` is a little server that cannot remember: it looks at the commands that
came back and makes up, from a seed, what happens next. The same script can be played to any runtime that speaks
activations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from playhead_engine.activation import (
    Activation,
    Backoff,
    Cancelled,
    CancelWorkflow,
    ChildStarted,
    ChildStartFailed,
    DoUpdate,
    Failed,
    FireTimer,
    InitializeWorkflow,
    Job,
    NexusStarted,
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
    Succeeded,
    TimedOut,
    UpdateRandomSeed,
)
from playhead_engine.commands import (
    ActivityCancellationType,
    CancelChildWorkflow,
    CancelSignalExternal,
    CancelTimer,
    CancelWorkflowExecution,
    ChildWorkflowCancellationType,
    Command,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    NexusCancellationType,
    RequestCancelActivity,
    RequestCancelExternal,
    RequestCancelLocalActivity,
    RequestCancelNexusOperation,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
)
from playhead_engine.converter import DataConverter
from playhead_engine.messages import Failure, Json, Payload
from playhead_engine.native.runtime import NativeRuntime
from playhead_engine.runtime import Completion, TaskCompleted, TaskFailed

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND + 123_456_789
RUN_ID = "r1"
SEED = 535625006537917176
TERMINAL = (CompleteWorkflow, FailWorkflow, CancelWorkflowExecution, ContinueAsNew)

encode = DataConverter.default.encode_value
encode_all = DataConverter.default.encode_values
decode = DataConverter.default.decode_value


def application_failure(message: str, kind: str = "Boom") -> Failure:
    """A failure as an activity's worker reports it."""
    return {"message": message, "applicationFailureInfo": {"type": kind}}


def activity_failure(seq: int, cause: Failure) -> Failure:
    """A failure as an activity machine tells it."""
    return {
        "message": "Activity task failed",
        "cause": cause,
        "activityFailureInfo": {
            "scheduledEventId": "5",
            "startedEventId": "6",
            "identity": "w",
            "activityType": {"name": "a"},
            "activityId": str(seq),
            "retryState": "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED",
        },
    }


def cancelled_activity(seq: int) -> Failure:
    """The failure of an activity that was cancelled."""
    return activity_failure(seq, {"message": "stopped", "canceledFailureInfo": {}})


def child_failure(cause: Failure) -> Failure:
    """A failure as a child workflow's machine tells it."""
    return {
        "message": "Child Workflow execution failed",
        "cause": cause,
        "childWorkflowExecutionFailureInfo": {
            "namespace": "default",
            "workflowExecution": {"workflowId": "child", "runId": "child-run"},
            "workflowType": {"name": "Child"},
            "initiatedEventId": "5",
            "startedEventId": "6",
            "retryState": "RETRY_STATE_NON_RETRYABLE_FAILURE",
        },
    }


def nexus_failure(cause: Failure) -> Failure:
    """A failure as a nexus operation's machine tells it."""
    return {
        "message": "nexus operation completed unsuccessfully",
        "cause": cause,
        "nexusOperationExecutionFailureInfo": {
            "scheduledEventId": "5",
            "endpoint": "ep",
            "service": "svc",
            "operation": "op",
            "operationToken": "token",
        },
    }


CANCELLED: Failure = {"message": "cancelled", "canceledFailureInfo": {}}


def start_job(workflow_type: str, args: Sequence[Any], **attributes: Any) -> InitializeWorkflow:
    """The job that makes a run."""
    given: Json = {
        "workflowType": {"name": workflow_type},
        "taskQueue": {"name": "queue", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "workflowTaskTimeout": "10s",
        "originalExecutionRunId": RUN_ID,
        "firstExecutionRunId": RUN_ID,
        "attempt": 1,
        **attributes,
    }
    if args:
        given["input"] = {"payloads": encode_all(args)}
    return InitializeWorkflow("the-workflow", given, SEED, START - SECOND)


class Driver:
    """One native instance, fed by hand.

    Attributes:
        instance: The instance.
        commands: Commands of the last activation.
        error: The error that failed the last workflow task, if one did.
        used_flags: Flags the last activation relied on.
    """

    def __init__(
        self,
        workflow: type,
        *args: Any,
        replaying: bool = False,
        flags: tuple[int, ...] = (),
        jobs: Sequence[Job] = (),
        start: dict[str, Any] | None = None,
        runtime: NativeRuntime | None = None,
    ) -> None:
        runtime = runtime or NativeRuntime([workflow])
        name = next(iter(runtime.workflow_types()), "Dynamic")
        self.instance = runtime.create(name, RUN_ID)
        self.replaying = replaying
        self.flags = flags
        self.time = START
        self.length = 3
        self.commands: tuple[Command, ...] = ()
        self.used_flags: tuple[int, ...] = ()
        self.error: BaseException | None = None
        self.tell(start_job(name, args, **(start or {})), *jobs)

    def tell(self, *jobs: Job, replaying: bool | None = None, seconds: float = 0) -> tuple[Command, ...]:
        """Activate with these jobs."""
        self.time += int(seconds * SECOND)
        is_replaying = self.replaying if replaying is None else replaying
        completion = self.instance.activate(
            Activation(RUN_ID, self.time, is_replaying, self.length, 100, False, jobs, self.flags)
        )
        self.length += 1
        self.error = completion.error if isinstance(completion, TaskFailed) else None
        self.commands = completion.commands if isinstance(completion, TaskCompleted) else ()
        self.used_flags = completion.used_flags if isinstance(completion, TaskCompleted) else ()
        return self.commands

    def complete(self, seq: int, result: Any = None) -> tuple[Command, ...]:
        """An activity ends well."""
        return self.tell(ResolveActivity(seq, Succeeded(encode(result))))

    def fail(self, seq: int, message: str = "boom") -> tuple[Command, ...]:
        """An activity fails."""
        return self.tell(ResolveActivity(seq, Failed(activity_failure(seq, application_failure(message)))))

    def fire(self, seq: int, seconds: float = 1) -> tuple[Command, ...]:
        """A timer fires."""
        return self.tell(FireTimer(seq), seconds=seconds)

    def signal(self, name: str, *args: Any) -> tuple[Command, ...]:
        """A signal comes."""
        return self.tell(SignalWorkflow(name, encode_all(args), "", {}, self.length))

    def update(self, name: str, *args: Any, validate: bool = True) -> tuple[Command, ...]:
        """An update is asked for, under its own name as its id."""
        return self.tell(DoUpdate(name, name, name, encode_all(args), {}, "", validate))

    def query(self, name: str, *args: Any) -> Any:
        """A query; its answer, or its failure."""
        (answer,) = self.tell(QueryWorkflow("q", name, encode_all(args), {}), replaying=True)
        assert type(answer).__name__ == "RespondToQuery"
        result: Payload | None = getattr(answer, "result", None)
        return decode(result) if result is not None else getattr(answer, "failure", None)

    def result(self) -> Any:
        """What the workflow returned in the last activation."""
        (command,) = [command for command in self.commands if isinstance(command, CompleteWorkflow)]
        return decode(command.attributes["result"]["payloads"][0])

    def kinds(self) -> list[str]:
        """Names of the last commands' classes."""
        return [type(command).__name__ for command in self.commands]


class Script:
    """What happens to a run, made up as it goes."""

    def __init__(self, seed: int, workflow_type: str, program: Any, *, replaying: bool, flags: tuple[int, ...]) -> None:
        self.random = Random(seed)
        self.workflow_type = workflow_type
        self.program = program
        self.replaying = replaying
        self.flags = flags
        self.time = START
        self.length = 3
        self.is_cancelled = False
        self.updates = 0
        # What may happen, by kind and number, and what happens at once, in the same workflow task.
        self.possible: dict[tuple[str, int], Callable[[], Job]] = {}
        self.at_once: list[Job] = []
        # Cancellation types of what was asked for, by number.
        self.kinds: dict[int, ActivityCancellationType] = {}
        self.child_kinds: dict[int, ChildWorkflowCancellationType] = {}
        self.nexus_kinds: dict[int, NexusCancellationType] = {}

    def first_jobs(self) -> list[Job]:
        """The first jobs."""
        jobs: list[Job] = [start_job(self.workflow_type, self.program.ARGS)]
        if self.random.random() < 0.3:
            jobs += [NotifyHasPatch(patch) for patch in self.random.sample(["one", "two", "three"], 2)]
        return jobs + self._messages(0.4)

    def next_jobs(self) -> list[Job]:
        """What happens next; empty if nothing can."""
        if self.at_once:
            jobs, self.at_once = self.at_once, []
            return jobs
        jobs = self._messages(0.35)
        keys = list(self.possible)
        self.random.shuffle(keys)
        for key in keys[: self.random.choice((1, 1, 1, 2, 3))]:
            jobs.append(self.possible.pop(key)())
        if self.random.random() < 0.05:
            jobs.append(UpdateRandomSeed(self.random.getrandbits(64)))
        if self.random.random() < 0.08:
            jobs.append(NotifyHasPatch(self.random.choice(["one", "two", "three"])))
        if not self.is_cancelled and self.random.random() < 0.06:
            self.is_cancelled = True
            jobs.insert(self.random.randint(0, len(jobs)), CancelWorkflow("enough"))
        return jobs

    def queries(self) -> list[Job]:
        """All queries the program says it can be asked."""
        asked = getattr(self.program, "QUERIES", ())
        return [QueryWorkflow(f"q{i}", name, encode_all(args), {}) for i, (name, *args) in enumerate(asked)]

    def activation(self, jobs: Sequence[Job], *, is_query: bool = False) -> Activation:
        """An activation with these jobs, in the order in which core tells them."""
        order = {InitializeWorkflow: 0, NotifyHasPatch: 1, UpdateRandomSeed: 2, SignalWorkflow: 3, DoUpdate: 3}
        self.time += self.random.choice((0, SECOND // 2, SECOND, 1_234_567_891))
        self.length += 1
        sorted_jobs = tuple(sorted(jobs, key=lambda job: order.get(type(job), 4)))
        is_replaying = self.replaying or is_query
        return Activation(RUN_ID, self.time, is_replaying, self.length, 100, False, sorted_jobs, self.flags)

    def _messages(self, chance: float) -> list[Job]:
        jobs: list[Job] = []
        for name, *args in getattr(self.program, "SIGNALS", ()):
            if self.random.random() < chance:
                jobs.append(SignalWorkflow(name, encode_all(args), "", {}, self.length))
        for name, *args in getattr(self.program, "UPDATES", ()):
            if self.random.random() < chance:
                self.updates += 1
                update_id = f"u{self.updates}"
                jobs.append(DoUpdate(update_id, update_id, name, encode_all(args), {}, "", not self.replaying))
        self.random.shuffle(jobs)
        return jobs[: self.random.choice((0, 1, 1, 2, 5))]

    # What follows from the commands of an activation. Core and the server together do this.

    def take(self, commands: Sequence[Command]) -> None:
        """Note what may happen now."""
        new = {(type(command).__name__, getattr(command, "seq", 0)) for command in commands}
        for command in commands:
            self._take(command, new)

    def _take(self, command: Command, new: set[tuple[str, int]]) -> None:
        match command:
            case StartTimer(seq):
                self.possible["timer", seq] = lambda: FireTimer(seq)
            case CancelTimer(seq):
                self.possible.pop(("timer", seq), None)
            case ScheduleActivity(seq, _, kind):
                self.possible["activity", seq] = lambda: ResolveActivity(seq, self._activity_end(seq))
                self.kinds[seq] = kind
            case RequestCancelActivity(seq):
                waits = self.kinds.get(seq) is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
                if ("activity", seq) in self.possible and (not waits or ("ScheduleActivity", seq) in new):
                    del self.possible["activity", seq]
                    self.at_once.append(ResolveActivity(seq, Cancelled(cancelled_activity(seq))))
            case ScheduleLocalActivity(seq, _, kind):
                self.kinds[seq] = kind
                self.possible["activity", seq] = lambda: ResolveActivity(seq, self._local_end(seq), is_local=True)
            case RequestCancelLocalActivity(seq):
                waits = self.kinds.get(seq) is ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
                if ("activity", seq) in self.possible and not waits:
                    del self.possible["activity", seq]
                    self.at_once.append(ResolveActivity(seq, Cancelled(cancelled_activity(seq)), is_local=True))
            case StartChildWorkflow(seq, _, child_kind):
                self.child_kinds[seq] = child_kind
                self.possible["child start", seq] = lambda: self._child_start(seq)
            case CancelChildWorkflow(seq):
                self._cancel_child(seq, ("StartChildWorkflow", seq) in new)
            case SignalExternal(seq):
                self.possible["signal", seq] = lambda: ResolveSignalExternal(seq, self._delivery())
            case CancelSignalExternal(seq):
                if self.possible.pop(("signal", seq), None) is not None:
                    self.at_once.append(ResolveSignalExternal(seq, application_failure("Signal was cancelled")))
            case RequestCancelExternal(seq):
                self.possible["cancel", seq] = lambda: ResolveCancelExternal(seq, self._delivery())
            case ScheduleNexusOperation(seq, _, nexus_kind):
                self.nexus_kinds[seq] = nexus_kind
                self.possible["nexus start", seq] = lambda: self._nexus_start(seq)
            case RequestCancelNexusOperation(seq):
                self._cancel_nexus(seq, ("ScheduleNexusOperation", seq) in new)
            case _:
                pass

    def _value(self) -> Payload | None:
        return self.random.choice((encode("ok"), encode(self.random.randint(1, 9)), encode(None), None))

    def _activity_end(self, seq: int) -> Succeeded | Failed | Cancelled:
        dice = self.random.random()
        if dice < 0.7:
            return Succeeded(self._value())
        if dice < 0.9:
            return Failed(activity_failure(seq, application_failure("boom")))
        return Cancelled(cancelled_activity(seq))

    def _local_end(self, seq: int) -> Succeeded | Failed | Cancelled | Backoff:
        if self.random.random() < 0.35:
            return Backoff(self.random.randint(2, 5), 1_500_000_000, {"seconds": 1_700_000_000, "nanos": 5})
        return self._activity_end(seq)

    def _delivery(self) -> Failure | None:
        return None if self.random.random() < 0.6 else application_failure("not found", "NotFound")

    def _child_start(self, seq: int) -> Job:
        dice = self.random.random()
        if dice < 0.8:
            self.possible["child", seq] = lambda: self._child_end(seq)
            return ResolveChildStart(seq, ChildStarted(f"run-{seq}"))
        if dice < 0.95:
            cause = "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
            return ResolveChildStart(seq, ChildStartFailed("id", "Child", cause))
        return ResolveChildStart(seq, Cancelled(child_failure(CANCELLED)))

    def _child_end(self, seq: int) -> Job:
        dice = self.random.random()
        if dice < 0.6:
            return ResolveChild(seq, Succeeded(self._value()))
        if dice < 0.85:
            return ResolveChild(seq, Failed(child_failure(application_failure("child boom"))))
        return ResolveChild(seq, Cancelled(child_failure(CANCELLED)))

    def _cancel_child(self, seq: int, is_new: bool) -> None:
        at_once = self.child_kinds[seq] in (
            ChildWorkflowCancellationType.ABANDON,
            ChildWorkflowCancellationType.TRY_CANCEL,
        )
        if ("child start", seq) in self.possible and is_new:
            del self.possible["child start", seq]
            self.at_once.append(ResolveChildStart(seq, Cancelled(child_failure(CANCELLED))))
        elif ("child", seq) in self.possible and at_once:
            del self.possible["child", seq]
            self.at_once.append(ResolveChild(seq, Cancelled(child_failure(CANCELLED))))

    def _nexus_start(self, seq: int) -> Job:
        dice = self.random.random()
        if dice < 0.8:
            self.possible["nexus", seq] = lambda: self._nexus_end(seq)
            return ResolveNexusStart(seq, NexusStarted("token" if dice < 0.6 else None))
        return ResolveNexusStart(seq, Failed(nexus_failure(application_failure("refused"))))

    def _nexus_end(self, seq: int) -> Job:
        failure = nexus_failure(application_failure("nexus boom"))
        return ResolveNexus(
            seq,
            self.random.choice(
                (Succeeded(encode("yes")), Failed(failure), Cancelled(nexus_failure(CANCELLED)), TimedOut(failure))
            ),
        )

    def _cancel_nexus(self, seq: int, is_new: bool) -> None:
        if ("nexus start", seq) in self.possible and is_new:
            del self.possible["nexus start", seq]
            self.at_once.append(ResolveNexusStart(seq, Failed(nexus_failure(CANCELLED))))
        elif ("nexus", seq) in self.possible and self.nexus_kinds[seq] in (
            NexusCancellationType.ABANDON,
            NexusCancellationType.TRY_CANCEL,
        ):
            del self.possible["nexus", seq]
            self.at_once.append(ResolveNexus(seq, Cancelled(nexus_failure(CANCELLED))))


def is_over(completion: Completion) -> bool:
    """Whether the workflow task failed or the workflow ended."""
    return isinstance(completion, TaskFailed) or any(isinstance(c, TERMINAL) for c in completion.commands)
