"""Codecs: what a workflow sees is plain, what its history holds is not."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import replace

from playhead_engine.activation import Activation, InitializeWorkflow, ResolveActivity, Succeeded
from playhead_engine.codec_border import convert, run_codec, with_codec
from playhead_engine.commands import CompleteWorkflow, ScheduleActivity
from playhead_engine.converter import DataConverter, Payload, PayloadCodec
from playhead_engine.messages import Json
from playhead_engine.runtime import Completion, TaskCompleted, TaskFailed


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


CONVERTER = replace(DataConverter.default, payload_codec=Zipping())


class Recorder:
    """A workflow instance that keeps what it is told and answers with what it was given."""

    def __init__(self, answer: Completion) -> None:
        self.told: list[Activation] = []
        self.answer = answer

    def activate(self, activation: Activation) -> Completion:
        """Keep it."""
        self.told.append(activation)
        return self.answer

    def close(self) -> None:
        """Nothing to close."""


def encoded(*values: object) -> list[Json]:
    """Values as a history with this codec holds them."""
    return [dict(payload) for payload in run_codec(CONVERTER.wire_encode(CONVERTER.encode_values(values)))]


def test_a_workflow_is_told_decoded_payloads() -> None:
    """Arguments and results come in plain, whatever the history holds."""
    inner = Recorder(TaskCompleted(()))
    jobs = (
        InitializeWorkflow("w", {"input": {"payloads": encoded("hello")}, "memo": {"fields": {}}}, 1, 0),
        ResolveActivity(1, Succeeded(encoded(42)[0])),  # type: ignore[arg-type]
    )
    with_codec(inner, CONVERTER).activate(Activation("r", 0, True, 3, 0, False, jobs))
    start, resolved = inner.told[0].jobs
    assert isinstance(start, InitializeWorkflow)
    assert CONVERTER.decode_values(start.attributes["input"]["payloads"]) == ["hello"]
    assert isinstance(resolved, ResolveActivity)
    assert isinstance(resolved.result, Succeeded)
    assert resolved.result.result == CONVERTER.encode_value(42)


def test_commands_leave_encoded() -> None:
    """What the workflow asks for is encoded before anybody else sees it; what a server must read is not."""
    plain = CONVERTER.encode_value("secret")
    schedule = ScheduleActivity(
        1, {"activityType": {"name": "a"}, "input": {"payloads": [plain]}, "header": {"fields": {"h": plain}}}
    )
    inner = Recorder(TaskCompleted((schedule, CompleteWorkflow({"result": {"payloads": [plain]}}))))
    completion = with_codec(inner, CONVERTER).activate(Activation("r", 0, True, 3, 0, False, ()))
    assert isinstance(completion, TaskCompleted)
    first, last = completion.commands
    assert isinstance(first, ScheduleActivity)
    assert isinstance(last, CompleteWorkflow)
    assert first.attributes["input"]["payloads"] == encoded("secret")
    assert first.attributes["header"]["fields"]["h"] == plain
    assert last.attributes["result"]["payloads"] == encoded("secret")
    assert schedule.attributes["input"]["payloads"] == [plain]


def test_a_payload_that_cannot_be_decoded_fails_the_task() -> None:
    """A codec that raises keeps the run from going on, and ends in a failure with its error."""
    broken = {"metadata": {"encoding": "eA=="}, "data": base64.b64encode(b"not zipped").decode()}
    job = InitializeWorkflow("w", {"input": {"payloads": [broken]}}, 1, 0)
    completion = with_codec(Recorder(TaskCompleted(())), CONVERTER).activate(Activation("r", 0, True, 3, 0, False, (job,)))
    assert isinstance(completion, TaskFailed)
    assert isinstance(completion.error, zlib.error)


def test_without_a_codec_nothing_is_put_in_between() -> None:
    """The instance itself is used, at no cost."""
    inner = Recorder(TaskCompleted(()))
    assert with_codec(inner, DataConverter.default) is inner


def test_only_payloads_are_converted() -> None:
    """Everything around payloads stays as it is, and the message that was given is not changed."""
    message: Json = {"name": "x", "list": [1, {"a": None}], "details": {"payloads": [CONVERTER.encode_value(1)]}}
    copy = convert(message, CONVERTER.wire_encode)
    assert copy["name"] == "x"
    assert copy["list"] == [1, {"a": None}]
    assert copy["details"]["payloads"] == encoded(1)
    assert message["details"]["payloads"] == [CONVERTER.encode_value(1)]
