"""States that must be reached somewhere in a suite: see `playhead.faults.sometimes`.

Each process counts for itself; with xdist the workers hand their counts over when they end, and the session sums them
up. A state that was never reached fails a session in which every test ran, and none failed. In a part of the suite it
may be that the test which reaches it is in the other part, and so it is only reported.
"""

from __future__ import annotations

import sys
from dataclasses import astuple
from typing import Any, Final

import pytest

_HANDED_OVER: Final = "playhead_reached"


class Reached:
    """Looks at the end of a session whether anything was missed."""

    def __init__(self) -> None:
        self._handed_over: list[tuple[Any, ...]] = []
        self._is_part = False

    def pytest_deselected(self) -> None:
        """Some tests are not run."""
        self._is_part = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker of xdist has ended."""
        output = getattr(node, "workeroutput", None)
        self._is_part |= output is None or bool(error)
        self._handed_over += (output or {}).get(_HANDED_OVER, ())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the counts over, or fail the session."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_HANDED_OVER] = self._counts()
        elif self._missed() and self._is_whole(session) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Say what was missed."""
        missed = self._missed()
        if not missed:
            return
        terminalreporter.section("states that must be reached", red=bool(exitstatus), yellow=not exitstatus)
        for line in missed:
            terminalreporter.line(line)
        if not self._is_whole(terminalreporter._session):
            terminalreporter.line("Not every test was run, or some failed, so this fails nothing.")

    def _counts(self) -> list[tuple[Any, ...]]:
        """What was counted in this process; nothing is loaded to find out that there is nothing."""
        module = sys.modules.get("playhead.faults.reaching")
        return [] if module is None else [astuple(one) for one in module.reaches()]

    def _missed(self) -> list[str]:
        counts = [*self._counts(), *self._handed_over]
        if not counts:
            return []
        from playhead.faults.reaching import Reach, summed

        return [str(one) for one in summed(Reach(*each) for each in counts) if not one.reached]

    def _is_whole(self, session: pytest.Session | None) -> bool:
        """Whether every test there is was run, and none failed."""
        if session is None or self._is_part or session.testsfailed or session.shouldstop or session.shouldfail:
            return False
        return not any("::" in argument for argument in session.config.args)
