"""A patch: a marker in the history says which branch of the code a run took."""

from __future__ import annotations

from playhead_engine.commands import SetPatchMarker
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import Machine, Run, described
from playhead_engine.machines.markers import patch_marker


class PatchMachine(Machine):
    """The id is compared; whether it was deprecated is not."""

    __slots__ = ("patch_id",)

    NAME = "PatchMachine"
    DOES_NOT_HANDLE = "Change machine cannot handle this event: "
    INITIAL = "Notified"
    TRANSITIONS = {("Notified", "MARKER_RECORDED"): "MarkerCommandRecorded"}
    FINAL = frozenset({"MarkerCommandRecorded"})

    def __init__(self, run: Run, command: SetPatchMarker) -> None:
        super().__init__(run, command)
        self.patch_id = command.patch_id

    def entered(self, before: str, event: HistoryEvent, in_last_sequence: bool) -> None:
        marker = patch_marker(event)
        if marker is None:
            raise Nondeterminism(self.DOES_NOT_HANDLE + described(event), event, self.command)
        if marker.patch_id != self.patch_id:
            raise Nondeterminism(
                f"Change id {marker.patch_id} does not match expected id {self.patch_id}", event, self.command
            )
