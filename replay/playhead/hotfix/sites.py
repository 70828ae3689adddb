"""Which line of code asked for which event: a replay that takes notes, and gives no verdict."""

from __future__ import annotations

from playhead_engine.call_site import CallSite
from playhead_engine.command_queue import CommandQueue
from playhead_engine.history import History, HistoryEvent
from playhead_engine.machines.errors import ReplayError
from playhead_engine.machines.markers import PatchMarker
from playhead_engine.matching import Machines
from playhead_engine.runtime import Runtime, TaskFailed


class _NotingQueue(CommandQueue):
    """Notes the line of each command that an event meets."""

    def __init__(self) -> None:
        super().__init__()
        self.sites: dict[int, CallSite] = {}

    def meet(
        self,
        event: HistoryEvent,
        patch: PatchMarker | None,
        following: HistoryEvent | None,
        in_last_sequence: bool,
    ) -> bool:
        waiting = [command for command, _ in self._waiting]
        is_followed = super().meet(event, patch, following, in_last_sequence)
        met = len(waiting) - len(self._waiting)
        site: CallSite | None = getattr(waiting[met - 1], "site", None) if met else None
        if site is not None:
            self.sites[event.event_id] = site
        return is_followed


def sites_of(history: History, workflow_id: str, runtime: Runtime) -> dict[int, CallSite]:
    """The lines that asked for the events of a history, as far as the code comes along with it.

    Args:
        history: A history that the code agrees with.
        workflow_id: The workflow id.
        runtime: Makes the code.
    """
    queue = _NotingQueue()
    try:
        machines = Machines(history.events, workflow_id, queue=queue)
        instance = runtime.create(history.workflow_type, machines.run_id)
        try:
            while (activation := machines.next_activation()) is not None:
                completion = instance.activate(activation)
                if isinstance(completion, TaskFailed):
                    break
                machines.completed(completion.commands)
        finally:
            instance.close()
    except ReplayError:
        pass  # a stuck run: whoever ran it has said why it goes no further
    return queue.sites
