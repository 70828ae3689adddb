"""What workflow code may know about its run: `workflow.info()`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from playhead_engine.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)
from playhead_engine.convert import ns_datetime, timedelta_of
from playhead_engine.native.context import current_run
from playhead_engine.payload import Payload
from playhead_engine.record import frozen_record
from playhead_engine.search_attributes import decode_search_attributes, decode_typed_search_attributes

if TYPE_CHECKING:
    from playhead_engine.activation import Activation, InitializeWorkflow
    from playhead_engine.messages import Json


@frozen_record
class ParentInfo:
    """The workflow that started this one as its child."""

    namespace: str
    run_id: str
    workflow_id: str


@frozen_record
class RootInfo:
    """The first of the workflows that started each other down to this one."""

    run_id: str
    workflow_id: str


@frozen_record
class UpdateInfo:
    """The update that is being handled.

    Attributes:
        id: Its id.
        name: Its name.
    """

    id: str
    name: str


@frozen_record
class Info:
    """A run, as its own code may know it. Nothing here ever changes, except search attributes when they are upserted.

    Attributes:
        attempt: Which attempt at the workflow this run is, from 1.
        continued_run_id: The run that continued as this one.
        cron_schedule: When it is started again and again.
        execution_timeout: How long all its runs together may take.
        first_execution_run_id: The first run of the chain that it continues.
        headers: Headers it was started with.
        namespace: Its namespace.
        original_execution_run_id: The run id it was started under; a reset gives a run a new id, and keeps this one.
        parent: The workflow whose child it is.
        root: The workflow at the top of that.
        priority: Its priority.
        raw_memo: The memo it was started with and later changes, not decoded.
        retry_policy: How it is retried.
        run_id: The run id; after a reset that of the run that was reset.
        run_timeout: How long this run may take.
        search_attributes: Search attributes, in the old untyped form.
        start_time: Time of its first workflow task.
        task_queue: Its task queue.
        task_timeout: How long one workflow task may take.
        typed_search_attributes: Search attributes.
        workflow_id: The id its owner chose.
        workflow_start_time: When it was started.
        workflow_type: Its type.
    """

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, Payload]
    namespace: str
    original_execution_run_id: str
    parent: ParentInfo | None
    root: RootInfo | None
    priority: Priority
    raw_memo: Mapping[str, Payload]
    retry_policy: RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: SearchAttributes
    start_time: datetime
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def get_current_build_id(self) -> str:
        """Build id of the worker that runs, or ran, this workflow task; empty if it has none."""
        deployment = current_run().activation.deployment
        return deployment.build_id if deployment else ""

    def get_current_deployment_version(self) -> WorkerDeploymentVersion | None:
        """Deployment version of the worker that runs, or ran, this workflow task."""
        deployment = current_run().activation.deployment
        return WorkerDeploymentVersion(deployment.name, deployment.build_id) if deployment else None

    def get_current_history_length(self) -> int:
        """How many events the history had when this workflow task began."""
        return current_run().activation.history_length

    def get_current_history_size(self) -> int:
        """How many bytes the history had when this workflow task began, as the server knew it."""
        return current_run().activation.history_size_bytes

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the server thinks the history long enough."""
        return current_run().activation.continue_as_new_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether the run is meant for another deployment version by now."""
        return current_run().activation.target_deployment_changed


def info_of(start: InitializeWorkflow, first: Activation, run_id: str, namespace: str) -> Info:
    """What a run's start says about it.

    Args:
        start: The job that made the run.
        first: The activation it came in.
        run_id: Id of the run.
        namespace: Its namespace.
    """
    given: Json = start.attributes
    root: Json | None = given.get("rootWorkflowExecution")
    policy: Any = given.get("retryPolicy")
    fields = (given.get("searchAttributes") or {}).get("indexedFields") or {}
    return Info(
        attempt=given.get("attempt", 0),
        continued_run_id=given.get("continuedExecutionRunId") or None,
        cron_schedule=given.get("cronSchedule") or None,
        execution_timeout=_duration(given.get("workflowExecutionTimeout")),
        first_execution_run_id=given.get("firstExecutionRunId", ""),
        headers=_payloads(given.get("header")),
        namespace=namespace,
        original_execution_run_id=given.get("originalExecutionRunId") or run_id,
        parent=_parent(given),
        root=RootInfo(root.get("runId", ""), root.get("workflowId", "")) if root is not None else None,
        priority=Priority.from_json(given.get("priority") or {}),
        raw_memo=_payloads(given.get("memo")),
        retry_policy=RetryPolicy.from_json(policy) if policy is not None else None,
        run_id=run_id,
        run_timeout=_duration(given.get("workflowRunTimeout")),
        search_attributes=decode_search_attributes(fields),
        start_time=ns_datetime(first.timestamp_ns),
        task_queue=(given.get("taskQueue") or {}).get("name", ""),
        task_timeout=timedelta_of(given.get("workflowTaskTimeout")),
        typed_search_attributes=decode_typed_search_attributes(fields),
        workflow_id=start.workflow_id,
        workflow_start_time=ns_datetime(start.start_time_ns),
        workflow_type=(given.get("workflowType") or {}).get("name", ""),
    )


def _parent(given: Json) -> ParentInfo | None:
    parent: Json | None = given.get("parentWorkflowExecution")
    if parent is None:
        return None
    return ParentInfo(given.get("parentWorkflowNamespace", ""), parent.get("runId", ""), parent.get("workflowId", ""))


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else timedelta_of(text)


def _payloads(message: Json | None) -> dict[str, Payload]:
    return {name: Payload.from_json(payload) for name, payload in ((message or {}).get("fields") or {}).items()}
