"""A data converter of `temporalio` serves the whole engine: clients, activities, and native code beside the SDK's."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import temporalio.common
import temporalio.exceptions
from pydantic import BaseModel
from temporalio import activity as sdk_activity
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    ExternalStorage,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    StorageDriver,
    StorageDriverClaim,
    WithSerializationContext,
)
from temporalio.exceptions import RetryState as SdkRetryState

import playhead_engine.converter
from playhead_engine import activity, exceptions, workflow
from playhead_engine.client import WorkflowFailureError, WorkflowUpdateFailedError
from playhead_engine.common import RawValue, RetryPolicy
from playhead_engine.temporal.converter import TemporalWire, native_error, sdk_error
from playhead_engine.temporal.runtime import TemporalRuntime
from tests.engine import temporal_workflows as theirs
from tests.engine.engines import MakeEngine, make_engine  # noqa: F401 - a fixture

PATIENCE = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)


class Order(BaseModel):
    """What only pydantic can convert: a set, and a length of time inside."""

    items: set[str]
    patience: timedelta


@workflow.defn
class Passes:
    """Passes an order through an activity of each kind."""

    @workflow.run
    async def run(self, order: Order) -> Order:
        """Pass it."""
        first: Order = await workflow.execute_activity(native_add, order, start_to_close_timeout=PATIENCE)
        return await workflow.execute_activity(sdk_add, first, start_to_close_timeout=PATIENCE)


@activity.defn
async def native_add(order: Order) -> Order:
    """Add one thing."""
    return order.model_copy(update={"items": order.items | {"native"}})


@sdk_activity.defn
async def sdk_add(order: Order) -> Order:
    """Add another."""
    return order.model_copy(update={"items": order.items | {"sdk"}})


def test_one_converter_serves_both_kinds(make_engine: MakeEngine) -> None:
    """Pydantic models go through native code and the SDK's, and come back to the client as models."""
    engine = make_engine(workflows=[Passes], activities=[native_add, sdk_add], data_converter=pydantic_data_converter)
    order = Order(items={"tea"}, patience=timedelta(minutes=5))
    result = engine.execute_workflow(Passes.run, order, id="w").wait()
    assert result == Order(items={"tea", "native", "sdk"}, patience=timedelta(minutes=5))


@dataclasses.dataclass(frozen=True)
class Celsius:
    """A value with an encoding of its own."""

    degrees: float


