"""Workflows that the SDK's sandbox stops, and one that it must not."""

from __future__ import annotations

import datetime
import json

from temporalio import workflow


@workflow.defn(name="Sandboxed")
class OpensAFile:
    """Asks for a builtin that is under guard."""

    @workflow.run
    async def run(self) -> None:
        """Run."""
        open("somewhere")  # noqa: SIM115, PTH123, ASYNC230 - the sandbox is to stop it


@workflow.defn(name="Sandboxed")
class AsksTheClock:
    """Asks for a member of a module that is under guard."""

    @workflow.run
    async def run(self) -> None:
        """Run."""
        datetime.datetime.now()


@workflow.defn(name="Sandboxed")
class AsksForTypes:
    """Asks about types, which goes through a guard that lets everything pass."""

    @workflow.run
    async def run(self) -> str:
        """Run."""
        assert isinstance(datetime.datetime(2026, 1, 1), datetime.date)
        assert issubclass(datetime.datetime, datetime.date)
        return str(datetime.date(2026, 1, 1))


WORKFLOWS = (OpensAFile, AsksTheClock, AsksForTypes)

HISTORY = json.dumps(
    {
        "events": [
            {
                "eventId": "1",
                "eventTime": "2026-01-01T00:00:00Z",
                "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
                "workflowExecutionStartedEventAttributes": {
                    "workflowType": {"name": "Sandboxed"},
                    "taskQueue": {"name": "q"},
                    "workflowId": "sandboxed",
                    "originalExecutionRunId": "run",
                    "attempt": 1,
                },
            },
            {
                "eventId": "2",
                "eventTime": "2026-01-01T00:00:00Z",
                "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
                "workflowTaskScheduledEventAttributes": {"taskQueue": {"name": "q"}, "attempt": 1},
            },
            {
                "eventId": "3",
                "eventTime": "2026-01-01T00:00:01Z",
                "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED",
                "workflowTaskStartedEventAttributes": {"scheduledEventId": "2"},
            },
        ]
    }
).encode()
"""A run whose first workflow task is under way."""
