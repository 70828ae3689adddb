"""Data converters, codecs and interceptors: both replayers say the same with them, without them and with wrong ones."""

from __future__ import annotations

import asyncio
import base64
import http.server
import json
import threading
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")
pytest.importorskip("pydantic")

from temporalio.api.common.v1 import Payload
from temporalio.common import HeaderCodecBehavior
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    StartActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from playhead_engine import Engine
from playhead_engine.client import WorkflowFailureError
from tests.replay import item_program
from tests.replay.item_program import Collects, Counts, Item
from tests.replay.parity import ours, quiet_judge, theirs

__all__ = ["quiet_judge"]
pytestmark = [
    pytest.mark.usefixtures("quiet_judge"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Encrypts(PayloadCodec):
    """Encrypts, as badly as a test may."""

    def __init__(self, key: int = 7) -> None:
        self.key = key

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Hide them."""
        return [
            Payload(metadata={"encoding": b"binary/hidden", "key": bytes([self.key])}, data=self._turned(one))
            for one in map(Payload.SerializeToString, payloads)
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Show them again."""
        if any(one.metadata.get("key", bytes([self.key])) != bytes([self.key]) for one in payloads):
            raise RuntimeError("wrong key")
        return [
            Payload.FromString(self._turned(one.data)) if one.metadata.get("encoding") == b"binary/hidden" else one
            for one in payloads
        ]

    def _turned(self, data: bytes) -> bytes:
        return bytes(byte ^ self.key for byte in data)


class EncryptsByContext(Encrypts, WithSerializationContext):
    """Takes another key for workflows than for activities."""

    def with_context(self, context: SerializationContext) -> EncryptsByContext:
        """The codec for what the payloads belong to."""
        return EncryptsByContext(7 + len(type(context).__name__) % 5)


class Compresses(PayloadCodec):
    """Compresses."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Make them small."""
        return [
            Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(one.SerializeToString()))
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Make them large."""
        await asyncio.sleep(0)
        return [
            Payload.FromString(zlib.decompress(one.data)) if one.metadata.get("encoding") == b"binary/zlib" else one
            for one in payloads
        ]


class Refuses(PayloadCodec):
    """Raises where it meets a certain value."""

    def __init__(self, error: Exception, *, at: str) -> None:
        self.error = error
        self.at = at

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raise, or change nothing."""
        return self._looked_at(payloads, "encode")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raise, or change nothing."""
        return self._looked_at(payloads, "decode")

    def _looked_at(self, payloads: Sequence[Payload], now: str) -> list[Payload]:
        if now == self.at and any(b"!" in one.data for one in payloads):
            raise self.error
        return list(payloads)


class Remote(PayloadCodec):
    """Asks a codec server."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Ask it."""
        return await self._asked("encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Ask it."""
        return await self._asked("decode", payloads)

    async def _asked(self, what: str, payloads: Sequence[Payload]) -> list[Payload]:
        body = json.dumps([base64.b64encode(one.SerializeToString()).decode() for one in payloads]).encode()
        answer = await asyncio.to_thread(self._post, f"{self.url}/{what}", body)
        return [Payload.FromString(base64.b64decode(one)) for one in json.loads(answer)]

    def _post(self, url: str, body: bytes) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(url, body)) as response:
            return bytes(response.read())


class _CodecServer(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        payloads = [Payload.FromString(base64.b64decode(one)) for one in asked]
        codec = Compresses()
        done = asyncio.run(codec.encode(payloads) if self.path == "/encode" else codec.decode(payloads))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps([base64.b64encode(one.SerializeToString()).decode() for one in done]).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def codec_server() -> Iterator[str]:
    """The address of a codec server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _CodecServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


PLAIN = pydantic_data_converter
CONVERTERS: dict[str, DataConverter] = {
    "pydantic": PLAIN,
    "encrypting": replace(PLAIN, payload_codec=Encrypts()),
    "encrypting by context": replace(PLAIN, payload_codec=EncryptsByContext()),
    "compressing": replace(PLAIN, payload_codec=Compresses()),
    "encoded failures": replace(PLAIN, failure_converter_class=DefaultFailureConverterWithEncodedAttributes),
    "encrypted failures": replace(
        PLAIN, payload_codec=Encrypts(), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    ),
}
WRONG_KEY = replace(PLAIN, payload_codec=Encrypts(9))


def recorded(converter: DataConverter, last_word: str, **options: Any) -> str:
    """The history of a run whose values went through a converter."""
    with Engine(
        workflows=[Collects, Counts], activities=item_program.ACTIVITIES, seed=3, data_converter=converter, **options
    ) as engine:
        handle = engine.start_workflow(Collects.run, Item(name="a"), id="w", memo={"m": 2}).wait()
        engine.sleep(1).wait()
        handle.execute_update(Collects.copy, Item(name="u")).wait()
        handle.signal(Collects.tell, last_word).wait()
        with suppress(WorkflowFailureError):
            handle.result().wait()
        return handle.fetch_history().wait().to_json().decode()


def verdicts(text: str, converter: DataConverter, **options: Any) -> tuple[str, str]:
    """Theirs and ours. The words differ: where theirs are encoded, ours say what was wrong."""
    options |= {"workflow_runner": UnsandboxedWorkflowRunner(), "data_converter": converter}
    workflows = [Collects, Counts]
    they, we = theirs(text, "w", workflows, **options), ours(text, "w", workflows, **options)
    assert (they.verdict, they.event_id) == (we.verdict, we.event_id)
    return they.verdict, we.verdict


@pytest.mark.parametrize("last_word", ["return", "fail"])
@pytest.mark.parametrize("name", CONVERTERS)
def test_a_converter_reads_what_it_wrote(name: str, last_word: str) -> None:
    """Whatever it does to values and failures, whether or not it takes care of headers."""
    text = recorded(CONVERTERS[name], last_word)
    for behavior in HeaderCodecBehavior:
        assert verdicts(text, CONVERTERS[name], header_codec_behavior=behavior) == ("ok", "ok")


def test_a_codec_server_is_asked(codec_server: str) -> None:
    """Over HTTP, as codec servers are."""
    converter = replace(PLAIN, payload_codec=Remote(codec_server))
    assert verdicts(recorded(converter, "return"), converter) == ("ok", "ok")


@pytest.mark.parametrize("name", CONVERTERS)
def test_another_converter_than_the_one_that_wrote(name: str) -> None:
    """Fails, or reads it all the same: as with Temporal."""
    text = recorded(CONVERTERS[name], "return")
    for other in (*CONVERTERS.values(), WRONG_KEY):
        verdicts(text, other)


@pytest.mark.parametrize("at", ["encode", "decode"])
@pytest.mark.parametrize("error", [KeyError("no"), ApplicationError("no", non_retryable=True)], ids=repr)
def test_a_codec_that_raises(error: Exception, at: str) -> None:
    """Fails the task, or the workflow, as the error says."""
    assert verdicts(recorded(PLAIN, "return"), replace(PLAIN, payload_codec=Refuses(error, at=at)))[1] != "ok"


class Asks(Interceptor):
    """Asks for more than the workflow does: headers, and a local activity for each signal."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Stand around the workflow."""
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def handle_signal(self, input: HandleSignalInput) -> None:
        await item_program.more(Item(name="signalled"))
        await super().handle_signal(input)


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> Any:
        input.headers = {**input.headers, "h": Payload(metadata={"encoding": b"json/plain"}, data=b"1")}
        return super().start_activity(input)


@pytest.mark.parametrize("name", ["pydantic", "encrypting"])
def test_interceptors_belong_to_the_code(name: str) -> None:
    """With them a recording agrees; without them it diverges, or not, as Temporal says."""
    text = recorded(CONVERTERS[name], "return", interceptors=[Asks()])
    for behavior in HeaderCodecBehavior:
        found = verdicts(text, CONVERTERS[name], interceptors=[Asks()], header_codec_behavior=behavior)
        assert found == ("ok", "ok") or behavior != HeaderCodecBehavior.NO_CODEC
    assert verdicts(text, CONVERTERS[name])[1] == "nondeterminism"
