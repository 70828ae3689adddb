"""What both sides of a workflow's code talk about: retry policies, id policies, priorities, versions.

Temporal's names and meanings. Each option that a history records knows its own JSON. This module must not decide
anything: what a policy means for a run is decided in `retry` and in `server`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any, ClassVar, Protocol

from playhead_engine import messages
from playhead_engine.convert import duration_json, timedelta_of
from playhead_engine.messages import Json
from playhead_engine.payload import RawValue
from playhead_engine.record import frozen_record
from playhead_engine.search_attributes import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeUpdate,
    SearchAttributeValue,
    SearchAttributeValues,
    TypedSearchAttributes,
)

__all__ = [
    "AutoUpgradeVersioningOverride",
    "OneTimeVersioningOverride",
    "ParentClosePolicy",
    "PinnedVersioningOverride",
    "Priority",
    "QueryRejectCondition",
    "RawValue",
    "RetryPolicy",
    "SearchAttributeIndexedValueType",
    "SearchAttributeKey",
    "SearchAttributePair",
    "SearchAttributeUpdate",
    "SearchAttributeValue",
    "SearchAttributeValues",
    "SearchAttributes",
    "TypedSearchAttributes",
    "VersioningBehavior",
    "VersioningOverride",
    "WorkerDeploymentVersion",
    "WorkflowIDConflictPolicy",
    "WorkflowIDReusePolicy",
]


@dataclass
class RetryPolicy:
    """How often and how fast a failing activity or workflow is tried again.

    Attributes:
        initial_interval: Wait before the second attempt.
        backoff_coefficient: By what the wait grows from attempt to attempt.
        maximum_interval: What the wait never exceeds; 100 times the initial interval if None.
        maximum_attempts: After how many attempts to give up; 0 is never.
        non_retryable_error_types: Error types that are not tried again.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    maximum_attempts: int = 0
    non_retryable_error_types: Sequence[str] | None = None

    @classmethod
    def from_json(cls, message: messages.RetryPolicy) -> RetryPolicy:
        """The policy that a history records."""
        maximum_interval = message.get("maximumInterval")
        return cls(
            initial_interval=timedelta_of(message.get("initialInterval")),
            backoff_coefficient=float(message.get("backoffCoefficient", 0)),
            maximum_interval=None if maximum_interval is None else timedelta_of(maximum_interval),
            maximum_attempts=message.get("maximumAttempts", 0),
            non_retryable_error_types=list(message.get("nonRetryableErrorTypes", ())) or None,
        )

    def to_json(self) -> messages.RetryPolicy:
        """The policy as a history records it.

        Raises:
            ValueError: The policy makes no sense.
        """
        self._validate()
        message = messages.RetryPolicy(
            initialInterval=duration_json(self.initial_interval),
            backoffCoefficient=float(self.backoff_coefficient),
            maximumInterval=duration_json(self.maximum_interval or self.initial_interval * 100),
        )
        if self.maximum_attempts:
            message["maximumAttempts"] = self.maximum_attempts
        if self.non_retryable_error_types:
            message["nonRetryableErrorTypes"] = list(self.non_retryable_error_types)
        return message

    def _validate(self) -> None:
        # A policy of one attempt never waits, so Temporal lets its other fields be anything.
        if self.maximum_attempts == 1:
            return
        zero = timedelta(0)
        if self.initial_interval < zero:
            raise ValueError(f"initial_interval of a retry policy must not be negative, got {self.initial_interval}")
        if self.backoff_coefficient < 1:
            raise ValueError(f"backoff_coefficient of a retry policy must be 1 or more, got {self.backoff_coefficient}")
        if self.maximum_interval and self.maximum_interval < max(zero, self.initial_interval):
            raise ValueError(
                f"maximum_interval of a retry policy must not be less than its initial_interval of "
                f"{self.initial_interval}, got {self.maximum_interval}"
            )
        if self.maximum_attempts < 0:
            raise ValueError(f"maximum_attempts of a retry policy must not be negative, got {self.maximum_attempts}")


class WorkflowIDReusePolicy(IntEnum):
    """Whether a workflow may be started under the id of one that has ended."""

    ALLOW_DUPLICATE = 1  # always
    ALLOW_DUPLICATE_FAILED_ONLY = 2  # unless the last one completed
    REJECT_DUPLICATE = 3  # never
    TERMINATE_IF_RUNNING = 4  # always, and one that is running is terminated first


