"""Small workflows, each of which brings one thing into its history. The engine runs them, and Temporal's Replayer
judges.

They are written so that they are Temporal's own when `temporalio` takes the place of `playhead_engine` in the imports.
A class says how it is to be run: `ARGS` starts it, and `STEPS` are what its client does then, one after the other:

    ("sleep", seconds)   ("signal", name, *args)   ("update", name, *args)   ("cancel",)   ("terminate",)   ("reset",
    event id)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from playhead_engine import activity, workflow
from playhead_engine.common import RetryPolicy, SearchAttributeKey
from playhead_engine.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    is_cancelled_exception,
)

SOON = timedelta(seconds=10)
TWICE = RetryPolicy(maximum_attempts=2)
STAGE = SearchAttributeKey.for_keyword("Stage")


class Colour(StrEnum):
    """Something to convert."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Parcel:
    """Something larger to convert."""

    name: str
    weight: float
    colours: list[Colour]
    sent: datetime | None = None


@activity.defn
async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@activity.defn
def slowly(text: str) -> str:
    """Work in a thread."""
    return text.upper()


@activity.defn
async def fails_until(attempt: int) -> int:
    """Fail, until this attempt."""
    if activity.info().attempt < attempt:
        raise ApplicationError(f"attempt {activity.info().attempt}", activity.info().attempt, type="NotYet")
    return activity.info().attempt


@activity.defn
async def fails_for_good() -> None:
    """Fail in a way that no retry can mend."""
    raise ApplicationError("no", type="Never", non_retryable=True)


@activity.defn
async def beats_for_ever() -> None:
    """Beat until told to stop."""
    while True:
        activity.heartbeat("alive")
        await asyncio.sleep(1)


@activity.defn
async def wrap(parcel: Parcel) -> Parcel:
    """Return something of the same kind."""
    return Parcel(parcel.name, parcel.weight + 1, [*parcel.colours, Colour.BLUE], parcel.sent)


@workflow.defn
class Nothing:
    """Return at once."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""


@workflow.defn
class Typed:
    """Pass values with types, in and out."""

    ARGS = (Parcel("book", 1.5, [Colour.RED], datetime(2030, 1, 2, 3, 4, 5)),)

    @workflow.run
    async def run(self, parcel: Parcel) -> Parcel:
        """Wrap it twice."""
        once = await workflow.execute_activity(wrap, parcel, start_to_close_timeout=SOON)
        return await workflow.execute_activity(wrap, once, start_to_close_timeout=SOON)


@workflow.defn
class InTurn:
    """Activities one after the other, async and in threads."""

    ARGS = (3,)

    @workflow.run
    async def run(self, count: int) -> list[Any]:
        """Call them."""
        found: list[Any] = []
        for number in range(count):
            found.append(await workflow.execute_activity(double, number, start_to_close_timeout=SOON))
            found.append(await workflow.execute_activity(slowly, f"n{number}", start_to_close_timeout=SOON))
        return found


@workflow.defn
class AtOnce:
    """Activities and timers at the same time."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Start them all."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.one(number)) for number in range(5)]
        return [task.result() for task in tasks]

    async def one(self, number: int) -> int:
        """Wait, and double."""
        await asyncio.sleep(5 - number)
        return await workflow.execute_activity(double, number, start_to_close_timeout=SOON)


@workflow.defn
class Retried:
    """An activity that succeeds late, one that gives up, one that must not be tried again."""

    @workflow.run
    async def run(self) -> list[str]:
        """Try them."""
        said = [str(await workflow.execute_activity(fails_until, 3, start_to_close_timeout=SOON))]
        for policy, wanted in ((TWICE, 9), (RetryPolicy(non_retryable_error_types=["NotYet"]), 9)):
            try:
                await workflow.execute_activity(fails_until, wanted, start_to_close_timeout=SOON, retry_policy=policy)
            except ActivityError as error:
                said.append(f"{error.retry_state!r} {error.cause}")
        return said


@workflow.defn
class FailsWithActivity:
    """Fail because of an activity."""

    @workflow.run
    async def run(self) -> None:
        """Call it."""
        await workflow.execute_activity(fails_for_good, start_to_close_timeout=SOON)


