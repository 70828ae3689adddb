"""What can be said about a start, a signal, a query or an update, besides what to start or tell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from playhead_engine.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from playhead_engine.convert import duration_json
from playhead_engine.definitions import WorkflowDefinition
from playhead_engine.engine.wire import Wire
from playhead_engine.messages import Json, Payload
from playhead_engine.search_attributes import encode_search_attributes


class _Unset:
    def __repr__(self) -> str:
        return "..."


UNSET: Any = _Unset()
"""Stands for an argument that was not given."""


class StartOptions(TypedDict, total=False):
    """How to start a workflow.

    Attributes:
        id: Its workflow id; a random one if not given.
        task_queue: Its task queue: a name that histories carry. An engine runs what is on any of them.
        execution_timeout: How long the workflow may take, with all runs that follow the first.
        run_timeout: How long one run may take.
        task_timeout: How long one workflow task may take; histories carry it, and the engine does not enforce it.
        id_reuse_policy: Whether the id of a workflow that has closed may be used again.
        id_conflict_policy: What to do about one that is open.
        retry_policy: How the workflow is tried again when it fails.
        memo: What to keep with it, by name.
        search_attributes: What to find it by.
        start_delay: How long to wait before its first workflow task.
        start_signal: A signal to send with the start, or to the workflow that is open already; a method or a name.
        start_signal_args: The signal's arguments.
        headers: Headers, payloads by name.
        priority: Its priority.
        result_type: What to convert the result to, where the workflow is given by name.
    """

    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    id_conflict_policy: WorkflowIDConflictPolicy
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    start_delay: timedelta | None
    start_signal: str | Callable[..., Any] | None
    start_signal_args: Sequence[Any]
    headers: Mapping[str, Payload] | None
    priority: Priority
    result_type: Any


class SignalOptions(TypedDict, total=False):
    """How to send a signal.

    Attributes:
        args: Its arguments, if there are several.
        headers: Headers, payloads by name.
    """

    args: Sequence[Any]
    headers: Mapping[str, Payload] | None


class QueryOptions(TypedDict, total=False):
    """How to ask a query.

    Attributes:
        args: Its arguments, if there are several.
        headers: Headers, payloads by name.
        result_type: What to convert the answer to, where the query is given by name.
        reject_condition: Which runs not to ask.
    """

    args: Sequence[Any]
    headers: Mapping[str, Payload] | None
    result_type: Any
    reject_condition: QueryRejectCondition | None


class UpdateOptions(TypedDict, total=False):
    """How to ask for an update.

    Attributes:
        args: Its arguments, if there are several.
        headers: Headers, payloads by name.
        id: An id of your own: asking again with the same id does not do it again.
        result_type: What to convert the result to, where the update is given by name.
    """

    args: Sequence[Any]
    headers: Mapping[str, Payload] | None
    id: str | None
    result_type: Any


def known(options: Any) -> Any:
    """Options as the engine knows them: what is an object of `temporalio.common` in them has become one of ours."""
    if not options or "temporalio" not in sys.modules:
        return options
    from playhead_engine.temporal.options import native_options

    return native_options(options)


def values_of(arg: Any, args: Sequence[Any] | None) -> Sequence[Any]:
    """The arguments of a call that takes one as `arg` or several as `args`.

    Raises:
        ValueError: Both are given.
    """
    if arg is UNSET:
        return args or ()
    if args:
        raise ValueError("give either arg or args, not both")
    return (arg,)


def workflow_type(workflow: Any, options: StartOptions) -> tuple[str, Any]:
    """The type of a workflow that is given by its run method or its type, and what to convert its result to.

    Raises:
        ValueError: It is no workflow, or a dynamic one.
    """
    if isinstance(workflow, str):
        return workflow, options.get("result_type")
    definition = WorkflowDefinition.of_run_method(workflow)
    if definition.name is None:
        raise ValueError("a dynamic workflow is started by the type it is to run as, which is text")
    return definition.name, options.get("result_type") or definition.ret_type


def start_request(name: str, values: Sequence[Any], options: StartOptions, wire: Wire, identity: str) -> Json:
    """A start as `server.requests` takes it.

    Args:
        name: Type of the workflow.
        values: Its arguments.
        options: What else was said.
        wire: Converts values.
        identity: Who asks.
    """
    memo, attributes = options.get("memo"), options.get("search_attributes")
    policy, headers, priority = options.get("retry_policy"), options.get("headers"), options.get("priority")
    return {
        "workflowType": {"name": name},
        "taskQueue": {"name": options.get("task_queue", "default"), "kind": "TASK_QUEUE_KIND_NORMAL"},
        "input": {"payloads": wire.encode_values(values)} if values else None,
        "workflowExecutionTimeout": _timeout(options.get("execution_timeout")),
        "workflowRunTimeout": _timeout(options.get("run_timeout")),
        "workflowTaskTimeout": _timeout(options.get("task_timeout")),
        "workflowStartDelay": _timeout(options.get("start_delay")),
        "retryPolicy": None if policy is None else policy.to_json(),
        "memo": {"fields": {key: wire.encode_value(value) for key, value in memo.items()}} if memo else None,
        "searchAttributes": {"indexedFields": encode_search_attributes(attributes)} if attributes else None,
        "header": {"fields": dict(headers)} if headers else None,
        "priority": None if priority is None else priority.to_json(),
        "identity": identity,
    }


def _timeout(value: timedelta | None) -> str | None:
    return duration_json(value) if value else None
