"""Workflows that ask for what the recordings of other SDKs hold, and careless changes of each.

`test_foreign_histories` replays real downloads of SDKs in other languages with them. They are written for our own API;
the same file with `temporalio` in its imports is what Temporal's Replayer judges.
"""

import asyncio
from datetime import timedelta

from playhead_engine import workflow

SOON = timedelta(seconds=30)


@workflow.defn(name="GreetingWorkflow")
class Greeting:
    """One activity (Java)."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet somebody."""
        result: str = await workflow.execute_activity(
            "greet", args=["Hello", name], start_to_close_timeout=SOON, result_type=str
        )
        return result


@workflow.defn(name="GreetingWorkflow")
class GreetingAfterAPause:
    """Changed: it waits first."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Greet somebody, later."""
        await asyncio.sleep(1)
        result: str = await workflow.execute_activity(
            "greet", args=["Hello", name], start_to_close_timeout=SOON, result_type=str
        )
        return result


@workflow.defn(name="evict_while_la_running_no_interference")
class LocalThenRemote:
    """A local activity and a remote one, and signals nobody waits for (core's own tests)."""

    @workflow.signal(name="whaatever")
    def whatever(self) -> None:
        """Take a signal."""

    @workflow.run
    async def run(self) -> None:
        """Delay twice."""
        await workflow.execute_local_activity("delay", "hi!", start_to_close_timeout=SOON)
        await workflow.execute_activity("delay", "hi!", start_to_close_timeout=SOON)


@workflow.defn(name="evict_while_la_running_no_interference")
class OnlyLocal:
    """Changed: the second delay is gone."""

    @workflow.signal(name="whaatever")
    def whatever(self) -> None:
        """Take a signal."""

    @workflow.run
    async def run(self) -> None:
        """Delay once."""
        await workflow.execute_local_activity("delay", "hi!", start_to_close_timeout=SOON)


@workflow.defn(name="writes_change_markers")
class Patched:
    """Timers behind a patch, whose marker has the oldest form (core's own tests)."""

    @workflow.run
    async def run(self) -> None:
        """Sleep three times."""
        await asyncio.sleep(0.1 if workflow.patched("integ_test_change_name") else 0.2)
        await asyncio.sleep(0.2)
        await asyncio.sleep(0.1 if workflow.patched("integ_test_change_name") else 0.2)


@workflow.defn(name="writes_change_markers")
class PatchForgotten:
    """Changed: the patch was taken out too early."""

    @workflow.run
    async def run(self) -> None:
        """Sleep three times."""
        await asyncio.sleep(0.1)
        await asyncio.sleep(0.2)
        await asyncio.sleep(0.1)


@workflow.defn(name="ResetWorkflowWithChild")
class ParentOfFailingChild:
    """A child that fails (Go)."""

    @workflow.run
    async def run(self) -> str:
        """Have a child."""
        child_id = "019500f2-6d9a-7207-8c9f-69cb0647bbae_5"
        result: str = await workflow.execute_child_workflow(
            "TestChildWorkflow", "CHILD INPUT", id=child_id, result_type=str
        )
        return result


@workflow.defn(name="ResetWorkflowWithChild")
class ForgivingParent:
    """Changed: it no longer minds."""

    @workflow.run
    async def run(self) -> str:
        """Have a child, whatever becomes of it."""
        child_id = "019500f2-6d9a-7207-8c9f-69cb0647bbae_5"
        try:
            result: str = await workflow.execute_child_workflow(
                "TestChildWorkflow", "CHILD INPUT", id=child_id, result_type=str
            )
            return result
        except Exception:  # noqa: BLE001 - that is the careless change
            return "never mind"


@workflow.defn(name="ContinueAsNewWorkflow")
class Again:
    """Continue-as-new (Go)."""

    @workflow.run
    async def run(self, again: bool) -> None:
        """Run once more."""
        if again:
            workflow.continue_as_new(False)


@workflow.defn(name="ContinueAsNewWorkflow")
class NeverAgain:
    """Changed: it ends."""

    @workflow.run
    async def run(self, again: bool) -> None:
        """Run once."""


@workflow.defn(name="UpsertMemoWorkflow")
class Memo:
    """A memo before and after an activity (Go)."""

    @workflow.run
    async def run(self, value: str) -> None:
        """Write things down."""
        workflow.upsert_memo({"Test key": 1})
        await workflow.execute_activity("helloworldActivity", value, start_to_close_timeout=SOON)
        workflow.upsert_memo({"Test key": 2})


@workflow.defn(name="UpsertMemoWorkflow")
class OneMemo:
    """Changed: it writes down less."""

    @workflow.run
    async def run(self, value: str) -> None:
        """Write one thing down."""
        workflow.upsert_memo({"Test key": 1})
        await workflow.execute_activity("helloworldActivity", value, start_to_close_timeout=SOON)


@workflow.defn(name="langFlagsReplayCorrectly")
class TimerAgainstActivity:
    """A timer that is cancelled when an activity is done (TypeScript)."""

    @workflow.run
    async def run(self) -> None:
        """Race them."""
        timer = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        await workflow.execute_activity("noopActivity", schedule_to_close_timeout=timedelta(seconds=60))
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)


@workflow.defn(name="langFlagsReplayCorrectly")
class TimerForgotten:
    """Changed: nobody cancels the timer."""

    @workflow.run
    async def run(self) -> None:
        """Let the timer run."""
        timer = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        await workflow.execute_activity("noopActivity", schedule_to_close_timeout=timedelta(seconds=60))
        del timer


@workflow.defn(name="topSecretGreeting")
class SignalsItsChild:
    """A child that is signalled while a timer runs (TypeScript)."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Approve the child."""
        child = await workflow.start_child_workflow(
            "topSecretGreetingChild", name, id="1663347e-aa08-4ee5-b426-c23f71678ddd", result_type=str
        )
        timer = asyncio.create_task(asyncio.sleep(0.001))
        await asyncio.sleep(0)
        await child.signal("approve")
        result = await child
        await timer
        return result


@workflow.defn(name="topSecretGreeting")
class OtherChild:
    """Changed: the child has another id."""

    @workflow.run
    async def run(self, name: str) -> str:
        """Approve another child."""
        child = await workflow.start_child_workflow("topSecretGreetingChild", name, id="somebody", result_type=str)
        await child.signal("approve")
        result: str = await child
        return result


@workflow.defn(name="MultiSignalOrderWorkflow")
class SignalledByItsActivity:
    """A local activity that signals its own workflow (.NET)."""

    def __init__(self) -> None:
        """Start without signals."""
        self.signals: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """Wait for the first signal."""
        await workflow.execute_local_activity("SendTwoSignals", start_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: len(self.signals) > 0)
        return list(self.signals)

    @workflow.signal(name="Signal")
    def on_signal(self, value: str) -> None:
        """Take a signal."""
        self.signals.append(value)


@workflow.defn(name="MultiSignalOrderWorkflow")
class WaitsForThreeSignals:
    """Changed: two signals are not enough."""

    def __init__(self) -> None:
        """Start without signals."""
        self.signals: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """Wait for the third signal."""
        await workflow.execute_local_activity("SendTwoSignals", start_to_close_timeout=SOON)
        await workflow.wait_condition(lambda: len(self.signals) > 2)
        return list(self.signals)

    @workflow.signal(name="Signal")
    def on_signal(self, value: str) -> None:
        """Take a signal."""
        self.signals.append(value)