@workflow.defn
class Raises:
    """Fail by itself, with details."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        await workflow.sleep(1)
        raise ApplicationError("broken", {"part": 7}, type="Broken", next_retry_delay=timedelta(seconds=3))


@workflow.defn
class Timers:
    """Timers: fired, cancelled, raced, and of a condition."""

    def __init__(self) -> None:
        self.is_open = False

    @workflow.run
    async def run(self) -> str:
        """Wait in all ways."""
        await workflow.sleep(timedelta(days=30))
        long = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.wait([asyncio.create_task(asyncio.sleep(1)), long], return_when=asyncio.FIRST_COMPLETED)
        long.cancel()
        try:
            async with asyncio.timeout(2):
                await asyncio.sleep(50)
        except TimeoutError:
            await asyncio.sleep(0.25)
        try:
            await workflow.wait_condition(lambda: self.is_open, timeout=5)
        except TimeoutError:
            return "shut"
        return "open"


@workflow.defn
class Told:
    """Signals, some of them before the first task, some while an activity runs."""

    STEPS = (("signal", "add", 1), ("sleep", 5), ("signal", "add", 2), ("signal", "add", 3))

    def __init__(self) -> None:
        self.heard: list[int] = []

    @workflow.run
    async def run(self) -> list[int]:
        """Wait for three."""
        await workflow.wait_condition(lambda: len(self.heard) >= 3)
        return self.heard

    @workflow.signal
    async def add(self, number: int) -> None:
        """Hear, after some work."""
        self.heard.append(await workflow.execute_activity(double, number, start_to_close_timeout=SOON))


@workflow.defn
class Updated:
    """Updates: done at once, after work, failing, and refused."""

    STEPS = (
        ("update", "add", 1),
        ("update", "add", -1),
        ("sleep", 3),
        ("update", "work", 4),
        ("update", "fail"),
        ("update", "add", 5),
        ("signal", "finish"),
    )

    def __init__(self) -> None:
        self.total = 0
        self.is_done = False

    @workflow.run
    async def run(self) -> int:
        """Wait until it is finished."""
        await workflow.wait_condition(lambda: self.is_done and workflow.all_handlers_finished())
        return self.total

    @workflow.update
    def add(self, number: int) -> int:
        """Add at once."""
        self.total += number
        return self.total

    @add.validator
    def check(self, number: int) -> None:
        """Refuse what is negative."""
        if number < 0:
            raise ValueError("negative")

    @workflow.update
    async def work(self, number: int) -> int:
        """Add after work."""
        self.total += await workflow.execute_activity(double, number, start_to_close_timeout=SOON)
        await asyncio.sleep(1)
        return self.total

    @workflow.update
    async def fail(self) -> None:
        """Fail after a while."""
        await asyncio.sleep(1)
        raise ApplicationError("not that")

    @workflow.signal
    def finish(self) -> None:
        """Be done."""
        self.is_done = True


@workflow.defn
class Child:
    """A child that does as it is told."""

    @workflow.run
    async def run(self, order: str) -> str:
        """Obey."""
        if order == "fail":
            raise ApplicationError("disobeyed")
        await workflow.sleep(3600 if order == "linger" else 1)
        return f"did {order}"


@workflow.defn
class Parent:
    """Children: one that returns, one that fails, one that is cancelled."""

    @workflow.run
    async def run(self) -> list[str]:
        """Have them."""
        said = [await workflow.execute_child_workflow(Child.run, "work", id="worker")]
        try:
            await workflow.execute_child_workflow(Child.run, "fail", id="failure")
        except ChildWorkflowError as error:
            said.append(str(error.cause))
        handle = await workflow.start_child_workflow(Child.run, "linger", id="lingerer")
        await workflow.sleep(2)
        handle.cancel()
        try:
            await handle
        except ChildWorkflowError as error:
            said.append(type(error.cause).__name__)
        try:
            await workflow.start_child_workflow(Child.run, "again", id=workflow.info().workflow_id)
        except Exception as error:  # noqa: BLE001 - the name of the error is what is compared
            said.append(type(error).__name__)
        return said


@workflow.defn
class Leaves:
    """Leave a child behind, to each of its fates."""

    @workflow.run
    async def run(self) -> None:
        """Start three, and go."""
        for policy in workflow.ParentClosePolicy.ABANDON, workflow.ParentClosePolicy.REQUEST_CANCEL:
            await workflow.start_child_workflow(Child.run, "linger", id=policy.name, parent_close_policy=policy)
        await workflow.start_child_workflow(Child.run, "linger", id="terminated")


@workflow.defn
class Listener:
    """Wait to be told."""

    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self) -> str:
        """Wait."""
        await workflow.wait_condition(lambda: self.word != "")
        return self.word

    @workflow.signal
    def say(self, word: str) -> None:
        """Hear."""
        self.word = word


@workflow.defn
class Speaker:
    """Signal and cancel others, some of whom do not exist."""

    @workflow.run
    async def run(self) -> list[str]:
        """Talk."""
        child = await workflow.start_child_workflow(Listener.run, id="listener")
        await child.signal(Listener.say, "hello")
        said = [await child]
        await workflow.start_child_workflow(
            Listener.run, id="other", parent_close_policy=workflow.ParentClosePolicy.ABANDON
        )
        await workflow.get_external_workflow_handle("other").cancel()
        for attempt in (self.signal_nobody, self.cancel_nobody):
            try:
                await attempt()
            except ApplicationError as error:
                said.append(error.type or "")
        return said

    async def signal_nobody(self) -> None:
        """Signal a workflow that does not exist."""
        await workflow.get_external_workflow_handle("nobody").signal("say", "hello")

    async def cancel_nobody(self) -> None:
        """Cancel a workflow that does not exist."""
        await workflow.get_external_workflow_handle("nobody").cancel()


@workflow.defn
class Patched:
    """Patches: new, asked for twice, deprecated."""

    @workflow.run
    async def run(self) -> int:
        """Take the new ways."""
        number = 1
        if workflow.patched("first"):
            number = await workflow.execute_activity(double, number, start_to_close_timeout=SOON)
        workflow.deprecate_patch("second")
        await workflow.sleep(1)
        if workflow.patched("first") and workflow.patched("third"):
            number = await workflow.execute_activity(double, number, start_to_close_timeout=SOON)
        return number


@workflow.defn
class GoesOn:
    """Continue as new, until there is nothing left."""

    ARGS = (2,)

    @workflow.run
    async def run(self, left: int) -> str:
        """Go on."""
        await workflow.sleep(1)
        if left:
            workflow.continue_as_new(left - 1)
        return "done"


@workflow.defn
class LocalWork:
    """Local activities: results, retries, a backoff so long that a timer bridges it, a failure."""

    @workflow.run
    async def run(self) -> list[Any]:
        """Call them."""
        found: list[Any] = [await workflow.execute_local_activity(double, 4, start_to_close_timeout=SOON)]
        found += await asyncio.gather(
            workflow.execute_local_activity(double, 5, start_to_close_timeout=SOON),
            workflow.execute_local_activity(slowly, "six", start_to_close_timeout=SOON),
            workflow.execute_activity(double, 7, start_to_close_timeout=SOON),
        )
        found.append(
            await workflow.execute_local_activity(
                fails_until,
                3,
                start_to_close_timeout=SOON,
                retry_policy=RetryPolicy(initial_interval=timedelta(minutes=2)),
                local_retry_threshold=timedelta(seconds=5),
            )
        )
        try:
            await workflow.execute_local_activity(fails_for_good, start_to_close_timeout=SOON)
        except ApplicationError as error:  # Temporal wraps it in no ActivityError
            found.append(str(error))
        return found


@workflow.defn
class Drawn:
    """Draw lots, and follow them."""

    @workflow.run
    async def run(self) -> list[str]:
        """Draw."""
        drawn = [str(workflow.uuid4())]
        for _ in range(4):
            await workflow.sleep(workflow.random().randint(1, 9))
            if workflow.random().random() < 0.5:
                drawn.append(await workflow.execute_activity(slowly, drawn[0][:4], start_to_close_timeout=SOON))
        return drawn


@workflow.defn
class CleansUp:
    """Be cancelled while an activity runs, and clean up."""

    STEPS = (("sleep", 5), ("cancel",))

    @workflow.run
    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await workflow.execute_activity(
                beats_for_ever,
                start_to_close_timeout=timedelta(hours=1),
                heartbeat_timeout=timedelta(seconds=3),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except Exception as error:
            assert is_cancelled_exception(error)
            await workflow.execute_activity(double, 1, start_to_close_timeout=SOON)
            raise


@workflow.defn
class TriesToCancel:
    """Cancel activities in each way there is."""

    @workflow.run
    async def run(self) -> list[str]:
        """Cancel them."""
        said: list[str] = []
        for kind in workflow.ActivityCancellationType:
            handle = workflow.start_activity(
                beats_for_ever,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=3),
                cancellation_type=kind,
            )
            await workflow.sleep(2)
            handle.cancel()
            try:
                await handle
            except ActivityError as error:
                said.append(type(error.cause).__name__)
        return said


@workflow.defn
class Stopped:
    """Be terminated."""

    STEPS = (("sleep", 5), ("terminate",))

    @workflow.run
    async def run(self) -> None:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Reset:
    """Be reset to the task after its first activity, with a signal that is kept."""

    STEPS = (("sleep", 5), ("signal", "say", "kept"), ("sleep", 100), ("reset", 10))

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """Two activities, and a long sleep."""
        await workflow.execute_activity(double, 1, start_to_close_timeout=SOON)
        await workflow.execute_activity(slowly, str(workflow.uuid4())[:4], start_to_close_timeout=SOON)
        await workflow.sleep(1000)
        return self.words

    @workflow.signal
    def say(self, word: str) -> None:
        """Hear."""
        self.words.append(word)


@workflow.defn
class Searchable:
    """Be found by what changes."""

    @workflow.run
    async def run(self) -> Any:
        """Change it."""
        workflow.upsert_search_attributes([STAGE.value_set("begun")])
        workflow.upsert_memo({"stage": "begun", "gone": 1})
        await workflow.sleep(1)
        workflow.upsert_search_attributes([STAGE.value_unset()])
        workflow.upsert_memo({"gone": None})
        return workflow.memo_value("stage")


@workflow.defn
class TimesOut:
    """An activity that nobody does in time, for each timeout."""

    @workflow.run
    async def run(self) -> list[str]:
        """Wait for them."""
        second = timedelta(seconds=1)
        options: list[dict[str, Any]] = [
            {"start_to_close_timeout": second},
            {"schedule_to_close_timeout": second},
            {"start_to_close_timeout": SOON, "heartbeat_timeout": second / 2},
        ]
        said: list[str] = []
        for one in options:
            try:
                await workflow.execute_activity(beats_for_ever, retry_policy=RetryPolicy(maximum_attempts=1), **one)
            except ActivityError as error:
                said.append(str(error.cause))
        return said


@workflow.defn
class Queued:
    """Queues, locks, semaphores and events decide who works when."""

    @workflow.run
    async def run(self) -> list[int]:
        """Three workers take from one queue, two at a time."""
        queue: asyncio.Queue[int | None] = asyncio.Queue(2)
        slots, lock, done = asyncio.Semaphore(2), asyncio.Lock(), asyncio.Event()
        found: list[int] = []

        async def worker() -> None:
            while (number := await queue.get()) is not None:
                async with slots:
                    result = await workflow.execute_activity(double, number, start_to_close_timeout=SOON)
                async with lock:
                    found.append(result)
                    await asyncio.sleep(0.5)
                if len(found) == 6:
                    done.set()

        workers = [asyncio.create_task(worker()) for _ in range(3)]
        for number in range(6):
            await queue.put(number)
        await done.wait()
        for _ in workers:
            await queue.put(None)
        await asyncio.gather(*workers)
        return found


PROGRAMS: list[type[Any]] = [
    Nothing,
    Typed,
    InTurn,
    AtOnce,
    Retried,
    FailsWithActivity,
    Raises,
    Timers,
    Told,
    Updated,
    Parent,
    Leaves,
    Speaker,
    Patched,
    GoesOn,
    LocalWork,
    Drawn,
    CleansUp,
    TriesToCancel,
    Stopped,
    Reset,
    Searchable,
    TimesOut,
    Queued,
]
"""What is run, each with its `ARGS` and `STEPS`."""

WORKFLOWS: list[type[Any]] = [*PROGRAMS, Child, Listener]
ACTIVITIES: list[Callable[..., Any]] = [double, slowly, fails_until, fails_for_good, beats_for_ever, wrap]
