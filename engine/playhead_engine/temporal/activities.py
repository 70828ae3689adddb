"""Activities decorated with `temporalio.activity.defn`, run as the SDK's own worker runs them.

An attempt here is one of the engine's (`engine.attempts`): retries, timeouts and what hears of a cancellation are the
same for both kinds. What differs is what the code is told about itself and by whom its values are converted: everything
a function of `temporalio.activity` asks is answered by the SDK's own classes, between the user's interceptors.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final

import temporalio.activity
import temporalio.common
import temporalio.converter
import temporalio.exceptions
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from playhead_engine.activation import payload_list
from playhead_engine.activity import ActivityCancellationDetails, Info, current_context
from playhead_engine.definitions import ActivityDefinition
from playhead_engine.engine.attempts import Attempt, Cancelled, Completed, Failed, Outcome, Postponed
from playhead_engine.engine.wire import settle, settle_apart
from playhead_engine.messages import Failure, Payload, Payloads, part
from playhead_engine.temporal.payloads import as_json, payload_json, payload_proto
from playhead_engine.temporal.sdk import activities as sdk

_NO_FAILURE: Final = "Failed building exception result"


class TemporalActivities:
    """What the `temporalio` activities of one engine have in common.

    Attributes:
        converter: The user's data converter.
        interceptors: The user's, outermost first.
        shutdown: Set when the engine is closed.
    """

    def __init__(self, converter: temporalio.converter.DataConverter, interceptors: Sequence[Any]) -> None:
        """Begin.

        Args:
            converter: The user's data converter.
            interceptors: Of `temporalio.worker`, as a worker takes them.

        Raises:
            TypeError: One is no such interceptor.
        """
        for interceptor in interceptors:
            if not isinstance(interceptor, Interceptor):
                raise TypeError(f"an interceptor must be a temporalio.worker.Interceptor, got {interceptor!r}")
        self.converter = converter
        self.interceptors = tuple(interceptors)
        self.shutdown = sdk.shutdown_event(threading.Event(), asyncio.Event())

    def attempts_at(self, activity: Callable[..., Any]) -> tuple[str | None, Callable[..., Attempt]]:
        """Name of an activity, None if it is dynamic; and what makes attempts at it.

        Raises:
            TypeError: It is not decorated, or dynamic and of the wrong type.
        """
        found = sdk.activity_definition(activity)
        # To the engine it is async even if it runs in a thread: what is around the thread runs on the event loop.
        definition = ActivityDefinition(
            found.name, activity, found.arg_types, found.ret_type, is_async=True, dynamic=found.name is None
        )
        return found.name, partial(TemporalAttempt, self, found, definition, activity)


class TemporalAttempt(Attempt):
    """One attempt at one activity.

    Attributes:
        is_async: Whether the code runs on the event loop; otherwise in a thread.
    """

    def __init__(self, activities: TemporalActivities, found: Any, *what: Any) -> None:
        """
        Args:
            activities: What it has in common with the others.
            found: The SDK's definition of the activity.
            what: As for `Attempt`.
        """
        super().__init__(*what)
        self._activities = activities
        self._found = found
        self.is_async = bool(found.is_async)
        self._raiser = None if self.is_async or found.no_thread_cancel_exception else sdk.thread_raiser()
        self._is_through = False
        self._heartbeat_error: Exception | None = None
        self._converter = activities.converter
        self._outside = settle_apart if activities.converter.external_storage is not None else settle

    # What the engine does

    def values_of(self, heartbeat_details: Sequence[Payload]) -> Sequence[Any]:
        """The payloads as they are: they are converted when the attempt begins, where errors can be told."""
        return heartbeat_details

    async def run(self) -> None:
        """Run the code, and hand in what it came to."""
        current_context.set(self)
        info = self.info
        self._converter = sdk.stored_for_workflow(
            self._activities.converter.with_context(_serialization_context(info)),
            info.workflow_id,
            info.workflow_type,
            info.workflow_run_id,
        )
        self._runner.task_ended(self, await self._outcome(info))

    def request_cancel(self, why: ActivityCancellationDetails, *, at_once: bool = False) -> None:
        """Have it stop: when it next says that it is alive, or at once."""
        if why.worker_shutdown:
            self._activities.shutdown.set()
            if not self.is_async and self.task is not None:
                self._runner.loop.call_soon(self.task.cancel)  # the thread is told, and left to itself
        super().request_cancel(why, at_once=at_once)

    def interrupt(self) -> None:
        """The code has just learned that it is to stop."""
        if self._is_through:
            return
        if self.is_async:
            super().interrupt()
        elif self._raiser is not None:
            self._raiser.raise_in_thread(temporalio.exceptions.CancelledError)

    # The attempt

    async def _outcome(self, info: Info) -> Outcome:
        try:
            try:
                result = await self._execute(info)
            finally:
                self._is_through = True  # from here on nothing interrupts the report of how it ended
            [payload] = await self._converter.encode([result])
            return Completed(payload_json(payload))
        except sdk.complete_async_error():
            return Postponed()
        except (Exception, asyncio.CancelledError, SystemExit) as error:  # noqa: BLE001 - it is the activity's failure
            try:
                return await self._ended_by(error)
            except Exception as broken:  # noqa: BLE001 - a converter of the user's; its error is told instead
                temporalio.activity.logger.exception("the error of an activity cannot be encoded: %s", error)
                return Failed(Failure(message=f"{_NO_FAILURE}: {broken}", applicationFailureInfo={}))

    async def _ended_by(self, error: BaseException) -> Outcome:
        why = self.cancellation
        if isinstance(error, (asyncio.CancelledError, temporalio.exceptions.CancelledError)):
            if self._heartbeat_error is not None:
                error = self._heartbeat_error
            elif why is not None and (why.cancel_requested or why.worker_shutdown):
                return Cancelled(None, await self._failure(temporalio.exceptions.CancelledError("Cancelled")))
        is_benign = (
            isinstance(error, temporalio.exceptions.ApplicationError)
            and error.category == temporalio.exceptions.ApplicationErrorCategory.BENIGN
        )
        log = temporalio.activity.logger.debug if is_benign else temporalio.activity.logger.warning
        log("Completing activity as failed", exc_info=error, extra=sdk.FAILURE_LOGGED)
        return Failed(await self._failure(error))

    async def _failure(self, error: BaseException) -> Failure:
        from temporalio.api.failure.v1 import Failure as FailureProto

        message = FailureProto()
        await self._converter.encode_failure(error, message)
        failure: Any = as_json(message)
        return failure  # type: ignore[no-any-return]

    async def _execute(self, info: Info) -> Any:
        converter, executor = self._converter, None if self.is_async else self._runner.executor
        args = await self._decoded_arguments()
        sdk_info = await self._sdk_info(info)
        context = sdk.make_context(
            info=lambda: sdk_info,
            heartbeat=None,
            cancelled_event=_CancelledEvent(self),
            worker_shutdown_event=self._activities.shutdown,
            shield_thread_cancel_exception=None if self._raiser is None else self._raiser.shielded,
            payload_converter_class_or_instance=converter.payload_converter,
            runtime_metric_meter=temporalio.common.MetricMeter.noop,
            client=_NO_CLIENT if self.is_async else None,
            cancellation_details=_Cancellation(self),
        )
        sdk.enter_context(context)
        inbound: ActivityInboundInterceptor = _Inbound(self, context)
        for interceptor in reversed(self._activities.interceptors):
            inbound = interceptor.intercept_activity(inbound)
        inbound.init(_Outbound(self, sdk_info))
        fields = part(part(self.attributes, "header"), "fields")
        headers = {name: payload_proto(payload) for name, payload in fields.items()}
        return await inbound.execute_activity(ExecuteActivityInput(self.call, args, executor, headers))

    async def _decoded_arguments(self) -> list[Any]:
        found, payloads = self._found, payload_list(self.attributes.get("input"))
        hints: Any = found.arg_types
        if self.definition.dynamic:
            hints = [temporalio.common.RawValue] * len(payloads)
        elif hints is not None and len(hints) != len(payloads):
            hints = None
        try:
            args = await self._decoded(payloads, hints)
        except Exception as error:
            raise temporalio.exceptions.ApplicationError("Failed decoding arguments") from error
        return [args] if self.definition.dynamic else args

    async def _sdk_info(self, info: Info) -> temporalio.activity.Info:
        try:
            heartbeat_details = await self._decoded(info.heartbeat_details)
        except Exception as error:
            raise temporalio.exceptions.ApplicationError(
                "Failed decoding heartbeat details", non_retryable=True
            ) from error
        # Releases differ in what an activity can ask about itself.
        theirs = {field.name for field in dataclasses.fields(temporalio.activity.Info)}
        told = {field.name: getattr(info, field.name) for field in dataclasses.fields(info) if field.name in theirs}
        priority, policy = info.priority, info.retry_policy
        told["heartbeat_details"] = heartbeat_details
        told["priority"] = temporalio.common.Priority(**_fields(priority))
        told["retry_policy"] = None if policy is None else temporalio.common.RetryPolicy(**_fields(policy))
        return temporalio.activity.Info(**told)

    async def _decoded(self, payloads: Sequence[Payload], hints: Any = None) -> list[Any]:
        if not payloads:
            return []
        return await self._converter.decode([payload_proto(payload) for payload in payloads], hints)

    async def run_code(self, input: ExecuteActivityInput, context: Any) -> Any:
        """Call the user's code, when all interceptors have had their say."""
        fn = input.fn
        if iscoroutinefunction(fn) or iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004 - may be async
            return await fn(*input.args)
        shutdown = sdk.shutdown_event(self._activities.shutdown.thread_event, None)
        in_thread = dataclasses.replace(context, worker_shutdown_event=shutdown, client=None)

        def call() -> Any:
            sdk.enter_context(in_thread)
            with nullcontext() if self._raiser is None else self._raiser.active_thread():
                return fn(*input.args)

        return await self._runner.in_thread(self, call, input.executor or self._runner.executor)

    # What the code says and asks

    def beat(self, details: Sequence[Any]) -> None:
        """The code says that it is alive, on the event loop or in a thread."""
        if self._is_through:
            return
        try:
            encoded = self._outside(lambda: self._converter.encode(details)) if details else []
        except Exception as error:  # noqa: BLE001 - a converter of the user's; the attempt fails with it
            temporalio.activity.logger.warning("Cancelling activity because failed recording heartbeat", exc_info=True)
            self._heartbeat_error = error
            self.request_cancel(ActivityCancellationDetails(), at_once=True)
            return
        payloads: Payloads = {"payloads": [payload_json(payload) for payload in encoded]} if encoded else {}
        loop = self._runner.loop
        if asyncio._get_running_loop() is loop:
            self._said_it_is_alive(payloads)
        else:
            loop.call_soon_threadsafe(self._said_it_is_alive, payloads)
            if self.cancel_requested is not None and not self.is_async:
                self.hear_of_cancellation()  # here and now, not some instructions later

    def _said_it_is_alive(self, payloads: Payloads) -> None:
        self.owner.on_heartbeat(self, payloads)
        if self.cancel_requested is not None:
            self.hear_of_cancellation()

    def wait_in_thread(self, timeout: float | None) -> None:
        """Wait in a thread until the code is to stop. It is not interrupted in the middle of waiting, but after."""
        with nullcontext() if self._raiser is None else self._raiser.shielded():
            self.wait_for_cancelled_sync(timeout)


