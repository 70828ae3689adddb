"""What an activity can know about itself, put together when it asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from playhead_engine.activity import Info
from playhead_engine.common import Priority, RetryPolicy
from playhead_engine.convert import duration_ns, ns_datetime, timedelta_of
from playhead_engine.engine.runs import LiveRun
from playhead_engine.messages import Json, part
from playhead_engine.server.requests import NAMESPACE


def activity_info(
    run: LiveRun,
    attributes: Json,
    *,
    attempt: int,
    scheduled_ns: int,
    due_ns: int,
    started_ns: int,
    heartbeat_details: Sequence[Any],
    token: str,
    is_local: bool,
) -> Info:
    """What an activity can know about itself.

    Args:
        run: The run that asked for it.
        attributes: Attributes of its scheduled event, or of the command for a local activity.
        attempt: Number of the attempt, from 1.
        scheduled_ns: When it was first scheduled.
        due_ns: When this attempt was scheduled.
        started_ns: When this attempt began.
        heartbeat_details: What the last heartbeat said.
        token: Names the attempt.
        is_local: Whether it runs inside a workflow task.
    """
    state = run.state
    policy = attributes.get("retryPolicy")
    return Info(
        activity_id=str(attributes.get("activityId", "")),
        activity_type=str(part(attributes, "activityType").get("name", "")),
        attempt=attempt,
        current_attempt_scheduled_time=ns_datetime(due_ns),
        heartbeat_details=heartbeat_details,
        heartbeat_timeout=_optional(attributes.get("heartbeatTimeout")),
        is_local=is_local,
        namespace=NAMESPACE,
        schedule_to_close_timeout=_optional(attributes.get("scheduleToCloseTimeout")),
        scheduled_time=ns_datetime(scheduled_ns),
        start_to_close_timeout=_optional(attributes.get("startToCloseTimeout")),
        started_time=ns_datetime(started_ns),
        task_queue=str((attributes.get("taskQueue") or state.started["taskQueue"]).get("name", "")),
        task_token=token.encode(),
        workflow_id=state.workflow_id,
        workflow_namespace=NAMESPACE,
        workflow_run_id=state.run_id,
        workflow_type=state.type_name,
        priority=Priority.from_json(part(attributes, "priority")),
        retry_policy=RetryPolicy.from_json(policy) if policy else None,
    )


def _optional(timeout: str | None) -> timedelta | None:
    return timedelta_of(timeout) if duration_ns(timeout) else None
