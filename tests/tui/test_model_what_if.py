"""What if: a question put together as data, its future beside the recording, and what is kept of it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import playhead
from playhead import Agrees, Replayer
from playhead.hotfix.future import AwaitsAnswer, Ended, Future, Refused, Stuck, Waits
from playhead.loading import CodeNames, load_code
from playhead.readers import read_history
from playhead_engine.converter import DataConverter
from playhead_engine.history import History
from playhead_tui.model.exports import NotExported, future_json, regression_test
from playhead_tui.model.futures import Columns, FutureRow, ending_lines, first_difference, row_line, rows_of, unfold
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import text_of
from playhead_tui.model.what_if import (
    ActivityEnds,
    Answer,
    BadQuestion,
    CancelComes,
    Raises,
    Returns,
    SignalComes,
    WhatIf,
    activities_to_change,
    after,
    args_of,
    changed,
    signals_known,
    value_of,
)
from tests.engine.history_builder import HistoryBuilder

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "temporal"

BOTH_KINDS = pytest.mark.parametrize("package", ["examples", "examples.temporal"])


def replayer_of(module: str) -> Replayer:
    """The code of an example."""
    return Replayer(load_code(CodeNames(workflows=(module,))).workflows)


def recorded(name: str) -> Groups:
    """One of our own histories."""
    return Groups(read_history(FIXTURES / f"{name}.json"))


def future_of(question: WhatIf, groups: Groups, module: str) -> Future:
    """What would come of it."""
    return unfold(question, groups.history, replayer_of(module))


def group_of(groups: Groups, title: str) -> Any:
    """The group of that title."""
    return next(group for group in groups.groups if group.title == title)


def told(rows: list[FutureRow]) -> list[tuple[str, str]]:
    """Which step differs how."""
    return [(row.difference, (row.future or row.recorded).title) for row in rows]


def shown(future: Future, width: int = 160) -> list[str]:
    """What is on the screen."""
    rows = rows_of(future)
    columns = Columns.of(rows, width)
    return [text_of(line).rstrip() for line in [*(row_line(row, columns) for row in rows), *ending_lines(future)]]


# -- Asking ------------------------------------------------------------------------------------------------------------


@BOTH_KINDS
def test_an_activity_fails_that_did_not(package: str) -> None:
    """Had there been no seat, the hotel would have been cancelled, and nobody knows yet what comes of that."""
    groups = recorded("saga_booked")
    question = changed(group_of(groups, "book_flight"), Raises("NoSeats: none left"))
    assert question == WhatIf(13, (ActivityEnds("book_flight", 11, Raises("NoSeats: none left")),))
    future = future_of(question, groups, f"{package}.saga")
    assert isinstance(future.ending, AwaitsAnswer)
    assert told(rows_of(future)) == [("other", "book_flight"), ("gone", "book_car"), ("new", "cancel_flight")]
    answered = question.answered(Answer("cancel_flight", (Returns("gone"),))).answered(
        Answer("cancel_hotel", (Returns("gone"),))
    )
    future = future_of(answered, groups, f"{package}.saga")
    assert isinstance(future.ending, Ended)
    assert not future.ending.is_good
    lines = shown(future)
    assert lines[0].startswith("11-13 activity book_flight  completed  a seat to Lisb")
    assert " ~ 11-13 activity book_flight  failed  NoSeats: none left" in lines[0]
    assert any(line.lstrip().startswith("+ 17-19 activity cancel_flight  completed  gone") for line in lines)
    assert any("[given]" in line and "saga.py:" in line for line in lines)
    assert any(line.startswith("recorded  completed") for line in lines)
    assert any(line.startswith("would be  failed  TripCancelled: Ada stays at home") for line in lines)


@BOTH_KINDS
def test_an_activity_gives_back_something_else(package: str) -> None:
    """What comes later ends as it was recorded; the end is another."""
    groups = recorded("saga_booked")
    future = future_of(changed(group_of(groups, "book_flight"), Returns("a better seat")), groups, f"{package}.saga")
    assert told(rows_of(future)) == [("other", "book_flight"), ("same", "book_car")]
    assert first_difference(rows_of(future)) == 0
    assert "a better seat" in shown(future)[-1]


def test_of_several_activities_of_one_type_the_right_one_is_changed() -> None:
    """Three at once: the one that was chosen ends otherwise, by the event that scheduled it."""
    from tests.replay.timeline_workflows import Nested, nested_history

    groups = Groups(nested_history())
    chosen = groups.of(6)
    at = min(group.last_id for group in groups.groups if group.kind == "activity")
    question = WhatIf(at, (ActivityEnds(chosen.title, 6, Returns(7)),))
    future = unfold(question, groups.history, Replayer([Nested]))
    results = {
        event.attributes["scheduledEventId"]: event.attributes["result"]
        for event in future.history
        if event.KIND == "ACTIVITY_TASK_COMPLETED"
    }
    assert playhead.values.plain(results["6"]) == [7]  # type: ignore[attr-defined]
    assert playhead.values.plain(results["5"]) != [7]  # type: ignore[attr-defined]


@BOTH_KINDS
def test_a_signal_comes_that_never_came(package: str) -> None:
    """The manager decides while the expense waits; the timer that was running is cancelled."""
    groups = recorded("approval_open")
    assert "decide" in signals_known(groups, ["decide", "amend"])
    decision = {"approved": True, "manager": "Edsger", "note": "here"}
    last = groups.history.events[-1].event_id
    question = after(groups, last).also(SignalComes("decide", (decision,))).answered(Answer("pay", (Returns("paid"),)))
    assert question.at is None
    future = future_of(question, groups, f"{package}.approval")
    assert isinstance(future.ending, Ended), shown(future)
    assert ("new", "decide") in told(rows_of(future))


@BOTH_KINDS
def test_somebody_asks_to_cancel(package: str) -> None:
    """The run is told to stop right after an event."""
    groups = recorded("onboarding_open")
    future = future_of(after(groups, 10).also(CancelComes()), groups, f"{package}.onboarding")
    assert isinstance(future.ending, Ended)
    assert any(line.startswith("would be  canceled") for line in shown(future))
    assert shown(future)[-1].startswith("note      Event 11 belongs to what one workflow task did")


@BOTH_KINDS
def test_the_hotfix_goes_on(package: str) -> None:
    """A run that is stuck goes on with other code; with the code that it is stuck on, it stays so."""
    groups = recorded("orders_stuck")
    question = WhatIf(answers=(Answer("ship", (Returns("parcel-7"),)),))
    future = future_of(question, groups, f"{package}.orders_hotfix")
    assert isinstance(future.ending, Ended)
    assert future.ending.is_good
    stuck = future_of(question, groups, f"{package}.orders")
    assert isinstance(stuck.ending, Stuck)
    assert any("ZeroDivisionError" in line for line in shown(stuck))
    assert any("orders.py:" in line for line in shown(stuck))


def test_code_that_does_not_do_what_was_recorded_has_no_future() -> None:
    """And the first difference is told."""
    groups = recorded("orders_completed")
    future = future_of(WhatIf(18), groups, "examples.orders_broken")
    assert isinstance(future.ending, Refused)
    assert rows_of(future) == []
    assert any("diverges at event 11" in line for line in shown(future))
    with pytest.raises(NotExported, match="there is no future to write: diverges at event 11"):
        future_json(future)


def test_a_local_activity_ends_otherwise_from_where_it_ran() -> None:
    """It has no time of its own, so the answer holds for all of its type from there on."""
    groups = recorded("exchange_timeout")
    local = next(group for group in groups.groups if group.kind == "local activity")
    question = changed(local, Returns(2.0))
    assert question.at == local.first_id
    future = future_of(question, groups, "examples.exchange")
    assert isinstance(future.ending, Ended)
    assert ("other", local.title) in told(rows_of(future))


def test_an_answer_may_fail_first_and_succeed_then() -> None:
    """As often as is said, each in turn, with the retries that the policy of the activity allows."""
    groups = recorded("orders_stuck")
    question = WhatIf(answers=(Answer("ship", (Raises("NoVan: none", is_retried=True), Returns("parcel-7"))),))
    future = future_of(question, groups, "examples.orders_hotfix")
    assert isinstance(future.ending, Ended)
    ship = next(row.future for row in rows_of(future) if row.future is not None and row.future.title == "ship")
    assert ship.attempts == 2


def test_a_run_that_waits_says_for_what() -> None:
    """Nobody decides, and the future waits for a signal, as far as time is given."""
    groups = recorded("pizza_open")
    future = future_of(WhatIf(), groups, "examples.pizza")
    assert isinstance(future.ending, Waits | Ended | AwaitsAnswer)
    assert shown(future)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (WhatIf(99), "there is no event 99"),
        (WhatIf(8, (ActivityEnds("ship", 17, Returns(1)),)), "no activity 'ship' is under way before event"),
        (WhatIf(13, (ActivityEnds("charge", 5, Returns(1)),)), "no activity 'charge' is under way"),
    ],
)
def test_what_cannot_be_is_said(question: WhatIf, said: str) -> None:
    """A mark that is not there, an activity that is not under way at it."""
    with pytest.raises(BadQuestion) as raised:
        future_of(question, recorded("orders_completed"), "examples.orders")
    assert said in str(raised.value)


# -- Putting a question together ---------------------------------------------------------------------------------------


def test_the_activity_of_the_playhead_is_offered_first() -> None:
    """Then the others that were under way there; none that had ended before, or had not begun."""
    from tests.replay.timeline_workflows import nested_history

    groups = Groups(nested_history())
    assert [group.first_id for group in activities_to_change(groups, 6)] == [6, 5]
    assert [group.first_id for group in activities_to_change(groups, 7)] == [7, 5, 6]
    assert activities_to_change(groups, 1) == []
    saga = recorded("saga_booked")
    assert [group.title for group in activities_to_change(saga, 13)] == ["book_flight"]
    assert activities_to_change(saga, 14) == []
    with pytest.raises(BadQuestion, match="not of workflow task"):
        changed(saga.of(14), Returns(1))


def test_an_activity_that_never_ended_is_changed_at_the_end() -> None:
    """It is still under way there."""
    history = HistoryBuilder()
    history.task()
    history.activity_scheduled()
    groups = Groups(history.history())
    assert changed(groups.of(5), Returns(1)).at is None


def test_a_question_says_itself_in_words() -> None:
    """For the head of a screen, and the name of a test."""
    question = WhatIf(13).also(ActivityEnds("charge", 11, Raises("CardExpired: no")))
    question = question.also(SignalComes("wave", ("Ada", 3))).answered(Answer("ship", (Raises("NoVan"), Returns("p"))))
    assert str(question) == (
        'activity charge fails with CardExpired: no; signal wave("Ada", 3) comes; '
        'ship fails with NoVan, then returns "p" at event 13'
    )
    assert str(WhatIf()) == "it goes on"
    assert str(WhatIf(workflows=("app.hotfix",))) == "app.hotfix goes on"
    assert question.also(ActivityEnds("charge", 11, Returns(1))).happens[1] == ActivityEnds("charge", 11, Returns(1))
    assert len(question.also(CancelComes()).also(CancelComes()).happens) == 3
    assert len(question.answered(Answer("ship", (Returns("q"),))).answers) == 1


def test_a_question_is_kept_as_data() -> None:
    """Through JSON and back, all of it."""
    question = WhatIf(
        13,
        (ActivityEnds("charge", 11, Raises("CardExpired: no")), SignalComes("wave", ({"a": 1},)), CancelComes()),
        (Answer("ship", (Raises("NoVan", is_retried=True), Returns(None))), Answer("Child", (Returns([1]),), True)),
        True,
        ("app.hotfix",),
    )
    assert WhatIf.of_data(json.loads(json.dumps(question.as_data()))) == question
    assert WhatIf.of_data({}) == WhatIf()
    spoilt: Any
    for spoilt in (None, [], {"at": "x"}, {"happens": [{}]}, {"answers": [{"name": "x"}]}, {"happens": [3]}):
        with pytest.raises(BadQuestion):
            WhatIf.of_data(spoilt)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ('"a"', "a"),
        ("parcel-7", "parcel-7"),
        ('{"a": 1}', {"a": 1}),
        ("null", None),
        ("", ""),
        ("12a", "12a"),
    ],
)
def test_a_value_is_json_or_a_text(text: str, value: Any) -> None:
    """Whoever types a word means the word."""
    assert value_of(text) == value


def test_arguments_are_none_one_or_several() -> None:
    """Several stand in a list after an asterisk; what begins like JSON must be JSON."""
    assert args_of(" ") == ()
    assert args_of("[1, 2]") == ([1, 2],)
    assert args_of('*[1, "b"]') == (1, "b")
    for text in ("*3", "*[1", '{"a"', '"open'):
        with pytest.raises(BadQuestion):
            args_of(text)


# -- What is kept of it ------------------------------------------------------------------------------------------------


def test_a_future_is_a_history_that_temporal_replays(tmp_path: Path) -> None:
    """Written down, it is read again, and Temporal's own Replayer agrees with it."""
    from tests.replay.temporal_judge import judge

    groups = recorded("saga_booked")
    question = WhatIf(13, (ActivityEnds("book_flight", 11, Raises("NoSeats: none left")),), invents=True)
    future = future_of(question, groups, "examples.temporal.saga")
    content = future_json(future)
    (tmp_path / "future.json").write_bytes(content)
    assert read_history(tmp_path / "future.json").events == future.history.events
    module = importlib.import_module("examples.temporal.saga")
    assert judge(content, groups.history.id, [module.TripBooking]).verdict == "ok"