class WorkflowIDConflictPolicy(IntEnum):
    """What starting a workflow does to one that is running under the same id."""

    UNSPECIFIED = 0  # FAIL, or USE_EXISTING for a start together with a signal
    FAIL = 1  # nothing; the start fails
    USE_EXISTING = 2  # nothing; the start gives the one that is running
    TERMINATE_EXISTING = 3  # the one that is running is terminated


class ParentClosePolicy(IntEnum):
    """What becomes of a child workflow when its parent ends."""

    UNSPECIFIED = 0  # TERMINATE
    TERMINATE = 1  # it is terminated
    ABANDON = 2  # it runs on
    REQUEST_CANCEL = 3  # it is asked to cancel


class QueryRejectCondition(IntEnum):
    """Which runs refuse to be queried."""

    NONE = 1  # no run
    NOT_OPEN = 2  # those that have ended
    NOT_COMPLETED_CLEANLY = 3  # those that have ended other than by completing


@frozen_record
class Priority:
    """Which tasks go first when more are waiting than can run. What is None is inherited.

    Attributes:
        priority_key: From 1 up; less goes first.
        fairness_key: Tasks of different keys share the queue.
        fairness_weight: How large the share of this key is.

    Raises:
        TypeError: `priority_key` is no integer.
        ValueError: It is less than 1.
    """

    priority_key: int | None = None
    fairness_key: str | None = None
    fairness_weight: float | None = None

    default: ClassVar[Priority]
    """Everything inherited."""

    def __post_init__(self) -> None:
        key: Any = self.priority_key
        if key is not None and not isinstance(key, int):
            raise TypeError(f"priority_key must be an integer, got {type(key).__name__}: {key!r}")
        if key is not None and key < 1:
            raise ValueError(f"priority_key must be 1 or more, got {key}")

    @classmethod
    def from_json(cls, message: Json) -> Priority:
        """The priority that a history records."""
        return cls(
            priority_key=message.get("priorityKey") or None,
            fairness_key=message.get("fairnessKey") or None,
            fairness_weight=message.get("fairnessWeight") or None,
        )

    def to_json(self) -> Json:
        """The priority as a history records it."""
        fields = {
            "priorityKey": self.priority_key,
            "fairnessKey": self.fairness_key,
            "fairnessWeight": self.fairness_weight,
        }
        return {name: value for name, value in fields.items() if value}


Priority.default = Priority()


class VersioningBehavior(IntEnum):
    """When a run may move from one version of its worker to another."""

    UNSPECIFIED = 0
    PINNED = 1  # only when moved by hand
    AUTO_UPGRADE = 2  # with its next workflow task


@frozen_record
class WorkerDeploymentVersion:
    """One version of a worker deployment."""

    deployment_name: str
    build_id: str

    def to_canonical_string(self) -> str:
        """Both in one: `name.build`."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """The version that such a string names; the name of the deployment ends at the first dot.

        Raises:
            ValueError: There is no dot in it.
        """
        name, dot, build = canonical.partition(".")
        if not dot:
            raise ValueError(f"expected <deployment name>.<build id>, got {canonical!r}")
        return WorkerDeploymentVersion(name, build)

    def to_json(self) -> Json:
        """The version as a history records it."""
        return {"buildId": self.build_id, "deploymentName": self.deployment_name}


class VersioningOverride(Protocol):
    """Which version of its worker a run is to use, whatever the worker says."""

    def to_json(self) -> Json:
        """The override as a history records it, in its old and its new form."""
        ...


@frozen_record
class PinnedVersioningOverride(VersioningOverride):
    """This version."""

    version: WorkerDeploymentVersion

    def to_json(self) -> Json:
        return {
            "behavior": "VERSIONING_BEHAVIOR_PINNED",
            "pinnedVersion": self.version.to_canonical_string(),
            "pinned": {"behavior": "PINNED_OVERRIDE_BEHAVIOR_PINNED", "version": self.version.to_json()},
        }


@frozen_record
class AutoUpgradeVersioningOverride(VersioningOverride):
    """The deployment's current version, from the next workflow task on."""

    def to_json(self) -> Json:
        return {"behavior": "VERSIONING_BEHAVIOR_AUTO_UPGRADE", "autoUpgrade": True}


@frozen_record
class OneTimeVersioningOverride(VersioningOverride):
    """This version, until it has completed a workflow task."""

    target_version: WorkerDeploymentVersion

    def to_json(self) -> Json:
        return {"oneTime": {"targetDeploymentVersion": self.target_version.to_json()}}
