"""Data converters of every kind, as users of `temporalio` have them: our verdict is that of Temporal's Replayer."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.common import HeaderCodecBehavior
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    ExternalStorage,
    PayloadCodec,
    StorageDriver,
    StorageDriverClaim,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker import Replayer as TemporalReplayer
from temporalio.workflow import NondeterminismError

from playhead import Agrees, CodeRaised, Diverges, Replayer, Verdict
from playhead.readers import read_history
from playhead_engine import Engine
from tests.replay.codec_server import codec_server
from tests.replay.converted_workflows import Parcel, Sending, SendingWithoutRest, Stamps, refuse, weigh
from tests.replay.encryption import TemporalAes


class Zip(PayloadCodec):
    """Compresses."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        zipped = [zlib.compress(payload.SerializeToString()) for payload in payloads]
        return [Payload(metadata={"encoding": b"binary/zlib"}, data=data) for data in zipped]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        is_zipped = [payload.metadata.get("encoding") == b"binary/zlib" for payload in payloads]
        return [
            Payload.FromString(zlib.decompress(one.data)) if ours else one
            for one, ours in zip(payloads, is_zipped, strict=True)
        ]


class Both(PayloadCodec):
    """Compresses, then encrypts, and lets everybody wait."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return await TemporalAes().encode(await Zip().encode(payloads))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return await Zip().decode(await TemporalAes().decode(payloads))


class PerWorkflow(Zip, WithSerializationContext):
    """A codec that knows the workflow, and decodes nobody else's values."""

    def __init__(self, workflow_id: str = "") -> None:
        self.workflow_id = workflow_id

    def with_context(self, context: Any) -> PerWorkflow:
        return PerWorkflow(context.workflow_id if isinstance(context, WorkflowSerializationContext) else "")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        encoded = await super().encode(payloads)
        for payload in encoded:
            payload.metadata["for"] = self.workflow_id.encode()
        return encoded

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            if payload.metadata.get("for", b"") not in (b"", self.workflow_id.encode()):
                raise ValueError("a value of another workflow")
        return await super().decode(payloads)


