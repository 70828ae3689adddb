"""Brings what tests say of histories to the terminal, with xdist from other processes, and ends the session.

Registered where a project has to do with histories at all.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import pytest

from playhead.pytest_plugin.session import WIDTH, ReplaySession
from playhead.pytest_plugin.stash import NOTES
from playhead.pytest_plugin.summary import Summary

_NOTED: Final = "playhead_notes"
_UNCOVERED: Final = "playhead_uncovered"
_NARROWING: Final = ("keyword", "markexpr", "deselect", "lf", "last_failed", "stepwise", "ignore", "ignore_glob")


class Reporting:
    """See the module."""

    def __init__(self, session: ReplaySession) -> None:
        self._session = session
        self._summary = Summary(session)

    # Tests

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give notes to the report to take along."""
        report = yield
        notes = item.stash.get(NOTES, None)
        if notes:
            setattr(report, _NOTED, list(notes))
            notes.clear()
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the notes of a test, wherever it ran."""
        notes: list[dict[str, Any]] = getattr(report, _NOTED, [])
        self._summary.take(notes)

    # xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker how wide the terminal is."""
        node.workerinput[WIDTH] = self._session.width

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a worker which workflows are without a history. All of them have looked at all histories."""
        heard: dict[str, Any] = getattr(node, "workeroutput", {})
        if heard.get(_UNCOVERED) is not None:
            self._summary.uncovered = heard[_UNCOVERED]

    # The end

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a session for a workflow without a history, if that is wanted."""
        replays = self._session
        if replays.has_project:
            uncovered = replays.project.uncovered()
            self._summary.uncovered = uncovered if uncovered is not None else self._summary.uncovered
            replays.project.close()
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_UNCOVERED] = self._summary.uncovered
        elif replays.requires_coverage and self._summary.without_history() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it."""
        lines = self._summary.lines(is_complete=self._is_complete(terminalreporter))
        if not lines:
            return
        terminalreporter.section("histories")
        for line, asks_for_attention in lines:
            terminalreporter.write_line(line, yellow=asks_for_attention)
        if self._session.requires_coverage and self._summary.without_history():
            terminalreporter.write_line("A workflow without a history fails this session.", red=True)

    def _is_complete(self, terminalreporter: pytest.TerminalReporter) -> bool:
        """Whether every test there is ran to its end, as far as options and outcomes tell."""
        option, meant = terminalreporter.config.option, self._session.meant
        narrowed = any(getattr(option, name, None) for name in _NARROWING)
        stats = terminalreporter.stats
        went_wrong = any(stats.get(kind) for kind in ("failed", "error", "skipped", "deselected"))
        return self._session.is_everything and meant is not None and not narrowed and not went_wrong
