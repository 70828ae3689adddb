"""A workflow for `temporalio` whose values go every way that a data converter sees, and a careless change of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

SOON = timedelta(seconds=5)


@dataclass
class Parcel:
    """Something to send."""

    to: str
    weight: int


@activity.defn
async def weigh(parcel: Parcel) -> Parcel:
    """Weigh it again."""
    return Parcel(parcel.to, parcel.weight + 1)


@activity.defn
async def refuse(parcel: Parcel) -> None:
    """Do not take it."""
    raise ApplicationError("too heavy", parcel, type="TooHeavy", non_retryable=True)


@workflow.defn(name="Sending")
class Sending:
    """Weighs parcels, and is refused one."""

    minded = "heavy"

    def __init__(self) -> None:
        """Begin without parcels."""
        self.parcels: list[Parcel] = []

    @workflow.run
    async def run(self, parcel: Parcel) -> list[Parcel]:
        """Send."""
        weighed = await workflow.execute_activity(weigh, parcel, start_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: bool(self.parcels))
        try:
            await workflow.execute_activity(refuse, weighed, start_to_close_timeout=SOON)
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            if self.minded in error.cause.message and weighed.weight > parcel.weight:
                await workflow.sleep(weighed.weight)
        await workflow.execute_local_activity(weigh, self.parcels[0], start_to_close_timeout=SOON)
        return [weighed, *self.parcels]

    @workflow.signal
    def add(self, parcel: Parcel) -> None:
        """Take one more."""
        self.parcels.append(parcel)

    @workflow.update
    def replace(self, parcel: Parcel) -> Parcel:
        """Take this one for the first."""
        before, self.parcels[0] = self.parcels[0], parcel
        return before


@workflow.defn(name="Sending")
class SendingWithoutRest(Sending):
    """Changed: it minds other words, so that nobody sleeps."""

    minded = "light"

    @workflow.run
    async def run(self, parcel: Parcel) -> list[Parcel]:
        """Send."""
        return await super().run(parcel)


class Stamps(Interceptor):
    """Puts a header on what a workflow asks for, and reads the one that it was started with."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Stand around workflows."""
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def execute_workflow(self, input: Any) -> Any:
        stamp = input.headers.get("stamp")
        if stamp is not None and stamp.metadata["encoding"] == b"json/plain":
            await workflow.sleep(len(stamp.data))
        return await super().execute_workflow(input)


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        stamp = Payload(metadata={"encoding": b"json/plain"}, data=b'"a stamp"')
        input.headers = {**input.headers, "stamp": stamp}
        return super().start_activity(input)
