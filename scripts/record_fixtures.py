"""Record the histories in `fixtures/temporal` from a real Temporal server, and check those that are there.

A history that was made up proves nothing about Temporal. These are what a server wrote down while Temporal's Python SDK
ran our own examples, so that anybody can test against the real thing without a server:

    python scripts/record_fixtures.py [ADDRESS]     record them all (takes a server, `temporalio`, and two minutes)
    python scripts/record_fixtures.py --verify      check them with Temporal's own Replayer (takes `temporalio`)

A file is the JSON of `WorkflowHistory.to_json`, indented, otherwise as it came from the server. Nothing is edited
afterwards: what would tell about the machine is kept from getting in. Clients and workers call themselves
`playhead-recorder`, and the failure converter shortens the paths in stack traces before they leave the worker.
"""

import argparse
import asyncio
import base64
import getpass
import importlib
import json
import logging
import re
import socket
import sys
import sysconfig
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for the examples, which are not installed

from examples.temporal import (
    agent,
    approval,
    auction,
    batch,
    exchange,
    newsletter_v1,
    newsletter_v2,
    newsletter_v3,
    onboarding,
    orders,
    orders_hotfix,
    pizza,
    quotes,
    raffle,
    saga,
    transcode,
)
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.failure.v1 import Failure
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest, ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Replayer, Worker
from temporalio.workflow import NondeterminismError

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures" / "temporal"
IDENTITY = "playhead-recorder"
NAMESPACE = "default"

# Half of what happens here is a failure on purpose; the SDK need not report each.
QUIET = Runtime(telemetry=TelemetryConfig(logging=None))
logging.getLogger("temporalio").setLevel(logging.CRITICAL)

Handle: TypeAlias = WorkflowHandle[Any, Any]
Event: TypeAlias = dict[str, Any]

ENDINGS = {
    "WORKFLOW_EXECUTION_COMPLETED": "completed",
    "WORKFLOW_EXECUTION_FAILED": "failed",
    "WORKFLOW_EXECUTION_CANCELED": "cancelled",
    "WORKFLOW_EXECUTION_TERMINATED": "terminated",
    "WORKFLOW_EXECUTION_TIMED_OUT": "timed out",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continued as new",
}


# --- What a fixture says about itself -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What replaying a history with one version of the code should say."""

    module: str
    verdict: str = "agrees"
    """`agrees`, `diverges` or `code raised`, in Playhead's words."""
    at: tuple[str, int] | None = None
    """The recorded event that the code diverges from: its type, and the how-manieth of that type."""
    raises: str | None = None
    """The type of the exception, where the code raises."""
    temporal: str = "ok"
    """`ok`, `nondeterminism` or `error`, in the words of Temporal's Replayer, which lets more pass than we do."""

    def told(self, events: list[Event], workflow_type: str) -> dict[str, Any]:
        """Tell all this as the index has it."""
        told: dict[str, Any] = {
            "module": f"examples.{self.module}",
            "class": workflow_type,
            "verdict": self.verdict,
            "temporal_replayer": self.temporal,
        }
        if self.at:
            told["event_id"] = find(events, *self.at)
        if self.raises:
            told["raises"] = self.raises
        return told


def diverges(module: str, event_type: str, nth: int = 1) -> Expected:
    """Expect both replayers to refuse the code at the nth event of a type."""
    return Expected(module, "diverges", at=(event_type, nth), temporal="nondeterminism")


def raises(module: str, error: str, *, temporal: str) -> Expected:
    """Expect the code to fail the workflow task."""
    return Expected(module, "code raised", raises=error, temporal=temporal)


def type_of(event: Event) -> str:
    """Return an event's type without the prefix that all of them share."""
    return str(event["eventType"]).removeprefix("EVENT_TYPE_")


def attributes(event: Event) -> dict[str, Any]:
    """Return what an event says beyond its id, type and time."""
    return next((value for key, value in event.items() if key.endswith("EventAttributes")), {})