def test_a_future_becomes_a_test_that_passes_today_and_fails_when_the_code_changes(tmp_path: Path) -> None:
    """A real pytest runs it, for code of both kinds; with code that does something else it fails."""
    groups = recorded("saga_booked")
    question = WhatIf(13, (ActivityEnds("book_flight", 11, Raises("NoSeats: none left")),), invents=True)
    for package in ("examples", "examples.temporal"):
        replayer, name = replayer_of(f"{package}.saga"), package.replace(".", "_")
        test = regression_test(question, unfold(question, groups.history, replayer), replayer, f"{name}.json")
        (tmp_path / f"{name}.json").write_bytes(test.history)
        (tmp_path / f"test_{name}.py").write_bytes(test.source)
    assert _pytest(tmp_path).startswith("2 passed")
    for file in tmp_path.glob("*.json"):
        file.write_bytes(file.read_bytes().replace(b"cancel_flight", b"cancel_plane"))
    assert _pytest(tmp_path).startswith("2 failed")


def _pytest(folder: Path) -> str:
    """What a real pytest says of the tests in a folder, run from the project."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout.splitlines()[-1]


def test_the_test_says_what_it_keeps() -> None:
    """Its name and its docstring come from the question; the source is one that Python takes."""
    groups = recorded("saga_booked")
    question = WhatIf(13, (ActivityEnds("book_flight", 11, Returns('"""\\ quoted')),))
    replayer = replayer_of("examples.saga")
    test = regression_test(question, unfold(question, groups.history, replayer), replayer, 'a"b.json')
    source = test.source.decode()
    compile(source, "test.py", "exec")
    assert "from examples.saga import TripBooking" in source
    assert "def test_trip_booking_activity_book_flight_returns" in source
    assert "assert_replays(HISTORY, TripBooking)" in source
    assert isinstance(replayer.replay(History.from_events(json.loads(test.history)["events"])), Agrees)


