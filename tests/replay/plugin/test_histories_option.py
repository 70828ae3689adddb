"""Where histories are: `histories` of `[tool.playhead]`, `playhead_histories`, `--playhead-histories`."""

from __future__ import annotations

import pytest

from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]


def test_they_are_collected_wherever_they_are(suite: Suite) -> None:
    """Folders beside those with tests, folders outside, and single files: whoever runs all tests runs all histories."""
    suite.configure(
        """
        workflows = ["app.orders"]
        histories = ["recordings", "incidents/*_failed.json"]
        """
    )
    suite.write("tests/test_sums.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    suite.take("orders_completed", folder="recordings")
    suite.take("orders_failed", "orders_retries", folder="incidents")
    ran = suite.pytest("-v")
    assert ran.outcomes == {"passed": 3}
    assert "recordings/orders_completed.json::OrderFulfilment PASSED" in ran.output
    assert "incidents/orders_failed.json::OrderFulfilment PASSED" in ran.output
    # Whoever names tests gets those.
    assert suite.pytest("tests").outcomes == {"passed": 1}


def test_without_a_table_pytests_own_configuration_will_do(suite: Suite) -> None:
    """`playhead_histories` and `playhead_workflows` may stand in pytest.ini; options go before both."""
    suite.write(
        "pytest.ini",
        """
        [pytest]
        testpaths = tests
        playhead_histories = recordings
        playhead_workflows = app.orders
        """,
    )
    suite.take("orders_completed", folder="recordings")
    suite.take("saga_booked", folder="other")
    suite.take_code("saga")
    assert suite.pytest().outcomes == {"passed": 1}
    ran = suite.pytest("--playhead-histories", "other", "--playhead-workflows", "app.saga", "-v")
    assert ran.outcomes == {"passed": 1}
    assert "other/saga_booked.json::TripBooking PASSED" in ran.output


def test_a_history_that_is_named_on_the_command_line_is_replayed(suite: Suite) -> None:
    """One that was just downloaded need not be configured."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    suite.take("orders_failed", folder="downloads")
    assert suite.pytest("downloads/orders_failed.json").outcomes == {"passed": 1}


@pytest.mark.parametrize(("cwd", "arguments"), [(".", ("services/shop",)), ("services/shop", ())], ids=["named", "cwd"])
def test_a_project_below_the_root_of_pytest_is_found(suite: Suite, cwd: str, arguments: tuple[str, ...]) -> None:
    """In a repository of several projects, pytest is configured above them, and each says of itself what it replays."""
    suite.configure(pytest_options='pythonpath = ["services/shop"]')
    suite.write("services/shop/pyproject.toml", f"[tool.playhead]{ORDERS}")
    (suite.root / "app").rename(suite.root / "services/shop/app")
    suite.take("orders_completed", folder="services/shop/tests/histories")
    ran = suite.pytest(*arguments, cwd=cwd)
    assert ran.outcomes == {"passed": 1}, ran.output


def test_a_missing_or_an_empty_folder_is_an_error(suite: Suite) -> None:
    """The session fails before anything runs, and says which; whoever runs other tests alone does not care."""
    suite.configure(ORDERS)
    suite.write("tests/unit/test_sums.py", "def test_sum():\n    assert 1 + 1 == 2\n")
    missing = suite.pytest()
    assert missing.code == 4
    assert "histories: nothing matches 'tests/histories'" in missing.output
    assert "passed" not in missing.output
    suite.write("tests/histories/README.md", "None yet.")
    empty = suite.pytest("-n", "2")
    assert empty.code == 4
    assert "ERROR: tests/histories holds no history files (*.json, *.json.gz, *.bin, *.pb)" in empty.output
    assert suite.pytest("tests/unit").outcomes == {"passed": 1}


def test_histories_without_code_are_an_error(suite: Suite) -> None:
    """There is nothing to replay them with, and that must not look like success."""
    suite.configure('histories = ["tests/histories"]')
    suite.take("orders_completed")
    ran = suite.pytest()
    assert ran.code == 4
    assert "ERROR: Name the workflow code, with `workflows` or `worker` in [tool.playhead]" in ran.output


def test_a_mistake_in_the_table_is_told_in_a_sentence(suite: Suite) -> None:
    """As by every command."""
    suite.configure('workflow = ["app.orders"]')
    ran = suite.pytest()
    assert ran.code == 4
    assert "there is no key 'workflow'; did you mean 'workflows'?" in ran.output
    assert "Traceback" not in ran.output
