"""A fault plan is one short line of text and back, and says what is wrong with it in the words of its user."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead_engine.faults import (
    HAVE_ATTEMPTS,
    KINDS,
    MEANING,
    NAMED_AFTER,
    NEEDS_TIME,
    STRIKES,
    TAKES_TIME,
    BadFaultPlan,
    Fault,
    FaultPlan,
    FaultPoint,
)

NAMES = st.text(st.sampled_from("ab1.*%;:/ \t\n\u2028\u00fc\u03b1\U0001f9ff"), max_size=6)


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(KINDS))
    strike = draw(st.sampled_from(STRIKES[kind]))
    numbers = st.integers(1, 10**6)
    point = FaultPoint(kind, draw(NAMES), draw(numbers), draw(numbers) if kind in HAVE_ATTEMPTS else 1)
    if strike in NEEDS_TIME or (strike in TAKES_TIME and draw(st.booleans())):
        return Fault(point, strike, draw(st.floats(1e-9, 1e9)))
    return Fault(point, strike)


@given(st.lists(faults(), max_size=5).map(tuple).map(FaultPlan))
def test_a_plan_is_one_line_of_text_and_back(plan: FaultPlan) -> None:
    """Whatever activities and signals are called, the text of a plan is one printable line that gives the same plan."""
    text = str(plan)
    assert text.isprintable()
    assert FaultPlan.parse(text) == plan
    assert str(FaultPlan.parse(text)) == text
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_plan_reads_like_what_it_says() -> None:
    """The text is what one would write by hand."""
    plan = FaultPlan.parse("activity charge 2.1 lose;timer Order 1 late 3600s ; commit * 5 crash-after")
    assert plan.faults == (
        Fault(FaultPoint("activity", "charge", 2, 1), "lose"),
        Fault(FaultPoint("timer", "Order", 1), "late", 3600),
        Fault(FaultPoint("commit", "*", 5), "crash-after"),
    )
    assert str(plan) == "activity charge 2.1 lose; timer Order 1 late 3600s; commit * 5 crash-after"
    assert FaultPlan.parse(" ; ") == FaultPlan()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("activity charge", "a fault is written KIND NAME NUMBER STRIKE"),
        ("activity charge 1 lose now", "a time is written as seconds, such as 60s, and not 'now'"),
        ("activity charge one lose", "a point is numbered 3, or 3.1 if it has attempts, and not 'one'"),
        ("activity charge 0.1 lose", "a point is numbered 3, or 3.1 if it has attempts, and not '0.1'"),
        ("signal paid 1.2 twice", "a point of kind 'signal' has no attempts"),
        ("weather hail 1 lose", "there is no fault point of kind 'weather'; there are start, signal, update"),
        ("signal paid 1 evict", "at a point of kind 'signal' there can be late, reorder, twice"),
        ("timer Order 1 late", "'late' needs a time in seconds after it, such as 60s"),
        ("activity charge 1.1 lose 5s", "'lose' takes no time"),
    ],
)
def test_what_is_no_plan_is_refused_with_what_there_could_be(text: str, problem: str) -> None:
    """The message names the fault as it was written, and what could stand there."""
    with pytest.raises(BadFaultPlan) as refusal:
        FaultPlan.parse(f"activity ship 1.1 fail; {text}")
    assert str(refusal.value).startswith(f"'{text}' is no fault: {problem}")
    assert str(pickle.loads(pickle.dumps(refusal.value))) == str(refusal.value)


def test_every_kind_and_every_strike_is_explained() -> None:
    """There is a sentence for everything that can be in a plan, and none for what cannot."""
    strikes = {strike for can in STRIKES.values() for strike in can}
    assert set(STRIKES) == set(NAMED_AFTER) == set(KINDS)
    assert set(MEANING) == strikes
    assert strikes >= TAKES_TIME >= NEEDS_TIME
