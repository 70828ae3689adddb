"""Commands that meet one event and are done: the ends of a workflow, and upserts.

Nothing of their content is compared: not the result, not the failure, not the search attributes.
"""

from __future__ import annotations

from typing import Final

from playhead_engine.commands import (
    CancelWorkflowExecution,
    Command,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    UpsertSearchAttributes,
)
from playhead_engine.history import HistoryEvent
from playhead_engine.machines.errors import Nondeterminism
from playhead_engine.machines.machine import Machine, Run, described

# Command -> the event that it becomes, and how core begins the message about any other.
_EVENTS: Final[dict[type[Command], tuple[str, str]]] = {
    CompleteWorkflow: ("WORKFLOW_EXECUTION_COMPLETED", "Complete workflow machine does not handle this event: "),
    FailWorkflow: ("WORKFLOW_EXECUTION_FAILED", "Fail workflow machine does not handle this event: "),
    CancelWorkflowExecution: ("WORKFLOW_EXECUTION_CANCELED", "Cancel workflow machine does not handle this event: "),
    ContinueAsNew: (
        "WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "Continue as new workflow machine does not handle this event: ",
    ),
    UpsertSearchAttributes: (
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "UpsertWorkflowSearchAttributesMachine does not handle ",
    ),
    ModifyProperties: ("WORKFLOW_PROPERTIES_MODIFIED", "ModifyWorkflowPropertiesMachine does not handle "),
}


class SingleEventMachine(Machine):
    """Waits for one kind of event."""

    __slots__ = ()

    NAME = "SingleEventMachine"
    DOES_NOT_HANDLE = ""
    INITIAL = "Created"
    TRANSITIONS = {}
    FINAL = frozenset({"Recorded"})

    def __init__(self, run: Run, command: Command) -> None:
        super().__init__(run, command)

    def on_event(self, event: HistoryEvent, in_last_sequence: bool) -> None:
        assert self.command is not None
        expected, does_not_handle = _EVENTS[type(self.command)]
        if expected != event.KIND:
            raise Nondeterminism(does_not_handle + described(event), event, self.command)
        self.state = "Recorded"