def test_code_that_is_run_in_its_own_way_is_tested_so() -> None:
    """With a converter of its own, the test takes the fixture that runs it as the project says."""
    groups = recorded("saga_booked")
    classes = load_code(CodeNames(workflows=("examples.saga",))).workflows
    replayer = Replayer(classes, data_converter=DataConverter())
    question = WhatIf(13, (ActivityEnds("book_flight", 11, Returns("x")),))
    source = regression_test(question, unfold(question, groups.history, replayer), replayer, "x.json").source.decode()
    assert "(replayer: Replayer) -> None:" in source
    assert "assert_replays(HISTORY, replayer=replayer)" in source
    assert "TripBooking\n" not in source


def test_a_future_that_no_test_can_keep_says_why(tmp_path: Path) -> None:
    """Code that raises there, and code that no test can import."""
    stuck = recorded("orders_stuck")
    replayer = replayer_of("examples.orders")
    with pytest.raises(NotExported, match="a test of it would fail today: code raised after event 19"):
        regression_test(WhatIf(), unfold(WhatIf(), stuck.history, replayer), replayer, "x.json")

    (tmp_path / "9orders.py").write_text((ROOT / "examples" / "saga.py").read_text())
    script = Replayer(load_code(CodeNames(workflows=(str(tmp_path / "9orders.py"),))).workflows)
    saga = recorded("saga_booked")
    with pytest.raises(NotExported, match="no name as a module"):
        regression_test(WhatIf(), unfold(WhatIf(), saga.history, script), script, "x.json")