def ending(events: list[Event]) -> str:
    """Tell how a run ended, judging by its last event."""
    return ENDINGS.get(type_of(events[-1]), "open")


def find(events: list[Event], event_type: str, nth: int = 1) -> int:
    """Return the id of the nth event of a type."""
    ids = [int(event["eventId"]) for event in events if type_of(event) == event_type]
    return ids[nth - 1]


# --- The laboratory -------------------------------------------------------------------------------------------------


class ShortPaths(DefaultFailureConverter):
    """Turn failures into protobuf as usual, but name the files in their stack traces as the repository does."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Convert, then shorten; causes come through here one by one."""
        super().to_failure(exception, payload_converter, failure)
        trace = failure.stack_trace.replace(f"{sysconfig.get_path('purelib')}/", "site-packages/")
        trace = trace.replace(f"{sysconfig.get_path('stdlib')}/", "python/")
        failure.stack_trace = trace.replace(f"{ROOT}/", "")


@dataclass
class Lab:
    """A client, the workers of the moment, and the index that grows with each recording."""

    client: Client
    index: list[dict[str, Any]] = field(default_factory=list)
    modules: dict[str, str] = field(default_factory=dict)
    """The module that each workflow id was started from."""

    @classmethod
    async def connect(cls, address: str) -> Self:
        """Connect, and make sure that the server knows the search attribute of `examples.batch`."""
        converter = replace(DataConverter.default, failure_converter_class=ShortPaths)
        client = await Client.connect(
            address, namespace=NAMESPACE, identity=IDENTITY, data_converter=converter, runtime=QUIET
        )
        keyword = {batch.BATCH_STATUS.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        with suppress(RPCError):  # it says ALREADY_EXISTS on a server that was used before
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=keyword)
            )
        return cls(client)

    def worker(self, module: Any, *, activities: bool = True) -> Worker:
        """Make a worker for all that one example module defines, or only for its workflows."""
        things = list(vars(module).values())
        return Worker(
            self.client,
            task_queue=queue_of(module.__name__),
            workflows=[thing for thing in things if hasattr(thing, "__temporal_workflow_definition")],
            activities=[thing for thing in things if activities and hasattr(thing, "__temporal_activity_definition")],
            identity=IDENTITY,
            build_id="playhead-examples",
        )

    async def start(self, workflow_id: str, workflow: type, arg: Any, **options: Any) -> Handle:
        """Start a workflow, in place of any run with its id that an earlier recording left open."""
        self.modules[workflow_id] = short(workflow.__module__)
        return await self.client.start_workflow(
            workflow.__name__,
            arg,
            id=workflow_id,
            task_queue=queue_of(workflow.__module__),
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            **options,
        )

    def pinned(self, handle: Handle) -> Handle:
        """Return a handle of one run, where a handle may mean "whichever run is the latest"."""
        run_id = handle.run_id or handle.result_run_id or handle.first_execution_run_id
        return self.client.get_workflow_handle(handle.id, run_id=run_id)

    async def events(self, handle: Handle, *types: str) -> list[Event]:
        """Return what the server has written down of a run by now, or only the events of some types."""
        events = events_of((await self.pinned(handle).fetch_history()).to_json())
        return [event for event in events if not types or type_of(event) in types]

    async def until(self, handle: Handle, event_type: str, times: int = 1) -> None:
        """Wait until a run has so many events of a type."""
        async with asyncio.timeout(30):
            async for event in self.pinned(handle).fetch_history_events(wait_new_event=True):
                times -= EventType.Name(event.event_type) == f"EVENT_TYPE_{event_type}"
                if not times:
                    return

    async def reset(self, handle: Handle, task: int, reason: str) -> Handle:
        """Reset a run to just before its nth workflow task completed, and return the run that goes on from there."""
        run = self.pinned(handle)
        answer = await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id or ""),
                reason=reason,
                workflow_task_finish_event_id=find(await self.events(run), "WORKFLOW_TASK_COMPLETED", task),
                request_id=str(uuid.uuid4()),
                identity=IDENTITY,
            )
        )
        return self.client.get_workflow_handle(run.id, run_id=answer.run_id)

    async def save(self, name: str, shows: str, handle: Handle, *others: Expected, own: Expected | None = None) -> None:
        """Write a history and its entry in the index.

        It should agree with the code that it was started with, unless `own` says otherwise; `others` tells about code
        from before or after.
        """
        events = await self.events(handle)
        if found := leaks(events, socket.gethostname(), getpass.getuser() + "@"):
            raise SystemExit(f"{name}: the history tells about this machine: {', '.join(sorted(found))}")
        (FIXTURES / f"{name}.json").write_text(json.dumps({"events": events}, indent=2, ensure_ascii=False) + "\n")

        workflow_type = attributes(events[0])["workflowType"]["name"]
        self.index.append(
            {
                "file": f"{name}.json",
                "workflow_id": handle.id,
                "run_id": self.pinned(handle).run_id,
                "workflow_type": workflow_type,
                "shows": shows,
                "ended": ending(events),
                "events": len(events),
                **(own or Expected(self.modules[handle.id])).told(events, workflow_type),
                "variants": [other.told(events, workflow_type) for other in others],
            }
        )
        print(f"{name:32} {len(events):4} events  {ending(events)}")

    async def finish(
        self, name: str, shows: str, handle: Handle, *others: Expected, own: Expected | None = None
    ) -> None:
        """Wait for a run's end, whatever it is, and save it."""
        await ended(handle)
        await self.save(name, shows, handle, *others, own=own)


