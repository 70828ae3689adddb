"""The tests that the README shows pass."""

from __future__ import annotations

import re

from tests.replay.plugin.suite import ORDERS, ROOT, Suite, suite

__all__ = ["suite"]


def test_the_tests_of_the_readme_pass(suite: Suite) -> None:
    """In a project with the order of the fixtures; the baseline is there from the second time on."""
    (example,) = re.findall(
        r"```python\n(# tests/test_orders\.py\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    suite.configure(f'{ORDERS}    baselines = "tests/baselines"\n')
    suite.take("orders_completed")
    (suite.root / "tests/histories/orders_completed.json").rename(suite.root / "tests/histories/order.json")
    suite.write("tests/test_orders.py", example)
    ran = suite.pytest("--playhead-update", "--playhead-always-replay", "-W", "error")
    assert ran.outcomes == {"passed": 5}, ran.output
    assert ran.section("histories") == [
        "1 history: 1 agrees",
        "written: tests/baselines/orders/happy.json",
        "replayed: 2 runs of tests, whole and from 8 moments in them",
    ]
