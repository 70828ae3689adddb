"""`@pytest.mark.playhead(...)`, and the fixture `replay` that goes with it."""

from __future__ import annotations

from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]


def test_a_test_looks_into_the_run_it_is_marked_with(suite: Suite) -> None:
    """With the code that the marker names or that of the project; the file is found from the test, or by its name."""
    suite.configure(ORDERS)
    suite.take("orders_completed", "orders_retries")
    suite.write(
        "tests/test_states.py",
        """
        import pytest
        from app.orders import OrderFulfilment

        @pytest.mark.playhead("histories/orders_completed.json", OrderFulfilment, queries=["status"])
        def test_states(replay):
            assert replay.at(event=7).query("status") == "charging"
            assert replay.first("self.stage == 'shipping'").event == 15
            assert [answer.value for _, answer in replay.answers("status")][-1] == "shipped"

        @pytest.mark.playhead("orders_completed", at={7: {"status()": "charging", "order.total": 5000}, -1: {}})
        def test_said_in_the_marker(replay):
            assert replay.history.id == "order-A-1"

        @pytest.mark.playhead("histories/orders_*.json")
        def test_each(replay):
            assert len(replay.frames) == 4
        """,
    )
    ran = suite.pytest("-v", "tests/test_states.py")
    assert ran.outcomes == {"passed": 4}, ran.output
    assert "test_each[orders_completed] PASSED" in ran.output
    assert "test_each[orders_retries] PASSED" in ran.output


def test_what_is_not_as_expected_fails_the_test(suite: Suite) -> None:
    """Not its fixtures; with the diagnosis, or with what was expected beside what came."""
    suite.take("orders_completed", "orders_stuck", folder="tests")
    suite.write(
        "tests/test_states.py",
        """
        import pytest
        from app import orders, orders_broken

        @pytest.mark.playhead("orders_completed.json", orders_broken.OrderFulfilment)
        def test_breaks(replay):
            raise AssertionError("not reached")

        @pytest.mark.playhead("orders_completed.json", orders_broken.OrderFulfilment, verdict="diverges", event=11)
        def test_breaks_as_expected(replay):
            assert replay.last_event == 11

        @pytest.mark.playhead("orders_completed.json", orders.OrderFulfilment, verdict="diverges")
        def test_breaks_no_longer(replay):
            raise AssertionError("not reached")

        @pytest.mark.playhead(
            "orders_stuck.json", orders.OrderFulfilment, verdict="code raised", error="ZeroDivisionError"
        )
        def test_is_stuck(replay):
            assert replay.at(event=-1).error is not None

        @pytest.mark.playhead("orders_completed.json", orders.OrderFulfilment, at={7: {"status()": "packing"}})
        def test_state(replay):
            raise AssertionError("not reached")
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"failed": 3, "passed": 2}, ran.output
    assert "tests/orders_completed.json: diverges at event 11" in ran.section("test_breaks")
    assert ran.section("test_breaks_no_longer") == [
        "tests/orders_completed.json: agrees (23 events)",
        "  expected: diverges",
    ]
    assert "  status() at event 7: expected 'packing', got 'charging'" in ran.section("test_state")
    assert "not reached" not in ran.output


def test_histories_take_markers_from_a_conftest(suite: Suite) -> None:
    """As other tests do: `add_marker` says what a file is to come to, and what it is to be like at its events."""
    suite.configure(ORDERS)
    suite.take("orders_stuck", "orders_completed")
    suite.write(
        "conftest.py",
        """
        import pytest

        EXPECTED = {
            "orders_stuck.json": pytest.mark.playhead(verdict="code raised", error="ZeroDivisionError"),
            "orders_completed.json": pytest.mark.playhead(at={7: {"self.stage": "packing"}}),
        }

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(EXPECTED[item.path.name])
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"failed": 1, "passed": 1}, ran.output
    shown = ran.section("OrderFulfilment, tests/histories/orders_completed.json")
    assert shown[1] == "  self.stage at event 7: expected 'packing', got 'charging'"


def test_a_marker_that_cannot_be_meant_is_refused(suite: Suite) -> None:
    """A word that is not known, a history that is not there, a reason without a date, histories that nobody replays."""
    suite.take("orders_completed")
    suite.write(
        "tests/test_words.py",
        """
        import pytest
        from app.orders import OrderFulfilment

        @pytest.mark.playhead("histories/orders_completed.json", OrderFulfilment, verdikt="agrees")
        def test_word(replay): ...

        @pytest.mark.playhead("histories/orders_completed.json", OrderFulfilment, verdict="green")
        def test_verdict(replay): ...

        @pytest.mark.playhead("histories/orders_completed.json", OrderFulfilment, allow="it is old")
        def test_allowed_for_ever(replay): ...

        def test_no_history(replay): ...
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"error": 4}, ran.output
    assert "@pytest.mark.playhead has no 'verdikt'; did you mean 'verdict'?" in ran.output
    assert "verdict= is to be one of agrees, diverges, code raised," in ran.output
    assert "allows a break with allow=, the reason, and until=, the last day." in ran.output
    assert (
        'Say which history to replay, and the code unless [tool.playhead] does: @pytest.mark.playhead("orders'
        in ran.output
    )
    suite.write(
        "tests/test_words.py",
        """
        import pytest

        @pytest.mark.playhead("histories/orders_completed.json")
        def test_nobody_replays(): ...
        """,
    )
    assert "does not take the fixture `replay`, so nothing would be replayed." in suite.pytest().output
    suite.write(
        "tests/test_words.py",
        """
        import pytest

        @pytest.mark.playhead("histories/orders_compleded.json")
        def test_nowhere(replay): ...
        """,
    )
    ran = suite.pytest()
    assert ran.code == 2
    assert "There is no history 'histories/orders_compleded.json'" in ran.output