def short(module: str) -> str:
    """Return a module's name without its packages."""
    return module.rpartition(".")[2]


def queue_of(module: str) -> str:
    """Name a module's task queue; all lives of a workflow share one, as they would in production."""
    return re.sub(r"_(v\d|hotfix|broken)$", "", short(module))


def events_of(text: str) -> list[Event]:
    """Return the events of a history's JSON."""
    events: list[Event] = json.loads(text)["events"]
    return events


async def ended(handle: Handle) -> None:
    """Wait for a run's end, whatever it is."""
    with suppress(WorkflowFailureError):
        await handle.result()


# --- Leaks ------------------------------------------------------------------------------------------------------------

ABSOLUTE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|opt|usr|work|tmp|var|private|mnt|srv)/\S*")


def texts(value: Any) -> Iterator[str]:
    """Yield every string in a history, and what is inside its payloads."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
        if isinstance(value.get("data"), str):
            yield base64.b64decode(value["data"]).decode(errors="replace")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def leaks(events: list[Event], *names: str) -> set[str]:
    """Find absolute paths, process ids at host names, and the given names: what would tell where a history is from."""
    private = re.compile("|".join([r"\b\d+@\w+", *(rf"\b{re.escape(name)}(?!\w)" for name in names)]))
    return {hit for text in texts(events) for pattern in (ABSOLUTE_PATH, private) for hit in pattern.findall(text)}


# --- The recordings, one function for each example --------------------------------------------------------------------


async def record_orders(lab: Lab) -> None:
    """Record orders that go well, that need retries, that fail, and the one that gets stuck."""
    start, workflow = lab.start, orders.OrderFulfilment
    fixed, broken = Expected("orders_hotfix"), diverges("orders_broken", "ACTIVITY_TASK_SCHEDULED", 2)
    order = orders.Order("A-1", "teapot", quantity=2, unit_price=2500, voucher=500)
    express = replace(order, id="A-2", express=True)
    expired = replace(order, id="A-3", card="expired")
    sample = replace(order, id="A-4", item="tea sample", unit_price=0, voucher=0)
    twice = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2)

    async with lab.worker(orders):
        handle = await start("order-A-1", workflow, order)
        await lab.finish("orders_completed", "Success: three activities in a row.", handle, fixed, broken)

        handle = await start("order-A-2", workflow, express)
        shows = "Retries: the last activity fails twice and succeeds at the third attempt."
        await lab.finish("orders_retries", shows, handle, fixed, broken)

        handle = await start("order-A-3", workflow, expired)
        shows = "Failure: a non-retryable activity failure ends the run, a chain of two failures."
        await lab.finish("orders_failed", shows, handle, fixed, broken)

        handle = await start("order-A-5", workflow, replace(expired, id="A-5"), retry_policy=twice)
        shows = "The same failure under a retry policy for the whole run: the first of two attempts."
        await lab.finish("orders_run_retried", shows, handle, fixed, broken)

        handle = await start("order-A-4", workflow, sample)
        await lab.until(handle, "WORKFLOW_TASK_FAILED", 2)  # later attempts leave no events

    shows = "A failing workflow task: the code divides by zero after the customer was charged, and the run is stuck."
    stuck = raises("orders", "ZeroDivisionError", temporal="ok")
    await lab.save("orders_stuck", shows, handle, fixed, broken, own=stuck)

    async with lab.worker(orders_hotfix):
        shows = "The stuck run again, after a worker with the hotfix took over: it goes on where it was, and completes."
        stuck = raises("orders", "ZeroDivisionError", temporal="error")
        await lab.finish("orders_hotfixed", shows, handle, stuck, broken, own=fixed)


async def record_pizza(lab: Lab) -> None:
    """Record timers, a signal, queries, and the ways in which a run ends from outside."""
    workflow = pizza.PizzaOrder
    order = pizza.Pizza("margherita", "12 Canal Street", bake_seconds=1)
    slow = replace(order, bake_seconds=3600)
    brief = timedelta(seconds=2)

    async with lab.worker(pizza):
        delivered = await lab.start("pizza-1", workflow, order)
        await lab.until(delivered, "ACTIVITY_TASK_COMPLETED", 2)
        await delivered.signal(workflow.delivered)
        shows = "A timer that fires, and a signal that ends a wait early, so that its timer is cancelled."
        await lab.finish("pizza_delivered", shows, delivered)

        handle = await lab.start("pizza-2", workflow, replace(order, promised_seconds=2))
        for _ in range(3):
            await handle.query(workflow.status)
            await asyncio.sleep(0.5)
        await ended(handle)
        await handle.query(workflow.status)
        shows = (
            "Queries only: asked three times while it ran and once after its end, which leaves no trace. Two timers."
        )
        await lab.save("pizza_queried", shows, handle)

        handle = await lab.start("pizza-3", workflow, slow)
        await lab.until(handle, "TIMER_STARTED")
        await lab.save("pizza_open", "An open run that waits on a timer.", handle)
        await handle.terminate(reason="the oven is broken")
        await lab.finish("pizza_terminated", "Terminated while it waits on a timer.", handle)

        handle = await lab.start("pizza-4", workflow, slow, execution_timeout=brief)
        await lab.finish("pizza_timed_out", "The run exceeds its execution timeout.", handle)

        shows = (
            "`pizza_delivered` reset to the task after its timer: the new run has the old beginning, and its signal."
        )
        await lab.finish("pizza_reset", shows, await lab.reset(delivered, 3, "it was cold"))

    handle = await lab.start("pizza-5", workflow, order, task_timeout=brief)
    await lab.client.workflow_service.poll_workflow_task_queue(  # and never answer, like a worker that was killed
        PollWorkflowTaskQueueRequest(namespace=NAMESPACE, task_queue=TaskQueue(name="pizza"), identity=IDENTITY)
    )
    await lab.until(handle, "WORKFLOW_TASK_TIMED_OUT")
    await handle.signal(workflow.delivered)
    async with lab.worker(pizza):
        shows = "A workflow task that timed out since its worker vanished; a signal that arrives before the first task."
        await lab.finish("pizza_task_timed_out", shows, handle)


async def record_onboarding(lab: Lab) -> None:
    """Record the year, in full and cut short."""
    workflow = onboarding.Onboarding
    async with lab.worker(onboarding):
        handle = await lab.start("onboarding-mika", workflow, onboarding.User("Mika"))
        await lab.until(handle, "TIMER_STARTED")
        await lab.save("onboarding_open", "An open run in its first month of thirty days.", handle)
        await handle.signal(workflow.upgrade, "pro")
        shows = "The same run, after a signal ended the wait: the thirty-day timer is cancelled."
        await lab.finish("onboarding_upgraded", shows, handle)

        hasty = onboarding.User("Noor", days_per_month=1 / timedelta(days=1).total_seconds())
        handle = await lab.start("onboarding-noor", workflow, hasty)
        shows = "A whole year of twelve timers and reminders (recorded with months of one second)."
        await lab.finish("onboarding_year", shows, handle)


async def record_saga(lab: Lab) -> None:
    """Record a compensation, and the nested failure that it ends in."""
    async with lab.worker(saga):
        handle = await lab.start("trip-lisbon", saga.TripBooking, saga.Trip("Ada", "Lisbon"))
        await lab.finish("saga_booked", "A saga in which every step succeeds.", handle)

        handle = await lab.start("trip-venice", saga.TripBooking, saga.Trip("Ada", "Venice"))
        shows = "Compensation in reverse order; the failure has four links, down to the exception in the activity."
        await lab.finish("saga_compensated", shows, handle)


async def record_approval(lab: Lab) -> None:
    """Record signals and updates, and what they look like after a reset."""
    workflow = approval.ExpenseApproval
    expense = approval.Expense("Grace", "a new keyboard", 9900)
    yes = approval.Decision("Edsger", approved=True)
    no = approval.Decision("Edsger", approved=False, note="use the old one")

    async with lab.worker(approval):
        handle = await lab.start("expense-1", workflow, expense)
        await lab.until(handle, "TIMER_STARTED")
        await lab.save("approval_open", "An open run that waits for a human being.", handle)
        await handle.signal(workflow.decide, yes)
        await lab.finish("approval_approved", "A signal with a typed argument.", handle)

        updated = await lab.start("expense-2", workflow, expense)
        await lab.until(updated, "TIMER_STARTED")
        await updated.execute_update(workflow.amend, 7900)
        await updated.execute_update(workflow.amend, 5900)
        await updated.signal(workflow.decide, yes)
        shows = "Two updates, accepted and later completed; each runs an activity of its own."
        await lab.finish("approval_updated", shows, updated)

        handle = await lab.start("expense-3", workflow, expense)
        await lab.until(handle, "TIMER_STARTED")
        with suppress(WorkflowUpdateFailedError):
            await handle.execute_update(workflow.amend, -1)
        await handle.signal(workflow.decide, no)
        shows = "An update that the validator refused leaves no trace in the history."
        await lab.finish("approval_update_refused", shows, handle)

        policy = WorkflowIDConflictPolicy.TERMINATE_EXISTING
        start = WithStartWorkflowOperation(
            workflow.run, expense, id="expense-4", task_queue="approval", id_conflict_policy=policy
        )
        lab.modules["expense-4"] = "approval"
        await lab.client.execute_update_with_start_workflow(workflow.amend, 100, start_workflow_operation=start)
        handle = await start.workflow_handle()
        await handle.signal(workflow.decide, yes)
        await lab.finish("approval_update_with_start", "An update that started its own run.", handle)

        handle = await lab.start("expense-5", workflow, expense, start_signal="decide", start_signal_args=[yes])
        await lab.finish("approval_signal_with_start", "A signal that started its own run.", handle)

        shows = (
            "`approval_updated` reset to its first task: its signal and updates come again, the updates as admitted."
        )
        await lab.finish("approval_reset", shows, await lab.reset(updated, 1, "once more"))


async def record_agent(lab: Lab) -> None:
    """Record a chain of runs that continue as new."""
    workflow = agent.Agent
    prompts = [
        "how many planets are there",
        "tea and how many cups",
        "the weather",
        "trains and buses",
        "how many days",
    ]
    async with lab.worker(agent):
        first = await lab.start("agent-1", workflow, agent.Conversation(turns_per_run=2))
        for text in prompts:
            await first.signal(workflow.prompt, text)
        run = first
        for _ in range(2):
            await lab.until(run, "WORKFLOW_EXECUTION_CONTINUED_AS_NEW")
            run_id = attributes((await lab.events(run))[-1])["newExecutionRunId"]
            run = lab.client.get_workflow_handle(first.id, run_id=run_id)
        await run.signal(workflow.finish)

        await lab.save("agent_first_run", "Continue-as-new: the first of three runs.", first)
        await lab.finish("agent_last_run", "Continue-as-new: the last of three runs, with what it was handed.", run)


async def record_batch(lab: Lab) -> None:
    """Record parents and children, and how failures and cancellations pass between them."""
    workflow = batch.BatchImport
    good = batch.Batch("monday", ["rows-12.csv", "rows-30.csv", "rows-7.csv"])
    bad = batch.Batch("tuesday", ["scan-of-a-cat.csv"])
    mixed = batch.Batch("wednesday", [*bad.files, *(f"rows-{rows}.csv" for rows in range(5))])

    async with lab.worker(batch):
        handle = await lab.start("batch-monday", workflow, good)
        shows = "A parent that gathers three children; memo and search attributes are upserted."
        await lab.finish("batch_parent", shows, handle)

        child: Handle = lab.client.get_workflow_handle("monday-rows-12.csv")
        child = lab.client.get_workflow_handle(child.id, run_id=(await child.describe()).run_id)
        lab.modules[child.id] = "batch"
        await lab.save("batch_child", "One of those children, seen from inside.", child)

        handle = await lab.start("batch-tuesday", workflow, bad)
        shows = "A nested failure: run, child workflow, activity, exception, and the exception behind it."
        await lab.finish("batch_failed", shows, handle)

        cause = ""
        async with asyncio.timeout(60):  # it is a race, so run it until it goes the way that is wanted
            while not cause.endswith("UNHANDLED_COMMAND"):
                handle = await lab.start("batch-wednesday", workflow, mixed)
                await ended(handle)
                failed = await lab.events(handle, "WORKFLOW_TASK_FAILED")
                cause = attributes(failed[0])["cause"] if failed else ""
        shows = "An unhandled command: the run wants to fail just when another child ends, and has to think again."
        await lab.save("batch_unhandled_command", shows, handle)

    async with lab.worker(batch, activities=False):
        handle = await lab.start("batch-thursday", workflow, replace(good, name="thursday"))
        await lab.until(handle, "CHILD_WORKFLOW_EXECUTION_STARTED", 3)
        await handle.cancel()
        await lab.finish("batch_cancelled", "A cancelled parent that cancels its children.", handle)


async def record_transcode(lab: Lab) -> None:
    """Record heartbeats, and the cancellation that they bring."""
    workflow = transcode.Transcoding
    film = transcode.Film("Metropolis", frames=20)
    async with lab.worker(transcode):
        handle = await lab.start("film-1", workflow, replace(film, crashes=True))
        shows = "Heartbeat details survive: the second attempt goes on from the frame where the first one failed."
        await lab.finish("transcode_resumed", shows, handle)

        handle = await lab.start("film-2", workflow, replace(film, frames=600))
        await asyncio.sleep(2)
        await handle.cancel(reason="nobody watches silent films")
        shows = "Cancellation: it reaches the activity by heartbeat, and `finally` cleans up before the run ends."
        await lab.finish("transcode_cancelled", shows, handle)

        handle = await lab.start("film-3", workflow, replace(film, frames=2, seconds_per_frame=2))
        shows = "A heartbeat timeout, three attempts long; `finally` cleans up, then the run fails."
        await lab.finish("transcode_silent", shows, handle)


async def record_exchange(lab: Lab) -> None:
    """Record local activities, and an activity's timeout."""
    workflow = exchange.CurrencyExchange
    async with lab.worker(exchange):
        handle = await lab.start("exchange-1", workflow, exchange.Exchange(100, "CHF", bank_takes_seconds=3))
        shows = "A start-to-close timeout that the workflow catches, then a local activity."
        await lab.finish("exchange_timeout", shows, handle)

        handle = await lab.start("exchange-2", workflow, exchange.Exchange(1, "XAU", bank_takes_seconds=3))
        shows = "A local activity that fails, backs off by a timer, and succeeds."
        await lab.finish("exchange_backoff", shows, handle)

        slow = exchange.Exchange(5000, "JPY", bank_takes_seconds=3, card_takes_seconds=4)
        handle = await lab.start("exchange-3", workflow, slow, task_timeout=timedelta(seconds=2))
        shows = (
            "A local activity that outlasts its workflow task, so that heartbeats (tasks without commands) bridge it."
        )
        await lab.finish("exchange_slow_card", shows, handle)


