"""The events as rows: each by itself, or grouped by what belongs together, with groups to fold.

`playhead.grouping` says what belongs together. Here groups become rows, of which only those are made that somebody
looks at, so that the longest history costs no more to show than the shortest. Which row is painted how is decided here
too, as inks; where the playhead stands decides what has happened yet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from itertools import accumulate
from typing import Any, Final, Protocol

from playhead.grouping import RUN, Group, grouped
from playhead.values import short, summary
from playhead_engine.history import History, HistoryEvent
from playhead_engine.record import record
from playhead_tui.model.ink import Ink, Line
from playhead_tui.model.spans import duration_text, span_text

_INKS: Final[dict[str, Ink]] = {
    "open": "caution",
    "cancelled": "caution",
    "completed": "good",
    "fired": "good",
    "delivered": "good",
    "continued as new": "good",
    "failed": "bad",
    "timed out": "bad",
    "terminated": "bad",
    "rejected": "bad",
}
_DETAIL_WIDTH: Final = 80


def state_text(outcome: str) -> str:
    """The state of a group in words: `pending`, `completed`, `failed`, ..."""
    return "pending" if outcome == "open" else outcome


def ink_of_outcome(outcome: str) -> Ink:
    """The ink for how a group ended."""
    return _INKS.get(outcome, "plain")


def ink_of_event(event: HistoryEvent) -> Ink:
    """The ink for the type of an event."""
    kind = event.KIND
    if kind.endswith(("FAILED", "TIMED_OUT", "TERMINATED", "REJECTED")):
        return "bad"
    if "CANCEL" in kind:
        return "caution"
    return "dim" if kind.startswith("WORKFLOW_TASK_") else "name"


class Groups:
    """The groups of a history, and to which of them each event belongs.

    Attributes:
        history: The history.
        groups: In the order in which they began.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.groups: list[Group] = grouped(history)
        self._numbers = {event.event_id: at for at, group in enumerate(self.groups) for event in group.events}
        self.id_width = len(str(history.events[-1].event_id)) if history.events else 1

    def __contains__(self, event_id: int) -> bool:
        return event_id in self._numbers

    def of(self, event_id: int) -> Group:
        """The group of an event.

        Raises:
            KeyError: There is no such event.
        """
        return self.groups[self._numbers[event_id]]


@record
class Row:
    """A row of a list of events.

    Attributes:
        group: The group.
        event: The event, where the row is about one; None where it is about the group.
        is_open: Whether the events of the group are below it.
    """

    group: Group
    event: HistoryEvent | None = None
    is_open: bool = False

    @property
    def event_id(self) -> int:
        """The event that one goes to from here."""
        return self.event.event_id if self.event is not None else self.group.first_id

    @property
    def is_foldable(self) -> bool:
        """Whether there are events to show below it, or to hide."""
        return self.event is None and len(self.group.events) > 1


