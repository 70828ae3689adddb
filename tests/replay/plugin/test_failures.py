"""What a history that no longer replays looks like in the terminal."""

from __future__ import annotations

import pytest

from tests.replay.plugin.suite import BROKEN, ORDERS, Suite, suite

__all__ = ["suite"]


def test_a_failure_is_the_diagnosis_and_no_traceback(suite: Suite) -> None:
    """It says what differs, where in the code and in the file, and why; in the summary, in a few words."""
    suite.configure(BROKEN)
    suite.take("orders_completed")
    ran = suite.pytest()
    assert ran.code == 1
    shown = ran.section("OrderFulfilment, tests/histories/orders_completed.json")
    assert shown[0] == "tests/histories/orders_completed.json: diverges at event 11"
    assert "  at        app/orders_broken.py:88 in OrderFulfilment.run" in "\n".join(shown)
    assert "  added: A new step at line 88, before the activity charge of line 92: activity check_fraud." in shown
    line = (suite.root / "tests/histories/orders_completed.json").read_text().splitlines()[211]
    assert '"eventId": "11"' in line
    assert "  Event 11 is at tests/histories/orders_completed.json:212." in shown
    assert "  Look closer: playhead replay tests/histories/orders_completed.json --fix" in shown
    assert "FAILED tests/histories/orders_completed.json::OrderFulfilment - diverges at event 11" in ran.output
    assert "Traceback" not in ran.output
    assert "playhead/" not in ran.output.replace("playhead replay", "")


@pytest.mark.parametrize("columns", [60, 160])
def test_it_is_as_wide_as_the_terminal(suite: Suite, columns: int) -> None:
    """In a narrow one sentences are broken; a wide one is made use of."""
    suite.configure(BROKEN)
    suite.take("orders_completed")
    shown = suite.pytest(columns=columns).section("OrderFulfilment, tests/histories/orders_completed.json")
    prose = shown[[line.startswith("  added") for line in shown].index(True) : -2]
    assert columns // 2 < max(map(len, prose)) <= columns
    assert any("recorded             now" in line for line in shown) == (columns > 100)


def test_it_has_the_colours_of_the_terminal(suite: Suite) -> None:
    """Red and green where there are colours; `--tb=line` gives the place in the file, and the reason."""
    suite.configure(BROKEN)
    suite.take("orders_completed")
    coloured = suite.pytest("--color=yes")
    assert "\x1b[31;1mdiverges\x1b[0m at event 11" in coloured.output
    brief = suite.pytest("--tb=line", "--color=no")
    assert "tests/histories/orders_completed.json:212: diverges at event 11" in brief.output


def test_code_that_cannot_be_loaded_is_told_in_a_sentence(suite: Suite) -> None:
    """Other tests run all the same."""
    suite.configure('workflows = ["app.nowhere"]\nhistories = ["tests/histories"]')
    suite.take("orders_completed")
    suite.write("tests/test_sums.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    ran = suite.pytest()
    assert ran.outcomes == {"failed": 1, "passed": 1}
    shown = ran.section("OrderFulfilment, tests/histories/orders_completed.json")
    assert len(shown) == 1
    assert shown[0].startswith("There is no module 'app.nowhere'")


def test_files_that_are_no_histories_fail_or_are_left_alone(suite: Suite) -> None:
    """What looks like a history by its name and is none fails, and says what it is; the rest is nobody's business."""
    suite.configure(ORDERS)
    suite.take("orders_completed", "INDEX")
    suite.write("tests/histories/README.md", "How they were recorded.")
    suite.write("tests/histories/.hidden/broken.json", "{")
    cut = (suite.root / "tests/histories/orders_completed.json").read_text()[:3000]
    suite.write("tests/histories/cut.json", cut)
    ran = suite.pytest()
    assert ran.outcomes == {"failed": 1, "passed": 1}
    shown = ran.section("unreadable, tests/histories/cut.json")
    assert shown[0] == "tests/histories/cut.json: unreadable"
    assert "truncated" in shown[1]
    assert ran.section("histories") == ["2 histories: 1 agrees, 1 unreadable"]