async def record_quotes(lab: Lab) -> None:
    """Record activities that race."""
    question = quotes.Question("a bicycle", {"Swift": 0.2, "Thorough": 0.6, "Sleepy": 30}, deadline_seconds=1)
    async with lab.worker(quotes):
        handle = await lab.start("quotes-1", quotes.CheapestQuote, question)
        shows = "Concurrent activities; at the deadline the one that is late is cancelled, without waiting for it."
        await lab.finish("quotes_late", shows, handle)


async def record_raffle(lab: Lab) -> None:
    """Record randomness, and the new seed that a reset brings."""
    async with lab.worker(raffle):
        drawn = await lab.start("raffle-1", raffle.RaffleDraw, raffle.Raffle(["Ida", "Jon", "Kim", "Lea", "Max"]))
        shows = "Random choices and UUIDs decide which activities are called, and under which ids."
        await lab.finish("raffle_drawn", shows, drawn)

        shows = "`raffle_drawn` reset after two prizes: a new seed applies from there on."
        await lab.finish("raffle_reset", shows, await lab.reset(drawn, 3, "a wrong ticket"))


async def record_auction(lab: Lab) -> None:
    """Record workflows that signal and cancel each other."""
    bid = auction.Bid("auction-1", "Ida", 300)
    async with lab.worker(auction):
        sale = await lab.start("auction-1", auction.Auction, auction.Lot("a lighthouse", seconds=2))
        bidder = await lab.start("bid-Ida", auction.Bidder, bid)
        await lab.start("bid-Jon", auction.Bidder, replace(bid, bidder="Jon", amount=450))
        await lab.finish("auction_sold", "Signals that come from other workflows.", sale)
        await lab.finish("auction_bidder", "A signal to another workflow.", bidder)

        bidder = await lab.start("bid-Kim", auction.Bidder, replace(bid, auction_id="auction-0", bidder="Kim"))
        await lab.finish("auction_nobody_there", "A signal to a workflow that does not exist.", bidder)

        sale = await lab.start("auction-2", auction.Auction, auction.Lot("a tractor"))
        await lab.until(sale, "TIMER_STARTED")
        owner = await lab.start("owner-2", auction.CallOff, sale.id)
        await lab.finish("auction_called_off", "Cancelled by another workflow while it waits on a timer.", sale)
        await lab.finish("auction_owner", "The workflow that asked for that.", owner)


