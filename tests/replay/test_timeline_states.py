"""What a past run looked like: frames, marks, queries and expressions, in the words of somebody who debugs it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from playhead import Agrees, CodeRaised, Diverges, Replayer, ReplayFailed
from playhead.timeline.asking import NotAnswered
from playhead.timeline.capture import Capture
from playhead.timeline.expression import BadExpression, ExpressionFailed, RunChanged
from playhead.timeline.marks import NoSuchMark
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import differences, look
from playhead.timeline.state import State
from playhead_engine import workflow
from playhead_engine.runtime import inspectable
from tests.replay.timeline_workflows import Basket, Nested, basket, basket_history, line_of, nested

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
RECORDED = json.loads((FIXTURES / "INDEX.json").read_text())
# Events that come from outside of the code, and that no handler takes.
FROM_OUTSIDE = {"WORKFLOW_EXECUTION_TERMINATED", "WORKFLOW_EXECUTION_TIMED_OUT", "WORKFLOW_EXECUTION_CANCEL_REQUESTED"}


def texts(values: Any) -> dict[str, str]:
    """Captured variables, as they are shown."""
    return {name: value.text() for name, value in values.items()}


def fixture(name: str, module: str, cls: str = "OrderFulfilment") -> Recording:
    """The recording of one of our own histories."""
    return Replayer([getattr(importlib.import_module(module), cls)]).record(FIXTURES / name)


# -- Frames ------------------------------------------------------------------------------------------------------------


def test_there_is_a_state_after_every_workflow_task() -> None:
    """Each frame tells what was told, what was asked for, and what the variables held."""
    states = list(basket())
    assert [state.task for state in states] == [1, 2, 3, 4, 5, 6, 7]
    assert states[2].events == range(8, 14)
    assert texts(states[2].attributes) == {
        "lines": "[Line(item='tea', cents=300)]",
        "total": "300",
        "is_paid": "False",
    }
    assert texts(states[0].locals) == {"owner": "'Ada'", "greeting": "'Hello, Ada'"}
    assert [type(command).__name__ for command in states[1].commands] == ["ScheduleActivity"]


def test_what_a_run_waits_for_is_told_with_the_line_that_waits() -> None:
    """Activities, timers and conditions are waited for, each at a line."""
    recording = basket()
    waits = [(wait.kind, wait.name, wait.site.line) for wait in recording.at(task=2).waits]
    assert waits == [
        ("activity", "price", line_of(Basket.price_of, "execute_activity")),
        ("condition", "Basket.run.<locals>.<lambda>", line_of(Basket.run, "wait_condition")),
    ]
    assert [wait.kind for wait in recording.at(task=6).waits] == ["timer"]
    assert recording.at(task=7).waits == ()


def test_every_suspended_coroutine_is_there_with_its_stack() -> None:
    """The run method comes first; a handler shows the functions it is in, each with its variables."""
    run, handler = basket().at(task=2).coroutines
    assert (run.name, handler.name) == ("run", "signal: add")
    assert [frame.site.function for frame in handler.stack] == ["Basket.add", "Basket.price_of"]
    assert [texts(frame.locals) for frame in handler.stack] == [{"item": "'tea'"}, {"item": "'tea'"}]


def test_tasks_and_asynchronous_generators_are_looked_into() -> None:
    """What `gather` and `async for` wait in is found, however C code wraps it."""
    recording = nested()
    assert [one.name for one in recording.at(task=1).coroutines] == ["run", "Task-2", "Task-3", "Task-4"]
    assert [texts(one.stack[0].locals)["doubled"] for one in recording.at(task=1).coroutines[1:]] == ["0", "2", "4"]
    (run,) = recording.at(task=2).coroutines
    assert [frame.site.function for frame in run.stack] == ["Nested.run", "Nested.counting"]
    assert texts(run.stack[1].locals) == {"limit": "2", "number": "0"}


def test_a_command_says_from_where_its_line_was_called() -> None:
    """The call stack of a command is the user's functions, from the innermost to the outermost."""
    (command,) = basket().at(task=2).commands
    assert [site.function for site in command.site.stack()] == ["Basket.price_of", "Basket.add"]
    assert command.site.line == line_of(Basket.price_of, "execute_activity")


