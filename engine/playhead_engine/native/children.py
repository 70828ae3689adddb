"""Child workflows, and continue-as-new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from playhead_engine.activation import (
    Cancelled,
    ChildStarted,
    ChildStartFailed,
    ResolveChild,
    ResolveChildStart,
    Succeeded,
)
from playhead_engine.commands import (
    CancelChildWorkflow,
    ChildWorkflowCancellationType,
    ContinueAsNew,
    StartChildWorkflow,
)
from playhead_engine.common import (
    ParentClosePolicy,
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
)
from playhead_engine.convert import duration_json, enum_json
from playhead_engine.definitions import WorkflowDefinition
from playhead_engine.exceptions import InvalidVersioningOverrideError, WorkflowAlreadyStartedError
from playhead_engine.native.activities import UNSET, only_one_of
from playhead_engine.native.errors import ContinueAsNewError
from playhead_engine.native.external import signal_workflow
from playhead_engine.native.operation import Operation, shielded
from playhead_engine.native.site import asking_line
from playhead_engine.record import record
from playhead_engine.search_attributes import encode_search_attributes

if TYPE_CHECKING:
    from playhead_engine.call_site import CallSite
    from playhead_engine.messages import Json
    from playhead_engine.native.run import Run

_W = TypeVar("_W")
_T = TypeVar("_T")

_ALREADY_EXISTS = "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
_INVALID_OVERRIDE = "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_INVALID_VERSIONING_OVERRIDE"


class ChildWorkflowHandle(Operation[_T], Generic[_W, _T]):
    """A child workflow that was started. Await it for its result; `cancel` asks it to stop.

    Attributes:
        command: What was asked for.
        result_type: What to convert the result to.
        start: Resolved when the child runs, or cannot.
        summary: What it is for.
    """

    __slots__ = ("_first_execution_run_id", "command", "result_type", "start", "summary")

    command: StartChildWorkflow
    result_type: Any
    start: asyncio.Future[None]
    summary: str | None

    def begin(self, run: Run) -> None:
        self._first_execution_run_id = "<unknown>"
        self.start = run.loop.create_future()
        super().begin(run)

    @property
    def id(self) -> str:
        """The child's workflow id."""
        return str(self.command.attributes["workflowId"])

    @property
    def first_execution_run_id(self) -> str | None:
        """Its first run."""
        return self._first_execution_run_id

    async def signal(self, signal: str | Callable[..., Any], arg: Any = UNSET, *, args: Sequence[Any] = ()) -> None:
        """Send a signal to the child, and wait until it is delivered.

        Args:
            signal: Its name, or the method that handles it.
            arg: The one argument.
            args: Several arguments.

        Raises:
            ApplicationError: There is no such workflow any more.
        """
        await signal_workflow(self.run, {"workflowId": self.id}, True, signal, arg, args)

    def resolve_start(self, job: ResolveChildStart) -> None:
        """Take what came of the start."""
        result = job.result
        if isinstance(result, ChildStarted):
            self._first_execution_run_id = result.run_id
            self.start.set_result(None)
            return
        self.run.children.pop(job.seq)
        self.start.set_exception(self._start_error(result))
        self.start.exception()  # whoever started it may have stopped waiting; that is no error nobody looked at

    def _start_error(self, result: ChildStartFailed | Cancelled) -> BaseException:
        if isinstance(result, Cancelled):
            return self.run.converter.decode_failure(result.failure)
        if result.cause == _ALREADY_EXISTS:
            return WorkflowAlreadyStartedError(result.workflow_id, result.workflow_type)
        if result.cause == _INVALID_OVERRIDE:
            return InvalidVersioningOverrideError()
        return RuntimeError(f"child workflow {result.workflow_id} could not be started: {result.cause}")

    def resolve(self, job: ResolveChild) -> None:
        """Take its end.

        Raises:
            RuntimeError: The result cannot be decoded.
        """
        result = job.result
        if isinstance(result, Succeeded):
            self.succeeded(self.run.decode_result(result.result, self.result_type))
        else:
            self.failed(self.run.converter.decode_failure(result.failure))

    def request_cancel(self, message: Any) -> None:
        reason = message if isinstance(message, str) else ""
        self.run.ask(CancelChildWorkflow(self.command.seq, reason, asking_line() or self.command.site))


@record
class ChildOptions:
    """How a child workflow is to be started; the names are those of `workflow.start_child_workflow`."""

    id: str
    task_queue: str | None
    result_type: Any
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    static_summary: str | None
    priority: Priority
    versioning_override: VersioningOverride | None


