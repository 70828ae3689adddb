"""Programs of the differential test: activities, timers, and asyncio around them.

Every class says with which arguments, signals, updates and queries it can be driven. Kept free of anything that only
one of the two packages has, since each file is also loaded with the import replaced.
"""

import asyncio
from datetime import timedelta
from typing import Any

from playhead_engine import workflow
from playhead_engine.common import RetryPolicy
from playhead_engine.exceptions import ActivityError, ApplicationError

MINUTE = timedelta(minutes=1)
ActivityCancellationType = workflow.ActivityCancellationType


async def act(name: str, *args: Any, **options: Any) -> Any:
    return await workflow.execute_activity(name, args=list(args), start_to_close_timeout=MINUTE, **options)


@workflow.defn
class Sequential:
    ARGS = ("x",)

    @workflow.run
    async def run(self, name: str) -> Any:
        for _ in range(4):
            name = f"{await act('echo', name)}"
        return name


@workflow.defn
class Gathered:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        return await asyncio.gather(*(act("echo", i) for i in range(4)), return_exceptions=False)


@workflow.defn
class GatheredWithExceptions:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        results = await asyncio.gather(*(act("echo", i) for i in range(3)), return_exceptions=True)
        await act("report", len([r for r in results if isinstance(r, BaseException)]))
        return len(results)


@workflow.defn
class Handles:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        handles = [
            workflow.start_activity(
                "job", i, start_to_close_timeout=MINUTE, cancellation_type=ActivityCancellationType(i % 3)
            )
            for i in range(5)
        ]
        done, pending = await workflow.wait(handles, return_when=asyncio.FIRST_COMPLETED)
        for handle in pending:
            handle.cancel()
        ends = await asyncio.gather(*pending, return_exceptions=True)
        await act("report", len(done), [type(end).__name__ for end in ends])


@workflow.defn
class CancelledAtOnce:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        handle = workflow.start_activity("job", start_to_close_timeout=MINUTE)
        handle.cancel()
        task = asyncio.create_task(act("other"))
        await asyncio.sleep(0)
        task.cancel()
        for awaitable in (handle, task):
            try:
                await awaitable
            except asyncio.CancelledError:
                await act("saw", "cancelled")
            except ActivityError as error:
                await act("saw", type(error.cause).__name__)


@workflow.defn
class TimersAndTimeouts:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        seen = []
        try:
            async with asyncio.timeout(5):
                await act("slow")
                seen.append("done")
        except TimeoutError:
            seen.append("timeout")
        except ActivityError:
            seen.append("failed")
        try:
            seen.append(await asyncio.wait_for(act("slow"), 3))
        except TimeoutError:
            seen.append("timeout again")
        except ActivityError:
            seen.append("failed")
        await asyncio.sleep(0.25)
        await workflow.sleep(timedelta(milliseconds=1500))
        await workflow.sleep(0)
        return seen


