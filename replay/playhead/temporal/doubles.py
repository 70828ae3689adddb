"""Doubles beside Temporal's own worker: an activity and a workflow, each for every type that nobody else takes.

What they answer is decided by a `Respondent`, as everywhere; this module only tells it what the SDK is asked. A child
that is answered here is a workflow to the server, with a history of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import temporalio.activity
import temporalio.workflow
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.common import RawValue

from playhead.hotfix.respondent import Found, Respondent
from playhead_engine.common import RawValue as OurRawValue
from playhead_engine.engine.wire import settle
from playhead_engine.payload import Payload
from playhead_engine.temporal.converter import sdk_converter
from playhead_engine.temporal.payloads import parsed, payload_json, payload_proto


class TemporalDoubles:
    """What a worker is given.

    Attributes:
        activity: A dynamic activity.
        workflow: A dynamic workflow. It runs outside of the sandbox, since it has to reach this.
    """

    def __init__(self, respondent: Respondent, data_converter: Any) -> None:
        """
        Args:
            respondent: Knows the answers.
            data_converter: That of the worker's client; None for the default one.
        """
        self._respondent = respondent
        self._sdk = sdk_converter(data_converter)
        self._children: dict[str, Found | None] = {}
        self.activity: Callable[..., Any] = self._make_activity()
        self.workflow: type[Any] = self._make_workflow()

    def _make_activity(self) -> Callable[..., Any]:
        @temporalio.activity.defn(dynamic=True)
        async def respond(args: Sequence[RawValue]) -> Any:
            info = temporalio.activity.info()
            found = await self._respondent.activity(
                info.activity_type,
                _ours(args),
                info.workflow_id or "",
                info.workflow_run_id or "",
                info.activity_id,
            )
            if found is None or found.is_silence:
                await temporalio.activity.wait_for_cancelled()
            return self._outcome(found)

        return respond

    def _make_workflow(self) -> type[Any]:
        doubles = self

        class RecordedChild:
            async def run(self, args: Sequence[RawValue]) -> Any:
                info = temporalio.workflow.info()
                if info.run_id not in doubles._children:  # else it was thrown out of the worker's memory, and replays
                    found = doubles._respondent.child(info.workflow_type, info.workflow_id, _ours(args))
                    doubles._children[info.run_id] = found
                found = doubles._children[info.run_id]
                if found is None or found.is_silence:
                    await temporalio.workflow.wait_condition(lambda: False)
                return doubles._outcome(found)

        # The SDK wants workflows that can be found by their names. This one can only be made where its answers are.
        RecordedChild.run.__qualname__ = "RecordedChild.run"
        temporalio.workflow.run(RecordedChild.run)
        return temporalio.workflow.defn(dynamic=True, sandboxed=False)(RecordedChild)

    def _outcome(self, found: Found | None) -> Any:
        if found is None:
            return None
        if found.failure is not None:
            message = parsed(found.failure, FailureProto())
            raise settle(lambda: self._sdk.decode_failure(message))
        if isinstance(found.value, OurRawValue):
            return RawValue(payload_proto(found.value.payload.to_json()))
        return found.value


def _ours(args: Sequence[RawValue]) -> list[OurRawValue]:
    return [OurRawValue(Payload.from_json(payload_json(raw.payload))) for raw in args]
