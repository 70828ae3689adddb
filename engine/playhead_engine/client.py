"""What clients of an engine speak of, under the names of Temporal's client module.

    from playhead_engine.client import WorkflowFailureError, WorkflowHandle

`Engine` stands in the place of its `Client`.
"""

from __future__ import annotations

from playhead_engine.engine.async_activity import (
    ActivityNotFoundError,
    AsyncActivityCancelledError,
    AsyncActivityHandle,
)
from playhead_engine.engine.errors import (
    ActivityKeepsFailingError,
    NothingDueError,
    NotReady,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowNotFoundError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowStuckError,
    WorkflowTaskKeepsFailingError,
    WorkflowUpdateFailedError,
)
from playhead_engine.engine.executions import (
    PendingActivityInfo,
    WorkflowExecution,
    WorkflowExecutionCount,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from playhead_engine.engine.handles import WorkflowHandle, WorkflowUpdateHandle, WorkflowUpdateStage
from playhead_engine.engine.list_filter import BadFilter
from playhead_engine.engine.operation import Operation
from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.server.resets import CannotReset

__all__ = [
    "ActivityKeepsFailingError",
    "ActivityNotFoundError",
    "AsyncActivityCancelledError",
    "AsyncActivityHandle",
    "BadFilter",
    "CannotReset",
    "EngineStopped",
    "NotReady",
    "NothingDueError",
    "Operation",
    "PendingActivityInfo",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionCount",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowNotFoundError",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowStuckError",
    "WorkflowTaskKeepsFailingError",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateStage",
]