@workflow.defn
class Race:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        timer = asyncio.create_task(asyncio.sleep(10))
        sleeper = asyncio.create_task(workflow.sleep(20))
        job = asyncio.create_task(act("job"))
        done, pending = await workflow.wait([timer, sleeper, job], return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        ends = await asyncio.gather(*pending, return_exceptions=True)
        await act("report", [type(end).__name__ for end in ends])
        return len(done)


@workflow.defn
class Grouped:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        # Never two tasks in one group: in which order it cancels them is anybody's guess under temporalio.
        try:
            async with asyncio.TaskGroup() as outer:
                first = outer.create_task(act("a"))
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(act("b"))
                    await act("c")
                await asyncio.sleep(1)
            return first.result()
        except* ActivityError as errors:
            await act("undo", len(errors.exceptions))
        return "undone"


@workflow.defn
class Completed:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        results = []
        for next_one in workflow.as_completed([act("echo", i) for i in range(3)], timeout=30):
            try:
                results.append(await next_one)
                await act("store", len(results))
            except TimeoutError:
                results.append("late")
            except ActivityError:
                results.append("failed")
        return results


@workflow.defn
class Locked:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        lock, semaphore, order = asyncio.Lock(), asyncio.Semaphore(2), []

        async def locked(i: int) -> None:
            async with lock:
                await act("locked", i)
                order.append(i)

        async def limited(i: int) -> None:
            async with semaphore:
                await asyncio.sleep(i + 1)
                order.append(10 + i)

        await asyncio.gather(*(locked(i) for i in range(3)), *(limited(i) for i in range(4)), return_exceptions=True)
        return order


@workflow.defn
class Piped:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        queue: asyncio.Queue[Any] = asyncio.Queue(2)
        ready = asyncio.Event()

        async def produce() -> None:
            for i in range(4):
                try:
                    await queue.put(await act("make", i))
                except ActivityError:
                    await queue.put("broken")
            ready.set()
            await queue.put(None)

        producer = asyncio.create_task(produce())
        eaten = []
        while (item := await queue.get()) is not None:
            eaten.append(item)
            await asyncio.sleep(1)
        await ready.wait()
        await producer
        return eaten


@workflow.defn
class Shielded:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        inner = asyncio.create_task(act("precious"))
        try:
            await asyncio.shield(inner)
        except asyncio.CancelledError:
            await act("cleanup")
            try:
                return await inner
            except ActivityError:
                return "lost"
        except ActivityError:
            return "failed"
        return "fine"


@workflow.defn
class CleansUp:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        try:
            await act("job", cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
            await asyncio.sleep(60)
        finally:
            await asyncio.shield(act("cleanup"))


@workflow.defn
class IgnoresCancel:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        for i in range(3):
            try:
                await asyncio.gather(act("job", i), workflow.sleep(5))
            except (asyncio.CancelledError, ActivityError) as error:
                await act("ignored", type(error).__name__, workflow.cancellation_reason())
        return "done"


@workflow.defn
class Local:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        def local(name: str, **options: Any) -> Any:
            return workflow.start_local_activity(name, start_to_close_timeout=MINUTE, **options)

        first = await asyncio.gather(local("a"), local("b", activity_id="own"), return_exceptions=True)
        handle = local("c", cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
        timer = asyncio.create_task(asyncio.sleep(2))
        await workflow.wait([timer, handle], return_when=asyncio.FIRST_COMPLETED)
        handle.cancel()
        second = await asyncio.gather(handle, timer, return_exceptions=True)
        await act("report", [type(end).__name__ for end in [*first, *second]])
        return await local("d")


@workflow.defn
class Failing:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        try:
            await act("risky", retry_policy=RetryPolicy(maximum_attempts=2))
        except ActivityError as error:
            raise ApplicationError("no luck", 1, "two", type="NoLuck", non_retryable=True) from error
        await asyncio.sleep(1)
        raise ValueError("a bug")


@workflow.defn(failure_exception_types=[ValueError])
class FailingOnPurpose:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        await act("risky")
        async with asyncio.timeout(1):
            await workflow.wait_condition(lambda: workflow.now().year > 3000)
        raise ValueError("listed")


@workflow.defn
class Random:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        own, named = workflow.new_random(), workflow.new_random("dice")
        for _ in range(3):
            await act(
                "draw",
                str(workflow.uuid4()),
                str(workflow.uuid7()),
                workflow.random().random(),
                own.randint(1, 1000),
                named.randint(1, 1000),
                workflow.random_seed(),
                workflow.time_ns(),
                workflow.now().isoformat(),
            )
        return workflow.time()


@workflow.defn
class Patched:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        seen = []
        for _ in range(3):
            seen.append(workflow.patched("one"))
            if workflow.patched("two"):
                await act("new")
            else:
                await act("old")
            workflow.deprecate_patch("three")
        return seen


@workflow.defn
class Continues:
    ARGS = (3,)

    @workflow.run
    async def run(self, n: int) -> Any:
        await act("job", n)
        task = asyncio.create_task(act("forgotten"))
        await asyncio.sleep(0)
        del task
        workflow.continue_as_new(n - 1, task_queue="elsewhere", memo={"a": 1}, run_timeout=MINUTE)


@workflow.defn
class Properties:
    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        workflow.upsert_memo({"a": 1, "b": [1, 2]})
        await act("read", workflow.memo_value("a"), workflow.memo().get("b"), workflow.memo_value("c", 7))
        workflow.upsert_memo({"a": None, "c": "x"})
        workflow.upsert_memo({})
        await act("read", dict(sorted(workflow.memo().items())))
        info = workflow.info()
        return [info.workflow_id, info.attempt, info.get_current_history_length(), info.workflow_type]


@workflow.defn
class Swallowing:
    """Cancels its own tasks in every possible moment."""

    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        seen = []

        async def stubborn(i: int) -> None:
            for _ in range(3):
                try:
                    await act("stubborn", i)
                    seen.append(i)
                except asyncio.CancelledError:
                    seen.append(-i)
                except ActivityError:
                    seen.append(100)

        tasks = [asyncio.create_task(stubborn(i)) for i in range(3)]
        for task in tasks:
            await workflow.sleep(1)
            task.cancel("please")
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return seen


@workflow.defn
class ScopedCancel:
    """Timeouts around handles, gathers and shields, nested."""

    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        seen: list[str] = []
        handle = workflow.start_activity("outer", start_to_close_timeout=MINUTE)
        for limit in (1, 2, 3):
            try:
                async with asyncio.timeout(limit):
                    await asyncio.gather(asyncio.shield(handle), act("inner", limit), workflow.sleep(9))
                    seen.append("all")
            except TimeoutError:
                seen.append("timeout")
            except (ActivityError, asyncio.CancelledError) as error:
                seen.append(type(error).__name__)
                break
        return seen


@workflow.defn
class BackingOff:
    """Local activities that back off, among others that do something in the same turns."""

    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        seen: list[Any] = []

        async def local(i: int) -> None:
            handle = workflow.start_local_activity("local", i, start_to_close_timeout=MINUTE)
            try:
                await handle
            except ActivityError:
                seen.append(i)
            await act("then", i)

        async def impatient(i: int) -> None:
            handle = workflow.start_local_activity("impatient", i, start_to_close_timeout=MINUTE)
            for _ in range(3):
                await asyncio.sleep(1)
                if handle.cancel():
                    seen.append(workflow.start_activity("after", i, start_to_close_timeout=MINUTE).cancel())
                    await asyncio.sleep(0)
                    handle.cancel()
            seen.append(type((await asyncio.gather(handle, return_exceptions=True))[0]).__name__)

        await asyncio.gather(*(local(i) for i in range(3)), *(impatient(i) for i in range(2)), return_exceptions=True)
        return seen


@workflow.defn
class Fractions:
    """Times that a float cannot hold."""

    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        late = 0
        for seconds in (0.1, 0.2, 0.3, 1.7, 2.0005, 3.3333):
            try:
                async with asyncio.timeout(seconds):
                    await asyncio.sleep(seconds * 1.1)
            except TimeoutError:
                late += 1
            await workflow.sleep(timedelta(microseconds=333_333))
        return late


@workflow.defn
class CallsLater:
    """What few do: callbacks on the loop itself."""

    ARGS = ()

    @workflow.run
    async def run(self) -> Any:
        loop = asyncio.get_running_loop()
        seen: list[Any] = []
        future = loop.create_future()
        loop.call_soon(seen.append, "soon")
        loop.call_soon(seen.append, "never").cancel()
        timers = [loop.call_later(1 + i, seen.append, i) for i in range(3)]
        loop.call_at(loop.time() + 2.5, lambda: None if future.done() else future.set_result("at"))
        timers[1].cancel()
        future.add_done_callback(lambda _: seen.append("callback"))
        try:
            await act("job")
            timers[2].cancel()
        except ActivityError:
            future.cancel()
        await asyncio.wait([future])
        await act("saw", *seen)
        return seen
