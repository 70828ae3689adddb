"""Child workflows, other workflows, and the next run of this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Concatenate, NoReturn, ParamSpec, TypedDict, TypeVar, Unpack, overload

from playhead_engine.commands import ChildWorkflowCancellationType
from playhead_engine.common import (
    ParentClosePolicy,
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDReusePolicy,
)
from playhead_engine.native import children as native
from playhead_engine.native.activities import UNSET
from playhead_engine.native.children import ChildOptions, ChildWorkflowHandle
from playhead_engine.native.context import current_run
from playhead_engine.native.external import ExternalWorkflowHandle
from playhead_engine.native.properties import warn_of_untyped_attributes
from playhead_engine.workflow.state import uuid4
from playhead_engine.workflow.versioning import ContinueAsNewVersioningBehavior, VersioningIntent

_W = TypeVar("_W")
_P = TypeVar("_P")
_R = TypeVar("_R")
_Params = ParamSpec("_Params")


class ChildWorkflowConfig(TypedDict, total=False):
    """The options of a child workflow; see `start_child_workflow`."""

    id: str | None
    task_queue: str | None
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
    versioning_intent: VersioningIntent | None
    static_summary: str | None
    static_details: str | None
    priority: Priority
    versioning_override: VersioningOverride | None


@overload
async def start_child_workflow(
    workflow: Callable[[_W], Awaitable[_R]], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[_W, _R]: ...


@overload
async def start_child_workflow(
    workflow: Callable[[_W, _P], Awaitable[_R]], arg: _P, **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[_W, _R]: ...


@overload
async def start_child_workflow(
    workflow: Callable[Concatenate[_W, _Params], Awaitable[_R]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[_W, _R]: ...


@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, Any]: ...


async def start_child_workflow(
    workflow: Any,
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    id: str | None = None,
    task_queue: str | None = None,
    result_type: type | None = None,
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.TERMINATE,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str = "",
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
    priority: Priority = Priority.default,
    versioning_override: VersioningOverride | None = None,
) -> ChildWorkflowHandle[Any, Any]:
    """Start a child workflow, and wait until it runs.

    Args:
        workflow: Its run method, or its type.
        arg: The one argument.
        args: Several arguments.
        id: Its workflow id; a `uuid4()` if not given.
        task_queue: Where it is to run; this workflow's task queue if not given.
        result_type: What to convert the result to, where the workflow is given by its type.
        cancellation_type: What cancelling it means.
        parent_close_policy: What becomes of it when this workflow ends.
        execution_timeout: How long all its runs together may take.
        run_timeout: How long one run may take.
        task_timeout: How long one workflow task may take.
        id_reuse_policy: Whether the id may be that of a workflow that has ended.
        retry_policy: How it is tried again when it fails; not at all, if not given.
        cron_schedule: When it is to be started again and again.
        memo: Its memo.
        search_attributes: Its search attributes.
        versioning_intent: Accepted because Temporal has it, and without effect: it is deprecated there.
        static_summary: What it is for, for people.
        static_details: More of that.
        priority: Its priority.
        versioning_override: Which version of its worker it is to run on.

    Returns:
        A handle to await, to signal or to cancel.

    Raises:
        WorkflowAlreadyStartedError: The id is taken.
        ChildWorkflowError: It was cancelled before it ran.
    """
    del versioning_intent, static_details
    warn_of_untyped_attributes(search_attributes)
    options = ChildOptions(
        id=id or str(uuid4()),
        task_queue=task_queue,
        result_type=result_type,
        cancellation_type=cancellation_type,
        parent_close_policy=parent_close_policy,
        execution_timeout=execution_timeout,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        id_reuse_policy=id_reuse_policy,
        retry_policy=retry_policy,
        cron_schedule=cron_schedule,
        memo=memo,
        search_attributes=search_attributes,
        static_summary=static_summary,
        priority=priority,
        versioning_override=versioning_override,
    )
    return await native.start_child_workflow(current_run(), workflow, arg, args, options)


@overload
async def execute_child_workflow(
    workflow: Callable[[Any], Awaitable[_R]], **options: Unpack[ChildWorkflowConfig]
) -> _R: ...


@overload
async def execute_child_workflow(
    workflow: Callable[[Any, _P], Awaitable[_R]], arg: _P, **options: Unpack[ChildWorkflowConfig]
) -> _R: ...


@overload
async def execute_child_workflow(
    workflow: Callable[..., Awaitable[_R]], *, args: Sequence[Any], **options: Unpack[ChildWorkflowConfig]
) -> _R: ...


@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[ChildWorkflowConfig],
) -> Any: ...


async def execute_child_workflow(workflow: Any, arg: Any = UNSET, *, args: Sequence[Any] = (), **options: Any) -> Any:
    """Start a child workflow and wait for its result; see `start_child_workflow`.

    Raises:
        ChildWorkflowError: It failed; the cause says how.
    """
    return await (await start_child_workflow(workflow, arg, args=args, **options))


def get_external_workflow_handle(workflow_id: str, *, run_id: str | None = None) -> ExternalWorkflowHandle[Any]:
    """A handle to signal or cancel another workflow, which need not exist.

    Args:
        workflow_id: Its workflow id.
        run_id: Its run; the one that is running if not given.
    """
    return ExternalWorkflowHandle(current_run(), workflow_id, run_id)


def get_external_workflow_handle_for(
    workflow: Callable[[_W], Awaitable[Any]] | Callable[[_W, Any], Awaitable[Any]],
    workflow_id: str,
    *,
    run_id: str | None = None,
) -> ExternalWorkflowHandle[_W]:
    """The same, for a type checker that is to know which workflow it is.

    Args:
        workflow: Its run method. Nobody checks that the workflow is of that type.
        workflow_id: Its workflow id.
        run_id: Its run; the one that is running if not given.
    """
    del workflow
    return get_external_workflow_handle(workflow_id, run_id=run_id)


def continue_as_new(
    arg: Any = UNSET,
    *,
    args: Sequence[Any] = (),
    workflow: Callable[..., Awaitable[Any]] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
) -> NoReturn:
    """End this run, and go on in a new one with a history of its own.

    Args:
        arg: The one argument.
        args: Several arguments.
        workflow: Which workflow to go on as; this one if not given.
        task_queue: Where; on this run's task queue if not given.
        run_timeout: How long the new run may take; as long as this one if not given. Likewise `task_timeout`.
        task_timeout: How long one workflow task may take.
        backoff_start_interval: How long until its first workflow task.
        retry_policy: How it is tried again when it fails.
        memo: Its memo; this run's if not given. Likewise `search_attributes`.
        search_attributes: Its search attributes.
        versioning_intent: Accepted because Temporal has it, and without effect: it is deprecated there.
        initial_versioning_behavior: Likewise without effect here, where there is one version of a worker.

    Raises:
        ContinueAsNewError: Always. Do not catch it.
    """
    del versioning_intent, initial_versioning_behavior
    warn_of_untyped_attributes(search_attributes)
    native.continue_as_new(
        current_run(),
        arg,
        args,
        workflow,
        task_queue,
        run_timeout,
        task_timeout,
        backoff_start_interval,
        retry_policy,
        memo,
        search_attributes,
    )
