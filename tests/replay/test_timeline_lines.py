"""A past run line by line: steps, logpoints, and states before a line."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from playhead import Replayer
from playhead.timeline import steps
from playhead.timeline.asking import NotAnswered
from playhead.timeline.expression import BadExpression, RunChanged
from playhead.timeline.marks import NoSuchMark
from playhead_engine import Engine, workflow
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
    assert recording.steps.cut == {1}
    assert len(recording.lines(task=1)) == steps._MOST_STEPS_OF_TASK
    assert len(recording.lines(task=2)) > 0
