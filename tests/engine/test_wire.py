"""Codecs: what a workflow sees is plain, what its history holds is not."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from playhead_engine.activation import Activation, InitializeWorkflow, ResolveActivity, SignalWorkflow, Succeeded
from playhead_engine.commands import CompleteWorkflow, ScheduleActivity
from playhead_engine.converter import DataConverter, Payload, PayloadCodec
from playhead_engine.engine.wire import Wire
from playhead_engine.runtime import TaskCompleted


class Zipping(PayloadCodec):
    """Compresses every payload."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress."""
        return [
            Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decompress; fails on what is not compressed."""
        return [Payload.FromString(zlib.decompress(payload.data)) for payload in payloads]


class SlowlyZipping(Zipping):
    """Has to wait for something first, like a codec that asks a server for a key."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Compress, after a while."""
        await asyncio.sleep(0.001)
        return await super().encode(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decompress, after a while."""
        await asyncio.sleep(0.001)
        return await super().decode(payloads)


@pytest.fixture(params=[Zipping, SlowlyZipping])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A border with a codec that never waits, and one that does."""
    return Wire(replace(DataConverter.default, payload_codec=request.param()))


PLAIN = DataConverter.default


def test_a_workflow_is_told_decoded_payloads(wire: Wire) -> None:
    """Arguments, signals and results come in plain, whatever the history holds."""
    hello, answer = wire.encode_values(["hello", 42])
    jobs = (
        InitializeWorkflow("w", {"input": {"payloads": [hello]}, "memo": {"fields": {"note": hello}}}, 1, 0),
        SignalWorkflow("s", [hello], "me", {}, 3),
        ResolveActivity(1, Succeeded(answer)),
    )
    start, signal, resolved = wire.decoded(Activation("r", 0, True, 3, 0, False, jobs)).jobs
    assert isinstance(start, InitializeWorkflow)
    assert isinstance(signal, SignalWorkflow)
    assert isinstance(resolved, ResolveActivity)
    assert isinstance(resolved.result, Succeeded)
    assert start.attributes["input"]["payloads"] == signal.input == [PLAIN.encode_value("hello")]
    assert start.attributes["memo"]["fields"]["note"] == PLAIN.encode_value("hello")
    assert resolved.result.result == PLAIN.encode_value(42)


def test_commands_leave_encoded(wire: Wire) -> None:
    """What the workflow asks for is encoded before anybody else sees it; what a server must read is not."""
    plain = PLAIN.encode_value("secret")
    schedule = ScheduleActivity(1, {"input": {"payloads": [plain]}, "header": {"fields": {"h": plain}}})
    completion = wire.encoded(TaskCompleted((schedule, CompleteWorkflow({"result": {"payloads": [plain]}}))))
    assert isinstance(completion, TaskCompleted)
    first, last = completion.commands
    assert isinstance(first, ScheduleActivity)
    assert isinstance(last, CompleteWorkflow)
    assert first.attributes["input"]["payloads"] != [plain]
    assert wire.decode_values(first.attributes["input"]["payloads"]) == ["secret"]
    assert first.attributes["header"]["fields"]["h"] == plain
    assert wire.decode_values(last.attributes["result"]["payloads"]) == ["secret"]
    assert schedule.attributes["input"]["payloads"] == [plain]


def test_a_payload_that_cannot_be_decoded_is_an_error(wire: Wire) -> None:
    """A codec's own error comes through."""
    broken = {"metadata": {"encoding": "eA=="}, "data": base64.b64encode(b"not zipped").decode()}
    job = InitializeWorkflow("w", {"input": {"payloads": [broken]}}, 1, 0)
    with pytest.raises(zlib.error):
        wire.decoded(Activation("r", 0, True, 3, 0, False, (job,)))


def test_without_a_codec_nothing_is_copied() -> None:
    """The activation and the completion themselves pass."""
    wire = Wire(DataConverter.default)
    activation, completion = Activation("r", 0, True, 3, 0, False, ()), TaskCompleted(())
    assert wire.decoded(activation) is activation
    assert wire.encoded(completion) is completion
