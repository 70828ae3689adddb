"""What can be taken out of the debugger: one of these is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from playhead_engine.history import HistoryEvent
from playhead_engine.record import record
from playhead_tui.model.exports import event_json, name_for, prefix
from playhead_tui.model.run import Run
from playhead_tui.widgets.choices import Choice, Choices
from playhead_tui.widgets.rows import INK_CLASSES


@record
class Export:
    """Something to be written to a file.

    Attributes:
        what: What it is, in words.
        name: What the file may be called.
        content: Makes what is in it.
        note: What to know about it; empty if nothing.
    """

    what: str
    name: str
    content: Callable[[], bytes]
    note: str = ""


def exports_of(run: Run, event: HistoryEvent) -> Iterator[Export]:
    """What can be taken out at an event."""
    history = run.history
    here = prefix(history, event.event_id)
    yield Export(f"event {event.event_id}", name_for(history, f"event-{event.event_id}"), lambda: event_json(event))
    yield Export(
        f"the history up to event {event.event_id}",
        name_for(history, f"to-{event.event_id}"),
        lambda: here.json,
        here.note,
    )
    yield Export("the whole history", name_for(history, "history"), lambda: history.to_json(indent=True) + b"\n")


class ExportScreen(ModalScreen[Export | None]):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,x", "dismiss", "close", id="export-close")]

    def __init__(self, run: Run, event: HistoryEvent) -> None:
        super().__init__()
        self._exports = list(exports_of(run, event))

    def compose(self) -> ComposeResult:
        """What there is to choose from."""
        yield Choices(title="Export, as JSON")

    def on_mount(self) -> None:
        """Show it."""
        self.query_one(Choices).offer(
            [
                Choice([(one.what, "name"), (f"  {one.note}", "dim")], lambda chosen=one: self._choose(chosen))
                for one in self._exports
            ]
        )

    def _choose(self, export: Export) -> None:
        self.dismiss(export)
