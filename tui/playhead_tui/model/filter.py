"""What somebody looks for among events, as they write it: `charge failed`, `activity:ship -is:completed`, `after:2h`.

Words are looked for in everything that an event says; a word with a capital in it is looked for as it stands. A filter
that means nothing says so in one sentence. Which events there are, and how what they say is kept at hand, is the
business of `search`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from playhead.grouping import Group
from playhead.timeline.marks import Line, NoSuchMark
from playhead_engine.convert import NS_PER_SECOND, datetime_ns
from playhead_engine.history import HistoryEvent
from playhead_engine.record import record
from playhead_engine.tasks import COMMAND_EVENTS
from playhead_tui.model.groups import state_text

FILTERS: Final = {
    "type": "events whose type has this in its name: type:timer, type:ActivityTaskFailed",
    "activity": "what belongs to activities of this name",
    "child": "what belongs to child workflows of this type or id",
    "timer": "what belongs to timers of this id",
    "signal": "signals of this name, received or sent",
    "update": "updates of this name",
    "nexus": "nexus operations of this service or name",
    "patch": "patches of this id",
    "marker": "markers of this name",
    "is": "how it stands: pending, completed, failed, timed-out, cancelled, terminated, retried; or command",
    "id": "events of this id, or of these: id:42, id:40-50, id:40-",
    "after": "later than a time, a span since the start, or an event: after:2026-05-01T12:00, after:2h, after:42",
    "before": "earlier than that",
    "longer": "what took longer than this: longer:30s, longer:2d",
    "line": "what a line of code asked for: line:orders.py:86",
}
"""What may stand before a colon, and what it means; for help and for completion."""

_KINDS: Final = {
    "activity": ("activity", "local activity"),
    "child": ("child workflow",),
    "timer": ("timer",),
    "signal": ("signal", "signal sent"),
    "update": ("update",),
    "nexus": ("nexus",),
    "patch": ("patch",),
    "marker": ("marker", "patch", "local activity"),
}
_STATES: Final = (
    "pending",
    "completed",
    "fired",
    "delivered",
    "failed",
    "timed-out",
    "cancelled",
    "terminated",
    "rejected",
    "retried",
    "command",
)
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}

_TERM: Final = re.compile(r'([-!]?)(?:([A-Za-z]+):(?!//))?(?:"([^"]*)"?|(\S*))')
_SPAN: Final = re.compile(r"\+?([0-9]+(?:\.[0-9]+)?)(ms|min|s|m|h|d|w|y)")


class BadFilter(ValueError):
    """The filter means nothing; the text says what would."""


class Subject(Protocol):
    """An event, as filters see it."""

    event: HistoryEvent
    group: Group
    start_ns: int

    @property
    def folded(self) -> str:
        """All that it says, in lower case."""
        ...

    @property
    def text(self) -> str:
        """All that it says."""
        ...

    @property
    def line(self) -> tuple[str, int] | None:
        """File and line of the code that it comes from, as far as that is known."""
        ...


Test = Callable[[Subject], bool]


@record
class Term:
    """One thing that an event must be, or must not be.

    Attributes:
        test: Whether an event is it.
        key: What stands before the colon; empty for a word.
        value: What stands behind it, or the word.
        is_negated: Whether it is what an event must not be.
    """

    test: Test
    key: str
    value: str
    is_negated: bool

    def holds(self, subject: Subject) -> bool:
        """Whether an event is as it must be."""
        return self.test(subject) is not self.is_negated

    def narrows(self, other: Term) -> bool:
        """Whether whatever this lets through, the other one lets through as well."""
        if self.key != other.key or self.is_negated != other.is_negated:
            return False
        if self.value == other.value:
            return True
        return not self.is_negated and (not self.key or self.key in _KINDS) and other.value in self.value


class Filter:
    """A filter.

    Attributes:
        text: As it was written.
        terms: What an event must be; all of it.
    """

    def __init__(self, text: str) -> None:
        """
        Raises:
            BadFilter: It means nothing.
        """
        self.text = text
        terms = [term for found in _TERM.finditer(text) if (term := _term(found)) is not None]
        # What costs nothing to look at first.
        self.terms = tuple(sorted(terms, key=lambda term: term.key == ""))
        words = [term.value for term in self.terms if not term.key and not term.is_negated]
        self._words = re.compile("|".join(map(_pattern, sorted(words, key=len, reverse=True)))) if words else None

    def __bool__(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.terms)

    def holds(self, subject: Subject) -> bool:
        """Whether it lets an event through."""
        return all(term.holds(subject) for term in self.terms)

    def narrows(self, other: Filter) -> bool:
        """Whether whatever this lets through, the other one lets through as well: it is being written on."""
        return all(any(mine.narrows(term) for mine in self.terms) for term in other.terms)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words that are looked for stand in a text: where each begins and ends, in order."""
        return [found.span() for found in self._words.finditer(text)] if self._words is not None else []


