"""`--playhead-always-replay`: every workflow run that a test makes is replayed when the test is over.

Registered only where somebody asks for it. A test that has failed is left alone: it has something to say already.
"""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

from playhead.capture import Capture, Unsound
from playhead.explanation import explain
from playhead.places import shown_path
from playhead.pytest_plugin.marked import expected_of
from playhead.pytest_plugin.session import ReplaySession
from playhead.pytest_plugin.stash import fail, note


class Capturing:
    """See the module."""

    def __init__(self, session: ReplaySession) -> None:
        self._session = session
        self._capture = Capture()
        self._capture.__enter__()

    def close(self) -> None:
        """Capture no more."""
        self._capture.__exit__()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Replay what the test, and the fixtures before it, made."""
        try:
            result = yield
        except BaseException:
            self._capture.forget()
            raise
        self._check(item)
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Replay what went on while fixtures were taken down."""
        try:
            result = yield
        except BaseException:
            self._capture.forget()
            raise
        self._check(item)
        return result

    def _check(self, item: pytest.Item) -> None:
        if not expected_of(item, self._session).always_replay:
            self._capture.forget()
            return
        checked = self._capture.check()
        if checked.runs:
            note(item, kind="captured", runs=checked.runs, prefixes=checked.prefixes, skipped=checked.skipped)
        problems = [self._said(item, one) for one in checked.unsound] + list(checked.lost)
        if problems:
            count = f"{len(problems)} of the runs" if len(problems) > 1 else "A run"
            does = "do" if len(problems) > 1 else "does"
            fail("\n\n".join((f"{count} that this test made {does} not replay.", *problems)))

    def _said(self, item: pytest.Item, unsound: Unsound) -> str:
        history, session = unsound.history, self._session
        name = f"{history.workflow_type} {history.id}"
        if unsound.is_prefix:
            name += f", taken up anew at event {unsound.events}"
        cut = type(history)(history.events[: unsound.events], history.workflow_id) if unsound.is_prefix else history
        explanation = explain(name, cut, unsound.verdict, unsound.replayer)
        text = explanation.text(width=session.width)
        cache = item.config.cache if hasattr(item.config, "cache") else None
        if cache is None:
            return text
        file = re.sub(r"[^\w.-]+", "-", f"{item.name}-{history.id}")[:120].strip("-")
        path = cache.mkdir("playhead") / f"{file}.json"
        path.write_bytes(history.canonical_json(indent=True))
        return f"{text}\n\n  The run is kept in {shown_path(str(path))}, for `playhead replay`."
