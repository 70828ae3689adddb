"""What a plugin of the SDK brings along: a workflow, an activity, an error that fails workflows, an interceptor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    Interceptor,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from tests.replay.encryption import TemporalAes

life: list[str] = []
"""What the plugin saw of the worker that it is in."""


class NoTea(Exception):
    """There is none."""


@activity.defn
async def brew(kind: str) -> str:
    """Brew tea."""
    if kind == "oolong":
        raise ValueError("there is no oolong")
    return f"a cup of {kind}"


@workflow.defn(name="Tea")
class Tea:
    """Brews tea, or fails."""

    @workflow.run
    async def run(self, kind: str) -> str:
        """Do it."""
        if kind == "coffee":
            raise NoTea(kind)
        return await workflow.execute_activity(brew, kind, start_to_close_timeout=timedelta(seconds=5))


class Rest(Interceptor):
    """Lets every workflow rest first."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Stand around workflows."""
        return _Resting


class _Resting(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: Any) -> Any:
        assert life[-1:] == ["begun"]
        await workflow.sleep(60)
        return await super().execute_workflow(input)


@asynccontextmanager
async def _around() -> AsyncIterator[None]:
    life.append("begun")
    yield
    life.append("over")


def teatime() -> SimplePlugin:
    """Brings everything that a plugin may bring."""
    return SimplePlugin(
        "teatime",
        data_converter=DataConverter(payload_codec=TemporalAes()),
        workflows=[Tea],
        activities=[brew],
        interceptors=[Rest()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[NoTea],
        run_context=_around,
    )
