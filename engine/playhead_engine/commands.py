"""What workflow code asks for.

A command is the event it asks for, not accepted yet: `attributes` hold what the event's attributes would hold
(canonical JSON, see `messages`), without the ids that only a server can give. So a command can be laid beside a
recorded event field by field, and a server accepts one by adding ids and a time.

`seq` numbers a command among those of its kind within the run, from 1; jobs refer to it. `site` is the line of the
user's code that asked. Everything here is data: what a command meets in a history is decided in `matching`, what
becomes of it on a live run in `server`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

from playhead_engine.call_site import CallSite
from playhead_engine.messages import Failure, Json, Payload
from playhead_engine.record import record


class ActivityCancellationType(IntEnum):
    """What cancelling an activity means to the workflow that waits for it."""

    TRY_CANCEL = 0  # ask the activity to stop, and go on at once
    WAIT_CANCELLATION_COMPLETED = 1  # ask, and wait for its answer
    ABANDON = 2  # go on at once, and do not ask


class ChildWorkflowCancellationType(IntEnum):
    """What cancelling a child workflow means to its parent."""

    ABANDON = 0
    TRY_CANCEL = 1
    WAIT_CANCELLATION_COMPLETED = 2
    WAIT_CANCELLATION_REQUESTED = 3


class NexusCancellationType(IntEnum):
    """What cancelling a nexus operation means to the workflow that waits for it."""

    WAIT_COMPLETED = 0
    ABANDON = 1
    TRY_CANCEL = 2
    WAIT_REQUESTED = 3


@record
class StartTimer:
    """-> TimerStarted: timerId, startToFireTimeout."""

    seq: int
    attributes: Json
    site: CallSite | None = None


@record
class CancelTimer:
    """-> TimerCanceled. `seq` is the timer's."""

    seq: int
    site: CallSite | None = None


@record
class ScheduleActivity:
    """-> ActivityTaskScheduled: activityId, activityType, taskQueue, header, input, four timeouts, retryPolicy."""

    seq: int
    attributes: Json
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL
    site: CallSite | None = None


@record
class RequestCancelActivity:
    """-> ActivityTaskCancelRequested. `seq` is the activity's."""

    seq: int
    site: CallSite | None = None


@record
class ScheduleLocalActivity:
    """Run inside the workflow task; its end becomes a MarkerRecorded event.

    Attributes:
        seq: Shared with activities.
        attributes: As of ScheduleActivity.
        cancellation_type: As of an activity.
        attempt: Number of the attempt, from 1; above 1 after a backoff.
        original_schedule_time: Of the first attempt, as `{"seconds", "nanos"}`.
        local_retry_threshold_ns: Retries further apart than this use a timer.
        site: The line that asked.
    """

    seq: int
    attributes: Json
    cancellation_type: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL
    attempt: int = 1
    original_schedule_time: Json | None = None
    local_retry_threshold_ns: int = 60_000_000_000
    site: CallSite | None = None


@record
class RequestCancelLocalActivity:
    """`seq` is the local activity's."""

    seq: int
    site: CallSite | None = None


@record
class StartChildWorkflow:
    """-> StartChildWorkflowExecutionInitiated: workflowId, workflowType, taskQueue, input, timeouts, parentClosePolicy,
    workflowIdReusePolicy, retryPolicy, header, memo, searchAttributes."""

    seq: int
    attributes: Json
    cancellation_type: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    site: CallSite | None = None


@record
class CancelChildWorkflow:
    """-> RequestCancelExternalWorkflowExecutionInitiated, unless the child is abandoned. `seq` is the child's."""

    seq: int
    reason: str = ""
    site: CallSite | None = None


@record
class SignalExternal:
    """-> SignalExternalWorkflowExecutionInitiated: workflowExecution, signalName, input, childWorkflowOnly, header."""

    seq: int
    attributes: Json
    site: CallSite | None = None


@record
class CancelSignalExternal:
    """Take back a signal that was not sent yet. `seq` is the signal's."""

    seq: int
    site: CallSite | None = None


@record
class RequestCancelExternal:
    """-> RequestCancelExternalWorkflowExecutionInitiated: workflowExecution, reason."""

    seq: int
    attributes: Json
    site: CallSite | None = None


@record
class ScheduleNexusOperation:
    """-> NexusOperationScheduled: endpoint, service, operation, input, scheduleToCloseTimeout, nexusHeader."""

    seq: int
    attributes: Json
    cancellation_type: NexusCancellationType = NexusCancellationType.WAIT_COMPLETED
    site: CallSite | None = None


@record
class RequestCancelNexusOperation:
    """-> NexusOperationCancelRequested. `seq` is the operation's."""

    seq: int
    site: CallSite | None = None


@record
class SetPatchMarker:
    """-> MarkerRecorded `core_patch`."""

    patch_id: str
    deprecated: bool
    site: CallSite | None = None


@record
class RecordMarker:
    """-> MarkerRecorded: markerName, details. Never asked for by code: what patches and local activities come to."""

    attributes: Json
    site: CallSite | None = None


@record
class UpsertSearchAttributes:
    """-> UpsertWorkflowSearchAttributes: searchAttributes."""

    attributes: Json
    site: CallSite | None = None


@record
class ModifyProperties:
    """-> WorkflowPropertiesModified: upsertedMemo."""

    attributes: Json
    site: CallSite | None = None


@record
class AcceptUpdate:
    """-> WorkflowExecutionUpdateAccepted."""

    protocol_instance_id: str
    site: CallSite | None = None


@record
class RejectUpdate:
    """Said before acceptance: leaves no event. Said after it, the update fails: -> WorkflowExecutionUpdateCompleted."""

    protocol_instance_id: str
    failure: Failure
    site: CallSite | None = None


@record
class CompleteUpdate:
    """-> WorkflowExecutionUpdateCompleted."""

    protocol_instance_id: str
    result: Payload | None
    site: CallSite | None = None


@record
class CompleteWorkflow:
    """-> WorkflowExecutionCompleted: result."""

    attributes: Json
    site: CallSite | None = None


@record
class FailWorkflow:
    """-> WorkflowExecutionFailed: failure."""

    attributes: Json
    site: CallSite | None = None


@record
class CancelWorkflowExecution:
    """-> WorkflowExecutionCanceled."""

    site: CallSite | None = None


@record
class ContinueAsNew:
    """-> WorkflowExecutionContinuedAsNew: workflowType, taskQueue, input, timeouts, memo, searchAttributes, header."""

    attributes: Json
    site: CallSite | None = None


@record
class RespondToQuery:
    """The answer to a query. Exactly one of `result` and `failure` is not None."""

    query_id: str
    result: Payload | None
    failure: Failure | None
    site: CallSite | None = None


TerminalCommand: TypeAlias = CompleteWorkflow | FailWorkflow | CancelWorkflowExecution | ContinueAsNew

Command: TypeAlias = (
    StartTimer
    | CancelTimer
    | ScheduleActivity
    | RequestCancelActivity
    | ScheduleLocalActivity
    | RequestCancelLocalActivity
    | StartChildWorkflow
    | CancelChildWorkflow
    | SignalExternal
    | CancelSignalExternal
    | RequestCancelExternal
    | ScheduleNexusOperation
    | RequestCancelNexusOperation
    | SetPatchMarker
    | RecordMarker
    | UpsertSearchAttributes
    | ModifyProperties
    | AcceptUpdate
    | RejectUpdate
    | CompleteUpdate
    | TerminalCommand
    | RespondToQuery
)
