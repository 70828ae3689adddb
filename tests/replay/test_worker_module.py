"""`--worker`: what a worker is made of is taken from the function that makes it, in the shapes that people write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("temporalio")

from playhead import worker_module
from playhead.loading import CodeNames, CodeNotLoaded, load_code
from tests.replay.project import ORDER, Project, project

__all__ = ["project"]

HEAD = """
import argparse
import asyncio
import signal
import sys
import time

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, Worker

from app.workflows import Greeting, Parting, greet

NOWHERE = "nowhere.invalid:7233"  # whoever connects there fails
"""

RUNS = """
async def main():
    client = await Client.connect(NOWHERE)
    worker = Worker(client, task_queue="q", workflows=[Greeting], activities=[greet])
    assert worker.task_queue == "q" and worker.client is client and worker.config()["workflows"] == [Greeting]
    await worker.run()
"""

ORDERS_WORKER = """
    import asyncio

    from examples.temporal.orders import OrderFulfilment
    from temporalio.client import Client
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.plugin import SimplePlugin
    from temporalio.worker import Worker

    async def main():
        print("connecting")
        client = await Client.connect(
            "nowhere.invalid:7233", data_converter=pydantic_data_converter, plugins=[SimplePlugin("orders")]
        )
        print("running")
        await Worker(client, task_queue="orders", workflows=[OrderFulfilment]).run()

    if __name__ == "__main__":
        asyncio.run(main())
"""

SHAPES = {
    "it awaits the worker": RUNS,
    "it is a program": RUNS + "\nif __name__ == '__main__':\n    asyncio.run(main())\n",
    "it is sync, and runs the loop": RUNS.replace("main", "serve") + "\ndef main():\n    asyncio.run(serve())\n",
    "it enters the worker and starts a workflow": """
async def main():
    client = await Client.connect(NOWHERE)
    async with Worker(client, task_queue="q", workflows=[Greeting], activities=[greet]):
        await client.execute_workflow(Greeting.run, "Ada", id="1", task_queue="q")
""",
    "it enters the worker and waits to be interrupted": """
interrupted = asyncio.Event()

async def main():
    client = await Client.connect(NOWHERE)
    async with Worker(client, task_queue="q", workflows=[Greeting], activities=[greet]):
        await interrupted.wait()
""",
    "it runs the worker in the background, and shuts down on a signal": """
async def main():
    client = await Client.connect(NOWHERE)
    worker = Worker(client, task_queue="q", workflows=[Greeting], activities=[greet])
    running = asyncio.create_task(worker.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        while True:
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        await worker.shutdown()
        await running
""",
    "it returns the worker": """
def main(client: Client):
    return Worker(client, task_queue="q", workflows=[Greeting], activities=[greet])
""",
    "it returns the worker, later": """
async def main(temporal_client):
    await asyncio.sleep(0.01)
    return Worker(temporal_client, task_queue="q", workflows=[Greeting], activities=[greet])
""",
    "it takes arguments": """
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default=NOWHERE)
    given = parser.parse_args()

    async def serve():
        client = await Client.connect(given.address)
        await Worker(client, task_queue="q", workflows=[Greeting], activities=[greet]).run()

    asyncio.run(serve())
""",
    "it does not mind that a schedule cannot be looked up": """
async def main():
    client = await Client.connect(NOWHERE)
    try:
        await client.get_schedule_handle("nightly").describe()
    except Exception as error:
        print("no schedule:", error)
    await Worker(client, task_queue="q", workflows=[Greeting], activities=[greet]).run()
""",
    "it starts a test server": """
async def main():
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        worker = Worker(environment.client, task_queue="q", workflows=[Greeting], activities=[greet])
        await worker.run()
""",
    "it is a script without a main": RUNS.replace("main", "serve") + "\nasyncio.run(serve())\n",
    "it makes the worker when it is imported": """
client = asyncio.run(Client.connect(NOWHERE))
worker = Worker(client, task_queue="q", workflows=[Greeting], activities=[greet])
""",
    "it has a worker class of its own": """
class OurWorker(Worker):
    def __init__(self, client):
        super().__init__(client, task_queue="q", workflows=[Greeting], activities=[greet])

async def main():
    await OurWorker(await Client.connect(NOWHERE, lazy=True)).run()
""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_workflows_and_activities_are_those_of_the_worker(project: Project, shape: str) -> None:
    """Nothing is connected to, nothing runs, and everything that the worker was given is there."""
    project.write("worker.py", HEAD + SHAPES[shape])
    code = load_code(CodeNames(worker="worker"))
    assert [cls.__name__ for cls in code.workflows] == ["Greeting"]
    assert [one.__name__ for one in code.activities] == ["greet"]


