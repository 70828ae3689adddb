"""Commands as the code of these tests gives them, with everything in them that a built history records of them."""

from __future__ import annotations

from playhead_engine.commands import (
    ActivityCancellationType,
    ChildWorkflowCancellationType,
    CompleteWorkflow,
    NexusCancellationType,
    RequestCancelExternal,
    ScheduleActivity,
    ScheduleLocalActivity,
    ScheduleNexusOperation,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
)

COMPLETE = CompleteWorkflow({})


def timer(seq: int = 1) -> StartTimer:
    return StartTimer(seq, {"timerId": str(seq), "startToFireTimeout": "1s"})


def activity(
    seq: int = 1,
    activity_id: str | None = None,
    activity_type: str = "greet",
    how: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
) -> ScheduleActivity:
    activity_id = str(seq) if activity_id is None else activity_id
    return ScheduleActivity(seq, {"activityId": activity_id, "activityType": {"name": activity_type}}, how)


def local_activity(
    seq: int = 1,
    activity_id: str | None = None,
    activity_type: str = "lookup",
    how: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
) -> ScheduleLocalActivity:
    activity_id = str(seq) if activity_id is None else activity_id
    return ScheduleLocalActivity(seq, {"activityId": activity_id, "activityType": {"name": activity_type}}, how)


def child(
    seq: int = 1,
    workflow_id: str | None = None,
    workflow_type: str = "Child",
    how: ChildWorkflowCancellationType = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
) -> StartChildWorkflow:
    workflow_id = f"child-{seq}" if workflow_id is None else workflow_id
    asked = {"namespace": "default", "workflowId": workflow_id, "workflowType": {"name": workflow_type}}
    return StartChildWorkflow(seq, asked, how)


def external_signal(seq: int = 1, workflow_id: str = "other", name: str = "wave") -> SignalExternal:
    return SignalExternal(seq, {"workflowExecution": {"workflowId": workflow_id}, "signalName": name})


def external_cancel(seq: int = 1, workflow_id: str = "other") -> RequestCancelExternal:
    return RequestCancelExternal(seq, {"workflowExecution": {"workflowId": workflow_id}})


def nexus(
    seq: int = 1,
    service: str = "bank",
    operation: str = "pay",
    endpoint: str = "endpoint",
    how: NexusCancellationType = NexusCancellationType.WAIT_COMPLETED,
) -> ScheduleNexusOperation:
    return ScheduleNexusOperation(seq, {"endpoint": endpoint, "service": service, "operation": operation}, how)