async def record_newsletter(lab: Lab) -> None:
    """Record the three lives of one workflow, before, with and after a patch."""
    v1, v2, v3 = newsletter_v1, newsletter_v2, newsletter_v3

    async with lab.worker(v1):
        handle = await lab.start("newsletter-v1", v1.Newsletter, "owls")
        others = Expected("newsletter_v2"), diverges("newsletter_v3", "ACTIVITY_TASK_SCHEDULED", 2)
        await lab.finish("newsletter_v1", "Recorded before a patch: there is no marker.", handle, *others)

    async with lab.worker(v2):
        handle = await lab.start("newsletter-v2", v2.Newsletter, "owls")
        others = Expected("newsletter_v3"), diverges("newsletter_v1", "MARKER_RECORDED")
        shows = "Recorded with a patch: there is a marker, and the search attribute that goes with it."
        await lab.finish("newsletter_v2", shows, handle, *others)

    async with lab.worker(v3):
        handle = await lab.start("newsletter-v3", v3.Newsletter, "owls")
        others = Expected("newsletter_v2"), diverges("newsletter_v1", "ACTIVITY_TASK_SCHEDULED", 2)
        shows = "Recorded after the patch was deprecated: the marker says that code without the patch may ignore it."
        await lab.finish("newsletter_v3", shows, handle, *others)