@pytest.mark.parametrize("entry", [e for e in RECORDED if e["verdict"] == "agrees"], ids=lambda e: e["file"])
def test_every_event_knows_its_line_on_green_runs(entry: dict[str, Any]) -> None:
    """A command event comes from a line, what follows from it from the same line, a signal from its handler."""
    recording = fixture(entry["file"], entry["module"], entry["class"])
    assert isinstance(recording.verdict, Agrees)
    module = sys.modules[entry["module"]].__file__
    for event in recording.history.events:
        site = recording.sources.get(event.event_id)
        if event.KIND.startswith("WORKFLOW_TASK_") or event.KIND in FROM_OUTSIDE:
            assert site is None
        elif event.event_id <= recording.last_event:
            assert site is not None, event
            assert site.file == module


def test_a_completion_points_at_its_schedule_and_a_timer_at_its_sleep() -> None:
    """Events about one thing share its line."""
    sources = basket().sources
    assert sources[9] == sources[10] == sources[11]
    assert sources[11].line == line_of(Basket.price_of, "execute_activity")
    assert sources[29].line == sources[30].line == line_of(Basket.run, "workflow.sleep")
    assert (sources[5].function, sources[25].function) == ("Basket.add", "Basket.pay")
    assert 6 not in sources


@pytest.mark.parametrize("entry", RECORDED, ids=lambda e: e["file"])
def test_what_was_captured_is_what_the_run_really_held(entry: dict[str, Any]) -> None:
    """At every workflow task of every recorded run, a fresh replay to that task holds what the recording says."""
    recording = fixture(entry["file"], entry["module"], entry["class"])
    assert len(recording.frames) > 0
    for state in recording:
        with recording._parking.at(state.task) as run:
            instance = inspectable(run.instance)
            assert instance is not None
            assert differences(state.snapshot, look(instance, run.completion, Capture())) == []
            assert [(w.kind, w.seq) for w in state.waits] == [(w.kind, w.seq) for w in instance.pending()]
    recording.close()


def test_chosen_queries_are_answered_after_every_task() -> None:
    """The answers are kept where they change."""
    recording = basket(queries=("items",))
    assert [(task, answer.value) for task, answer in recording.answers("items")] == [
        (1, []),
        (3, ["tea"]),
        (5, ["tea", "coffee"]),
    ]
    assert recording.verdict == basket().verdict
    with pytest.raises(LookupError, match="query 'total' was not asked while recording; asked were: items"):
        recording.answers("total")


def test_a_query_that_changes_the_run_is_found_out_while_recording() -> None:
    """The answer says what it changed."""
    _, answer = basket(queries=("spoil",)).answers("spoil")[0]
    assert answer.changed == ("self.total: 0 -> 1",)


def test_a_run_that_diverges_is_recorded_up_to_there() -> None:
    """The state at the divergence is there, and what comes after it is refused with the reason."""
    recording = fixture("orders_completed.json", "examples.orders_broken")
    assert isinstance(recording.verdict, Diverges)
    assert recording.at(event=11).eval("self.stage") == "checking"
    with pytest.raises(NoSuchMark, match="event 12 was not reached: the code diverges at event 11"):
        recording.at(event=12)


def test_a_run_whose_code_raises_shows_the_line_that_raised() -> None:
    """The variables at the raising line are there, although its coroutine is gone."""
    recording = fixture("orders_stuck.json", "examples.orders")
    assert isinstance(recording.verdict, CodeRaised)
    state = recording.at(event=-1)
    assert isinstance(state.error, ZeroDivisionError)
    assert state.coroutines[0].name == "raised ZeroDivisionError"
    assert texts(state.locals)["paid"] == "0"
    assert state.eval("order.total") == 0
    with pytest.raises(NotAnswered, match="the code raised after event 19"):
        state.query("status")