async def start_child_workflow(
    run: Run, workflow: object, arg: object, args: Sequence[object], options: ChildOptions
) -> ChildWorkflowHandle[Any, Any]:
    """Ask for a child workflow and wait until it runs.

    Raises:
        WorkflowAlreadyStartedError: The id is taken.
        ChildWorkflowError: It was cancelled before it ran.
        TypeError: An argument cannot be encoded, or the workflow is neither a name nor a run method.
    """
    values = only_one_of(arg, args)
    result_type = options.result_type
    if isinstance(workflow, str):
        name = workflow
    else:
        definition = WorkflowDefinition.of_run_method(workflow)
        if definition.name is None:
            raise TypeError("a dynamic workflow cannot be started by its run method: give the type it is to run as")
        name, result_type = definition.name, definition.ret_type
    run.check_may("start a child workflow")
    seq = run.next_seq("child_workflow")
    handle: ChildWorkflowHandle[Any, Any] = ChildWorkflowHandle(loop=run.loop)
    handle.command = StartChildWorkflow(
        seq, _child_attributes(run, name, values, options), options.cancellation_type, asking_line(2)
    )
    handle.result_type = result_type
    handle.summary = options.static_summary
    handle.begin(run)
    run.ask(handle.command)
    run.children[seq] = handle
    await shielded(run, handle.start, handle.request_cancel, raise_if_workflow_is_cancelled=True)
    return handle


def _child_attributes(run: Run, name: str, values: Sequence[object], options: ChildOptions) -> Json:
    attributes: Json = {
        "namespace": run.namespace,
        "workflowId": options.id,
        "workflowType": {"name": name},
        "taskQueue": _queue(options.task_queue) if options.task_queue else run.task_queue,
    }
    if values:
        attributes["input"] = {"payloads": run.converter.encode_values(values)}
    if options.execution_timeout:
        attributes["workflowExecutionTimeout"] = duration_json(options.execution_timeout)
    attributes |= {
        "workflowRunTimeout": duration_json(options.run_timeout or options.execution_timeout),
        "workflowTaskTimeout": duration_json(options.task_timeout or timedelta(seconds=10)),
        "parentClosePolicy": enum_json(options.parent_close_policy or ParentClosePolicy.TERMINATE),
        "workflowIdReusePolicy": f"WORKFLOW_ID_REUSE_POLICY_{options.id_reuse_policy.name}",
    }
    if options.retry_policy is not None:
        attributes["retryPolicy"] = options.retry_policy.to_json()
    if options.cron_schedule:
        attributes["cronSchedule"] = options.cron_schedule
    memo = {key: run.converter.encode_value(value) for key, value in (options.memo or {}).items()}
    attributes |= {"header": {}, "memo": {"fields": memo} if memo else {}}
    if options.search_attributes:
        attributes["searchAttributes"] = {"indexedFields": encode_search_attributes(options.search_attributes)}
    if not options.task_queue or options.task_queue == run.task_queue_name:
        attributes["inheritBuildId"] = True
    attributes["priority"] = options.priority.to_json()
    if options.versioning_override is not None:
        attributes["versioningOverride"] = options.versioning_override.to_json()
    return attributes


class ContinueRequested(ContinueAsNewError):
    """The code called `continue_as_new`; whoever runs the workflow makes the command of it.

    Attributes:
        attributes: As the command carries them.
        site: The line that asked.
    """

    def __init__(self, attributes: Json, site: CallSite | None) -> None:
        super().__init__("the workflow continues as new")
        self.attributes = attributes
        self.site = site

    def command(self) -> ContinueAsNew:
        """What is asked for."""
        return ContinueAsNew(self.attributes, self.site)


def continue_as_new(
    run: Run,
    arg: object,
    args: Sequence[object],
    workflow: object,
    task_queue: str | None,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    backoff_start_interval: timedelta | None,
    retry_policy: RetryPolicy | None,
    memo: Mapping[str, Any] | None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None,
) -> NoReturn:
    """End this run and start the next; the parameters are those of `workflow.continue_as_new`.

    Raises:
        ContinueRequested: Always.
        TypeError: An argument cannot be encoded, or the workflow is neither a name nor a run method.
    """
    values = only_one_of(arg, args)
    run.check_may("continue as new")
    start = run.start.attributes
    workflow_type = start.get("workflowType") or {}
    if isinstance(workflow, str):
        workflow_type = {"name": workflow}
    elif workflow is not None:
        name = WorkflowDefinition.of_run_method(workflow).name
        workflow_type = {"name": name} if name is not None else workflow_type
    attributes: Json = {
        "workflowType": workflow_type,
        "taskQueue": _queue(task_queue) if task_queue else run.task_queue,
    }
    if values:
        attributes["input"] = {"payloads": run.converter.encode_values(values)}
    attributes |= {
        "workflowRunTimeout": duration_json(run_timeout) if run_timeout else start.get("workflowRunTimeout", "0s"),
        "workflowTaskTimeout": duration_json(task_timeout) if task_timeout else start.get("workflowTaskTimeout", "10s"),
    }
    if backoff_start_interval:
        attributes["backoffStartInterval"] = duration_json(backoff_start_interval)
    if retry_policy is not None:
        attributes["retryPolicy"] = retry_policy.to_json()
    if memo:
        attributes["memo"] = {"fields": {key: run.converter.encode_value(value) for key, value in memo.items()}}
    if search_attributes:
        attributes["searchAttributes"] = {"indexedFields": encode_search_attributes(search_attributes)}
    if not task_queue or task_queue == run.task_queue_name:
        attributes["inheritBuildId"] = True
    raise ContinueRequested(attributes, asking_line(2))


def _queue(name: str) -> Json:
    return {"name": name, "kind": "TASK_QUEUE_KIND_NORMAL"}
