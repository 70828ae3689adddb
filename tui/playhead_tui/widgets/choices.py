"""Rows to choose from: each says what it does, and does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playhead_engine.record import record
from playhead_tui.model.ink import Line
from playhead_tui.widgets.rows import Rows


@record
class Choice:
    """A row.

    Attributes:
        line: What it says.
        do: What it does; None for a heading.
        undo: What removing it does; None if it cannot be removed.
    """

    line: Line
    do: Callable[[], None] | None = None
    undo: Callable[[], None] | None = None


class Choices(Rows):
    """See the module."""

    def __init__(self, *, title: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = title
        self._choices: Sequence[Choice] = ()

    def offer(self, choices: Sequence[Choice]) -> None:
        """Show these."""
        self._choices = choices
        self.renew()
        if choices and choices[self.cursor].do is None and choices[self.cursor].undo is None:
            self.cursor = next((at for at, one in enumerate(choices) if one.do is not None), 0)

    def count(self) -> int:
        """See `Rows`."""
        return len(self._choices)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        return self._choices[index].line

    def chosen(self) -> None:
        """See `Rows`."""
        do = self._choices[self.cursor].do
        if do is not None:
            do()

    def removed(self) -> None:
        """See `Rows`."""
        undo = self._choices[self.cursor].undo
        if undo is not None:
            undo()
