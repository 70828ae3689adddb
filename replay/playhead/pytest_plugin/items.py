"""Histories as tests: one for each file, named after the workflow in it.

Its node id is `histories/order.json::OrderFulfilment`, so that everything in pytest that takes node ids, files, names
or marks takes histories.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from playhead.codec_endpoint import CodecUnavailable
from playhead.configuration import BadConfiguration
from playhead.explanation import Explanation
from playhead.places import shown_path
from playhead.pytest_plugin.expectations import (
    Allowed,
    Expectation,
    Met,
    Outcome,
    Unmet,
    event_of,
    outcome_of,
)
from playhead.pytest_plugin.marked import expected_of, note_allowed
from playhead.pytest_plugin.project import NO_CODE
from playhead.pytest_plugin.session import ReplaySession, session_of
from playhead.pytest_plugin.stash import fail, note
from playhead.pytest_plugin.states import StateFile, differences, queries_in, unmet, watch
from playhead.readers import UnreadableHistory, read_history
from playhead.rendering import label
from playhead.replayer import unreadable
from playhead.sources import workflow_id_of
from playhead.terminal import Style
from playhead.timeline.asking import NotAnswered
from playhead.timeline.expression import BadExpression, RunChanged
from playhead.verdict import Agrees
from playhead_engine.history import History


class HistoryFile(pytest.File):
    """A file with a history in it."""

    def collect(self) -> Iterator[pytest.Item]:
        """The one test."""
        project = session_of(self.config).project
        try:
            history = read_history(self.path)
        except UnreadableHistory as error:
            yield HistoryItem.from_parent(self, name="unreadable", problem=error)
        else:
            project.types[self.path.resolve()] = history.workflow_type
            item = HistoryItem.from_parent(self, name=history.workflow_type or "history")
            item.extra_keyword_matches.update({history.id} - {""})
            yield item


class HistoryItem(pytest.Item):
    """The test that the code of today does what a history recorded."""

    def __init__(self, *, problem: UnreadableHistory | None = None, **node: Any) -> None:
        """
        Args:
            problem: Why the file holds no history, if it does not.
            node: Of pytest.
        """
        super().__init__(**node)
        self._problem = problem
        self._unmet: Unmet | None = None
        self.add_marker("playhead")

    def runtest(self) -> None:
        """Replay, and hold what comes of it against what is expected."""
        session = session_of(self.config)
        expectation = expected_of(self, session)
        outcome = self._outcome(session, expectation)
        match outcome:
            case Met():
                pass
            case Allowed():
                note_allowed(self, outcome)
                pytest.xfail(outcome.reason)
                self._fail(Unmet(outcome.explanation.headline(), outcome.explanation))  # with --runxfail
            case Unmet():
                self._fail(outcome)

    def _outcome(self, session: ReplaySession, expectation: Expectation) -> Outcome:
        name = shown_path(str(self.path))
        if self._problem is not None:
            explanation = Explanation(name, None, unreadable(self._problem))
            note(self, kind="history", path=str(self.path), workflow="", verdict="unreadable")
        else:
            try:
                history = session.project.read(self.path)
                with _silenced():
                    explanation = session.project.replay(self.path, history, is_strict=expectation.strict)
            except (*NO_CODE, CodecUnavailable) as error:
                fail(error)
            verdict = label(explanation.verdict)
            note(self, kind="history", path=str(self.path), workflow=history.workflow_type, verdict=verdict)
        outcome = outcome_of(expectation, explanation, session.configuration.allowed, self.path, session.today)
        if isinstance(outcome, Met) and explanation.history is not None:
            return self._states(session, expectation, explanation, explanation.history)
        return outcome

    def _states(
        self, session: ReplaySession, expectation: Expectation, explanation: Explanation, history: History
    ) -> Outcome:
        """Whether the run is at its marks as it is expected to be, and as it was."""
        watched = session.configuration.watch if isinstance(explanation.verdict, Agrees) else ()
        if not watched and not expectation.at:
            return Met()
        try:
            known_as = workflow_id_of(self.path, history)
            recording = session.project.replayer.record(history, workflow_id=known_as, queries=queries_in(watched))
            try:
                wrong = unmet(recording, expectation.at)
                now = watch(recording, watched)
            finally:
                recording.close()
        except (BadConfiguration, BadExpression, NotAnswered, RunChanged) as error:
            fail(error)
        if wrong:
            return Unmet(f"{explanation.headline()}, but {wrong[0]}", explanation, "\n  ".join(wrong))
        return self._watched(session, explanation, now) if watched else Met()

    def _watched(self, session: ReplaySession, explanation: Explanation, now: dict[str, dict[str, Any]]) -> Outcome:
        file = StateFile(self.path)
        shown = shown_path(str(file.path))
        try:
            kept = file.read()
        except ValueError as error:
            return Unmet(str(error), explanation, f"{error}: remove it, and `pytest --playhead-update` writes it anew.")
        if kept == now or (kept is None and not now):
            return Met()
        lines = differences(kept or {}, now)
        if session.update:
            file.write(now)
            note(self, kind="states", path=shown, what="written" if kept is None else "changed", lines=lines)
            return Met()
        if kept is None:
            remark = f"There is no {shown} yet: `pytest --playhead-update` writes what is watched."
            return Unmet("no watched states are kept yet", explanation, remark)
        told = "\n  ".join(lines)
        return Unmet(
            f"{explanation.headline()}, but {lines[0]}",
            explanation,
            f"{told}\n  If that is meant, `pytest --playhead-update` keeps it in {shown}.",
        )

    def _fail(self, unmet: Unmet) -> None:
        self._unmet = unmet
        fail(f"{unmet.text(width=session_of(self.config).width)}{self._look_closer()}")

    def _look_closer(self) -> str:
        """Where in the file it is, and which command shows more."""
        assert self._unmet is not None
        explanation = self._unmet.explanation
        event = event_of(explanation.verdict)
        line = _line_of_event(self.path, event)
        where = f"\n  Event {event} is at {explanation.name}:{line}." if line else ""
        if explanation.diagnosis is None or not explanation.diagnosis.alignment.differences():
            return f"\n{where}" if where else ""
        return f"\n{where}\n  Look closer: playhead replay {explanation.name} --fix"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The diagnosis, in colours where the terminal has some; a traceback only where something else went wrong."""
        shown: Any = super().repr_failure(excinfo, style)
        crash = getattr(shown, "reprcrash", None)
        if self._unmet is None or crash is None:
            return shown
        crash.path, crash.message = shown_path(str(self.path)), self._unmet.headline
        crash.lineno = _line_of_event(self.path, event_of(self._unmet.explanation.verdict)) or 1
        width, plain = session_of(self.config).width, shown.toterminal

        def toterminal(writer: Any) -> None:
            if writer.hasmarkup and self._unmet is not None:
                writer.write(f"{self._unmet.text(style=Style(True), width=width)}{self._look_closer()}\n")
            else:
                plain(writer)

        shown.toterminal = toterminal
        return shown

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, and what stands above a failure."""
        return self.path, 0, f"{self.name}, {shown_path(str(self.path))}"


@contextmanager
def _silenced() -> Generator[None]:
    """Without the logs of those who run the code: what keeps it from going on is told in the report, in words."""
    loggers = [logging.getLogger(name) for name in ("playhead_engine", "temporalio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _line_of_event(path: Path, event: int) -> int:
    """The line of a file on which an event begins, as far as its id shows it; 0 if that cannot be told."""
    if not event or path.suffix != ".json":
        return 0
    text = path.read_bytes()
    found = re.search(rb'"event_?[iI]d"\s*:\s*"?%d"?\s*[,}]' % event, text)
    line = text.count(b"\n", 0, found.start()) + 1 if found else 0
    return line if line > 1 else 0  # all of it is on one line
