"""The variables: attributes of the workflow, and what every suspended function holds; what changed is marked."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.places import place
from playhead.timeline.value import Value
from playhead_engine.call_site import CallSite
from playhead_engine.record import record
from playhead_tui.messages import ShowLine
from playhead_tui.model.ink import Ink, Line, Span
from playhead_tui.model.view import View
from playhead_tui.widgets.rows import NO_MARK, Rows


@record
class _Row:
    """A row: a heading, or a variable or a part of one.

    Attributes:
        depth: How far in.
        label: What it is called.
        path: Its whole name, by which folding and changes go.
        value: What it holds; None for a heading.
        site: Where it is, for a heading.
    """

    depth: int
    label: str
    path: str
    value: Value | None = None
    site: CallSite | None = None


class Variables(Rows):
    """See the module."""

    BORDER_TITLE = "Variables"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._rows: list[_Row] = []
        self._unfolded: set[str] = set()

    def look(self, view: View) -> None:
        """See `Pane`."""
        if view.is_pending:
            return
        self._view = view
        self._refresh_rows()
        changed = len(view.changes)
        self.border_subtitle = f"{changed} changed since {view.since}" if changed else ""

    def _refresh_rows(self) -> None:
        self._rows = list(self._all_rows())
        self.renew()

    def _all_rows(self) -> Iterator[_Row]:
        state = self._view.state if self._view is not None else None
        if state is None:
            return
        if state.attributes:
            yield _Row(0, "self", "self")
            for name, value in state.attributes.items():
                yield from self._value_rows(1, name, f"self.{name}", value)
        for number, coroutine in enumerate(state.coroutines):
            prefix = "" if number == 0 else f"[{coroutine.name}] "
            for frame in coroutine.stack:
                function = frame.site.function.rpartition(".")[2]
                yield _Row(0, f"{prefix}{function}", f"{prefix}{function}", None, frame.site)
                for name, value in frame.locals.items():
                    yield from self._value_rows(1, name, f"{prefix}{function}.{name}", value)

    def _value_rows(self, depth: int, label: str, path: str, value: Value) -> Iterator[_Row]:
        yield _Row(depth, label, path, value)
        if path in self._unfolded:
            joint = "." if value.kind == "object" else ""
            for name, part in value.children():
                yield from self._value_rows(depth + 1, name or "·", f"{path}{joint}{name}", part)

    def count(self) -> int:
        """See `Rows`."""
        return len(self._rows)

    def row(self, index: int) -> Line:
        """See `Rows`."""
        row = self._rows[index]
        if row.value is None:
            where: Line = [("  ", "plain"), (place(row.site), "dim")] if row.site is not None else []
            return [(row.label, "title"), *where]
        fold = ("▾ " if row.path in self._unfolded else "▸ ") if row.value.parts else "  "
        room = max(20, self.size.width - 2 * row.depth - len(row.label) - 8)
        ink: Ink = "changed" if self._is_changed(row.path) else "value"
        return [
            ("  " * (row.depth - 1) + fold, "dim"),
            (row.label, "name"),
            (" = ", "dim"),
            (row.value.text(room), ink),
        ]

    def mark(self, index: int) -> Span:
        """See `Rows`."""
        row = self._rows[index]
        return ("●", "changed") if row.value is not None and self._is_changed(row.path) else NO_MARK

    def _is_changed(self, path: str) -> bool:
        changes = self._view.changes if self._view is not None else {}
        return path in changes or any(
            name.startswith(path) and name[len(path) : len(path) + 1] in (".", "[") for name in changes
        )

    def chosen(self) -> None:
        """See `Rows`."""
        row = self._rows[self.cursor]
        if row.site is not None:
            self.post_message(ShowLine(row.site.file, row.site.line))
        else:
            self.folded(row.path not in self._unfolded)

    def folded(self, unfold: bool) -> bool:
        """See `Rows`."""
        row = self._rows[self.cursor]
        if row.value is None or not row.value.parts or unfold == (row.path in self._unfolded):
            return False
        (self._unfolded.add if unfold else self._unfolded.discard)(row.path)
        self._refresh_rows()
        return True

    def copied(self) -> str:
        """See `Rows`."""
        row = self._rows[self.cursor] if self._rows else None
        return row.value.text(10_000) if row is not None and row.value is not None else super().copied()