def test_temporal_is_as_it_was_afterwards(project: Project) -> None:
    """Whoever loads code and then connects does connect."""
    from temporalio.service import ServiceClient
    from temporalio.testing import WorkflowEnvironment
    from temporalio.worker import Worker

    before = [dict(vars(cls)) for cls in (ServiceClient, Worker, WorkflowEnvironment)]
    project.write("worker.py", HEAD + RUNS)
    load_code(CodeNames(worker="worker"))
    assert [dict(vars(cls)) for cls in (ServiceClient, Worker, WorkflowEnvironment)] == before


def test_options_are_those_of_the_worker_and_its_client(project: Project) -> None:
    """Converter, interceptors, plugins, runner, failure types and namespace come along, wherever they were given."""
    project.write(
        "worker.py",
        HEAD
        + """
import temporalio.client
from dataclasses import replace
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin

class Both(temporalio.client.Interceptor, Interceptor):
    pass

class OfClient(temporalio.client.Interceptor):
    pass

class OfWorker(Interceptor):
    pass

async def main():
    client = await Client.connect(
        NOWHERE,
        namespace="sales",
        data_converter=pydantic_data_converter,
        interceptors=[OfClient(), Both()],
        plugins=[SimplePlugin("of client")],
    )
    await Worker(
        client,
        task_queue="q",
        workflows=[Greeting],
        interceptors=[OfWorker()],
        plugins=[SimplePlugin("of worker")],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[ValueError],
        debug_mode=True,
    ).run()
""",
    )
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.worker import UnsandboxedWorkflowRunner

    options = load_code(CodeNames(worker="worker")).options
    assert options.data_converter is pydantic_data_converter
    assert [type(one).__name__ for one in options.interceptors] == ["Both", "OfWorker"]
    assert [one.name() for one in options.plugins] == ["of client", "of worker"]
    assert isinstance(options.workflow_runner, UnsandboxedWorkflowRunner)
    assert options.failure_exception_types == (ValueError,)
    assert (options.namespace, options.debug_mode) == ("sales", True)


def test_a_plugin_of_the_client_alone_has_its_say(project: Project) -> None:
    """A plugin that no replayer would ask sets the data converter; it is taken as the client had it."""
    project.write(
        "worker.py",
        HEAD
        + """
import temporalio.client

class Pydantic(temporalio.client.Plugin):
    def configure_client(self, config):
        from temporalio.contrib.pydantic import pydantic_data_converter
        config["data_converter"] = pydantic_data_converter
        return config

    async def connect_service_client(self, config, next):
        return await next(config)

async def main():
    client = await Client.connect(NOWHERE, plugins=[Pydantic()])
    await Worker(client, task_queue="q", workflows=[Greeting]).run()
""",
    )
    from temporalio.contrib.pydantic import pydantic_data_converter

    assert load_code(CodeNames(worker="worker")).options.data_converter is pydantic_data_converter


def test_several_workers_are_one(project: Project) -> None:
    """Workers that begin one after the other or side by side all count; one with activities alone has no say."""
    project.write(
        "worker.py",
        HEAD
        + """
async def serve(queue, **given):
    client = await Client.connect(NOWHERE)
    await asyncio.sleep(0.01)
    await Worker(client, task_queue=queue, **given).run()

async def main():
    await asyncio.gather(
        serve("a", workflows=[Greeting]),
        serve("b", workflows=[Parting, Greeting]),
        serve("c", activities=[greet], interceptors=[Interceptor()]),
    )

async def nested():
    client = await Client.connect(NOWHERE)
    first, second = (Worker(client, task_queue=cls.__name__, workflows=[cls]) for cls in (Greeting, Parting))
    async with first, second:
        await asyncio.sleep(1000)
""",
    )
    for function in ("main", "nested"):
        code = load_code(CodeNames(worker=f"worker:{function}"))
        assert [cls.__name__ for cls in code.workflows] == ["Greeting", "Parting"]
        assert code.options.interceptors == ()


DIFFERENT = """
from temporalio import workflow

@workflow.defn(name="Greeting")
class Greeting2:
    @workflow.run
    async def run(self) -> None:
        pass

async def main():
    client = await Client.connect(NOWHERE)
    await asyncio.gather(
        Worker(client, task_queue="a", workflows=[Greeting]).run(),
        Worker(client, task_queue="b", workflows=[Parting], workflow_runner=UnsandboxedWorkflowRunner()).run(),
    )

def twice(client):
    Worker(client, task_queue="a", workflows=[Greeting])
    Worker(client, task_queue="b", workflows=[Greeting2])
"""