class CelsiusConverter(EncodingPayloadConverter):
    """Writes degrees as text."""

    @property
    def encoding(self) -> str:
        return "text/celsius"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Celsius):
            return None
        return Payload(metadata={"encoding": b"text/celsius"}, data=f"{value.degrees}".encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return Celsius(float(payload.data))


class WeatherConverter(CompositePayloadConverter):
    """The standard converters, and one more."""

    def __init__(self) -> None:
        super().__init__(CelsiusConverter(), *DefaultPayloadConverter.default_encoding_payload_converters)


class Reversing(PayloadCodec):
    """Turns data around, so that whoever looks sees whether it was applied."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"reversed", "inner": p.SerializeToString()[::-1]}) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(p.metadata["inner"][::-1]) for p in payloads]


class Waiting(Reversing):
    """Has to wait for its key."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return await super().encode(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return await super().decode(payloads)


@workflow.defn
class Warms:
    """Asks an activity for a warmer day, and tells how warm it is on the way."""

    def __init__(self) -> None:
        self.now: Any = None

    @workflow.run
    async def run(self, today: Celsius) -> Celsius:
        """Ask."""
        self.now = today
        return await workflow.execute_activity("warmer", today, start_to_close_timeout=PATIENCE)  # type: ignore[no-any-return]

    @workflow.query
    def temperature(self) -> Celsius:
        """Tell."""
        assert isinstance(self.now, Celsius)
        return self.now


@sdk_activity.defn
async def warmer(today: Celsius) -> Celsius:
    """One degree."""
    return Celsius(today.degrees + 1)


@pytest.mark.parametrize("codec", [None, Reversing()], ids=["no codec", "codec"])
def test_values_are_encoded_by_the_users_converters(make_engine: MakeEngine, codec: PayloadCodec | None) -> None:
    """What a history holds, and what clients are given, is what the user's converter and codec make of it."""
    converter = DataConverter(payload_converter_class=WeatherConverter, payload_codec=codec)
    engine = make_engine(workflows=[Warms], activities=[warmer], data_converter=converter)
    handle = engine.start_workflow(Warms.run, Celsius(20.5), id="w", memo={"at": Celsius(1)}).wait()
    assert handle.result().wait() == Celsius(21.5)
    assert handle.query(Warms.temperature).wait() == Celsius(20.5)
    assert handle.describe().wait().memo == {"at": Celsius(1)}
    encodings = {
        base64.b64decode(payload["metadata"]["encoding"])
        for event in handle.fetch_history().wait()
        for part in ("input", "result")
        for payload in (event.attributes.get(part) or {}).get("payloads", [])
    }
    assert encodings == {b"text/celsius" if codec is None else b"reversed"}


# Failures


@workflow.defn
class Fails:
    """Fails because an activity does."""

    @workflow.run
    async def run(self, name: str) -> None:
        """Fail."""
        await workflow.execute_activity(name, start_to_close_timeout=PATIENCE, retry_policy=ONCE)


@sdk_activity.defn
async def sdk_fails() -> None:
    """Fail with the SDK's error."""
    raise temporalio.exceptions.ApplicationError("secret words", {"a": 1}, type="Broken")


@activity.defn
async def native_fails() -> None:
    """Fail with ours."""
    raise exceptions.ApplicationError("secret words", {"a": 1}, type="Broken")


@pytest.mark.parametrize("name", ["sdk_fails", "native_fails"])
def test_the_words_of_an_error_can_be_hidden(make_engine: MakeEngine, name: str) -> None:
    """Encoded attributes and a codec leave no word of an error in the history; the client reads it all the same."""
    converter = DataConverter(
        payload_codec=Reversing(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    )
    engine = make_engine(workflows=[Fails], activities=[sdk_fails, native_fails], data_converter=converter)
    handle = engine.start_workflow(Fails.run, name, id="w").wait()
    with pytest.raises(WorkflowFailureError) as raised:
        handle.result().wait()
    error = raised.value.cause
    assert isinstance(error, exceptions.ActivityError), "a native workflow fails with native errors"
    assert isinstance(error.cause, exceptions.ApplicationError)
    assert (error.cause.message, error.cause.type) == ("secret words", "Broken")
    assert list(error.cause.details) == [{"a": 1}]
    assert b"secret words" not in handle.fetch_history().wait().to_json()


class Blaming(DefaultFailureConverter):
    """Turns errors of one type into an error of the user's own."""

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        if failure.application_failure_info.type == "Broken":
            return OutOfOrder(failure.message)
        return super().from_failure(failure, payload_converter)


class OutOfOrder(Exception):
    """The user's own error."""


@workflow.defn
class Catches:
    """Catches what an activity raises."""

    @workflow.run
    async def run(self) -> str:
        """Catch it."""
        try:
            await workflow.execute_activity(sdk_fails, start_to_close_timeout=PATIENCE, retry_policy=ONCE)
        except exceptions.ActivityError as error:
            return type(error.cause).__name__
        return "nothing"


def test_native_code_is_given_what_the_users_failure_converter_makes(make_engine: MakeEngine) -> None:
    """An error of the user's own stays what it is; around it are native errors."""
    converter = DataConverter(failure_converter_class=Blaming)
    engine = make_engine(workflows=[Catches], activities=[sdk_fails], data_converter=converter)
    assert engine.execute_workflow(Catches.run, id="w").wait() == "OutOfOrder"


def caused(error: BaseException, cause: BaseException) -> BaseException:
    """An error with its cause."""
    error.__cause__ = cause
    return error


NATIVE_ERRORS = [
    exceptions.ApplicationError(
        "m", 1, "two", type="T", non_retryable=True, next_retry_delay=timedelta(seconds=1.5),
        category=exceptions.ApplicationErrorCategory.BENIGN,
    ),
    exceptions.CancelledError("m", {"a": 1}),
    exceptions.TerminatedError("m"),
    exceptions.ServerError("m", non_retryable=True),
    exceptions.TimeoutError("m", type=exceptions.TimeoutType.HEARTBEAT, last_heartbeat_details=[1]),
    exceptions.ActivityError(
        "m", scheduled_event_id=5, started_event_id=6, identity="i", activity_type="t", activity_id="1",
        retry_state=exceptions.RetryState.MAXIMUM_ATTEMPTS_REACHED,
    ),
    exceptions.ChildWorkflowError(
        "m", namespace="n", workflow_id="w", run_id="r", workflow_type="t", initiated_event_id=5, started_event_id=6,
        retry_state=exceptions.RetryState.TIMEOUT,
    ),
]  # fmt: skip


@pytest.mark.parametrize("error", NATIVE_ERRORS, ids=lambda error: type(error).__name__)
def test_each_error_has_its_like_in_the_other_family(error: exceptions.FailureError) -> None:
    """There and back again nothing is lost, causes included."""
    sdk = DataConverter.default
    caused(error, exceptions.ApplicationError("why", "detail", type="Cause"))
    there: Any = sdk_error(error, sdk)
    assert type(there).__module__ == "temporalio.exceptions" and type(there).__name__ == type(error).__name__
    assert there.message == error.message
    assert list(there.cause.details) == ["detail"]
    back: Any = native_error(there, sdk)
    assert type(back) is type(error)
    assert back.cause.message == "why"
    for name in ("details", "type", "non_retryable", "next_retry_delay", "category", "retry_state", "activity_type",
                 "activity_id", "workflow_id", "last_heartbeat_details", "scheduled_event_id"):  # fmt: skip
        if hasattr(error, name):
            before, after, other = getattr(error, name), getattr(back, name), getattr(there, name)
            if isinstance(before, (list, tuple)):
                before, after, other = list(before), list(after), list(other)
            assert before == after == other, name


def test_clients_are_told_in_the_sdks_errors() -> None:
    """What the SDK's own client would raise as the cause."""
    wire = TemporalWire(DataConverter.default)
    error = temporalio.exceptions.ActivityError(
        "m", scheduled_event_id=5, started_event_id=6, identity="i", activity_type="t", activity_id="1",
        retry_state=SdkRetryState.TIMEOUT,
    )  # fmt: skip
    again: Any = wire.decode_failure(wire.encode_failure(caused(error, ValueError("why"))))
    assert isinstance(again, temporalio.exceptions.ActivityError)
    assert again.retry_state == SdkRetryState.TIMEOUT
    assert isinstance(again.cause, temporalio.exceptions.ApplicationError) and again.cause.type == "ValueError"


def test_a_failure_converter_that_raises_is_told() -> None:
    """Its error stands where the failure would be; nothing hangs."""

    class Broken(DefaultFailureConverter):
        def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
            raise RuntimeError("converter is out of order")

    wire = TemporalWire(DataConverter(failure_converter_class=Broken))
    assert wire.encode_failure(ValueError("why"))["message"] == (
        "the error cannot be encoded: converter is out of order"
    )


# Values of either kind


def test_raw_values_of_both_kinds_stay_as_they_are() -> None:
    """A client may give and want payloads, ours or the SDK's."""
    wire = TemporalWire(DataConverter(payload_converter_class=WeatherConverter, payload_codec=Reversing()))
    payload = wire.encode_value(Celsius(1.0))
    ours = wire.decode_value(payload, RawValue)
    theirs = wire.decode_value(payload, temporalio.common.RawValue)
    assert isinstance(ours, RawValue) and isinstance(theirs, temporalio.common.RawValue)
    assert ours.payload.data == theirs.payload.data == b"1.0"
    assert wire.encode_value(ours) == wire.encode_value(theirs) == payload


# What does not go together


def test_sdk_code_needs_a_converter_of_the_sdk(make_engine: MakeEngine) -> None:
    """A native converter with a part of its own is refused, in words."""

    class Own(playhead_engine.converter.DefaultPayloadConverter):
        pass

    converter = playhead_engine.converter.DataConverter(payload_converter_class=Own)
    with pytest.raises(TypeError, match=r"needs a temporalio\.converter\.DataConverter"):
        make_engine(activities=[warmer], data_converter=converter)
    make_engine(activities=[warmer], data_converter=playhead_engine.converter.DataConverter())


def test_two_data_converters_are_one_too_many(make_engine: MakeEngine) -> None:
    """A runtime of the user's own brings its converter; another one beside it would not read what it writes."""
    runtime = TemporalRuntime([theirs.House], data_converter=pydantic_data_converter)
    with pytest.raises(ValueError, match="another data converter than the engine"):
        make_engine(runtimes=[runtime], data_converter=DataConverter.default)
    make_engine(runtimes=[runtime], activities=[theirs.welcome])


class PerWorkflow(PayloadCodec, WithSerializationContext):
    """Uses a key per workflow. The names of the workflows are the keys."""

    def __init__(self, key: bytes = b"") -> None:
        self.key = key

    def with_context(self, context: SerializationContext) -> PerWorkflow:
        workflow_id = getattr(context, "workflow_id", None)
        assert workflow_id, "everything is for some workflow"
        return PerWorkflow(workflow_id.encode())

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"for", "key": self.key}, data=p.SerializeToString()) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            assert payload.metadata["key"] == self.key, f"{self.key!r} for what {payload.metadata['key']!r} locked"
        return [Payload.FromString(payload.data) for payload in payloads]


