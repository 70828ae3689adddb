"""Which line a report points at, where the line that is to blame neither asks nor raises itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playhead import CodeRaised, CodeUnfinished, Diverges, Replayer
from playhead.rendering import as_json, report
from playhead_engine import Engine
from tests.replay import blamed_workflows as code

LINES = Path(code.__file__).read_text().splitlines()


def line_with(text: str) -> int:
    """The number of the line of the workflows that ends in this comment."""
    return next(number for number, line in enumerate(LINES, 1) if line.endswith(f"# {text}"))


def recorded(workflow: type[Any], *activities: Any) -> bytes:
    """What a run of a workflow leaves behind."""
    with Engine(workflows=[workflow], activities=activities) as engine:
        handle = engine.start_workflow(workflow.run, code.Order("A-1"), id="order-A-1", task_queue="orders").wait()
        handle.result().wait()
        return handle.fetch_history().wait().to_json()


def test_a_step_in_a_gather_is_blamed_on_the_line_that_made_it() -> None:
    """`gather` asks from no line of the user's; the one that made what it was given is the one to look at."""
    verdict = Replayer([code.BuyingTheOtherWayRound]).replay(recorded(code.Buying, code.reserve, code.charge))
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.site.line == line_with("now the first")


@pytest.mark.parametrize(
    ("before", "activity", "now", "blamed"),
    [
        (code.Ordering, code.reserve, code.OrderingWithPhone, "takes the argument"),
        (code.Ordering, code.reserve, code.OrderingForMore, "waits"),
        (code.NativeOrdering, code.native_reserve, code.NativeOrderingWithPhone, "takes the argument, natively"),
        (code.NativeOrdering, code.native_reserve, code.NativeOrderingForMore, "waits, too"),
    ],
)
def test_a_value_that_no_longer_fits_is_blamed_on_the_line_that_takes_it(
    before: type[Any], activity: Any, now: type[Any], blamed: str
) -> None:
    """A converter raises far from any code of the user's; the report says what it could not do, and for whom."""
    verdict = Replayer([now]).replay(recorded(before, activity))
    assert isinstance(verdict, CodeRaised)
    assert verdict.site.line == line_with(blamed)
    assert any("phone" in cause for cause in verdict.causes)


def test_code_that_does_not_hand_control_back_is_blamed_on_the_line_where_it_was_stopped() -> None:
    """So that all histories that hang there are one thing to look at."""
    history = recorded(code.NativeOrdering, code.native_reserve)
    verdict = Replayer([code.NativeOrderingWithoutEnd], deadlock_timeout=0.3).replay(history)
    assert isinstance(verdict, CodeUnfinished)
    assert verdict.site.line - line_with("for ever") in (0, 1)
    assert report("order.json", None, verdict).splitlines()[-1].endswith(f"blamed_workflows.py:{verdict.site.line}")


def test_what_an_error_came_from_is_told() -> None:
    """Temporal's SDK says that decoding failed, and its cause says why; people and machines are told both."""
    verdict = Replayer([code.OrderingWithPhone]).replay(recorded(code.Ordering, code.reserve))
    told = report("order.json", None, verdict).splitlines()
    assert told[1] == "  RuntimeError: Failed decoding arguments"
    assert told[2].startswith("  from      TypeError: ") and "'phone'" in told[2]
    assert json.loads(json.dumps(as_json("order.json", None, verdict)))["causes"] == list(verdict.causes)
