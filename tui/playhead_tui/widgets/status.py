"""The line at the bottom: where the playhead is, the verdict, and what is being worked out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from playhead.rendering import headline
from playhead_tui.model.legible import legible
from playhead_tui.model.view import View

_TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class _Work:
    """Something that takes time."""

    def __init__(self, what: str, part: Callable[[], float] | None) -> None:
        self.what = what
        self.part = part


class Status(Static):
    """See the module."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self._where = ""
        self._said = ""
        self._works: list[_Work] = []
        self._turn = 0
        self._timer: Timer

    def on_mount(self) -> None:
        """Be ready to turn."""
        self._timer = self.set_interval(0.1, self._tick, pause=True)

    @property
    def is_busy(self) -> bool:
        """Whether something is being worked out."""
        return bool(self._works)

    def look(self, view: View) -> None:
        """See `Pane`."""
        run = view.run
        verdict = headline(run.history, run.verdict) if run.verdict is not None else ""
        words = [f"{view.place} of {len(run)}", verdict or ("" if run.problem else "no code"), run.problem, run.name]
        self._where = "  │  ".join(word for word in words if word)
        self._said = ""
        self._paint()

    def say(self, text: str) -> None:
        """Say something, until the playhead moves."""
        self._said = text
        self._paint()

    @contextmanager
    def busy(self, what: str, part: Callable[[], float] | None = None) -> Generator[None]:
        """Say that something is being worked out, while it is."""
        work = _Work(what, part)
        self._works.append(work)
        self._timer.resume()
        self._paint()
        try:
            yield
        finally:
            self._works.remove(work)
            self._paint()

    def _tick(self) -> None:
        self._turn += 1
        if not self._works:
            self._timer.pause()
        self._paint()

    def _paint(self) -> None:
        text = self._said or self._where
        if self._works:
            work = self._works[-1]
            part = f" {work.part():.0%}" if work.part is not None else ""
            text = f"{_TURNS[self._turn % len(_TURNS)]} {work.what}{part}  │  {text}"
        self.update(Content(legible(text)), layout=False)
