"""What a workflow is told in one workflow task.

An activation is a list of jobs; each says one thing that has happened. They carry the names and the meaning of the jobs
by which Temporal's core activates its SDKs, so that the same jobs drive workflow code written for this package and code
written for `temporalio`. Messages inside them (payloads, failures, retry policies) are the history's own JSON.

Everything here is data. Which jobs follow from which events is decided in `matching`.
"""

from __future__ import annotations

from typing import TypeAlias

from playhead_engine.messages import Failure, Json, Payload, Payloads
from playhead_engine.record import record


@record
class InitializeWorkflow:
    """Make the workflow. Always the first job of a run.

    Attributes:
        workflow_id: The id under which the run is known.
        attributes: Attributes of the WorkflowExecutionStarted event: type, input, parent, timeouts, memo and so on.
        randomness_seed: Seed of the run's random numbers.
        start_time_ns: Time of the started event, in nanoseconds since the epoch.
    """

    workflow_id: str
    attributes: Json
    randomness_seed: int
    start_time_ns: int


@record
class NotifyHasPatch:
    """The history has a marker for this patch: `patched(patch_id)` is true."""

    patch_id: str


@record
class UpdateRandomSeed:
    """The run was reset; random numbers go on from this seed."""

    randomness_seed: int


@record
class SignalWorkflow:
    """A signal came.

    Attributes:
        name: Name of the signal.
        input: Its arguments.
        identity: Who sent it.
        headers: Headers, by name.
        event_id: Id of the signalled event.
    """

    name: str
    input: list[Payload]
    identity: str
    headers: dict[str, Payload]
    event_id: int


@record
class DoUpdate:
    """An update was requested.

    Attributes:
        id: Id of the update.
        protocol_instance_id: Under which the answer must be given.
        name: Name of the update.
        input: Its arguments.
        headers: Headers, by name.
        identity: Who asked.
        run_validator: False on replay: an update in the history was accepted already.
    """

    id: str
    protocol_instance_id: str
    name: str
    input: list[Payload]
    headers: dict[str, Payload]
    identity: str
    run_validator: bool


@record
class FireTimer:
    """The timer that was started under this number fired."""

    seq: int


@record
class CancelWorkflow:
    """Somebody asked for the run to be cancelled."""

    reason: str


@record
class Succeeded:
    """It ended well. `result` is None where the history holds none."""

    result: Payload | None


@record
class Failed:
    """It ended in this failure."""

    failure: Failure


@record
class Cancelled:
    """It was cancelled."""

    failure: Failure


@record
class Backoff:
    """A local activity is to be scheduled again after a timer.

    Attributes:
        attempt: Number of the attempt to come.
        duration_ns: How long to wait before it, in nanoseconds.
        original_schedule_time: When the first attempt was scheduled, as `{"seconds", "nanos"}`.
    """

    attempt: int
    duration_ns: int
    original_schedule_time: Json | None


@record
class ResolveActivity:
    """An activity, or a local activity, came to its end."""

    seq: int
    result: Succeeded | Failed | Cancelled | Backoff
    is_local: bool = False


@record
class ChildStarted:
    """The child runs under this run id."""

    run_id: str


@record
class ChildStartFailed:
    """The child could not be started. `cause` is the full name of the enum value."""

    workflow_id: str
    workflow_type: str
    cause: str


@record
class ResolveChildStart:
    """A child workflow was started, could not be, or was cancelled before it was."""

    seq: int
    result: ChildStarted | ChildStartFailed | Cancelled


@record
class ResolveChild:
    """A child workflow came to its end."""

    seq: int
    result: Succeeded | Failed | Cancelled


@record
class ResolveSignalExternal:
    """A signal to another workflow was delivered, or failed."""

    seq: int
    failure: Failure | None


@record
class ResolveCancelExternal:
    """A request to cancel another workflow was delivered, or failed."""

    seq: int
    failure: Failure | None


@record
class NexusStarted:
    """The operation runs; without a token it was answered at once."""

    operation_token: str | None


@record
class ResolveNexusStart:
    """A nexus operation was started, or failed to."""

    seq: int
    result: NexusStarted | Failed


@record
class TimedOut:
    """It did not end in time."""

    failure: Failure


@record
class ResolveNexus:
    """A nexus operation came to its end."""

    seq: int
    result: Succeeded | Failed | Cancelled | TimedOut


@record
class QueryWorkflow:
    """Somebody asks; only ever in an activation of its own.

    Attributes:
        id: Under which the answer is to be given.
        name: Name of the query.
        input: Its arguments.
        headers: Headers, by name.
    """

    id: str
    name: str
    input: list[Payload]
    headers: dict[str, Payload]


Job: TypeAlias = (
    InitializeWorkflow
    | NotifyHasPatch
    | UpdateRandomSeed
    | SignalWorkflow
    | DoUpdate
    | FireTimer
    | CancelWorkflow
    | ResolveActivity
    | ResolveChildStart
    | ResolveChild
    | ResolveSignalExternal
    | ResolveCancelExternal
    | ResolveNexusStart
    | ResolveNexus
    | QueryWorkflow
)


@record
class Deployment:
    """The worker deployment version that ran, or runs, a workflow task."""

    name: str
    build_id: str


@record
class Activation:
    """One workflow task, as told to the workflow code.

    Attributes:
        run_id: Seeds the randomness; the id of the first run where a run was reset.
        timestamp_ns: The workflow's time, in nanoseconds since the epoch.
        is_replaying: Whether all this has happened before.
        history_length: Id of the last event that was applied.
        history_size_bytes: Size of the history as the server knew it.
        continue_as_new_suggested: Whether the server thinks the history long enough.
        jobs: What happened, in the order in which it must be told.
        internal_flags: Flags of the SDK that the history recorded, sorted.
        last_sdk_version: Version of the SDK that last completed a task; empty if unknown.
        deployment: Version that ran, or runs, this task.
        continue_as_new_reasons: Why the server suggests it.
        target_deployment_changed: Whether the deployment a run is meant for has changed.
    """

    run_id: str
    timestamp_ns: int
    is_replaying: bool
    history_length: int
    history_size_bytes: int
    continue_as_new_suggested: bool
    jobs: tuple[Job, ...]
    internal_flags: tuple[int, ...] = ()
    last_sdk_version: str = ""
    deployment: Deployment | None = None
    continue_as_new_reasons: tuple[str, ...] = ()
    target_deployment_changed: bool = False


def payload_list(payloads: Payloads | None) -> list[Payload]:
    """The values of a message that may be absent or empty."""
    return payloads.get("payloads", []) if payloads else []
