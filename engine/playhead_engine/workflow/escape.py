"""The logger, which is silent on replay, and `unsafe`, for code that has to know about replay."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playhead_engine import guards
from playhead_engine.native.context import current_run, current_run_or_none, current_update

if TYPE_CHECKING:
    _LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    _LoggerAdapter = logging.LoggerAdapter


class LoggerAdapter(_LoggerAdapter):
    """Adds to each message which run logs it, and is silent on replay.

    Attributes:
        workflow_info_on_message: Whether to append the run to the message.
        workflow_info_on_extra: Whether to put it into the record, as `temporal_workflow`.
        full_workflow_info_on_extra: Whether to put all of `info()` into the record, as `workflow_info`.
        log_during_replay: Whether to log on replay too.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, dict(extra or {}))
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False

    @property
    def base_logger(self) -> logging.Logger:
        """The logger behind it."""
        return self.logger

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add which run, and which update, logs."""
        run = current_run_or_none()
        if run is None:
            return msg, kwargs
        info, update = run.info, current_update.get()
        details: dict[str, Any] = {
            "attempt": info.attempt,
            "namespace": info.namespace,
            "run_id": info.run_id,
            "task_queue": info.task_queue,
            "workflow_id": info.workflow_id,
            "workflow_type": info.workflow_type,
        }
        if update is not None:
            details |= {"update_id": update.id, "update_name": update.name}
        extra: dict[str, Any] = {"temporal_workflow": details} if self.workflow_info_on_extra else {}
        if self.full_workflow_info_on_extra:
            extra["workflow_info"] = info
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return (f"{msg} ({details})" if self.workflow_info_on_message else msg), kwargs

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        """Whether to log: not what was logged when it happened first."""
        run = current_run_or_none()
        if run is not None and not self.log_during_replay and run.is_silent:
            return False
        return super().isEnabledFor(level)


logger = LoggerAdapter(logging.getLogger("playhead_engine.workflow"), None)
"""Logs which run logs, and is silent on replay."""


class unsafe:  # noqa: N801 - Temporal's name
    """What workflow code should not need."""

    def __init__(self) -> None:
        raise NotImplementedError("unsafe is a name for functions, not a class to make objects of")

    @staticmethod
    def in_sandbox() -> bool:
        """Always False: classes are not imported again for each run, as Temporal's sandbox does."""
        return False

    @staticmethod
    def is_replaying() -> bool:
        """Whether what happens now has happened before. Queries are answered on replay, too."""
        return current_run().activation.is_replaying

    @staticmethod
    def is_replaying_history_events() -> bool:
        """The same, but False while a query is answered or an update validated."""
        run = current_run()
        return run.activation.is_replaying and not run.answers_now

    @staticmethod
    def is_read_only() -> bool:
        """Whether a query is answered or an update validated, and nothing may be changed."""
        return current_run().is_read_only

    @staticmethod
    @contextmanager
    def sandbox_unrestricted() -> Generator[None]:
        """Do what would otherwise be refused because it breaks replay."""
        with guards.unrestricted():
            yield

    @staticmethod
    @contextmanager
    def imports_passed_through() -> Generator[None]:
        """Import what would otherwise be refused because it breaks replay."""
        with guards.unrestricted():
            yield
