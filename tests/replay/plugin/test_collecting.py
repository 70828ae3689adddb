"""Histories are tests: they have names, and everything in pytest that takes tests takes them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.replay.plugin.suite import BROKEN, ORDERS, Suite, suite

__all__ = ["suite"]

COMPLETED = "tests/histories/orders_completed.json::OrderFulfilment"
FAILED = "tests/histories/orders_failed.json::OrderFulfilment"
SUM = "tests/test_sums.py::test_sum"


@pytest.fixture
def orders(suite: Suite) -> Suite:
    """A project with two histories, and one ordinary test."""
    suite.configure(ORDERS)
    suite.take("orders_completed", "orders_failed")
    suite.write("tests/test_sums.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    return suite


def test_each_history_is_a_test_beside_the_others(orders: Suite) -> None:
    """They are named after their file and the workflow in it, and can be listed without running anything."""
    listed = orders.pytest("-q", "--collect-only")
    assert listed.output.splitlines()[:3] == [COMPLETED, FAILED, SUM]
    ran = orders.pytest()
    assert (ran.code, ran.outcomes) == (0, {"passed": 3})
    assert ran.section("histories") == ["2 histories: 2 agrees"]


CHOICES: list[tuple[list[str], list[str]]] = [
    (["-k", "OrderFulfilment and completed"], [COMPLETED]),
    (["-k", "order-A-3"], [FAILED]),  # the workflow id
    (["-m", "playhead"], [COMPLETED, FAILED]),
    (["-m", "not playhead"], [SUM]),
    ([COMPLETED], [COMPLETED]),
    (["tests/histories/orders_failed.json"], [FAILED]),
    (["tests/histories"], [COMPLETED, FAILED]),
    (["tests/test_sums.py"], [SUM]),
    (["--deselect", COMPLETED], [FAILED, SUM]),
    (["--ignore", "tests/histories/orders_completed.json"], [FAILED, SUM]),
]


def test_they_are_chosen_as_tests_are(orders: Suite) -> None:
    """By keyword, mark, node id, file or folder, and none of them but those."""
    listed = orders.lists([arguments for arguments, _ in CHOICES])
    assert listed == [chosen for _, chosen in CHOICES]


def test_the_last_failed_history_runs_again_alone(orders: Suite) -> None:
    """`--lf` knows histories by their node ids, which do not change."""
    orders.configure(BROKEN)
    orders.write("tests/test_sums.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    first = orders.pytest("-q", "--deselect", FAILED)
    assert first.outcomes == {"failed": 1, "passed": 1, "deselected": 1}
    again = orders.pytest("--lf", "--deselect", FAILED)
    assert again.outcomes == {"failed": 1}
    assert "run-last-failure: rerun previous 1 failure" in again.output


def test_xdist_spreads_them_over_processes(orders: Suite) -> None:
    """All processes find the same tests, what they say comes together in one summary, and a failure looks the same."""
    orders.configure(BROKEN)
    orders.take("orders_retries", "saga_booked")
    ran = orders.pytest("-n", "2", columns=130)
    assert ran.outcomes == {"failed": 4, "passed": 1}
    assert ran.section("histories") == ["4 histories: 3 diverges, 1 not replayable"]
    # As wide as the terminal, in which both sides fit beside each other.
    assert re.search(r"activity charge +activity charge +app/orders_broken.py", ran.output)


def test_a_report_for_machines_has_the_diagnosis(orders: Suite) -> None:
    """JUnit gets the node's names, a message in a few words, and the text without colours."""
    orders.configure(BROKEN)
    orders.pytest("--junitxml=report.xml", "--color=yes", "-k", "completed")
    case = ElementTree.parse(orders.root / "report.xml").find(".//testcase")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "diverges at event 11"
    assert case.get("classname") == "tests.histories.orders_completed.json"
    assert case.get("name") == "OrderFulfilment"
    assert "app/orders_broken.py:88" in (failure.text or "")
    assert "[3" not in (failure.text or "")
