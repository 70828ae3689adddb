"""`--playhead-always-replay`: every run that a test makes is replayed, whole and from every task in it."""

from __future__ import annotations

import re

from playhead import read_history
from tests.replay.plugin.suite import Suite, suite

__all__ = ["suite"]

WORKFLOWS = """
    from datetime import timedelta
    from itertools import count
    from playhead_engine import activity, workflow

    @activity.defn
    async def look_up(name: str) -> str:
        return name.upper()

    def ask(name):
        return workflow.execute_activity(look_up, name, start_to_close_timeout=timedelta(seconds=5))

    @workflow.defn
    class Sound:
        @workflow.run
        async def run(self, name: str) -> str:
            await workflow.sleep(60)
            return await ask(name)

    KNOWN = {}

    @workflow.defn
    class Caches:
        '''What one run has looked up, the next one has not: a replay of the first one, least of all.'''
        @workflow.run
        async def run(self, name: str) -> str:
            if name not in KNOWN:
                KNOWN[name] = await ask(name)
            await workflow.sleep(60)
            return KNOWN[name]

    RUNS = count(1)

    @workflow.defn
    class Counts:
        '''From the third run in a process on, it does something else.'''
        @workflow.run
        async def run(self, name: str) -> str:
            is_late = next(RUNS) > 2
            await workflow.sleep(60)
            if is_late:
                await workflow.sleep(60)
            return await ask(name)
"""
TESTS = """
    import pytest
    from app import workflows

    def run(engine, workflow):
        return engine.execute_workflow(workflow.run, "Ada", id=workflow.__name__, task_queue="q").wait()

    @pytest.fixture
    def engine(workflow_engine):
        return workflow_engine([workflows.Sound, workflows.Caches, workflows.Counts], [workflows.look_up])

    def test_fails_by_itself(engine):
        run(engine, workflows.Caches)
        raise AssertionError("it says so")

    def test_sound(engine):
        assert run(engine, workflows.Sound) == "ADA"

    def test_cache(engine):
        workflows.KNOWN.clear()
        assert run(engine, workflows.Caches) == "ADA"

    def test_count(engine):
        assert run(engine, workflows.Counts) == "ADA"

    @pytest.mark.playhead(always_replay=False)
    def test_on_purpose(engine):
        workflows.KNOWN.clear()
        assert run(engine, workflows.Caches) == "ADA"
"""


def test_a_run_that_does_not_replay_fails_its_test(suite: Suite) -> None:
    """And no other; a test that fails anyway, or says that it does it on purpose, is left alone."""
    suite.write("app/workflows.py", WORKFLOWS)
    suite.write("tests/test_runs.py", TESTS)
    assert suite.pytest().outcomes == {"failed": 1, "passed": 4}
    ran = suite.pytest("--playhead-always-replay")
    assert ran.outcomes == {"failed": 3, "passed": 2}, ran.output
    shown = ran.section("test_cache")
    assert shown[:2] == ["A run that this test made does not replay.", "Caches Caches: diverges at event 5"]
    assert "  at        app/workflows.py:29 in Caches.run" in shown
    shown = ran.section("test_count")
    assert re.match(r"Counts Counts, taken up anew at event \d+: diverges at event \d+", shown[1]), ran.output
    assert "does not replay" not in "\n".join(ran.section("test_fails_by_itself"))
    assert ran.section("histories") == ["replayed: 3 runs of tests, whole and from 5 moments in them"]


def test_the_run_is_kept_for_the_other_tools(suite: Suite) -> None:
    """As a history, in the file that the failure names."""
    suite.write("app/workflows.py", WORKFLOWS)
    suite.write("tests/test_runs.py", TESTS)
    ran = suite.pytest("-o", "playhead_always_replay=true", "-k", "test_cache")
    kept = re.search(r"The run is kept in (\S+), for `playhead replay`", ran.output)
    assert kept is not None, ran.output
    history = read_history(suite.root / kept[1])
    assert (history.id, history.workflow_type, history.is_complete) == ("Caches", "Caches", True)


def test_with_xdist(suite: Suite) -> None:
    """Wherever a test runs, its runs are replayed there, and counted together."""
    suite.configure('workflows = ["app.orders"]')
    suite.write(
        "tests/test_runs.py",
        """
        import pytest
        from app.orders import Order, OrderFulfilment

        @pytest.mark.parametrize("number", range(4))
        def test_order(workflow_engine, number):
            order = Order(f"A-{number}", "tea", 1, 100, express=True)
            workflow_engine().execute_workflow(OrderFulfilment.run, order, id=order.id, task_queue="q").wait()
        """,
    )
    ran = suite.pytest("-n", "2", "--playhead-always-replay")
    assert ran.outcomes == {"passed": 4}, ran.output
    assert ran.section("histories") == ["replayed: 4 runs of tests, whole and from 16 moments in them"]
