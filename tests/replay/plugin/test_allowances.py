"""Breaks that may be there for a while: `[[tool.playhead.allow]]`, and `allow=` with `until=` of the marker."""

from __future__ import annotations

from tests.replay.plugin.suite import BROKEN, Suite, suite

__all__ = ["suite"]


def test_an_allowed_break_is_an_expected_failure_with_its_reason(suite: Suite) -> None:
    """It is shown as one, with its last day; one that nothing needs any more is named."""
    suite.configure(
        f"""
        {BROKEN}
        [[tool.playhead.allow]]
        history = "tests/histories/orders_completed.json"
        event = 11
        reason = "old orders are done by hand"
        until = 9999-12-31

        [[tool.playhead.allow]]
        history = "tests/histories/saga_*.json"
        reason = "nothing is booked"
        until = 9999-12-31
        """
    )
    suite.take("orders_completed")
    ran = suite.pytest("-rx")
    assert (ran.code, ran.outcomes) == (0, {"xfailed": 1}), ran.output
    reason = "diverges at event 11, allowed until 9999-12-31: old orders are done by hand"
    assert f"XFAIL tests/histories/orders_completed.json::OrderFulfilment - {reason}" in ran.output
    assert ran.section("histories") == [
        "1 history: 1 diverges",
        f"allowed: tests/histories/orders_completed.json {reason}",
        "no longer needed: the allowance for history 'tests/histories/saga_*.json'",
    ]
    assert suite.pytest("--runxfail").outcomes == {"failed": 1}


def test_an_allowance_that_is_over_allows_nothing(suite: Suite) -> None:
    """From the next day on the test fails, and says what was allowed."""
    suite.take("orders_completed")
    suite.write(
        "tests/test_orders.py",
        """
        import pytest
        from app import orders_broken

        @pytest.mark.playhead(
            "histories/orders_completed.json", orders_broken.OrderFulfilment, allow="old orders", until="9999-12-31"
        )
        def test_allowed(replay): ...

        @pytest.mark.playhead(
            "histories/orders_completed.json", orders_broken.OrderFulfilment, allow="old orders", until="2020-01-31"
        )
        def test_over(replay): ...
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"failed": 1, "xfailed": 1}, ran.output
    assert ran.section("test_over")[-1] == "  It was allowed until 2020-01-31: old orders"
