"""What workflow code can ask of its own run: information, time, randomness, handlers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from playhead_engine import workflow
from playhead_engine.activation import Activation, Deployment, DoUpdate, NotifyHasPatch, UpdateRandomSeed
from playhead_engine.common import RawValue, RetryPolicy, SearchAttributeKey, WorkerDeploymentVersion
from playhead_engine.exceptions import ApplicationError
from playhead_engine.native import NativeRuntime
from tests.engine.native_driver import RUN_ID, SEED, START, Driver, application_failure, encode, encode_all, start_job

MINUTE = timedelta(minutes=1)


async def act(name: str = "job") -> Any:
    """An activity."""
    return await workflow.execute_activity(name, start_to_close_timeout=MINUTE)


@workflow.defn
class Knows:
    """Tells what it knows, as queries."""

    def __init__(self) -> None:
        """Know things from the start."""
        self.born = workflow.now()

    @workflow.run
    async def run(self) -> Any:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def facts(self) -> dict[str, Any]:
        """All of `info()` that JSON can hold."""
        info = workflow.info()
        return {
            "attempt": info.attempt,
            "continued": info.continued_run_id,
            "cron": info.cron_schedule,
            "execution": info.execution_timeout,
            "run": info.run_timeout and info.run_timeout.total_seconds(),
            "task": info.task_timeout.total_seconds(),
            "parent": info.parent and [info.parent.namespace, info.parent.workflow_id, info.parent.run_id],
            "root": info.root and [info.root.workflow_id, info.root.run_id],
            "retry": info.retry_policy == RetryPolicy(maximum_attempts=3, maximum_interval=timedelta(seconds=100)),
            "priority": info.priority.priority_key,
            "memo": sorted(info.raw_memo),
            "headers": sorted(info.headers),
            "ids": [info.workflow_id, info.run_id, info.first_execution_run_id, info.original_execution_run_id],
            "queue": info.task_queue,
            "type": info.workflow_type,
            "namespace": info.namespace,
            "start": [info.start_time.isoformat(), info.workflow_start_time.isoformat()],
            "search": info.search_attributes.get("Status"),
            "typed": info.typed_search_attributes[SearchAttributeKey.for_keyword("Status")],
            "last": [workflow.has_last_completion_result(), workflow.get_last_completion_result(int)],
            "failure": str(workflow.get_last_failure()),
            "instance": workflow.instance() is self,
            "in": workflow.in_workflow(),
        }

    @workflow.query
    def moment(self) -> list[Any]:
        """What changes from task to task."""
        info = workflow.info()
        version = info.get_current_deployment_version()
        return [
            info.get_current_history_length(),
            info.get_current_history_size(),
            info.is_continue_as_new_suggested(),
            info.is_target_worker_deployment_version_changed(),
            info.get_current_build_id(),
            version == WorkerDeploymentVersion("shop", "v2"),
            workflow.time_ns(),
            workflow.now().isoformat(),
            self.born.isoformat(),
            workflow.unsafe.is_replaying(),
            workflow.unsafe.is_read_only(),
        ]

    @workflow.query
    def details(self) -> str:
        """The current details."""
        return workflow.get_current_details()

    @workflow.query
    def draws(self) -> float:
        """Try to draw a random number."""
        return workflow.random().random()

    @workflow.query
    def sets_details(self) -> None:
        """Try to change something."""
        workflow.set_current_details("x")

    @workflow.signal
    def describe(self, text: str) -> None:
        """Change the details."""
        workflow.set_current_details(text)


def test_info_says_what_the_run_was_started_with() -> None:
    """Every field."""
    driver = Driver(
        Knows,
        start={
            "continuedExecutionRunId": "before",
            "cronSchedule": "@daily",
            "workflowRunTimeout": "90s",
            "parentWorkflowNamespace": "ns",
            "parentWorkflowExecution": {"workflowId": "p", "runId": "pr"},
            "rootWorkflowExecution": {"workflowId": "q", "runId": "qr"},
            "retryPolicy": RetryPolicy(maximum_attempts=3).to_json(),
            "priority": {"priorityKey": 4},
            "memo": {"fields": {"m": encode(1)}},
            "header": {"fields": {"h": encode(1)}},
            "searchAttributes": {
                "indexedFields": {
                    "Status": {"metadata": {"encoding": "anNvbi9wbGFpbg==", "type": "S2V5d29yZA=="}, "data": "Im9wZW4i"}
                }
            },
            "lastCompletionResult": {"payloads": [encode(7)]},
            "continuedFailure": application_failure("before"),
        },
    )
    assert driver.query("facts") == {
        "attempt": 1,
        "continued": "before",
        "cron": "@daily",
        "execution": None,
        "run": 90.0,
        "task": 10.0,
        "parent": ["ns", "p", "pr"],
        "root": ["q", "qr"],
        "retry": True,
        "priority": 4,
        "memo": ["m"],
        "headers": ["h"],
        "ids": ["the-workflow", RUN_ID, RUN_ID, RUN_ID],
        "queue": "queue",
        "type": "Knows",
        "namespace": "default",
        "start": ["2023-11-14T22:13:20.123456+00:00", "2023-11-14T22:13:19.123456+00:00"],
        "search": ["open"],
        "typed": "open",
        "last": [True, 7],
        "failure": "Boom: before",
        "instance": True,
        "in": True,
    }


def test_info_says_what_changes_from_task_to_task() -> None:
    """And time stands still while a task runs."""
    driver = Driver(Knows)
    from playhead_engine.activation import QueryWorkflow

    activation = Activation(
        RUN_ID,
        START + 5,
        True,
        42,
        1234,
        True,
        (QueryWorkflow("q", "moment", [], {}),),
        deployment=Deployment("shop", "v2"),
        target_deployment_changed=True,
    )
    completion = driver.instance.activate(activation)
    (answer,) = completion.commands  # type: ignore[union-attr]
    from tests.engine.native_driver import decode

    born = datetime.fromtimestamp(START / 1e9, UTC).isoformat()
    now = datetime.fromtimestamp((START + 5) / 1e9, UTC).isoformat()
    assert decode(answer.result) == [42, 1234, True, True, "v2", True, START + 5, now, born, True, True]  # type: ignore[union-attr, arg-type]


def test_a_query_must_change_nothing() -> None:
    """Not even a random number may be drawn; and the run goes on as if nobody had asked."""
    driver = Driver(Knows)
    assert "it tried to draw a random number" in driver.query("draws")["message"]
    assert "it tried to set the current details" in driver.query("sets_details")["message"]
    driver.signal("describe", "half done")
    assert driver.query("details") == "half done"


def test_every_workflow_answers_temporals_own_queries() -> None:
    """Where it stands, and what it can be asked."""
    driver = Driver(Knows)
    trace = driver.query("__stack_trace")
    assert trace.startswith("run (most recent call last):\n")
    enhanced = driver.query("__enhanced_stack_trace")
    assert enhanced["stacks"][0]["locations"]
    metadata = driver.query("__temporal_workflow_metadata")
    assert metadata["definition"]["type"] == "Knows"
    assert {"name": "facts", "description": ""} in metadata["definition"]["queryDefinitions"]
    assert metadata["definition"]["signalDefinitions"] == [{"name": "describe", "description": ""}]


def test_an_unknown_query_says_what_there_is() -> None:
    """The asker sees at once what was misspelled."""
    failure = Driver(Knows).query("nothing")
    assert failure["message"].startswith("Knows has no handler for query 'nothing'; it has: details, draws, facts")


@workflow.defn
class Draws:
    """Draws random numbers."""

    @workflow.run
    async def run(self) -> Any:
        """Before and after a reset."""
        own, named = workflow.new_random(), workflow.new_random("dice")
        first = [str(workflow.uuid4()), workflow.random().random(), own.random(), named.random()]
        await act()
        return first, [workflow.random().random(), own.random(), named.random(), workflow.random_seed()]


def test_random_numbers_follow_the_seed_bit_for_bit() -> None:
    """Those of Temporal's SDK, since ids are made of them."""
    driver = Driver(Draws)
    driver.tell(UpdateRandomSeed(99))
    driver.complete(1)
    numbers = Random(SEED)
    first = [str(UUID(bytes=numbers.getrandbits(128).to_bytes(16, "big"), version=4)), numbers.random()]
    first += [Random(SEED).random(), Random(f"{SEED}:dice").random()]
    later = [Random(99).random(), Random(99).random(), Random("99:dice").random(), 99]
    assert driver.result() == [first, later]


