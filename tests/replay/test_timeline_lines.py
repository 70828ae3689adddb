"""A past run line by line: steps, logpoints, and states before a line."""

from __future__ import annotations

import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from playhead import Agrees, Replayer
from playhead.timeline import steps
from playhead.timeline.asking import NotAnswered
from playhead.timeline.expression import BadExpression, RunChanged
from playhead.timeline.marks import NoSuchMark
from playhead_engine import Engine, workflow
from playhead_engine.history import History
from tests.replay import timeline_workflows
from tests.replay.timeline_workflows import Basket, basket, line_of, nested

FILE = timeline_workflows.__file__
ADDED = line_of(Basket.add, "self.total += cents")


def test_the_lines_of_a_workflow_task_in_the_order_in_which_they_ran() -> None:
    """From the function that was resumed to the one that it called, with the depth."""
    ran = basket().lines(task=3)
    assert [(step.site.line, step.depth) for step in ran] == [
        (line_of(Basket.add, "self.lines.append"), 0),
        (ADDED, 0),
        (line_of(Basket.run, "wait_condition"), 0),
    ]


def test_a_step_shows_the_variables_before_its_line() -> None:
    """So the effect of a line is seen one step later, and going back is looking at the step before."""
    ran = basket().lines(task=3)
    totals = [step.attributes["total"].content for step in ran]
    assert totals == [0, 0, 300]
    assert [step.attributes["total"].content for step in reversed(ran)] == totals[::-1]
    assert ran[0].locals["cents"].content == 300
    assert {name: value.text() for name, value in ran[2].changed.items()} == {"self.total": "300"}


def test_the_functions_that_called_a_line_are_there_with_their_variables() -> None:
    """The stack at a line goes from the outermost function to the one whose line it is."""
    state = basket().at(line=f"{FILE}:{line_of(Basket.price_of, 'execute_activity')}")
    (here,) = state.coroutines
    assert [frame.site.function for frame in here.stack] == ["Basket.add", "Basket.price_of"]
    assert [frame.locals["item"].content for frame in here.stack] == ["tea", "tea"]


def test_a_line_is_a_mark_and_so_is_each_time_it_runs() -> None:
    """By default the first time; negative numbers count from the last."""
    recording = basket()
    line = f"timeline_workflows.py:{ADDED}"
    assert recording.at(line=line).eval("self.total") == 0
    assert recording.at(line=line, hit=2).eval("self.total + cents") == 900
    assert recording.at(line=line, hit=-1).task == 5
    with pytest.raises(NoSuchMark, match="is reached 2 times, not 3"):
        recording.at(line=line, hit=3)


def test_methods_may_be_called_at_a_line() -> None:
    """They are called on a run of its own, stopped before that line."""
    state = basket().at(line=f"timeline_workflows.py:{ADDED}", hit=2)
    assert state.eval("self.most_expensive()") == "coffee"
    assert state.look("self.lines[1]").text() == "Line(item='coffee', cents=600)"
    with pytest.raises(RunChanged, match="self.lines"):
        state.eval("self.lines.pop().item")
    assert state.eval("self.most_expensive()") == "coffee"


def test_a_query_cannot_be_answered_in_the_middle_of_a_task() -> None:
    """The refusal says where to ask instead."""
    state = basket().at(line=f"timeline_workflows.py:{ADDED}")
    with pytest.raises(NotAnswered, match=r"between workflow tasks; ask at\(task=3\) or at\(task=2\)"):
        state.query("items")


@pytest.mark.parametrize("line", ["timeline_workflows.py:1", "workflows.py:3", "elsewhere/timeline_workflows.py:5"])
def test_a_line_that_is_never_reached_is_refused_with_those_that_are(line: str) -> None:
    """Whether it is the wrong line or the wrong file."""
    with pytest.raises(NoSuchMark) as raised:
        basket().at(line=line)
    assert f"{line} is never reached" in str(raised.value)
    assert (str(ADDED) if line.startswith("timeline") else FILE) in str(raised.value)
    with pytest.raises(NoSuchMark):
        basket().log(line, "self.total")


def test_a_logpoint_says_what_a_print_would_have_said() -> None:
    """For a past run, without touching the code."""
    logged = basket().log(f"timeline_workflows.py:{ADDED}", 'f"{item} {cents=} {self.total=}"')
    assert [one.text for one in logged] == ["tea cents=300 self.total=0", "coffee cents=600 self.total=300"]
    assert [(one.task, one.event) for one in logged] == [(3, 13), (5, 23)]


def test_a_logpoint_whose_expression_raises_says_so_each_time() -> None:
    """It does not keep the run from going on."""
    logged = basket().log(f"timeline_workflows.py:{ADDED}", "100 // (cents - 300)")
    assert [(one.error, one.text) for one in logged] == [
        (
            "ZeroDivisionError: integer division or modulo by zero",
            "ZeroDivisionError: integer division or modulo by zero",
        ),
        ("", "0"),
    ]


def test_a_logpoint_only_looks() -> None:
    """What could change the run is refused, before it runs or as soon as it has."""
    recording = basket()
    line = f"timeline_workflows.py:{ADDED}"
    with pytest.raises(BadExpression, match="a statement does more than look"):
        recording.log(line, "self.total = 5")
    with pytest.raises(RunChanged, match="self.lines"):
        recording.log(line, "self.lines.clear()")
    assert recording.log(line, "self.total")[1].text == "300"


