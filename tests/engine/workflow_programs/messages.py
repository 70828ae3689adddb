"""Programs of the differential test: signals, updates, queries, conditions, other workflows."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from playhead_engine import workflow
from playhead_engine.common import RawValue
from playhead_engine.exceptions import ApplicationError, ChildWorkflowError

MINUTE = timedelta(minutes=1)


async def act(name: str, *args: Any, **options: Any) -> Any:
    return await workflow.execute_activity(name, args=list(args), start_to_close_timeout=MINUTE, **options)


@workflow.defn
class Conditions:
    ARGS = ()
    SIGNALS = (("add", 1), ("add", 2), ("add", "x"))
    QUERIES = (("total",), ("nobody",), ("meddling",))

    def __init__(self) -> None:
        self.total_ = 0

    @workflow.run
    async def run(self) -> Any:
        await asyncio.gather(self.when(1), self.when(3), self.when(2), self.when(2))
        try:
            await workflow.wait_condition(lambda: self.total_ > 5, timeout=10)
        except TimeoutError:
            await act("late", self.total_)
        return self.total_

    async def when(self, least: int) -> None:
        await workflow.wait_condition(lambda: self.total_ >= least)
        await act("reached", least)

    @workflow.signal
    def add(self, n: int) -> None:
        self.total_ += n

    @workflow.query
    def total(self) -> int:
        return self.total_

    @workflow.query
    def meddling(self) -> None:
        workflow.start_activity("nothing", start_to_close_timeout=MINUTE)


@workflow.defn
class SlowSignals:
    ARGS = ()
    SIGNALS = (("work", 1), ("work", 2), ("finish",), ("fail",), ("bug",))

    def __init__(self) -> None:
        self.done = False
        self.order: list[int] = []

    @workflow.run
    async def run(self) -> Any:
        await workflow.wait_condition(lambda: self.done and workflow.all_handlers_finished())
        return self.order

    @workflow.signal
    async def work(self, n: int) -> None:
        self.order.append(n)
        await act("work", n)
        await asyncio.sleep(n)
        self.order.append(-n)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.signal
    async def fail(self) -> None:
        await asyncio.sleep(1)
        raise ApplicationError("signal failed")

    @workflow.signal
    def bug(self) -> None:
        if len(self.order) > 2:
            raise ValueError("bug in a signal")


@workflow.defn
class SpinsUntilFinished:
    ARGS = ()
    SIGNALS = (("work", 1),)

    @workflow.run
    async def run(self) -> Any:
        turns = 0
        await act("first")
        while not workflow.all_handlers_finished() and turns < 50:
            turns += 1
            await asyncio.sleep(0)
        return turns

    @workflow.signal
    async def work(self, n: int) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@workflow.defn
class DynamicHandlers:
    ARGS = ()
    SIGNALS = (("known", 1), ("later", 2), ("later", 3), ("unknown", "a", 1))
    UPDATES = (("later", 1), ("unknown", 2))
    QUERIES = (("later", 1), ("unknown", 1, 2))

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @workflow.run
    async def run(self) -> Any:
        await act("first")
        workflow.set_signal_handler("later", self.on_later)
        workflow.set_query_handler("later", lambda n: n + 1)
        workflow.set_update_handler("later", self.do_later, validator=self.check_later)
        await act("second")
        workflow.set_dynamic_signal_handler(self.on_any)
        workflow.set_dynamic_query_handler(self.ask_any)
        workflow.set_dynamic_update_handler(self.do_any)
        await act("third")
        workflow.set_signal_handler("later", None)
        await workflow.wait_condition(lambda: len(self.seen) > 5, timeout=30)
        return self.seen

    @workflow.signal
    async def known(self, n: int) -> None:
        self.seen.append(["known", n])

    def on_later(self, n: int) -> None:
        self.seen.append(["later", n])

    async def on_any(self, name: str, args: Sequence[RawValue]) -> None:
        self.seen.append([name, len(args)])
        await act("any", name)

    def check_later(self, n: int) -> None:
        if len(self.seen) % 2:
            raise ValueError("odd")

    async def do_later(self, n: int) -> int:
        await act("update", n)
        return n

    def do_any(self, name: str, args: Sequence[RawValue]) -> str:
        return name

    def ask_any(self, name: str, args: Sequence[RawValue]) -> int:
        return len(args)


@workflow.defn
class Updated:
    ARGS = ()
    SIGNALS = (("stop",),)
    UPDATES = (
        ("set", 1),
        ("set", -1),
        ("set", "bad type"),
        ("set",),
        ("slow", 1),
        ("slow", 2),
        ("fails",),
        ("fails_later",),
        ("plain", 5),
        ("nowhere",),
    )
    QUERIES = (("value",), ("__temporal_workflow_metadata",))

    def __init__(self) -> None:
        self.value_ = 0
        self.stopped = False

    @workflow.run
    async def run(self) -> Any:
        await workflow.wait_condition(lambda: self.stopped or self.value_ > 20)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.value_

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.query
    def value(self) -> int:
        return self.value_

    @workflow.update
    async def set(self, n: int) -> int:
        info = workflow.current_update_info()
        self.value_ += n
        await act("set", n, info.name if info else None)
        return self.value_

    @set.validator
    def check(self, n: int) -> None:
        if n < 0:
            raise ValueError("negative")

    @workflow.update
    async def slow(self, n: int) -> str:
        await asyncio.sleep(n)
        await asyncio.gather(act("a", n), act("b", n))
        return "slow"

    @workflow.update
    def fails(self) -> None:
        raise ApplicationError("update failed", type="Nope")

    @workflow.update
    async def fails_later(self) -> None:
        await workflow.sleep(1)
        raise ApplicationError("update failed later")

    @workflow.update(name="plain")
    def renamed(self, n: int) -> int:
        self.value_ += n
        return n


@workflow.defn
class UpdateBug:
    ARGS = ()
    UPDATES = (("bug",), ("fine",))

    def __init__(self) -> None:
        self.n = 0

    @workflow.run
    async def run(self) -> Any:
        await workflow.wait_condition(lambda: self.n > 3)
        return self.n

    @workflow.update
    async def bug(self) -> None:
        self.n += 1
        await asyncio.sleep(1)
        if self.n > 2:
            raise KeyError("a bug")

    @workflow.update
    def fine(self) -> int:
        self.n += 1
        return self.n


@workflow.defn
class InitWithArgs:
    ARGS = (3, "x")
    SIGNALS = (("more", 1),)

    @workflow.init
    def __init__(self, n: int, text: str) -> None:
        self.n = n
        self.first = workflow.info().workflow_id + text

    @workflow.run
    async def run(self, n: int, text: str) -> Any:
        await act("start", self.n, self.first)
        await workflow.wait_condition(lambda: self.n > n)
        return self.n

    @workflow.signal
    async def more(self, n: int) -> None:
        await act("more", n)
        self.n += n


@workflow.defn
class Parent:
    ARGS = ()
    SIGNALS = (("go",),)

    def __init__(self) -> None:
        self.go_ = False

    @workflow.run
    async def run(self) -> Any:
        ends: list[Any] = []
        for kind in workflow.ChildWorkflowCancellationType:
            try:
                handle = await workflow.start_child_workflow(
                    "Child", kind.name, id=f"child-{kind.name}", cancellation_type=kind
                )
                await handle.signal("hello", kind.name)
                if kind.value % 2:
                    timer = asyncio.create_task(asyncio.sleep(2))
                    await workflow.wait([timer, handle], return_when=asyncio.FIRST_COMPLETED)
                    timer.cancel()
                    handle.cancel("enough")
                ends.append(await handle)
            except (ChildWorkflowError, ApplicationError) as error:
                ends.append(type(error).__name__)
            except asyncio.CancelledError:
                ends.append("cancelled")
                await act("note")
        return ends

    @workflow.signal
    def go(self) -> None:
        self.go_ = True


@workflow.defn
class ManyChildren:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        async def child(i: int) -> Any:
            return await workflow.execute_child_workflow(
                "Child", args=[i], parent_close_policy=workflow.ParentClosePolicy.ABANDON
            )

        tasks = [asyncio.create_task(child(i)) for i in range(3)]
        try:
            async with asyncio.timeout(5):
                await asyncio.gather(*tasks)
        except TimeoutError:
            await act("slow children")
        except ChildWorkflowError:
            for task in tasks:
                task.cancel()
        return [type(end).__name__ for end in await asyncio.gather(*tasks, return_exceptions=True)]


@workflow.defn
class External:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        handle = workflow.get_external_workflow_handle("other", run_id="r")
        seen = []
        tasks = [
            asyncio.create_task(handle.signal("a", 1)),
            asyncio.create_task(handle.signal("b", args=[1, 2])),
            asyncio.create_task(handle.cancel()),
            asyncio.create_task(handle.signal("c")),
        ]
        await asyncio.sleep(0)
        tasks[3].cancel()
        timer = asyncio.create_task(asyncio.sleep(1))
        await workflow.wait([*tasks, timer], return_when=asyncio.FIRST_COMPLETED)
        tasks[0].cancel()
        tasks[2].cancel()
        seen += [type(end).__name__ for end in await asyncio.gather(*tasks, return_exceptions=True)]
        return seen


@workflow.defn
class Nexus:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        client = workflow.create_nexus_client(service="svc", endpoint="ep")
        seen: list[str] = []
        kinds = sorted(workflow.NexusOperationCancellationType)

        async def call(i: int) -> None:
            try:
                handle: Any = await client.start_operation("op", i, cancellation_type=kinds[i])
                if i % 2:
                    await asyncio.sleep(1)
                    handle.cancel()
                seen.append(str(await handle))
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the name of the error is what is compared
                seen.append(type(error).__name__)

        tasks = [asyncio.create_task(call(i)) for i in range(4)]
        await workflow.wait(tasks, timeout=3)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen


@workflow.defn(dynamic=True)
class Anything:
    ARGS = (1, "two")
    SIGNALS = (("whatever", 1, 2),)

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Any:
        await act("got", len(args), workflow.info().workflow_type)
        await workflow.wait_condition(lambda: bool(self.seen), timeout=5)
        return self.seen

    @workflow.signal(dynamic=True)
    def any(self, name: str, args: Sequence[RawValue]) -> None:
        self.seen.append([name, len(args)])


@workflow.defn
class Busy:
    """Everything at once."""

    ARGS = ()
    SIGNALS = (("poke", 1), ("poke", 2), ("stop",))
    UPDATES = (("ask", 1),)

    def __init__(self) -> None:
        self.pokes: asyncio.Queue[int] = asyncio.Queue()
        self.stopped = False
        self.lock = asyncio.Lock()

    @workflow.run
    async def run(self) -> Any:
        ticker, consumer = asyncio.create_task(self.tick()), asyncio.create_task(self.consume())
        try:
            await workflow.wait_condition(lambda: self.stopped, timeout=60)
        except TimeoutError:
            await act("late")
        consumer.cancel()
        await asyncio.gather(ticker, consumer, return_exceptions=True)
        return self.pokes.qsize()

    async def tick(self) -> None:
        for i in range(3):
            await asyncio.sleep(1 + i)
            async with self.lock:
                await act("tick", i)

    async def consume(self) -> None:
        while True:
            n = await self.pokes.get()
            async with self.lock:
                handle = workflow.start_activity("poked", n, start_to_close_timeout=MINUTE)
                try:
                    await asyncio.wait_for(asyncio.shield(handle), 2)
                except TimeoutError:
                    handle.cancel()

    @workflow.signal
    async def poke(self, n: int) -> None:
        await self.pokes.put(n)
        if n == 2:
            await act("double")

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.update
    async def ask(self, n: int) -> int:
        async with self.lock:
            await asyncio.sleep(1)
        return n


@workflow.defn
class Refusing:
    """Updates that are refused let nothing through, however much time has passed."""

    ARGS = ()
    UPDATES = (("never",), ("sometimes", 1), ("sometimes", 2))

    @workflow.run
    async def run(self) -> Any:
        seen = []
        for i in range(6):
            began = workflow.time_ns()
            timer = asyncio.create_task(asyncio.sleep(5))
            await workflow.wait_condition(lambda: workflow.time_ns() > began)  # noqa: B023 - evaluated before the next
            seen.append(i)
            await act("passed", i)
            timer.cancel()
        return seen

    @workflow.update
    def never(self) -> None:
        raise AssertionError

    @never.validator
    def refuse(self) -> None:
        raise ValueError("no")

    @workflow.update
    async def sometimes(self, n: int) -> int:
        return n

    @sometimes.validator
    def refuse_odd(self, n: int) -> None:
        if n % 2:
            raise ValueError("odd")


@workflow.defn
class CancelsItself:
    """Cancellation of the workflow meets timeouts, conditions and handlers."""

    ARGS = ()
    SIGNALS = (("cancel_main",), ("set",))

    def __init__(self) -> None:
        self.main: asyncio.Task[Any] | None = None
        self.is_set = False

    @workflow.run
    async def run(self) -> Any:
        self.main = asyncio.current_task()
        seen: list[str] = []
        for i in range(4):
            try:
                await workflow.wait_condition(lambda: self.is_set, timeout=2)
                self.is_set = False
                await workflow.sleep(1)
                async with asyncio.timeout(3):
                    await act("job", i)
                seen.append("fine")
            except TimeoutError:
                seen.append("late")
            except asyncio.CancelledError as error:
                seen.append(f"cancelled {error.args} {workflow.cancellation_reason()}")
                await act("undo", i)
            except Exception as error:  # noqa: BLE001 - the name of the error is what is compared
                seen.append(type(error).__name__)
        return seen

    @workflow.signal
    async def cancel_main(self) -> None:
        await asyncio.sleep(0)
        if self.main is not None:
            self.main.cancel("by signal")

    @workflow.signal
    def set(self) -> None:
        self.is_set = True