@workflow.defn
class Updates:
    """Takes updates."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: list[Any] = []

    @workflow.run
    async def run(self) -> None:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def change(self, amount: int) -> str:
        """Note which update it is."""
        await act()
        info = workflow.current_update_info()
        assert info is not None
        return f"{info.id} {info.name} {amount}"

    @change.validator
    def check(self, amount: int) -> None:
        """Refuse negative amounts, and try to cheat at zero."""
        if amount == 0:
            workflow.start_activity("cheat", start_to_close_timeout=MINUTE)
        if amount < 0:
            raise ValueError("negative")

    @workflow.update
    def fails(self) -> None:
        """Fail."""
        raise ApplicationError("no")

    @workflow.update
    def bug(self) -> None:
        """A bug."""
        raise KeyError("oops")

    @workflow.update
    def leaves(self) -> None:
        """Try to continue as new."""
        workflow.continue_as_new()


def test_an_update_is_validated_accepted_and_completed() -> None:
    """In two activations if it waits for something."""
    driver = Driver(Updates)
    driver.update("change", 5)
    assert driver.kinds() == ["AcceptUpdate", "ScheduleActivity"]
    driver.complete(1)
    assert driver.commands[0].result == encode("change change 5")  # type: ignore[union-attr]


def test_an_update_can_be_refused() -> None:
    """By its validator; on replay it was accepted already and the validator is not asked."""
    driver = Driver(Updates)
    driver.update("change", -1)
    assert driver.kinds() == ["RejectUpdate"]
    assert driver.commands[0].failure["message"] == "negative"  # type: ignore[union-attr, index]
    driver.update("change", -1, validate=False)
    assert driver.kinds() == ["AcceptUpdate", "ScheduleActivity"]
    driver.update("unknown")
    assert driver.kinds() == ["RejectUpdate"]
    assert "has no handler for update 'unknown'; it has: bug, change, fails" in driver.commands[0].failure["message"]  # type: ignore[union-attr, index]


def test_an_update_that_fails_after_acceptance_answers_with_the_failure() -> None:
    """A bug fails the workflow task instead, as it does in a run method."""
    driver = Driver(Updates)
    driver.update("fails")
    assert driver.kinds() == ["AcceptUpdate", "RejectUpdate"]
    driver.update("bug")
    assert isinstance(driver.error, KeyError)
    driver = Driver(Updates)
    driver.update("leaves")
    assert "an update handler cannot continue as new" in str(driver.error)


def test_a_validator_must_change_nothing() -> None:
    """It would not be asked on replay."""
    driver = Driver(Updates)
    driver.update("change", 0)
    assert isinstance(driver.error, workflow.ReadOnlyContextError)


@workflow.defn
class Handlers:
    """Sets handlers while it runs."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: list[Any] = []

    @workflow.run
    async def run(self) -> Any:
        """First those of names, then those of all others."""
        await act()
        assert workflow.get_signal_handler("late") is None
        workflow.set_signal_handler("late", self.late)
        handler = workflow.get_signal_handler("late")
        assert handler is not None
        workflow.set_query_handler("sum", lambda: len(self.seen))
        workflow.set_update_handler("add", self.add)
        assert workflow.get_query_handler("sum") is not None
        assert workflow.get_update_handler("add") is not None
        await act()
        workflow.set_dynamic_signal_handler(self.rest)
        workflow.set_dynamic_query_handler(self.ask)
        workflow.set_dynamic_update_handler(self.ask)
        assert workflow.get_dynamic_signal_handler() is not None
        assert workflow.get_dynamic_query_handler() is not None
        assert workflow.get_dynamic_update_handler() is not None
        await act()
        for remove in (workflow.set_query_handler, workflow.set_update_handler):
            remove("sum", None)
        await workflow.wait_condition(lambda: False)

    def late(self, n: int) -> None:
        """Note it."""
        self.seen.append(n)

    def add(self, n: int) -> int:
        """Note it."""
        self.seen.append(n)
        return len(self.seen)

    def rest(self, name: str, args: Sequence[RawValue]) -> None:
        """Note it."""
        self.seen.append([name, len(args)])

    def ask(self, name: str, args: Sequence[RawValue]) -> Any:
        """Tell."""
        return [name, len(args), self.seen]