def test_native_workflows_know_no_contexts(make_engine: MakeEngine) -> None:
    """A converter that asks which workflow a value is for cannot serve native workflows, and the engine says so."""
    with pytest.raises(ValueError, match="run Warms in an engine of its own"):
        make_engine(workflows=[Warms], data_converter=DataConverter(payload_codec=PerWorkflow()))


# Codecs, contexts and storage, around workflows of the SDK


VISIT = theirs.Visit(1, {"Ada"})


@pytest.mark.parametrize(
    "codec", [Reversing(), PerWorkflow(), Waiting()], ids=["of one key", "of a key per workflow", "that waits"]
)
def test_a_codec_stands_between_code_and_history(make_engine: MakeEngine, codec: PayloadCodec) -> None:
    """Without it nothing in a history is readable: arguments, signals, updates, memos, results, failures."""
    converter = DataConverter(payload_codec=codec, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    engine = make_engine(
        workflows=[theirs.House, theirs.Parent, theirs.Child, theirs.Fails],
        activities=[theirs.welcome],
        data_converter=converter,
    )
    house = engine.start_workflow(theirs.House.run, VISIT, id="h", memo={"by": "Ada"}).wait()
    house.signal(theirs.House.knock, theirs.Visit(1, {"Bob"})).wait()
    assert house.query(theirs.House.inside).wait() == theirs.Visit(2, {"Ada", "Bob"})
    assert house.execute_update(theirs.House.leave, VISIT).wait() == theirs.Visit(1, {"Bob"})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        house.execute_update(theirs.House.leave, VISIT).wait()
    cause: Any = refused.value.cause
    assert list(cause.details) == ["Ada"]
    assert house.describe().wait().memo == {"by": "Ada"}
    house.signal(theirs.House.close).wait()
    assert house.result().wait() == theirs.Visit(2, {"Bob", "host"})
    parent = engine.start_workflow(theirs.Parent.run, args=["Child", "fail"], id="p").wait()
    assert parent.result().wait() == ["raised", "Tired", "the child is tired", "since noon"]
    with pytest.raises(WorkflowFailureError) as failed:
        engine.execute_workflow(theirs.Fails.run, "error", id="f").wait()
    assert isinstance(failed.value.cause, temporalio.exceptions.ApplicationError)
    assert (failed.value.cause.message, list(failed.value.cause.details)) == ("no luck", [{"tries": 3}])
    for run in engine.list_workflows().wait():
        text = engine.get_workflow_handle(run.id, run_id=run.run_id).fetch_history().wait().to_json()
        assert base64.b64encode(b"json/plain") not in text
        assert not any(word in text for word in (b"Ada", b"tired", b"noon", b"no luck"))


@sdk_activity.defn(name="welcome")
async def beats(visit: theirs.Visit) -> theirs.Visit:
    """Says how far it came, and goes on from there."""
    if sdk_activity.info().attempt == 1:
        sdk_activity.heartbeat(VISIT, "half")
        raise ValueError("again")
    assert sdk_activity.info().heartbeat_details == [{"guests": 1, "names": ["Ada"]}, "half"]
    converter = sdk_activity.payload_converter()
    assert converter.from_payload(converter.to_payload("in context")) == "in context"
    return visit


@sdk_activity.defn(name="welcome")
async def postponed(visit: theirs.Visit) -> theirs.Visit:
    """Somebody else says."""
    sdk_activity.raise_complete_async()


def test_who_ends_an_activity_from_outside_uses_the_codec(make_engine: MakeEngine) -> None:
    """With the key of its workflow."""
    engine = make_engine(
        workflows=[theirs.House], activities=[postponed], data_converter=DataConverter(payload_codec=PerWorkflow())
    )
    house = engine.start_workflow(theirs.House.run, VISIT, id="h").wait()
    house.signal(theirs.House.close).wait()
    engine.sleep(1).wait()
    engine.get_async_activity_handle(workflow_id="h", activity_id="1").complete(VISIT).wait()
    assert house.result().wait() == VISIT


def test_heartbeats_go_through_the_codec(make_engine: MakeEngine) -> None:
    """In the context of their activity."""
    engine = make_engine(
        workflows=[theirs.House], activities=[beats], data_converter=DataConverter(payload_codec=PerWorkflow())
    )
    house = engine.start_workflow(theirs.House.run, VISIT, id="h").wait()
    house.signal(theirs.House.close).wait()
    assert house.result().wait() == VISIT


class Drawer(StorageDriver):
    """Keeps payloads in memory, and remembers for whom."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.targets: list[Any] = []

    def name(self) -> str:
        return "drawer"

    async def store(self, context: Any, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        await asyncio.sleep(0)
        claims = []
        for payload in payloads:
            key = str(len(self.kept))
            self.kept[key] = payload.SerializeToString()
            self.targets.append(context.target)
            claims.append(StorageDriverClaim({"key": key}))
        return claims

    async def retrieve(self, context: Any, claims: Sequence[StorageDriverClaim]) -> list[Payload]:
        await asyncio.sleep(0)
        return [Payload.FromString(self.kept[claim.claim_data["key"]]) for claim in claims]


def test_values_may_be_stored_elsewhere(make_engine: MakeEngine) -> None:
    """With an external storage a history holds references, and everybody is given the values."""
    drawer = Drawer()
    storage = ExternalStorage(drivers=[drawer], payload_size_threshold=0)
    converter = dataclasses.replace(DataConverter.default, external_storage=storage)
    engine = make_engine(workflows=[theirs.House], activities=[theirs.welcome], data_converter=converter)
    house = engine.start_workflow(theirs.House.run, VISIT, id="h").wait()
    house.signal(theirs.House.close).wait()
    assert house.result().wait() == theirs.Visit(2, {"Ada", "host"})
    assert b"QWRh" not in house.fetch_history().wait().to_json(), "base64 of Ada"
    assert {target.id for target in drawer.targets} == {"h"}
    with pytest.raises(ValueError, match="stores values elsewhere"):
        make_engine(workflows=[Warms], data_converter=converter)