RECORDINGS: list[Callable[[Lab], Awaitable[None]]] = [
    record_orders,
    record_pizza,
    record_onboarding,
    record_saga,
    record_approval,
    record_agent,
    record_batch,
    record_transcode,
    record_exchange,
    record_quotes,
    record_raffle,
    record_auction,
    record_newsletter,
]


async def record(address: str) -> None:
    """Record everything anew, and write the index last, so that it never promises a file that is not there."""
    lab = await Lab.connect(address)
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for recording in RECORDINGS:
        await recording(lab)
    (FIXTURES / "INDEX.json").write_text(json.dumps(lab.index, indent=2, ensure_ascii=False) + "\n")


# --- Verification -----------------------------------------------------------------------------------------------------


async def replay(module: str, name: str, history: WorkflowHistory) -> str:
    """Ask Temporal's Replayer what it thinks of a history and the Temporal form of a workflow."""
    code = importlib.import_module(module.replace("examples.", "examples.temporal.", 1))
    replayer = Replayer(workflows=[getattr(code, name)], runtime=QUIET)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return "ok"
    return "nondeterminism" if isinstance(result.replay_failure, NondeterminismError) else "error"


def problems_of_forms() -> Iterator[str]:
    """Find examples whose two forms differ in more than their imports."""
    for path in sorted((ROOT / "examples" / "temporal").glob("*.py")):
        native = path.parent.parent / path.name
        if path.name == "__init__.py":
            continue
        moved = re.sub(r"^((?:from|import) )temporalio\b", r"\1playhead_engine", path.read_text(), flags=re.MULTILINE)
        if not native.exists() or moved != native.read_text():
            yield f"examples/{path.name} is not examples/temporal/{path.name} with its imports changed"