def test_workers_that_contradict_each_other_are_named(project: Project) -> None:
    """Two runners cannot both be right, nor two classes of one type; what the user names settles it."""
    project.write("worker.py", HEAD + DIFFERENT)
    with pytest.raises(CodeNotLoaded, match="differ in workflow_runner: the default on task queue 'a', Unsandboxed"):
        load_code(CodeNames(worker="worker"))
    assert len(load_code(CodeNames(worker="worker", sandboxed=True)).workflows) == 2
    with pytest.raises(CodeNotLoaded, match=r"two classes for workflow type 'Greeting': app\.workflows\.Greeting on"):
        load_code(CodeNames(worker="worker:twice"))
    assert len(load_code(CodeNames(worker="worker:twice", workflows=("app.workflows:Parting",))).workflows) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("async def serve():\n    Worker()\n", "worker holds serve, which may be it"),
        ("main = 3\n", "'main' (the default) is not callable"),
        ("def main(url, queue):\n    pass\n", "worker:main takes (url, queue)"),
        ("def main():\n    pass\n", "worker:main ended without making a temporalio.worker.Worker"),
        ("async def main():\n    1 / 0\n", "raised ZeroDivisionError at {here}/worker.py:17 before"),
        ("def main():\n    sys.exit(7)\n", "ended the process at {here}/worker.py:17 (exit code 7)"),
        ("def main():\n    Worker(task_queue='q')\n", "raised TypeError at {here}/worker.py:17"),
        (
            "async def main():\n    c = await Client.connect(NOWHERE)\n    await c.get_workflow_handle('1').cancel()",
            "raised RPCError at {here}/worker.py:18 before it ran a Worker: request_cancel_workflow_execution",
        ),
        ("def main(client):\n    Worker(client, task_queue='q', activities=[greet])", "'q' has no workflows"),
        (
            "def main(client):\n    Worker(client, task_queue='q', workflows=[dict])",
            "lists <class 'dict'>, which is not",
        ),
        ("1 / 0\n", "worker cannot be imported: ZeroDivisionError at {here}/worker.py:16"),
    ],
)
def test_a_function_that_makes_no_worker_is_one_sentence(project: Project, source: str, words: str) -> None:
    """Each says what is wrong, and where, and what is needed."""
    project.write("worker.py", HEAD + source)
    with pytest.raises(CodeNotLoaded) as raised:
        load_code(CodeNames(worker="worker"))
    assert words.format(here=Path.cwd()) in str(raised.value)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("async def main():\n    await asyncio.sleep(1000)\n", 17),
        ("def main():\n    time.sleep(1000)\n", 17),
    ],
)
def test_a_function_that_waits_for_something_else_is_told_where(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str, line: int
) -> None:
    """A database that is not there must not keep a replay for ever."""
    monkeypatch.setattr(worker_module, "LIMIT_SECONDS", 0.2)
    project.write("worker.py", HEAD + source)
    with pytest.raises(CodeNotLoaded, match=rf"made no Worker within 0\.2 seconds: it was.* at .*worker\.py:{line}\."):
        load_code(CodeNames(worker="worker"))


def test_a_script_finds_what_lies_beside_it(project: Project) -> None:
    """A worker file is loaded as `python FILE` loads it, from wherever the command is given."""
    project.write("shop/deliveries.py", "from app.workflows import *")
    project.write("shop/run_worker.py", "from deliveries import Parting\n" + HEAD + RUNS.replace("Greeting", "Parting"))
    with pytest.raises(CodeNotLoaded, match=r"name the file, shop/run_worker\.py"):
        load_code(CodeNames(worker="shop.run_worker"))
    code = load_code(CodeNames(worker="shop/run_worker.py"))
    assert [cls.__name__ for cls in code.workflows] == ["Parting"]


@pytest.mark.parametrize("runtime", ["auto", "temporal", "temporal-core"])
def test_a_history_is_replayed_with_what_the_worker_has(project: Project, runtime: str) -> None:
    """From the command line: the worker says what is there, its prints are no part of the report, nothing connects."""
    project.write("worker.py", ORDERS_WORKER)
    done = project.run("replay", str(ORDER), "--worker", "worker", "--json", "--runtime", runtime)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "agrees"
    assert found["runtime"].startswith("temporal (" if runtime == "auto" else f"{runtime} (")


def test_a_hotfix_is_tried_with_the_options_of_the_worker(project: Project) -> None:
    """`--workflows` takes the place of the worker's list and of nothing else; Temporal's Replayer says the same."""
    project.write("worker.py", ORDERS_WORKER)
    code = ["--worker", "worker", "-w", "examples.temporal.orders_broken"]
    done = project.run("replay", str(ORDER), *code, "--verify-with-core", "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["verdict"], found["event_id"]) == ("diverges", 11)
    assert found["file"].endswith("orders_broken.py")
    assert found["temporal_core"]["verdict"] == "diverges"
    assert found["temporal_core_agrees"] is True
