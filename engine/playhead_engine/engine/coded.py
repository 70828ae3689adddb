"""Native workflow code behind the user's codec: it is told plain values, and histories hold encoded ones.

A runtime takes payloads as histories hold them. That of another SDK decodes for itself, in that SDK's way.
"""

from __future__ import annotations

from typing import Any

from playhead_engine.activation import Activation
from playhead_engine.converter.standing_in import standing_in
from playhead_engine.engine.wire import Wire
from playhead_engine.opaque import StandIns
from playhead_engine.runtime import Completion, Runtime, WorkflowInstance


class CodedRuntime:
    """A native runtime; see `runtime.Runtime`.

    Attributes:
        name: As that of the runtime.
    """

    def __init__(self, runtime: Runtime, wire: Wire) -> None:
        """
        Args:
            runtime: The runtime.
            wire: Applies the codec.
        """
        self.name = runtime.name
        self._runtime = runtime
        self._wire = wire

    def workflow_types(self) -> frozenset[str]:
        """Types it can make."""
        return self._runtime.workflow_types()

    def accepts(self, workflow_type: str) -> bool:
        """Whether it has code for this type."""
        return self._runtime.accepts(workflow_type)

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> WorkflowInstance:
        """A new instance.

        Raises:
            LookupError: It has no such type.
        """
        wire = self._wire if stand_ins is None else Wire(standing_in(self._wire.converter, stand_ins))
        return CodedInstance(self._runtime.create(workflow_type, run_id, stand_ins), wire)


class CodedInstance:
    """One run; see `runtime.WorkflowInstance`. What else the instance can do it can do here."""

    def __init__(self, instance: WorkflowInstance, wire: Wire) -> None:
        self._instance = instance
        self._wire = wire

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened and let it run until everything in it waits."""
        return self._wire.encoded(self._instance.activate(self._wire.decoded(activation)))

    def close(self) -> None:
        """Throw the run out of memory."""
        self._instance.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)
