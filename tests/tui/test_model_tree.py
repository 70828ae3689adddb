"""The call and await tree: who stands where, and waits for what, since when and until when."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import pytest

from playhead import Replayer
from playhead.loading import CodeNames, load_code
from playhead.readers import read_history
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import Coroutine, StackFrame
from playhead_engine.call_site import elsewhere
from playhead_engine.runtime import Waiting
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import text_of
from playhead_tui.model.outline import Outline, branch_line
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.tree import await_tree, claims
from tests.replay.timeline_workflows import Basket, Nested, basket, line_of, nested

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"

BOTH_KINDS = pytest.mark.parametrize("package", ["examples", "examples.temporal"])


def run_of(recording: Recording) -> Run:
    """A recorded run."""
    return Run("run", Groups(recording.history), recording)


def fixture(name: str, module: str) -> Run:
    """One of our own histories, replayed."""
    workflows = load_code(CodeNames(workflows=(module,))).workflows
    return run_of(Replayer(list(workflows)).record(FIXTURES / f"{name}.json"))


def tree(run: Run, place: Place) -> list[str]:
    """What is on the screen, with nothing folded."""
    outline = Outline(await_tree(run, place, run.snapshot(place)))
    for _ in range(3):
        for index in range(len(outline) - 1, -1, -1):
            outline.fold(index, unfold=True)
    return [text_of(branch_line(branch)).strip(" ▾") for branch in outline.rows]


def test_a_handler_waits_beside_the_run_method() -> None:
    """Each with its functions from the outermost to the innermost, and what it waits for below."""
    run = run_of(basket())
    lines = tree(run, Place(9))
    file = "tests/replay/timeline_workflows.py"
    assert lines == [
        "run",
        f"Basket.run  {file}:{line_of(Basket.run, 'wait_condition')}",
        "waits for  condition Basket.run.<locals>.<lambda>",
        f"asked at  {file}:{line_of(Basket.run, 'wait_condition')} in Basket.run.<locals>.<lambda>",
        "signal: add",
        f"Basket.add  {file}:{line_of(Basket.add, 'self.price_of')}",
        f"Basket.price_of  {file}:{line_of(Basket.price_of, 'execute_activity')}",
        "waits for  activity price",
        "asked for  event 9",
        "ends  event 11, completed",
        f"asked at  {file}:{line_of(Basket.price_of, 'execute_activity')} in Basket.price_of",
    ]


def test_tasks_at_the_same_line_wait_for_one_thing_each() -> None:
    """Three tasks of `gather` stand at one line; each has an activity of its own."""
    lines = tree(run_of(nested()), Place(8))
    assert [line for line in lines if line.startswith("asked for")] == [
        "asked for  event 5",
        "asked for  event 6",
        "asked for  event 7",
    ]
    assert sum(line.startswith("Nested.one") for line in lines) == 3
    assert not any("under way" in line for line in lines)


def test_what_is_told_can_be_gone_to() -> None:
    """The line at which a function stands, the event that asked, the one that will end it."""
    run = run_of(nested())
    place = Place(8)
    outline = Outline(await_tree(run, place, run.snapshot(place)))
    function = next(branch.node for branch in outline.rows if branch.node.label == "Nested.one")
    assert function.site is not None
    assert function.site.line == line_of(Nested.one, "execute_activity")
    wait = next(branch.node for branch in outline.rows if branch.node.label == "waits for")
    assert wait.event_id == 5
    assert wait.parts is not None
    assert [part.event_id for part in wait.parts()] == [5, 12, 0]


@BOTH_KINDS
def test_an_activity_that_is_begun_in_a_generator_belongs_to_who_awaits_it(package: str) -> None:
    """`gather(*(... for ...))` waits for all of them, though another line asked."""
    lines = tree(fixture("batch_parent", f"{package}.batch"), Place(8))
    assert lines[0] == "run"
    assert lines[1].startswith("BatchImport.run")
    assert sum(line.startswith("waits for  child workflow FileImport") for line in lines) == 3
    assert not any("under way" in line for line in lines)


@BOTH_KINDS
def test_a_timer_is_told_by_its_length(package: str) -> None:
    """Seven days, of which some milliseconds have passed; it will be cancelled."""
    lines = tree(fixture("approval_updated", f"{package}.approval"), Place(12))
    assert "waits for  timer of 7 days, for 55 ms" in lines
    assert "ends  event 38, cancelled" in lines


@BOTH_KINDS
def test_the_way_of_an_error_is_a_branch(package: str) -> None:
    """Where the code raised, the functions that the error went through."""
    lines = tree(fixture("orders_stuck", f"{package}.orders"), Place(19))
    assert lines[0] == "raised ZeroDivisionError"
    module = importlib.import_module(f"{package}.orders")
    assert lines[1].endswith(f"orders.py:{line_of(module.OrderFulfilment.run, 'discount_percent =')}")


def test_at_a_line_the_calls_that_led_there_are_told() -> None:
    """The functions that are running, and a word on what is not known there."""
    run = run_of(basket())
    step = next(step for step in run.steps if step.site.function == "Basket.price_of")
    lines = tree(run, run.place_of(step))
    assert lines[0] == "here"
    assert [line.split()[0] for line in lines[1:3]] == ["Basket.add", "Basket.price_of"]
    assert lines[-1] == "what else waits is known between workflow tasks"


def test_where_nothing_is_known_that_is_said() -> None:
    """Without code, at the end of the run, and beyond the point where the code diverged."""
    history = read_history(FIXTURES / "orders_completed.json")
    assert tree(Run("x", Groups(history)), Place(5)) == ["without code, nothing is known of it"]
    run = fixture("orders_completed", "examples.orders")
    assert tree(run, run.last) == ["nothing is under way: the code has come to its end"]
    broken = fixture("orders_completed", "examples.orders_broken")
    assert tree(broken, broken.last) == ["the replay did not come so far"]


def test_what_nobody_awaits_yet_stands_by_itself() -> None:
    """Something that another module began is not given to a coroutine that happens to wait."""
    stack = (StackFrame(elsewhere("app.py", "Flow.run", 10), {}),)
    here = Waiting("activity", 1, "a", None, elsewhere("app.py", "Flow.run", 10))
    there = Waiting("activity", 2, "b", None, elsewhere("library.py", "helper", 10))
    unknown = Waiting("timer", 1, "1", None, None)
    found = claims([Coroutine("run", stack)], [there, here, unknown])
    assert found.of == ((here,),)
    assert found.left == (there, unknown)


def test_thousands_of_coroutines_are_told_in_no_time() -> None:
    """A run with 5,000 tasks at one line is cut, and says by how much."""
    stack = (StackFrame(elsewhere("app.py", "Flow.one", 10), {}),)
    coroutines = [Coroutine(f"Task-{number}", stack) for number in range(5_000)]
    site = elsewhere("app.py", "Flow.one", 10)
    waits = [Waiting("activity", number, "a", None, site) for number in range(5_000)]
    begun = time.process_time()
    found = claims(coroutines, waits)
    assert time.process_time() - begun < 0.5
    assert found.of[4_999] == (waits[4_999],)
    assert found.left == ()
