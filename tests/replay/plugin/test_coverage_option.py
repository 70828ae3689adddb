"""Workflows of which there is no history: reported, and with `--playhead-require-coverage` a failure."""

from __future__ import annotations

from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]


def test_a_workflow_without_a_history_is_named(suite: Suite) -> None:
    """By whoever looks at all histories, with xdist as well; not by whoever runs some of them."""
    suite.configure(ORDERS.replace('"app.orders"', '"app.orders", "app.saga", "app.raffle"'))
    suite.take_code("saga", "raffle")
    suite.take("orders_completed", "orders_failed")
    ran = suite.pytest()
    assert ran.code == 0
    assert ran.section("histories") == ["2 histories: 2 agrees", "without a history: RaffleDraw, TripBooking"]
    assert ran.section("histories") == suite.pytest("-n", "2").section("histories")
    assert suite.pytest("tests/histories/orders_failed.json").section("histories") == ["1 history: 1 agrees"]


def test_it_fails_the_session_where_that_is_wanted(suite: Suite) -> None:
    """By option or configuration. A test that replays a history from elsewhere covers its workflow, too."""
    suite.configure(ORDERS.replace('"app.orders"', '"app.orders", "app.saga"'), "playhead_require_coverage = true")
    suite.take_code("saga")
    suite.take("orders_completed")
    ran = suite.pytest()
    assert (ran.code, ran.outcomes) == (1, {"passed": 1})
    assert ran.section("histories")[-1] == "A workflow without a history fails this session."
    suite.take("saga_booked", folder="elsewhere")
    suite.write(
        "tests/test_trips.py",
        """
        import pytest

        @pytest.mark.playhead("elsewhere/saga_booked.json")
        def test_trip(replay):
            assert replay.history.is_complete
        """,
    )
    ran = suite.pytest()
    assert (ran.code, ran.outcomes) == (0, {"passed": 2}), ran.output
