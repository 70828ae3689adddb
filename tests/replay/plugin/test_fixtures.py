"""The fixtures: an engine, a replayer, histories, doubles."""

from __future__ import annotations

from tests.replay.plugin.suite import ORDERS, Suite, suite

__all__ = ["suite"]


def test_engine_replayer_and_histories(suite: Suite) -> None:
    """An engine in memory on a virtual clock, of given code or the project's, which makes the same history every time;
    the replayer of the project; and its histories by name."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    suite.take_code("onboarding")
    suite.write(
        "tests/test_orders.py",
        """
        from app import onboarding, orders
        from playhead import Agrees

        def test_given_code(workflow_engine):
            activities = [onboarding.welcome, onboarding.remind, onboarding.thank]
            engine = workflow_engine([onboarding.Onboarding], activities)
            begun = engine.now()
            user = onboarding.User("Ada")
            engine.execute_workflow(onboarding.Onboarding.run, user, id="ada", task_queue="q").wait()
            assert (engine.now() - begun).days > 300

        def test_code_of_the_project(workflow_engine, replayer):
            made = []
            for _ in range(2):
                engine = workflow_engine()
                handle = engine.start_workflow(
                    orders.OrderFulfilment.run, orders.Order("A", "tea", 1, 100), id="a", task_queue="q"
                ).wait()
                assert handle.result().wait().paid == 100
                made.append(handle.fetch_history().wait())
            assert made[0].to_json() == made[1].to_json()
            assert isinstance(replayer.replay(made[0]), Agrees)

        def test_histories(histories, replayer):
            assert list(histories) == ["tests/histories/orders_completed"]
            assert histories["orders_completed"].id == "order-A-1"
            assert all(isinstance(replayer.replay(history), Agrees) for history in histories.values())
        """,
    )
    ran = suite.pytest("-W", "error")
    assert ran.outcomes == {"passed": 4}, ran.output


def test_an_engine_for_code_of_temporalio(suite: Suite) -> None:
    """Its workflows run beside native ones, on the same engine."""
    suite.write(
        "tests/test_greeting.py",
        """
        from datetime import timedelta
        from temporalio import activity, workflow

        @activity.defn
        async def greet(name: str) -> str:
            return f"Hello, {name}"

        @workflow.defn(sandboxed=False)
        class Greeting:
            @workflow.run
            async def run(self, name: str) -> str:
                await workflow.sleep(timedelta(days=30))
                return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=5))

        def test_greeting(workflow_engine):
            engine = workflow_engine([Greeting], [greet])
            assert engine.execute_workflow(Greeting.run, "Ada", id="a", task_queue="q").wait() == "Hello, Ada"
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"passed": 1}, ran.output


def test_doubles_answer_as_recorded_or_fail_the_test(suite: Suite) -> None:
    """What a history records is answered; what none records fails the test, whatever the workflow makes of it."""
    suite.configure(ORDERS)
    suite.take("orders_completed")
    suite.write(
        "tests/test_orders.py",
        """
        from app.orders import Order, OrderFulfilment
        from playhead_engine.client import WorkflowFailureError

        def run(engine, order):
            return engine.execute_workflow(OrderFulfilment.run, order, id="a", task_queue="q").wait()

        def test_as_recorded(workflow_engine, doubles):
            engine = workflow_engine(doubles=doubles("orders_completed"))
            assert run(engine, Order("A-1", "teapot", 2, 2500, 500)).tracking == "parcel-A-1"

        def test_not_recorded(workflow_engine, doubles):
            try:
                run(workflow_engine(doubles=doubles("orders_completed")), Order("B", "kettle", 1, 100))
            except WorkflowFailureError:
                pass  # it is not for the workflow to decide

        def test_no_such_history(doubles):
            doubles("orders_cancelled")
        """,
    )
    ran = suite.pytest()
    assert ran.outcomes == {"passed": 2, "failed": 2}, ran.output
    (sentence,) = ran.section("test_not_recorded")
    assert sentence.startswith('Activity reserve, given {"card":"valid","express":false,"id":"B","item":"kettle"')
    assert "nothing is recorded that this could come to. Recorded is what it comes to given" in sentence
    assert sentence.endswith(
        '"item":"teapot","quantity":2,"unit_price":2500,"voucher":500} (orders_completed.json, event 7).'
    )
    assert "There is no history 'orders_cancelled'" in ran.section("test_no_such_history")[0]
