"""Payload codecs at the border between workflow code and its history: encrypted there, plain here.

Codecs are asynchronous, and telling workflow code something must not be, so they run on an event loop in a thread of their
own. A run without a codec never comes here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from playhead_engine.activation import Activation, InitializeWorkflow
from playhead_engine.converter import DataConverter
from playhead_engine.messages import Payload
from playhead_engine.runtime import Completion, TaskCompleted, TaskFailed, WorkflowInstance

_T = TypeVar("_T")
_Codec = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]

_UNTOUCHED = frozenset({"searchAttributes", "header", "headers"})
"""What a server must be able to read, and what codecs leave alone unless they are told otherwise."""


class CodecInstance:
    """A workflow instance that sees decoded payloads and whose commands leave encoded.

    Args:
        inner: The instance.
        converter: Holds the codec.
    """

    def __init__(self, inner: WorkflowInstance, converter: DataConverter) -> None:
        self._inner = inner
        self._converter = converter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def activate(self, activation: Activation) -> Completion:
        """See `WorkflowInstance.activate`."""
        try:
            jobs = tuple(self._decoded(job) for job in activation.jobs)
        except Exception as error:  # noqa: BLE001 - whatever a codec raises fails the workflow task
            return TaskFailed(self._converter.encode_failure(error), error)
        completion = self._inner.activate(replace(activation, jobs=jobs))
        if isinstance(completion, TaskFailed):
            return completion
        try:
            commands = tuple(_converted(command, self._converter.wire_encode) for command in completion.commands)
        except Exception as error:  # noqa: BLE001 - likewise
            return TaskFailed(self._converter.encode_failure(error), error)
        return TaskCompleted(commands, completion.used_flags)

    def close(self) -> None:
        """See `WorkflowInstance.close`."""
        self._inner.close()

    def _decoded(self, job: Any) -> Any:
        if isinstance(job, InitializeWorkflow):
            return replace(job, attributes=convert(job.attributes, self._converter.wire_decode))
        return _converted(job, self._converter.wire_decode)


def with_codec(instance: WorkflowInstance, converter: DataConverter) -> WorkflowInstance:
    """The instance, behind the converter's codec if it has one."""
    return instance if converter.payload_codec is None else CodecInstance(instance, converter)


def convert(message: Any, codec: _Codec) -> Any:
    """A copy of a piece of a history with every payload in it put through a codec."""
    if isinstance(message, list):
        items: list[Any] = message
        if items and all(_is_payload(item) for item in items):
            return run_codec(codec(items))
        return [convert(item, codec) for item in items]
    if not isinstance(message, dict):
        return message
    if _is_payload(message):
        return run_codec(codec([message]))[0]  # type: ignore[list-item]
    return {key: value if key in _UNTOUCHED else convert(value, codec) for key, value in message.items()}


def run_codec(work: Awaitable[_T]) -> _T:
    """Wait for a codec, from code that must not await."""
    return asyncio.run_coroutine_threadsafe(_awaited(work), _codec_loop()).result()


async def _awaited(work: Awaitable[_T]) -> _T:
    return await work


def _converted(record: Any, codec: _Codec) -> Any:
    changes: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name in _UNTOUCHED or value is None:
            continue
        if is_dataclass(value) and not isinstance(value, type) and field.name == "result":
            changes[field.name] = _converted(value, codec)
        elif isinstance(value, dict | list):
            changes[field.name] = convert(value, codec)
    return replace(record, **changes) if changes else record


def _is_payload(value: Any) -> bool:
    return isinstance(value, dict) and "metadata" in value and value.keys() <= {"metadata", "data", "externalPayloads"}


_loop: asyncio.AbstractEventLoop | None = None
_starting = threading.Lock()


def _codec_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _starting:
        if _loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="playhead-codec", daemon=True).start()
            _loop = loop
        return _loop


__all__ = ["CodecInstance", "convert", "run_codec", "with_codec"]