def _pattern(word: str) -> str:
    return re.escape(word) if _has_case(word) else f"(?i:{re.escape(word)})"


def _has_case(word: str) -> bool:
    return word != word.lower()


def _term(found: re.Match[str]) -> Term | None:
    sign, key, quoted, value = found[1], found[2], found[3], found[4]
    if key is None:
        word = quoted if quoted is not None else value
        return Term(_word(word), "", word, bool(sign)) if word else None
    key = key.lower()
    value = quoted if quoted is not None else value or ""
    return Term(_test(key, value), key, value.lower(), bool(sign))


def _word(word: str) -> Test:
    folded = word.lower()
    if _has_case(word):
        return lambda subject: folded in subject.folded and word in subject.text
    return lambda subject: folded in subject.folded


def _test(key: str, value: str) -> Test:
    if key in _KINDS:
        return _named(_KINDS[key], value.lower())
    match key:
        case "type":
            wanted = value.lower().replace("_", "")
            return lambda subject: wanted in subject.event.type_name.lower()
        case "is":
            return _state(value)
        case "id":
            first, last = _range(value)
            return lambda subject: first <= subject.event.event_id <= last
        case "after":
            return _after(value)
        case "before":
            after = _after(value, or_at=True)
            return lambda subject: not after(subject)
        case "longer":
            ns = _span_ns(value)
            if ns is None:
                raise BadFilter(f"longer: takes a span of time such as 30s, 5m or 2d, not {value!r}")
            return lambda subject: subject.group.duration_ns > ns
        case "line":
            return _line(value)
        case _:
            known = ", ".join(f"{name}:" for name in FILTERS)
            raise BadFilter(
                f'there is no filter {key}:, only {known}; to look for the text, write it in quotes: "{key}:"'
            )


def _named(kinds: Iterable[str], name: str) -> Test:
    wanted = frozenset(kinds)
    return lambda subject: (
        subject.group.kind in wanted and (name in subject.group.title.lower() or name in subject.group.identity.lower())
    )


def _state(value: str) -> Test:
    wanted = {state for state in _STATES if value and state.startswith(value.lower().replace("open", "pending"))}
    if not wanted:
        raise BadFilter(f"is: takes {', '.join(_STATES[:-1])} or {_STATES[-1]}, not {value!r}")

    def test(subject: Subject) -> bool:
        group = subject.group
        return (
            state_text(group.outcome).replace(" ", "-") in wanted
            or ("retried" in wanted and group.kind != "workflow task" and group.attempts > 1)
            or ("command" in wanted and subject.event.KIND in COMMAND_EVENTS)
        )

    return test


def _range(value: str) -> tuple[int, int]:
    first, dash, last = value.partition("-")
    if (first or last) and all(part.isdecimal() or not part for part in (first, last)):
        return int(first or 0), int(last or 2**63) if dash else int(first)
    raise BadFilter(f"id: takes the id of an event or a range such as 7-12, 7- or -12, not {value!r}")


def _after(value: str, *, or_at: bool = False) -> Test:
    """Whether an event is later than a time, a span or another event; or not earlier."""
    if value.isdecimal():
        number = int(value) - or_at
        return lambda subject: subject.event.event_id > number
    span = _span_ns(value)
    if span is not None:
        span -= or_at
        return lambda subject: subject.event.time_ns - subject.start_ns > span
    moment = _moment(value)
    if moment is not None:
        at = moment - or_at
        return lambda subject: subject.event.time_ns > at
    clock = _clock(value)
    if clock is not None:
        since = clock
        return lambda subject: subject.event.time_ns > _on_day_of(subject.start_ns, since) - or_at
    raise BadFilter(
        "after: and before: take a time such as 2026-05-01, 2026-05-01T12:00 or 12:00 (UTC), a span since the start "
        f"such as 90s, 2h or 30d, or the id of an event, not {value!r}"
    )


def _span_ns(value: str) -> int | None:
    found = _SPAN.fullmatch(value.lower())
    return None if found is None else round(float(found[1]) * _UNITS[found[2]] * NS_PER_SECOND)


def _moment(value: str) -> int | None:
    if len(value) < len("2026-05-01"):
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return datetime_ns(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _clock(value: str) -> timedelta | None:
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", value)
    return None if found is None else timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))


def _on_day_of(start_ns: int, clock: timedelta) -> int:
    """A time of day, on the day on which the run began."""
    day_ns = 86_400 * NS_PER_SECOND
    return start_ns // day_ns * day_ns + round(clock.total_seconds()) * NS_PER_SECOND


def _line(value: str) -> Test:
    try:
        line = Line.of(value)
    except NoSuchMark as error:
        if value and ":" not in value:  # not written to its end
            file = Line(value, 1)
            return lambda subject: subject.line is not None and file.is_in(subject.line[0])
        raise BadFilter(str(error)) from None
    return lambda subject: subject.line is not None and subject.line[1] == line.line and line.is_in(subject.line[0])
