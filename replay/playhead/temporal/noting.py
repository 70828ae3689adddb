"""Notes which runs a worker takes up, by an interceptor of the SDK.

The sandbox imports this module anew, so it is small, and says what it saw through a function from outside.
"""

from __future__ import annotations

from typing import Any, Final

import temporalio.workflow
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

_NOTE: Final = "__playhead_note_run"


class NotingInterceptor(Interceptor):
    """An interceptor for a worker.

    Attributes:
        noted: Workflow ids of the runs that it saw, by run id.
    """

    def __init__(self) -> None:
        self.noted: dict[str, str] = {}

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """The class whose instances see the runs."""
        input.unsafe_extern_functions[_NOTE] = self.noted.__setitem__
        return _Noting


class _Noting(WorkflowInboundInterceptor):
    """Says that a run begins, or begins again."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        info = temporalio.workflow.info()
        with temporalio.workflow.unsafe.sandbox_unrestricted():
            temporalio.workflow.extern_functions()[_NOTE](info.run_id, info.workflow_id)
        return await super().execute_workflow(input)
