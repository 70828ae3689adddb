"""Watches with what they hold, logpoints with what they say, and the breakpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from playhead_engine.record import record
from playhead_tui.messages import ChangeStops, Go
from playhead_tui.model.breakpoints import Breakpoint, Stops
from playhead_tui.model.decoded import value_nodes
from playhead_tui.model.hits import Said, Watched
from playhead_tui.model.lookout import Lookout
from playhead_tui.model.outline import Node, given
from playhead_tui.model.place import Place
from playhead_tui.widgets.outline_rows import OutlineRows


@record
class _Deed:
    """What can be done to a row.

    Attributes:
        remove: What there is without it; None if it cannot be removed.
        toggle: What there is with it switched on or off; None if it cannot be.
        place: Where it leads; None if it leads nowhere.
    """

    remove: Callable[[], Stops] | None = None
    toggle: Callable[[], Stops] | None = None
    place: Place | None = None


class StopsPane(OutlineRows):
    """See the module."""

    BORDER_TITLE = "Watches"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._deeds: list[tuple[Node, _Deed]] = []

    def show(self, lookout: Lookout) -> None:
        """Show what there is to tell."""
        stops = lookout.stops
        self._deeds = []
        watches = list(self._watches(stops, lookout.watched))
        logpoints = list(self._logpoints(stops, lookout))
        breakpoints = list(self._breakpoints(stops, lookout))
        nodes = [
            Node("watches", "" if watches else "none: w adds one", "dim", given(watches), is_open=True),
            Node("logpoints", "" if logpoints else "none: l adds one at a line", "dim", given(logpoints), is_open=True),
            Node("breakpoints", "" if breakpoints else "none: b or B", "dim", given(breakpoints), is_open=True),
        ]
        self.show_nodes(nodes)

    def _watches(self, stops: Stops, watched: list[Watched]) -> Iterator[Node]:
        known = {one.expression: one for one in watched}
        for number, text in enumerate(stops.watches):
            node = _watch(text, known.get(text))
            yield self._with(node, _Deed(remove=lambda n=number: stops.without_watch(n)))

    def _logpoints(self, stops: Stops, lookout: Lookout) -> Iterator[Node]:
        for number, logpoint in enumerate(stops.logpoints):
            said = [self._said(one) for one in lookout.said if one.logpoint == logpoint]
            problem = lookout.problems.get(logpoint, "")
            text = problem or f"{logpoint.expression}  ({len(said)} times)"
            node = Node(str(logpoint.line), text, "bad" if problem else "dim", given(said), is_open=True)
            yield self._with(node, _Deed(remove=lambda n=number: stops.without_logpoint(n)))

    def _said(self, said: Said) -> Node:
        return self._with(
            Node(str(said.place), said.text, "bad" if said.is_error else "value"), _Deed(place=said.place)
        )

    def _breakpoints(self, stops: Stops, lookout: Lookout) -> Iterator[Node]:
        for number, breakpoint in enumerate(stops.breakpoints):
            node = _breakpoint(breakpoint, lookout)
            yield self._with(
                node,
                _Deed(
                    remove=lambda n=number: stops.changed(n, None),
                    toggle=lambda n=number, e=breakpoint.is_enabled: stops.enabled(n, enable=not e),
                ),
            )

    def _with(self, node: Node, deed: _Deed) -> Node:
        self._deeds.append((node, deed))
        return node

    def _deed(self) -> _Deed:
        node = self.outline[self.cursor].node
        return next((deed for one, deed in self._deeds if one is node), _Deed())

    def removed(self) -> None:
        """See `Rows`."""
        deed = self._deed()
        if deed.remove is not None:
            self.post_message(ChangeStops(deed.remove()))

    def toggled(self) -> None:
        """See `Rows`."""
        deed = self._deed()
        if deed.toggle is not None:
            self.post_message(ChangeStops(deed.toggle()))

    def chosen(self) -> None:
        """See `Rows`."""
        deed = self._deed()
        if deed.place is not None:
            self.post_message(Go(deed.place))
        else:
            super().chosen()


def _watch(text: str, watched: Watched | None) -> Node:
    if watched is None:
        return Node(text, "…", "dim")
    value = watched.value
    if value is None:
        return Node(text, watched.problem, "bad")
    parts = (lambda: value_nodes(value)) if value.parts else None
    ink = "changed" if watched.is_changed else "value"
    return Node(text, value.text(300), ink, parts, whole=lambda: value.text(100_000))


def _breakpoint(breakpoint: Breakpoint, lookout: Lookout) -> Node:
    problem = lookout.problems.get(breakpoint.trigger, "")
    count = lookout.count(breakpoint.trigger)
    mark = "●" if breakpoint.is_enabled else "○"
    text = problem or ("" if count is None else f"{count} time{'' if count == 1 else 's'}")
    return Node(f"{mark} {breakpoint.trigger}", text, "bad" if problem else "dim")
