"""What a client is shown of runs: one in a list, one described in full, how many there are.

Temporal's names. These are read from summaries; they do not change when the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from playhead_engine.common import TypedSearchAttributes
from playhead_engine.convert import enum_member, ns_datetime, time_ns
from playhead_engine.engine.wire import Wire
from playhead_engine.messages import Json, part
from playhead_engine.record import frozen_record
from playhead_engine.search_attributes import decode_typed_search_attributes
from playhead_engine.server.requests import NAMESPACE


class WorkflowExecutionStatus(IntEnum):
    """Where a run stands."""

    RUNNING = 1  # open
    COMPLETED = 2  # returned
    FAILED = 3  # raised a failure
    CANCELED = 4  # let itself be cancelled
    TERMINATED = 5  # was ended without being asked
    CONTINUED_AS_NEW = 6  # goes on in another run
    TIMED_OUT = 7  # took too long


@frozen_record
class WorkflowExecution:
    """One run, as a list shows it.

    Attributes:
        id: Its workflow id.
        run_id: Its run id.
        workflow_type: Its type.
        status: Where it stands.
        start_time: When it was started.
        execution_time: When its first workflow task was, or is, to be scheduled.
        close_time: When it closed; None while it is open.
        task_queue: Its task queue.
        history_length: Events in its history; 0 while it is open and not described.
        parent_id: Workflow id of its parent; None if it has none. Likewise `parent_run_id`, `root_id` and
            `root_run_id`.
        memo: Its memo.
        typed_search_attributes: Its search attributes.
        namespace: Always the same.
        raw_info: All of it, as Temporal's WorkflowExecutionInfo in JSON.
    """

    id: str
    run_id: str
    workflow_type: str
    status: WorkflowExecutionStatus | None
    start_time: datetime
    execution_time: datetime | None
    close_time: datetime | None
    task_queue: str
    history_length: int
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    memo: Mapping[str, Any]
    typed_search_attributes: TypedSearchAttributes
    namespace: str
    raw_info: Json

    @staticmethod
    def fields_of(info: Json, wire: Wire) -> dict[str, Any]:
        """The attributes that a summary says."""
        parent, root = part(info, "parentExecution"), part(info, "rootExecution")
        memo, workflow_id = part(info, "memo").get("fields") or {}, info["execution"]["workflowId"]
        wire = wire.for_workflow(workflow_id, info["type"].get("name", ""))
        return {
            "id": workflow_id,
            "run_id": info["execution"]["runId"],
            "workflow_type": info["type"].get("name", ""),
            "status": enum_member(WorkflowExecutionStatus, info["status"]),
            "start_time": ns_datetime(time_ns(info["startTime"])),
            "execution_time": _time(info.get("executionTime")),
            "close_time": _time(info.get("closeTime")),
            "task_queue": info["taskQueue"],
            "history_length": int(info.get("historyLength", 0)),
            "parent_id": parent.get("workflowId"),
            "parent_run_id": parent.get("runId"),
            "root_id": root.get("workflowId"),
            "root_run_id": root.get("runId"),
            "memo": {key: wire.decode_value(payload) for key, payload in memo.items()},
            "typed_search_attributes": decode_typed_search_attributes(
                part(info, "searchAttributes").get("indexedFields") or {}
            ),
            "namespace": NAMESPACE,
            "raw_info": info,
        }


@frozen_record
class PendingActivityInfo:
    """An activity that a run waits for.

    Attributes:
        activity_id: Its id.
        activity_type: Its name.
        attempt: Number of the attempt that runs or comes next.
        is_running: Whether an attempt is under way.
        scheduled_time: When it was scheduled.
        next_attempt_time: When the next attempt is due; None while one is under way.
        last_failure: Why the attempt before failed; None if there was none.
    """

    activity_id: str
    activity_type: str
    attempt: int
    is_running: bool
    scheduled_time: datetime
    next_attempt_time: datetime | None
    last_failure: BaseException | None


@frozen_record
class WorkflowExecutionDescription(WorkflowExecution):
    """One run in full.

    Attributes:
        pending_activities: Activities it waits for.
        pending_children: Workflow ids of the children it waits for.
        waits_for: What it waits for, one sentence each; empty if it has closed.
        task_failure: What its workflow task failed with last; None if it does not fail.
    """

    pending_activities: tuple[PendingActivityInfo, ...] = ()
    pending_children: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    task_failure: BaseException | None = None


@frozen_record
class WorkflowExecutionCount:
    """How many runs there are.

    Attributes:
        count: That many.
    """

    count: int


def _time(text: str | None) -> datetime | None:
    return ns_datetime(time_ns(text)) if text else None
