"""Requests of clients that come late, twice or in another order; and clients that outlive processes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from playhead_engine.engine.errors import WorkflowNotFoundError
from playhead_engine.engine.scheduler import EngineStopped
from playhead_engine.faults.kinds import Kind
from playhead_engine.faults.log import Acknowledged
from playhead_engine.faults.rounds import A_MOMENT_NS

if TYPE_CHECKING:
    from playhead_engine.engine.desk import Desk
    from playhead_engine.faults.injector import Injector
    from playhead_engine.faults.plan import Fault


class FaultyDesk:
    """The desk of whatever process there is. A request that a process leaves unanswered is put to the next one.

    Attributes:
        present: The desk of the process that runs.
    """

    present: Desk

    def __init__(self, injector: Injector) -> None:
        """
        Args:
            injector: Says whether a fault strikes.
        """
        self._injector = injector

    @property
    def as_desk(self) -> Desk:
        """This, to those who take it for a desk: it can do all that one can."""
        return cast("Desk", self)

    def __getattr__(self, name: str) -> Any:
        return partial(self._insist, name)

    async def _insist(self, name: str, *args: Any) -> Any:
        while True:
            desk = self.present
            try:
                return await getattr(desk, name)(*args)
            except EngineStopped as stopped:
                if desk is self.present:
                    await self._injector.next_process(stopped)

    async def start(self, workflow_id: str, request: Any, *args: Any) -> Any:
        """See `Desk`."""
        name = request["workflowType"]["name"]
        await self._comes("start", name, workflow_id)
        answer = await self._insist("start", workflow_id, request, *args)
        self._acknowledge("start", workflow_id, answer[0])
        return answer

    async def signal(self, workflow_id: str, run_id: str | None, name: str, *args: Any) -> None:
        """See `Desk`."""
        fault = await self._comes("signal", name, workflow_id)
        await self._insist("signal", workflow_id, run_id, name, *args)
        self._acknowledge("signal", workflow_id, name)
        if _is_doubled(fault):
            await self._again("signal", workflow_id, run_id, name, *args)

    async def update(
        self, workflow_id: str, run_id: str | None, first_run_id: str | None, update_id: str | None, *args: Any
    ) -> Any:
        """See `Desk`."""
        fault = await self._comes("update", args[0], workflow_id)
        new_id = self._injector.core.new_id
        # Drawn here, so that the next process is asked for the same update.
        answer = await self._insist("update", workflow_id, run_id, first_run_id, update_id or new_id(), *args)
        _, accepted_id, refused = answer
        if refused is None:
            self._acknowledge("update", workflow_id, accepted_id)
        if _is_doubled(fault):
            await self._again("update", workflow_id, run_id, first_run_id, update_id or new_id(), *args)
        return answer

    async def cancel(self, workflow_id: str, *args: Any) -> None:
        """See `Desk`."""
        fault = await self._comes("cancel", workflow_id, workflow_id)
        await self._insist("cancel", workflow_id, *args)
        self._acknowledge("cancel", workflow_id, "")
        if _is_doubled(fault):
            await self._again("cancel", workflow_id, *args)

    async def _again(self, name: str, *args: Any) -> None:
        """A request comes once more. The client has its answer already."""
        with suppress(WorkflowNotFoundError):
            await self._insist(name, *args)

    def _acknowledge(self, kind: Kind, workflow_id: str, what: str) -> None:
        self._injector.log.acknowledged.append(Acknowledged(kind, workflow_id, what))

    async def _comes(self, kind: Kind, name: str, workflow_id: str) -> Fault | None:
        """A request is on its way."""
        fault = self._injector.comes_to(kind, name, workflow_id)
        delay_ns = 0 if fault is None else A_MOMENT_NS if fault.strike == "reorder" else fault.ns
        if delay_ns:
            await self._insist("sleep_until", self._injector.core.clock.now_ns() + delay_ns)
        return fault


def _is_doubled(fault: Fault | None) -> bool:
    return fault is not None and fault.strike == "twice"