class EventRows(Protocol):
    """A list of events, flat or grouped."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Row: ...

    def index_of(self, event_id: int) -> int:
        """The row in which an event is; the one before, if it is in none, or the first. -1 if there are no rows."""
        ...

    def fold(self, index: int, *, unfold: bool) -> bool:
        """Fold or unfold the group that a row belongs to; says whether anything changed."""
        ...


class FlatRows:
    """Every event in a row of its own, as far as a filter lets it through."""

    def __init__(self, groups: Groups, shown: Collection[int] | None = None) -> None:
        """
        Args:
            groups: Of the history.
            shown: Ids of the events to show; None for all of them.
        """
        self._groups = groups
        events = groups.history.events
        self._events = events if shown is None else [event for event in events if event.event_id in shown]

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, index: int) -> Row:
        event = self._events[index]
        return Row(self._groups.of(event.event_id), event)

    def index_of(self, event_id: int) -> int:
        """See `EventRows`."""
        found = bisect_right(self._events, event_id, key=lambda event: event.event_id) - 1
        return max(found, 0) if self._events else -1

    def fold(self, index: int, *, unfold: bool) -> bool:
        """See `EventRows`."""
        return False


class GroupedRows:
    """A row for each group, and below it one for each of its events, unless it is folded.

    The run's own group is two: its beginning, and its end in the place where it came.
    """

    def __init__(
        self, groups: Groups, shown: Collection[int] | None = None, unfolded: Iterable[int] = (), *, tasks: bool = True
    ) -> None:
        """
        Args:
            groups: Of the history.
            shown: Ids of events; a group is shown if one of its events is among them. None for all groups.
            unfolded: Ids of the first events of the groups that are unfolded.
            tasks: Whether to show workflow tasks.
        """
        self._groups = [
            group
            for group in _with_ends(groups.groups)
            if (tasks or group.kind != "workflow task")
            and (shown is None or any(event.event_id in shown for event in group.events))
        ]
        self.unfolded = set(unfolded)
        self._numbers = {group.first_id: number for number, group in enumerate(self._groups)}
        self._all = groups
        self._lay()

    def _lay(self) -> None:
        """Work out in which row each group begins."""
        heights = (1 + len(one.events) if self._is_open(one) else 1 for one in self._groups)
        self._starts = list(accumulate(heights, initial=0))

    def _is_open(self, group: Group) -> bool:
        return len(group.events) > 1 and group.first_id in self.unfolded

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self._starts, index) - 1
        group, below = self._groups[number], index - self._starts[number]
        return Row(group, group.events[below - 1]) if below else Row(group, None, self._is_open(group))

    def index_of(self, event_id: int) -> int:
        """See `EventRows`. An event in a folded group is in the row of the group."""
        number = self._numbers.get(event_id)
        if number is None and event_id in self._all:
            number = self._numbers.get(self._all.of(event_id).first_id)
        if number is None:
            before = bisect_right(self._groups, event_id, key=lambda group: group.first_id) - 1
            return self._starts[max(before, 0)] if self._groups else -1
        start, group = self._starts[number], self._groups[number]
        below = bisect_left(group.events, event_id, key=lambda event: event.event_id) + 1
        return start + below if self._is_open(group) else start

    def fold(self, index: int, *, unfold: bool) -> bool:
        """See `EventRows`."""
        group = self[index].group
        if len(group.events) == 1 or unfold == self._is_open(group):
            return False
        (self.unfolded.add if unfold else self.unfolded.discard)(group.first_id)
        self._lay()
        return True

    def fold_all(self, *, unfold: bool) -> None:
        """Fold or unfold all groups."""
        self.unfolded = {group.first_id for group in self._groups} if unfold else set()
        self._lay()


def _with_ends(groups: list[Group]) -> list[Group]:
    """The groups, with that of the run taken apart."""
    found: list[Group] = []
    for group in groups:
        if group.kind == RUN and len(group.events) > 1:
            started, *ends = group.events
            found.append(Group(RUN, group.title, group.identity, [started], "", started.attributes.get("input")))
            found += [Group(RUN, "", group.identity, [end], group.outcome, group.detail) for end in ends]
        else:
            found.append(group)
    found.sort(key=lambda group: group.first_id)
    return found


def row_line(row: Row, groups: Groups, now: int | None = None, *, is_flat: bool = False) -> Line:
    """A row as it is shown.

    Args:
        row: The row.
        groups: Of its history.
        now: The event at which the playhead stands: what came after it has not happened yet. None for the end.
        is_flat: Whether events stand by themselves, and not below their group.
    """
    if row.event is None:
        return group_line(row.group, groups.id_width, now, is_open=row.is_open)
    return event_line(row.event, groups.id_width, now, indent=0 if is_flat else 4)


def event_line(event: HistoryEvent, id_width: int, now: int | None = None, *, indent: int = 0) -> Line:
    """An event in a line: its id, its type, and what tells it from others."""
    has_happened = now is None or event.event_id <= now
    return [
        (f"{event.event_id:>{id_width}} {'':{indent}}", "dim"),
        (event.type_name, ink_of_event(event) if has_happened else "dim"),
        ("  ", "plain"),
        (summary(event, 200), "dim"),
    ]


def group_line(group: Group, id_width: int, now: int | None = None, *, is_open: bool = False) -> Line:
    """A group in a line: what it is, how it stands, and what came of it."""
    has_begun = now is None or group.first_id <= now
    outcome = group.outcome if now is None else group.outcome_at(now)
    fold = "  " if len(group.events) == 1 else "▾ " if is_open else "▸ "
    line: Line = [
        (f"{group.first_id:>{id_width}} {fold}", "dim"),
        (f"{group.kind} ", "dim"),
        (title_text(group), "name" if has_begun and group.kind != "workflow task" else "dim"),
    ]
    if group.kind in ("activity", "local activity", "timer") and group.identity:
        line.append((f" #{group.identity}", "dim"))
    purpose = summary_text(group.events[0])
    if purpose:
        line.append((f" ({purpose})", "dim"))
    if outcome:
        line.append((f"  {state_text(outcome)}", ink_of_outcome(outcome)))
    attempts = group.attempts
    if attempts > 1 and has_begun:
        line.append((f"  {attempts} attempts", "caution"))
    if group.duration_ns and outcome == group.outcome and group.kind != RUN:
        line.append((f"  {span_text(group.duration_ns)}", "dim"))
    if group.detail is not None and outcome == group.outcome and has_begun:
        line.append((f"  {detail_text(group)}", "value" if ink_of_outcome(outcome) != "bad" else "bad"))
    return line


def title_text(group: Group) -> str:
    """What tells a group from others of its kind: a name, or how long a timer is."""
    if group.kind != "timer":
        return group.title
    return duration_text(str(group.events[0].attributes.get("startToFireTimeout", "")))


def summary_text(event: HistoryEvent, room: int = 60) -> str:
    """What the user says that it is for; empty if that was not said."""
    said = (event.user_metadata or {}).get("summary")
    return short(said, room) if said else ""


def detail_text(group: Group, room: int = _DETAIL_WIDTH) -> str:
    """What a group gave back, or how it failed, in a few words; empty if nothing."""
    if group.detail is None:
        return ""
    value = group.detail
    if group.kind == "update" and isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))  # its success, or its failure
    return short(only(value), room)


def only(value: Any) -> Any:
    """What is in a message of one payload, which is all that one wants to see of it."""
    payloads = value.get("payloads") if isinstance(value, dict) else None
    return payloads[0] if isinstance(payloads, list) and len(payloads) == 1 else value
