"""Who asked for what in one run of a `temporalio` workflow: the line of each command, and the error that was raised."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

from playhead_engine.call_site import CallSite, definition_line, raising_line
from playhead_engine.temporal.sdk import workflows as sdk
from playhead_engine.temporal.sites import asking_line, code_of_classes

# What a command is about: the kind of thing, as `runtime.Waiting` calls it, and the field that numbers it.
_ABOUT: Final = {
    "start_timer": ("timer", "seq"),
    "cancel_timer": ("timer", "seq"),
    "schedule_activity": ("activity", "seq"),
    "request_cancel_activity": ("activity", "seq"),
    "schedule_local_activity": ("local activity", "seq"),
    "request_cancel_local_activity": ("local activity", "seq"),
    "start_child_workflow_execution": ("child workflow", "seq"),
    "cancel_child_workflow_execution": ("child workflow", "child_workflow_seq"),
    "signal_external_workflow_execution": ("signal", "seq"),
    "cancel_signal_workflow": ("signal", "seq"),
    "request_cancel_external_workflow_execution": ("cancel", "seq"),
    "schedule_nexus_operation": ("nexus operation", "seq"),
    "request_cancel_nexus_operation": ("nexus operation", "seq"),
}


class Asked:
    """Watches one instance of the SDK.

    Attributes:
        error: The last error that was converted into a failure in this activation.
    """

    def __init__(self, interceptor_classes: tuple[type, ...]) -> None:
        self.error: BaseException | None = None
        self._implementation: Any = None
        self._interceptors = code_of_classes(interceptor_classes)
        self._loop = sdk.loop_code()
        self._lines: list[CallSite | None] = []
        self._first_asked: dict[tuple[str, int], CallSite | None] = {}
        self._local_activities: dict[str, CallSite | None] = {}
        self._updates: dict[str, str] = {}
        self._raised_at: CallSite | None = None
        self._continued_at: CallSite | None = None

    def watch(self, implementation: Any) -> None:
        """Begin to watch."""
        self._implementation = implementation
        sdk.Watched(implementation, self._on_command, self._on_failure, self._on_continue, self._on_error)

    def begin(self) -> None:
        """An activation begins."""
        self.error = None
        self._lines = []

    def note_update(self, protocol_instance_id: str, name: str) -> None:
        """The code is told of an update."""
        self._updates[protocol_instance_id] = name

    def site_of(self, kind: str, seq: int) -> CallSite | None:
        """The line that asked for something, by its kind (as of `runtime.Waiting`) and number."""
        return self._first_asked.get((kind, seq))

    def sites(self, commands: Sequence[Any]) -> list[CallSite | None]:
        """The lines of the commands of this activation."""
        lines = self._lines
        if len(lines) != len(commands):
            # Somebody else's runner, or nothing was watched yet: what failed to begin asks for one thing, its failure.
            lines = [None] * len(commands)
        return [self._site(command, line) for command, line in zip(commands, lines, strict=True)]

    def _site(self, command: Any, line: CallSite | None) -> CallSite | None:
        kind = command.WhichOneof("variant")
        about = _ABOUT.get(kind)
        if about is not None:
            asked = getattr(command, kind)
            name, field = about
            key = name, getattr(asked, field)
            if line is None:
                line = self._first_asked.get(key)
            if kind == "schedule_local_activity":
                # The next attempt of a local activity is asked for by the loop, under another number.
                line = line or self._local_activities.get(asked.activity_type)
                self._local_activities[asked.activity_type] = line
            self._first_asked.setdefault(key, line)
            return line
        if line is not None or self._implementation is None:
            return line
        match kind:
            case "complete_workflow_execution":
                return definition_line(sdk.run_function_of(self._implementation))
            case "fail_workflow_execution" | "cancel_workflow_execution":
                return self._raised_at
            case "continue_as_new_workflow_execution":
                return self._continued_at
            case "update_response":
                name = self._updates.get(command.update_response.protocol_instance_id, "")
                return definition_line(sdk.handler_function_of(self._implementation, "update", name))
            case _:
                return None

    # Told by the SDK's instance

    def _on_command(self) -> None:
        line = asking_line(self._loop, self._interceptors, 3)
        handled = sys.exc_info()[1] if line is None else None
        if handled is not None:
            line = raising_line(handled.__traceback__)  # the run was cancelled, and this is the line that let it be
        self._lines.append(line)

    def _on_failure(self, error: BaseException) -> None:
        self._raised_at = raising_line(error.__traceback__)

    def _on_continue(self) -> None:
        self._continued_at = asking_line(self._loop, self._interceptors, 3)

    def _on_error(self, error: BaseException) -> None:
        self.error = error
