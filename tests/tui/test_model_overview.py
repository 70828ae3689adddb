"""The whole run at a glance: to scale, with idle time squeezed together, and back from a place on it to an event."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from playhead.readers import read_history
from playhead_engine.history import History
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import text_of
from playhead_tui.model.overview import Course, Overview
from tests.engine.history_builder import START, HistoryBuilder
from tests.tui.longest import longest

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "temporal").glob("[a-z]*.json"))
WIDTHS = (1, 2, 3, 8, 20, 80, 200)


def overview(history: History, width: int = 80, lanes: int = 10) -> Overview:
    """The overview of a history."""
    return Overview(Course(Groups(history)), width, lanes=lanes)


def shown(drawn: Overview, now: int) -> list[str]:
    """What is on the screen: the ruler, then the lanes."""
    return [text_of(drawn.ruler(now)), *(text_of(drawn.line(lane, now)) for lane in range(len(drawn.lanes)))]


def recorded(name: str) -> History:
    """One of our own histories."""
    return read_history(FIXTURES[0].with_name(f"{name}.json"))


def moved(history: HistoryBuilder, **spans: timedelta) -> History:
    """A history in which time passes before some events: `e7=timedelta(days=300)`; otherwise a second for each."""
    passed = timedelta(0)
    for event in history.events:
        passed += spans.get(f"e{event['eventId']}", timedelta(0))
        at = START + timedelta(seconds=int(event["eventId"])) + passed
        event["eventTime"] = at.isoformat().replace("+00:00", "Z")
    return history.history()


def year() -> History:
    """A run that works for some seconds, sleeps for eleven months, and works again."""
    history = HistoryBuilder()
    history.task()
    history.activity_ran(history.activity_scheduled())
    history.task()
    timer = history.timer_started()
    fired = history.timer_fired(timer)
    history.task()
    history.activity_ran(history.activity_scheduled("2", "thank"))
    history.task()
    history.completed("done")
    return moved(history, **{f"e{fired}": timedelta(days=335)})


def test_idle_time_is_squeezed_together_and_says_how_long_it_is() -> None:
    """Eleven months are a few cells with `11 months` on them; the seconds around them are to scale."""
    lines = shown(overview(year(), 80), 1)
    assert "11 months" in lines[0]
    assert lines[0].count("├") + lines[0].count("▼") == 2
    timers = next(line for line in lines if line.startswith("timers"))
    assert "╍╍╍" in timers
    greet = next(line for line in lines if line.startswith("greet"))
    thank = next(line for line in lines if line.startswith("thank"))
    assert greet.rindex("━") < timers.index("╍") < thank.index("━")


def test_time_is_to_scale() -> None:
    """What takes twice as long is twice as wide."""
    history = HistoryBuilder()
    one = history.activity_scheduled("1", "quick")
    history.activity_started(one)
    history.activity_completed(one)
    other = history.activity_scheduled("2", "slow")
    history.activity_started(other)
    history.activity_completed(other)
    drawn = overview(moved(history, e3=timedelta(seconds=18), e6=timedelta(seconds=38)), 60)
    lines = shown(drawn, 1)
    quick, slow = lines[1].count("━"), lines[2].count("━")
    assert abs(slow - 2 * quick) <= 2
    assert quick > 10


def test_what_went_wrong_is_seen() -> None:
    """A failed activity ends in a cross, whatever else is in its cell; a cancelled timer in a circle."""
    assert any(
        line.startswith("book_car ") and "✗" in line for line in shown(overview(recorded("saga_compensated")), 1)
    )
    assert any(line.startswith("timers") and "○" in line for line in shown(overview(recorded("approval_updated")), 1))


def test_what_is_still_pending_reaches_to_the_end() -> None:
    """An activity that never ended is drawn to the right edge, as something that is not over."""
    history = HistoryBuilder()
    history.task()
    history.activity_scheduled()
    history.signaled("wave")
    last = history.signaled("wave")
    drawn = overview(history.history(), 40)
    lane = next(number for number, lane in enumerate(drawn.lanes) if lane.name == "greet")
    line = drawn.line(lane, last)
    assert len(text_of(line)) == 40
    assert [(text[:1], ink) for text, ink in line[-2:]] == [("━", "caution"), ("━", "here")]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_event_has_a_column_and_every_column_an_event(path: Path) -> None:
    """At any width, columns go up with the events, are within it, and lead back to an event in the same column."""
    history = read_history(path)
    course = Course(Groups(history))
    for width in WIDTHS:
        drawn = Overview(course, width)
        columns = [drawn.column_of(event.event_id) for event in history]
        assert columns == sorted(columns)
        assert 0 <= columns[0] <= columns[-1] < width
        for event, column in zip(history, columns, strict=True):
            back = drawn.event_at(column)
            assert drawn.column_of(back) == column
            assert back <= event.event_id
        for column in range(-1, width + 2):
            history.event(drawn.event_at(column))  # there is one
            history.event(drawn.event_at(column, 0))
        assert {len(line) for line in shown(drawn, history.events[len(history) // 2].event_id)} == {width}


def test_a_place_in_a_lane_leads_to_what_is_there() -> None:
    """A click on the bar of an activity goes to the nearer of its events, and not to one of another lane."""
    drawn = overview(recorded("saga_compensated"), 100)
    lane = next(number for number, lane in enumerate(drawn.lanes) if lane.name == "book_car")
    line = text_of(drawn.line(lane, 1))
    assert drawn.event_at(line.index("━"), lane) == 17
    assert drawn.event_at(line.index("✗"), lane) == 19
    before = drawn.event_at(line.index("━") - 3, lane)  # nothing of the lane is there
    assert before not in (17, 18, 19)


def test_the_playhead_parts_what_happened_from_what_has_not() -> None:
    """Its column is marked; right of it everything is dim."""
    drawn = overview(recorded("saga_compensated"), 100)
    line = drawn.line(1, 11)
    here = next(number for number, (_, ink) in enumerate(line) if ink == "here")
    assert len(text_of(line[:here])) == drawn.column_of(11)
    assert {ink for _, ink in line[here + 1 :]} <= {"dim", "plain"}
    assert text_of(drawn.ruler(11)).index("▼") == drawn.column_of(11)


def test_lanes_that_are_too_many_share_the_last_one() -> None:
    """The smallest of them, so that what happens most keeps a lane of its own."""
    drawn = overview(recorded("saga_compensated"), 100, lanes=3)
    assert [lane.name for lane in drawn.lanes] == ["workflow tasks", "book_hotel", "5 others"]
    assert text_of(drawn.line(2, 1)).count("━") > 10


def test_a_history_in_which_no_time_passes_is_laid_out_by_its_events() -> None:
    """A virtual clock stands still, and so may the times of a download that has none."""
    history = HistoryBuilder()
    history.task()
    history.activity_ran(history.activity_scheduled())
    for event in history.events:
        event["eventTime"] = START.isoformat().replace("+00:00", "Z")
    for event in history.events[3:]:
        del event["eventTime"]
    drawn = overview(history.history(), 60)
    columns = [drawn.column_of(event_id) for event_id in range(1, len(history.events) + 1)]
    assert columns == sorted(set(columns))


def test_time_does_not_go_back() -> None:
    """A server that buffers events writes some behind younger ones."""
    history = HistoryBuilder()
    history.task()
    history.signaled("wave")
    history.task()
    late = history.events[4]
    late["eventTime"] = (datetime.fromisoformat(late["eventTime"]) - timedelta(seconds=3)).isoformat()
    drawn = overview(history.history(), 60)
    columns = [drawn.column_of(event_id) for event_id in range(1, len(history.events) + 1)]
    assert columns == sorted(columns)


def test_the_longest_history_is_drawn_at_any_width() -> None:
    """Once looked through, 51,200 events are laid out anew for another width in no time."""
    groups = Groups(longest())
    begun = time.process_time()
    course = Course(groups)
    assert time.process_time() - begun < 1
    for width in WIDTHS:
        begun = time.process_time()
        drawn = Overview(course, width)
        shown(drawn, 25_000)
        drawn.event_at(width // 2, 0)
        assert time.process_time() - begun < 0.15
