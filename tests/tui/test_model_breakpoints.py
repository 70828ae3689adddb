"""Breakpoints, logpoints and watches: how they are written, where they stop a run, what a session keeps of them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from playhead import Replayer
from playhead.readers import read_history
from playhead.timeline.marks import Line
from playhead_tui.model.breakpoints import (
    BadBreakpoint,
    Breakpoint,
    Logpoint,
    OnChange,
    OnCondition,
    OnEvents,
    OnLine,
    Stops,
    logpoint_of,
    trigger_of,
    watch_of,
)
from playhead_tui.model.groups import Groups
from playhead_tui.model.hits import Hits
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from tests.replay.timeline_workflows import Basket, basket, line_of

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"

BOTH_KINDS = pytest.mark.parametrize("package", ["examples", "examples.temporal"])


def orders(package: str = "examples", name: str = "orders_completed") -> Run:
    """A run of the order workflow, replayed."""
    history = read_history(FIXTURES / f"{name}.json")
    cls = importlib.import_module(f"{package}.orders").OrderFulfilment
    return Run(name, Groups(history), Replayer([cls]).record(history))


def without_code(name: str = "orders_completed") -> Run:
    """The same history alone."""
    return Run(name, Groups(read_history(FIXTURES / f"{name}.json")))


def shopping() -> Run:
    """A basket that gets tea and coffee, and is paid."""
    recording = basket()
    return Run("basket", Groups(recording.history), recording)


def stops(run: Run, text: str, hits: Hits | None = None) -> list[Place]:
    """Where a breakpoint stops a run."""
    return (hits or Hits(run)).places(trigger_of(text))


def line(run: Run, text: str) -> int:
    """The number of the line of the order workflow on which a text stands."""
    return line_of(_workflow_of(run), text)


def _workflow_of(run: Run) -> Any:
    assert run.recording is not None
    site = run.recording.sources[1]
    module = "examples.temporal.orders" if "temporal" in site.file else "examples.orders"
    return importlib.import_module(module).OrderFulfilment.run


# -- How they are written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("activity:charge is:failed", OnEvents("activity:charge is:failed")),
        ("ActivityTaskFailed", OnEvents("ActivityTaskFailed")),
        ("orders.py:86", OnLine(Line("orders.py", 86))),
        ("app/orders.py:86 if order.total > 500", OnLine(Line("app/orders.py", 86), "order.total > 500")),
        ("when self.total > 500", OnCondition("self.total > 500")),
        ("change self.stage", OnChange("self.stage")),
    ],
)
def test_a_breakpoint_is_read_as_it_is_written(text: str, trigger: object) -> None:
    """And written as it is read."""
    assert trigger_of(f" {text} ") == trigger
    assert str(trigger_of(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a breakpoint is a filter (activity:charge), a line"),
        ("orders.py:x", "a breakpoint on a line is orders.py:86"),
        ("orders.py:86 unless x", "a breakpoint on a line is orders.py:86"),
        ("orders.py:86 if x = 1", "x = 1: a statement does more than look"),
        ("when", "there is no expression"),
        ("when open('x')", "open('x'): open() does more than look"),
        ("change (await x)", "(await x): `await` does more than look"),
        ("activty:charge", "there is no filter activty:"),
    ],
)
def test_what_is_no_breakpoint_says_why(text: str, said: str) -> None:
    """One sentence that says what is expected."""
    with pytest.raises(BadBreakpoint) as raised:
        trigger_of(text)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_logpoints_and_watches_only_look() -> None:
    """A logpoint is a line and an expression, a watch an expression."""
    assert logpoint_of('orders.py:86 f"{paid=}"') == Logpoint(Line("orders.py", 86), 'f"{paid=}"')
    assert str(logpoint_of('orders.py:86 f"{paid=}"')) == 'orders.py:86 f"{paid=}"'
    assert watch_of(" self.stage ") == "self.stage"
    for text in ("orders.py:86", "86 paid", "orders.py:86 paid := 3", ""):
        with pytest.raises(BadBreakpoint):
            logpoint_of(text)
    with pytest.raises(BadBreakpoint):
        watch_of("import os")


# -- Where they stop a run ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [orders, without_code])
def test_a_breakpoint_on_events_stops_at_them(make: Any) -> None:
    """On a type, on all that belongs to an activity, on what failed; without code, too."""
    run = make()
    assert stops(run, "ActivityTaskStarted") == [Place(6), Place(12), Place(18)]
    assert stops(run, "activity:charge type:completed") == [Place(13)]
    assert stops(run, "is:failed") == []


@BOTH_KINDS
def test_a_breakpoint_on_a_line_stops_before_it_runs(package: str) -> None:
    """The place is the step at which the line is about to run."""
    run = orders(package)
    number = line(run, "discount_percent =")
    places = stops(run, f"orders.py:{number}")
    assert len(places) == 1
    step = run.step(places[0])
    assert step is not None
    assert step.site.line == number
    assert step.locals["paid"].content == 4500


@BOTH_KINDS
def test_a_condition_on_a_line_must_hold_there(package: str) -> None:
    """It may use the variables at the line, methods and properties as well."""
    run = orders(package)
    number = line(run, "discount_percent =")
    assert len(stops(run, f"orders.py:{number} if paid == 4500")) == 1
    assert stops(run, f"orders.py:{number} if paid > 4500") == []
    assert len(stops(run, f"orders.py:{number} if order.total > 4500")) == 1


def test_a_line_that_runs_often_stops_every_time_the_condition_holds() -> None:
    """The handler of a signal runs for each item; only one of them is dear."""
    run = shopping()
    number = line_of(Basket.add, "self.total += cents")
    assert len(stops(run, f"timeline_workflows.py:{number}")) == 2
    dear = stops(run, f"timeline_workflows.py:{number} if cents > 300")
    assert len(dear) == 1
    step = run.step(dear[0])
    assert step is not None
    assert step.locals["item"].content == "coffee"


def test_a_condition_stops_where_it_comes_to_hold() -> None:
    """At the event that the code was told of; with the lines known, at the line after which it holds."""
    run = shopping()
    assert run.recording is not None
    changes = run.recording.changes("total")
    assert stops(run, "when self.total > 500") == [Place(changes[2].event)]
    assert stops(run, "when self.total > 100000") == []
    assert len(stops(run, "when self.total < 500")) == 1  # not wherever it still holds
    # `pay` is a line of its own: after it there is one before which `is_paid` is so.
    assert run.steps
    paid = stops(run, "when self.is_paid", Hits(run))
    assert len(paid) == 1
    assert paid[0].step
    step = run.step(paid[0])
    assert step is not None
    assert step.attributes["is_paid"].content is True


@BOTH_KINDS
def test_a_change_stops_wherever_the_value_becomes_another(package: str) -> None:
    """Each stage of an order, in order."""
    run = orders(package)
    places = stops(run, "change self.stage")
    assert run.recording is not None
    assert [change.after.content for change in run.recording.changes("stage") if change.after] == [
        "reserving",
        "charging",
        "shipping",
        "shipped",
    ]
    assert len(places) == 4
    assert places == sorted(places)


def test_one_goes_from_stop_to_stop() -> None:
    """Forwards to the nearest of all breakpoints, backwards to the one before, and not to those that are disabled."""
    run = orders()
    hits = Hits(run)
    started, line_86 = (
        Breakpoint(trigger_of("ActivityTaskStarted")),
        Breakpoint(trigger_of(f"orders.py:{line(run, 'discount_percent =')}")),
    )
    off = Breakpoint(trigger_of("type:activity"), is_enabled=False)
    all_of_them = [started, line_86, off]
    assert not hits.knows(all_of_them)
    places = []
    place = run.first
    while (hit := hits.next(all_of_them, place)) is not None:
        place = hit.place
        places.append((hit.breakpoint, place.event))
    assert hits.knows(all_of_them)
    assert [one for one, _ in places] == [started, started, line_86, started]
    assert [event for _, event in places if event in (6, 12, 18)] == [6, 12, 18]
    back = []
    place = run.last
    while (hit := hits.next(all_of_them, place, forward=False)) is not None:
        place = hit.place
        back.append((hit.breakpoint, place.event))
    assert back == places[::-1]
    assert hits.at(all_of_them, Place(12)) == [started]
    assert hits.at(all_of_them, Place(13)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("orders.py:1", "orders.py:1 is never reached. The lines of it that are:"),
        ("nowhere.py:1", "nowhere.py:1 is never reached: no line of that file is."),
        ("when self.nothing > 3", "self.nothing > 3: AttributeError"),
        ("change self.nothing", "self.nothing: AttributeError"),
        ("orders.py:{line} if nothing > 3", "nothing > 3: NameError"),
    ],
)
def test_a_breakpoint_that_means_nothing_here_stops_nothing_and_says_why(text: str, said: str) -> None:
    """In words, and without a traceback."""
    run = orders()
    hits = Hits(run)
    trigger = trigger_of(text.replace("{line}", str(line(run, "discount_percent ="))))
    assert hits.places(trigger) == []
    assert hits.problems[trigger].startswith(said)


def test_without_code_lines_and_conditions_stop_nothing() -> None:
    """And say that there is no code."""
    run = without_code()
    hits = Hits(run)
    for text in ("orders.py:86", "when self.total > 5", "change self.stage"):
        trigger = trigger_of(text)
        assert hits.next([Breakpoint(trigger)], run.first) is None
        assert "there is no code" in hits.problems[trigger]
        assert Breakpoint(trigger).needs_code
    assert not Breakpoint(trigger_of("charge")).needs_code


# -- What logpoints say, what watches hold -----------------------------------------------------------------------------


def test_logpoints_say_something_every_time_their_line_runs() -> None:
    """In the order of the run, each with the place; what raises says what it raised."""
    run = shopping()
    number = line_of(Basket.add, "self.total += cents")
    hits = Hits(run)
    said = hits.said(
        [logpoint_of(f'timeline_workflows.py:{number} f"{{item}} for {{cents}}"'), logpoint_of("nowhere.py:3 x")]
    )
    assert [one.text for one in said] == ["tea for 300", "coffee for 600"]
    steps = [run.step(one.place) for one in said]
    assert [step.site.line for step in steps if step is not None] == [number, number]
    assert [problem.split()[0] for problem in hits.problems.values()] == ["nowhere.py:3"]
    broken = Hits(run).said([logpoint_of(f"timeline_workflows.py:{number} nothing")])
    assert [one.is_error for one in broken] == [True, True]
    assert broken[0].text.startswith("NameError")


def test_watches_hold_their_value_wherever_the_playhead_stands() -> None:
    """At events and at lines; what is another value than before is marked, and what raises says so."""
    run = orders()
    hits = Hits(run)
    before, here = Place(7), Place(13)
    stage, total, nothing = hits.watched(["self.stage", "order.total", "nothing.at.all"], here, before)
    assert (stage.value.text(), stage.is_changed) == ("'shipping'", True)
    assert (total.value.text(), total.is_changed) == ("5000", False)
    assert nothing.value is None
    assert nothing.problem.startswith("NameError")
    at_line = stops(run, f"orders.py:{line(run, 'discount_percent =')}")[0]
    assert hits.watched(["self.stage"], at_line)[0].value.text() == "'packing'"
    assert "no code" in Hits(without_code()).watched(["self.stage"], here)[0].problem


# -- What a session keeps ----------------------------------------------------------------------------------------------


def test_what_is_set_is_kept_as_text() -> None:
    """Written to JSON and read again, everything is there, disabled ones disabled."""
    kept = Stops()
    for text in ("activity:charge", "orders.py:86 if order.total > 500", "when self.x", "change self.stage"):
        kept = kept.toggled(trigger_of(text))
    kept = kept.enabled(1, enable=False).with_logpoint(logpoint_of("orders.py:86 paid")).with_watch("self.stage")
    data = json.loads(json.dumps(kept.as_data()))
    assert data["breakpoints"][1] == {"at": "orders.py:86 if order.total > 500", "enabled": False}
    assert Stops.of_data(data) == (kept, [])


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"breakpoints": 3},
        {"breakpoints": [{"at": 7}, {"at": "when x ="}, {}, "orders.py:x"]},
        {"logpoints": ["x", None], "watches": ["import os", 4]},
    ],
)
def test_a_session_that_somebody_spoilt_is_read_as_far_as_it_goes(data: Any) -> None:
    """What cannot be read is left out, with a sentence for each."""
    found, problems = Stops.of_data(data)
    assert found == Stops()
    assert problems
    assert all("\n" not in problem for problem in problems)


def test_breakpoints_are_set_and_removed() -> None:
    """A second time removes what was set; a line is cleared of conditional ones, too."""
    one = Line("orders.py", 86)
    with_line = Stops().toggled_line(one)
    assert with_line.on_line("/home/x/app/orders.py", 86) == Breakpoint(OnLine(one))
    assert with_line.on_line("/home/x/app/orders.py", 87) is None
    assert with_line.toggled_line(one) == Stops()
    conditional = Stops().toggled(trigger_of("orders.py:86 if x"))
    assert conditional.toggled_line(one) == Stops()
    assert conditional.toggled(trigger_of("orders.py:86 if x")) == Stops()
    replaced = Stops().with_logpoint(logpoint_of("orders.py:86 a")).with_logpoint(logpoint_of("orders.py:86 b"))
    assert [logpoint.expression for logpoint in replaced.logpoints] == ["b"]
    assert replaced.on_line("orders.py", 86) == replaced.logpoints[0]
    assert replaced.without_logpoint(0) == Stops()
    assert Stops().with_watch("x").with_watch("x").watches == ("x",)
    assert Stops().with_watch("x").without_watch(0) == Stops()
    assert with_line.changed(0, None) == Stops()
