"""Looking for events as one types: words, filters, and what is said of a filter that means nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from playhead import Replayer
from playhead.readers import read_history
from playhead_engine.history import History
from playhead_tui.model.filter import FILTERS, BadFilter, Filter
from playhead_tui.model.groups import Groups, group_line
from playhead_tui.model.ink import text_of
from playhead_tui.model.search import Search, Texts, highlighted
from tests.engine.history_builder import HistoryBuilder
from tests.tui.longest import longest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"


def recorded(name: str) -> History:
    """One of our own histories."""
    return read_history(FIXTURES / f"{name}.json")


def found(history: History, text: str) -> list[int]:
    """Ids of the events that a filter lets through."""
    search = Search(Texts(Groups(history)), Filter(text))
    assert search.advance()
    return sorted(search.shown)


# What each filter finds in the story of the trip to Venice, in which no car was to be had.
SAGA = {
    "venice": [1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31, 35, 37, 41],
    "no cars": [19, 41],
    '"no cars"': [19, 41],
    "NoCars": [19, 41],
    "nocars": [19, 41],
    "NOCARS": [],
    "book_car failed": [19, 41],
    "book_car -failed": [17, 18],
    "activity:book_car": [17, 18, 19],
    "activity:BOOK_c": [17, 18, 19],
    "activity:book_car type:started": [18],
    "type:ACTIVITY_TASK_FAILED": [19],
    "type:workflowexecution": [1, 41],
    "is:failed": [1, 17, 18, 19, 41],
    "is:failed -type:activity": [1, 41],
    "is:fa !type:activity": [1, 41],
    "is:command type:execution": [41],
    "id:7": [7],
    "id:7-9": [7, 8, 9],
    "id:40-": [40, 41],
    "id:-2": [1, 2],
    "after:39": [40, 41],
    "before:3": [1, 2],
    "after:260ms": [40, 41],
    "before:1ms": [1, 2],
    "after:2026-11-21T01:31:22.335": [40, 41],
    "before:2026-11-21T01:31:22.08Z": [1, 2],
    "after:2026-11-22": [],
    "after:01:31:22 before:01:31:23 id:41": [41],
    "after:01:32": [],
    "longer:200ms": [1, 41],
    "keyerror": [19, 41],
    "patch:": [],
    "-": list(range(1, 42)),
    "": list(range(1, 42)),
}


@pytest.mark.parametrize("text", SAGA)
def test_a_filter_finds(text: str) -> None:
    """Each filter finds these events, and no others."""
    assert found(recorded("saga_compensated"), text) == SAGA[text]


def test_things_are_found_by_their_names() -> None:
    """Timers, children, signals, updates, operations, patches and markers, with all that belongs to them."""
    history = HistoryBuilder()
    history.task()
    timer = history.timer_started("nap")
    child = history.child_initiated("kid-1", "Kid")
    nexus = history.nexus_scheduled("bank", "pay")
    patch = history.patch_marker("polite")
    local = history.local_activity_marker(1)
    history.timer_fired(timer)
    signal = history.signaled("wave", "hello")
    parsed = history.history()
    assert found(parsed, "timer:nap") == [timer, 10]
    assert found(parsed, "child:kid") == [child]
    assert found(parsed, "nexus:pay") == [nexus]
    assert found(parsed, "patch:polite") == [patch]
    assert found(parsed, "marker:") == [patch, local]
    assert found(parsed, "activity:lookup") == [local]
    assert found(parsed, "signal:wave hello") == [signal]
    assert found(parsed, "is:pending") == [1, child, nexus]


def test_retried_activities_are_found() -> None:
    """Those that were tried more than once."""
    assert found(recorded("orders_retries"), "is:retried") == [17, 18, 19]


def test_events_are_found_by_the_line_they_come_from() -> None:
    """`line:` takes a file and a line as everywhere, or the file alone; without code it finds nothing."""
    from examples.orders import OrderFulfilment

    recording = Replayer([OrderFulfilment]).record(FIXTURES / "orders_completed.json")
    line = recording.sources[11].line
    texts = Texts(Groups(recording.history), sources=recording.sources)

    def at(text: str) -> set[int]:
        search = Search(texts, Filter(text))
        search.advance()
        return search.shown

    assert at(f"line:orders.py:{line}") == {11, 12, 13}
    assert {11, 12, 13} < at("line:orders.py")
    assert at("line:other.py") == set()
    assert found(recording.history, "line:orders.py") == []


def test_values_are_found_as_they_are_meant() -> None:
    """Letters that JSON writes as escapes are found, and an encrypted value is in nobody's way."""
    history = HistoryBuilder()
    history.signaled("say", "Grüße\nan alle")
    parsed = history.history()
    assert b"\\\\u00fc" in parsed.to_json() or found(parsed, "grüße") == [2]
    assert found(parsed, "grüße") == [2]
    assert found(read_history(FIXTURES.parent / "encrypted" / "orders_completed.json"), "teapot") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("activty:charge", "there is no filter activty:, only type:, activity:"),
        ("is:broken", "is: takes pending, completed"),
        ("is:", "is: takes pending, completed"),
        ("id:x", "id: takes the id of an event or a range such as 7-12, 7- or -12, not 'x'"),
        ("id:-", "id: takes"),
        ("after:yesterday", "after: and before: take a time such as"),
        ("before:", "after: and before: take a time such as"),
        ("longer:7", "longer: takes a span of time such as 30s"),
        ("line:orders.py:x", "a line of code is written FILE:LINE"),
    ],
)
def test_a_filter_that_means_nothing_says_what_would(text: str, said: str) -> None:
    """One sentence, with what is allowed there."""
    with pytest.raises(BadFilter) as raised:
        Filter(text)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_what_only_looks_like_a_filter_is_a_text() -> None:
    """A URL, and whatever stands in quotes."""
    history = HistoryBuilder()
    history.signaled("visit", "https://example.com/a:b", "no:such")
    assert found(history.history(), "https://example.com") == [2]
    assert found(history.history(), '"no:such"') == [2]
    assert found(history.history(), '"no:su') == [2]  # the closing quote is still to come