def test_signals_wait_for_their_handler() -> None:
    """In the order in which they came, whether the handler is for them or for all others."""
    driver = Driver(Handlers)
    driver.signal("other", 1, 2)
    driver.signal("late", 1)
    driver.signal("late", 2)
    driver.complete(1)
    assert driver.query("sum") == 2
    driver.update("add", 9)
    assert driver.commands[-1].result == encode(3)  # type: ignore[union-attr]
    driver.complete(2)
    assert driver.query("anything", 1) == ["anything", 1, [1, 2, 9, ["other", 2]]]
    driver.update("whatever")
    assert driver.commands[-1].result == encode(["whatever", 0, [1, 2, 9, ["other", 2]]])  # type: ignore[union-attr]
    driver.complete(3)
    assert driver.query("sum") == ["sum", 0, [1, 2, 9, ["other", 2]]]


def test_a_signal_that_cannot_be_decoded_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """Its sender is gone, and the workflow must go on; it is logged."""
    driver = Driver(Handlers)
    driver.complete(1)
    driver.signal("late", {"not": "a number"})
    assert driver.error is None
    assert driver.query("sum") == 0
    assert "Signal late is dropped" in caplog.text


@workflow.defn(dynamic=True)
class Anything:
    """Takes every type."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Any:
        """Say which."""
        if workflow.info().workflow_type == "Fails":
            raise LookupError
        return [workflow.info().workflow_type, len(args)]

    @workflow.dynamic_config
    def config(self) -> workflow.DynamicWorkflowConfig:
        """Some types fail by other errors."""
        return workflow.DynamicWorkflowConfig(failure_exception_types=[LookupError])


def test_a_dynamic_workflow_takes_every_type() -> None:
    """And can be configured once its type is known."""
    runtime = NativeRuntime([Anything])
    for name, kind in (("Sales", "CompleteWorkflow"), ("Fails", "FailWorkflow")):
        instance = runtime.create(name, RUN_ID)
        completion = instance.activate(Activation(RUN_ID, START, False, 3, 0, False, (start_job(name, [1, 2]),)))
        assert [type(c).__name__ for c in completion.commands] == [kind]  # type: ignore[union-attr]


@workflow.defn
class Order:
    """Notes the order in which things happen in its first task."""

    def __init__(self) -> None:
        """The object is made before anything is handled."""
        self.seen = ["init"]

    @workflow.run
    async def run(self) -> list[str]:
        """The run method begins after signals and updates that came before it."""
        self.seen.append(f"run {workflow.patched('p')}")
        await asyncio.sleep(0)
        return self.seen

    @workflow.signal
    def signal(self) -> None:
        """A signal."""
        self.seen.append("signal")

    @workflow.update
    def update(self) -> None:
        """An update."""
        self.seen.append("update")


@pytest.mark.parametrize(
    ("flags", "order"),
    [((), ["init", "signal", "update", "run True"]), ((2,), ["init", "signal", "update", "run True"])],
)
def test_signals_of_the_first_task_come_before_the_run_method(flags: tuple[int, ...], order: list[str]) -> None:
    """Whatever order the histories of an SDK recorded; patches are known to all of them."""
    from playhead_engine.activation import SignalWorkflow

    driver = Driver(
        Order,
        replaying=True,
        flags=flags,
        jobs=[
            NotifyHasPatch("p"),
            SignalWorkflow("signal", [], "", {}, 2),
            DoUpdate("u", "u", "update", encode_all([]), {}, "", False),
        ],
    )
    assert driver.result() == order


def test_the_api_says_when_it_is_called_from_elsewhere() -> None:
    """Outside of workflow code, and from an asyncio loop of anybody's."""
    assert not workflow.in_workflow()
    with pytest.raises(workflow.NotInWorkflowError, match="only possible in workflow code"):
        workflow.now()

    async def outside() -> None:
        with pytest.raises(workflow.NotInWorkflowError):
            await workflow.sleep(1)

    asyncio.run(outside())


def test_a_run_inside_async_code_is_a_world_of_its_own() -> None:
    """The loop outside is there again as soon as the workflow waits, current task and all."""

    async def outside() -> Any:
        task = asyncio.current_task()
        driver = Driver(Draws)
        assert asyncio.current_task() is task
        assert not workflow.in_workflow()
        driver.complete(1)
        return driver.kinds()

    assert asyncio.run(outside()) == ["CompleteWorkflow"]


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """A warning about something left behind belongs to the test that left it."""
    yield
    gc.collect()
