"""Workflows written for Temporal's SDK, each of which uses one more thing that the SDK can do.

They are run on the engine and judged by both replayers, as they are and with their code changed. A class says how it is
run: `ARGS` starts it, and `STEPS` are what its client does then; see `running_programs` of the engine's tests.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import (
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    VersioningBehavior,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ActivityCancellationType, ChildWorkflowCancellationType, ParentClosePolicy

SOON = timedelta(seconds=20)
Step = tuple[Any, ...]


@activity.defn(name="double")
async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@activity.defn(name="beats")
async def beats() -> None:
    """Beat until told to stop."""
    while True:
        activity.heartbeat("alive")
        await asyncio.sleep(1)


@activity.defn(name="fails_twice")
async def fails_twice() -> int:
    """Fail at first."""
    if activity.info().attempt < 3:
        raise ApplicationError("not yet", activity.info().attempt, type="NotYet")
    return activity.info().attempt


@activity.defn(name="fails")
async def fails() -> None:
    """Fail for good."""
    raise ApplicationError("no", {"why": 1}, type="Never", non_retryable=True)


@dataclass
class Box:
    """Something to convert."""

    name: str
    size: int = 1


class Odd(Exception):
    """Fails a workflow only where it is listed."""


_ACTIVITY_KINDS = tuple(ActivityCancellationType)
_CHILD_KINDS = tuple(ChildWorkflowCancellationType)


@workflow.defn
class CancelsActivities:
    """Activities of every cancellation type, cancelled before they are sent and after."""

    @workflow.run
    async def run(self) -> list[str]:
        """Cancel them."""
        found: list[str] = []
        for kind in _ACTIVITY_KINDS:
            for wait in (0, 3):
                handle = workflow.start_activity(
                    "beats", start_to_close_timeout=SOON, heartbeat_timeout=timedelta(seconds=5), cancellation_type=kind
                )
                if wait:
                    await asyncio.sleep(wait)
                handle.cancel()
                try:
                    await handle
                except (ActivityError, asyncio.CancelledError) as error:
                    found.append(f"{kind.name} {type(error).__name__}")
        return found


@workflow.defn
class CancelsLocalWork:
    """Local activities: with retries that need timers, failing, cancelled, and several at once."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Do them."""
        found: list[Any] = []
        policy = RetryPolicy(initial_interval=timedelta(seconds=8), maximum_attempts=4)
        found.append(
            await workflow.execute_local_activity(
                fails_twice,
                start_to_close_timeout=SOON,
                retry_policy=policy,
                local_retry_threshold=timedelta(seconds=2),
            )
        )
        try:
            await workflow.execute_local_activity(fails, start_to_close_timeout=SOON)
        except FailureError as error:
            found.append(str(error))
        found.append(
            await asyncio.gather(
                *(workflow.execute_local_activity(double, n, start_to_close_timeout=SOON) for n in range(3)),
                workflow.execute_activity(double, 7, start_to_close_timeout=SOON),
            )
        )
        for kind in _ACTIVITY_KINDS:
            handle = workflow.start_local_activity(
                beats,
                start_to_close_timeout=timedelta(seconds=5),
                cancellation_type=kind,
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
            handle.cancel()
            try:
                await handle
            except (FailureError, asyncio.CancelledError) as error:
                found.append(type(error).__name__)
        return found


@workflow.defn
class Child:
    """Waits for a word."""

    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self, how: str = "") -> str:
        """Wait."""
        if how == "fail":
            raise ApplicationError("tired", type="Tired")
        if how != "at once":
            try:
                await workflow.wait_condition(lambda: bool(self.word))
            except asyncio.CancelledError:
                await asyncio.sleep(2)
                raise
        return self.word

    @workflow.signal
    def tell(self, word: str) -> None:
        """Hear."""
        self.word = word


@workflow.defn
class CancelsChildren:
    """Children of every cancellation type, cancelled before they are sent, before they start, and after."""

    @workflow.run
    async def run(self) -> list[str]:
        """Cancel them."""
        found: list[str] = []
        for kind in _CHILD_KINDS:
            for when in ("at once", "started"):
                task = asyncio.create_task(
                    workflow.execute_child_workflow(
                        Child.run,
                        id=f"{kind.name} {when}",
                        cancellation_type=kind,
                        parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                    )
                )
                await asyncio.sleep(0 if when == "at once" else 3)
                task.cancel()
                try:
                    await task
                except (ChildWorkflowError, asyncio.CancelledError) as error:
                    found.append(type(error).__name__)
        return found