def test_what_cannot_be_replayed_cannot_be_recorded() -> None:
    """Code for another workflow type is refused with the types there are."""
    with pytest.raises(ReplayFailed, match="There is no code for workflow type 'Basket'"):
        Replayer([Nested]).record(basket_history())


# -- Marks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "total", "why"),
    [
        (1, 0, "the start was told in the first workflow task"),
        (5, 0, "the signal was told in the second"),
        (9, 0, "the activity was asked for there"),
        (10, 0, "its start is told to nobody"),
        (11, 300, "its end was told in the third"),
        (12, 300, "the workflow task begins with what it tells"),
        (34, 900, "the end was asked for in the last"),
        (-1, 900, "the last event there is"),
    ],
)
def test_the_state_at_an_event_is_the_one_in_which_the_code_knows_of_it(event: int, total: int, why: str) -> None:
    """It was told of it, or asked for it."""
    assert basket().at(event=event).eval("self.total") == total, why


def test_going_backwards_is_as_good_as_going_forwards() -> None:
    """Marks may be visited in any order."""
    recording = basket()
    forwards = {event: texts(recording.at(event=event).attributes) for event in range(1, 35)}
    backwards = {event: texts(recording.at(event=event).attributes) for event in range(34, 0, -1)}
    live = {event: recording.at(event=event).query("items") for event in range(34, 0, -1)}
    assert forwards == backwards
    assert live[11] == ["tea"]
    assert live[10] == []


def test_a_command_and_a_task_are_marks_as_well() -> None:
    """The third command of the run is the timer; tasks count from either end."""
    recording = basket()
    assert recording.at(command=3).task == 6
    assert recording.at(task=-1).task == 7


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ({"event": 99}, "there is no event 99: the run has events 1 to 34"),
        ({"event": 0}, "there is no event 0: the run has events 1 to 34"),
        ({"task": 8}, "there is no workflow task 8: the run has workflow tasks 1 to 7"),
        ({"command": 5}, "there is no command 5: the run has commands 1 to 4"),
        ({"line": "basket.py"}, "a line of code is written FILE:LINE, for example orders.py:42, not 'basket.py'"),
    ],
)
def test_a_mark_that_is_not_there_is_refused_with_those_that_are(mark: dict[str, Any], problem: str) -> None:
    """The message says what can be asked for."""
    with pytest.raises(NoSuchMark) as raised:
        basket().at(**mark)
    assert str(raised.value) == problem


def test_one_mark_at_a_time() -> None:
    """Two marks, or none, are a mistake of the programmer."""
    with pytest.raises(TypeError, match="at\\(\\) takes one mark"):
        basket().at(event=1, task=1)
    with pytest.raises(TypeError, match="at\\(\\) takes one mark"):
        basket().at()


# -- Differences and conditions ----------------------------------------------------------------------------------------


def test_two_states_are_compared_variable_by_variable() -> None:
    """What differs is told as deep down as it can be followed."""
    recording = basket()
    assert [str(one) for one in recording.at(task=3).diff(recording.at(task=6))] == [
        "self.lines: [Line(item='tea', cents=300)] -> [Line(item='tea', cents=300), Line(item='coffee', cents=600)]",
        "self.total: 300 -> 900",
        "self.is_paid: False -> True",
    ]
    assert recording.at(task=3).diff(recording.at(task=3)) == []


def test_the_first_state_for_which_a_condition_holds() -> None:
    """Conditions are evaluated on the objects themselves, methods included."""
    recording = basket()
    assert recording.first("self.total > 500").task == 5
    assert recording.first("len(self.lines) == 1 and self.lines[0].item == 'tea'").task == 3
    assert recording.first("self.most_expensive() == 'coffee'").task == 5
    assert recording.first("self.total > 5000") is None


