"""The shapes of Temporal's JSON messages that the house talks about, as types without any run-time cost.

A history is JSON, and every part of the house that handles a piece of one (a payload, a failure, a retry policy)
handles the JSON object itself, in canonical protobuf JSON: camelCase keys, full enum names, 64-bit numbers as strings,
bytes as base64, durations as `"1.5s"`, times as RFC 3339. Nothing is copied into another shape, so nothing is lost.

This module names those shapes. It must not convert anything: `convert` does that.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypedDict

Json: TypeAlias = dict[str, Any]
"""A JSON object whose keys are known only to whoever reads it."""


def part(message: Json, key: str) -> Json:
    """The object under a key; an empty one where it is absent or null, as protobuf reads it."""
    value: Json | None = message.get(key)
    return {} if value is None else value


class Payload(TypedDict, total=False):
    """One value: how it is encoded, and its bytes; both in base64."""

    metadata: dict[str, str]
    data: str


class Payloads(TypedDict, total=False):
    """A list of values: the arguments or the result of something."""

    payloads: list[Payload]


class NamedType(TypedDict, total=False):
    """A workflow type or an activity type."""

    name: str


class WorkflowExecution(TypedDict, total=False):
    """Which run: the id its owner chose, and the id of the run."""

    workflowId: str
    runId: str


class RetryPolicy(TypedDict, total=False):
    """How often and how fast a failing activity or workflow is tried again."""

    initialInterval: str
    backoffCoefficient: float
    maximumInterval: str
    maximumAttempts: int
    nonRetryableErrorTypes: list[str]


class ApplicationFailureInfo(TypedDict, total=False):
    type: str
    nonRetryable: bool
    details: Payloads
    nextRetryDelay: str
    category: str


class TimeoutFailureInfo(TypedDict, total=False):
    timeoutType: str
    lastHeartbeatDetails: Payloads


class CanceledFailureInfo(TypedDict, total=False):
    details: Payloads


class ServerFailureInfo(TypedDict, total=False):
    nonRetryable: bool


class ActivityFailureInfo(TypedDict, total=False):
    scheduledEventId: str
    startedEventId: str
    identity: str
    activityType: NamedType
    activityId: str
    retryState: str


class ChildWorkflowExecutionFailureInfo(TypedDict, total=False):
    namespace: str
    workflowExecution: WorkflowExecution
    workflowType: NamedType
    initiatedEventId: str
    startedEventId: str
    retryState: str


class NexusOperationFailureInfo(TypedDict, total=False):
    scheduledEventId: str
    endpoint: str
    service: str
    operation: str
    operationToken: str


class Failure(TypedDict, total=False):
    """An error that crossed a process boundary; exactly one of the `...Info` fields says of which kind it is."""

    message: str
    source: str
    stackTrace: str
    encodedAttributes: Payload
    cause: Failure
    applicationFailureInfo: ApplicationFailureInfo
    timeoutFailureInfo: TimeoutFailureInfo
    canceledFailureInfo: CanceledFailureInfo
    terminatedFailureInfo: Json
    serverFailureInfo: ServerFailureInfo
    resetWorkflowFailureInfo: Json
    activityFailureInfo: ActivityFailureInfo
    childWorkflowExecutionFailureInfo: ChildWorkflowExecutionFailureInfo
    nexusOperationExecutionFailureInfo: NexusOperationFailureInfo
    nexusHandlerFailureInfo: Json