@workflow.defn
class Family:
    """Children that return, fail, exist already, are signalled, and are left behind."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Raise them."""
        first = await workflow.start_child_workflow(
            Child.run, id="first", parent_close_policy=ParentClosePolicy.ABANDON, memo={"a": 1}
        )
        found: list[Any] = [first.first_execution_run_id is not None]
        try:
            await workflow.start_child_workflow(
                Child.run, id="first", id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE
            )
        except WorkflowAlreadyStartedError:
            found.append("already")
        try:
            await workflow.execute_child_workflow(Child.run, "fail", retry_policy=RetryPolicy(maximum_attempts=2))
        except ChildWorkflowError as error:
            found.append(str(error.cause))
        found.append(await asyncio.gather(*(workflow.execute_child_workflow(Child.run, "at once") for _ in range(3))))
        await first.signal(Child.tell, "go")
        found.append(await first)
        try:
            await workflow.get_external_workflow_handle("nobody").signal("x")
        except ApplicationError as error:
            found.append(error.type)
        try:
            await workflow.get_external_workflow_handle("nobody").cancel()
        except ApplicationError as error:
            found.append(error.type)
        left = await workflow.start_child_workflow(Child.run, id="left", parent_close_policy=ParentClosePolicy.ABANDON)
        await workflow.get_external_workflow_handle(left.id).cancel()
        return found


@workflow.defn
class Signals:
    """Named, dynamic, buffered and late handlers, and handlers that wait."""

    STEPS = (
        ("signal", "early", 1),
        ("signal", "slow", 2),
        ("sleep", 1),
        ("signal", "unknown", 3),
        ("signal", "late", 4),
        ("sleep", 30),
        ("signal", "slow", 5),
        ("signal", "end"),
    )

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.is_over = False

    @workflow.run
    async def run(self) -> list[Any]:
        """Wait for the end."""
        await asyncio.sleep(10)
        workflow.set_signal_handler("late", self.seen.append)
        await asyncio.sleep(10)
        workflow.set_dynamic_signal_handler(self.anything)
        await workflow.wait_condition(lambda: self.is_over)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.seen

    def anything(self, name: str, args: Sequence[RawValue]) -> None:
        """Take what nobody else takes."""
        self.seen.append([name, len(args)])

    @workflow.signal
    async def slow(self, value: int) -> None:
        """Take its time."""
        self.seen.append(await workflow.execute_activity(double, value, start_to_close_timeout=SOON))
        await asyncio.sleep(3)

    @workflow.signal
    def end(self) -> None:
        """End."""
        self.is_over = True