def test_every_filter_is_explained() -> None:
    """Whatever the help lists can be written."""
    for name in FILTERS:
        value = {"is": "failed", "id": "1", "after": "1h", "before": "1h", "longer": "1s", "line": "a.py:1"}.get(
            name, "x"
        )
        assert Filter(f"{name}:{value}").terms


def test_a_filter_that_is_written_on_only_looks_at_what_it_found() -> None:
    """And finds the same as if it had been written at once."""
    texts = Texts(Groups(recorded("saga_compensated")))
    before: Search | None = None
    for text in ("b", "bo", "book", "book_c", "book_car f", "book_car failed", "book_car failed type:activity"):
        search = Search(texts, Filter(text), before)
        search.advance()
        alone = Search(texts, Filter(text))
        alone.advance()
        assert search.shown == alone.shown
        before = search
    assert before is not None
    assert before.shown == {19}
    # Each of these lets something through that the other did not.
    for one, other in (("-ab", "-a"), ("is:failed", "is:f"), ("a", "ab"), ("id:1", "id:11"), ("Ab", "aB")):
        assert Filter(one).narrows(Filter(one))
        assert not Filter(one).narrows(Filter(other))


def test_one_goes_from_find_to_find() -> None:
    """Forwards and backwards, round the ends, and says which of how many one is at."""
    search = Search(Texts(Groups(recorded("saga_compensated"))), Filter("activity:book_"))
    search.advance()
    assert len(search) == 9
    assert search.next(5) == 6
    assert search.next(7) == 11
    assert search.next(19) == 5
    assert search.next(11, forward=False) == 7
    assert search.next(5, forward=False) == 19
    assert search.number_of(11) == 4
    nothing = Search(Texts(Groups(recorded("saga_compensated"))), Filter("zzz"))
    nothing.advance()
    assert nothing.next(5) is None


def test_what_was_looked_for_is_marked() -> None:
    """Every word, wherever it stands in the line that is shown; nothing else of the line changes."""
    groups = Groups(recorded("saga_compensated"))
    line = group_line(groups.of(17), 2)
    marked = highlighted(line, Filter("car NoCars is:failed"))
    assert text_of(marked) == text_of(line)
    assert [text for text, ink in marked if ink == "match"] == ["car", "NoCars", "car"]
    assert highlighted(line, Filter("is:failed")) == line


def test_no_keystroke_waits_for_the_longest_history() -> None:
    """51,200 events are searched a slice at a time; written on, a filter is quicker still."""
    texts = Texts(Groups(longest()))
    first = Search(texts, Filter("ech"))
    slices = 0
    worst = 0.0
    while not first.is_done:
        begun = time.process_time()
        first.advance(0.01)
        worst = max(worst, time.process_time() - begun)
        slices += 1
    assert slices > 5
    assert worst < 0.1
    assert first.part == 1.0
    begun = time.process_time()
    Search(texts, Filter("echo 81"), first).advance()
    assert time.process_time() - begun < 0.5
