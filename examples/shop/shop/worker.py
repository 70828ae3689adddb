"""The shop's worker: `python -m shop.worker`.

Playhead takes from here what it has to know (`worker = "shop.worker"` in `pyproject.toml`): the workflows and the data
converter. It calls `main` with a client that is connected to nothing, and stops where the worker would begin to poll.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from shop.activities import Activities
from shop.back_office import BackOffice, HttpBackOffice
from shop.orders import OrderWorkflow
from shop.shipments import ShipmentWorkflow
from shop.subscriptions import SubscriptionWorkflow

TASK_QUEUE = "shop"


def shop_worker(client: Client, back_office: BackOffice, **options: Any) -> Worker:
    """Make the worker; whatever the back office is, and with whatever else a worker may be told."""
    activities: list[Callable[..., Any]] = Activities(back_office).all()
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[OrderWorkflow, ShipmentWorkflow, SubscriptionWorkflow],
        activities=activities,
        **options,
    )


async def main() -> None:
    """Work until somebody stops it."""
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"), data_converter=pydantic_data_converter
    )
    back_office = HttpBackOffice(os.environ.get("BACK_OFFICE_URL", "http://localhost:8000"))
    await shop_worker(client, back_office).run()


if __name__ == "__main__":
    asyncio.run(main())
