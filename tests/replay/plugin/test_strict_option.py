"""`--playhead-strict` and `playhead_strict`: what breaks nothing, and what users regret."""

from __future__ import annotations

from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]


def test_another_argument_fails_where_that_is_wanted(suite: Suite) -> None:
    """A replay does not mind other arguments, timeouts and results; a strict one does, and names them."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    code = (suite.root / "app/orders.py").read_text()
    suite.write("app/orders.py", code.replace("PATIENCE = timedelta(seconds=10)", "PATIENCE = timedelta(seconds=20)"))
    assert suite.pytest().outcomes == {"passed": 1}
    ran = suite.pytest("--playhead-strict")
    assert ran.outcomes == {"failed": 1}
    shown = ran.section("OrderFulfilment, tests/histories/orders_completed.json")
    assert (
        "  warning  event 5: activity reserve: the start-to-close timeout was 10s, now 20s. (app/orders.py:80)" in shown
    )
    assert "agrees, with warnings" in ran.output
    assert suite.pytest("-o", "playhead_strict=true").outcomes == {"failed": 1}