async def problems_of_histories() -> list[str]:
    """Find histories that are not what the index says of them."""
    index = json.loads((FIXTURES / "INDEX.json").read_text())
    problems = [
        f"{path.name} is not in the index"
        for path in sorted(FIXTURES.glob("*.json"))
        if path.name != "INDEX.json" and path.name not in {entry["file"] for entry in index}
    ]
    for entry in index:
        text = (FIXTURES / entry["file"]).read_text()
        events = events_of(text)
        history = WorkflowHistory.from_json(entry["workflow_id"], text)
        facts = {
            "events": (entry["events"], len(history.events)),
            "end": (entry["ended"], ending(events)),
            "JSON": (events, events_of(history.to_json())),
            "leaks": (set(), leaks(events)),
        }
        problems += [f"{entry['file']}: the {fact} differ" for fact, (told, seen) in facts.items() if told != seen]
        for code in (entry, *entry["variants"]):
            seen = await replay(code["module"], code["class"], history)
            told = code["temporal_replayer"]
            print(f"{entry['file']:32} {code['module']:26} {code['verdict']:12} Temporal: {seen}")
            if seen != told:
                problems.append(f"{entry['file']} with {code['module']}: expected {told}, got {seen}")
    return problems


def main() -> None:
    """Record or verify."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", default="localhost:7233", help="the server (default: %(default)s)")
    parser.add_argument("--verify", action="store_true", help="check what is there instead; needs no server")
    options = parser.parse_args()
    if not options.verify:
        asyncio.run(record(options.address))
    problems = [*problems_of_forms(), *asyncio.run(problems_of_histories())]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
