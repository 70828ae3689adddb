"""Errors of the authoring API that no history records."""

from __future__ import annotations

from playhead_engine.exceptions import TemporalError


class NotInWorkflowError(TemporalError):
    """Something that only workflow code can do was tried elsewhere."""

    def __init__(self, message: str = "this is only possible in workflow code, while it runs") -> None:
        super().__init__(message)
        self.message = message


class ReadOnlyContextError(TemporalError):
    """A query handler or an update validator tried to change something."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NondeterminismError(TemporalError):
    """The code asks for something else than the history says. List it as a failure type to fail the workflow then."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ContinueAsNewError(BaseException):
    """How `continue_as_new` leaves the workflow. Let it through."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """The workflow ended while update handlers were still running."""


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """The workflow ended while signal handlers were still running."""