class ParcelConverter(EncodingPayloadConverter):
    """Parcels on two lines."""

    @property
    def encoding(self) -> str:
        return "text/parcel"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Parcel):
            return None
        return Payload(metadata={"encoding": b"text/parcel"}, data=f"{value.to}\n{value.weight}".encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        to, weight = payload.data.decode().split("\n")
        return Parcel(to, int(weight))


class Parcels(CompositePayloadConverter):
    """Knows parcels, and all that is usual."""

    def __init__(self) -> None:
        super().__init__(ParcelConverter(), *DefaultPayloadConverter.default_encoding_payload_converters)


class Remote(PayloadCodec):
    """Asks a codec server, by the documented protocol."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await asyncio.to_thread(self._ask, "encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await asyncio.to_thread(self._ask, "decode", payloads)

    def _ask(self, what: str, payloads: Sequence[Payload]) -> list[Payload]:
        from google.protobuf.json_format import MessageToDict, ParseDict

        body = json.dumps({"payloads": [MessageToDict(payload) for payload in payloads]}).encode()
        headers = {"Content-Type": "application/json", "X-Namespace": "default"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{what}", body, headers), timeout=10) as answer:
            return [ParseDict(payload, Payload()) for payload in json.load(answer)["payloads"]]


class Drawer(StorageDriver):
    """Keeps payloads in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def name(self) -> str:
        return "drawer"

    async def store(self, context: Any, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        keys = [str(len(self.kept) + index) for index, _ in enumerate(payloads)]
        self.kept |= {key: payload.SerializeToString() for key, payload in zip(keys, payloads, strict=True)}
        return [StorageDriverClaim({"key": key}) for key in keys]

    async def retrieve(self, context: Any, claims: Sequence[StorageDriverClaim]) -> list[Payload]:
        return [Payload.FromString(self.kept[claim.claim_data["key"]]) for claim in claims]


def stored_elsewhere(codec: PayloadCodec | None = None) -> DataConverter:
    """Keeps every value out of the history."""
    storage = ExternalStorage(drivers=[Drawer()], payload_size_threshold=0)
    return dataclasses.replace(DataConverter.default, payload_codec=codec, external_storage=storage)


CONVERTERS: dict[str, Callable[[], DataConverter]] = {
    "encrypting": lambda: DataConverter(payload_codec=TemporalAes()),
    "compressing": lambda: DataConverter(payload_codec=Zip()),
    "compressing and encrypting, and waiting": lambda: DataConverter(payload_codec=Both()),
    "knowing the workflow": lambda: DataConverter(payload_codec=PerWorkflow()),
    "pydantic": lambda: pydantic_data_converter,
    "pydantic, encrypting": lambda: dataclasses.replace(pydantic_data_converter, payload_codec=TemporalAes()),
    "custom": lambda: DataConverter(payload_converter_class=Parcels),
    "custom, encrypting": lambda: DataConverter(payload_converter_class=Parcels, payload_codec=TemporalAes()),
    "hiding failures": lambda: DataConverter(
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes, payload_codec=TemporalAes()
    ),
    "storing elsewhere": stored_elsewhere,
    "storing elsewhere, encrypted": lambda: stored_elsewhere(TemporalAes()),
}


@pytest.fixture(autouse=True)
def nothing_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is not behind a proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def sent(converter: DataConverter, **options: Any) -> bytes:
    """A run on our engine, with this converter."""
    with Engine(
        workflows=[Sending], activities=[weigh, refuse], data_converter=converter, clock="virtual", **options
    ) as engine:
        handle = engine.start_workflow(Sending.run, Parcel("Ada", 2), id="sending", task_queue="t").wait()
        handle.signal(Sending.add, Parcel("Ida", 5)).wait()
        assert handle.execute_update(Sending.replace, Parcel("Eva", 6)).wait() == Parcel("Ida", 5)
        assert handle.result().wait() == [Parcel("Ada", 3), Parcel("Eva", 6)]
        return handle.fetch_history().wait().to_json()


def temporal_says(document: bytes, workflow: type[Any], **options: Any) -> str:
    """The verdict of Temporal's Replayer, as `Verdict.temporal`."""

    async def replay() -> str:
        replayer = TemporalReplayer(workflows=[workflow], **options)
        history = WorkflowHistory.from_json("sending", document.decode())
        result = await asyncio.wait_for(replayer.replay_workflow(history, raise_on_replay_failure=False), 30)
        if result.replay_failure is None:
            return "ok"
        return "nondeterminism" if isinstance(result.replay_failure, NondeterminismError) else "error"

    return asyncio.run(replay())


def we_say(document: bytes, workflow: type[Any], **options: Any) -> Verdict:
    """Ours."""
    return Replayer([workflow], **options).replay(read_history(document), workflow_id="sending")


def both_say(document: bytes, workflow: type[Any], **options: Any) -> Verdict:
    """Ours, once it is sure that Temporal's is the one that it predicts."""
    verdict = we_say(document, workflow, **options)
    assert verdict.temporal == temporal_says(document, workflow, **options), verdict
    return verdict


@pytest.mark.parametrize("name", CONVERTERS)
def test_what_runs_with_a_converter_replays_with_it(name: str) -> None:
    """On our engine, by our replayer and by Temporal's; and a careless change is found by both."""
    converter = CONVERTERS[name]()
    document = sent(converter)
    assert both_say(document, Sending, data_converter=converter) == Agrees(len(json.loads(document)["events"]))
    verdict = both_say(document, SendingWithoutRest, data_converter=converter)
    assert isinstance(verdict, Diverges)
    assert verdict.temporal == "nondeterminism"


@pytest.mark.parametrize("name", ["encrypting", "custom", "hiding failures"])
def test_without_the_converter_temporal_fails(name: str) -> None:
    """We go on as far as we can; what Temporal's Replayer makes of it is predicted."""
    verdict = both_say(sent(CONVERTERS[name]()), Sending)
    assert verdict.temporal == "error"


@pytest.fixture
def remote() -> Iterator[DataConverter]:
    """A data converter whose codec is a server."""
    with codec_server() as server:
        yield DataConverter(payload_codec=Remote(server.url))


def test_a_codec_may_be_a_server(remote: DataConverter) -> None:
    """It waits for answers over HTTP, on the engine as in both replayers."""
    document = sent(remote)
    assert b"binary/encrypted" not in document
    assert b"YmluYXJ5L2VuY3J5cHRlZA==" in document, "base64 of binary/encrypted"
    assert isinstance(both_say(document, Sending, data_converter=remote), Agrees)
    assert isinstance(both_say(document, SendingWithoutRest, data_converter=remote), Diverges)


def test_a_codec_server_that_is_gone_is_an_error() -> None:
    """Its values are not taken for unreadable ones: somebody forgot to start it."""
    with codec_server() as server:
        remote = DataConverter(payload_codec=Remote(server.url))
        document = sent(remote)
    verdict = both_say(document, Sending, data_converter=remote)
    assert isinstance(verdict, CodeRaised)
    assert "Connection refused" in verdict.message


def stamped(document: bytes, stamp: Payload) -> bytes:
    """A run that was started with a header."""
    from google.protobuf.json_format import MessageToDict

    history = json.loads(document)
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    started["header"] = {"fields": {"stamp": MessageToDict(stamp)}}
    return json.dumps(history).encode()


@pytest.mark.parametrize("behavior", HeaderCodecBehavior)
def test_headers_go_through_the_codec_if_that_is_wanted(behavior: HeaderCodecBehavior) -> None:
    """An interceptor that sleeps where it can read the header diverges there, in both replayers."""
    converter = DataConverter(payload_codec=TemporalAes())
    [stamp] = asyncio.run(TemporalAes().encode([Payload(metadata={"encoding": b"json/plain"}, data=b'"stamp"')]))
    options: dict[str, Any] = {
        "data_converter": converter,
        "interceptors": [Stamps()],
        "header_codec_behavior": behavior,
    }
    document = stamped(sent(converter), stamp)
    verdict = both_say(document, Sending, **options)
    is_read = behavior is not HeaderCodecBehavior.NO_CODEC
    assert isinstance(verdict, Diverges if is_read else Agrees)
