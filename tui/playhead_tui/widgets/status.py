"""The line at the bottom: the verdict, where the playhead is, and what is being worked out."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from playhead.rendering import headline
from playhead_tui.model.legible import legible
from playhead_tui.model.view import View

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Status(Static):
    """See the module."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self._rest_text = ""
        self._said = ""
        self._work = ""
        self._part: Callable[[], float] | None = None
        self._tick = 0
        self._timer: Timer | None = None

    def look(self, view: View) -> None:
        """See `Pane`."""
        run = view.run
        verdict = headline(run.history, run.verdict) if run.verdict is not None else run.problem or "no code"
        self._rest_text = f"{view.place} of {len(run)}  │  {verdict}  │  {run.name}"
        self._said = ""
        self._paint()

    def say(self, text: str) -> None:
        """Say something, until the playhead moves."""
        self._said = text
        self._paint()

    def working(self, what: str, part: Callable[[], float] | None = None) -> None:
        """Say that something is being worked out."""
        self._work, self._part = what, part
        if self._timer is None:
            self._timer = self.set_interval(0.1, self._turn)
        self._paint()

    def rest(self) -> None:
        """It is done."""
        self._work = ""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._paint()

    def _turn(self) -> None:
        self._tick += 1
        self._paint()

    def _paint(self) -> None:
        text = self._said or self._rest_text
        if self._work:
            part = f" {self._part():.0%}" if self._part is not None else ""
            text = f"{_SPINNER[self._tick % len(_SPINNER)]} {self._work}{part}  │  {text}"
        self.update(Content(legible(text)))
