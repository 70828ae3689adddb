"""Who converts for whom, where code of more than one kind runs in an engine."""

from __future__ import annotations

from collections.abc import Callable

from playhead_engine.engine.wire import Wire


class Wires:
    """What converts values.

    Attributes:
        native: For native activities, and for what the engine itself writes.
        clients: For what clients say.
    """

    def __init__(self, native: Wire, clients: Wire, is_native: Callable[[str], bool]) -> None:
        """
        Args:
            native: For native activities.
            clients: For clients.
            is_native: Whether workflows of a type are native code.
        """
        self.native = native
        self.clients = clients
        self._is_native = is_native

    def of(self, workflow_id: str, workflow_type: str) -> Wire:
        """For what a workflow tells its clients: its errors are of the kind that its code raises."""
        if self.native is self.clients or self._is_native(workflow_type):
            return self.native
        return self.clients.for_workflow(workflow_id, workflow_type)