def test_a_condition_that_never_makes_sense_is_an_error() -> None:
    """A mistyped name must not look like a condition that never holds."""
    with pytest.raises(ExpressionFailed, match="self.totl > 5: AttributeError: 'Basket' object"):
        basket().first("self.totl > 5")


def test_where_an_attribute_changes() -> None:
    """Each change names the event after which it came; an attribute may be named without `self`."""
    changes = basket().changes("total")
    assert [(change.event, change.task) for change in changes] == [(1, 1), (11, 3), (21, 5)]
    assert str(changes[1]) == "event 11: 0 -> 300"
    assert [change.event for change in basket().changes("len(self.lines)")] == [1, 11, 21]


# -- Questions ---------------------------------------------------------------------------------------------------------


def test_a_query_is_answered_as_it_would_have_been_then() -> None:
    """With arguments, at any event."""
    recording = basket()
    assert recording.at(event=11).query("items") == ["tea"]
    assert recording.at(event=34).query("items", "c") == ["coffee"]
    assert recording.at(event=4).query("items") == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("broken", "query 'broken' after event 13: nobody knows"),
        ("spoil", "query 'spoil' changed the run, and a query must not: self.total: 300 -> 301"),
        ("nonsense", "Basket has no handler for query 'nonsense'"),
    ],
)
def test_a_query_without_an_answer_says_why(name: str, problem: str) -> None:
    """And the run it spoiled is not used again."""
    recording = basket()
    with pytest.raises(NotAnswered) as raised:
        recording.at(event=11).query(name)
    assert problem in str(raised.value)
    assert recording.at(event=11).eval("self.total") == 300
    assert recording.at(event=11).query("items") == ["tea"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("self.total * 2", 600),
        ("owner", "Ada"),
        ("f'{owner}: {self.total}'", "Ada: 300"),
        ("[line.cents for line in self.lines]", [300]),
        ("self.lines[0].item.upper()", "TEA"),
        ("sum(line.cents for line in self.lines) == self.total", True),
        ("self.most_expensive()", "tea"),
        ("SOON.total_seconds()", 10.0),
        ("sorted({'b', 'a'})", ["a", "b"]),
        ("(lambda x: x + self.total)(1)", 301),
    ],
)
def test_expressions_see_the_variables_of_the_run(expression: str, value: Any) -> None:
    """Attributes, locals, globals of the module, and Python's own functions that only look."""
    assert basket().at(event=11).eval(expression) == value