def test_tasks_and_generators_are_traced() -> None:
    """Lines of everything the run does beside its run method are there."""
    functions = {step.site.function for step in nested().steps}
    assert {"Nested.run", "Nested.one", "Nested.counting"} <= functions


def test_tracing_leaves_no_tracer_behind() -> None:
    """A tracer that was there before, such as a coverage measurement, is there again."""

    def mine(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(mine)
    try:
        assert len(basket().steps) > 10
        assert sys.gettrace() is mine
    finally:
        sys.settrace(before)


@workflow.defn
class Busy:
    """Runs very many lines in its first workflow task."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Add up."""
        total = 0
        for number in range(count):
            total += number
        await workflow.sleep(1)
        return total


def test_a_task_that_runs_very_many_lines_is_cut() -> None:
    """The first of its lines are kept, and the recording says that there were more."""
    with Engine(workflows=[Busy], activities=[], seed=7) as engine:
        handle = engine.start_workflow(Busy.run, 30_000, id="busy", task_queue="t").wait()
        handle.result().wait()
        recording = Replayer([Busy]).record(handle.fetch_history().wait())
    for _ in range(2):
        assert len(recording.lines(task=1)) == steps._MOST_STEPS_OF_TASK
        assert len(recording.lines(task=2)) > 0
        assert [recording.is_cut(task=task) for task in (1, 2)] == [True, False]
        assert recording.steps.cut == {1}  # from here on, lines are looked up in all steps
    line = f"{Path(__file__).name}:{line_of(Busy.run, 'total += number')}"
    assert recording.at(line=line, hit=9_000).eval("number") == 8_999
    with pytest.raises(NoSuchMark, match="after 60,000 other lines, and of a workflow task only the first 20,000"):
        recording.at(line=line, hit=-1)


@workflow.defn
class Long:
    """Sleeps often, and remembers how often."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.naps: list[int] = []

    @workflow.run
    async def run(self, count: int) -> int:
        """Sleep."""
        for number in range(count):
            await workflow.sleep(1)
            self.naps.append(number)
        return len(self.naps)

    @workflow.query
    def slept(self) -> int:
        """Tell how often."""
        return len(self.naps)


@cache
def long_history() -> History:
    """Of two hundred naps."""
    with Engine(workflows=[Long], activities=[], seed=7) as engine:
        handle = engine.start_workflow(Long.run, 200, id="long", task_queue="t").wait()
        handle.result().wait()
        return handle.fetch_history().wait()


def told(ran: list[steps.Step]) -> list[tuple[int, int, int, dict[str, str]]]:
    """What a step shows: where it is, and what the line before it changed."""
    return [(s.task, s.index, s.site.line, {n: v.text() for n, v in s.changed.items()}) for s in ran]


def test_lines_are_the_same_wherever_one_comes_from() -> None:
    """Asked for by themselves, forwards, backwards or here and there, they are those of the whole run."""
    whole, single = Replayer([Long]).record(long_history()), Replayer([Long]).record(long_history())
    assert len(whole.steps) == 603
    for task in (190, 191, 189, 188, 150, 3, 1, 201, 100, 101, *range(60, 20, -1)):
        assert told(single.lines(task=task)) == told(whole.lines(task=task)), task
    assert "steps" not in vars(single)


def test_looking_ahead_of_time_changes_no_answer() -> None:
    """`prepare` is for whoever wants every look to be fast; what is seen is the same."""
    recording = Replayer([Long]).record(long_history())
    recording.prepare()
    parked = recording._parking._parked
    assert [rerun.task for rerun in parked] == list(range(17, 201, 17))
    for task in (200, 17, 3, 101, 100, 99):
        assert recording.at(task=task).query("slept") == task - 1
        assert told(recording.lines(task=task))[0][:2] == (task, 1)
    recording.close()
    assert recording.at(task=50).query("slept") == 49
    recording.close()


def test_a_value_at_a_line_is_the_one_before_it_although_the_task_goes_on() -> None:
    """A list that grows later in the same workflow task is still short there."""
    recording = Replayer([Long]).record(long_history())
    line = line_of(Long.run, "self.naps.append")
    state = recording.at(line=f"test_timeline_lines.py:{line}", hit=3)
    assert state.look("list(self.naps)").text() == "[0, 1]"
    assert state.eval("self.naps.copy()") == [0, 1]
    assert state.eval("self.naps.__len__()") == 2


_runs: list[int] = []


@workflow.defn(name="Long")
class Forgetful:
    """Does in its second run what it did not do in the first."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Sleep, or not."""
        _runs.append(1)
        for _ in range(count):
            if len(_runs) == 1:
                await workflow.sleep(1)
            else:
                await workflow.execute_activity("other", start_to_close_timeout=timedelta(seconds=1))
        return count


def test_code_that_does_something_else_when_it_is_run_again_is_not_believed() -> None:
    """What it says then is not true of the run that was recorded."""
    _runs.clear()
    recording = Replayer([Forgetful]).record(long_history())
    assert isinstance(recording.verdict, Agrees)
    with pytest.raises(NotAnswered, match=r"did not do in workflow task 1 what it did before.*--hunt"):
        recording.lines(task=5)