@workflow.defn
class Updates:
    """Updates in the first task and later, that wait, fail, are rejected, and are dynamic."""

    STEPS = (
        ("update", "add", 1),
        ("update", "add", -1),
        ("update", "slow", 3),
        ("sleep", 5),
        ("update", "fails", "not that"),
        ("update", "whatever", 1),
        ("signal", "end"),
    )

    def __init__(self) -> None:
        self.total = 0
        self.is_over = False
        self.ids: list[str] = []

    @workflow.run
    async def run(self) -> list[Any]:
        """Wait for the end."""
        await workflow.wait_condition(lambda: self.is_over, timeout=timedelta(hours=1))
        return [self.total]

    @workflow.update
    async def add(self, value: int) -> int:
        """Add."""
        info = workflow.current_update_info()
        self.ids.append(info.name if info else "")
        self.total += value
        return self.total

    @add.validator
    def can_add(self, value: int) -> None:
        """Only more."""
        if value < 0:
            raise ValueError("negative")

    @workflow.update
    async def slow(self, value: int) -> int:
        """Take its time."""
        self.total += await workflow.execute_activity(double, value, start_to_close_timeout=SOON)
        await asyncio.sleep(1)
        return self.total

    @workflow.update
    async def fails(self, word: str) -> None:
        """Fail."""
        await asyncio.sleep(1)
        raise ApplicationError(word)

    @workflow.update(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> str:
        """Take what nobody else takes."""
        return name

    @workflow.signal
    def end(self) -> None:
        """End."""
        self.is_over = True


@workflow.defn
class Cancelled:
    """Is cancelled: shields something, swallows the first cancel, cleans up, and ends as cancelled."""

    STEPS = (("sleep", 3), ("cancel",), ("sleep", 3), ("signal", "on"), ("sleep", 30))

    def __init__(self) -> None:
        self.is_on = False

    @workflow.run
    async def run(self) -> None:
        """Wait to be cancelled."""
        shielded = asyncio.ensure_future(workflow.execute_activity(double, 1, start_to_close_timeout=SOON))
        other = asyncio.create_task(asyncio.sleep(1000))
        try:
            await asyncio.shield(asyncio.sleep(1000))
        except asyncio.CancelledError:
            await shielded
        await workflow.wait_condition(lambda: self.is_on)
        other.cancel()
        try:
            await other
        finally:
            await workflow.execute_activity(double, 2, start_to_close_timeout=SOON)

    @workflow.signal
    def on(self) -> None:
        """Go on."""
        self.is_on = True


@workflow.defn
class CancelledInPieces:
    """Is cancelled while it waits for everything at once."""

    STEPS = (("sleep", 4), ("cancel",), ("sleep", 60))

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        # Not with a TaskGroup: it cancels what it holds in the order of a set.
        await asyncio.gather(
            asyncio.sleep(1000),
            self.beat(),
            workflow.execute_child_workflow(Child.run, id="child of pieces"),
            workflow.wait_condition(lambda: False, timeout=1000),
        )

    async def beat(self) -> None:
        """Beat."""
        await workflow.execute_activity(
            beats,
            start_to_close_timeout=SOON,
            heartbeat_timeout=timedelta(seconds=3),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@workflow.defn
class Patches:
    """Patches: in a loop, deprecated, in an order, around what they change."""

    @workflow.run
    async def run(self) -> list[bool]:
        """Ask."""
        found = []
        for turn in range(3):
            if workflow.patched(f"turn {turn}"):
                await workflow.execute_activity(double, turn, start_to_close_timeout=SOON)
            found.append(workflow.patched("same"))
            workflow.deprecate_patch("old")
            await asyncio.sleep(1)
        found.append(workflow.patched("a"))
        found.append(workflow.patched("b"))
        workflow.upsert_memo({"patches": len(found)})
        return found


@workflow.defn
class Continues:
    """Goes on as new, with something still to be done."""

    ARGS = (1,)

    @workflow.run
    async def run(self, left: int) -> str:
        """Go on."""
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Stage").value_set(str(left))])
        await workflow.execute_activity(double, left, start_to_close_timeout=SOON)
        workflow.start_activity(double, 9, start_to_close_timeout=SOON)
        if left:
            workflow.continue_as_new(left - 1, memo={"left": left})
        return workflow.info().workflow_type


@workflow.defn
class Random:
    """Draws what it asks for at random."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Draw."""
        random = workflow.random()
        found: list[Any] = []
        for _ in range(5):
            number = random.randint(1, 3)
            found.append(
                await workflow.execute_activity(
                    double, number, activity_id=str(workflow.uuid4()), start_to_close_timeout=SOON
                )
            )
            if random.random() < 0.5:
                await asyncio.sleep(random.random() * 10)
            else:
                await workflow.execute_child_workflow(Child.run, "at once")
        return found


@workflow.defn
class Looks:
    """Asks for what it is told about itself, and lets it decide."""

    ARGS = (Box("b", 3),)

    @workflow.init
    def __init__(self, box: Box) -> None:
        self.box = box
        self.started = workflow.now()

    @workflow.run
    async def run(self, box: Box) -> list[Any]:
        """Look."""
        info = workflow.info()
        workflow.logger.info("looking")
        found: list[Any] = [self.box.size == box.size, info.attempt, info.workflow_id, info.namespace is not None]
        await asyncio.sleep(1.5)
        found.append(info.get_current_history_length())
        found.append((workflow.now() - self.started).total_seconds())
        for turn in range(info.get_current_history_length() % 4):
            await workflow.execute_activity(
                double, turn, activity_id=f"{int(workflow.time())}", start_to_close_timeout=SOON
            )
        found.append(info.is_continue_as_new_suggested())
        await workflow.execute_activity(
            double, info.get_current_history_size() % 7, activity_id=info.run_id, start_to_close_timeout=SOON
        )
        return found


@workflow.defn(failure_exception_types=[Odd])
class FailsByClass:
    """Fails with an error that its class lists."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        await asyncio.sleep(1)
        raise Odd("odd")


@workflow.defn
class FailsByWorker:
    """Fails with an error that only the worker lists."""

    OPTIONS = {"workflow_failure_exception_types": [Odd]}

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        await asyncio.sleep(1)
        raise Odd("odd")


@workflow.defn(dynamic=True, versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Dynamic:
    """Takes every type; fails as its configuration says."""

    TYPE = "Unheard"
    ARGS = (1, "two")

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        """Fail in the end."""
        await workflow.execute_activity(double, len(args), start_to_close_timeout=SOON)
        raise Odd(workflow.info().workflow_type)

    @workflow.dynamic_config
    def configured(self) -> workflow.DynamicWorkflowConfig:
        """Odd errors fail it."""
        return workflow.DynamicWorkflowConfig(
            failure_exception_types=[Odd], versioning_behavior=VersioningBehavior.PINNED
        )


_depth: contextvars.ContextVar[int] = contextvars.ContextVar("depth", default=0)


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Everywhere:
    """Everything of asyncio that waits."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Wait in every way."""
        found: list[Any] = []
        _depth.set(3)
        done, left = await asyncio.wait(
            [asyncio.ensure_future(self.one(n)) for n in (3, 1, 2)], return_when=asyncio.FIRST_COMPLETED
        )
        found.append([len(done), len(left)])
        found += [await future for future in asyncio.as_completed([self.one(n) for n in (2, 1)])]
        tasks = [asyncio.create_task(self.one(n)) for n in (2, 1)]
        found += [await task for task in workflow.as_completed(tasks)]
        workflow_done, _ = await workflow.wait(
            [asyncio.create_task(self.one(n)) for n in (5, 4)], return_when=asyncio.FIRST_COMPLETED
        )
        found.append(len(workflow_done))
        try:
            async with asyncio.timeout(2):
                await self.one(60)
        except TimeoutError:
            found.append("late")
        try:
            await asyncio.wait_for(workflow.execute_activity(beats, start_to_close_timeout=SOON), 2)
        except (TimeoutError, ActivityError):
            found.append("late again")
        try:
            await workflow.wait_condition(lambda: False, timeout=2)
        except TimeoutError:
            found.append("never")
        queue: asyncio.Queue[int] = asyncio.Queue()
        asyncio.get_running_loop().call_later(1, queue.put_nowait, _depth.get())
        found.append(await queue.get())
        lock, event = asyncio.Lock(), asyncio.Event()

        async def hold() -> None:
            async with lock:
                event.set()
                await asyncio.sleep(1)

        holding = asyncio.create_task(hold())
        await event.wait()
        async with lock:
            await workflow.sleep(timedelta(seconds=1), summary="a nap")
        await holding
        await workflow.sleep(0)
        return found

    async def one(self, number: int) -> int:
        """Wait, and double."""
        await asyncio.sleep(number)
        return await workflow.execute_activity(double, number + _depth.get(), start_to_close_timeout=SOON)


@workflow.defn
class Races:
    """A signal, a timer and an activity race, again and again."""

    STEPS = (("signal", "tell", 1), ("signal", "tell", 2), ("sleep", 1), ("signal", "tell", 3), ("sleep", 200))

    def __init__(self) -> None:
        self.told: list[int] = []

    @workflow.run
    async def run(self) -> list[Any]:
        """Race."""
        found: list[Any] = []
        for turn in range(4):
            seen = len(self.told)
            timer = asyncio.create_task(asyncio.sleep(5))
            told = asyncio.create_task(workflow.wait_condition(lambda seen=seen: len(self.told) > seen))  # type: ignore[misc]
            work = workflow.start_activity(double, turn, start_to_close_timeout=SOON)
            tasks: list[Any] = [timer, told, work]
            done, _ = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            found.append([tasks.index(task) for task in done])
            for task in tasks:
                task.cancel()
            await asyncio.sleep(1)
        return found

    @workflow.signal
    def tell(self, number: int) -> None:
        """Hear."""
        self.told.append(number)


@workflow.defn
class Fails:
    """Fails with an error that has causes and details."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        try:
            await workflow.execute_activity(fails, start_to_close_timeout=SOON)
        except FailureError as error:
            raise ApplicationError("gave up", {"a": [1]}, type="GaveUp", next_retry_delay=SOON) from error


WORKFLOWS: list[type[Any]] = [
    CancelsActivities,
    CancelsLocalWork,
    CancelsChildren,
    Family,
    Signals,
    Updates,
    Cancelled,
    CancelledInPieces,
    Patches,
    Continues,
    Random,
    Looks,
    FailsByClass,
    FailsByWorker,
    Dynamic,
    Everywhere,
    Races,
    Fails,
    Child,
]
PROGRAMS: list[type[Any]] = [cls for cls in WORKFLOWS if cls is not Child]
ACTIVITIES: list[Any] = [double, beats, fails_twice, fails]