def test_an_expression_may_give_an_object() -> None:
    """It is the object itself, of a run that nobody else uses."""
    state = basket().at(event=11)
    line = state.eval("self.lines[0]")
    line.cents = 7
    assert state.eval("self.lines[0].cents") == 300
    assert state.look("self.lines[0]").text() == "Line(item='tea', cents=300)"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "there is no expression"),
        ("self.total >", "invalid syntax"),
        ("self.total = 5", "a statement does more than look"),
        ("import os", "invalid syntax"),
        ("(x := 5)", "`:=` does more than look"),
        ("await self.run('x')", "`await` does more than look"),
        ("(yield)", "`yield` does more than look"),
        ("[x async for x in self]", "does more than look"),
        ("setattr(self, 'total', 5)", "setattr() does more than look"),
        ("exec('x')", "exec() does more than look"),
        ("__import__('os')", "__import__() does more than look"),
        ("(" * 1000 + ")" * 1000, "too many nested parentheses"),
    ],
)
def test_an_expression_that_could_change_something_is_refused(expression: str, problem: str) -> None:
    """Before it is evaluated, and with the reason."""
    with pytest.raises(BadExpression) as raised:
        basket().at(event=11).eval(expression)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    "expression",
    [
        "self.lines.pop()",
        "self.lines.append(1)",
        "self.__dict__.update(total=5)",
        "self.lines[0].__setattr__('cents', 1)",
    ],
)
def test_an_expression_that_changes_something_all_the_same_is_found_out(expression: str) -> None:
    """The error says what it changed, and later answers come from a run that is as it was."""
    recording = basket()
    with pytest.raises(RunChanged, match="it changes the run, and a past run can only be looked at: self\\."):
        recording.at(event=11).eval(expression)
    with pytest.raises(RunChanged):
        recording.first(f"{expression} and False")
    assert recording.at(event=11).eval("self.total") == 300
    assert recording.at(event=11).query("items") == ["tea"]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("self.nothing", "AttributeError: 'Basket' object has no attribute 'nothing'"),
        ("nothing", "NameError: name 'nothing' is not defined"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("self.run('x')", "it gives a coroutine, and nothing can be awaited in a past run"),
        ("workflow.now()", "this is only possible in workflow code, while it runs"),
    ],
)
def test_an_expression_that_raises_says_what(expression: str, problem: str) -> None:
    """As one line, with the expression."""
    with pytest.raises(ExpressionFailed) as raised:
        basket().at(event=11).eval(expression)
    assert str(raised.value).startswith(f"{expression}: ")
    assert problem in str(raised.value)


# -- Bounds ------------------------------------------------------------------------------------------------------------


@workflow.defn(name="Nested")
class Heavy:
    """Holds more than a recording looks at in every workflow task."""

    def __init__(self) -> None:
        """Hold lists of lists."""
        self.rounds = 0
        self.rows: list[list[int]] = []

    @workflow.run
    async def run(self, count: int) -> int:
        """Sleep, and grow meanwhile."""
        for _ in range(count):
            await workflow.sleep(1)
            self.rounds += 1
            self.rows = [[self.rounds] * 200 for _ in range(200)]
        return count


def test_a_heavy_run_is_told_just_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where recording every variable would cost too much, states are captured when somebody asks for them."""
    from playhead.timeline import recorder
    from playhead_engine import Engine

    monkeypatch.setattr(recorder, "_HEAD_START_SECONDS", 0.001)
    with Engine(workflows=[Heavy], activities=[], seed=7) as engine:
        handle = engine.start_workflow(Heavy.run, 30, id="heavy", task_queue="t").wait()
        handle.result().wait()
        recording = Replayer([Heavy]).record(handle.fetch_history().wait())
    captured = [frame.is_captured for frame in recording.frames]
    assert any(captured)
    assert not all(captured)
    for _ in range(2):
        for state in reversed(list(recording)):
            assert state.attributes["rounds"].content == state.task - 1
            assert [wait.kind for wait in state.waits] == (["timer"] if state.task < 31 else [])
        recording.prepare()
        assert all(frame.is_captured for frame in recording.frames)
    assert [change.task for change in recording.changes("rounds")] == list(range(1, 32))


def test_states_are_kept_as_differences() -> None:
    """A variable that does not change is kept once, however many workflow tasks there are."""
    recording = basket()
    first, last = recording.at(task=1), recording.at(task=6)
    assert first.locals["greeting"] is last.locals["greeting"]
    lines, more = recording.at(task=3).attributes["lines"], recording.at(task=6).attributes["lines"]
    assert lines.parts[0] is more.parts[0]


def test_states_need_no_live_run_for_what_was_captured() -> None:
    """After the recording is made, looking at its states runs no code."""
    recording = basket()

    def refuse() -> Any:
        raise AssertionError("code was run")

    recording._rerun = recording._parking._begin = refuse  # type: ignore[assignment]
    states: list[State] = list(recording)
    assert [texts(state.attributes)["total"] for state in states] == ["0", "0", "300", "300", "900", "900", "900"]
    assert [state.eval("self.total // 100") for state in states] == [0, 0, 3, 3, 9, 9, 9]