def _serialization_context(info: Info) -> temporalio.converter.ActivitySerializationContext:
    return temporalio.converter.ActivitySerializationContext(
        namespace=info.namespace,
        activity_id=info.activity_id,
        activity_type=info.activity_type,
        activity_task_queue=info.task_queue,
        workflow_id=info.workflow_id,
        workflow_type=info.workflow_type,
        is_local=info.is_local,
    )


def _fields(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


# The ends of the chain of interceptors


class _Inbound(ActivityInboundInterceptor):
    """The innermost one: calls the code."""

    def __init__(self, attempt: TemporalAttempt, context: Any) -> None:
        # There is no next one, so the base class has nothing to keep.
        self._attempt = attempt
        self._context = context

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._context.info = outbound.info
        self._context.heartbeat = outbound.heartbeat

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self._attempt.run_code(input, self._context)


class _Outbound(ActivityOutboundInterceptor):
    """The innermost one: answers."""

    def __init__(self, attempt: TemporalAttempt, info: temporalio.activity.Info) -> None:
        # As above.
        self._attempt = attempt
        self._info = info

    def info(self) -> temporalio.activity.Info:
        return self._info

    def heartbeat(self, *details: Any) -> None:
        self._attempt.beat(details)


# What the SDK's context holds


class _CancelledEvent:
    """Whether the attempt is to stop. Waiting for it is as good as a heartbeat, as everywhere in the engine."""

    def __init__(self, attempt: TemporalAttempt) -> None:
        self._attempt = attempt

    def is_set(self) -> bool:
        return self._attempt.cancellation is not None

    async def wait(self) -> None:
        if not self._attempt.is_async:
            raise RuntimeError("not in async activity")
        await self._attempt.wait_for_cancelled()

    def wait_sync(self, timeout: float | None = None) -> None:
        self._attempt.wait_in_thread(timeout)


class _Cancellation:
    """Why the attempt is to stop, as the SDK says it."""

    def __init__(self, attempt: TemporalAttempt) -> None:
        self._attempt = attempt

    @property
    def details(self) -> temporalio.activity.ActivityCancellationDetails | None:
        why = self._attempt.cancellation
        return None if why is None else temporalio.activity.ActivityCancellationDetails(**_fields(why))


class _NoClient:
    """Stands where the client would be. `temporalio.activity.client()` asks whether there is one."""

    def __bool__(self) -> bool:
        raise RuntimeError(
            "activity.client() has no Temporal server to talk to: this activity runs on Playhead's own engine. Let it "
            "be a method of an object that holds what it needs, for example the Engine"
        )


_NO_CLIENT: Final = _NoClient()
