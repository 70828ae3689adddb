"""What stands beside Temporal's own worker, tried on a real server.

It needs Temporal's command-line tool (fixtures/README.md says how to build it): the one that PLAYHEAD_TEMPORAL names,
or `temporal` on the path. Without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from examples.temporal import batch, orders
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from playhead import Doubles, NotRecorded, always_replay
from playhead.capture import Capture, Checked
from playhead_engine import Engine
from tests.replay.project import FIXTURES
from tests.replay.test_doubles import arguments

SERVER = os.environ.get("PLAYHEAD_TEMPORAL") or shutil.which("temporal")
needs_server = pytest.mark.skipif(SERVER is None, reason="there is no `temporal` to start a server with")


def on_a_server(use: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Start a server, use it, stop it."""

    async def run() -> None:
        environment = await WorkflowEnvironment.start_local(
            dev_server_existing_path=SERVER,
            dev_server_log_level="error",
            search_attributes=[SearchAttributeKey.for_keyword("BatchStatus")],
            **options,
        )
        async with environment:
            await use(environment.client)

    asyncio.run(run())


@needs_server
@pytest.mark.parametrize("side", ["client", "worker"])
def test_runs_on_a_worker_are_captured(side: str) -> None:
    """Whether the plugin is given to the client or to the worker; code in the sandbox, too."""
    plugin = always_replay()

    async def use(client: Client) -> None:
        async with Worker(
            client,
            task_queue="q",
            workflows=[orders.OrderFulfilment],
            activities=[orders.reserve, orders.charge, orders.ship],
            plugins=[plugin] if side == "worker" else [],
        ):
            for number in range(2):
                given = orders.Order(f"A-{number}", "tea", 1, 100)
                await client.execute_workflow(orders.OrderFulfilment.run, given, id=given.id, task_queue="q")

    with Capture() as capture:
        on_a_server(use, plugins=[plugin] if side == "client" else [])
        assert capture.check() == Checked(2, 8, 0, ())


@needs_server
def test_doubles_answer_for_a_worker() -> None:
    """Activities and children end as recorded, and what is not recorded fails the run."""
    of_order, of_batch = Doubles(FIXTURES / "orders_retries.json"), Doubles(FIXTURES / "batch_parent.json")

    async def use(client: Client) -> None:
        (order,) = arguments("orders_retries")
        workflows = [orders.OrderFulfilment, *of_order.workflows()]
        async with Worker(client, task_queue="q", workflows=workflows, activities=of_order.activities()):
            run = orders.OrderFulfilment.run
            receipt = await client.execute_workflow(run, orders.Order(**order), id="known", task_queue="q")
            assert receipt.tracking == "parcel-A-2"
            of_order.check()
            with pytest.raises(WorkflowFailureError):
                await client.execute_workflow(run, orders.Order("B", "tea", 1, 1), id="unknown", task_queue="q")
        (wanted,) = arguments("batch_parent")
        workflows = [batch.BatchImport, *of_batch.workflows()]
        async with Worker(client, task_queue="p", workflows=workflows, activities=of_batch.activities()):
            run_batch = batch.BatchImport.run
            rows = await client.execute_workflow(run_batch, batch.Batch(**wanted), id="batch", task_queue="p")
            assert rows == 49

    on_a_server(use)
    assert [given.name for given in of_batch.given] == ["FileImport"] * 3
    with pytest.raises(NotRecorded, match="Activity reserve, given"):
        of_order.check()


def test_the_plugin_may_stay_where_nothing_is_captured() -> None:
    """On the built-in engine, too, which takes plugins of the SDK and has no worker."""
    activities = [orders.reserve, orders.charge, orders.ship]
    with Capture() as capture:
        with Engine(workflows=[orders.OrderFulfilment], activities=activities, plugins=[always_replay()]) as engine:
            order = orders.Order("A", "tea", 1, 100)
            engine.execute_workflow(orders.OrderFulfilment.run, order, id="a", task_queue="q").wait()
        assert capture.check() == Checked(1, 4, 0, ())
